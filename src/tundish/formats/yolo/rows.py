"""What rows of six and seven numbers mean, settled over all label files of a source.

A box has five numbers. A sixth may be a model's confidence or the number of a track; a sixth and a seventh
may be both, or the row is a triangle. One row alone cannot say which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tundish.formats.reading.text import real

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Meaning", "is_dota", "settle"]

_ROUNDING = 0.01
"""Share of the image by which a tracker's box may leave it."""

_MOST = 2.0
"""Above it, a coordinate is not a share of the image, however far the label leaves it."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What rows of six and of seven numbers are."""

    six: Literal["confidence", "track"] = "confidence"
    seven: Literal["polygon", "track", "unsettled"] = "polygon"


def settle(files: Iterable[list[tuple[int, list[str]]]], stated: str = "") -> Meaning:
    """What the rows of a source mean.

    Args:
        files: The rows of each label file: their number and their tokens.
        stated: The recipe's option ``rows``: 'polygon', 'track', or empty to go by the numbers.
    """
    last_of_six: set[float] = set()
    sevens: set[float] = set()
    boxes, longer = True, False
    for rows in files:
        for _, tokens in rows:
            if len(tokens) == 6:
                last_of_six.add(_value(tokens[5]))
            elif len(tokens) == 7:
                sevens.add(_value(tokens[6]))
                boxes = boxes and _may_be_tracked(tokens)
            elif len(tokens) > 7:
                longer = True
    if stated in ("polygon", "track"):
        return Meaning("track" if stated == "track" else "confidence", stated)  # type: ignore[arg-type]
    seven: Literal["polygon", "track", "unsettled"] = "polygon"
    if sevens and boxes:
        seven = "track" if max(sevens) > 1 else "polygon" if longer else "unsettled"
    # A single number above 1 may be a slip of a confidence; several are tracks.
    whole = all(value >= 0 and value.is_integer() for value in last_of_six)
    tracks = whole and ((len(last_of_six) > 1 and max(last_of_six) > 1) or seven == "track")
    return Meaning("track" if tracks else "confidence", seven)


def _value(token: str) -> float:
    value = real(token)
    return -1.0 if value is None else float(value)


def _may_be_tracked(tokens: list[str]) -> bool:
    """Whether seven numbers can be a box in its image, a confidence, and a track, which count from 1."""
    x, y, width, height, score, track = map(_value, tokens[1:])
    inside = all(
        side > 0 and place - side / 2 >= -_ROUNDING and place + side / 2 <= 1 + _ROUNDING
        for place, side in ((x, width), (y, height))
    )
    return inside and 0 <= score <= 1 and track >= 1 and track.is_integer()


def is_dota(values: Sequence[float | None]) -> bool:
    """Whether a row is DOTA's: four corners in pixels, and the class as a number, often with a difficulty."""
    return len(values) in (9, 10) and any(abs(value or 0) > _MOST for value in values[1:8])
