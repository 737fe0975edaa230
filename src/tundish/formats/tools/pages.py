"""What the readers of tools share: pages (what a file says about one image) on their way into a reading."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tundish.formats.base import (
    NO_ATTRIBUTES,
    Catalog,
    Evidence,
    ImageRef,
    Label,
    Options,
    Reading,
    parts_of,
    suffix_of,
)
from tundish.formats.reading.collector import collector_paused
from tundish.formats.reading.fault import Fault, Notes
from tundish.formats.reading.match import Miss, find_beside
from tundish.formats.reading.roles import role_by_suffix
from tundish.formats.reading.sniffing import (
    catalog_of,
    counted,
    is_image,
    read_note,
    sample,
    unlabelled_note,
)
from tundish.formats.reading.text import real
from tundish.formats.reading.upright import frame_of_stated_size, turn_box, turn_mask, turn_polygon
from tundish.imaging.geometry import box_of_counts, box_of_polygon, counts_of_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tundish.formats.base import Listing, Role
    from tundish.formats.tools.shapes import Canvas, Drawn

__all__ = [
    "FILES",
    "Drawing",
    "File",
    "Item",
    "Page",
    "Sniffer",
    "Tool",
    "kept",
    "look_for",
    "name_of",
    "opens_as",
]

FILES = {"files": "which label files, as patterns separated by ';'"}
"""The option that all tools have."""

_FIRST = 200
"""Files read first: where none of them could be the tool's, no more are read."""

_MOST_NAMES = 20
"""Label files that `tundish add` names in the recipe where others lie beside them."""


class File(NamedTuple):
    """A label file, with what is needed to open it."""

    path: str
    data: bytes
    catalog: Catalog
    options: Options


class Item(NamedTuple):
    """One label as the file has it: its row, unique in the file, its kind for people, its class."""

    row: int
    entry: Any
    kind: str
    name: object


@dataclass(frozen=True, slots=True)
class Page:
    """What a file says about one image.

    Attributes:
        stated: The image's name in the file.
        image: The image found for it, or why there is none.
        items: The labels the file has for the image.
        size: Width and height as stated; None where the format states none.
        row: Place of the page in its file; None where the file has one.
        lost: Labels that are not taken whatever they say, with their rows.
        notes: What is only worth knowing.
    """

    stated: str
    image: ImageRef | Miss
    items: Sequence[Item]
    size: tuple[object, object] | None = None
    row: int | None = None
    lost: Sequence[tuple[int | None, Fault]] = ()
    notes: Sequence[Fault] = ()


class Drawing(NamedTuple):
    """A label, drawn."""

    name: str
    drawn: Drawn
    attributes: Mapping[str, object] = NO_ATTRIBUTES
    score: float | None = None
    author: str | None = None


@dataclass(frozen=True)
class Tool:
    """The reader of one tool, from the two functions that know it.

    Attributes:
        title: The tool's name for people.
        suffixes: The suffixes of its label files.
        marks: Bytes that every one of its files has: others are not parsed to find out.
        pages: Opens a file; raises a `Fault` where it is not the tool's or cannot be read.
        draw: Draws an item's entry on its canvas; raises a `Fault`.
        reads: Kinds of shapes that are read; the last word of an item's kind.
        beside: Whether a file is about the image it is named like.
        settle: What a look at all pages decides: options, and sentences about them.
    """

    title: str
    suffixes: tuple[str, ...]
    marks: tuple[bytes, ...]
    pages: Callable[[File], list[Page]]
    draw: Callable[[Any, Canvas], Drawing]
    reads: frozenset[str]
    beside: bool = False
    settle: Callable[[list[Page]], tuple[dict[str, str], list[str]]] = lambda pages: ({}, [])  # noqa: ARG005

    def role(self, path: str, options: Options) -> Role:
        """Label files by their suffix, and by the option ``files``."""
        return role_by_suffix(path, self.suffixes, options)

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:
        """Read the tool's files; a bad entry costs itself, a bad file its labels."""
        reading = Reading()
        for path, data in files:
            with collector_paused():
                self._read(File(path, data, catalog, options), reading)
        return reading

    def _read(self, file: File, reading: Reading) -> None:
        try:
            pages = self.pages(file)
        except Fault as fault:
            Notes(file.path, reading).refuse(fault)
            if self.beside and isinstance(image := find_beside(file.catalog, file.path), ImageRef):
                reading.refused.add(image.path)
            return
        for page in pages:
            _take(self, file.path, page, reading)

    def has_marks(self, data: bytes) -> bool:
        """Whether a file could be the tool's; in UTF-16 the marks cannot be seen."""
        return data[:2] in (b"\xff\xfe", b"\xfe\xff") or all(mark in data for mark in self.marks)

    def recognises(self, path: str, data: bytes) -> bool:
        """Whether a file opens as one of the tool's."""
        return opens_as(self, path, data)

    def sniff(self, listing: Listing) -> Evidence | None:
        """Files with what the tool writes, and how many of the images they name are here."""
        return look_for(self, listing)


class Sniffer(Protocol):
    """What a look at a tool's files needs to know of it; see `Tool`."""

    @property
    def title(self) -> str:
        """The tool's name for people."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The suffixes of its label files."""

    @property
    def reads(self) -> frozenset[str]:
        """Kinds of shapes that are read."""

    @property
    def pages(self) -> Callable[[File], list[Page]]:
        """Opens a file."""

    @property
    def settle(self) -> Callable[[list[Page]], tuple[dict[str, str], list[str]]]:
        """What a look at all pages decides."""

    def has_marks(self, data: bytes) -> bool:
        """Whether a file could be the tool's."""


def opens_as(tool: Sniffer, path: str, data: bytes) -> bool:
    """Whether a file opens as one of a tool's, and has a page.

    Args:
        tool: The tool.
        path: The file.
        data: What it holds.
    """
    if not tool.has_marks(data):
        return False
    try:
        return bool(tool.pages(File(path, data, Catalog([]), Options())))
    except Fault:
        return False


def look_for(tool: Sniffer, listing: Listing) -> Evidence | None:
    """Find a tool's files, and how many of the images they name are here."""
    paths = [path for path in listing.paths if suffix_of(path) in tool.suffixes]
    images = [path for path in listing.paths if is_image(path)]
    chosen = sample(paths)
    if not any(tool.has_marks(listing.read(path)) for path in sample(paths, _FIRST)):
        return None
    look = _Look(tool, catalog_of(images))
    for path in chosen:
        look.take(path, listing.read(path))
    if not look.pages:
        return None
    weight = len(look.matched) * len(paths) // len(chosen)
    extra, facts = tool.settle(look.pages)
    facts = look.facts() + facts + unlabelled_note(len(images), weight)
    facts += read_note(len(chosen), len(paths), "label files")
    if len(look.files) < len(paths) == len(chosen) and (patterns := _patterns(look.files, paths)):
        extra["files"] = ";".join(patterns)
        facts.append(f"of {len(paths)} files these are read: {', '.join(patterns)}")
    return Evidence(weight, facts, sorted(look.names), extra=extra)


def name_of(name: object, column: str) -> str:
    """A class name as it is written.

    Raises:
        Fault: It is missing, empty or not text.
    """
    if name is not None and not isinstance(name, str):
        raise Fault("wrong_type", "the class name is not text", column, name)
    if not name or not name.strip():
        raise Fault("missing_name", "the label has no class name", column)
    return name


def kept(entry: Mapping[str, object], *columns: str) -> dict[str, object]:
    """What else an entry says in these columns, without what is empty."""
    return {column: entry[column] for column in columns if entry.get(column) not in (None, "", [], {})}


def _take(tool: Tool, path: str, page: Page, reading: Reading) -> None:
    """Take one page's labels, and report its problems."""
    notes = Notes(path, reading)
    count = len(page.items) + len(page.lost)
    image = page.image
    if isinstance(image, Miss):
        message = f"{image.message}; {counted(count, 'label')} not taken"
        notes.refuse(Fault(image.check, message, "image", page.stated), page.row, labels=count)
        return
    if image.path in reading.covered:
        message = f"{image.path} is labelled in another place too; the labels of both were taken"
        notes.warn(Fault("image_labelled_twice", message, "image", page.stated), page.row)
    for note in page.notes:
        notes.warn(note, page.row)
    stored = page.size is not None and _check_size(page, image, page.size, notes)
    before = len(reading.labels)
    for row, fault in page.lost:
        notes.refuse(fault, row, labels=1)
    for item in page.items:
        try:
            reading.labels.append(_label(tool, path, item, image, notes, stored=stored))
        except Fault as fault:
            notes.refuse(fault, item.row, labels=1)
    taken = len(reading.labels) - before
    if taken or not count:
        reading.covered.add(image.path)
    if taken < count:
        reading.refused.add(image.path)


def _check_size(page: Page, image: ImageRef, size: tuple[object, object], notes: Notes) -> bool:
    """Whether the labels are drawn on the stored image; report where the size is not the image's."""
    width, height = real(size[0]), real(size[1])
    if not width or not height:
        message = f"the size of {image.path} is missing; the labels are taken as pixels of the image found"
        notes.warn(Fault("missing_size", message, "size"), page.row)
        return False
    stored, fault = frame_of_stated_size(image, width, height, image.path, "size")
    if fault is not None:
        notes.warn(fault, page.row)
    return stored


def _label(tool: Tool, path: str, item: Item, image: ImageRef, notes: Notes, *, stored: bool) -> Label:
    canvas = (image.height, image.width) if stored else (image.width, image.height)
    name, drawn, attributes, score, author = tool.draw(item.entry, canvas)
    for note in drawn.notes:
        notes.warn(note, item.row)
    box, rings, counts = drawn.box, drawn.rings, None
    if drawn.kind == "class":
        box = (0.0, 0.0, float(image.width), float(image.height))
    elif drawn.mask is not None:
        counts = counts_of_mask(turn_mask(image, drawn.mask) if stored else drawn.mask)
        box = box_of_counts(counts, image.width, image.height) or box
    elif stored and rings is not None:
        rings = turn_polygon(image, rings)
        box = box_of_polygon(rings) or box
    elif stored:
        box = turn_box(image, box)
    return Label(
        image,
        name,
        drawn.kind,
        *box,
        path,
        item.row,
        rings,
        counts,
        score=score,
        author=author,
        attributes=attributes or NO_ATTRIBUTES,
    )


@dataclass
class _Look:
    """What sniffing counts in a tool's files."""

    tool: Sniffer
    catalog: Catalog
    files: list[str] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    matched: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)

    def take(self, path: str, data: bytes) -> None:
        if not self.tool.has_marks(data):
            return
        try:
            pages = self.tool.pages(File(path, data, self.catalog, Options()))
        except Fault:
            return
        self.files.append(path)
        self.pages += pages
        for page in pages:
            if isinstance(page.image, ImageRef):
                self.matched.add(page.image.path)
            for item in page.items:
                self.kinds[item.kind] += 1
                if self._reads(item.kind) and isinstance(item.name, str) and item.name.strip():
                    self.names.add(item.name)

    def _reads(self, kind: str) -> bool:
        return kind.rpartition(" ")[2] in self.tool.reads

    def facts(self) -> list[str]:
        """Sentences on what was counted."""
        where = self.files[0] if len(self.files) == 1 else f"{len(self.files)} files"
        named = counted(len(self.pages), "image")
        facts = [f"{len(self.matched)} of {named} named in {where} of {self.tool.title} are here"]
        read = {kind: count for kind, count in self.kinds.most_common() if self._reads(kind)}
        if read:
            total = counted(sum(read.values()), "label")
            facts.append(f"{total} of {counted(len(self.names), 'class')}: {_shown(read)}")
        left = {kind: count for kind, count in self.kinds.most_common() if kind not in read}
        if left:
            facts.append(f"not read, and reported by `tundish run`: {_shown(left)}")
        lost = sum(len(page.lost) for page in self.pages)
        if lost:
            facts.append(f"{counted(lost, 'label')} cannot be read; `tundish run` reports each")
        empty = sum(not page.items and not page.lost for page in self.pages)
        if empty:
            facts.append(f"{counted(empty, 'image')} without a label: negatives")
        return facts


def _patterns(own: Sequence[str], paths: Sequence[str]) -> list[str]:
    """A tool's files among others: by name where they are few, else by folders that hold nothing else."""
    if len(own) <= _MOST_NAMES:
        return list(own)
    folders = sorted({f"{parts_of(path)[0]}/*" for path in own})
    others = set(paths) - set(own)
    apart = not any(fnmatchcase(path, folder) for path in others for folder in folders)
    return folders if apart and len(folders) <= _MOST_NAMES and "/*" not in folders else []


def _shown(kinds: Mapping[str, int]) -> str:
    """Kinds with their counts, the most frequent ones."""
    return ", ".join(f"{count} {kind}" for kind, count in list(kinds.items())[:8])
