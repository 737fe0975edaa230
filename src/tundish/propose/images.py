"""Looks at a folder or an archive of images: which label format its files speak for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tundish.errors import SourceError
from tundish.formats.base import Listing, Options, parts_of, suffix_of
from tundish.formats.reading.match import is_split, split_of, stated_name
from tundish.formats.reading.sniffing import UNREAD_IMAGES, counted
from tundish.formats.reading.text import decode_text
from tundish.formats.registry import load_reader, look
from tundish.formats.unread.found import find_suspects
from tundish.propose.several import combine
from tundish.propose.unread import by_kind
from tundish.sources.files import Entry, EntryFault, EntryUnavailable, open_source
from tundish.tabular.files.open import TABLE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from tundish.errors import TundishError
    from tundish.formats.base import Evidence
    from tundish.formats.registry import Look
    from tundish.propose.unread import UnreadLabels

__all__ = ["Found", "examine"]


class Found(NamedTuple):
    """What a source of images is.

    Attributes:
        best: The format that its labels are in.
        also: Further formats that some of its labels are in.
        others: Formats that it could be in instead.
        unread: Files that may be labels and are not read.
        faults: What is wrong with formats of installed packages.
    """

    best: Evidence
    also: tuple[Evidence, ...]
    others: tuple[Evidence, ...]
    unread: tuple[UnreadLabels, ...]
    faults: tuple[TundishError, ...]


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
        listing = Listing(sorted(members), lambda path: _read(members[path], source))
        looked = look(listing)
        if looked.found:
            return _found(looked, listing, _inside(source, records))
    if not members:
        raise SourceError(
            "the source holds no files", where=str(source), fix="name the folder with the images"
        )
    tables = sorted(path for path in members if suffix_of(path) in TABLE_SUFFIXES)
    raise SourceError(
        f"none of its {len(members):,} files is an image",
        where=str(source),
        fix=f"add a table by its own path, such as '{tables[0]}'"
        if tables
        else "name the folder that holds the images and their labels",
    )


def _inside(source: Path, records: Collection[Path]) -> frozenset[str]:
    real = source.resolve()
    return frozenset(
        path.resolve().relative_to(real).as_posix() for path in records if path.resolve().is_relative_to(real)
    )


def _found(looked: Look, listing: Listing, records: frozenset[str]) -> Found:
    combined = combine(looked.found, listing)
    (best, *also), unread = combined.chosen, list(combined.unread)
    best = replace(best, facts=[*best.facts, *_unread_images(listing), *_given_splits(best, listing)])
    formats = {one.format for one in combined.chosen}
    others = tuple(one for one in looked.found if one.format not in formats)
    suspects = find_suspects(listing, combined.images, combined.taken | records)
    for path in suspects.keys() & combined.given.keys():
        why = f"it does not read as {combined.given[path]}: `tundish run` reports what is wrong with it"
        suspects[path] = suspects[path]._replace(why=why)
    unread += by_kind(suspects)
    return Found(best, tuple(also), others, tuple(unread), (*looked.faults,))


def _unread_images(listing: Listing) -> list[str]:
    kinds = Counter(suffix for path in listing.paths if (suffix := suffix_of(path)) in UNREAD_IMAGES)
    if not kinds:
        return []
    named = ", ".join(f"{suffix} {count}" for suffix, count in sorted(kinds.items()))
    return [f"{counted(kinds.total(), 'image')} of kinds that are not read ({named}): convert them to PNG"]


def _given_splits(best: Evidence, listing: Listing) -> list[str]:
    """Sentences on the splits that folders, or lists such as train.txt, state."""
    reader, options = load_reader(best.format), Options(best.names, best.extra)
    images = [path for path in listing.paths if reader.role(path, options) == "image"]
    splits = Counter(split_of(parts_of(path)[0]) for path in images)
    given = {name: splits[name] for name in ("train", "val", "test") if splits[name]}
    facts = []
    if len(given) > 1:
        counts = ", ".join(f"{name} {count}" for name, count in given.items())
        facts.append(
            f"its folders state a split ({counts}): it is not kept, 'split' in the recipe makes its own"
        )
    lists = [
        path
        for path in listing.paths
        if suffix_of(path) == ".txt"
        and is_split(parts_of(path)[2])
        and _lists_images(listing.read(path), images)
    ]
    if lists:
        facts.append(f"lists state a split and are not read: {', '.join(lists[:6])}")
    return facts


def _lists_images(data: bytes, images: list[str]) -> bool:
    """Whether a text file names images, line by line, by their names or stems."""
    lines = [line.strip() for line in decode_text(data)[0].splitlines()[:200] if line.strip()]
    known = {name for path in images for name in parts_of(path)[1:]}
    hits = sum(stated_name(line.split()[0]) in known for line in lines)
    return bool(lines) and hits >= len(lines) / 2


def _read(entry: Entry, source: Path) -> bytes:
    try:
        return entry.read()
    except (EntryFault, EntryUnavailable) as problem:
        raise SourceError(
            f"'{entry.path}' cannot be read ({problem.message})",
            where=str(source),
            fix="grant access to it, or move it away, and add the source again",
        ) from problem
