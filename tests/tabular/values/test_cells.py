"""Cells become values, with notes for what values cannot express."""
# ruff: noqa: RUF001, DTZ001  (full-width signs and times without zone are what is tested)

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.tabular.base import SKIPPED, Layout
from tundish.tabular.headers.alias_file import Column
from tundish.tabular.headers.columns import ColumnTable
from tundish.tabular.headers.planner import make_plan
from tundish.tabular.plan import ReadOptions
from tundish.tabular.values.cells import FAULTS, NOTES, Cells, read_cells
from tundish.tabular.values.conventions import decide
from tundish.tabular.values.marks import Fault
from tundish.tabular.values.numbers import Marks, parse_number
from tundish.tabular.values.settle import settle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tundish.tabular.plan import Kind, Plan

WANTED: dict[str, Kind] = {"id": "text", "at": "time", "x": "real", "n": "integer", "ok": "flag"}
UNITS = {
    "x": Column("x", "MJ/kg", magnitudes={"MJ/kg": (10, 35), "kcal/kg": (2000, 8500)}),
    "mass": Column("mass", "t"),
}


def plan(headers: Sequence[str], wanted: dict[str, Kind] | None = None, **options: Any) -> Plan:
    wanted = wanted or WANTED
    table = ColumnTable({name: Column(name) for name in wanted} | options.pop("table", {}))
    told = ReadOptions(**{"zone": "Asia/Shanghai", **options})
    return make_plan(Layout(None, tuple(headers), 1), wanted, (), table, told, "records.r")


def piece(*columns: Sequence[Any] | pl.Series, first: int = 0) -> pl.DataFrame:
    series = [
        one.alias(f"c{i}") if isinstance(one, pl.Series) else pl.Series(f"c{i}", one, dtype=pl.String)
        for i, one in enumerate(columns)
    ]
    rows = range(first, first + len(series[0]))
    return pl.DataFrame(
        [
            pl.Series("row", rows, dtype=pl.Int64),
            pl.Series("line", [row + 2 for row in rows], dtype=pl.Int64),
            *series,
        ]
    )


def one(kind: Kind, cells: Sequence[Any] | pl.Series, **options: Any) -> Cells:
    """One column 'x' of a kind, beside an identifier that keeps the rows from being blank."""
    keys = [f"k{n}" for n in range(len(cells))]
    table = piece(keys, cells)
    return read_cells(table, decide(plan(["id", "x"], {"id": "text", "x": kind}, **options), [table]))


def notes(read: Cells) -> list[tuple[Any, ...]]:
    return read.notes.select("row", "note", "raw").rows()


def checks(read: Cells) -> list[tuple[Any, ...]]:
    return read.faults.select("row", "check").rows()


def test_columns_are_in_the_schema_s_order_and_types() -> None:
    cells = piece(["7"], ["note"], ["1.5"], ["2023-03-05"], ["C1"], ["1"], first=10)
    read = read_cells(cells, plan(["n", "备注", "x", "at", "id", "ok"]))
    assert dict(read.frame.schema) == {
        "row": pl.Int64,
        "line": pl.Int64,
        "id": pl.String,
        "at": pl.Datetime("us", "UTC"),
        "x": pl.Float64,
        "n": pl.Int64,
        "ok": pl.Boolean,
        "备注": pl.String,
    }
    assert read.frame.row(0) == (10, 12, "C1", datetime(2023, 3, 4, 16, tzinfo=UTC), 1.5, 7, True, "note")
    assert (read.notes.schema, read.faults.schema, read.skipped.schema) == (NOTES, FAULTS, SKIPPED)
    assert read.notes.height + read.faults.height + read.skipped.height == 0


def test_an_empty_piece() -> None:
    read = read_cells(piece([], [], [], [], []), plan(list(WANTED)))
    assert read.frame.height == 0
    assert read.frame.columns == ["row", "line", *WANTED]


def test_a_file_without_a_known_column() -> None:
    read = read_cells(piece(["a", None]), plan(["备注"]))
    assert read.frame["备注"].to_list() == ["a", None]
    assert read.skipped.rows() == [(1, "blank_row")]


def test_a_fault_names_row_line_column_and_value() -> None:
    read = read_cells(piece(["a", "b"], ["1", "12,5"], first=5), plan(["id", "x"]))
    assert read.faults.drop("message").rows() == [(6, 8, "x", "x", 1, "12,5", "decimal_comma")]
    assert read.frame["x"].to_list() == [1.0, None]


def test_numbers() -> None:
    texts = [
        "12.5",
        ".70",
        " 12.5 ",
        "１２．５",
        "1,234.5",
        None,
        "",
        "<0.001",
        "1.23*",
        "未检",
        "ND",
        "#N/A",
        "-",
    ]
    read = one("real", [*texts, "nan", "Infinity", "1_000", "1e400", "12.3 12.5"])
    assert read.frame["x"].to_list() == [12.5, 0.7, 12.5, 12.5, 1234.5, None, None, 0.001, 1.23, *[None] * 9]
    assert notes(read) == [
        (7, "<", "<0.001"),
        (8, "remark", "1.23*"),
        (9, "not tested", "未检"),
        (10, "below detection", "ND"),
        (11, "error", "#N/A"),
        (12, "missing", "-"),
        (13, "missing", "nan"),
    ]
    assert checks(read) == [
        (14, "not_a_number"),
        (15, "not_a_number"),
        (16, "not_a_number"),
        (17, "two_values"),
    ]


@given(
    st.lists(st.one_of(st.text("0123456789.,-+eE<>*%? /未检", max_size=7), st.none()), max_size=20),
    st.sampled_from(".,"),
    st.sampled_from(["", ",", ".,"]),
)
def test_a_column_is_read_as_its_cells_are(texts: list[str | None], mark: str, unclear: str) -> None:
    table = piece([f"k{n}" for n in range(len(texts))], texts)
    read = read_cells(table, plan(["id", "x"], {"id": "text", "x": "real"}, decimal=mark, unclear=unclear))
    faulty = dict(read.faults.select("row", "check").iter_rows())
    for row, text in enumerate(texts):
        if text is None:
            continue
        told = parse_number(text, marks=Marks(mark, unclear=unclear))
        if isinstance(told, Fault):
            assert faulty[row] == told.check
        else:
            assert read.frame["x"][row] == told.value


def test_a_comma_that_nothing_settles_is_not_guessed() -> None:
    assert checks(one("real", ["1,234", "2,345"])) == [(0, "ambiguous_number"), (1, "ambiguous_number")]
    assert checks(one("real", ["1,234", "12,5", "3.5"])) == [(0, "ambiguous_number"), (1, "decimal_comma")]
    assert one("real", ["1,234", "3.5"]).frame["x"].to_list() == [1234.0, 3.5]
    assert one("real", ["1,234", "12,5"]).frame["x"].to_list() == [1.234, 12.5]
    assert one("real", ["1,234"], decimal=".").frame["x"].to_list() == [1234.0]
    assert one("real", ["1,234"], decimal=",").frame["x"].to_list() == [1.234]


def test_own_markers_for_missing() -> None:
    read = one("real", ["9999", "9999.0", "停机", "1"], missing=("9999", "停机"))
    assert read.frame["x"].to_list() == [None, None, None, 1.0]
    assert [row for row, note, _ in notes(read) if note == "missing"] == [0, 1, 2]
    assert one("integer", ["9999", "1"], missing=("9999",)).frame["x"].to_list() == [None, 1]
    assert one("text", ["9999", "A"], missing=("9999",)).frame["x"].to_list() == [None, "A"]
    assert one("time", ["1900-01-01", "2023-01-01"], missing=("1900-01-01",)).frame["x"].null_count() == 1


def test_whole_numbers() -> None:
    read = one("integer", ["12", "12.0", "1e3", "3.5", "1,234", "<5", "x", "9007199254740993", None])
    assert read.frame["x"].to_list() == [12, 12, 1000, None, 1234, 5, None, 9007199254740993, None]
    assert checks(read) == [(3, "not_an_integer"), (6, "not_a_number")]
    assert notes(read) == [(5, "<", "<5")]


def test_flags() -> None:
    read = one("flag", ["1", "0", "是", "否", "TRUE", " no ", "有", "无", "-", "maybe", "未检", ""])
    assert read.frame["x"].to_list() == [True, False, True, False, True, False, True, False, *[None] * 4]
    assert checks(read) == [(9, "not_a_flag")]
    assert notes(read) == [(8, "missing", "-"), (10, "not tested", "未检")]


def test_times() -> None:
    texts = ["2023-03-05 08:05:01", "2023/3/5", "45000", "2023-03-05 24:00", "2023年3月5日 上午8:05"]
    read = one("time", [*texts, "2023-03-05T00:05:01Z", "03/04/2023", "1986-05-04 02:30:00", "-", "", "#N/A"])
    expected = ["2023-03-05T00:05:01", "2023-03-04T16:00", "2023-03-14T16:00", "2023-03-05T16:00"]
    expected += ["2023-03-05T00:05", "2023-03-05T00:05:01"]
    assert read.frame["x"].to_list()[:6] == [
        datetime.fromisoformat(text).replace(tzinfo=UTC) for text in expected
    ]
    assert read.frame["x"].to_list()[6:] == [None] * 5
    assert checks(read) == [(6, "ambiguous_date"), (7, "no_such_time")]
    assert notes(read) == [(8, "missing", "-"), (10, "error", "#N/A")]


def test_excel_s_numbers_of_days_from_1904() -> None:
    read = one("time", ["43538"], date1904=True, zone="UTC")
    assert read.frame["x"].to_list() == [datetime(2023, 3, 15, tzinfo=UTC)]


def test_identifiers_stay_text() -> None:
    texts = [
        "0012345",
        " Ｃ１２\u3000",
        "1-2",
        "1E5",
        "½中粘煤",
        "Ⅱ",
        "无",
        "ND",
        "-",
        "NULL",
        "未化验",
        "#1",
        "#N/A",
        "",
    ]
    read = one("text", texts)
    expected = [
        "0012345",
        "C12",
        "1-2",
        "1E5",
        "1/2中粘煤",
        "II",
        "无",
        "ND",
        None,
        None,
        None,
        "#1",
        None,
        None,
    ]
    assert read.frame["x"].to_list() == expected
    assert [note for _, note, _ in notes(read)] == ["missing", "missing", "not tested", "error"]


def test_signs_that_nobody_sees_leave_an_identifier() -> None:
    assert one("text", ["C\u200b1", "\ufeffC2"]).frame["x"].to_list() == ["C1", "C2"]


@pytest.mark.parametrize("text", ["2.5E+1035", "1.23457E+17", "1E+05"])
def test_identifiers_that_a_spreadsheet_destroyed(text: str) -> None:
    read = one("text", [text, "C1"])
    assert read.frame["x"].to_list() == [None, "C1"]
    assert checks(read) == [(0, "damaged_identifier")]


def test_unknown_columns_stay_as_they_are_written() -> None:
    read = read_cells(piece(["a"], [" １-"], pl.Series([1.5])), plan(["id", "备注", "备注"]))
    assert read.frame.select("备注", "备注 (2)").row(0) == (" １-", "1.5")


def test_units_are_converted() -> None:
    wanted: dict[str, Kind] = {"id": "text", "x": "real", "mass": "real"}
    settled = plan(["id", "x", "mass(kg)"], wanted, table=UNITS)
    cells = piece(["a", "b", "c"], ["5000", "<5500", "-"], ["1234", "16485", "12.5 kg"])
    read = read_cells(cells, settle(settled, cells))
    assert read.frame["x"].to_list() == pytest.approx([20.934, 23.0274, None])
    assert read.frame["mass"].to_list() == [1.234, 16.485, 0.0125]
    assert notes(read) == [(1, "<", "<5500"), (2, "missing", "-")]


def test_an_open_unit_is_never_guessed() -> None:
    unsettled = plan(["id", "x"], table=UNITS)
    read = read_cells(piece(["a", "b"], ["22", None]), unsettled)
    assert read.frame["x"].to_list() == [None, None]
    assert checks(read) == [(0, "unit_not_told")]


def test_rows_that_are_not_records() -> None:
    rows = [
        ("C1", "2023-03-05", "1", "y"),
        (None, None, None, None),
        (" ", "", "\u3000", None),
        ("小计", None, "12,5", None),
        (None, "合\u3000计：", "9", None),
        ("平均值", None, "3", None),
        ("Total", None, "3", None),
        ("C2", "mean", "3", None),
        ("id", "at", "x", "备注"),
        ("id", None, "x", None),
        ("C3", None, "x", None),
        ("C合计", None, "4", None),
        (None, None, None, "-"),
    ]
    read = read_cells(piece(*zip(*rows, strict=True)), plan(["id", "at", "x", "备注"]))
    assert read.skipped.rows() == [
        (1, "blank_row"),
        (2, "blank_row"),
        (3, "subtotal_row"),
        (4, "subtotal_row"),
        (5, "subtotal_row"),
        (6, "subtotal_row"),
        (8, "repeated_header"),
        (9, "repeated_header"),
        (12, "no_values"),
    ]
    assert read.frame.height == len(rows)
    assert checks(read) == [(7, "not_a_time"), (10, "not_a_number")]


def test_a_marker_beyond_the_first_number_is_a_value() -> None:
    read = read_cells(piece(["C1"], ["3"], ["合计"]), plan(["id", "x", "备注"]))
    assert not read.skipped.height


def test_columns_that_have_their_type_already() -> None:
    cells = piece(
        pl.Series([12345, 678]),
        pl.Series([datetime(2023, 3, 5, 8), None]),
        pl.Series([1.5, float("nan")]),
        pl.Series([3.0, 3.5]),
        pl.Series([1, 0], dtype=pl.Int8),
    )
    read = read_cells(cells, plan(list(WANTED)))
    assert read.frame.drop("row", "line").rows() == [
        ("12345", datetime(2023, 3, 5, tzinfo=UTC), 1.5, 3, True),
        ("678", None, None, None, False),
    ]
    assert notes(read) == [(1, "missing", "NaN")]
    assert checks(read) == [(1, "not_an_integer")]


@pytest.mark.parametrize(
    ("kind", "series", "expected"),
    [
        ("real", pl.Series([1, 2]), [1.0, 2.0]),
        ("real", pl.Series(["1.5", "2"], dtype=pl.Categorical), [1.5, 2.0]),
        ("real", pl.Series([True, False]), [1.0, 0.0]),
        ("integer", pl.Series([True, False]), [1, 0]),
        ("integer", pl.Series([1, 2], dtype=pl.UInt64), [1, 2]),
        ("flag", pl.Series([True, None]), [True, None]),
        ("flag", pl.Series([1.0, 0.0]), [True, False]),
        ("text", pl.Series([12345.0, 1.5]), ["12345", "1.5"]),
        ("text", pl.Series([date(2023, 3, 5), None]), ["2023-03-05", None]),
        ("time", pl.Series([date(2023, 3, 5), None]), [datetime(2023, 3, 4, 16, tzinfo=UTC), None]),
        ("time", pl.Series([45000.0, None]), [datetime(2023, 3, 14, 16, tzinfo=UTC), None]),
        (
            "time",
            pl.Series([datetime(2023, 3, 5, tzinfo=UTC), None], dtype=pl.Datetime("ms", "Europe/Berlin")),
            [datetime(2023, 3, 5, tzinfo=UTC), None],
        ),
    ],
)
def test_typed_columns(kind: Kind, series: pl.Series, expected: list[object]) -> None:
    read = one(kind, series)
    assert read.frame["x"].to_list() == expected
    assert not read.faults.height


def test_typed_columns_of_another_kind_are_faults() -> None:
    assert checks(one("real", pl.Series([date(2023, 3, 5)]))) == [(0, "not_a_number")]
    assert checks(one("text", pl.Series([1.2345e17]))) == [(0, "damaged_identifier")]
    assert checks(one("real", pl.Series([float("inf")]))) == [(0, "not_a_number")]
    assert checks(one("time", pl.Series([datetime(1991, 9, 15, 1, 30)]))) == [(0, "ambiguous_time")]


def test_pieces_are_read_alike_wherever_they_are_cut() -> None:
    texts = ["1", "<2", "-", "3.5", "12,5", "x", " 4 ", "5"] * 3
    settled = plan(["id", "x"])
    keys = [f"k{n}" for n in range(len(texts))]
    whole = read_cells(piece(keys, texts), settled)
    parts = [read_cells(piece(keys[n : n + 8], texts[n : n + 8], first=n), settled) for n in (0, 8, 16)]
    for name in ("frame", "notes", "faults", "skipped"):
        assert pl.concat([getattr(part, name) for part in parts]).equals(getattr(whole, name))
    assert whole.frame.equals(read_cells(piece(keys, texts), settled).frame)
