"""CVAT 1.1 XML, for images and for video.

For images, each ``<image>`` lists its shapes; one without any is a negative. Boxes (also rotated), polygons,
ellipses and masks are read, tags are classes of the whole image; polylines, points, cuboids and skeletons are
reported. For video see `tundish.formats.tools.cvat_video`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tundish.formats.base import Format
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.match import find_named
from tundish.formats.reading.xmlfile import parse_xml
from tundish.formats.tools.cvat_shapes import READS, draw, kind_of
from tundish.formats.tools.cvat_video import video_pages
from tundish.formats.tools.pages import FILES, Item, Page, Tool

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from tundish.formats.tools.pages import File

__all__ = ["FORMAT"]


def _pages(file: File) -> list[Page]:
    root, _ = parse_xml(file.data)
    images, tracks = root.findall("image"), root.findall("track")
    if root.tag != "annotations" or not (images or tracks or root.find("meta") is not None):
        raise Fault("not_cvat", "a CVAT file is <annotations> with an <image> or a <track>")
    if not images and not tracks:
        raise Fault("no_annotations", "the file has neither an <image> nor a <track>")
    pages: list[Page] = []
    first = 0
    for row, element in enumerate(images):
        page = _page(file, row, element, first)
        pages.append(page)
        first += len(page.items)
    return pages + video_pages(file, root, tracks, first)


def _page(file: File, row: int, element: Element, first: int) -> Page:
    name, subset = element.get("name", ""), element.get("subset", "")
    stated = f"{subset}/{name}" if subset and not name.startswith(f"{subset}/") else name
    items: list[Any] = [
        Item(first + number, (shape, shape.get("label"), {}), kind_of(shape), shape.get("label"))
        for number, shape in enumerate(element)
    ]
    image = find_named(file.catalog, file.path, stated)
    return Page(stated, image, items, (element.get("width"), element.get("height")), row)


FORMAT = Format(
    "cvat",
    "CVAT 1.1 XML for images and video: boxes, rotated boxes, polygons, ellipses, masks, tags",
    reader=Tool("CVAT", (".xml",), (b"<annotations",), _pages, draw, READS),
    options=FILES,
    evidence="XML whose root is `annotations`, with images or tracks",
    reads="boxes, rotated boxes, polygons, ellipses, masks, tags; tracks frame by frame",
    reports="points, polylines, cuboids, skeletons; shapes that are not interpolated",
)
