"""What four numbers of a box mean, settled over all boxes of a source by counting what is impossible."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tundish.formats.csv.columns import ALL
from tundish.formats.reading.sniffing import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["READINGS", "UNITS", "Settled", "corners_of", "impossible", "settle"]

READINGS = {
    "corners": "two corners",
    "xywh": "a corner with width and height",
    "centre": "a centre with width and height",
}
"""What the option ``box`` may say, and what it means."""

UNITS = ("px", "share")
"""What the option ``unit`` may say."""

_FEW = 0.02
"""Share of boxes that may be wrong in a source that is read right."""

_MANY = 0.2
"""Share of impossible boxes from which the names of columns are not believed."""


@dataclass(frozen=True)
class Settled:
    """What the boxes of a source are.

    Attributes:
        box: 'corners', 'xywh' or 'centre'.
        unit: 'px' or 'share'.
        facts: Sentences on what was counted.
        doubt: Why it is not clear, with the option that settles it; empty where it is clear.
    """

    box: str
    unit: str
    facts: list[str] = field(default_factory=list)
    doubt: str = ""


def corners_of(boxes: NDArray[np.float64], reading: str) -> NDArray[np.float64]:
    """Boxes (n, 4) as first and last corners (n, 4)."""
    first, second = boxes[:, :2], boxes[:, 2:]
    if reading == "corners":
        return boxes
    with np.errstate(over="ignore"):
        if reading == "xywh":
            return np.hstack([first, first + second])
        return np.hstack([first - second / 2, first + second / 2])


def impossible(boxes: NDArray[np.float64], sizes: NDArray[np.float64], reading: str, slack: float) -> int:
    """How many boxes leave their picture or end before they begin under a reading.

    Args:
        boxes: Four numbers a box (n, 4).
        sizes: Width and height of the picture of each (n, 2); NaN where it is not known.
        reading: As in `READINGS`.
        slack: By how much a box may leave its picture.
    """
    corners = corners_of(boxes, reading)
    low, high = corners[:, :2], corners[:, 2:]
    wrong = (high < low) | (low < -slack) | (high > sizes + slack)
    return int(wrong.any(axis=1).sum())


def settle(
    readings: Sequence[str], boxes: NDArray[np.float64], sizes: NDArray[np.float64], box: str, unit: str
) -> Settled:
    """Decide what four numbers mean.

    Args:
        readings: What the names of the columns allow.
        boxes: Four numbers a box (n, 4).
        sizes: Width and height of the picture of each, px (n, 2); NaN where it is not known.
        box: What the recipe says, or the empty string.
        unit: What the recipe says, or the empty string.
    """
    if box and unit:
        return Settled(box, unit)
    facts: list[str] = []
    if not unit:
        within = int((np.abs(boxes) <= 1).all(axis=1).sum())
        share = within / max(1, len(boxes))
        if _FEW < share < 1 - _FEW:
            doubt = (
                f"{within} of {counted(len(boxes), 'box')} lie within 0..1 and the others do not, so their "
                "unit is not clear; say {unit: px} or {unit: share} in the source's options"
            )
            return Settled(box or readings[0], "px", doubt=doubt)
        unit = "share" if len(boxes) and share >= 1 - _FEW else "px"
        if unit == "share":
            facts.append(
                f"{within} of {counted(len(boxes), 'box')} lie within 0..1: read as shares of the picture"
            )
    if unit == "share":
        sizes = np.ones_like(sizes)
    if box:
        return Settled(box, unit, facts)
    slack = 0.005 if unit == "share" else 1.0
    sized = ~np.isnan(sizes).any(axis=1)
    noun = "box"
    if sized.any() and not sized.all():
        boxes, sizes = boxes[sized], sizes[sized]
        noun = "sampled box"
    counts = {reading: impossible(boxes, sizes, reading, slack) for reading in ALL}
    return _decide(readings, counts, len(boxes), noun, Settled("", unit, facts))


def _decide(
    readings: Sequence[str], counts: dict[str, int], boxes: int, noun: str, so_far: Settled
) -> Settled:
    unit, facts = so_far.unit, so_far.facts
    best, *others = sorted(readings, key=lambda reading: counts[reading])
    told = "; ".join(f"{counts[reading]} as {READINGS[reading]}" for reading in (best, *others))
    fact = f"of {counted(boxes, noun)} leave their picture or end before they begin: {told}"
    fits_better = min(counts.values()) <= _FEW * boxes
    if counts[best] > _MANY * boxes and (others or fits_better):
        told = "; ".join(f"{counts[reading]} as {READINGS[reading]}" for reading in ALL)
        doubt = f"of {counted(boxes, noun)} leave their picture or end before they begin: {told}; "
        doubt += f"the columns say {' or '.join(READINGS[reading] for reading in readings)}"
        return Settled(best, unit, facts, f"{doubt}; {_say(ALL)}")
    close = [one for one in others if counts[one] - counts[best] < max(2, _FEW * boxes)]
    if close and boxes:
        return Settled(
            best, unit, facts, f"{fact}: what the four numbers are is not clear; {_say((best, *close))}"
        )
    facts.append(f"{fact}: read as {READINGS[best]}")
    return Settled(best, unit, facts)


def _say(readings: Sequence[str]) -> str:
    options = " or ".join(f"{{box: {reading}}}" for reading in readings)
    return f"say {options} in the source's options"
