"""Tables of Parquet and Arrow files, which state their types and keep them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tundish.errors import SourceError
from tundish.tabular.base import BROKEN, Layout, Piece

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = ["ColumnarSheet", "open_arrow", "open_parquet"]

_ROWS = 100_000
# OverflowError: a time outside of any calendar.
_FAULTS = (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError, OverflowError)


@dataclass(frozen=True)
class ColumnarSheet:
    """The table of a Parquet or Arrow file; `line` is the number of the record from 1."""

    layout: Layout
    name: str
    batches: Callable[[], Iterator[pa.RecordBatch]]

    def pieces(self) -> Iterator[Piece]:
        """Yield the records, at most 100,000 at a time.

        Raises:
            SourceError: The file is damaged further down.
        """
        done = 0
        parts = self._parts()
        while True:
            try:
                part = next(parts, None)
            except _FAULTS as error:
                raise _damaged(self.name, error) from None
            if part is None:
                return
            numbers = pl.int_range(done, done + part.height, dtype=pl.Int64, eager=True)
            cells = part.select(numbers.alias("row"), (numbers + 1).alias("line"), pl.all())
            yield Piece(cells, BROKEN.to_frame())
            done += part.height

    def _parts(self) -> Iterator[pl.DataFrame]:
        for batch in self.batches():
            batch.validate(full=True)  # offsets outside the buffers would end the process later
            for start in range(0, batch.num_rows, _ROWS):
                yield _plain(batch.slice(start, _ROWS))


def open_parquet(path: Path, name: str) -> ColumnarSheet:
    """Open the table of a Parquet file.

    Raises:
        SourceError: The file is damaged.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            yield from file.iter_batches(_ROWS)

    try:
        layout = _layout(pq.read_schema(path))
    except _FAULTS as error:
        raise _damaged(name, error) from None
    return ColumnarSheet(layout, name, batches)


def open_arrow(path: Path, name: str) -> ColumnarSheet:
    """Open the table of an Arrow IPC (Feather) file or stream.

    Raises:
        SourceError: The file is damaged.
    """

    def batches() -> Iterator[pa.RecordBatch]:
        with pa.OSFile(str(path)) as source:
            try:
                file = pa.ipc.open_file(source)
            except pa.ArrowInvalid:
                source.seek(0)
                yield from pa.ipc.open_stream(source)
                return
            for number in range(file.num_record_batches):
                yield file.get_batch(number)

    try:
        with pa.OSFile(str(path)) as source:
            try:
                layout = _layout(pa.ipc.open_file(source).schema)
            except pa.ArrowInvalid:
                source.seek(0)
                layout = _layout(pa.ipc.open_stream(source).schema)
    except _FAULTS as error:
        raise _damaged(name, error) from None
    return ColumnarSheet(layout, name, batches)


def _layout(schema: pa.Schema) -> Layout:
    # Polars would panic at text that is not UTF-8; reading each once raises a ValueError instead.
    list(_texts(schema))
    names = (name or f"column {number + 1}" for number, name in enumerate(schema.names))
    return Layout(sheet=None, headers=tuple(names), header_rows=0)


def _texts(fields: Iterable[pa.Field]) -> Iterator[str | None]:
    """Names and time zones of fields, nested ones included."""
    for field in fields:
        yield field.name
        kind = field.type.storage_type if isinstance(field.type, pa.BaseExtensionType) else field.type
        if pa.types.is_timestamp(kind):
            yield kind.tz
        yield from _texts(kind.field(number) for number in range(kind.num_fields))


def _plain(batch: pa.RecordBatch) -> pl.DataFrame:
    """Numbers, flags, dates and times as they are; everything else as text."""
    return pl.DataFrame([_column(column).alias(f"c{number}") for number, column in enumerate(batch.columns)])


def _column(column: pa.Array) -> pl.Series:
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    values = pl.Series(column)
    kind = values.dtype
    if kind in (pl.Decimal, pl.Float16):
        values = values.cast(pl.Float64)
    elif kind == pl.Binary:
        values = values.bin.encode("hex")
    elif kind == pl.Duration:
        values = values.dt.to_string("iso")
    elif kind.is_nested():
        values = pl.Series([_json(value) for value in column.to_pylist()], dtype=pl.String)
    elif not (kind.is_numeric() or kind in (pl.Boolean, pl.Date, pl.Datetime)):
        values = values.cast(pl.String)
    return values


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)


def _damaged(name: str, error: Exception) -> SourceError:
    return SourceError(
        f"the file is damaged ({str(error).splitlines()[0].rstrip('.')})", where=name, fix="ask for it again"
    )
