"""What the CSV formats share: which files they read, and what is said of images that rows name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tundish.errors import SourceError
from tundish.formats.base import Catalog, ImageRef, suffix_of
from tundish.formats.csv.table import Table, parse_table
from tundish.formats.reading.fault import Fault, Notes
from tundish.formats.reading.match import Miss, find_named
from tundish.formats.reading.roles import role_by_suffix
from tundish.formats.reading.sniffing import catalog_of, counted, is_image, sample
from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.header import read_header
from tundish.imaging.geometry import oriented_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tundish.formats.base import Listing, Options, Reading, Role

__all__ = [
    "FILES",
    "RowImages",
    "Seen",
    "csv_role",
    "look_at_tables",
    "one_of",
    "read_tables",
    "sized",
]

FILES = "which CSV files, as patterns separated by ';'"
"""What the option ``files`` means."""

_SUFFIXES = frozenset({".csv", ".tsv"})
_FILES_SEEN = 200
"""CSV files read to find out about a source."""

_PICTURES = 300
"""Pictures whose size is looked up to find out about a source."""


def csv_role(path: str, options: Options) -> Role:
    """CSV files are labels, or those of them that the option ``files`` names."""
    return role_by_suffix(path, _SUFFIXES, options)


def read_tables(files: Iterable[tuple[str, bytes]], catalog: Catalog, reading: Reading) -> Iterator[Table]:
    """The files as tables; what is none is reported."""
    for path, data in files:
        try:
            yield parse_table(path, data, catalog)
        except Fault as fault:
            Notes(path, reading).refuse(fault)


class Seen(NamedTuple):
    """What a look at the CSV files of a source gave: tables, names of images, how many files there are."""

    tables: list[Table]
    images: list[str]
    catalog: Catalog
    paths: list[str]


def look_at_tables(listing: Listing) -> Seen | None:
    """The CSV files of a source; None where it has none, or no images."""
    paths = [path for path in listing.paths if suffix_of(path) in _SUFFIXES]
    images = [path for path in listing.paths if is_image(path)]
    if not paths or not images:
        return None
    catalog = catalog_of(images)
    tables = []
    for path in sample(paths, _FILES_SEEN):
        try:
            tables.append(parse_table(path, listing.read(path), catalog))
        except Fault:
            continue
    return Seen(tables, images, catalog, paths)


def sized(listing: Listing, paths: Iterable[str]) -> Catalog:
    """A catalogue of pictures with their upright sizes, read from some of them, evenly spread."""
    images = []
    for path in sample(sorted(paths), _PICTURES):
        try:
            header = read_header(listing.read(path))
        except BadImage:
            continue
        width, height = oriented_size(header.orientation, header.width, header.height)
        images.append(ImageRef(path, "", width, height, header.orientation))
    return Catalog(images)


def one_of(options: Options, form: str, name: str, values: Iterable[str]) -> str:
    """What an option of a source says, or the empty string.

    Args:
        options: Options of the source.
        form: Name of the format, for people.
        name: Name of the option.
        values: What it may say.

    Raises:
        SourceError: It says something else.
    """
    said = options.extra.get(name, "")
    if said and said not in values:
        raise SourceError(
            f"{name} is '{said}'", where=f"format {form}", fix=f"say one of {', '.join(values)}"
        )
    return said


@dataclass
class _Image:
    found: ImageRef | Miss
    line: int
    taken: int = 0
    refused: int = 0


@dataclass
class RowImages:
    """The images that the rows of one file name, and what became of the labels of each."""

    path: str
    catalog: Catalog
    reading: Reading
    _images: dict[str, _Image] = field(default_factory=dict)

    @property
    def notes(self) -> Notes:
        """The file's problems."""
        return Notes(self.path, self.reading)

    def find(self, name: str, line: int) -> ImageRef | None:
        """The image a row names; None where it is not here, which `finish` reports once an image."""
        entry = self._images.get(name)
        if entry is None:
            entry = self._images[name] = _Image(find_named(self.catalog, self.path, name), line)
        return entry.found if isinstance(entry.found, ImageRef) else None

    def take(self, name: str) -> None:
        """A label of the image was taken."""
        self._images[name].taken += 1

    def refuse(self, name: str, line: int, fault: Fault | None = None) -> None:
        """A label of the image was not taken, because of its fault or because the image is not here."""
        self.find(name, line)
        self._images[name].refused += 1
        if fault is not None:
            self.notes.refuse(fault, line, labels=1)

    def finish(self) -> None:
        """Report images that are not here, and note which images the file mentions."""
        taken: dict[str, list[int]] = {}
        for name, entry in self._images.items():
            if isinstance(entry.found, Miss):
                message = f"{entry.found.message}; {counted(entry.refused, 'label')} not taken"
                fault = Fault(entry.found.check, message, "image", name)
                self.notes.refuse(fault, entry.line, labels=entry.refused)
                continue
            sums = taken.setdefault(entry.found.path, [0, 0])
            sums[0] += entry.taken
            sums[1] += entry.refused
        for path, (good, bad) in taken.items():
            if good and path in self.reading.covered:
                message = f"another label file is about {path} too; the labels of both were taken"
                self.notes.warn(Fault("image_labelled_twice", message, "image", path))
            if good or not bad:
                self.reading.covered.add(path)
            if bad:
                self.reading.refused.add(path)
