"""What a label format is: a reader, a writer or both, and what they are given and give back.

A format knows no stages and touches no disk. Its reader is given listings, bytes and a catalogue of images,
and gives back labels and problems. Its writer is given what is exported, and a target that takes files and
images. Coordinates are pixels of the upright image, 0-based, half-open.

Formats of other packages build on this module: what `__all__` names stays, or the changelog says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeVar

from tundish.formats.paths import IMAGE_SUFFIXES, parts_of, plain_folder, suffix_of
from tundish.formats.spelling import loose_spelling

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import IO

    import polars as pl

__all__ = [
    "IMAGE_SUFFIXES",
    "NO_ATTRIBUTES",
    "Catalog",
    "Evidence",
    "Files",
    "Format",
    "ImageRef",
    "Judgement",
    "Label",
    "Listing",
    "Options",
    "Placed",
    "Problem",
    "Reader",
    "Reading",
    "Role",
    "Selection",
    "Target",
    "Writer",
    "parts_of",
    "plain_folder",
    "suffix_of",
]

Role = Literal["image", "annotation", "classes", "other"]
"""What a file is to a format; 'classes' files name the classes and are stored, never read as labels."""

Shape = Literal["box", "polygon", "mask", "class"]

_Key = TypeVar("_Key", bound="Hashable")


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
        self.spelt: dict[str, str] = {}
        """Names that label files spell otherwise than their image's file, with the path of that image."""

    @cached_property
    def loosely_spelt(self) -> tuple[Catalog, dict[str, list[ImageRef]]]:
        """The images with their paths as `loose_spelling` has them, and the images themselves by those."""
        by_spelling: dict[str, list[ImageRef]] = {}
        for image in self.images:
            by_spelling.setdefault(loose_spelling(image.path), []).append(image)
        return Catalog(found[0]._replace(path=path) for path, found in by_spelling.items()), by_spelling

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
    A 'class' label is about the whole image. `attributes` keeps what else the file says. It is a tuple: made
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
    """Something in a label file that could not be taken as a label, or was corrected.

    `check` is a stable name in snake_case, `message` a sentence. Severity 'error': not taken; 'warning':
    reported, and kept. `row` is the place in the file from 0, or None where the file as a whole is meant.
    `labels` is how many labels were not taken because of it: labels read and labels lost add up to what the
    files hold.
    """

    path: str
    row: int | None
    check: str
    column: str
    value: str
    message: str
    severity: Literal["error", "warning"] = "error"
    labels: int = 0


class Judgement(NamedTuple):
    """What one person answered about one image file, where label files say who labelled what.

    `answer` is 'labelled', 'empty' (nothing is there) or 'cancelled' (skipped). `labels` are those of the
    reading, `refused` those that were lost. Where several people answered, the stage `consensus` decides.
    """

    image: ImageRef
    author: str | None
    answer: Literal["labelled", "empty", "cancelled"]
    label_path: str
    labels: int = 0
    refused: int = 0


@dataclass
class Reading:
    """What the label files of a source say.

    `covered` holds the paths of the images the files mention: an image that is covered and has no label is a
    *negative*; one that is not covered is *unlabelled*. They are never mixed. So an image all of whose labels
    were refused is not covered: it would pass for a negative. `refused` holds the paths of the images of
    which a label, or the whole label file, was refused. `judgements` are for formats that keep the answers of
    several people apart; an author has one judgement an image that was not cancelled.
    """

    labels: list[Label] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    covered: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    judgements: list[Judgement] = field(default_factory=list)


@dataclass(frozen=True)
class Options:
    """What the recipe says about reading a source.

    `names`: class names by number, for formats that hold numbers; empty means from the classes files.
    `extra`: what one format alone knows, such as VOC's ``corners``: see each format.
    """

    names: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """Why a format takes a listing for its own, for `tundish add`.

    `weight` orders formats: label files matched to images count one each. `facts` are sentences for the
    person who asked. `classes` in the format's own order. `names` and `extra` as in `Options`. `doubt` is
    what the person must settle before labels can be read, in a sentence that names the option; empty where
    all is clear. `format` is filled in by the registry, `pages` by `tundish add`: what the source's key
    `pages` should say.
    """

    weight: int
    facts: list[str]
    classes: list[str]
    names: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    format: str = ""
    doubt: str = ""
    pages: str = ""


class Reader(Protocol):
    """What reads a format. It may offer `recognises` and `redraws`: see docs/your-own-format.md."""

    def sniff(self, listing: Listing) -> Evidence | None:
        """What suggests this format in a listing, or None."""
        ...

    def role(self, path: str, options: Options) -> Role:
        """What a file is, by its path alone."""
        ...

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:
        """Read the source's annotation and classes files, given as (path, bytes) in path order.

        Never raises for what the files hold: a fault of the data is a `Problem`. Within one file each label
        has a `label_row` of its own.
        """
        ...


@dataclass(frozen=True)
class Selection:
    """What is exported; the same for every format.

    Attributes:
        dataset: Name of the dataset.
        images: One row an image, originals by (source, path), derived images after them: image_id, split,
            source, path, width, height (px, upright), format (of the file taken in), orientation,
            captured_at, the recipe's keys, what their records carry, group_id, parent_id (null for an
            original), state (as in `coverage`), shard (its path in the dataset's folder), file_name (in the
            split's folder, unique there).
        annotations: Their valid labels in the columns of the annotations table; image_id names the image.
        classes: In the order that numbers them.
        splits: Names of the splits, also of one that has no image.
        keys: Names of the recipe's keys, as the images table has them.
        carried: Columns of linked records and of targets, with their unit ('' where there is none).
        history: Gives, as Markdown, how the splits were made and what was left out and why.
    """

    dataset: str
    images: pl.DataFrame
    annotations: pl.DataFrame
    classes: tuple[str, ...]
    splits: tuple[str, ...]
    keys: tuple[str, ...]
    carried: dict[str, str]
    history: Callable[[], str]

    def of(self, split: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """One split's images and labels."""
        images = self.images.filter(self.images["split"] == split)
        return images, self.annotations.join(images.select("image_id"), on="image_id", how="semi")


@dataclass(frozen=True, slots=True)
class Placed:
    """How many image files were written, left as they were, and removed."""

    written: int
    left: int
    removed: int

    def counts(self, title: str) -> dict[str, int]:
        """The three counts for people, under the title of a format."""
        return {
            f"{title} images written": self.written,
            f"{title} images left as they were": self.left,
            f"{title} images removed": self.removed,
        }


class Files(Protocol):
    """A folder that takes files; paths are relative to it.

    They come into it together when the writer is done. Then what an earlier export left is removed: all other
    files in the folders that were written to, and, at the top level, other files with the same suffixes.
    """

    def write(self, path: str, data: bytes) -> None:
        """Give a file as a whole; one that has these bytes already is left alone."""
        ...

    def open(self, path: str) -> AbstractContextManager[IO[bytes]]:
        """A file to be written piece by piece."""
        ...

    def rename(self, path: str, new: str) -> None:
        """Give another name to a file that `open` wrote in this export."""
        ...


class Target(Files, Protocol):
    """The folder ``exports/<format>/``, as the export stage hands it to a writer."""

    def place(self, images: pl.DataFrame) -> Placed:
        """Make ``images/<split>/<file_name>`` hold exactly these images, rows as in `Selection.images`.

        This happens at once. Files that hold their image already are left alone. A list of all is kept in
        ``images.parquet``.
        """
        ...

    def pictures(self, images: pl.DataFrame) -> Iterator[bytes | memoryview]:
        """The file of each image in the order of the rows, upright; memory stays flat."""
        ...


class Writer(Protocol):
    """What writes a format."""

    def write(self, selection: Selection, target: Target) -> Mapping[str, int]:
        """Write an export; returns what to report, as counts with their names."""
        ...


@dataclass(frozen=True)
class Format:
    """One label format.

    Attributes:
        name: As recipes and commands call it, and as its folder in ``exports/`` is called.
        about: What it is, in a line.
        reader: What reads it; None where it is only written.
        writer: What writes it; None where it is only read.
        options: What a source's ``options`` may say, each name with what it means.
        lost: What has no place in what the writer writes.
        nothing: Says why a selection has nothing for the format, which is then not written; or None.
        evidence: What `tundish add` asks for before it proposes the format; required of what is read.
        reads: What becomes a label; required of what is read.
        reports: What is reported to the person who adds or runs it; required of what is read.
    """

    name: str
    about: str
    reader: Reader | None = None
    writer: Writer | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    lost: str = ""
    nothing: Callable[[Selection], str | None] | None = None
    evidence: str = ""
    reads: str = ""
    reports: str = ""
