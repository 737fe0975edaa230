"""What every section of a recipe is: a frozen model that refuses unknown keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

__all__ = ["Name", "Section"]

Name = Annotated[str, StringConstraints(pattern=r"^[\w][\w.-]{0,99}$")]
"""A name of a section, a source, a key or a class of tables."""


class Section(BaseModel):
    """A part of the recipe: unknown keys are refused, and it is immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
