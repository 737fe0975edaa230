"""ingest: add new files to the store, and record the outcome of every file of the sources.

`raw/` is a landing zone: what was ingested stays in the store when the file is moved away, and a clone
without `raw/` runs from the store. A file that changed under its name is ingested again; the later version
counts.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sized
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import orjson

from tundish.engine import each
from tundish.errors import OutsideError, SourceError
from tundish.formats.base import Options, suffix_of
from tundish.formats.masks.rules import rules_of
from tundish.formats.reading.sniffing import UNREAD_IMAGES
from tundish.formats.registry import load_reader
from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.pages import count_pages
from tundish.imaging.files.split import split_pages
from tundish.sources.entry import UNKNOWN_SIZE
from tundish.sources.files import (
    ARCHIVE_SUFFIXES,
    Entry,
    EntryFault,
    EntryUnavailable,
    is_archive,
    open_source,
)
from tundish.stages.base import Context, Outcome, Stage
from tundish.stages.ingest.intake import PACKED, PAGES_TAKEN, SEVERAL_PAGES, Intake, Taken
from tundish.stages.ingest.records import query_answer, record_files, take_record
from tundish.storage.pages import file_of_page, page_path
from tundish.storage.seen import find_gone, read_seen, write_seen
from tundish.storage.table import write_atomically
from tundish.storage.versions import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from tundish.formats.masks.rules import Rule
    from tundish.recipe.sections import Query, Records, Source
    from tundish.storage.seen import Seen

E = TypeVar("E", bound=Entry)

_MASK = EntryFault("unread_mask", "a mask beside its photograph, by the source's options.masks")
_UNREAD_KIND = EntryFault("unread_kind_of_image", "an image of a kind that is not read")

_ARCHIVE = EntryFault("unread_archive", "an archive inside the source: unpack it")

_AGAIN = frozenset({"unreadable", _UNREAD_KIND.reason, _ARCHIVE.reason})
"""Reasons that earlier versions gave to what may be readable now; such a file is looked at again."""

_UNAVAILABLE = ""
"""The stamp of a file that is there and could not be read: no file has it, so it is read again."""

_KEPT = "kept"
"""The stamp of a part that an earlier run has read from a database: its rows are not read again."""

__all__ = ["STAGE"]


def _run(context: Context) -> Outcome:
    # DVC requires that the dependencies of a stage exist: also the labels before the first pull.
    context.dataset.labels.mkdir(parents=True, exist_ok=True)
    intake = Intake(context)
    seen = read_seen(context.dataset)
    now_seen: Seen = {}
    notes: list[str] = []
    for source in context.recipe.sources:
        notes += _take_source(context, source, intake, seen, now_seen)
    for name, section in context.recipe.records.items():
        notes += _take_records(context, name, section, intake, seen, now_seen)
    if gone := intake.let_go(
        {source.label for source in context.recipe.sources} | set(context.recipe.records)
    ):
        notes.append(f"{gone:,} files belong to a source that the recipe no longer names: skipped")
    intake.close(context.dataset.store)
    for label, path, _ in intake.unavailable:
        now_seen[label][path] = _UNAVAILABLE
    write_seen(context.dataset, now_seen)
    notes += _gone_notes(context, seen)
    if intake.lost.restored:
        notes.append(f"{intake.lost.restored:,} shards that the store had lost were packed again")
    write_atomically(
        context.dataset.root / "steps.json", orjson.dumps(VERSIONS, option=orjson.OPT_APPEND_NEWLINE)
    )
    _check_available(intake)
    intake.lost.check()
    return _outcome(intake, notes)


def _check_available(intake: Intake) -> None:
    """Fail where files could not be read: a busy or unreachable file is not a verdict on its content.

    All others were ingested, so that the next run reads only these.
    """
    if intake.unavailable:
        count = len(intake.unavailable)
        label, path, message = intake.unavailable[0]
        raise OutsideError(
            f"{count:,} file{'s' * (count > 1)} could not be read, such as '{path}' ({message.lower()});"
            " the others were ingested",
            where=label,
            fix="make them readable or remove them from the source, and run again",
        )


def _remembered(
    seen: Seen, label: str, intake: Intake, other: str = "", facts: Collection[str] = ()
) -> dict[str, str]:
    """Stamps of the files that need no second look; one that the recipe names only now does.

    `other` is the reason of those that were taken in another way.
    """
    lost = {(source, name) for source, path in intake.lost.files for name in (path, file_of_page(path))}
    again = {*_AGAIN, other}
    known = {
        path
        for (source, path), row in intake.known.items()
        if source == label
        and row["reason"] not in again
        and (source, path) not in lost
        and not (path in facts and row["kind"] == "other")
    }
    return {path: stamp for path, stamp in seen.get(label, {}).items() if path in known}


def _gone_notes(context: Context, before: Seen) -> list[str]:
    """A note on files that were deleted at their source since the run before."""
    gone = find_gone(context.dataset, before=before)
    if gone is None:
        return []
    examples = ", ".join(gone.examples)
    note = (
        f"source_gone: no longer at their source since the run before: {gone.kinds}, such as {examples}; they"
        " stay in the dataset, from the store: put them back, or refuse them by a rule in schemas/images.py"
    )
    return [note]


def _take_source(context: Context, source: Source, intake: Intake, seen: Seen, now_seen: Seen) -> list[str]:
    # Normalised as text: before the first run the folder of the dataset, which '..' leaves, does not exist.
    path = Path(os.path.normpath(context.dataset.root / source.path))
    label = source.label
    have = any(name == label for name, _ in intake.known)
    if not path.exists() and have:
        _keep_stamps(seen, label, now_seen)
        return [f"{source.path} does not exist: continuing from the store"]
    if not path.exists():
        raise SourceError(
            "the source does not exist",
            where=str(path),
            fix="put the files there, or fix sources[].path in the recipe; in a clone, run 'dvc pull' first",
        )
    stamps = now_seen.setdefault(label, {})
    with open_source(path) as entries:
        watched = _watched(entries, context.progress)
        facts = context.recipe.facts(source)
        other = SEVERAL_PAGES if source.pages == "each" else PAGES_TAKEN
        fresh = _fresh(watched, _remembered(seen, label, intake, other, facts), stamps, intake)
        for one, *pages in _read_entries(fresh, source, facts, parallel=not is_archive(path)):
            for taken in (one, *pages):
                intake.take(label, taken)
            if one.kind == "image" and one.unavailable is None:
                intake.drop_pages(label, one.entry.path, {page.entry.path for page in pages})
    if not stamps and not have:
        raise SourceError(
            "the source contains no files", where=str(path), fix="put the files there and run again"
        )
    return []


def _keep_stamps(seen: Seen, label: str, now_seen: Seen) -> None:
    """Of a source that is not here now nothing is known but what it had when it was seen last."""
    if label in seen:
        now_seen[label] = seen[label]


def _take_records(
    context: Context, name: str, section: Records, intake: Intake, seen: Seen, now_seen: Seen
) -> list[str]:
    if section.sql is not None:
        return _take_answer(context, name, section.sql, intake, seen, now_seen)
    entries = record_files(context, section)
    have = any(source == name for source, _ in intake.known)
    if entries is None and have:
        _keep_stamps(seen, name, now_seen)
        return [f"the records '{name}' do not exist: continuing from the store"]
    if entries is None:
        raise SourceError(
            "the records do not exist",
            where=section.path or "",
            fix=f"put the file there, or fix records.{name} in the recipe",
        )
    stamps = now_seen.setdefault(name, {})
    for entry in _fresh(entries, _remembered(seen, name, intake), stamps, intake):
        intake.take(name, take_record(context, entry))
    return []


def _take_answer(
    context: Context, name: str, query: Query, intake: Intake, seen: Seen, now_seen: Seen
) -> list[str]:
    """Take what a database answered: one file, or a part beside those of earlier runs."""
    found = query_answer(context, name, query, intake.known.values())
    if found is None and any(source == name for source, _ in intake.known):
        _keep_stamps(seen, name, now_seen)
        return [f"${query.connection} is not set, so the records '{name}' continue from the store"]
    if found is None:
        raise SourceError(
            "the environment names no database for these records",
            where=f"${query.connection}",
            fix=f"set it to the address of the database, or fix records.{name} in the recipe",
        )
    entries, answer = found
    now_seen[name] = dict.fromkeys(answer.kept, _KEPT)
    intake.unchanged += len(answer.kept)
    for entry in entries:
        now_seen[name][entry.path] = entry.stamp
        intake.take(name, take_record(context, entry))
        entry.file.unlink()
    intake.replace(name, set(now_seen[name]))
    return []


def _watched(entries: Iterable[Entry], progress: Callable[[int, int], None]) -> Iterator[Entry]:
    """The entries, while progress counts how many were looked at; a tar does not know its total."""
    total = len(entries) if isinstance(entries, Sized) else 0
    for done, entry in enumerate(entries):
        progress(done, total)
        yield entry
    progress(total, total)


def _fresh(
    entries: Iterable[E], remembered: dict[str, str], stamps: dict[str, str], intake: Intake
) -> Iterator[E]:
    """Entries that are new or may have changed."""
    for entry in entries:
        stamps[entry.path] = entry.stamp
        if remembered.get(entry.path) == entry.stamp:
            intake.unchanged += 1
        else:
            yield entry


def _read_entries(
    entries: Iterable[Entry], source: Source, facts: Collection[str], *, parallel: bool
) -> Iterator[list[Taken]]:
    """Read and digest entries: files on threads; the members of an archive one after the other.

    Each gives itself, and behind it its pages where the recipe wants each.
    """
    form = load_reader(source.format)
    options = Options(names=source.names, extra=source.options)
    masks = rules_of(source.options.get("masks", ""))

    def take(entry: Entry) -> Taken:
        kind = _kind(entry.path, form.role(entry.path, options), source, facts)
        unread = _unread(entry.path, kind, masks)
        if unread is not None and entry.fault is None:
            return Taken(replace(entry, skipped=True), "other", fault=unread)
        if entry.fault is not None:
            return Taken(entry, kind, fault=entry.fault)
        if kind not in PACKED:
            return Taken(entry, kind)
        try:
            data = entry.read()
        except EntryFault as fault:
            return Taken(entry, kind, fault=fault)
        except EntryUnavailable as fault:
            return Taken(entry, kind, unavailable=fault.message)
        known = entry if entry.size != UNKNOWN_SIZE else replace(entry, size=len(data))
        return Taken(known, kind, data, hashlib.sha256(data).hexdigest())

    def take_pages(entry: Entry) -> list[Taken]:
        taken = take(entry)
        if source.pages == "each" and taken.kind == "image" and count_pages(taken.data) > 1:
            return list(_pages(taken))
        return [taken]

    return each(take_pages, entries) if parallel else map(take_pages, entries)


def _kind(path: str, role: str, source: Source, facts: Collection[str]) -> str:
    """The kind of a file: what its format says, but for those that the recipe names for something else."""
    if path in source.given.lists and suffix_of(path) != ".json":
        return "facts"  # a list of images, which YOLO would read for labels
    return "facts" if role == "other" and path in facts else role


def _pages(taken: Taken) -> Iterator[Taken]:
    """A file of several pages as skipped, and its pages as images; quarantined where one is damaged."""
    entry = taken.entry
    try:
        pages = list(split_pages(taken.data))
    except BadImage as fault:
        yield Taken(entry, "image", fault=EntryFault(fault.reason, fault.message))
        return
    done = EntryFault(PAGES_TAKEN, "its pages came in as images of their own")
    yield Taken(replace(entry, skipped=True), "image", fault=done)
    for number, data in enumerate(pages, 1):
        page = replace(entry, path=page_path(entry.path, number), size=len(data))
        yield Taken(page, "image", data, hashlib.sha256(data).hexdigest())


def _unread(path: str, kind: str, masks: Sequence[Rule]) -> EntryFault | None:
    """Why a picture is neither a photograph nor a label of this source; None where it is, or no picture."""
    if kind == "image" and any(rule.stem_of(path) is not None for rule in masks):
        return _MASK
    if kind != "other":
        return None
    if suffix_of(path) in ARCHIVE_SUFFIXES:
        return _ARCHIVE
    return _UNREAD_KIND if suffix_of(path) in UNREAD_IMAGES else None


def _outcome(intake: Intake, notes: list[str]) -> Outcome:
    by_outcome = Counter(str(row["outcome"]) for row in intake.rows)
    images = {row["image_id"] for row in intake.rows if row.get("image_id")}
    counts = {
        "new files": len(intake.rows),
        "accepted": by_outcome["accepted"],
        "quarantined": by_outcome["quarantined"],
        "skipped": by_outcome["skipped"],
        "unchanged": intake.unchanged,
        "images in them": len(images),
        "new shards": sum(len(packer.shards) for packer in intake.packers.values()),
    }
    return Outcome(counts, notes)


STAGE = Stage(
    name="ingest",
    reads=(),
    writes=("store", "steps.json"),
    depends=("sources",),
    run=_run,
    persist=("store",),
)
