"""What every label format offers: say what a file is, read labels, and look for itself in a listing.

A format knows no stages and touches no disk: it is given listings, bytes and a catalogue of images, and gives
back labels and problems. Coordinates are pixels of the upright image, 0-based, half-open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

__all__ = [
    "IMAGE_SUFFIXES",
    "NO_ATTRIBUTES",
    "Catalog",
    "Evidence",
    "Format",
    "ImageRef",
    "Label",
    "Listing",
    "Options",
    "Problem",
    "Reading",
    "Role",
    "parts_of",
    "plain_folder",
    "suffix_of",
]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".gif", ".webp"})

Role = Literal["image", "annotation", "classes", "other"]
"""What a file is to a format; 'classes' files name the classes and are stored, never read as labels."""

Shape = Literal["box", "polygon", "mask", "class"]

_Key = TypeVar("_Key", bound="Hashable")


_FOLDER_WORDS = re.compile(
    r"(?:^|[-_ ])(?:images?|imgs?|jpegimages|pngimages|labels?|annotations?|annots?|anns?|xmls?|txts?"
    r"|masks?|segmentationclass|segmentations?|ground[-_ ]?truth|gt)(?=[-_ ]|$)",
    re.IGNORECASE,
)


def parts_of(path: str) -> tuple[str, str, str]:
    """Folder, file name and stem of a POSIX path; as `pathlib` has them, and ten times as fast."""
    folder, _, name = path.rpartition("/")
    return folder, name, name.rpartition(".")[0] or name


def suffix_of(path: str) -> str:
    """The suffix of a path in lower case, with its dot; empty where there is none."""
    name = path.rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    return (dot + suffix).lower() if stem else ""


@lru_cache(maxsize=65536)
def plain_folder(folder: str) -> str:
    """A folder without the words that only say images or labels.

    So the folder of some images and that of their labels are equal: ``images/train`` and ``labels/train``,
    ``val/images`` and ``val/labels``, ``IMAGES`` and ``ANNOTATIONS``.
    """
    parts = (_FOLDER_WORDS.sub("", part).strip("-_ ") for part in folder.split("/"))
    return "/".join(part for part in parts if part)


def _counterpart(path: str) -> tuple[str, str]:
    folder, _, stem = parts_of(path)
    return plain_folder(folder), stem


@dataclass(frozen=True)
class Listing:
    """The files of a source: POSIX paths relative to it, sorted, and a way to read one."""

    paths: Sequence[str]
    read: Callable[[str], bytes]


class ImageRef(NamedTuple):
    """An image a label may belong to. Sizes are of the upright image; orientation is its EXIF value."""

    path: str
    image_id: str
    width: int
    height: int
    orientation: int = 1


class Catalog:
    """The decodable images of one source, found by path, file name, stem or from a label's folder."""

    def __init__(self, images: Iterable[ImageRef]) -> None:
        self.images: list[ImageRef] = list(images)

    @cached_property
    def _by_path(self) -> dict[str, ImageRef]:
        return {image.path: image for image in self.images}

    @cached_property
    def _by_name(self) -> dict[str, list[ImageRef]]:
        return self._grouped(lambda path: parts_of(path)[1])

    @cached_property
    def _by_stem(self) -> dict[str, list[ImageRef]]:
        return self._grouped(lambda path: parts_of(path)[2])

    @cached_property
    def _beside(self) -> dict[tuple[str, str], list[ImageRef]]:
        return self._grouped(_counterpart)

    def _grouped(self, key: Callable[[str], _Key]) -> dict[_Key, list[ImageRef]]:
        groups: dict[_Key, list[ImageRef]] = {}
        for image in self.images:
            groups.setdefault(key(image.path), []).append(image)
        return groups

    def by_path(self, path: str) -> ImageRef | None:
        """The image with exactly this path relative to the source."""
        return self._by_path.get(path)

    def by_name(self, name: str) -> Sequence[ImageRef]:
        """All images with this file name, in whatever folder."""
        return self._by_name.get(name, ())

    def by_stem(self, stem: str) -> Sequence[ImageRef]:
        """All images whose file name without suffix is this."""
        return self._by_stem.get(stem, ())

    def beside(self, folder: str, stem: str) -> Sequence[ImageRef]:
        """All images with this stem in `folder` or its counterpart: ``val/labels`` finds ``val/images``."""
        return self._beside.get((plain_folder(folder), stem), ())


NO_ATTRIBUTES: Mapping[str, object] = MappingProxyType({})


class Label(NamedTuple):
    """One label of one image file, in pixels of the upright image.

    `segmentation` is COCO's list of rings; `rle` is COCO's compressed counts (size is the image's).
    A 'class' label speaks of the whole image. `attributes` keeps what else the file says. It is a tuple: made
    several times as fast as a frozen dataclass.
    """

    image: ImageRef
    raw_label: str
    shape: Shape
    x: float
    y: float
    width: float
    height: float
    label_path: str
    label_row: int
    segmentation: list[list[float]] | None = None
    rle: str | None = None
    is_crowd: bool = False
    score: float | None = None
    author: str | None = None
    attributes: Mapping[str, object] = NO_ATTRIBUTES


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a label file that could not be taken as a label, or was mended.

    `check` is a stable name in snake_case, `message` a sentence. Severity 'error': not taken; 'warning':
    told. `row` is the place in the file from 0, or None where the file as a whole is meant. `labels` is how
    many labels were not taken because of it: labels read and labels lost add up to what the files hold.
    """

    path: str
    row: int | None
    check: str
    column: str
    value: str
    message: str
    severity: Literal["error", "warning"] = "error"
    labels: int = 0


@dataclass
class Reading:
    """What the label files of a source say.

    `covered` holds the paths of the images the files speak of: an image that is covered and has no label is a
    *negative*; one that is not covered is *unlabelled*. They are never mixed. So an image all of whose labels
    were refused is not covered: it would pass for a negative. `refused` holds the paths of the images of
    which a label, or the whole label file, was refused.
    """

    labels: list[Label] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    covered: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Options:
    """What the recipe says about reading a source.

    `names`: class names by number, for formats that write numbers; empty means from the classes files.
    `extra`: what one format alone knows, such as VOC's ``corners``: see each format.
    """

    names: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """Why a format thinks that a listing is its own, for `tundish add`.

    `weight` orders formats: label files matched to images count one each. `facts` are sentences for the
    person who asked. `classes` in the format's own order. `names` as in `Options`.
    """

    format: str
    weight: int
    facts: list[str]
    classes: list[str]
    names: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)


class Format(Protocol):
    """One label format."""

    @property
    def name(self) -> str:
        """As recipes call it."""
        ...

    def sniff(self, listing: Listing) -> Evidence | None:
        """What speaks for this format in a listing, or None."""
        ...

    def role(self, path: str, options: Options) -> Role:
        """What a file is, by its path alone."""
        ...

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:
        """Read the source's annotation and classes files, given as (path, bytes) in path order."""
        ...
