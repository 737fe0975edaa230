"""ingest: add new files to the store, and record the outcome of every file of the sources.

`raw/` is a landing zone: what was ingested stays in the store when the file is moved away, and a clone
without `raw/` runs from the store. A file that changed under its name is ingested again; the later version
counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sized
from typing import TYPE_CHECKING, TypeVar

import orjson

from tundish.engine import each
from tundish.errors import OutsideError, SourceError
from tundish.formats.base import suffix_of
from tundish.sources.files import Entry, is_archive, open_source
from tundish.stages.base import Context, Outcome, Stage
from tundish.stages.ingest.intake import Intake
from tundish.stages.ingest.labels import UNREAD_LABELS, Taking, paths_of_records
from tundish.stages.ingest.records import query_answer, record_files, take_record
from tundish.stages.parts import parts_of_source
from tundish.storage.pages import file_of_page
from tundish.storage.seen import find_gone, read_seen, write_seen
from tundish.storage.table import write_atomically
from tundish.storage.versions import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tundish.recipe.sections import Query, Records, Source
    from tundish.storage.seen import Seen

E = TypeVar("E", bound=Entry)

_UNREADABLE = "unreadable"
"""The reason that earlier versions gave to an unreadable file; such a file is read again."""

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
    return _outcome(intake, [*notes, *_of_unread_labels(intake)])


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


def _remembered(seen: Seen, label: str, intake: Intake, taking: Taking | None = None) -> dict[str, str]:
    """Stamps of the files that need no second look."""
    lost = {(source, name) for source, path in intake.lost.files for name in (path, file_of_page(path))}
    known = {
        path
        for (source, path), row in intake.known.items()
        if source == label
        and row["reason"] != _UNREADABLE
        and (source, path) not in lost
        and (taking is None or taking.is_settled(path, row["kind"], row["reason"]))
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
    path = context.dataset.locate(source.path)
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
    taking = _taking(context, source, path)
    remembered = _remembered(seen, label, intake, taking)
    waiting = []
    with open_source(path) as entries:
        if isinstance(entries, Sized):
            taking.know(entry.path for entry in entries)
        fresh = _fresh(_watched(entries, context.progress), remembered, stamps, intake)
        # Files on threads; the members of an archive one after the other.
        for one, *pages in map(taking.take, fresh) if is_archive(path) else each(taking.take, fresh):
            if one.doubtful:
                waiting.append(one)
                continue
            for taken in (one, *pages):
                intake.take(label, taken)
            if one.kind == "image" and one.unavailable is None:
                intake.drop_pages(label, one.entry.path, {page.entry.path for page in pages})
    for taken in taking.settle(waiting, stamps):
        intake.take(label, taken)
    if not stamps and not have:
        raise SourceError(
            "the source contains no files", where=str(path), fix="put the files there and run again"
        )
    return []


def _taking(context: Context, source: Source, path: Path) -> Taking:
    """How the files of a source are taken, by the recipe."""
    masks = source.options.get("masks", "")
    records = paths_of_records(context, path)
    named = context.recipe.facts(source), frozenset(source.given.lists)
    return Taking(parts_of_source(source), masks, records, *named, pages=source.pages)


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
    return _late_notes(name, query, answer.late)


def _late_notes(name: str, query: Query, late: int) -> list[str]:
    """A note on rows that lie before what a run reads and that no run has read."""
    if not late:
        return []
    fix = "a larger 'overlap'" if query.overlap else "'overlap: 1d'"
    before = f"their '{query.since}' is before what earlier runs have read, and no run has read them"
    note = f"at least {late:,} rows of '{name}' came late: {before}"
    return [f"{note}; {fix} finds such rows, a changed query reads all again"]


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


def _of_unread_labels(intake: Intake) -> list[str]:
    """The sentence on files that may be labels and are not read, of those that are new in this run."""
    paths = sorted(str(row["path"]) for row in intake.rows if row["reason"] == UNREAD_LABELS)
    if not paths:
        return []
    if len(paths) == 1:
        return [f"a file that may be labels is not read: {paths[0]}"]
    kinds = Counter(suffix_of(path) or "no suffix" for path in paths)
    named = ", ".join(f"{suffix} {count:,}" for suffix, count in sorted(kinds.items()))
    return [f"{len(paths):,} files that may be labels are not read ({named}), such as {paths[0]}"]


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
