"""ingest: take new files into the store, and say of every file of the sources what became of it.

`raw/` is a landing zone: what was taken in stays in the store when the file is moved away, and a clone
without `raw/` runs from the store. A file that changed under its name is taken in again; the later version
counts.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import orjson

from tundish.engine import each
from tundish.errors import OutsideError, SourceError
from tundish.formats.base import Options
from tundish.formats.registry import load_reader
from tundish.sources.files import Entry, EntryFault, EntryUnavailable, is_archive, open_source
from tundish.stages.base import Context, Outcome, Stage
from tundish.stages.ingest.intake import PACKED, Intake, Taken
from tundish.stages.ingest.records import record_files, take_record
from tundish.storage.table import write_atomically
from tundish.storage.versions import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tundish.recipe.sections import Records, Source

E = TypeVar("E", bound=Entry)

_UNREADABLE = "unreadable"
"""Reason that earlier versions gave to a file they could not read once; such a file is read again."""

__all__ = ["STAGE"]


def _run(context: Context) -> Outcome:
    # DVC wants what a stage depends on to be there: the labels before the first pull too.
    context.dataset.labels.mkdir(parents=True, exist_ok=True)
    intake = Intake(context)
    seen_path = context.dataset.root / ".seen.json"
    seen = _read_seen(seen_path)
    now_seen: dict[str, dict[str, str]] = {}
    notes: list[str] = []
    for source in context.recipe.sources:
        stamps = now_seen.setdefault(source.label, {})
        notes += _take_source(context, source, intake, _remembered(seen, source.label, intake), stamps)
    for name, section in context.recipe.records.items():
        stamps = now_seen.setdefault(name, {})
        notes += _take_records(context, name, section, intake, _remembered(seen, name, intake), stamps)
    if gone := intake.let_go(
        {source.label for source in context.recipe.sources} | set(context.recipe.records)
    ):
        notes.append(f"{gone:,} files are of a source that the recipe no longer names: skipped")
    intake.close(context.dataset.store)
    for label, path, _ in intake.unavailable:
        now_seen[label].pop(path, None)
    write_atomically(seen_path, orjson.dumps(now_seen, option=orjson.OPT_SORT_KEYS))
    write_atomically(
        context.dataset.root / "steps.json", orjson.dumps(VERSIONS, option=orjson.OPT_APPEND_NEWLINE)
    )
    _check_available(intake)
    return _outcome(intake, notes)


def _check_available(intake: Intake) -> None:
    """Fail where files could not be read: that they are busy or out of reach says nothing about them.

    Everything else was taken in, so the next run reads only these.
    """
    if intake.unavailable:
        count = len(intake.unavailable)
        label, path, message = intake.unavailable[0]
        raise OutsideError(
            f"{count:,} file{'s' * (count > 1)} could not be read, such as '{path}' ({message.lower()});"
            " the others were taken in",
            where=label,
            fix="make them readable or remove them from the source, and run again",
        )


def _remembered(seen: dict[str, dict[str, str]], label: str, intake: Intake) -> dict[str, str]:
    """Stamps of the files that need not be looked at again."""
    known = {
        path
        for (source, path), row in intake.known.items()
        if source == label and row["reason"] != _UNREADABLE
    }
    return {path: stamp for path, stamp in seen.get(label, {}).items() if path in known}


def _read_seen(path: Path) -> dict[str, dict[str, str]]:
    """The stamps of the files seen last time; only a shortcut, so a damaged one is as good as none."""
    try:
        seen = orjson.loads(path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return seen if isinstance(seen, dict) else {}


def _take_source(
    context: Context, source: Source, intake: Intake, remembered: dict[str, str], stamps: dict[str, str]
) -> list[str]:
    # Normalised by text: before the first run there is no dataset folder for '..' to lead out of.
    path = Path(os.path.normpath(context.dataset.root / source.path))
    label = source.label
    have = any(name == label for name, _ in intake.known)
    if not path.exists() and have:
        return [f"{source.path} is not here: going on from the store"]
    if not path.exists():
        raise SourceError(
            "the source is not here",
            where=str(path),
            fix="put the files there, or mend sources[].path in the recipe",
        )
    count = 0
    with open_source(path) as entries:
        fresh = _fresh(entries, remembered, stamps, intake)
        for taken in _taken(fresh, source, parallel=not is_archive(path)):
            intake.take(label, taken)
            count += 1
            context.progress(count, 0)
    if not stamps and not have:
        raise SourceError(
            "the source holds no files", where=str(path), fix="put the files there and run again"
        )
    return []


def _take_records(
    context: Context,
    name: str,
    section: Records,
    intake: Intake,
    remembered: dict[str, str],
    stamps: dict[str, str],
) -> list[str]:
    entries = record_files(context, name, section)
    have = any(source == name for source, _ in intake.known)
    if entries is None and have:
        return [f"the records '{name}' are not here: going on from the store"]
    if entries is None:
        raise SourceError(
            "the records are not here",
            where=section.path or f"${section.sql.connection if section.sql else ''}",
            fix=f"put the file there, or mend records.{name} in the recipe",
        )
    for entry in _fresh(entries, remembered, stamps, intake):
        intake.take(name, take_record(context, entry))
    if section.sql is not None:
        entries[0].file.unlink()
    return []


def _fresh(
    entries: Iterable[E], remembered: dict[str, str], stamps: dict[str, str], intake: Intake
) -> Iterator[E]:
    """Entries that are not known to be as they were."""
    for entry in entries:
        stamps[entry.path] = entry.stamp
        if remembered.get(entry.path) == entry.stamp:
            intake.unchanged += 1
        else:
            yield entry


def _taken(entries: Iterable[Entry], source: Source, *, parallel: bool) -> Iterator[Taken]:
    """Entries read and digested: files on threads; the members of an archive one after the other."""
    form = load_reader(source.format)
    options = Options(names=source.names, extra=source.options)

    def take(entry: Entry) -> Taken:
        kind = form.role(entry.path, options)
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
        return Taken(entry, kind, data, hashlib.sha256(data).hexdigest())

    return each(take, entries) if parallel else map(take, entries)


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
