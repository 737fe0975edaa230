"""COCO: one JSON file for many images; boxes, polygons, run-length masks, crowds, key points.

Images are found by the listed file names, wherever the JSON file lies (annotations/, or beside the images, as
Roboflow has it). A category's name is the label; its id means nothing beyond its file. Key points and all
else that an annotation says are kept as attributes; not `area`, which follows from the geometry. Panoptic
files are refused: their masks are the colours of PNG files. Option ``files``: patterns of the JSON files to
read, separated by ';'.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from tundish.formats.base import Evidence, ImageRef, Label, Options, Reading, parts_of, suffix_of
from tundish.formats.coco_shapes import read_shape
from tundish.formats.coco_write import write_coco
from tundish.formats.fault import Fault, Notes
from tundish.formats.match import Miss, find_named
from tundish.formats.sniffing import (
    catalog_of,
    counted,
    in_folder,
    is_image,
    read_note,
    sample,
    unlabelled_note,
)
from tundish.formats.text import decode_text, real
from tundish.formats.upright import means_stored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tundish.formats.base import Catalog, Listing, Role

__all__ = ["Coco", "write_coco"]

_Take = Callable[[int, dict[str, Any]], None]

_SAMPLE = 50
"""JSON files read to find out about a source."""

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


@dataclass(frozen=True)
class Coco:
    """COCO instances and key points."""

    name: ClassVar[str] = "coco"

    def role(self, path: str, options: Options) -> Role:
        """JSON is labels; the PNG of panoptic annotations are not images."""
        if suffix_of(path) == ".json":
            patterns = [pattern.strip() for pattern in options.extra.get("files", "").split(";")]
            chosen = not any(patterns) or any(fnmatchcase(path, pattern) for pattern in patterns)
            return "annotation" if chosen else "other"
        return "image" if is_image(path) and not in_folder(path, "annotations") else "other"

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:  # noqa: ARG002
        """Read COCO files; every listed image is covered."""
        reading = Reading()
        for path, data in files:
            try:
                content = load_coco(data)
            except Fault as fault:
                Notes(path, reading).refuse(fault)
                continue
            _File(path, catalog, reading).read(content)
        return reading

    def sniff(self, listing: Listing) -> Evidence | None:
        """JSON files with COCO's lists, and how many of the images they list are here."""
        paths = [path for path in listing.paths if self.role(path, Options()) == "annotation"]
        images = [path for path in listing.paths if self.role(path, Options()) == "image"]
        catalog = catalog_of(images)
        looks = [
            look for path in sample(paths, _SAMPLE) if (look := _look(path, listing, catalog)) is not None
        ]
        if not looks:
            return None
        chosen = _chosen(looks)
        matched = {image for look in chosen for image in look.matched}
        facts = [look.fact for look in looks] + unlabelled_note(len(images), len(matched))
        facts += read_note(min(len(paths), _SAMPLE), len(paths), "JSON files")
        extra = {}
        if chosen and len(chosen) < len(paths) <= _SAMPLE:
            extra["files"] = ";".join(look.path for look in chosen)
            facts.append(
                f"of {len(paths)} JSON files these are read: {', '.join(look.path for look in chosen)}"
            )
        classes = list(dict.fromkeys(name for look in chosen for name in look.classes))
        return Evidence(self.name, len(matched), facts, classes, extra=extra)


def load_coco(data: bytes) -> dict[str, Any]:
    """The content of a COCO file: 'images', and 'annotations' and 'categories' if they are there, are lists.

    Raises:
        Fault: It is no JSON, or no COCO, or a panoptic file.
    """
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError:
        content = _load_leniently(data)
    if not isinstance(content, dict) or not isinstance(content.get("images"), list):
        raise Fault("not_coco", "a COCO file is an object with a list of 'images'")
    for key in ("annotations", "categories"):
        if not isinstance(content.get(key, []), list):
            raise Fault("wrong_type", f"'{key}' is not a list", key)
    return content


def _load_leniently(data: bytes) -> Any:
    """JSON with a byte order mark, in another encoding, or with NaN and Infinity, which Python writes."""
    try:
        content = json.loads(decode_text(data)[0])
        json.dumps(content, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        message = f"not readable as JSON: {error}" if data.strip() else "the file is empty"
        raise Fault("broken_file", message) from error
    return content


def _is_panoptic(annotations: list[Any]) -> bool:
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
class _File:
    """One COCO file on its way into a reading."""

    path: str
    catalog: Catalog
    reading: Reading
    images: dict[Hashable, _Listed] = field(default_factory=dict)
    categories: dict[Hashable, str] = field(default_factory=dict)
    annotation_ids: set[Hashable] = field(default_factory=set)

    @property
    def notes(self) -> Notes:
        return Notes(self.path, self.reading)

    def read(self, content: dict[str, Any]) -> None:
        annotations = content.get("annotations", [])
        if _is_panoptic(annotations):
            segments = [entry.get("segments_info") for entry in annotations if isinstance(entry, dict)]
            labels = sum(len(found) for found in segments if isinstance(found, list))
            message = (
                "panoptic annotations are colours in PNG files and are not read; export instances instead"
            )
            self.notes.refuse(Fault("panoptic", message), labels=labels)
            return
        for row, entry in enumerate(content.get("categories", [])):
            self._attempt(self._take_category, row, entry, 0)
        for row, entry in enumerate(content["images"]):
            self._attempt(self._take_image, row, entry, 0)
        for row, entry in enumerate(annotations):
            self._attempt(self._take_annotation, row, entry, 1)
        if "annotations" in content:
            self._finish()
        else:
            message = "there is no list of annotations: the images stay unlabelled"
            self.notes.warn(Fault("no_annotations", message))

    def _attempt(self, take: _Take, row: int, entry: object, labels: int) -> None:
        try:
            take(row, _object(entry))
        except Fault as fault:
            self.notes.refuse(fault, row, labels=labels)

    def _take_category(self, row: int, entry: dict[str, Any]) -> None:
        number, name = _id_of(entry, "id"), entry.get("name")
        if not isinstance(name, str) or not name.strip():
            message = f"category {number} has no name; its id is taken for it"
            self.notes.warn(Fault("missing_name", message, "categories.name", str(name)), row)
            name = str(number)
        if self.categories.setdefault(number, name) != name:
            message = f"category {number} is '{self.categories[number]}' and '{name}'; the first is taken"
            self.notes.warn(Fault("duplicate_category_id", message, "categories.id", str(number)), row)

    def _take_image(self, row: int, entry: dict[str, Any]) -> None:
        number, name = _id_of(entry, "id"), entry.get("file_name")
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
        message = f"image id {number} is '{before.name}' and '{name}': what belongs to which cannot be told"
        before.image, before.check, before.message = None, "duplicate_image_id", message
        raise Fault("duplicate_image_id", message, "images.id", number)

    def _tell_twice(self, row: int, name: str) -> None:
        message = f"the image '{name}' is listed twice; the labels of both entries were taken"
        self.notes.warn(Fault("image_listed_twice", message, "images.file_name", name), row)

    def _check_size(self, row: int, entry: dict[str, Any], image: ImageRef) -> bool:
        """Whether the labels are drawn on the stored image; tell where the size is not the image's."""
        width, height = real(entry.get("width")), real(entry.get("height"))
        if not width or not height:
            message = (
                f"the size of '{image.path}' is missing; the labels are taken as pixels of the image found"
            )
            self.notes.warn(Fault("missing_size", message, "images.width, height"), row)
        elif means_stored(image, width, height):
            return True
        elif (width, height) != (image.width, image.height):
            stated = f"{width:g}x{height:g}"
            message = (
                f"labels of '{image.path}' were drawn on {stated} pixels, it has {image.width}x{image.height}"
            )
            self.notes.warn(Fault("size_mismatch", message, "images.width, height", stated), row)
        return False

    def _take_annotation(self, row: int, entry: dict[str, Any]) -> None:
        listed = self.images.get(_id_of(entry, "image_id"))
        if listed is None:
            message = f"there is no image with the id {entry['image_id']}"
            raise Fault("unknown_image", message, "image_id", entry["image_id"])
        listed.refused += 1  # until it is taken
        image = listed.image
        if image is None:
            return  # told once for the image, in _finish
        label = self._label(row, entry, image, stored=listed.stored)
        listed.refused -= 1
        listed.taken += 1
        self.reading.labels.append(label)
        number = entry.get("id")
        if number is None:
            return
        before = len(self.annotation_ids)
        self.annotation_ids.add(number if isinstance(number, (int, str)) else str(number))
        if len(self.annotation_ids) == before:
            message = f"another annotation has the id {number} too; both were taken"
            self.notes.warn(Fault("duplicate_annotation_id", message, "id", str(number)), row)

    def _label(self, row: int, entry: dict[str, Any], image: ImageRef, *, stored: bool) -> Label:
        number = _id_of(entry, "category_id")
        name = self.categories.get(number)
        if name is None:
            raise Fault(
                "unknown_category", f"there is no category with the id {number}", "category_id", number
            )
        crowd = entry.get("iscrowd", 0)
        if crowd not in (0, 1, None):
            raise Fault("wrong_type", "iscrowd is neither 0 nor 1", "iscrowd", crowd)
        attributes = {key: entry[key] for key in entry.keys() - _TAKEN}
        nested = attributes.get("attributes")
        if isinstance(nested, dict):
            del attributes["attributes"]
            attributes |= nested
        shape = read_shape(entry, image, stored=stored, attributes=attributes)
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
            attributes=attributes,
        )

    def _finish(self) -> None:
        """Tell what images are missing, once an image, and which images the file speaks of."""
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


def _object(entry: object) -> dict[str, Any]:
    if isinstance(entry, dict):
        return entry
    raise Fault("wrong_type", f"the entry is not an object but {type(entry).__name__}", "", entry)


def _id_of(entry: dict[str, Any], key: str) -> Hashable:
    number = entry.get(key)
    if type(number) is int or isinstance(number, str):
        return number
    if isinstance(number, float) and math.isfinite(number) and number == int(number):
        return int(number)
    raise Fault("wrong_type", f"{key} is no id: {str(number)[:40]}", key, number)


@dataclass(frozen=True)
class _Look:
    """What sniffing found in one COCO file."""

    path: str
    matched: frozenset[str]
    classes: list[str]
    fact: str
    panoptic: bool = False


def _chosen(looks: list[_Look]) -> list[_Look]:
    """The files to read: no key points or captions of images that an instances file speaks of."""
    readable = [look for look in looks if not look.panoptic]
    instances = [look for look in readable if parts_of(look.path)[1].startswith("instances")]
    spoken_of = {image for look in instances for image in look.matched}
    again = [
        look for look in readable if look not in instances and look.matched and look.matched <= spoken_of
    ]
    return [look for look in readable if look not in again]


def _look(path: str, listing: Listing, catalog: Catalog) -> _Look | None:
    try:
        content = load_coco(listing.read(path))
    except Fault:
        return None
    annotations = content.get("annotations", [])
    if _is_panoptic(annotations):
        return _Look(path, frozenset(), [], f"{path} is panoptic, which is not read", panoptic=True)
    file = _File(path, catalog, Reading())
    file.read({**content, "annotations": []})
    images = (listed.image for listed in file.images.values())
    matched = frozenset(image.path for image in images if image is not None)
    fact = (
        f"{len(matched)} of {len(content['images'])} images listed in {path} are here, "
        f"with {counted(len(annotations), 'annotation')} of {len(file.categories)} categories"
    )
    return _Look(path, matched, list(file.categories.values()), fact)
