"""Segment Anything: one JSON file an image, with masks as COCO run lengths and without classes.

``sa_1.json`` lies beside ``sa_1.jpg`` and has an ``image`` and its ``annotations``. Option ``label``: what
all masks are called, ``object`` by default; the predicted overlap of a mask is its score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tundish.formats.base import Format
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.jsonfile import parse_json
from tundish.formats.reading.match import find_beside
from tundish.formats.reading.rle import compressed_counts, size_of
from tundish.formats.reading.text import real
from tundish.formats.tools.pages import FILES, Drawing, Item, Page, Tool, kept
from tundish.formats.tools.shapes import mask_at
from tundish.imaging.geometry import mask_of_counts

if TYPE_CHECKING:
    from tundish.formats.tools.pages import File
    from tundish.formats.tools.shapes import Canvas

__all__ = ["FORMAT"]

_ONLY = "object"
_KEPT = ("id", "stability_score", "crop_box", "point_coords")


def _pages(file: File) -> list[Page]:
    content = parse_json(file.data)
    image = content.get("image") if isinstance(content, dict) else None
    if not isinstance(image, dict) or "annotations" not in content:
        message = "a Segment Anything file is an object with an 'image' and a list of 'annotations'"
        raise Fault("not_segment_anything", message)
    listed = content["annotations"]
    if not isinstance(listed, list):
        raise Fault("wrong_type", "'annotations' is not a list", "annotations", listed)
    name = image.get("file_name")
    stated = name if isinstance(name, str) else ""
    label = file.options.extra.get("label", "") or _ONLY
    items = [Item(row, (entry, label), "mask", label) for row, entry in enumerate(listed)]
    found = find_beside(file.catalog, file.path, stated)
    return [Page(stated, found, items, (image.get("width"), image.get("height")))]


def _draw(entry: Any, canvas: Canvas) -> Drawing:
    found, label = entry
    rle = found.get("segmentation") if isinstance(found, dict) else None
    if not isinstance(rle, dict):
        raise Fault("broken_mask", "the annotation has no mask as run lengths", "segmentation", rle)
    size = size_of(rle)
    if size != canvas:
        stated = f"{size[0]}x{size[1]}"
        message = f"the mask is {stated}, its image {canvas[0]}x{canvas[1]}"
        raise Fault("size_mismatch", message, "segmentation.size", stated)
    mask = mask_of_counts(compressed_counts(rle), *size).astype(bool)
    return Drawing(label, mask_at(mask, 0, 0, canvas), kept(found, *_KEPT), real(found.get("predicted_iou")))


def _settle(pages: list[Page]) -> tuple[dict[str, str], list[str]]:
    if not any(page.items for page in pages):
        return {}, []
    return {"label": _ONLY}, [f"its masks have no class: all are '{_ONLY}' (option label)"]


FORMAT = Format(
    "segment-anything",
    "Segment Anything JSON: masks as run lengths, without classes",
    reader=Tool(
        "Segment Anything",
        (".json",),
        (b'"image"', b'"annotations"', b'"segmentation"'),
        _pages,
        _draw,
        frozenset({"mask"}),
        beside=True,
        settle=_settle,
    ),
    options=FILES | {"label": "what all masks are called, `object` by default"},
    evidence="JSON with one `image` and `annotations` of run lengths, named as an image",
    reads="masks, all of one class; the predicted overlap as score",
    reports="masks of another size, empty masks",
)
