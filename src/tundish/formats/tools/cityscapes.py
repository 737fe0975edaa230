"""Cityscapes and sets laid out like it: ``gtFine/train/x/a_gtFine_polygons.json`` for ``a_leftImg8bit.png``.

A label file has the size of its image and a list of ``objects``, each a label and a polygon. Its image is the
one whose name begins as that of the label file does before ``_gtFine_polygons``, in the same folders but for
the first: ``leftImg8bit/train/x``. The PNG files with the same content (labelIds, instanceIds, color) are
neither images nor read. Where Cityscapes' own tools draw them, later objects hide earlier ones; here each
polygon is kept whole. Option ``image``: how the stems of images end, where it is none of the usual endings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tundish.formats.base import Format, ImageRef, Listing, parts_of, suffix_of
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.jsonfile import parse_json
from tundish.formats.reading.match import Miss, find_named
from tundish.formats.reading.sniffing import counted
from tundish.formats.tools.pages import FILES, Drawing, Item, Page, Tool, kept, name_of
from tundish.formats.tools.shapes import points_of, polygon

if TYPE_CHECKING:
    from tundish.formats.base import Evidence, Options, Role
    from tundish.formats.tools.pages import File
    from tundish.formats.tools.shapes import Canvas

__all__ = ["FORMAT"]

_LABELS = re.compile(r"(?P<base>.+)_(?P<kind>gt\w*?)_polygons", re.IGNORECASE)
_DRAWN = re.compile(r".+_gt\w*?_(?:labelids|labeltrainids|instanceids|instancetrainids|color)", re.IGNORECASE)
_ENDINGS = ("_leftImg8bit", "_rgb_anon", "_rgb", "_image", "_img")
_KEPT = ("id", "deleted", "verified", "user", "date", "draw")


def _pages(file: File) -> list[Page]:
    content = parse_json(file.data)
    objects = content.get("objects") if isinstance(content, dict) else None
    if not isinstance(content, dict) or "imgWidth" not in content or "objects" not in content:
        message = "a Cityscapes file is an object with imgWidth, imgHeight and a list of 'objects'"
        raise Fault("not_cityscapes", message)
    if not isinstance(objects, list):
        raise Fault("wrong_type", "'objects' is not a list", "objects", objects)
    named = [entry.get("label") if isinstance(entry, dict) else None for entry in objects]
    items = [
        Item(row, entry, "polygon", name)
        for row, (entry, name) in enumerate(zip(objects, named, strict=True))
    ]
    image = _image_of(file)
    stated = image.path if isinstance(image, ImageRef) else ""
    return [Page(stated, image, items, (content.get("imgWidth"), content.get("imgHeight")))]


def _image_of(file: File) -> ImageRef | Miss:
    """The image of a label file: of the same base name, with whichever ending the images have."""
    folder, _, stem = parts_of(file.path)
    match = _LABELS.fullmatch(stem)
    base = match["base"] if match else stem
    stated = file.options.extra.get("image")
    found: ImageRef | Miss = find_named(file.catalog, file.path, f"{folder}/{base}{stated or ''}")
    for ending in () if stated is not None else _ENDINGS:
        if isinstance(found, ImageRef):
            break
        found = find_named(file.catalog, file.path, f"{folder}/{base}{ending}")
    if isinstance(found, Miss) and found.check == "image_not_found":
        return Miss(found.check, f"no readable image is called '{base}', with or without a usual ending")
    return found


def _draw(entry: Any, canvas: Canvas) -> Drawing:  # noqa: ARG001  (as all tools draw)
    if not isinstance(entry, dict):
        raise Fault("wrong_type", f"the object is not an object but {type(entry).__name__}", "objects", entry)
    name = name_of(entry.get("label"), "label")
    return Drawing(name, polygon(points_of(entry.get("polygon"), "polygon")), kept(entry, *_KEPT))


def _is_drawn(path: str) -> bool:
    """Whether a picture draws what a label file says: its classes, instances or colours."""
    return suffix_of(path) == ".png" and _DRAWN.fullmatch(parts_of(path)[2]) is not None


@dataclass(frozen=True)
class _Cityscapes(Tool):
    """The tool's reader, with the PNG files that draw the labels kept out of the images."""

    def role(self, path: str, options: Options) -> Role:
        """Label files by their suffix; drawings of them are not images."""
        return "other" if _is_drawn(path) else super().role(path, options)

    def redraws(self, path: str) -> bool:
        """Whether a picture draws the labels of its JSON file again."""
        return _is_drawn(path)

    def sniff(self, listing: Listing) -> Evidence | None:
        """As for all tools, without the drawings; the facts say how many there are."""
        paths = [path for path in listing.paths if not _is_drawn(path)]
        found = super().sniff(Listing(paths, listing.read))
        drawn = len(listing.paths) - len(paths)
        if found is not None and drawn:
            found.facts.append(f"{counted(drawn, 'PNG file')} that draw the same labels are not read")
        return found


FORMAT = Format(
    "cityscapes",
    "Cityscapes JSON and sets laid out like it: polygons",
    reader=_Cityscapes(
        "Cityscapes",
        (".json",),
        (b'"imgWidth"', b'"objects"'),
        _pages,
        _draw,
        frozenset({"polygon"}),
        beside=True,
    ),
    options=FILES | {"image": "how the stems of images end, where the label file's name does not"},
    evidence="JSON with `imgWidth` and `objects`; the name of an image begins as that of the file",
    reads="polygons, each whole",
    reports="objects of under three points; PNG files that draw the same labels (not read)",
)
