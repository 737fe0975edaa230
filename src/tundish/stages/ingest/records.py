"""Files of records: found by name, folder or pattern, or queried from a database; stored in parts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tundish.sources.files import Entry, EntryFault, EntryUnavailable
from tundish.sources.patterns import files_of
from tundish.stages.ingest.intake import Taken
from tundish.stages.ingest.query import Answer, ask
from tundish.storage.shards import image_id_of, write_parts
from tundish.tabular.files.open import is_table_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tundish.recipe.sections import Query, Records
    from tundish.stages.base import Context

__all__ = ["RecordEntry", "query_answer", "record_files", "take_record"]

_READ = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEntry(Entry):
    """A file of records with its path, as it is read in parts."""

    file: Path


def record_files(context: Context, section: Records) -> list[RecordEntry] | None:
    """Find the files of one table of records, in path order; None where nothing exists at that path.

    A file that the recipe names is taken whatever its suffix; from a folder only files that may be tables.
    """
    place = context.dataset.locate(section.path or "")
    named = place.is_file()
    found = files_of(place)
    return None if found is None else [_entry(each, short, named=named) for each, short in found]


def query_answer(
    context: Context, name: str, query: Query, known: Iterable[dict[str, Any]]
) -> tuple[list[RecordEntry], Answer] | None:
    """Query the database of one table of records; None where the environment does not name it.

    Args:
        context: The run.
        name: The table of records.
        query: Its section of the recipe.
        known: The latest rows of the table `files`.

    Returns:
        The new file, if any, and what else the answer consists of.
    """
    shards = context.dataset.record_shards
    stored = [
        (row["path"], shards / f"{row['shard']}.parquet")
        for row in known
        if row["source"] == name and row["outcome"] == "accepted"
    ]
    answer = ask(query, name, context.dataset.root / ".query", stored)
    if answer is None:
        return None
    return ([] if answer.file is None else [_entry(answer.file, answer.file.name, named=True)]), answer


def _entry(path: Path, name: str, *, named: bool) -> RecordEntry:
    facts = path.stat()
    stamp = f"{facts.st_size}-{facts.st_mtime_ns}"
    fault = None
    if not named and path.name.startswith((".", "~$")):
        fault = EntryFault("system_file", "a hidden file, or the lock of an open workbook")
    elif not named and not is_table_name(path.name) and path.suffix.lower() != ".zip":
        fault = EntryFault("not_for_this_format", "its name is not that of a table")
    return RecordEntry(name, facts.st_size, stamp, path.read_bytes, fault, fault is not None, file=path)


def take_record(context: Context, entry: RecordEntry) -> Taken:
    """Copy a file of records into the store, part by part: it may be larger than the memory."""
    if entry.fault is not None:
        return Taken(entry, "record", fault=entry.fault)
    shard = None
    try:
        digest = hashlib.sha256()
        for chunk in _chunks(entry.file):
            digest.update(chunk)
        sha256 = digest.hexdigest()
        if entry.size:
            shard = write_parts(context.dataset.record_shards, image_id_of(sha256), _chunks(entry.file))
    except EntryUnavailable as fault:
        return Taken(entry, "record", unavailable=fault.message)
    return Taken(entry, "record", sha256=sha256, shard=shard)


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file in pieces; an error here concerns the file, not the store."""
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_READ):
                yield chunk
    except OSError as error:
        raise EntryUnavailable(error.strerror or str(error)) from error
