"""CreateML: a JSON list of images with boxes by their centre, in pixels or as parts of the image's size.

Option ``units``: ``pixels`` (default) or ``normalized``. `tundish add` decides by the data: where no number
is above 1, they are parts of the size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tundish.errors import SourceError
from tundish.formats.base import Format
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.jsonfile import parse_json
from tundish.formats.reading.match import find_named
from tundish.formats.reading.sniffing import counted
from tundish.formats.reading.text import real
from tundish.formats.tools.pages import FILES, Drawing, Item, Page, Tool, name_of
from tundish.formats.tools.shapes import box_between, numbers

if TYPE_CHECKING:
    from tundish.formats.tools.pages import File
    from tundish.formats.tools.shapes import Canvas

__all__ = ["FORMAT"]

_UNITS = ("pixels", "normalized")
_SIDES = ("x", "y", "width", "height")


def _pages(file: File) -> list[Page]:
    units = file.options.extra.get("units", "pixels")
    if units not in _UNITS:
        fix = f"say one of {', '.join(_UNITS)}"
        raise SourceError(f"units is '{units}'", where="format createml", fix=fix)
    content = parse_json(file.data)
    if not isinstance(content, list) or not any(_named(entry) for entry in content):
        raise Fault("not_createml", "a CreateML file is a list of objects with 'image' and 'annotations'")
    pages: list[Page] = []
    first = 0
    for row, entry in enumerate(content):
        page = _page(file, row, entry, first, units)
        pages.append(page)
        first += len(page.items)
    return pages


def _named(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("image", entry.get("imagefilename")), str)
        and isinstance(entry.get("annotations", entry.get("annotation")), list)
    )


def _page(file: File, row: int, entry: Any, first: int, units: str) -> Page:
    """One image; an entry that is none is a page that finds none, with the reason."""
    if not isinstance(entry, dict):
        entry = {}
    stated = entry.get("image", entry.get("imagefilename"))
    listed = entry.get("annotations", entry.get("annotation"))
    labels = listed if isinstance(listed, list) else []
    items = [
        Item(first + number, (label, units), "box", label.get("label") if isinstance(label, dict) else None)
        for number, label in enumerate(labels)
    ]
    name = stated if isinstance(stated, str) else ""
    lost: list[tuple[int | None, Fault]] = []
    if not isinstance(listed, list):
        lost.append((row, Fault("wrong_type", "'annotations' is not a list", "annotations", listed)))
    return Page(name, find_named(file.catalog, file.path, name), items, lost=lost)


def _draw(entry: Any, canvas: Canvas) -> Drawing:
    label, units = entry
    if not isinstance(label, dict):
        message = f"the annotation is not an object but {type(label).__name__}"
        raise Fault("wrong_type", message, "annotations", label)
    name = name_of(label.get("label"), "label")
    place = label.get("coordinates")
    if not isinstance(place, dict):
        raise Fault("missing_box", "the annotation has no coordinates", "coordinates", place)
    x, y, width, height = numbers(place, *_SIDES)
    if units == "normalized":
        x, y, width, height = x * canvas[0], y * canvas[1], width * canvas[0], height * canvas[1]
    if width < 0 or height < 0:
        raise Fault("negative_size", "the size of the box is negative", "coordinates", place)
    return Drawing(name, box_between((x - width / 2, y - height / 2), (x + width / 2, y + height / 2)))


def _settle(pages: list[Page]) -> tuple[dict[str, str], list[str]]:
    values = []
    boxes = 0
    for page in pages:
        for item in page.items:
            place = item.entry[0].get("coordinates") if isinstance(item.entry[0], dict) else None
            if isinstance(place, dict):
                boxes += 1
                values += [real(place.get(side)) for side in _SIDES]
    if boxes and all(value is not None and 0 <= value <= 1 for value in values):
        fact = f"no coordinate of {counted(boxes, 'box')} is above 1: they are parts of the image's size"
        return {"units": "normalized"}, [fact]
    return {}, ["x and y are the centre of a box, in pixels"] if boxes else []


FORMAT = Format(
    "createml",
    "CreateML JSON: boxes by their centre",
    reader=Tool(
        "CreateML", (".json",), (b'"annotation', b'"image'), _pages, _draw, frozenset({"box"}), settle=_settle
    ),
    options=FILES | {"units": "`pixels` (default), `normalized`"},
    evidence="a JSON list of images with annotations; numbers up to 1 are shares",
    reads="boxes by their centre",
    reports="entries that are not whole",
)
