"""labelme and X-AnyLabeling: one JSON file an image, with a list of shapes.

A rectangle is any two opposite corners (X-AnyLabeling: all four), a circle its centre and a point of its rim,
a mask a PNG in base64 between two corners that both belong to it. Circles become polygons of 72 vertices.
Points and lines are reported. The copy of the image in ``imageData`` is not looked at: the image is the file.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tundish.formats.base import Format
from tundish.formats.reading.fault import Fault, shown
from tundish.formats.reading.jsonfile import parse_json
from tundish.formats.reading.match import find_beside
from tundish.formats.reading.text import real
from tundish.formats.tools.pages import FILES, Drawing, Item, Page, Tool, kept, name_of
from tundish.formats.tools.shapes import (
    box_between,
    decode_base64,
    ellipse,
    mask_at,
    mask_of_png,
    points_of,
    polygon,
    unsupported,
)

if TYPE_CHECKING:
    from tundish.formats.tools.pages import File
    from tundish.formats.tools.shapes import Canvas, Drawn

__all__ = ["FORMAT"]

_KEPT = ("group_id", "description", "flags", "difficult", "attributes", "direction")
_OUTLINES = ("polygon", "rotation", "oriented_rectangle", "quadrilateral")
_READS = frozenset({*_OUTLINES, "rectangle", "circle", "mask"})


def _pages(file: File) -> list[Page]:
    content = parse_json(file.data)
    if not isinstance(content, dict) or "shapes" not in content:
        raise Fault("not_labelme", "a labelme file is an object with a list of 'shapes'")
    shapes = content["shapes"]
    if not isinstance(shapes, list):
        raise Fault("wrong_type", "'shapes' is not a list", "shapes", shapes)
    stated = content.get("imagePath")
    stated = stated if isinstance(stated, str) else ""
    items = [Item(row, shape, _kind(shape), _name(shape)) for row, shape in enumerate(shapes)]
    flags = content.get("flags")
    ticked = [str(name) for name, value in flags.items() if value is True] if isinstance(flags, dict) else []
    lost: list[tuple[int | None, Fault]] = []
    notes = []
    if ticked:
        message = f"flags of the whole image are not read as labels: {', '.join(ticked)[:120]}"
        fault = Fault("image_flags", message, "flags", ", ".join(ticked))
        if shapes:
            notes.append(fault)
        else:
            lost.append((None, fault))
    return [
        Page(
            stated,
            find_beside(file.catalog, file.path, stated),
            items,
            (content.get("imageWidth"), content.get("imageHeight")),
            lost=lost,
            notes=notes,
        )
    ]


def _kind(shape: object) -> str:
    """The kind of a shape; labelme 2 wrote polygons only, without saying so."""
    kind = shape.get("shape_type") if isinstance(shape, dict) else None
    return kind[:40] if isinstance(kind, str) else "polygon"


def _name(shape: object) -> object:
    return shape.get("label") if isinstance(shape, dict) else None


def _draw(shape: Any, canvas: Canvas) -> Drawing:
    if not isinstance(shape, dict):
        raise Fault("wrong_type", f"the shape is not an object but {type(shape).__name__}", "shapes", shape)
    name = name_of(shape.get("label"), "label")
    score = shape.get("score")
    return Drawing(
        name,
        _drawn(shape, canvas),
        kept(shape, *_KEPT),
        real(score) if isinstance(score, (int, float)) else None,
    )


def _drawn(shape: dict[str, Any], canvas: Canvas) -> Drawn:
    kind = shape.get("shape_type") or "polygon"
    if not isinstance(kind, str) or kind not in _READS:
        raise unsupported(kind)
    points = points_of(shape.get("points"))
    if kind in _OUTLINES:
        return polygon(points)
    if kind == "rectangle" and len(points) == 4:
        return _box_of_four(points)
    if len(points) != 2:
        raise Fault("broken_polygon", f"a {kind} has two points, this one {len(points)}", "points", points)
    first, last = points
    if kind == "rectangle":
        return box_between(first, last)
    if kind == "circle":
        radius = math.dist(first, last)
        return ellipse(first, (radius, radius))
    cells = mask_of_png(decode_base64(shape.get("mask"), "mask"), canvas, "mask")
    (x0, y0), (x1, y1) = ((int(x), int(y)) for x, y in points)  # labelme cuts fractions off
    if (abs(x1 - x0) + 1, abs(y1 - y0) + 1) != cells.shape[::-1]:
        message = f"the mask of {cells.shape[1]}x{cells.shape[0]} does not fit between its corners"
        raise Fault("size_mismatch", message, "mask", shown(points))
    return mask_at(cells, min(x0, x1), min(y0, y1), canvas)


def _box_of_four(points: list[tuple[float, float]]) -> Drawn:
    """Four corners: a box where they are those of an upright rectangle, otherwise their outline."""
    xs, ys = sorted({x for x, _ in points}), sorted({y for _, y in points})
    if len(xs) == len(ys) == 2 and len(set(points)) == 4:
        return box_between((xs[0], ys[0]), (xs[1], ys[1]))
    return polygon(points)


FORMAT = Format(
    "labelme",
    "labelme and X-AnyLabeling JSON: rectangles, polygons, rotated boxes, circles, masks",
    reader=Tool("labelme", (".json",), (b'"shapes"',), _pages, _draw, _READS, beside=True),
    options=FILES,
    evidence="JSON with `shapes`, named as an image or naming one",
    reads="rectangles, polygons, rotated boxes, circles, masks",
    reports="points and lines, flags of the whole image",
)
