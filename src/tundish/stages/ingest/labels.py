"""What a file of a source is taken for: an image, labels, or something that is skipped with the reason."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from tundish.formats.base import Catalog, parts_of, suffix_of
from tundish.formats.masks.rules import rules_of
from tundish.formats.reading.sniffing import UNREAD_IMAGES, catalog_of
from tundish.formats.several.parts import reads_labels_in, role_among
from tundish.formats.unread.found import stem_of_picture
from tundish.formats.unread.judge import is_readable, judge, may_be_labels
from tundish.imaging.files.pages import count_pages
from tundish.sources.entry import UNKNOWN_SIZE
from tundish.sources.files import ARCHIVE_SUFFIXES, EntryFault, EntryUnavailable
from tundish.sources.patterns import files_of
from tundish.stages.ingest.intake import PACKED, PAGES_TAKEN, SEVERAL_PAGES, Taken
from tundish.stages.ingest.pages import take_pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tundish.formats.masks.rules import Rule
    from tundish.formats.several.parts import Part
    from tundish.recipe.load import Recipe
    from tundish.sources.files import Entry
    from tundish.stages.base import Context
    from tundish.storage.dataset import DatasetFolder

__all__ = ["UNREAD_LABELS", "Taking", "files_of_records", "paths_of_records"]

UNREAD_LABELS = "unread_labels"

_MASK = EntryFault("unread_mask", "a mask beside its photograph, by the source's options.masks")
_UNREAD_KIND = EntryFault("unread_kind_of_image", "an image of a kind that is not read")
_ARCHIVE = EntryFault("unread_archive", "an archive inside the source: unpack it")
_UNREAD_LABELS = EntryFault(UNREAD_LABELS, "it may be labels, and no format of the source reads it")

_MOST_HELD = 64 << 20
"""Bytes of files of a tar that wait until all its pictures are known; more are judged without."""

_LARGEST = 64 << 20
"""Bytes from which a file that no format reads is not looked into: it may be labels."""


@dataclass
class Taking:
    """How the files of one source are taken.

    Attributes:
        parts: The readers of the source.
        patterns: The source's option ``masks``.
        records: Paths in the source that the recipe reads as records.
        facts: Paths in the source that the recipe names and that say something else of images.
        lists: Those of them that list the images of a split.
        pages: Whether the first page or frame of a file is its image, or each is one.
    """

    parts: Sequence[Part]
    patterns: str
    records: frozenset[str]
    facts: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    pages: Literal["first", "each"] = "first"
    _catalog: Catalog | None = None
    _stems: frozenset[str] = frozenset()
    _held: int = 0

    @cached_property
    def _rules(self) -> Sequence[Rule]:
        return rules_of(self.patterns)

    def know(self, paths: Iterable[str]) -> None:
        """Note which pictures the source has."""
        pictures = [path for path in paths if role_among(self.parts, path) == "image"]
        self._catalog = catalog_of(pictures)
        self._stems = frozenset(parts_of(path)[2] for path in pictures)

    def kind_of(self, path: str) -> str:
        """What a file is to the source, by its path and what the recipe says of it."""
        if path in self.lists and suffix_of(path) != ".json":
            return "facts"  # a list of images, which YOLO would read for labels
        kind = role_among(self.parts, path)
        return "facts" if kind == "other" and path in self.facts else kind

    def is_settled(self, path: str, kind: str, reason: str | None) -> bool:
        """Whether a file that has not changed needs no second look: it is what it was under this recipe."""
        now = self.kind_of(path)
        if (unread := _unread(path, now, self._rules)) is not None:
            return reason == unread.reason
        if kind != now or reason == (SEVERAL_PAGES if self.pages == "each" else PAGES_TAKEN):
            return False
        return reason != "not_for_this_format" or not may_be_labels(path)

    def take(self, entry: Entry) -> list[Taken]:
        """Read and digest a file, or say why it is skipped; behind it its pages where each is wanted."""
        taken = self._take(entry)
        if self.pages == "each" and taken.kind == "image" and count_pages(taken.data) > 1:
            return list(take_pages(taken))
        return [taken]

    def _take(self, entry: Entry) -> Taken:
        kind = self.kind_of(entry.path)
        unread = _unread(entry.path, kind, self._rules)
        if unread is not None and entry.fault is None:
            return Taken(replace(entry, skipped=True), "other", fault=unread)
        if entry.fault is not None:
            return Taken(entry, kind, fault=entry.fault)
        doubtful = kind in ("classes", "other") and self._is_doubtful(entry)
        if kind not in PACKED and not doubtful:
            return Taken(entry, kind)
        return self._read(entry, kind, doubtful=doubtful)

    def _is_doubtful(self, entry: Entry) -> bool:
        return entry.size > 0 and entry.path not in self.records and may_be_labels(entry.path)

    def _read(self, entry: Entry, kind: str, *, doubtful: bool) -> Taken:
        try:
            data = entry.read() if kind in PACKED or _is_looked_into(entry) else b""
        except EntryFault as fault:
            return Taken(entry, kind, fault=fault)
        except EntryUnavailable as fault:
            return Taken(entry, kind, unavailable=fault.message)
        if doubtful and self._catalog is None and self._held + len(data) <= _MOST_HELD:
            self._held += len(data)
            return Taken(entry, kind, data, doubtful=True)
        return self._judged(entry, kind, data, doubtful=doubtful)

    def settle(self, doubtful: Iterable[Taken], paths: Iterable[str]) -> list[Taken]:
        """Judge the files that waited until the pictures of the source were known.

        Args:
            doubtful: The files.
            paths: All paths of the source.
        """
        waiting = list(doubtful)
        if waiting:
            self.know(paths)
        return [self._judged(taken.entry, taken.kind, taken.data, doubtful=True) for taken in waiting]

    def _judged(self, entry: Entry, kind: str, data: bytes, *, doubtful: bool) -> Taken:
        if doubtful and self._may_be_labels(entry, kind, data):
            return Taken(replace(entry, skipped=True), kind, fault=_UNREAD_LABELS)
        if kind not in PACKED:
            return Taken(entry, kind)
        known = entry if entry.size != UNKNOWN_SIZE else replace(entry, size=len(data))
        return Taken(known, kind, data, hashlib.sha256(data).hexdigest())

    def _may_be_labels(self, entry: Entry, kind: str, data: bytes) -> bool:
        if is_readable(entry.path) and not _is_looked_into(entry):
            return True
        catalog = self._catalog or Catalog([])
        if kind == "classes" and reads_labels_in(self.parts, entry.path, data, catalog):
            return False
        suspect = judge(entry.path, data, catalog)
        if suspect is None or not suspect.beside:
            return suspect is not None
        known = self._catalog is not None
        return kind == "other" and (not known or stem_of_picture(entry.path) in self._stems)


def _is_looked_into(entry: Entry) -> bool:
    return is_readable(entry.path) and entry.size <= _LARGEST


def paths_of_records(context: Context, source: Path) -> frozenset[str]:
    """Paths in a folder that the recipe reads as records: these are not labels."""
    if not source.is_dir() or not context.recipe.records:
        return frozenset()
    found = files_of_records(context.dataset, context.recipe)
    return frozenset(path.relative_to(source).as_posix() for path in found if path.is_relative_to(source))


def files_of_records(dataset: DatasetFolder, recipe: Recipe) -> frozenset[Path]:
    """The files that a recipe reads as records."""
    places = [dataset.locate(section.path) for section in recipe.records.values() if section.path]
    return frozenset(path for place in places for path, _ in files_of(place) or ())


def _unread(path: str, kind: str, masks: Sequence[Rule]) -> EntryFault | None:
    """Why a picture is neither a photograph nor a label of this source; None where it is, or no picture."""
    if kind == "image" and any(rule.stem_of(path) is not None for rule in masks):
        return _MASK
    if kind != "other":
        return None
    if suffix_of(path) in ARCHIVE_SUFFIXES:
        return _ARCHIVE
    return _UNREAD_KIND if suffix_of(path) in UNREAD_IMAGES else None
