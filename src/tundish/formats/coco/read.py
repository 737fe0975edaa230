"""One COCO file on its way into labels and problems."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tundish.formats.base import NO_ATTRIBUTES, ImageRef, Label
from tundish.formats.coco.boxes import as_xywh
from tundish.formats.coco.shapes import read_shape
from tundish.formats.reading.collector import collector_paused
from tundish.formats.reading.fault import Fault, Notes, shown
from tundish.formats.reading.jsonfile import parse_json
from tundish.formats.reading.match import Miss, find_named
from tundish.formats.reading.sniffing import counted
from tundish.formats.reading.text import real
from tundish.formats.reading.upright import box_fits, frame_of_stated_size

if TYPE_CHECKING:
    from tundish.formats.base import Catalog, Reading

__all__ = ["CocoFile", "as_object", "id_of", "is_panoptic", "load_coco", "read_coco"]

_Take = Callable[[int, dict[str, Any]], None]

_MOST_DIGITS = 19
"""A key with more digits stays text."""

_TAKEN = frozenset(
    {
        "id",
        "image_id",
        "category_id",
        "bbox",
        "segmentation",
        "area",
        "iscrowd",
        "score",
        "author",
        "annotation_id",
    }
)
"""Keys of an annotation that have a column of their own or follow from others; the rest are attributes."""


def read_coco(
    path: str, data: bytes, catalog: Catalog, reading: Reading, *, box: str = "xywh"
) -> dict[str, Any] | None:
    """Read one COCO file into `reading`.

    Args:
        path: Where it is in the source.
        data: Bytes of the file.
        catalog: The images.
        reading: Takes the labels and problems.
        box: What bbox holds, as in `BOXES`.

    Returns:
        The content of a panoptic file, whose labels are elsewhere; None for any other.
    """
    with collector_paused():
        try:
            content = load_coco(data)
        except Fault as fault:
            Notes(path, reading).refuse(fault)
            return None
        if is_panoptic(content.get("annotations", [])):
            return content
        CocoFile(path, catalog, reading, box=box).read(content)
        return None


def load_coco(data: bytes) -> dict[str, Any]:
    """The content of a COCO file: its 'images' and, if there, 'annotations' and 'categories' are lists.

    Where a file has one of them as an object, by id, its values become the list.

    Raises:
        Fault: It is not JSON, or not COCO.
    """
    parsed = parse_json(data)
    content: dict[str, Any] = parsed if isinstance(parsed, dict) else {}
    images = content.get("images")
    if not (isinstance(images, list) or (isinstance(images, dict) and images)):
        raise Fault("not_coco", "a COCO file is an object with a list of 'images'")
    for key in ("images", "annotations", "categories"):
        found = content.get(key, [])
        if isinstance(found, dict) and all(isinstance(value, (dict, list)) for value in found.values()):
            content[key] = list(_by_id(found))
        elif not isinstance(found, list):
            raise Fault("wrong_type", f"'{key}' is not a list", key)
    return content


def _by_id(entries: dict[str, Any]) -> Iterator[Any]:
    """The entries of an object by id; where the id names an image, it has a list of annotations."""
    for key, value in entries.items():
        number = int(key) if key.isascii() and key.isdigit() and len(key) < _MOST_DIGITS else key
        for entry in value if isinstance(value, list) else [value]:
            missing = "image_id" if isinstance(value, list) else "id"
            yield {missing: number, **entry} if isinstance(entry, dict) else entry


def is_panoptic(annotations: list[Any]) -> bool:
    """Whether annotations are those of panoptic segmentation."""
    return any(isinstance(entry, dict) and "segments_info" in entry for entry in annotations[:10])


@dataclass
class _Listed:
    """An image as a COCO file lists it."""

    row: int
    name: str
    image: ImageRef | None
    check: str = ""
    message: str = ""
    stored: bool = False
    taken: int = 0
    refused: int = 0


@dataclass
class CocoFile:
    """One COCO file on its way into a reading."""

    path: str
    catalog: Catalog
    reading: Reading
    images: dict[Hashable, _Listed] = field(default_factory=dict)
    categories: dict[Hashable, str] = field(default_factory=dict)
    box: str = "xywh"

    @property
    def notes(self) -> Notes:
        """The file's problems."""
        return Notes(self.path, self.reading)

    def read(self, content: dict[str, Any]) -> None:
        """Take the labels, and report the problems, of what `load_coco` gave."""
        annotations = content.get("annotations", [])
        self.take_lists(content)
        if any(listed.stored for listed in self.images.values()):
            self._settle_frame(annotations)
        for row, entry in enumerate(annotations):
            self._attempt(self._take_annotation, row, entry, 1)
        self._tell_repeated_ids(annotations)
        self.finish(content)

    def take_lists(self, content: dict[str, Any]) -> None:
        """Take the categories and the images."""
        for row, entry in enumerate(content.get("categories", [])):
            self._attempt(self._take_category, row, entry, 0)
        for row, entry in enumerate(content["images"]):
            self._attempt(self._take_image, row, entry, 0)

    def finish(self, content: dict[str, Any]) -> None:
        """Note which images the file mentions, once their labels were taken."""
        if "annotations" in content:
            self._finish()
        else:
            message = "the file has no list of annotations: its images stay unlabelled"
            self.notes.warn(Fault("no_annotations", message))

    def _attempt(self, take: _Take, row: int, entry: object, labels: int) -> None:
        try:
            take(row, as_object(entry))
        except Fault as fault:
            self.notes.refuse(fault, row, labels=labels)

    def _take_category(self, row: int, entry: dict[str, Any]) -> None:
        number, name = id_of(entry, "id"), entry.get("name")
        if not isinstance(name, str) or not name.strip():
            message = f"category {number} has no name; its id is taken for it"
            self.notes.warn(Fault("missing_name", message, "categories.name", str(name)), row)
            name = str(number)
        if self.categories.setdefault(number, name) != name:
            message = f"category {number} is '{self.categories[number]}' and '{name}'; the first is taken"
            self.notes.warn(Fault("duplicate_category_id", message, "categories.id", str(number)), row)

    def _take_image(self, row: int, entry: dict[str, Any]) -> None:
        number, name = id_of(entry, "id"), entry.get("file_name")
        if not isinstance(name, str) or not name:
            raise Fault("wrong_type", "the image has no file_name", "images.file_name", name)
        found = find_named(self.catalog, self.path, name)
        if isinstance(found, Miss):
            listed = _Listed(row, name, None, found.check, found.message)
        else:
            listed = _Listed(row, name, found, stored=self._check_size(row, entry, found))
        before = self.images.setdefault(number, listed)
        if before is listed:
            return
        if before.image is not None and before.image == listed.image:
            self._tell_twice(row, name)
            return
        message = f"image id {number} is '{before.name}' and '{name}': what belongs to which is not known"
        before.image, before.check, before.message = None, "duplicate_image_id", message
        raise Fault("duplicate_image_id", message, "images.id", number)

    def _tell_twice(self, row: int, name: str) -> None:
        message = f"the image '{name}' is listed twice; the labels of both entries were taken"
        self.notes.warn(Fault("image_listed_twice", message, "images.file_name", name), row)

    def _check_size(self, row: int, entry: dict[str, Any], image: ImageRef) -> bool:
        """Whether the labels are drawn on the stored image; report where the size is not the image's."""
        width, height = real(entry.get("width")), real(entry.get("height"))
        if not width or not height:
            message = (
                f"the size of '{image.path}' is missing; the labels are taken as pixels of the image found"
            )
            self.notes.warn(Fault("missing_size", message, "images.width, height"), row)
            return False
        name = f"'{image.path}'"
        stored, fault = frame_of_stated_size(image, width, height, name, "images.width, height")
        if fault is not None:
            self.notes.warn(fault, row)
        return stored

    def _settle_frame(self, annotations: list[Any]) -> None:
        """Whether boxes of images that EXIF turns are of the stored image, as the stated size says.

        Some tools state the size of the stored image and draw on the upright one: a box that fits only the
        upright image, where none fits only the stored one, decides for all of the file.
        """
        stored = {number: listed for number, listed in self.images.items() if listed.stored}
        frames = [
            (
                box_fits(entry.get("bbox"), image, stored=True),
                box_fits(entry.get("bbox"), image, stored=False),
            )
            for entry in annotations
            if isinstance(entry, dict)
            and isinstance(entry.get("image_id"), (int, str))
            and (listed := stored.get(entry["image_id"])) is not None
            and (image := listed.image) is not None
        ]
        upright = frames.count((False, True))
        drawn_upright = upright > 0 and (True, False) not in frames
        for listed in stored.values():
            listed.stored = not drawn_upright
            if drawn_upright:
                message = (
                    f"the stated size is that of '{listed.name}' before EXIF turns it, but"
                    f" {counted(upright, 'box')} of the file fit only the upright images: nothing was turned"
                )
            else:
                message = (
                    f"labels of '{listed.name}' are of the image before EXIF turns it and were turned too"
                )
            self.notes.warn(Fault("exif_turn", message, "images.width, height"), listed.row)

    def _take_annotation(self, row: int, entry: dict[str, Any]) -> None:
        listed = self.images.get(id_of(entry, "image_id"))
        if listed is None:
            message = f"the file has no image with the id {entry['image_id']}"
            raise Fault("unknown_image", message, "image_id", entry["image_id"])
        listed.refused += 1  # until it is taken
        if listed.image is None:
            return  # reported once for the image, in _finish
        drawn = entry if self.box == "xywh" else as_xywh(entry, self.box)
        self.reading.labels.append(self._label(row, drawn, listed.image, stored=listed.stored))
        listed.refused -= 1
        listed.taken += 1

    def _tell_repeated_ids(self, annotations: list[Any]) -> None:
        """Repeated ids do no harm here, but other readers keep one annotation an id."""
        numbers = [
            str(entry["id"]) if isinstance(entry, dict) and "id" in entry else "" for entry in annotations
        ]
        if len(set(numbers)) == len(numbers):
            return
        seen = {""}
        for row, number in enumerate(numbers):
            if number in seen and number:
                message = f"another annotation has the id {number} too; both were read"
                self.notes.warn(Fault("duplicate_annotation_id", message, "id", number), row)
            seen.add(number)

    def _label(self, row: int, entry: dict[str, Any], image: ImageRef, *, stored: bool) -> Label:
        number = id_of(entry, "category_id")
        name = self.categories.get(number)
        if name is None:
            raise Fault(
                "unknown_category", f"the file has no category with the id {number}", "category_id", number
            )
        crowd = entry.get("iscrowd", 0)
        if crowd not in (0, 1, None):
            raise Fault("wrong_type", "iscrowd is neither 0 nor 1", "iscrowd", crowd)
        attributes = {} if entry.keys() <= _TAKEN else _attributes_of(entry)
        shape = read_shape(entry, image, stored=stored, attributes=attributes)
        if shape.short_rings:
            message = f"{counted(shape.short_rings, 'ring')} of under three points left out" + (
                "; the label is kept as its box" if shape.rings is None else ""
            )
            self.notes.warn(Fault("short_ring", message, "segmentation", entry["segmentation"]), row)
        score, author = entry.get("score"), entry.get("author")
        if score is not None and real(score) is None:
            attributes["score"] = score
        if author is not None and not isinstance(author, str):
            attributes["author"] = author
        return Label(
            image,
            name,
            shape.kind,
            *shape.box,
            self.path,
            row,
            shape.rings,
            shape.counts,
            is_crowd=bool(crowd),
            score=real(score) if score is not None else None,
            author=author if isinstance(author, str) else None,
            attributes=attributes or NO_ATTRIBUTES,
        )

    def _finish(self) -> None:
        """Report which images are missing, once an image, and note which images the file mentions."""
        seen: set[str] = set()
        for listed in self.images.values():
            image = listed.image
            if image is None:
                message = f"{listed.message}; {counted(listed.refused, 'label')} not taken"
                fault = Fault(listed.check, message, "images.file_name", listed.name)
                self.notes.refuse(fault, listed.row, labels=listed.refused)
                continue
            if image.path in seen:
                self._tell_twice(listed.row, listed.name)
            seen.add(image.path)
            if listed.taken or not listed.refused:
                self.reading.covered.add(image.path)
            if listed.refused:
                self.reading.refused.add(image.path)


def _attributes_of(entry: dict[str, Any]) -> dict[str, Any]:
    """What has no column: the object 'attributes' that many tools write, and whatever is beside it."""
    attributes = {key: value for key, value in entry.items() if key not in _TAKEN}
    nested = attributes.get("attributes")
    if isinstance(nested, dict):
        del attributes["attributes"]
        attributes |= nested
    return attributes


def as_object(entry: object) -> dict[str, Any]:
    """An entry of a list.

    Raises:
        Fault: It is not an object.
    """
    if isinstance(entry, dict):
        return entry
    raise Fault("wrong_type", f"the entry is not an object but {type(entry).__name__}", "", entry)


def id_of(entry: dict[str, Any], key: str) -> Hashable:
    """An id of an entry: a whole number or text.

    Raises:
        Fault: It is missing, or something else.
    """
    number = entry.get(key)
    if type(number) is int or type(number) is str:
        return number
    if isinstance(number, float) and math.isfinite(number) and number == int(number):
        return int(number)
    raise Fault("wrong_type", f"{key} is not an id: {shown(number)}", key, number)
