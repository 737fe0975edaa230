"""The section of the recipe on losses: how much a run may lose before it stops and asks."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from tundish.recipe.sections import Section

__all__ = ["Guard"]

_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")


def _parse_share(value: object) -> object:
    """A share as a number: ``5%`` and ``0.05`` are the same."""
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    share = float(match[1]) / 100 if match else value
    number = isinstance(share, int | float) and not isinstance(share, bool)
    if not number or not 0 <= share <= 1:  # type: ignore[operator]  # number says that it is one
        raise ValueError(f"{value!r} is not a share; write it as 5% or 0.05, up to 100% or 1")
    return share


_Written = (
    Annotated[float, Field(ge=0, le=1)] | Annotated[str, StringConstraints(pattern=f"^{_PERCENT.pattern}$")]
)
Share = Annotated[float, BeforeValidator(_parse_share, json_schema_input_type=_Written)]


class Guard(Section):
    """How much a run may lose, compared with the run before; the first run, with what came in."""

    lost_labels: Share = Field(
        0.05, description="Share of the labels, as 5% or 0.05. More stops the run before the splits."
    )
    lost_images: Share = Field(
        0.05, description="Share of the image files, as 5% or 0.05. More stops the run before the splits."
    )
    emptied_classes: int = Field(0, ge=0, description="How many classes may lose all of their labels.")
    least: int = Field(
        3,
        ge=1,
        description="How many must be lost, at least, for a share to stop the run; 0% stops it for each, and"
        " the loss of all always does.",
    )
