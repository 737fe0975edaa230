"""What the four numbers of YOLO's boxes are, settled over all label files of a source by what is impossible.

YOLO has the centre, width and height in shares of the picture. Converters write a corner with width and
height, two corners, or pixels. `tundish add` counts the boxes that leave their picture under each reading and
writes what it found into the recipe, as the options ``box`` and ``unit``; without them boxes are YOLO's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tundish.errors import SourceError
from tundish.formats.csv.evidence import READINGS, UNITS, impossible
from tundish.formats.reading.sniffing import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["OPTIONS", "Places", "places_of", "settle_places"]

OPTIONS = {
    "box": "what four numbers are: `centre` with width and height (default), `xywh`, `corners`",
    "unit": "`share` of the picture (default) or `px`",
}
"""The options that say what boxes are."""

_MANY, _FEW = 0.1, 0.02
"""Shares of impossible boxes, from which a reading is given up, and up to which another one is taken."""

_SLACK = {"share": 0.01, "px": 1.5}


@dataclass(frozen=True)
class Places:
    """What the numbers of boxes, outlines and key points are.

    Attributes:
        box: As in `READINGS`.
        unit: 'share' or 'px'.
        facts: Sentences on what was counted, where it is not what YOLO has.
        extra: Options that say so.
    """

    box: str = "centre"
    unit: str = "share"
    facts: list[str] = field(default_factory=list)
    extra: dict[str, str] = field(default_factory=dict)

    def box_of(self, numbers: Sequence[float], size: tuple[int, int]) -> tuple[float, float, float, float]:
        """Left, top, width and height of a box, px.

        Args:
            numbers: The four numbers of a row.
            size: Width and height of the picture, px.
        """
        first, second, third, fourth = numbers
        across, down = self.scale(size)
        if self.box == "corners":
            return first * across, second * down, (third - first) * across, (fourth - second) * down
        if self.box == "centre":
            first, second = first - third / 2, second - fourth / 2
        return first * across, second * down, third * across, fourth * down

    def scale(self, size: tuple[int, int]) -> tuple[float, float]:
        """What numbers across and down are multiplied with to be pixels."""
        return (1.0, 1.0) if self.unit == "px" else (float(size[0]), float(size[1]))


def places_of(extra: Mapping[str, str]) -> Places:
    """What the recipe says of the numbers.

    Raises:
        SourceError: An option says something else than it may.
    """
    found = {"box": extra.get("box", "centre"), "unit": extra.get("unit", "share")}
    for name, values in (("box", READINGS), ("unit", UNITS)):
        if found[name] not in values:
            fix = f"say one of {', '.join(values)}"
            raise SourceError(f"{name} is '{found[name]}'", where="format yolo", fix=fix)
    return Places(found["box"], found["unit"])


def settle_places(boxes: NDArray[np.float64], sizes: NDArray[np.float64]) -> Places:
    """What the boxes of a source are.

    Args:
        boxes: Four numbers a box (n, 4).
        sizes: Width and height of the picture of each, px (n, 2); NaN where it is not known.
    """
    total = len(boxes)
    beyond = int((np.abs(boxes) > 1 + _SLACK["share"]).any(axis=1).sum())
    facts: list[str] = []
    extra: dict[str, str] = {}
    unit = "px" if total > 1 and beyond >= (1 - _FEW) * total else "share"
    if unit == "px":
        facts.append(f"{beyond} of {counted(total, 'box')} reach beyond 1: read as pixels (options.unit)")
        extra["unit"] = "px"
        known = ~np.isnan(sizes).any(axis=1)
        boxes, sizes = boxes[known], sizes[known]
    else:
        sizes = np.ones_like(sizes)
    if not len(boxes):
        return Places("centre", unit, facts, extra)
    counts = {reading: impossible(boxes, sizes, reading, _SLACK[unit]) for reading in READINGS}
    others = sorted((counts[reading], reading) for reading in READINGS if reading != "centre")
    if counts["centre"] <= max(1, _MANY * len(boxes)):
        return Places("centre", unit, facts, extra)
    told = "; ".join(f"{counts[reading] or 'none'} as {READINGS[reading]}" for reading in READINGS)
    fact = f"of {counted(len(boxes), 'box')} leave their picture or end before they begin: {told}"
    (best, reading), (next_best, other) = others
    if best > _FEW * len(boxes):
        facts.append(f"{fact}: none fits, read as a centre; `tundish run` reports each")
        return Places("centre", unit, facts, extra)
    if next_best - best < max(2, _FEW * len(boxes)):
        fits = f"{READINGS[reading]} and {READINGS[other]} both fit"
        facts.append(f"{fact}: {fits}; say {{box: {reading}}} or {{box: {other}}} in the source's options")
        return Places("centre", unit, facts, extra)
    facts.append(f"{fact}: read as {READINGS[reading]} (options.box)")
    return Places(reading, unit, facts, {**extra, "box": reading})
