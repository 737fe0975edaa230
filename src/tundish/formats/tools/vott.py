"""VoTT: one JSON for a project (``assets``), or one for each image (``...-asset.json``): boxes and polygons.

A region has one or more tags; each tag is a label. Points are absolute; a rectangle is its bounding box.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tundish.formats.base import Format
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.jsonfile import parse_json
from tundish.formats.reading.match import find_named
from tundish.formats.tools.pages import FILES, Drawing, Item, Page, Tool, kept, name_of
from tundish.formats.tools.shapes import box_between, number, numbers, polygon, unsupported

if TYPE_CHECKING:
    from tundish.formats.tools.pages import File
    from tundish.formats.tools.shapes import Canvas, Drawn

__all__ = ["FORMAT"]

_SIDES = ("left", "top", "width", "height")


def _pages(file: File) -> list[Page]:
    content = parse_json(file.data)
    found = content.get("assets") if isinstance(content, dict) else None
    assets = list(found.values()) if isinstance(found, dict) else [content]
    if not any(isinstance(one, dict) and isinstance(one.get("asset"), dict) for one in assets):
        raise Fault("not_vott", "a VoTT file has an 'asset' with its 'regions', or 'assets' of such objects")
    pages: list[Page] = []
    first = 0
    for row, entry in enumerate(assets):
        page = _page(file, row, entry, first)
        pages.append(page)
        first += len(page.items) + len(page.lost)
    return pages


def _page(file: File, row: int, entry: Any, first: int) -> Page:
    asset = entry.get("asset") if isinstance(entry, dict) else None
    asset = asset if isinstance(asset, dict) else {}
    listed = entry.get("regions", []) if isinstance(entry, dict) else []
    lost: list[tuple[int | None, Fault]] = []
    if not isinstance(listed, list):
        lost.append((first, Fault("wrong_type", "'regions' is not a list", "regions", listed)))
        listed = []
    labels = [(region, tag) for region in listed for tag in _tags(region)]
    items = [
        Item(first + place, (region, tag), _kind(region), tag) for place, (region, tag) in enumerate(labels)
    ]
    name = asset.get("name") or asset.get("path")
    stated = unquote(name) if isinstance(name, str) else ""
    stated_size = asset.get("size")
    size = stated_size if isinstance(stated_size, dict) else {}
    image = find_named(file.catalog, file.path, stated)
    return Page(stated, image, items, (size.get("width"), size.get("height")), row, lost)


def _tags(region: object) -> list[object]:
    """The tags of a region, each a label; a region without one is a label that lacks its class."""
    tags = region.get("tags") if isinstance(region, dict) else None
    return tags if isinstance(tags, list) and tags else [None]


def _kind(region: object) -> str:
    kind = region.get("type") if isinstance(region, dict) else None
    return kind.lower()[:40] if isinstance(kind, str) else "rectangle"


def _draw(entry: Any, canvas: Canvas) -> Drawing:  # noqa: ARG001  (as all tools draw)
    region, tag = entry
    if not isinstance(region, dict):
        raise Fault(
            "wrong_type", f"the region is not an object but {type(region).__name__}", "regions", region
        )
    return Drawing(name_of(tag, "tags"), _drawn(region), kept(region, "id"))


def _drawn(region: dict[str, Any]) -> Drawn:
    kind = _kind(region)
    if kind in ("rectangle", "square"):
        place = region.get("boundingBox")
        if not isinstance(place, dict):
            raise Fault("missing_box", "the region has no boundingBox", "boundingBox", place)
        left, top, width, height = numbers(place, *_SIDES)
        if width < 0 or height < 0:
            raise Fault("negative_size", "the size of the box is negative", "boundingBox", place)
        return box_between((left, top), (left + width, top + height))
    points = region.get("points")
    if kind != "polygon":
        raise unsupported(kind)
    if not isinstance(points, list) or not all(isinstance(point, dict) for point in points):
        raise Fault("wrong_type", "points is not a list of objects with x and y", "points", points)
    return polygon([(number(point.get("x"), "x"), number(point.get("y"), "y")) for point in points])


FORMAT = Format(
    "vott",
    "VoTT JSON: boxes and polygons",
    reader=Tool(
        "VoTT",
        (".json",),
        (b'"asset"', b'"regions"'),
        _pages,
        _draw,
        frozenset({"rectangle", "square", "polygon"}),
    ),
    options=FILES,
    evidence="JSON with an `asset` and its `regions`, or `assets` of such",
    reads="boxes and polygons, a label for each tag",
    reports="points, regions without a tag",
)
