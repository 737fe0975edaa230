"""Looks at a folder or an archive of images: which label format its files speak for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tundish.errors import SourceError
from tundish.formats.base import Listing, Options, parts_of, suffix_of
from tundish.formats.masks.look import mask_patterns
from tundish.formats.masks.rules import rules_of
from tundish.formats.reading.match import is_split, split_of, stated_name
from tundish.formats.reading.sniffing import UNREAD_IMAGES, counted, sample
from tundish.formats.reading.text import decode_text
from tundish.formats.registry import Look, load_reader, look
from tundish.imaging.files.pages import count_pages
from tundish.sources.files import ARCHIVE_SUFFIXES, Entry, EntryFault, EntryUnavailable, open_source
from tundish.tabular.files.open import TABLE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tundish.formats.base import Evidence

__all__ = ["examine"]

_PAGED = frozenset({".tif", ".tiff", ".gif", ".webp"})
"""Suffixes of files that may hold several pages or frames."""
_PAGED_SEEN = 100
_BY_PATH = frozenset({"folders", "class-in-name"})
"""Formats whose labels are about every page of a file."""


def examine(source: Path) -> Look:
    """What suggests each label format that a source may be in.

    Args:
        source: A folder, a zip or a tar.

    Returns:
        At least one format, the best first, and what is wrong with formats of installed packages.

    Raises:
        SourceError: It cannot be opened, one of its label files cannot be read, or it holds no images.
    """
    with open_source(source) as entries:
        members = {entry.path: entry for entry in entries if entry.fault is None}
        listing = Listing(sorted(members), lambda path: _read(members[path], source))
        looked = look(listing)
        looked = looked._replace(found=_with_facts(_without_masks(looked.found, listing), listing))
    if not members:
        raise SourceError(
            "the source holds no files", where=str(source), fix="name the folder with the images"
        )
    if not looked.found:
        raise SourceError(
            f"none of its {len(members):,} files is an image", where=str(source), fix=_instead(members)
        )
    return looked


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


def _with_facts(found: list[Evidence], listing: Listing) -> list[Evidence]:
    """The evidence, with what else a person should know of the source in the facts of the best."""
    if not found:
        return found
    best, *others = found
    pages, about = _several_pages(best, listing)
    return [
        replace(
            best,
            pages=pages,
            facts=[
                *best.facts,
                *about,
                *_unread_images(listing),
                *_unread_archives(listing),
                *_given_splits(best, listing),
            ],
        ),
        *others,
    ]


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


def _unread_images(listing: Listing) -> list[str]:
    kinds = Counter(suffix for path in listing.paths if (suffix := suffix_of(path)) in UNREAD_IMAGES)
    if not kinds:
        return []
    named = ", ".join(f"{suffix} {count}" for suffix, count in sorted(kinds.items()))
    return [
        f"{counted(kinds.total(), 'image')} of kinds that cannot be decoded here ({named}): convert to PNG"
    ]


def _unread_archives(listing: Listing) -> list[str]:
    kinds = Counter(suffix for path in listing.paths if (suffix := suffix_of(path)) in ARCHIVE_SUFFIXES)
    if not kinds:
        return []
    named = ", ".join(f"{suffix} {count}" for suffix, count in sorted(kinds.items()))
    return [f"{counted(kinds.total(), 'archive')} inside it not read ({named}): unpack them"]


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
