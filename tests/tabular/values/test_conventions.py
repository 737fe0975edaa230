"""What a file settles about its numbers and days, and what stays open."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tundish.tabular.base import Layout
from tundish.tabular.headers.alias_file import Column
from tundish.tabular.headers.columns import ColumnTable
from tundish.tabular.headers.planner import make_plan
from tundish.tabular.plan import ReadOptions
from tundish.tabular.values.cells import Cells, read_cells
from tundish.tabular.values.conventions import decide

if TYPE_CHECKING:
    from tundish.tabular.plan import Kind, Plan

WANTED: dict[str, Kind] = {"id": "text", "x": "real", "y": "real", "n": "integer", "at": "time"}


def read(
    separator: str | None, *, typed: bool = False, options: dict[str, Any] | None = None, **columns: list[str]
) -> tuple[Plan, Cells]:
    """The plan and the cells of a file with these columns beside an identifier."""
    count = len(next(iter(columns.values())))
    table = {"id": [f"k{n}" for n in range(count)], **columns}
    layout = Layout(None, tuple(table), 1, separator=separator, typed=typed)
    names = ColumnTable({name: Column(name) for name in WANTED})
    plan = make_plan(layout, WANTED, (), names, ReadOptions(**(options or {})), "records.r")
    places = pl.DataFrame(
        {"row": range(count), "line": range(2, count + 2)}, {"row": pl.Int64, "line": pl.Int64}
    )
    cells = places.with_columns(pl.Series(f"c{at}", values) for at, values in enumerate(table.values()))
    plan = decide(plan, [cells])
    return plan, read_cells(cells, plan)


@pytest.mark.parametrize(
    ("separator", "cells", "wanted"),
    [
        (";", ["2,498", "2,501"], [2.498, 2.501]),  # nobody separates by semicolons who writes a point
        (",", ["2,498", "2,501"], [2498.0, 2501.0]),
        ("\t", ["2,498", "0,17"], [2.498, 0.17]),
        ("\t", ["2,498", "1250,5"], [2.498, 1250.5]),
        ("\t", ["2,498", "0.5"], [2498.0, 0.5]),
        ("\t", ["1,234,567", "2,498"], [1234567.0, 2498.0]),
        (";", ["1.299,99", "2.498"], [1299.99, 2498.0]),
        (";", ["1.234.567", "2.498", "3"], [1234567.0, 2498.0, 3.0]),
        (";", ["0.17", "2.498"], [0.17, 2.498]),
        (";", ["0.17", "2,498"], [0.17, 2498.0]),
        ("\t", ["<0,002", "2,5 %", "1,250(复检)"], [0.002, None, 1.25]),
        ("\t", ["1'234.5", "12\u202f345,5", "7"], [1234.5, None, 7.0]),
    ],
)
def test_the_decimal_mark_is_decided_for_the_file(
    separator: str, cells: list[str], wanted: list[float | None]
) -> None:
    _, found = read(separator, x=cells)
    assert found.frame["x"].to_list() == wanted


def test_one_column_settles_another() -> None:
    plan, found = read("\t", x=["2,498", "2,501"], y=["0,17", "1"], n=["1.250", "12"])
    assert found.frame.select("x", "y", "n").rows() == [(2.498, 0.17, 1250), (2.501, 1.0, 12)]
    assert plan.evidence == ("decimal comma: '0,17' in line 2",)


@pytest.mark.parametrize(
    ("separator", "cells"),
    [
        ("\t", ["2,498", "2,501"]),
        (None, ["2,498", "7"]),
        (";", ["2.498", "2.501"]),
        (";", ["2.498", "2,501"]),
    ],
)
def test_what_nothing_settles_is_a_fault_that_names_both_readings(
    separator: str | None, cells: list[str]
) -> None:
    plan, found = read(separator, x=cells)
    assert set(found.faults["check"]) == {"ambiguous_number"}
    assert "2498 or 2.498" in found.faults["message"][0]
    assert "can be read in two ways" in plan.evidence[0]
    _, stated = read(separator, x=cells, options={"decimal": ","})
    assert stated.frame["x"][0] == (2.498 if "," in cells[0] else 2498.0)


def test_both_marks_in_one_file() -> None:
    plan, found = read("\t", x=["0,17", "0,18", "0.19", "1,250", "1.250"])
    assert found.frame["x"].to_list() == [0.17, 0.18, None, None, None]
    assert found.faults["check"].to_list() == ["decimal_point", "ambiguous_number", "ambiguous_number"]
    assert "both marks occur" in plan.evidence[0]


def test_all_columns_count_where_both_marks_occur() -> None:
    plan, found = read("\t", x=["0,17", "0,18", "-"], y=["1.25", "1.5", "2.5"])
    assert found.frame["y"].to_list() == [1.25, 1.5, 2.5]
    assert found.faults["check"].to_list() == ["decimal_comma"] * 2
    assert "'0,17' in line 2 and 1 more have a decimal comma" in plan.evidence[0]
    assert "'1.25' in line 2 and 2 more a decimal point" in plan.evidence[0]


def test_columns_of_points_alone_are_counted_before_commas_come() -> None:
    names = ColumnTable({name: Column(name) for name in WANTED})
    plan = make_plan(
        Layout(None, ("id", "x", "y", "at"), 1, separator="\t"), WANTED, (), names, ReadOptions(), "records.r"
    )

    def piece(x: str, y: str, day: str) -> pl.DataFrame:
        return pl.DataFrame({"row": [0], "line": [2], "c0": ["k"], "c1": [x], "c2": [y], "c3": [day]})

    pieces = [piece("0.5", "0.25", "03/04/2024"), piece("0,5", "1", "13/04/2024")]
    found = decide(plan, pieces)
    assert found.options.decimal == "."
    assert "'0.5' in line 2 and 1 more a decimal point" in found.evidence[0]


def test_numbers_of_a_workbook_are_typed_whatever_people_write_in_texts() -> None:
    _, found = read(None, typed=True, x=["1.299", "0.17", "0,17", "1.299,5"])
    assert found.frame["x"].to_list() == [1.299, 0.17, 0.17, 1299.5]


def test_thousands_separated_by_blanks_where_the_recipe_says_so() -> None:
    assert read("\t", x=["1 234.5", "12"])[1].faults["check"].to_list() == ["two_values"]
    assert read("\t", x=["1 234.5", "12"], options={"thousands": " "})[1].frame["x"].to_list() == [
        1234.5,
        12.0,
    ]


def at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2024, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (["03/04/2024", "31/12/2024"], [at(4, 3), at(12, 31)]),
        (["03/04/2024", "12/31/2024 08:00"], [at(3, 4), at(12, 31, 8)]),
        (["3.4.2024 8:00", "2024-05-01", "25.4.2024 8:00"], [at(4, 3, 8), at(5, 1), at(4, 25, 8)]),
        (["04-Mar-2024 08:00:00", "4-Mar-24 08:00:00", "Mar 4 2024"], [at(3, 4, 8), at(3, 4, 8), at(3, 4)]),
        (["03/04/2024", "04/05/2024"], [None, None]),
        (["03/04/2024", "31/12/2024", "12/31/2024"], [None, None, None]),
        (["24-03-04", "31/12/2024"], [None, at(12, 31)]),
    ],
)
def test_the_order_of_day_and_month_is_decided_for_the_file(
    cells: list[str], wanted: list[datetime | None]
) -> None:
    _, found = read(",", at=cells)
    assert found.frame["at"].to_list() == wanted
    assert set(found.faults["check"]) <= {"ambiguous_date"}


@pytest.mark.parametrize(("order", "day"), [("dmy", at(4, 3)), ("mdy", at(3, 4)), ("ymd", None)])
def test_the_recipe_may_say_the_order(order: str, day: datetime | None) -> None:
    assert read(",", at=["03/04/2024"], options={"dates": order})[1].frame["at"].to_list() == [day]
    short = read(",", at=["24-03-04"], options={"dates": "ymd"})[1]
    assert short.frame["at"].to_list() == [at(3, 4)]


def test_decimal_commas_go_with_days_first() -> None:
    plan, found = read(";", x=["0,5"], at=["03.04.2024"])
    assert found.frame["at"].to_list() == [at(4, 3)]
    assert plan.evidence[1].startswith("day first: points in '03.04.2024' in line 2")


def test_the_recipe_says_which_of_two_hours() -> None:
    zone = {"zone": "Europe/Berlin"}
    assert read(",", at=["2024-10-27 02:30"], options=zone)[1].faults["check"].to_list() == ["ambiguous_time"]
    for which, hour in (("first", 0), ("second", 1)):
        found = read(
            ",", at=["2024-10-27 02:30", "2024年10月27日 2:30"], options={**zone, "ambiguous_hour": which}
        )[1]
        assert found.frame["at"].dt.hour().to_list() == [hour, hour]


def test_a_file_is_looked_through_until_something_is_settled() -> None:
    names = ColumnTable({name: Column(name) for name in WANTED})
    plan = make_plan(Layout(None, ("id", "x", "at"), 1), WANTED, (), names, ReadOptions(), "records.r")

    def piece(number: str, day: str) -> pl.DataFrame:
        return pl.DataFrame({"row": [0], "line": [2], "c0": ["k"], "c1": [number], "c2": [day]})

    pieces = [piece("2,498", "03/04/2024"), piece("0,5", "04/04/2024"), piece("1", "13/04/2024")]
    found = decide(plan, pieces).options
    assert (found.decimal, found.unclear, found.dates) == (",", "", "dmy4")
