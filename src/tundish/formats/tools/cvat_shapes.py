"""The shapes of CVAT's XML, whose numbers are attributes of elements."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tundish.formats.reading.fault import Fault
from tundish.formats.tools.pages import Drawing, name_of
from tundish.formats.tools.shapes import (
    Drawn,
    box_between,
    ellipse,
    mask_at,
    mask_of_runs,
    number,
    numbers,
    polygon,
    rotated_box,
    unsupported,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from tundish.formats.tools.shapes import Canvas

__all__ = ["CORNERS", "READS", "draw", "kind_of"]

CORNERS = ("xtl", "ytl", "xbr", "ybr")

READS = frozenset({"box", "polygon", "ellipse", "mask", "tag"})

_KEPT = ("occluded", "z_order", "source", "group_id")
_MOST_DIGITS = 12


def kind_of(shape: Element) -> str:
    """The kind of a shape for people."""
    return (
        f"rotated {shape.tag}" if shape.get("rotation", "0") not in ("0", "0.0", "0.00") else shape.tag[:40]
    )


def draw(entry: Any, canvas: Canvas) -> Drawing:
    """Draw an element; the entry is the element, its class, and further attributes.

    Raises:
        Fault: The shape has no place here, no class, or numbers that are none.
    """
    shape, label, more = entry
    name = name_of(label, "label")
    drawn = _drawn(shape, canvas)
    given = shape.attrib
    attributes = {key: given[key] for key in _KEPT if key in given}
    for child in shape.findall("attribute") if len(shape) else ():
        attributes[child.get("name", "")] = (child.text or "").strip()
    return Drawing(name, drawn, attributes | more)


def _drawn(shape: Element, canvas: Canvas) -> Drawn:
    turned = shape.get("rotation")
    turn = 0.0 if turned is None else number(turned, "rotation", text=True)
    if shape.tag == "box":
        x0, y0, x1, y1 = numbers(shape.attrib, *CORNERS, text=True)
        box = box_between((x0, y0), (x1, y1), ordered=True)
        return rotated_box(box, turn) if turn else box
    if shape.tag == "polygon":
        return polygon(_points(shape.get("points", "")))
    if shape.tag == "ellipse":
        cx, cy, rx, ry = numbers(shape.attrib, "cx", "cy", "rx", "ry", text=True)
        return ellipse((cx, cy), (rx, ry), math.radians(turn))
    if shape.tag == "mask":
        return _mask(shape, canvas)
    if shape.tag == "tag":
        return Drawn("class")
    raise unsupported(shape.tag)


def _points(text: str) -> list[tuple[float, float]]:
    points = []
    for pair in text.split(";"):
        x, comma, y = pair.partition(",")
        if not comma or "," in y:
            raise Fault("broken_polygon", "a point is not a pair of x and y", "points", pair)
        points.append((number(x, "points", text=True), number(y, "points", text=True)))
    return points


def _mask(shape: Element, canvas: Canvas) -> Drawn:
    left, top, width, height = numbers(shape.attrib, "left", "top", "width", "height", text=True)
    if width != int(width) or height != int(height):
        raise Fault("broken_mask", "the size of the mask is not whole pixels", "mask", f"{width}x{height}")
    runs = [_run(text.strip()) for text in shape.get("rle", "").split(",")]
    return mask_at(mask_of_runs(runs, int(width), int(height), canvas), left, top, canvas)


def _run(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise Fault("broken_mask", f"'{text[:40]}' is not the length of a run", "rle", text)
    return int(text)
