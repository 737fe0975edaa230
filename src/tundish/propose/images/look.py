"""Looks at a folder or an archive of images: which label format its files speak for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tundish.errors import SourceError
from tundish.formats.base import Listing, suffix_of
from tundish.formats.reading.sniffing import UNREAD_IMAGES, catalog_of, counted, sample
from tundish.formats.registry import look
from tundish.formats.unread.found import find_suspects, sampled_note
from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.header import read_header
from tundish.imaging.files.pages import count_pages
from tundish.propose.images.beside import Beside
from tundish.propose.images.codes import names_of_codes
from tundish.propose.images.derived import KEY, find_derived
from tundish.propose.images.given import SplitColumns, find_given, judge_given
from tundish.propose.images.several import combine
from tundish.propose.images.tables import tables_of
from tundish.propose.images.targets import TargetColumns
from tundish.propose.images.unread import by_kind
from tundish.sources.files import (
    ARCHIVE_SUFFIXES,
    Entry,
    EntryFault,
    EntryUnavailable,
    is_archive,
    open_source,
)
from tundish.sources.rows import is_columnar
from tundish.tabular.files.open import TABLE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from tundish.errors import TundishError
    from tundish.formats.base import Evidence
    from tundish.formats.registry import Look
    from tundish.propose.images.unread import UnreadLabels

__all__ = ["Found", "examine", "read_member", "unread_kinds"]

_PAGED = frozenset({".tif", ".tiff", ".gif", ".webp"})
"""Suffixes of files that may hold several pages or frames."""
_RARER = frozenset({".avif", ".jp2", ".j2k", ".tif", ".tiff", ".bmp", ".webp"})
"""Suffixes of images of which not everything is read."""
_PAGED_SEEN = 100
_BY_PATH = frozenset({"folders", "class-in-name"})
"""Formats whose labels are about every page of a file."""


class Found(NamedTuple):
    """What a source of images is.

    Attributes:
        best: The format that its labels are in.
        also: Further formats that some of its labels are in.
        others: Formats that it could be in instead.
        unread: Files that may be labels and are not read.
        faults: What is wrong with formats of installed packages.
        beside: What else the recipe says of the source.
    """

    best: Evidence
    also: tuple[Evidence, ...]
    others: tuple[Evidence, ...]
    unread: tuple[UnreadLabels, ...]
    faults: tuple[TundishError, ...]
    beside: Beside


def examine(source: Path, records: Collection[Path] = ()) -> Found:
    """What a source is, by what suggests each label format.

    Args:
        source: A folder, a zip or a tar.
        records: Files that the recipe reads as records: they are not labels of the source.

    Raises:
        SourceError: It cannot be opened, one of its label files cannot be read, or it holds no images.
    """
    with open_source(source) as entries:
        members = {entry.path: entry for entry in entries if entry.fault is None}
        listing = Listing(sorted(members), lambda path: read_member(members[path], source))
        looked = look(listing)
        if looked.found:
            return _found(looked, listing, members, _inside(source, records))
    if not members:
        raise SourceError(
            "the source holds no files", where=str(source), fix="name the folder with the images"
        )
    if is_archive(source) and any(map(is_columnar, members)):
        raise SourceError(
            "none of the files in this archive is an image",
            where=str(source),
            fix="unpack it: pictures inside Parquet files are read from folders only",
        )
    raise SourceError(
        f"none of its {len(members):,} files is an image", where=str(source), fix=_instead(members)
    )


def _instead(members: Iterable[str]) -> str:
    """What to do with a source that has no images."""
    archives = sorted(path for path in members if suffix_of(path) in ARCHIVE_SUFFIXES)
    if archives:
        return f"unpack the archives in it, such as '{archives[0]}', and add the folder"
    unread = sorted(path for path in members if suffix_of(path) in UNREAD_IMAGES)
    if unread:
        return f"its images, such as '{unread[0]}', cannot be decoded here: convert them to PNG"
    tables = sorted(path for path in members if suffix_of(path) in TABLE_SUFFIXES)
    if tables:
        return f"add a table by its own path, such as '{tables[0]}'"
    return "name the folder that holds the images and their labels"


def _inside(source: Path, records: Collection[Path]) -> frozenset[str]:
    real = source.resolve()
    return frozenset(
        path.resolve().relative_to(real).as_posix() for path in records if path.resolve().is_relative_to(real)
    )


def _found(looked: Look, listing: Listing, members: Mapping[str, Entry], records: frozenset[str]) -> Found:
    combined = combine(looked.found, listing)
    (best, *also), unread = combined.chosen, list(combined.unread)
    beside = _beside(listing, members, sorted(combined.images))
    names, named = names_of_codes(listing, [name for one in combined.chosen for name in one.classes])
    beside = replace(beside, names=names, facts=[*beside.facts, *named])
    pages, about = _several_pages(best, listing)
    about += sampled_note(path for path in listing.paths if path not in combined.images)
    about += [*unread_kinds(listing), *_refused_images(listing)]
    best = replace(best, facts=[*best.facts, *about, *beside.facts], pages=pages)
    formats = {one.format for one in combined.chosen}
    others = tuple(one for one in looked.found if one.format not in formats)
    suspects = find_suspects(listing, combined.images, combined.taken | records | beside.files)
    for path in suspects.keys() & combined.given.keys():
        why = f"it does not read as {combined.given[path]}: `tundish run` reports what is wrong with it"
        suspects[path] = suspects[path]._replace(why=why)
    unread += by_kind(suspects)
    return Found(best, tuple(also), others, tuple(unread), (*looked.faults,), beside)


def _several_pages(best: Evidence, listing: Listing) -> tuple[str, list[str]]:
    """What the key `pages` should say, and a sentence, where files hold several pages or frames."""
    chosen = sample([path for path in listing.paths if suffix_of(path) in _PAGED], _PAGED_SEEN)
    counts = [count_pages(listing.read(path)) for path in chosen]
    several = [count for count in counts if count > 1]
    if not several:
        return "", []
    fact = f"{len(several)} of {counted(len(chosen), 'file')} that may hold several pages or frames do, "
    fact += f"up to {max(several)}: "
    if best.classes and best.format not in _BY_PATH:
        return "first", [f"{fact}the first is taken (pages: first), since the labels are about the file"]
    return "each", [f"{fact}each comes in as an image (pages: each)"]


def unread_kinds(listing: Listing) -> list[str]:
    """Sentences on images and archives that are not read, with how many there are of each kind."""
    facts = []
    for suffixes, noun, what, fix in (
        (UNREAD_IMAGES, "image", "of kinds that cannot be decoded here", "convert to PNG"),
        (ARCHIVE_SUFFIXES, "archive", "inside it not read", "unpack them"),
    ):
        kinds = Counter(suffix for path in listing.paths if (suffix := suffix_of(path)) in suffixes)
        if kinds:
            named = ", ".join(f"{suffix} {count}" for suffix, count in sorted(kinds.items()))
            facts.append(f"{counted(kinds.total(), noun)} {what} ({named}): {fix}")
    return facts


def _refused_images(listing: Listing) -> list[str]:
    """A sentence on images whose kind is read, but not all that it may hold, such as animated AVIF."""
    chosen = sample([path for path in listing.paths if suffix_of(path) in _RARER], _PAGED_SEEN)
    why: dict[str, list[str]] = {}
    for path in chosen:
        try:
            read_header(listing.read(path))
        except BadImage as fault:
            if fault.reason == "unsupported":
                why.setdefault(fault.message, []).append(path)
    return [
        f"{len(paths)} of {counted(len(chosen), 'image')} of rarer kinds cannot be read, such as {paths[0]}"
        f" ({message}): convert to PNG"
        for message, paths in sorted(why.items())
    ]


def _beside(listing: Listing, members: Mapping[str, Entry], images: Sequence[str]) -> Beside:
    catalog = catalog_of(images)
    splits, targets = SplitColumns(catalog), TargetColumns(catalog)
    for table in tables_of(listing, catalog):
        splits.take(table)
        targets.take(table)
    given, facts = find_given(listing, catalog, splits)
    beside = Beside(facts=facts)
    if given is not None:
        sizes = {path: entry.size for path, entry in members.items()}
        keep, judged = judge_given(given, images, sizes, listing.read)
        beside = Beside(given.given, keep=keep, facts=[*judged, *facts])
    if (derived := find_derived(images, listing.read)) is not None:
        facts = [*beside.facts, *derived.facts]
        beside = replace(beside, keys={KEY: derived.pattern}, facts=facts)
    return replace(beside, targets=targets.targets, facts=[*beside.facts, *targets.facts])


def read_member(entry: Entry, source: Path) -> bytes:
    """The bytes of a file of a source.

    Args:
        entry: The file.
        source: The source, for people.

    Raises:
        SourceError: It cannot be read.
    """
    try:
        return entry.read()
    except (EntryFault, EntryUnavailable) as problem:
        raise SourceError(
            f"'{entry.path}' cannot be read ({problem.message})",
            where=str(source),
            fix="grant access to it, or move it away, and add the source again",
        ) from problem
