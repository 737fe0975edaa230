from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tundish.errors import SourceError
from tundish.tabular.files.columnar import open_arrow, open_parquet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tundish.tabular.files.columnar import ColumnarSheet

    Open = Callable[[Path, str], ColumnarSheet]

TIME = dt.datetime(2024, 3, 1, 8, 5, tzinfo=dt.UTC)

TABLE = pa.table(
    {
        "炉号": pa.array(["H1", None]),
        "n": pa.array([1, None], pa.int32()),
        "x": pa.array([0.5, 1.5], pa.float32()),
        "at": pa.array([TIME, None], pa.timestamp("ms", "UTC")),
        "day": pa.array([TIME.date(), None]),
        "flag": pa.array([True, None]),
        "d": pa.array([Decimal("1.25"), None]),
        "grade": pa.array(["Q235B", "Q345B"]).dictionary_encode(),
        "list": pa.array([[1, 2], None]),
        "struct": pa.array([{"元素": "C", "at": TIME}, None]),
        "took": pa.array([dt.timedelta(minutes=90), None]),
        "clock": pa.array([dt.time(8, 5), None]),
        "bytes": pa.array([b"\xff\x01", None]),
        "nothing": pa.nulls(2),
    }
)


def write_parquet(path: Path) -> None:
    pq.write_table(TABLE, path, row_group_size=1)


def write_file(path: Path) -> None:
    with pa.ipc.new_file(path, TABLE.schema) as writer:
        writer.write_table(TABLE)


def write_stream(path: Path) -> None:
    with pa.ipc.new_stream(path, TABLE.schema) as writer:
        writer.write_table(TABLE)


@pytest.mark.parametrize(
    ("write", "opened"),
    [(write_parquet, open_parquet), (write_file, open_arrow), (write_stream, open_arrow)],
)
def test_types_are_kept_and_what_has_none_becomes_text(
    tmp_path: Path, write: Callable[[Path], None], opened: Open
) -> None:
    path = tmp_path / "table"
    write(path)
    sheet = opened(path, "table")
    assert sheet.layout.headers == tuple(TABLE.column_names)
    cells = pl.concat(piece.cells for piece in sheet.pieces())
    assert cells.drop("row", "line").schema == {
        "c0": pl.String,
        "c1": pl.Int32,
        "c2": pl.Float32,
        "c3": pl.Datetime("ms", "UTC"),
        "c4": pl.Date,
        "c5": pl.Boolean,
        "c6": pl.Float64,
        **{f"c{column}": pl.String for column in range(7, 14)},
    }
    assert cells.row(0) == (
        *(0, 1, "H1", 1, 0.5, TIME, TIME.date(), True, 1.25, "Q235B", "[1, 2]"),
        '{"元素": "C", "at": "2024-03-01 08:05:00+00:00"}',
        *("PT1H30M", "08:05:00", "ff01", None),
    )
    assert cells.row(1)[:9] == (1, 2, None, None, 1.5, None, None, None, None)
    assert cells.row(1)[10:] == (None,) * 6


def test_large_batches_come_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "table.arrow"
    pl.DataFrame({"x": range(250_000)}).write_ipc(path)
    pieces = list(open_arrow(path, "table.arrow").pieces())
    assert max(piece.cells.height for piece in pieces) <= 100_000
    cells = pl.concat(piece.cells for piece in pieces)
    assert (cells["row"] == cells["c0"]).all()
    assert (cells["line"] == cells["c0"] + 1).all()


@pytest.mark.parametrize("opened", [open_parquet, open_arrow])
def test_a_damaged_file_is_an_error(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "table"
    write_parquet(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(SourceError, match="table: the file is damaged"):
        opened(path, "table")


def test_a_file_that_is_damaged_inside_is_an_error_too(tmp_path: Path) -> None:
    path = tmp_path / "table"
    pq.write_table(pa.table({"x": [f"heat {number}" for number in range(1000)]}), path)
    data = bytearray(path.read_bytes())
    data[20:600] = bytes(580)
    path.write_bytes(data)
    with pytest.raises(SourceError, match="table: the file is damaged"):
        list(open_parquet(path, "table").pieces())


@pytest.mark.parametrize("write", [write_file, write_stream])
@pytest.mark.parametrize("text", ["炉号", "元素", "UTC"], ids=["column", "field of a struct", "time zone"])
def test_a_name_that_is_not_text_is_an_error(
    tmp_path: Path, write: Callable[[Path], None], text: str
) -> None:
    """Where nobody looked, polars panicked."""
    path = tmp_path / "table"
    write(path)
    whole = path.read_bytes()
    name = text.encode()
    assert name in whole
    path.write_bytes(whole.replace(name, b"\xff" + name[1:]))
    with pytest.raises(SourceError, match="table: the file is damaged"):
        list(open_arrow(path, "table").pieces())


def test_a_time_that_no_calendar_has_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "table"
    times = pa.array([2**62], pa.int64()).cast(pa.timestamp("us"))
    pq.write_table(pa.table({"list": pa.ListArray.from_arrays([0, 1], times)}), path)
    with pytest.raises(SourceError, match="table: the file is damaged"):
        list(open_parquet(path, "table").pieces())
