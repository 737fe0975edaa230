"""Outlines in VOC's XML: polygons as Roboflow and LabelMe write them, and turned boxes as roLabelImg does.

Points are taken as written, on the continuous frame of the upright image, not as pixels counted.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from tundish.formats.reading.fault import Fault
from tundish.formats.reading.text import fault_of_number, real, reals

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["OUTLINES", "has_outline", "outline_of"]

OUTLINES = ("polygon", "robndbox")
"""Elements of an object that draw it; they are not attributes."""

_PLACE = re.compile(r"([xy])(\d+)")
_TURNED = ("cx", "cy", "w", "h", "angle")


def has_outline(element: Element) -> bool:
    """Whether an object has an outline that holds anything."""
    return any((found := element.find(name)) is not None and len(found) for name in OUTLINES)


def outline_of(element: Element) -> list[list[float]]:
    """The rings that an object's outlines draw; none where it has no outline.

    A turned box is its centre, width, height and an angle in radians, clockwise as the picture is seen.

    Raises:
        Fault: An outline is not whole, or its numbers are not.
    """
    rings = [_polygon(found) for found in element.findall("polygon") if len(found)]
    rings += [_turned(found) for found in element.findall("robndbox") if len(found)]
    if not math.isfinite(sum(map(sum, rings))):
        raise Fault("not_finite", "the numbers of the outline are too large to add up", "polygon")
    return rings


def _polygon(element: Element) -> list[float]:
    points = [(point.findtext("x"), point.findtext("y")) for point in element.findall("pt")]
    if not points:
        named: dict[int, dict[str, str | None]] = {}
        for child in element:
            match = _PLACE.fullmatch(child.tag)
            if match:
                named.setdefault(int(match[2]), {})[match[1]] = child.text
        points = [(point.get("x"), point.get("y")) for _, point in sorted(named.items())]
    if len(points) < 3:
        raise Fault("broken_polygon", f"the polygon has {len(points)} points; it takes three", "polygon")
    texts = [text for point in points for text in point]
    return list(reals(texts) or [_number(text, "polygon") for text in texts])


def _turned(element: Element) -> list[float]:
    cx, cy, width, height, angle = (_number(element.findtext(name), f"robndbox/{name}") for name in _TURNED)
    if width < 0 or height < 0:
        raise Fault(
            "negative_size", "the size of the turned box is negative", "robndbox", f"{width:g} {height:g}"
        )
    cosine, sine = math.cos(angle), math.sin(angle)
    ring = []
    for across, down in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        x, y = across * width / 2, down * height / 2
        ring += [cx + x * cosine - y * sine, cy + x * sine + y * cosine]
    return ring


def _number(text: str | None, column: str) -> float:
    text = (text or "").strip()
    number = real(text)
    if number is None and not text:
        raise Fault("broken_polygon", "a number of the outline is missing", column)
    if number is None:
        raise Fault(*fault_of_number(text), column, text)
    return number
