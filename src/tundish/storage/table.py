"""Typed Parquet tables, and files that are there whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tundish.errors import MissingStepError, OutsideError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = [
    "Table",
    "field",
    "naming",
    "read_named",
    "replacing",
    "row_groups",
    "write_atomically",
    "write_parquet",
]


def field(name: str, kind: pa.DataType, about: str, unit: str = "") -> pa.Field:
    """An Arrow field whose metadata says what it holds and in which unit."""
    metadata = {"description": about} | ({"unit": unit} if unit else {})
    return pa.field(name, kind, metadata=metadata)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` to write to; renamed to `path` at the end, removed on an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)  # noqa: PTH105  (the one spelling that says it is atomic)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Errors of the disk inside name `path`: Arrow's do not say which file they are about."""
    try:
        yield
    except OSError as error:
        if error.filename:
            raise
        raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from error


@dataclass(frozen=True)
class Table:
    """A canonical table.

    Args:
        name: What people call it.
        schema: Its Arrow schema.
        order: The columns its rows are sorted by.
        written_by: The command, after ``tundish``, that writes it.
        later: Columns that came after the first version, each from those a file of an earlier version has.
            For a table that keeps history; any other is refused and made again.
        history: It keeps history: nothing that is left could make the same table again.
    """

    name: str
    schema: pa.Schema
    order: tuple[str, ...]
    written_by: str
    later: tuple[pl.Expr, ...] = ()
    history: bool = False

    def empty(self) -> pl.DataFrame:
        """A frame without rows that has this table's columns and types."""
        return pl.DataFrame(schema=self._columns)

    def frame(self, rows: list[dict[str, object]]) -> pl.DataFrame:
        """A frame with this table's types from row dictionaries; a missing key is null."""
        return pl.DataFrame(rows, schema=self._columns, orient="row")

    @property
    def _columns(self) -> pl.Schema:
        return pl.Schema(self.schema)

    def write(self, frame: pl.DataFrame, path: Path, *, metadata: dict[str, str] | None = None) -> None:
        """Write `frame` sorted, typed and atomically; columns beyond the schema follow in their order."""
        extra = [name for name in frame.columns if name not in self.schema.names]
        rows = frame.select(self.schema.names + extra).sort(self.order, nulls_last=True, maintain_order=True)
        arrow = rows.to_arrow()
        schema = self.schema
        for name in extra:
            schema = schema.append(_plain(arrow.schema.field(name)))
        write_parquet(arrow.cast(schema.with_metadata(metadata)), path)

    def write_groups(self, frames: Iterable[pl.DataFrame], path: Path) -> None:
        """Write frames as they come, a row group each, atomically and unsorted; memory holds one of them."""
        with (
            naming(path),
            replacing(path) as temporary,
            pq.ParquetWriter(temporary, self.schema, compression="zstd") as writer,
        ):
            for frame in frames:
                writer.write_table(frame.select(self.schema.names).to_arrow().cast(self.schema))

    def read(self, path: Path, *, dataset: str = "") -> pl.DataFrame:
        """Read the table at `path`.

        Args:
            path: The file.
            dataset: Name of the dataset it belongs to, for the command that an error recommends.

        Raises:
            MissingStepError: No such file, as the stage that writes it has not run; or an earlier version of
                Tundish wrote it, and it lacks a column.
            OutsideError: The file is damaged.
        """
        if not path.exists():
            raise MissingStepError(
                f"there is no {self.name} table",
                where=str(path),
                fix=f"run {self._command(dataset)} first",
            )
        try:
            frame = pl.read_parquet(path, glob=False)
        except (pl.exceptions.ComputeError, pl.exceptions.PanicException, UnicodeDecodeError) as error:
            fix = (
                "bring it back with 'dvc checkout', 'dvc pull' or from a backup; do not delete it,"
                " for it cannot be made again"
                if self.history
                else "bring it back with 'dvc checkout', or delete it and run its stage again"
            )
            raise OutsideError(f"the {self.name} table is damaged", where=str(path), fix=fix) from error
        frame = frame.with_columns(
            column for column in self.later if column.meta.output_name() not in frame.columns
        )
        missing = [f"'{name}'" for name in self.schema.names if name not in frame.columns]
        if missing:
            raise MissingStepError(
                f"an earlier version of Tundish wrote this {self.name} table: it has no {', '.join(missing)}",
                where=str(path),
                fix=f"run {self._command(dataset)} to write it again",
            )
        extra = [name for name in frame.columns if name not in self.schema.names]
        return frame.select(self.schema.names + extra)

    def read_if_there(self, path: Path, *, dataset: str = "") -> pl.DataFrame:
        """As `read`; no rows where there is no file."""
        return self.read(path, dataset=dataset) if path.exists() else self.empty()

    def _command(self, dataset: str) -> str:
        return f"'tundish {self.written_by} {dataset}'" if dataset else f"'tundish {self.written_by}'"


def _plain(field: pa.Field) -> pa.Field:
    """Polars hands out view and large types; files carry the plain ones every reader knows."""
    if pa.types.is_large_string(field.type) or pa.types.is_string_view(field.type):
        return field.with_type(pa.string())
    return field


def row_groups(file: pq.ParquetFile) -> Iterator[pl.DataFrame]:
    """The rows of a Parquet file a row group at a time; memory holds one of them."""
    for group in range(file.num_row_groups):
        rows = pl.from_arrow(file.read_row_group(group))
        assert isinstance(rows, pl.DataFrame)
        yield rows


def write_parquet(
    table: pa.Table,
    path: Path,
    *,
    compression: str = "zstd",
    row_group_size: int | None = None,
    plain: tuple[str, ...] = (),
) -> None:
    """Write one Parquet file under a temporary name and rename it: it is there whole or not at all.

    Args:
        table: The rows.
        path: Where to; its folder is made.
        compression: 'none' for columns that hold images, which do not shrink further.
        row_group_size: Rows a row group.
        plain: Columns written without dictionary and statistics (image bytes).
    """
    others: bool | list[str] = [name for name in table.column_names if name not in plain] if plain else True
    with naming(path), replacing(path) as temporary:
        pq.write_table(
            table,
            temporary,
            compression=compression,
            row_group_size=row_group_size,
            use_dictionary=others,
            write_statistics=others,
        )


def write_atomically(path: Path, data: bytes) -> None:
    """Write a small file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def read_named(file: Path) -> pl.DataFrame:
    """A Parquet table that somebody named: a model's, say, and not one of `Table`.

    Raises:
        SourceError: There is no such file, or it is not a Parquet table.
    """
    try:
        return pl.read_parquet(file, glob=False)
    except FileNotFoundError as error:
        raise SourceError("there is no such file", where=str(file)) from error
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SourceError("not a Parquet table that can be read", where=str(file)) from error
