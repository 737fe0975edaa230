"""Query a database for records, and write the answer to a Parquet file, batch by batch.

With `since` only rows at or after the last mark, less the overlap, are read. Each run that finds new ones
writes one part; parts before stay as they are. A part is named by the query it belongs to, so that another
query starts from the beginning.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import os
import tempfile
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tundish.errors import UsageError
from tundish.stages.ingest.database import Database
from tundish.stages.link.plan import seconds as seconds_of
from tundish.storage.shards import copy_parts
from tundish.storage.table import naming, replacing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tundish.recipe.sections import Query

__all__ = ["Answer", "ask"]

_DECIMAL = pa.decimal128(38, 9)
"""What a mark of PostgreSQL's type numeric becomes: it comes as text, which does not sort as numbers do."""


@dataclass(frozen=True)
class Answer:
    """What a database answered.

    Attributes:
        file: The rows that are new, as Parquet; None where there are none.
        kept: Names of the parts of earlier runs that still count.
        late: How many rows at least lie before what was read, and no run has read them: they came late.
    """

    file: Path | None
    kept: tuple[str, ...] = ()
    late: int = 0


@dataclass(frozen=True)
class _Mark:
    """How far earlier runs have read.

    Attributes:
        value: The greatest value of the mark column so far, less the overlap; None where nothing was read.
        at: Hashes of the rows that have it or a greater one.
    """

    value: object = None
    at: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.UInt64))


def ask(query: Query, name: str, folder: Path, stored: Sequence[tuple[str, Path]]) -> Answer | None:
    """Write what the query answers to a file in `folder`; None where the environment names no database.

    Args:
        query: The section of the recipe.
        name: The table of records.
        folder: Where the answer is written.
        stored: Name and shard of each file that earlier runs stored for this table and that still counts.

    Raises:
        UsageError: No driver for that database is installed, the answer has no such mark column, or a row
            has no mark.
        OutsideError: The database cannot be reached, refuses the query, or is lost while it is read.
    """
    connection = os.environ.get(query.connection)
    if not connection:
        return None
    database = Database(connection, query.connection, f"records.{name}.sql")
    if query.since is None:
        file = folder / f"{name}.parquet"
        _write(database, query, name, _Mark(), file)
        return Answer(file)
    prefix = _prefix(query, name)
    parts = sorted((path, shard) for path, shard in stored if path.startswith(prefix))
    shards = [shard for _, shard in parts]
    mark = _last_mark(query.since, shards, folder)
    if query.overlap is not None and mark.value is not None:
        mark = _earlier_mark(query, name, shards, folder)
    kept = tuple(path for path, _ in parts) if mark.value is not None else ()
    file = folder / f"{prefix}{len(kept) + 1:05d}.parquet"
    rows = _write(database, query, name, mark, file)
    late = _late(database, query, mark, shards) if kept else 0
    if kept and not rows:
        file.unlink()
        return Answer(None, kept, late)
    return Answer(file, kept, late)


def _late(database: Database, query: Query, mark: _Mark, shards: Sequence[Path]) -> int:
    """How many more rows the database has before the mark than were read; updates and deletions lower it."""
    inner = query.query.rstrip().removesuffix(";")
    where = f"{database.quoted(str(query.since))} < {_literal(mark.value)}"
    asked = f"select count(*) from (\n{inner}\n) answer where {where}"  # noqa: S608  (the recipe's own query)
    with database.answer(asked) as (_, batches):
        there = sum(int(value) for batch in batches for value in batch.column(0).to_pylist())
    return max(there - sum(map(_rows_of, shards)) + len(mark.at), 0)


def _rows_of(shard: Path) -> int:
    """The rows of a stored Parquet file, by the end of it: the last part holds its footer."""
    end = b"".join(pl.scan_parquet(shard, glob=False).select("bytes").tail(2).collect()["bytes"])
    return int(pq.read_metadata(pa.BufferReader(end)).num_rows)


def _earlier_mark(query: Query, name: str, shards: Sequence[Path], folder: Path) -> _Mark:
    """The mark less the overlap, and all rows from there on: any part may have some."""
    since, found, marks = str(query.since), [], list[Any]()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        copies = [Path(scratch) / str(number) for number in range(len(shards))]
        for shard, copy in zip(shards, copies, strict=True):
            copy_parts(shard, copy)
            marks.append(pl.scan_parquet(copy, glob=False).select(pl.col(since).max()).collect().item())
        start = _less(max(one for one in marks if one is not None), str(query.overlap), name)
        for copy, mark in zip(copies, marks, strict=True):
            if mark is not None and mark >= start:
                rows = pl.scan_parquet(copy, glob=False).filter(pl.col(since) >= start)
                found.append(_hashes(rows.collect()))
    return _Mark(start, pl.concat(found))


def _less(mark: Any, overlap: str, name: str) -> Any:
    """A time, as such or as text, less a duration.

    Raises:
        UsageError: The mark is not a time.
    """
    back = dt.timedelta(seconds=seconds_of(overlap))
    if isinstance(mark, dt.datetime):
        return mark - back
    if isinstance(mark, dt.date):
        return mark - dt.timedelta(days=math.ceil(back / dt.timedelta(days=1)))
    try:
        time = dt.datetime.fromisoformat(str(mark)) - back
    except ValueError:
        raise UsageError(
            f"'{mark}' is not a time, so nothing can be taken off it",
            where=f"records.{name}.sql.overlap",
            fix="remove 'overlap', or let 'since' name a column of times",
        ) from None
    text = str(mark)
    return time.isoformat(sep=text[10] if len(text) > 10 else " ")[: max(len(text), 10)]


def _prefix(query: Query, name: str) -> str:
    text = f"{query.since}\0{query.query}"
    return f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}-"


def _newer(database: Database, query: Query, mark: _Mark) -> str:
    """The query for rows at or after the mark, and for those without one, which are refused."""
    inner = query.query.rstrip().removesuffix(";")
    if mark.value is None:
        return inner
    column = database.quoted(str(query.since))
    where = f"{column} >= {_literal(mark.value)} or {column} is null"
    return f"select * from (\n{inner}\n) answer where {where}"  # noqa: S608  (the recipe's own query)


def _literal(value: object) -> str:
    """A mark as SQL writes it."""
    if isinstance(value, int | float | Decimal):
        return str(value)
    text = value.isoformat(sep=" ") if isinstance(value, dt.datetime) else str(value)
    return "'" + text.replace("'", "''") + "'"


def _last_mark(since: str, shards: Sequence[Path], folder: Path) -> _Mark:
    """Find the mark of the last part, and all rows that have it: parts before may end at the same mark."""
    mark, found = None, []
    folder.mkdir(parents=True, exist_ok=True)
    for shard in reversed(shards):
        copy = folder / ".stored"
        copy_parts(shard, copy)
        try:
            column = pl.scan_parquet(copy, glob=False).select(pl.col(since).max())
            last = column.collect().item()
            mark = last if mark is None else mark
            if last is None or last != mark:
                break
            at = pl.scan_parquet(copy, glob=False).filter(pl.col(since) == pl.col(since).max())
            found.append(_hashes(at.collect()))
        finally:
            copy.unlink()
    return _Mark(mark, pl.concat(found)) if found else _Mark()


def _hashes(rows: pl.DataFrame) -> pl.Series:
    """Hash rows as text: SQLite takes types from the values, so that those of a later part may differ."""
    plain = rows.select(
        pl.col(name) if kind.is_nested() or kind == pl.Binary else pl.col(name).cast(pl.String)
        for name, kind in rows.schema.items()
    )
    return plain.select(pl.struct(pl.all()).hash()).to_series()


def _write(database: Database, query: Query, name: str, mark: _Mark, file: Path) -> int:
    """Write the answer without the rows that are known; return how many rows it has."""
    count = 0
    with database.answer(_newer(database, query, mark)) as (schema, batches):
        _check_since(query, name, schema)
        kinds = pa.schema([_plain_field(one, query.since) for one in schema])
        with (
            naming(file),
            replacing(file) as temporary,
            pq.ParquetWriter(temporary, kinds, compression="zstd") as writer,
        ):
            for batch in batches:
                rows = _plain_rows(batch, kinds)
                if query.since is not None:
                    _check_marks(query, name, rows)
                    rows = _without_known(rows, mark)
                count += rows.num_rows
                writer.write_batch(rows)
    return count


def _without_known(rows: pa.RecordBatch, mark: _Mark) -> pa.RecordBatch:
    """Remove the rows from the mark on that an earlier run has stored."""
    if mark.value is None or not rows.num_rows:
        return rows
    frame = pl.DataFrame(rows)
    known = _hashes(frame).is_in(mark.at.implode())
    return rows.filter(pa.array((~known).to_list(), pa.bool_())) if known.any() else rows


def _check_since(query: Query, name: str, schema: pa.Schema) -> None:
    if query.since is not None and query.since not in schema.names:
        raise UsageError(
            f"the answer of the query has no column '{query.since}'",
            where=f"records.{name}.sql.since",
            fix=f"it has: {', '.join(schema.names)}",
        )


def _check_marks(query: Query, name: str, rows: pa.RecordBatch) -> None:
    missing = rows.column(rows.schema.get_field_index(query.since)).null_count
    if missing:
        raise UsageError(
            f"{missing:,} rows have no '{query.since}', so nobody can say whether they are new;"
            " nothing was kept of this answer",
            where=f"records.{name}.sql.since",
            fix=f"let the query fill it, such as coalesce({query.since}, created_at), or omit those rows",
        )


def _plain_field(one: pa.Field, since: str | None) -> pa.Field:
    """A field of types that Parquet knows, without what the driver says about it."""
    kind = one.type
    if isinstance(kind, pa.OpaqueType) and kind.type_name == "numeric" and one.name == since:
        kind = _DECIMAL
    elif isinstance(kind, pa.UuidType) or pa.types.is_interval(kind):
        kind = pa.string()
    elif isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    elif pa.types.is_null(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        kind = pa.string()
    return pa.field(one.name, kind)


def _plain_rows(batch: pa.RecordBatch, kinds: pa.Schema) -> pa.RecordBatch:
    columns = [_plain_column(column, one.type) for column, one in zip(batch.columns, kinds, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=kinds)


def _plain_column(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if isinstance(column.type, pa.UuidType) or pa.types.is_interval(column.type):
        return pa.array([None if value is None else _text(value) for value in column.to_pylist()], kind)
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    return column if column.type == kind else column.cast(kind)


def _text(value: object) -> str:
    """An identifier, or an interval as ISO 8601 writes it."""
    if isinstance(value, pa.MonthDayNano):
        return f"P{value.months}M{value.days}DT{value.nanoseconds / 1e9:.9g}S"
    return str(value)
