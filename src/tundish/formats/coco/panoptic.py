"""COCO panoptic files: the segments of an image are colours of a PNG, red + 256 green + 65536 blue."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tundish.formats.base import NO_ATTRIBUTES, ImageRef, Label
from tundish.formats.coco.read import CocoFile, as_object, id_of
from tundish.formats.masks.values import open_picture
from tundish.formats.reading.fault import Fault, Notes
from tundish.formats.reading.match import Miss, find_named
from tundish.formats.reading.sniffing import catalog_of, counted
from tundish.formats.reading.upright import means_stored, turn_mask
from tundish.imaging.geometry import box_of_counts, counts_of_mask

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from numpy.typing import NDArray

    from tundish.formats.base import Catalog, Reading

__all__ = ["Panoptic", "segments_of"]

_TAKEN = frozenset({"category_id", "bbox", "area", "iscrowd"})


def segments_of(entry: object) -> list[Any]:
    """The segments that an entry of 'annotations' lists; none where it lists none."""
    found = entry.get("segments_info") if isinstance(entry, dict) else None
    return found if isinstance(found, list) else []


class Panoptic:
    """The panoptic files of a source, and the PNG files with their segments.

    Args:
        pictures: Bytes of the PNG files by path.
        catalog: The images.
        reading: Takes the labels and problems.
    """

    def __init__(self, pictures: Mapping[str, bytes], catalog: Catalog, reading: Reading) -> None:
        self.pictures = pictures
        self.catalog = catalog
        self.reading = reading
        self._named = catalog_of(pictures)
        self._used: set[str] = set()

    def read(self, path: str, content: dict[str, Any]) -> None:
        """Read one panoptic file, as `load_coco` gave it: a mask for each segment."""
        file = CocoFile(path, self.catalog, self.reading)
        file.take_lists(content)
        first = 0
        for row, entry in enumerate(content["annotations"]):
            segments = segments_of(entry)
            try:
                self._take(file, as_object(entry), segments, first)
            except Fault as fault:
                file.notes.refuse(fault, row, labels=len(segments))
                image_id = entry.get("image_id") if isinstance(entry, dict) else None
                listed = file.images.get(image_id) if isinstance(image_id, (int, str)) else None
                if listed is not None and listed.image is not None:
                    listed.refused += len(segments)
            first += len(segments)
        file.finish(content)

    def finish(self) -> None:
        """Report the PNG files that no panoptic file names."""
        for path in sorted(set(self.pictures) - self._used):
            message = "no panoptic file names this PNG: its segments have no class and were not taken"
            Notes(path, self.reading).refuse(Fault("not_labels", message))

    def _take(self, file: CocoFile, entry: dict[str, Any], segments: list[Any], first: int) -> None:
        listed = file.images.get(id_of(entry, "image_id"))
        if listed is None:
            message = f"the file has no image with the id {entry['image_id']}"
            raise Fault("unknown_image", message, "image_id", entry["image_id"])
        name = entry.get("file_name")
        picture = find_named(self._named, file.path, name) if isinstance(name, str) else None
        if isinstance(picture, ImageRef):
            self._used.add(picture.path)
        if listed.image is None:
            listed.refused += len(segments)
            return
        if not isinstance(picture, ImageRef):
            reason = f" ({picture.message})" if isinstance(picture, Miss) else ""
            message = f"the PNG '{name}' with the segments is not among those that are read{reason}"
            raise Fault("mask_not_found", message, "file_name", name)
        image, ids = listed.image, _ids(self.pictures[picture.path], listed.image)
        found = _Found(file, image, ids, set(np.unique(ids).tolist()))
        for number, segment in enumerate(segments):
            try:
                self.reading.labels.append(found.label(as_object(segment), first + number))
                listed.taken += 1
            except Fault as fault:
                file.notes.refuse(fault, first + number, labels=1)
                listed.refused += 1
        found.report_unlisted(segments, picture.path)


@dataclass
class _Found:
    """The PNG of one image: segment ids (height, width) of the upright image, and which there are."""

    file: CocoFile
    image: ImageRef
    ids: NDArray[np.uint32]
    present: set[int]

    def label(self, segment: dict[str, Any], row: int) -> Label:
        number = id_of(segment, "id")
        category = id_of(segment, "category_id")
        name = self.file.categories.get(category)
        if name is None:
            message = f"the file has no category with the id {category}"
            raise Fault("unknown_category", message, "category_id", category)
        crowd = segment.get("iscrowd", 0)
        if crowd not in (0, 1, None):
            raise Fault("wrong_type", "iscrowd is neither 0 nor 1", "iscrowd", crowd)
        if number not in self.present:
            raise Fault("empty_mask", f"the PNG has no pixel of the segment {number}", "id", number)
        counts = counts_of_mask(self.ids == number)
        box = box_of_counts(counts, self.image.width, self.image.height)
        assert box is not None
        attributes = {key: value for key, value in segment.items() if key not in _TAKEN}
        return Label(
            self.image,
            name,
            "mask",
            *box,
            self.file.path,
            row,
            rle=counts,
            is_crowd=bool(crowd),
            attributes=attributes or NO_ATTRIBUTES,
        )

    def report_unlisted(self, segments: list[Any], picture: str) -> None:
        """Report the colours that the list of segments does not name; 0 is background."""
        listed: set[Hashable] = {0}
        listed |= {one["id"] for one in segments if isinstance(one, dict) and type(one.get("id")) is int}
        more = self.present - listed
        if more:
            message = f"{counted(len(more), 'segment')} of the PNG are not in segments_info and have no class"
            self.file.notes.refuse(Fault("unlisted_segment", message, "file_name", picture), labels=len(more))
            self.file.reading.refused.add(self.image.path)


def _ids(data: bytes, image: ImageRef) -> NDArray[np.uint32]:
    """The id of each pixel of the upright image.

    Raises:
        Fault: It cannot be read, or has another size.
    """
    try:
        with open_picture(data) as opened:
            size = opened.size
            if size != (image.width, image.height) and not means_stored(image, *size):
                stated = f"{size[0]}x{size[1]}"
                message = f"the PNG is {stated}, its image {image.width}x{image.height}"
                raise Fault("size_mismatch", message, "size", stated)
            red, green, blue = np.moveaxis(np.asarray(opened.convert("RGB")).astype(np.uint32), 2, 0)
    except (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError) as error:
        raise Fault("broken_mask", "the PNG with the segments cannot be read", "file_name") from error
    ids: NDArray[np.uint32] = red | (green << 8) | (blue << 16)
    return turn_mask(image, ids) if means_stored(image, *size) else ids
