"""Pascal VOC: one XML file an image, boxes by their corners.

**What a corner means.** The Pascal devkit counts pixels from 1 and includes both corners: the first pixel is
(1, 1), the last (width, height). So a box spans ``xmin - 1`` to ``xmax`` in the half-open frame used here. In
NEU-DET (4189 boxes on 200x200) no coordinate is 0, 1500 first ones are 1 and 575 last ones are 200: read as
edges, not one defect would reach the left or upper border while hundreds reach the right or lower one. Other
writers mean other things, so a source may say so (option ``corners``):

=============  =========================  ========================================
``one_based``  xmin - 1 to xmax           Pascal VOC, the default; also Datumaro's
``edges``      xmin to xmax               edges of the box, counted from 0
``zero_based`` xmin to xmax + 1           pixels counted from 0, both included
=============  =========================  ========================================

`tundish add` decides by the data: a corner at 0 cannot be counted from 1, and a last corner at the width
cannot be a pixel counted from 0.

An object with an outline is a polygon, not a box: ``polygon`` as Roboflow and LabelMe write it, ``robndbox``
as roLabelImg does.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tundish.errors import SourceError
from tundish.formats.base import (
    IMAGE_SUFFIXES,
    Evidence,
    Format,
    ImageRef,
    Label,
    Options,
    Reading,
    parts_of,
    suffix_of,
)
from tundish.formats.reading.collector import collector_paused
from tundish.formats.reading.fault import Fault, Notes
from tundish.formats.reading.match import Miss, find_beside, stated_name
from tundish.formats.reading.sniffing import (
    Tally,
    catalog_of,
    counted,
    is_image,
    read_note,
    sample,
    unlabelled_note,
)
from tundish.formats.reading.text import fault_of_number, real
from tundish.formats.reading.upright import box_fits, means_stored, turn_box, turn_polygon
from tundish.formats.reading.xmlfile import parse_xml
from tundish.formats.voc_outlines import OUTLINES, has_outline, outline_of
from tundish.imaging.geometry import box_of_polygon

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element

    from tundish.formats.base import Catalog, Listing, Role

__all__ = ["CORNERS", "FORMAT", "Voc"]

CORNERS = {"one_based": (-1.0, 0.0), "edges": (0.0, 0.0), "zero_based": (0.0, 1.0)}
"""What is added to the first and to the last corner."""

_SIDES = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class Voc:
    """Pascal VOC detection. Options: ``corners``, see the module."""

    def role(self, path: str, options: Options) -> Role:  # noqa: ARG002
        """XML is labels; the PNG of VOC's own segmentation folders are not images."""
        if suffix_of(path) == ".xml":
            return "annotation"
        return "image" if is_image(path) else "other"

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:
        """Read VOC files; parts, actions and flags of an object become its attributes."""
        corners = options.extra.get("corners", "one_based")
        if corners not in CORNERS:
            raise SourceError(
                f"corners is '{corners}'", where="format voc", fix=f"say one of {', '.join(CORNERS)}"
            )
        reading = Reading()
        with collector_paused():
            for path, data in files:
                _File(path, catalog, CORNERS[corners], reading).read(data)
        return reading

    def recognises(self, path: str, data: bytes) -> bool:  # noqa: ARG002
        """Whether the root is VOC's, and its objects have boxes or outlines."""
        try:
            root, _ = parse_xml(data)
        except Fault:
            return False
        return _is_voc(root, _objects(root))

    def sniff(self, listing: Listing) -> Evidence | None:
        """XML files that name images, and what their corners say about how they are counted."""
        paths = [path for path in listing.paths if suffix_of(path) == ".xml"]
        chosen = sample(paths)
        images = [path for path in listing.paths if is_image(path)]
        look = _Look(catalog_of(images))
        for path in chosen:
            look.take(path, listing.read(path))
        if not look.tally.files:
            return None
        facts = look.facts(len(chosen)) + read_note(len(chosen), len(paths), "XML files")
        weight = look.tally.matched * len(paths) // len(chosen)
        facts += unlabelled_note(len(images), weight)
        corners, why = look.corners()
        facts += [why] if look.boxes or not look.outlines else []
        extra = {} if corners == "one_based" else {"corners": corners}
        return Evidence(weight, facts, sorted(look.tally.labels), extra=extra)


@dataclass
class _File:
    """One VOC file on its way into a reading."""

    path: str
    catalog: Catalog
    offsets: tuple[float, float]
    reading: Reading
    stored: bool = False

    @property
    def notes(self) -> Notes:
        return Notes(self.path, self.reading)

    def read(self, data: bytes) -> None:
        root = self._root(data)
        if root is None:
            return
        objects = _objects(root)
        image = self._image(root, len(objects))
        if image is None:
            return
        self.stored = self._check_size(root, image)
        before = len(self.reading.labels)
        for row, element in enumerate(objects):
            try:
                self.reading.labels.append(self._label(image, row, element))
            except Fault as fault:
                self.notes.refuse(fault, row, labels=1)
                self.reading.refused.add(image.path)
        if len(self.reading.labels) > before or not objects:
            self.reading.covered.add(image.path)

    def _root(self, data: bytes) -> Element | None:
        try:
            root, encoding = parse_xml(data)
        except Fault as fault:
            self.notes.refuse(fault)
            if isinstance(image := find_beside(self.catalog, self.path), ImageRef):
                self.reading.refused.add(image.path)
            return None
        if encoding:
            message = f"the file is not UTF-8 and states no encoding that fits; it was read as {encoding}"
            self.notes.warn(Fault("not_utf8", message, value=encoding))
        if root.tag == "annotation":
            return root
        self.notes.refuse(Fault("not_voc", f"the root is <{root.tag}>, not <annotation>"))
        return None

    def _image(self, root: Element, labels: int) -> ImageRef | None:
        stated = _text(root, "filename")
        found = find_beside(self.catalog, self.path, stated)
        if isinstance(found, Miss):
            message = f"{found.message}; {counted(labels, 'label')} not taken"
            self.notes.refuse(Fault(found.check, message, "filename", stated), labels=labels)
            return None
        name = stated_name(stated)
        if ".." in stated.replace("\\", "/").split("/") or stated.startswith("/"):
            message = f"the stated file name leaves the source; {found.path} was taken by the file's own name"
            self.notes.warn(Fault("unsafe_file_name", message, "filename", stated))
        elif name and parts_of(found.path)[2] not in (name, parts_of(name)[2]):
            message = f"the file states the image '{name}' but is named for {found.path}, which was taken"
            self.notes.warn(Fault("other_file_name", message, "filename", stated))
        if found.path in self.reading.covered:
            message = f"another label file is about {found.path} too; the labels of both were taken"
            self.notes.warn(Fault("image_labelled_twice", message, "filename", stated))
        return found

    def _check_size(self, root: Element, image: ImageRef) -> bool:
        """Whether the labels are drawn on the stored image; report where the size is not the image's."""
        stated = "x".join(_stated_size(root))
        width, height = map(real, _stated_size(root))
        if not width or not height:
            message = "the image's size is missing; the corners are taken as pixels of the image found"
            self.notes.warn(Fault("missing_size", message, "size", stated))
            return False
        if means_stored(image, width, height):
            return self._settle_frame(root, image, stated)
        if (width, height) != (image.width, image.height):
            message = f"the labels were drawn on {stated} pixels, the image has {image.width}x{image.height}"
            self.notes.warn(Fault("size_mismatch", message, "size", stated))
        return False

    def _settle_frame(self, root: Element, image: ImageRef, stated: str) -> bool:
        """Whether to turn labels whose file states the stored size: not where a box fits only upright."""
        frames = []
        for box in root.iterfind("object/bndbox"):
            x0, y0, x1, y1 = (real(_text(box, side)) or 0.0 for side in _SIDES)
            corners = (x0, y0, x1 - x0, y1 - y0)
            frames.append((box_fits(corners, image, stored=True), box_fits(corners, image, stored=False)))
        upright = (False, True) in frames and (True, False) not in frames
        message = (
            "the stated size is that of the image before EXIF turns it, but boxes fit only the upright image:"
            " nothing was turned"
            if upright
            else "the labels are of the image before EXIF turns it and were turned too"
        )
        self.notes.warn(Fault("exif_turn", message, "size", stated))
        return not upright

    def _label(self, image: ImageRef, row: int, element: Element) -> Label:
        name = _text(element, "name")
        if not name:
            raise Fault("missing_name", "the object has no class name", "name")
        rings = outline_of(element)
        if rings:
            rings = turn_polygon(image, rings) if self.stored else rings
            outline = box_of_polygon(rings)
            assert outline is not None
            attributes = _attributes(element)
            return Label(image, name, "polygon", *outline, self.path, row, rings, attributes=attributes)
        box = element.find("bndbox")
        if box is None and element.find("segm") is not None:
            message = f"the object '{name}' is a mask in a PNG file of LabelMe, which is not read"
            raise Fault("mask_not_read", message, "segm", _text(element, "segm/mask"))
        if box is None:
            raise Fault("missing_box", f"the object '{name}' has no <bndbox>", "bndbox")
        place = self._box(image, row, box)
        return Label(image, name, "box", *place, self.path, row, attributes=_attributes(element))

    def _box(self, image: ImageRef, row: int, box: Element) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = (_corner(box, side) for side in _SIDES)
        if x1 < x0 or y1 < y0:
            value = f"{x0:g} {y0:g} {x1:g} {y1:g}"
            message = "the corners were reversed and have been swapped"
            self.notes.warn(Fault("reversed_corners", message, "bndbox", value), row)
            x0, x1, y0, y1 = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
        first, last = self.offsets
        x, y, width, height = x0 + first, y0 + first, x1 - x0 + last - first, y1 - y0 + last - first
        return turn_box(image, (x, y, width, height)) if self.stored else (x, y, width, height)


def _stated_size(root: Element) -> tuple[str, str]:
    """Width and height as VOC states them, or LabelMe."""
    if root.find("imagesize") is not None and root.find("size") is None:
        return _text(root, "imagesize/ncols"), _text(root, "imagesize/nrows")
    return _text(root, "size/width"), _text(root, "size/height")


def _is_voc(root: Element, objects: list[Element]) -> bool:
    """Whether a file is VOC's: its objects, if it has any, are boxes, outlines or LabelMe's masks."""
    masks = root.find("object/bndbox") is not None or root.find("object/segm") is not None
    drawn = not objects or masks or any(map(has_outline, objects))
    return root.tag == "annotation" and drawn


def _objects(root: Element) -> list[Element]:
    """The objects of a file, without those that LabelMe keeps as deleted."""
    return [element for element in root.findall("object") if _text(element, "deleted") != "1"]


def _attributes(element: Element) -> dict[str, object]:
    taken = ("name", "bndbox", "part", *OUTLINES)
    attributes = {child.tag: _value(child) for child in element if child.tag not in taken}
    parts = element.findall("part")
    if parts:
        attributes["parts"] = [_value(part) for part in parts]
    return attributes


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _corner(box: Element, side: str) -> float:
    text = _text(box, side)
    number = real(text)
    if number is None:
        if not text:
            raise Fault("missing_box", f"<{side}> is missing or empty", side)
        check, message = fault_of_number(text)
        raise Fault(check, message, side, text)
    return number


def _value(element: Element, depth: int = 9) -> object:
    """An element as JSON: a number, a text, or a dictionary of its children; a tag that repeats is a list."""
    if not len(element) or not depth:
        text = (element.text or "").strip()
        return int(text) if text.isascii() and text.lstrip("-").isdigit() and len(text) < 16 else text
    children: dict[str, object] = {}
    for tag, count in Counter(child.tag for child in element).items():
        values = [_value(child, depth - 1) for child in element.iterfind(tag)]
        children[tag] = values if count > 1 else values[0]
    return children


@dataclass
class _Look:
    """What sniffing counts in VOC files."""

    catalog: Catalog
    tally: Tally = field(default_factory=Tally)
    zeros: int = 0
    at_end: int = 0
    boxes: int = 0
    outlines: int = 0
    masks: int = 0

    def take(self, path: str, data: bytes) -> None:
        try:
            root, _ = parse_xml(data)
        except Fault:
            return
        objects = _objects(root)
        if not _is_voc(root, objects):
            return
        drawn = [element for element in objects if has_outline(element)]
        self.masks += sum(element.find("segm") is not None for element in objects)
        self.outlines += len(drawn)
        stated = _text(root, "filename")
        self.tally.files += 1
        self.tally.empty += not objects
        if isinstance(find_beside(self.catalog, path, stated), ImageRef):
            self.tally.matched += 1
            self.tally.bare += bool(stated) and suffix_of(stated) not in IMAGE_SUFFIXES
        width, height = map(real, _stated_size(root))
        for element in objects:
            if not has_outline(element) and element.find("bndbox") is None:
                continue
            if name := _text(element, "name"):
                self.tally.labels[name] += 1
            if has_outline(element):
                continue
            corners = [real(_text(element, f"bndbox/{side}")) for side in _SIDES]
            self.boxes += 1
            self.zeros += 0 in corners[:2]
            self.at_end += bool(width and height) and (corners[2] == width or corners[3] == height)

    def facts(self, read: int) -> list[str]:
        """Sentences on what was counted."""
        tally = self.tally
        bare = f" ({tally.bare} of them without an extension)" if tally.bare else ""
        facts = [f"{tally.matched} of {read} XML files name an image that is here{bare}"]
        drawn = f" and {counted(self.outlines, 'outline')}, read as polygons," if self.outlines else ""
        facts.append(f"{counted(self.boxes, 'box')}{drawn} of {counted(len(tally.labels), 'class')}")
        if self.masks:
            facts.append(f"{counted(self.masks, 'mask')} in PNG files: not read, `run` reports each")
        if tally.empty:
            facts.append(f"{counted(tally.empty, 'XML file')} without an object: negatives")
        return facts

    def corners(self) -> tuple[str, str]:
        """How the corners are counted, and why."""
        if not self.zeros:
            ends = f" and {counted(self.at_end, 'box')} reach the width or height" if self.at_end else ""
            return (
                "one_based",
                f"no corner is 0{ends}: corners are pixels counted from 1, as Pascal VOC has it",
            )
        if self.at_end:
            counts = f"{counted(self.zeros, 'box')} begin at 0 and {self.at_end} end at the width or height"
            return "edges", f"{counts}: corners are edges counted from 0"
        why = f"{counted(self.zeros, 'box')} begin at 0 and none ends at the width or height"
        return "zero_based", f"{why}: corners are pixels counted from 0"


FORMAT = Format(
    "voc",
    "Pascal VOC XML, LabelMe XML and roLabelImg: boxes, polygons, turned boxes",
    reader=Voc(),
    options={"corners": "`one_based` (default), `edges`, `zero_based`"},
    evidence="XML files named as an image or naming one, with objects; corners at 0 or at the far border "
    "say how pixels are counted",
    reads="boxes; polygons and turned boxes (LabelMe, roLabelImg, Roboflow) as polygons; parts and "
    "flags as attributes",
    reports="reversed corners, another size than stated, an EXIF turn, masks of LabelMe in PNG files (not "
    "read)",
)
