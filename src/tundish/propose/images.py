"""Looks at a folder or an archive of images: which label format its files speak for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tundish.errors import SourceError
from tundish.formats.base import Listing, Options, suffix_of
from tundish.formats.masks.look import mask_patterns
from tundish.formats.masks.rules import rules_of
from tundish.formats.reading.sniffing import UNREAD_IMAGES, counted
from tundish.formats.registry import Look, load_reader, look
from tundish.propose.beside import Beside, Examined
from tundish.propose.derived import KEY, find_derived
from tundish.propose.given import find_given, judge_given
from tundish.propose.targets import find_targets
from tundish.sources.files import Entry, EntryFault, EntryUnavailable, is_archive, open_source
from tundish.sources.rows import is_columnar
from tundish.tabular.files.open import TABLE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tundish.formats.base import Evidence

__all__ = ["examine"]


def examine(source: Path) -> Examined:
    """What suggests each label format that a source may be in.

    Args:
        source: A folder, a zip or a tar.

    Returns:
        At least one format, the best first, what is wrong with formats of installed packages, and what is
        given beside the labels.

    Raises:
        SourceError: It cannot be opened, one of its label files cannot be read, or it holds no images.
    """
    with open_source(source) as entries:
        members = {entry.path: entry for entry in entries if entry.fault is None}
        listing = Listing(sorted(members), lambda path: _read(members[path], source))
        looked = look(listing)
        looked = looked._replace(found=_without_masks(looked.found, listing))
        if looked.found:
            return _examined(looked, listing, members, _images(looked.found[0], listing))
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
    tables = sorted(path for path in members if suffix_of(path) in TABLE_SUFFIXES)
    raise SourceError(
        f"none of its {len(members):,} files is an image",
        where=str(source),
        fix=f"add a table by its own path, such as '{tables[0]}'"
        if tables
        else "name the folder that holds the images and their labels",
    )


def _without_masks(found: list[Evidence], listing: Listing) -> list[Evidence]:
    """The evidence; where the best format would take masks for photographs, with the option against it."""
    if not found or found[0].format == "masks" or "masks" not in {one.format for one in found}:
        return found
    best, *others = found
    reader, options = load_reader(best.format), Options(best.names, best.extra)
    images = [path for path in listing.paths if reader.role(path, options) == "image"]
    patterns = mask_patterns(listing, images)
    count = sum(any(rule.stem_of(path) is not None for rule in rules_of(patterns)) for path in images)
    if not count:
        return found
    fact = f"{counted(count, 'mask')} ('{patterns}') are not photographs: not read, kept out of the images"
    return [replace(best, facts=[*best.facts, fact], extra={**best.extra, "masks": patterns}), *others]


def _examined(
    looked: Look, listing: Listing, members: Mapping[str, Entry], images: Sequence[str]
) -> Examined:
    """What the formats found, with what else a person should know of the source in the facts of the best."""
    best, *others = looked.found
    beside = _beside(listing, members, images)
    facts = [*best.facts, *_unread_images(listing), *beside.facts]
    return Examined([replace(best, facts=facts), *others], looked.faults, beside)


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


def _images(best: Evidence, listing: Listing) -> list[str]:
    """Paths of the images, without masks."""
    reader, options = load_reader(best.format), Options(best.names, best.extra)
    masks = rules_of(best.extra.get("masks", ""))
    return [
        path
        for path in listing.paths
        if reader.role(path, options) == "image" and all(rule.stem_of(path) is None for rule in masks)
    ]


def _unread_images(listing: Listing) -> list[str]:
    kinds = Counter(suffix for path in listing.paths if (suffix := suffix_of(path)) in UNREAD_IMAGES)
    if not kinds:
        return []
    named = ", ".join(f"{suffix} {count}" for suffix, count in sorted(kinds.items()))
    return [f"{counted(kinds.total(), 'image')} of kinds that are not read ({named}): convert them to PNG"]


def _read(entry: Entry, source: Path) -> bytes:
    try:
        return entry.read()
    except (EntryFault, EntryUnavailable) as problem:
        raise SourceError(
            f"'{entry.path}' cannot be read ({problem.message})",
            where=str(source),
            fix="grant access to it, or move it away, and add the source again",
        ) from problem
