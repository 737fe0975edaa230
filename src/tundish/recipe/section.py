"""What every section of a recipe is: a frozen model that refuses unknown keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Section"]


class Section(BaseModel):
    """A part of the recipe: unknown keys are refused, and it is immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
