"""Looks at a folder or an archive of images: which label format its files speak for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tundish.errors import SourceError
from tundish.formats.base import Listing, suffix_of
from tundish.formats.reading.sniffing import UNREAD_IMAGES, counted
from tundish.formats.registry import look
from tundish.formats.unread.found import find_suspects
from tundish.propose.beside import Beside
from tundish.propose.derived import KEY, find_derived
from tundish.propose.given import find_given, judge_given
from tundish.propose.several import combine
from tundish.propose.targets import find_targets
from tundish.propose.unread import by_kind
from tundish.sources.files import Entry, EntryFault, EntryUnavailable, open_source
from tundish.tabular.files.open import TABLE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
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
        listing = Listing(sorted(members), lambda path: _read(members[path], source))
        looked = look(listing)
        if looked.found:
            return _found(looked, listing, members, _inside(source, records))
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


def _found(looked: Look, listing: Listing, members: Mapping[str, Entry], records: frozenset[str]) -> Found:
    combined = combine(looked.found, listing)
    (best, *also), unread = combined.chosen, list(combined.unread)
    beside = _beside(listing, members, sorted(combined.images))
    best = replace(best, facts=[*best.facts, *_unread_images(listing), *beside.facts])
    formats = {one.format for one in combined.chosen}
    others = tuple(one for one in looked.found if one.format not in formats)
    suspects = find_suspects(listing, combined.images, combined.taken | records | beside.files)
    for path in suspects.keys() & combined.given.keys():
        why = f"it does not read as {combined.given[path]}: `tundish run` reports what is wrong with it"
        suspects[path] = suspects[path]._replace(why=why)
    unread += by_kind(suspects)
    return Found(best, tuple(also), others, tuple(unread), (*looked.faults,), beside)


def _unread_images(listing: Listing) -> list[str]:
    kinds = Counter(suffix for path in listing.paths if (suffix := suffix_of(path)) in UNREAD_IMAGES)
    if not kinds:
        return []
    named = ", ".join(f"{suffix} {count}" for suffix, count in sorted(kinds.items()))
    return [f"{counted(kinds.total(), 'image')} of kinds that are not read ({named}): convert them to PNG"]


def _beside(listing: Listing, members: Mapping[str, Entry], images: Sequence[str]) -> Beside:
    given, facts = find_given(listing, images)
    beside = Beside(facts=facts)
    if given is not None:
        sizes = {path: entry.size for path, entry in members.items()}
        keep, judged = judge_given(given, images, sizes, listing.read)
        beside = Beside(given.given, keep=keep, facts=[*judged, *facts])
    if (derived := find_derived(images, listing.read)) is not None:
        facts = [*beside.facts, *derived.facts]
        beside = replace(beside, keys={KEY: derived.pattern}, facts=facts)
    found = find_targets(listing, images)
    return replace(beside, targets=found.targets, facts=[*beside.facts, *found.facts])


def _read(entry: Entry, source: Path) -> bytes:
    try:
        return entry.read()
    except (EntryFault, EntryUnavailable) as problem:
        raise SourceError(
            f"'{entry.path}' cannot be read ({problem.message})",
            where=str(source),
            fix="grant access to it, or move it away, and add the source again",
        ) from problem
