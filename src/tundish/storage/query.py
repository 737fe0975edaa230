"""SQL over a dataset's tables: views that can be read, and nothing else.

DuckDB reads the tables through Arrow, so that no path is part of a statement and it needs no access to files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.dataset as arrow_dataset

from tundish.errors import MissingStepError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tundish.storage.dataset import DatasetFolder

__all__ = ["View", "ask", "views"]

_PART = re.compile(r"(?P<split>.+)-\d{5}-of-\d{5}")
_VERDICT = ("outcome", "reason")
"""Columns that a view of accepted records lacks: there is nothing in them."""

_READING = {"SELECT", "EXPLAIN", "MULTI"}
"""Kinds of statements that read; DuckDB counts PIVOT as several."""


@dataclass(frozen=True)
class View:
    """A table that statements may name.

    Attributes:
        name: How they name it, with its folder where it has one: ``coils``, ``records.coils``.
        about: What its rows are.
        files: The Parquet files with its rows.
        accepted: Whether it has the accepted records only.
    """

    name: str
    about: str
    files: tuple[Path, ...]
    accepted: bool = False

    @property
    def parts(self) -> list[str]:
        """The schema and the name."""
        folder, _, name = self.name.partition(".")
        return [folder, name] if folder in {"records", "exports"} and name else [self.name]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        left_out = _VERDICT if self.accepted else ()
        return tuple(name for name in self.dataset().schema.names if name not in left_out)

    def dataset(self) -> Any:
        """Its rows, as Arrow reads them piece by piece."""
        return arrow_dataset.dataset([str(file) for file in self.files], format="parquet")


def views(dataset: DatasetFolder) -> tuple[View, ...]:
    """Every table of a dataset that exists already: decisions, records, exports.

    A table of records has two views: ``coils`` has the accepted ones, ``records.coils`` all of them with
    their outcome and reason.
    """
    return tuple(_views(dataset))


def _views(dataset: DatasetFolder) -> Iterator[View]:
    tables = _parquet(dataset.curated)
    yield from (View(path.stem, "decisions", (path,)) for path in tables)
    features = _parquet(dataset.features)
    if features:
        yield View("features", "measurements of images", tuple(features))
    taken = {path.stem for path in tables} | {"features"}
    for path in _parquet(dataset.records):
        if path.stem not in taken:
            yield View(path.stem, "accepted records", (path,), accepted=True)
        yield View(f"records.{path.stem}", "all records, with outcome and reason", (path,))
    for folder in sorted(path for path in dataset.exports.glob("[!.]*") if path.is_dir()):
        yield from _exports(folder)


def _exports(folder: Path) -> Iterator[View]:
    files = _parquet(folder)
    parts = [path for path in files if _PART.fullmatch(path.stem)]
    if parts:
        yield View(f"exports.{folder.name}", "exported samples, all splits", tuple(parts))
    for path in files:
        if path not in parts:
            yield View(f"exports.{folder.name}_{path.stem}", "exported rows", (path,))


def _parquet(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))


def ask(dataset: DatasetFolder, sql: str, zone: str) -> pl.DataFrame:
    """Answer one statement that reads.

    Args:
        dataset: The dataset.
        sql: One statement of DuckDB's SQL.
        zone: The time zone in which times are shown and cut into days.

    Raises:
        UsageError: DuckDB is not installed; the statement is wrong, does more than read, or gives a column
            that a table cannot hold.
        MissingStepError: The dataset has no tables yet.
    """
    try:
        import duckdb  # noqa: PLC0415  (an extra, and 100 ms)
    except ImportError as error:
        fix = "install it with: pip install 'tundish[query]'"
        raise UsageError("SQL needs DuckDB, which is not installed", fix=fix) from error
    existing = views(dataset)
    if not existing:
        raise MissingStepError(
            "the dataset has no tables yet", where=dataset.name, fix=f"run 'tundish run {dataset.name}'"
        )
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        try:
            _one_that_reads(duckdb.extract_statements(sql))
            _define(connection, existing, zone)
            answer = connection.sql(sql)
            table = answer.to_arrow_table()
        except duckdb.Error as error:
            raise _wrong(error, existing) from error
    return _as_frame(table)


def _one_that_reads(statements: Sequence[Any]) -> None:
    if len(statements) != 1:
        raise UsageError(f"these are {len(statements)} statements", fix="ask for one at a time")
    if statements[0].type.name not in _READING:
        raise UsageError(
            f"a statement of the kind {statements[0].type.name} is refused: tables are only read here",
            fix="write a SELECT; --output writes its answer to a file",
        )


def _define(connection: Any, existing: Sequence[View], zone: str) -> None:
    """Define the views, then close the door to files and settings."""
    connection.execute(f"set TimeZone = {_quoted(zone, chr(39))}")
    for number, view in enumerate(existing):
        connection.register(f"_table_{number}", view.dataset())
        for folder in view.parts[:-1]:
            connection.execute(f"create schema if not exists {_quoted(folder)}")
        name = ".".join(map(_quoted, view.parts))
        kept = " where outcome = 'accepted'" if view.accepted else ""
        columns = f" exclude ({', '.join(_VERDICT)})" if view.accepted else ""
        connection.execute(f"create view {name} as select *{columns} from _table_{number}{kept}")  # noqa: S608
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def _quoted(name: str, mark: str = '"') -> str:
    return mark + name.replace(mark, mark * 2) + mark


def _wrong(error: Exception, existing: Sequence[View]) -> UsageError:
    """DuckDB's error as one sentence; where it does not know a table, with those that there are."""
    lines = str(error).splitlines()
    what = lines[0].partition("Error: ")[2] or lines[0]
    missing = "Table with name" in what
    names = ", ".join(view.name for view in existing)
    hint = next((line for line in lines[1:] if line.startswith(("Candidate", "Did you mean"))), "")
    fix = f"there are: {names}" if missing else hint or "'tundish query NAME' lists tables and columns"
    return UsageError(what.rstrip("!. "), where="SQL", fix=fix)


def _as_frame(table: pa.Table) -> pl.DataFrame:
    """The answer with plain numbers: DuckDB sums whole numbers as decimals of 38 digits.

    Raises:
        UsageError: Two columns have one name, or one has a type that a table cannot hold.
    """
    twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if twice:
        raise UsageError(f"two columns are called '{twice[0]}'", where="SQL", fix="name one of them with AS")
    for number, column in enumerate(table.schema):
        if pa.types.is_interval(column.type):
            raise UsageError(
                f"the column '{column.name}' is an interval, which a table cannot hold",
                where="SQL",
                fix="ask for its seconds, epoch(...), or cast it to text, ::text",
            )
        if pa.types.is_decimal(column.type):
            plain = pa.int64() if column.type.scale == 0 else pa.float64()
            values = _cast(table.column(number), plain)
            table = table.set_column(number, column.name, values)
    return pl.DataFrame(pl.from_arrow(table))


def _cast(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    try:
        return values.cast(kind)
    except pa.ArrowInvalid:  # beyond 64 bits
        return values.cast(pa.float64())
