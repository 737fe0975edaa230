"""The geometry of Label Studio's regions: percent of the picture to pixels and back.

``x, y, width, height`` are percent of the picture's width and height, and ``rotation`` turns a box clockwise
about its upper left corner *in pixels*: unless the picture is square, rotating the percentages instead gives
another box. The picture is the one that the browser shows, which is upright; ``image_rotation`` only records
how the annotator had turned the view.

A rotated box becomes a polygon (a box, where it is rotated by quarter turns) and keeps ``rotation`` and
``box``, the box before rotation, among its attributes, so that it can be pushed again as the rotated box it
was. So does a box that extended beyond the picture and was clipped. An ellipse becomes a polygon of 72
vertices on its rim; its ``rotation`` turns it clockwise about its centre.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from tundish.formats.label_studio.brush import counts_of_rle, rle_of_counts
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.text import fault_of_number, real
from tundish.formats.tools.shapes import ellipse
from tundish.imaging.geometry import (
    box_of_counts,
    box_of_polygon,
    clip_boxes,
    clip_polygon,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Geometry",
    "Kind",
    "box_value",
    "brush_value",
    "clip_to_picture",
    "is_rotated_box",
    "polygon_value",
    "read_value",
]

Kind = Literal["rectangle", "polygon", "brush", "ellipse"]

Box = tuple[float, float, float, float]
Rings = list[list[float]]

_SAME = 1e-3
"""px; where a row's geometry differs by more from its rotation, it was changed since: not a rotated box."""

_ROUNDING = 1e-6
"""px; how far floating-point rounding may put a region outside its picture."""

_QUARTERS: dict[float, tuple[float, float]] = {
    0: (1.0, 0.0),
    90: (0.0, 1.0),
    180: (-1.0, 0.0),
    270: (0.0, -1.0),
}


class Geometry(NamedTuple):
    """The geometry of a region in px of the upright image, as in the annotations table.

    Attributes:
        shape: As in the annotations table.
        box: x, y, width and height of the bounding box, px.
        rings: Rings of a polygon, each x1, y1, x2, y2, ..., px.
        counts: Compressed COCO counts of a mask.
        rotation: Degrees clockwise, and the box before it is rotated about its upper left corner.
    """

    shape: Literal["box", "polygon", "mask"]
    box: Box
    rings: Rings | None = None
    counts: str | None = None
    rotation: tuple[float, Box] | None = None


def read_value(kind: Kind, value: Mapping[str, Any], width: int, height: int) -> Geometry:
    """Read the geometry of a region, which may extend beyond the picture.

    Args:
        kind: The region's kind.
        value: The region's `value`.
        width: Width of the picture, px.
        height: Height of the picture, px.

    Raises:
        Fault: The geometry is incomplete, not finite, of negative size, or a damaged or empty mask.
    """
    if kind == "rectangle":
        return _rectangle(value, width, height)
    if kind == "ellipse":
        return _ellipse(value, width, height)
    if kind == "polygon":
        ring = _ring(value.get("points"), width, height)
        return Geometry("polygon", box_of_polygon([ring]) or (0.0, 0.0, 0.0, 0.0), [ring])
    counts = counts_of_rle(value.get("rle"), width, height)
    box = box_of_counts(counts, width, height)
    if box is None:
        raise Fault("empty_mask", "the brush region has no pixel", "rle")
    return Geometry("mask", box, counts=counts)


def clip_to_picture(drawn: Geometry, width: int, height: int) -> tuple[Geometry, float]:
    """Clip a geometry to its picture.

    Args:
        drawn: The geometry.
        width: Width of the picture, px.
        height: Height of the picture, px.

    Returns:
        The part inside, and how far the geometry extended beyond the picture, px. Within rounding it is
        returned as it is. `rotation` keeps the box before clipping.

    Raises:
        Fault: Nothing of it is inside.
    """
    x, y, across, down = drawn.box
    out = max(-x, -y, x + across - width, y + down - height, 0.0)
    if out <= _ROUNDING:
        return drawn, out
    if drawn.rings is not None:
        rings = clip_polygon(drawn.rings, width, height)
        box = box_of_polygon(rings)
        inside = box is not None
    else:
        rings, box = None, _box(clip_boxes([drawn.box], width, height)[0].tolist())
        inside = min(box[2:]) > _ROUNDING
    if box is None or not inside:
        raise Fault("outside_image", "the region lies outside its image", "value", drawn.box)
    rotation = drawn.rotation or ((0.0, drawn.box) if drawn.shape == "box" else None)
    return drawn._replace(box=box, rings=rings, rotation=rotation), out


def box_value(box: Sequence[float], rotation: float, width: int, height: int) -> dict[str, float]:
    """Make a region's `value` for a box (px) rotated clockwise about its upper left corner, degrees."""
    x, y, across, down = box
    return {
        "x": x * 100 / width,
        "y": y * 100 / height,
        "width": across * 100 / width,
        "height": down * 100 / height,
        "rotation": rotation,
    }


def polygon_value(ring: Sequence[float], width: int, height: int) -> dict[str, Any]:
    """Make a region's `value` for a ring x1, y1, x2, y2, ... (px)."""
    points = np.asarray(ring, dtype=np.float64).reshape(-1, 2) * 100 / (width, height)
    return {"points": points.tolist(), "closed": True}


def brush_value(counts: str, width: int, height: int) -> dict[str, Any]:
    """Make a region's `value` for compressed COCO counts; a Fault where they are not valid."""
    return {"format": "rle", "rle": rle_of_counts(counts, width, height)}


def is_rotated_box(drawn: Geometry, width: int, height: int) -> bool:
    """Whether a geometry is still the box that its `rotation` describes, so that it can be pushed as one."""
    if drawn.rotation is None:
        return False
    try:
        expected, _ = clip_to_picture(_rotate(*drawn.rotation), width, height)
    except Fault:
        return False
    if expected.shape != drawn.shape:
        return False
    ours = [drawn.box] if drawn.rings is None else drawn.rings
    theirs = [expected.box] if expected.rings is None else expected.rings
    return len(ours) == len(theirs) and all(
        len(one) == len(other) and np.allclose(one, other, rtol=0, atol=_SAME)
        for one, other in zip(ours, theirs, strict=True)
    )


def _rectangle(value: Mapping[str, Any], width: int, height: int) -> Geometry:
    x, y = _number(value, "x") * width / 100, _number(value, "y") * height / 100
    across, down = _number(value, "width") * width / 100, _number(value, "height") * height / 100
    rotation = _number(value, "rotation") if value.get("rotation") is not None else 0.0
    if across < 0 or down < 0:
        raise Fault("negative_size", "the size of the box is negative", "width", (across, down))
    if not math.isfinite(x + y + across + down):
        raise Fault("not_finite", "the numbers are too large to add up", "value", dict(value))
    box = (x, y, across, down)
    return _rotate(rotation, box) if rotation % 360 else Geometry("box", box)


def _ellipse(value: Mapping[str, Any], width: int, height: int) -> Geometry:
    centre = _number(value, "x") * width / 100, _number(value, "y") * height / 100
    radii = _number(value, "radiusX") * width / 100, _number(value, "radiusY") * height / 100
    rotation = _number(value, "rotation") if value.get("rotation") is not None else 0.0
    drawn = ellipse(centre, radii, math.radians(rotation))
    return Geometry("polygon", drawn.box, drawn.rings)


def _rotate(rotation: float, box: Box) -> Geometry:
    """Rotate a box clockwise about its upper left corner."""
    x, y, across, down = box
    degrees = rotation % 360
    cosine, sine = _QUARTERS.get(degrees) or (
        math.cos(math.radians(degrees)),
        math.sin(math.radians(degrees)),
    )
    right, lower = (across * cosine, across * sine), (-down * sine, down * cosine)
    ring = [x, y, x + right[0], y + right[1]]
    ring += [x + right[0] + lower[0], y + right[1] + lower[1], x + lower[0], y + lower[1]]
    bounds = box_of_polygon([ring]) or box
    if degrees in _QUARTERS:
        return Geometry("box", bounds, rotation=(rotation, box))
    return Geometry("polygon", bounds, [ring], rotation=(rotation, box))


def _ring(points: object, width: int, height: int) -> list[float]:
    try:
        array = np.asarray(points, dtype=np.float64) * (width, height) / 100
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 2 or array.shape[1:] != (2,) or len(array) < 3:
        message = "the points of the polygon are not three or more pairs of numbers"
        raise Fault("broken_polygon", message, "points", points)
    if not math.isfinite(float(array.sum())):
        raise Fault("not_finite", "a point of the polygon is not finite", "points", points)
    ring: list[float] = array.ravel().tolist()
    return ring


def _number(value: Mapping[str, Any], key: str) -> float:
    number = real(value.get(key))
    if number is None:
        check, message = fault_of_number(value.get(key))
        raise Fault(check, f"{key}: {message}", key, value.get(key))
    return number


def _box(numbers: Sequence[float]) -> Box:
    x, y, across, down = numbers
    return x, y, across, down
