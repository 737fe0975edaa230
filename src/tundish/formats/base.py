"""What every label format offers: say what a file is, read labels, and look for itself in a listing.

A format knows no stages and touches no disk: it is given listings, bytes and a catalogue of images, and gives
back labels and problems. Coordinates are pixels of the upright image, 0-based, half-open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = [
    "IMAGE_SUFFIXES",
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
]

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".gif", ".webp"})

Role = Literal["image", "annotation", "classes", "other"]
"""What a file is to a format; 'classes' files name the classes and are stored, never read as labels."""

Shape = Literal["box", "polygon", "mask", "class"]


@dataclass(frozen=True)
class Listing:
    """The files of a source: POSIX paths relative to it, sorted, and a way to read one."""

    paths: Sequence[str]
    read: Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image a label may belong to. Sizes are of the upright image; orientation is its EXIF value."""

    path: str
    image_id: str
    width: int
    height: int
    orientation: int = 1


class Catalog:
    """The decodable images of one source, found by path, by file name or by stem."""

    def __init__(self, images: Iterable[ImageRef]) -> None:
        self.images: list[ImageRef] = list(images)
        self._by_path = {image.path: image for image in self.images}
        self._by_name: dict[str, list[ImageRef]] = {}
        self._by_stem: dict[str, list[ImageRef]] = {}
        for image in self.images:
            path = PurePosixPath(image.path)
            self._by_name.setdefault(path.name, []).append(image)
            self._by_stem.setdefault(path.stem, []).append(image)

    def by_path(self, path: str) -> ImageRef | None:
        """The image with exactly this path relative to the source."""
        return self._by_path.get(path)

    def by_name(self, name: str) -> list[ImageRef]:
        """All images with this file name, in whatever folder."""
        return self._by_name.get(name, [])

    def by_stem(self, stem: str) -> list[ImageRef]:
        """All images whose file name without suffix is this."""
        return self._by_stem.get(stem, [])


@dataclass(frozen=True, slots=True)
class Label:
    """One label of one image file, in pixels of the upright image.

    `segmentation` is COCO's list of rings; `rle` is COCO's compressed counts (size is the image's).
    A 'class' label speaks of the whole image. `attributes` keeps what else the file says.
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
    attributes: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a label file that could not be taken as a label, or was mended.

    `check` is a stable name in snake_case, `message` a sentence. Severity 'error': not taken; 'warning': told.
    """

    path: str
    row: int | None
    check: str
    column: str
    value: str
    message: str
    severity: Literal["error", "warning"] = "error"


@dataclass
class Reading:
    """What the label files of a source say.

    `covered` holds the paths of the images the files speak of: an image that is covered and has no label is a
    *negative*; one that is not covered is *unlabelled*. They are never mixed.
    """

    labels: list[Label] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    covered: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Options:
    """What the recipe says about reading a source.

    `names`: class names by number, for formats that write numbers; empty means from the classes files.
    `pairs`: for mask pairs, the folder names of images and masks, and so on: see each format.
    """

    names: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """Why a format thinks that a listing is its own, for `tundish add`.

    `weight` orders formats: label files matched to images count one each. `facts` are sentences for the person
    who asked. `classes` in the format's own order. `names` as in `Options`.
    """

    format: str
    weight: int
    facts: list[str]
    classes: list[str]
    names: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)


class Format(Protocol):
    """One label format."""

    name: str

    def sniff(self, listing: Listing) -> Evidence | None:
        """What speaks for this format in a listing, or None."""
        ...

    def role(self, path: str, options: Options) -> Role:
        """What a file is, by its path alone."""
        ...

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:
        """Read the source's annotation and classes files, given as (path, bytes) in path order."""
        ...
