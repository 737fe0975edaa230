"""Whether a COCO file's ``bbox`` holds x, y, width and height, or what some converters write there.

That is two corners, or y, x, height and width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tundish.formats.reading.sniffing import counted
from tundish.formats.reading.text import real

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BOXES", "BoxDoubt", "as_xywh", "doubt_of_boxes"]

BOXES = ("xywh", "corners", "yxhw")
"""What the option ``box`` may say."""

_SLACK = 1.0
"""px: by how much a box may leave its picture."""

_MANY, _FEW = 0.1, 0.02
"""Shares of boxes that leave their picture, from which and up to which that says something."""


class BoxDoubt(NamedTuple):
    """How many boxes were looked at, and how many are impossible under each reading."""

    boxes: int = 0
    as_xywh: int = 0
    as_corners: int = 0
    as_yxhw: int = 0

    @staticmethod
    def summed(doubts: Iterable[BoxDoubt]) -> BoxDoubt:
        """The counts of several files together."""
        return BoxDoubt(*(sum(counts) for counts in zip(BoxDoubt(), *doubts, strict=True)))

    def reading(self) -> str:
        """What the boxes are, as in `BOXES`: COCO's, unless they fit their pictures in another way only."""
        others = (("corners", self.as_corners), ("yxhw", self.as_yxhw))
        fits = [name for name, count in others if count <= _FEW * self.boxes]
        return fits[0] if fits and self.as_xywh > max(1, _MANY * self.boxes) else "xywh"

    def fact(self) -> str:
        """The sentence on what was counted; empty where all is as it should be."""
        if not self.as_xywh:
            return ""
        counts = f"{self.as_xywh} of {counted(self.boxes, 'box')} leave their picture"
        counts = f"{counts} if read as x, y, width, height"
        reading = self.reading()
        if reading == "corners":
            return f"{counts}, {self.as_corners or 'none'} if read as two corners: read as corners"
        if reading == "yxhw":
            swapped = f"{self.as_yxhw or 'none'} if x and y are swapped"
            return f"{counts}, {swapped}: read as y, x, height, width"
        return f"{counts}, {self.as_corners} are impossible as two corners: read as x, y, width, height"


def doubt_of_boxes(content: dict[str, Any]) -> BoxDoubt:
    """Count the boxes of a COCO file against the sizes it states for its images."""
    sizes: dict[object, tuple[float, float]] = {}
    for image in content.get("images", []):
        if isinstance(image, dict) and isinstance(image.get("id"), (int, str)):
            width, height = real(image.get("width")), real(image.get("height"))
            if width and height:
                sizes[image["id"]] = width, height
    boxes = xywh = corners = yxhw = 0
    for entry in content.get("annotations", []):
        number = entry.get("image_id") if isinstance(entry, dict) else None
        size = sizes.get(number) if isinstance(number, (int, str)) else None
        box = [real(value) for value in entry["bbox"]] if size and isinstance(entry.get("bbox"), list) else []
        if size is None or len(box) != 4 or None in box:
            continue
        x, y, third, fourth = (value or 0.0 for value in box)
        width, height = size[0] + _SLACK, size[1] + _SLACK
        boxes += 1
        xywh += x < -_SLACK or y < -_SLACK or x + third > width or y + fourth > height
        corners += third < x or fourth < y or x < -_SLACK or y < -_SLACK or third > width or fourth > height
        yxhw += x < -_SLACK or y < -_SLACK or y + fourth > width or x + third > height
    return BoxDoubt(boxes, xywh, corners, yxhw)


def as_xywh(entry: dict[str, Any], reading: str) -> dict[str, Any]:
    """An annotation whose bbox holds something else, with x, y, width and height instead.

    What is not four numbers stays as it is: the reader refuses it with its reason.
    """
    box = entry.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or any(type(value) not in (int, float) for value in box):
        return entry
    if reading == "yxhw":
        return {**entry, "bbox": [box[1], box[0], box[3], box[2]]}
    x0, y0, x1, y1 = box
    return {**entry, "bbox": [x0, y0, x1 - x0, y1 - y0]}
