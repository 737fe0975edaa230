"""Supervisely: ``ann/a.jpg.json`` beside ``img/a.jpg``, with the image's size and a list of objects.

Rectangles, polygons (with holes: as a mask) and bitmaps (a PNG, packed with zlib, in base64) are read;
points, lines, graphs and cuboids are reported. Option ``corners``: ``edges`` (default), or ``included`` where
the last corner of a rectangle is a pixel that belongs to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tundish.errors import SourceError
from tundish.formats.base import Format, parts_of
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.jsonfile import parse_json
from tundish.formats.reading.match import find_beside
from tundish.formats.tools.pages import FILES, Drawing, Item, Page, Tool, kept, name_of
from tundish.formats.tools.shapes import (
    box_between,
    decode_base64,
    mask_at,
    mask_of_png,
    points_of,
    polygon_with_holes,
    unsupported,
)

if TYPE_CHECKING:
    from tundish.formats.tools.pages import File
    from tundish.formats.tools.shapes import Canvas, Drawn

__all__ = ["FORMAT"]

_CORNERS = ("edges", "included")
_READS = frozenset({"rectangle", "polygon", "bitmap"})
_KEPT = ("id", "description", "tags", "labelerLogin", "createdAt", "updatedAt", "instance")


def _pages(file: File) -> list[Page]:
    corners = file.options.extra.get("corners", "edges")
    if corners not in _CORNERS:
        fix = f"say one of {', '.join(_CORNERS)}"
        raise SourceError(f"corners is '{corners}'", where="format supervisely", fix=fix)
    content = parse_json(file.data)
    size = content.get("size") if isinstance(content, dict) else None
    if not isinstance(size, dict) or "objects" not in content:
        raise Fault(
            "not_supervisely", "a Supervisely file is an object with a 'size' and a list of 'objects'"
        )
    objects = content["objects"]
    if not isinstance(objects, list):
        raise Fault("wrong_type", "'objects' is not a list", "objects", objects)
    stated = parts_of(file.path)[2]  # a.jpg of a.jpg.json
    items = [
        Item(
            row, (entry, corners), _kind(entry), entry.get("classTitle") if isinstance(entry, dict) else None
        )
        for row, entry in enumerate(objects)
    ]
    notes = []
    tags = content.get("tags")
    if isinstance(tags, list) and tags:
        names = ", ".join(str(tag.get("name")) for tag in tags if isinstance(tag, dict))[:120]
        notes.append(
            Fault("image_flags", f"tags of the image are not read as labels: {names}", "tags", names)
        )
    image = find_beside(file.catalog, file.path, stated)
    return [Page(stated, image, items, (size.get("width"), size.get("height")), notes=notes)]


def _kind(entry: object) -> str:
    """What an object draws; files of before 2019 do not say it, but hold a bitmap or points."""
    if not isinstance(entry, dict):
        return "object"
    kind = entry.get("geometryType")
    if isinstance(kind, str):
        return kind[:40]
    return "bitmap" if entry.get("bitmap") else "polygon"


def _draw(entry: Any, canvas: Canvas) -> Drawing:
    found, corners = entry
    if not isinstance(found, dict):
        raise Fault("wrong_type", f"the object is not an object but {type(found).__name__}", "objects", found)
    name = name_of(found.get("classTitle"), "classTitle")
    author = found.get("labelerLogin")
    return Drawing(
        name,
        _drawn(found, canvas, corners),
        kept(found, *_KEPT),
        author=author if isinstance(author, str) else None,
    )


def _drawn(entry: dict[str, Any], canvas: Canvas, corners: str) -> Drawn:
    kind = _kind(entry)
    if kind == "bitmap":
        bitmap = entry.get("bitmap")
        if not isinstance(bitmap, dict):
            raise Fault("broken_mask", "the object has no bitmap", "bitmap", bitmap)
        data = decode_base64(bitmap.get("data"), "bitmap.data", packed=True)
        ((left, top),) = points_of([bitmap.get("origin")], "bitmap.origin")
        return mask_at(mask_of_png(data, canvas, "bitmap.data"), left, top, canvas)
    if kind not in ("rectangle", "polygon"):
        raise unsupported(kind)
    points = entry.get("points")
    if not isinstance(points, dict):
        raise Fault("missing_box", "the object has no points", "points", points)
    outer = points_of(points.get("exterior"), "points.exterior")
    if kind == "polygon":
        interior = points.get("interior", [])
        if not isinstance(interior, list):
            raise Fault("wrong_type", "the holes are not a list", "points.interior", interior)
        holes = [points_of(hole, "points.interior") for hole in interior]
        return polygon_with_holes(outer, holes, canvas)
    if len(outer) != 2:
        message = f"a rectangle has two corners, this one {len(outer)}"
        raise Fault("broken_polygon", message, "points.exterior", outer)
    (x0, x1), (y0, y1) = sorted(x for x, _ in outer), sorted(y for _, y in outer)
    last = 1.0 if corners == "included" else 0.0
    return box_between((x0, y0), (x1 + last, y1 + last))


FORMAT = Format(
    "supervisely",
    "Supervisely JSON: rectangles, polygons, bitmaps",
    reader=Tool("Supervisely", (".json",), (b'"objects"', b'"size"'), _pages, _draw, _READS, beside=True),
    options=FILES | {"corners": "`edges` (default), `included`"},
    evidence="JSON with `size` and `objects`, named as an image",
    reads="rectangles, polygons, bitmaps",
    reports="points, lines, graphs, cuboids, tags of the image",
)
