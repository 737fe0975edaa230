"""What the formats share when they look for themselves in a listing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from tundish.formats.base import IMAGE_SUFFIXES, Catalog, ImageRef, suffix_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "INSTANCES",
    "SAMPLE",
    "UNREAD_IMAGES",
    "Tally",
    "catalog_of",
    "counted",
    "in_folder",
    "is_image",
    "read_note",
    "sample",
    "unlabelled_note",
    "without_unlabelled_note",
]

_Path = TypeVar("_Path", str, tuple[str, str])

SAMPLE = 2000
"""Label files read to find out about a source; of more, an even sample is read."""

INSTANCES = ("segmentationobject", "panoptic_")
"""Beginnings of folders whose images number single objects: VOC's, and COCO's panoptic ones."""


UNREAD_IMAGES = frozenset(
    {
        ".jpx",
        ".heic",
        ".heif",
        ".jxl",
        ".tga",
        ".exr",
    }
    | {".dng", ".raw", ".cr2", ".nef", ".arw", ".psd", ".svg", ".dcm", ".hdr", ".jpf", ".jxr", ".ico"}
)
"""Suffixes of images of kinds that are not read: reported by their names, never passed over."""


@dataclass
class Tally:
    """What a look at a source's label files counted."""

    files: int = 0
    matched: int = 0
    bare: int = 0
    empty: int = 0
    labels: Counter[str] = field(default_factory=Counter)


@lru_cache(maxsize=65536)
def is_image(path: str) -> bool:
    """Whether a path is that of a photograph: an image, and no drawing that VOC and COCO keep."""
    return suffix_of(path) in IMAGE_SUFFIXES and not in_folder(path, "segmentationclass", *INSTANCES)


def in_folder(path: str, *beginnings: str) -> bool:
    """Whether a folder of the path begins so, in whatever case."""
    return any(part.startswith(beginnings) for part in path.lower().split("/")[:-1])


def catalog_of(paths: Iterable[str]) -> Catalog:
    """A catalogue of images that nobody has opened: names without sizes."""
    return Catalog(ImageRef(path, "", 0, 0) for path in paths)


def sample(paths: Sequence[_Path], limit: int = SAMPLE) -> list[_Path]:
    """At most `limit` of the paths, evenly spread over them; the same ones every time."""
    if len(paths) <= limit:
        return list(paths)
    return [paths[index * len(paths) // limit] for index in range(limit)]


def counted(number: int, noun: str) -> str:
    """A number with its noun: '1 image', '2 images'."""
    plural = (
        f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}es" if noun.endswith(("s", "x")) else f"{noun}s"
    )
    return f"{number} {noun if number == 1 else plural}"


_UNLABELLED = "without labels: unlabelled"


def without_unlabelled_note(facts: Iterable[str]) -> list[str]:
    """Sentences without that of `unlabelled_note`: other formats may mention those images."""
    return [fact for fact in facts if not fact.endswith(_UNLABELLED)]


def unlabelled_note(images: int, labelled: int) -> list[str]:
    """The sentence on images that no label file mentions."""
    return [f"{counted(images - labelled, 'image')} {_UNLABELLED}"] if images > labelled else []


def read_note(read: int, total: int, noun: str) -> list[str]:
    """The sentence that says that only a sample was read, where that is so."""
    return [f"{read} of {total} {noun} were read, evenly spread"] if read < total else []
