"""Every value of a column in one unit, whatever unit its row names."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.tabular.base import Layout
from tundish.tabular.headers.alias_file import Column
from tundish.tabular.headers.columns import ColumnTable
from tundish.tabular.headers.planner import make_plan
from tundish.tabular.plan import Plan, ReadOptions
from tundish.tabular.units import convert
from tundish.tabular.values.cells import Cells, read_cells
from tundish.tabular.values.row_units import count_row_units, settle_row_units, usual_unit

HEATS = ("MJ/kg", "kJ/kg", "J/g", "kcal/kg", "cal/g", "Btu/lb")
SHARES = ("%", "‰", "ppm", "1", "g/kg", "mg/kg")
TEMPERATURES = ("°C", "K", "°F")


def cells(values: list[object], units: list[str | None]) -> pl.DataFrame:
    texts = [None if value is None else str(value) for value in values]
    return pl.DataFrame(
        {
            "row": pl.Series(range(len(texts)), dtype=pl.Int64),
            "line": pl.Series(range(2, len(texts) + 2), dtype=pl.Int64),
            "c0": pl.Series([f"S{at}" for at in range(len(texts))], dtype=pl.String),
            "c1": pl.Series(texts, dtype=pl.String),
            "c2": pl.Series(units, dtype=pl.String),
        }
    )


def plan(unit: str, piece: pl.DataFrame, header: str = "x", **options: object) -> Plan:
    table = ColumnTable({"x": Column("x", unit), "id": Column("id")})
    told = replace(ReadOptions(unit_columns={header: "unit"}), **options)  # type: ignore[arg-type]
    layout = Layout(None, ("id", header, "unit"), 1)
    found = make_plan(layout, {"id": "text", "x": "real"}, (), table, told, "records.r")
    return settle_row_units(found, count_row_units(found, [piece]), {})


def read(unit: str, values: list[object], units: list[str | None], header: str = "x") -> Cells:
    piece = cells(values, units)
    return read_cells(piece, plan(unit, piece, header))


@given(
    st.sampled_from([HEATS, SHARES, TEMPERATURES]).flatmap(
        lambda units: st.tuples(
            st.sampled_from(units),
            st.lists(st.tuples(st.floats(-1e6, 1e6), st.sampled_from(units)), min_size=1, max_size=30),
        )
    )
)
def test_a_value_written_in_any_unit_comes_back_in_that_of_the_column(
    case: tuple[str, list[tuple[float, str]]],
) -> None:
    column, rows = case
    if column == "K":  # a column in kelvin is a difference
        return
    written, units = [], []
    for value, unit in rows:
        factor, offset = convert(column, unit)
        written.append(repr(value * factor + offset))
        units.append(unit)
    found = read(column, [*written], [*units])
    assert not found.faults.height
    for got, (value, _) in zip(found.frame["x"], rows, strict=True):
        assert got == pytest.approx(value, rel=1e-9, abs=1e-6)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.sampled_from([*HEATS, "mm", "?", "", None])), min_size=1))
def test_a_value_is_converted_or_a_fault_and_never_kept_in_another_unit(
    rows: list[tuple[float, str | None]],
) -> None:
    found = read("MJ/kg", [repr(value) for value, _ in rows], [unit for _, unit in rows])
    faulty = set(found.faults["row"])
    agreed = len({unit for _, unit in rows if unit}) <= 1
    for at, (value, unit) in enumerate(rows):
        got = found.frame["x"][at]
        if unit in HEATS:
            assert got == pytest.approx(value * convert(unit, "MJ/kg")[0], rel=1e-12)
        elif unit or not agreed:
            assert (got, at in faulty) == (None, True)


def test_a_thousandth_is_exact() -> None:
    assert read("MJ/kg", ["28123", "28.123"], ["kJ/kg", "MJ/kg"]).frame["x"].to_list() == [28.123, 28.123]


def test_a_cell_that_names_a_unit_beside_the_one_of_its_row_is_a_fault() -> None:
    found = read("%", ["7.7 %", "77"], ["g/kg", "g/kg"])
    assert found.faults["check"].to_list() == ["unit_in_cell"]
    assert found.frame["x"].to_list() == [None, 7.7]


def test_the_sign_of_a_censored_value_stays() -> None:
    found = read("%", ["<5", "1"], ["g/kg", "%"])
    assert found.frame["x"].to_list() == [0.5, 1.0]
    assert found.notes.select("note", "raw").rows() == [("<", "<5")]


def test_no_value_needs_no_unit() -> None:
    found = read("%", [None, "-", "1"], ["mm", None, "%"])
    assert found.frame["x"].to_list() == [None, None, 1.0]
    assert not found.faults.height


def test_the_unit_of_the_header_is_that_of_a_row_without_one_where_all_agree() -> None:
    assert read("%", ["50", "1"], [None, "g/kg"], "x(g/kg)").frame["x"].to_list() == [5.0, 0.1]
    found = read("%", ["50", "1"], [None, "%"], "x(g/kg)")
    assert found.faults["check"].to_list() == ["row_without_unit"]
    assert found.frame["x"].to_list() == [None, 1.0]


def test_where_no_row_names_a_unit_the_header_does() -> None:
    assert read("%", ["50", "10"], [None, "-"], "x(g/kg)").frame["x"].to_list() == [5.0, 1.0]


def test_the_usual_unit_is_a_known_one() -> None:
    assert usual_unit({"bogus": 9, "%": 3, "‰": 3}) == "%"
    assert usual_unit({"bogus": 9}) is None
    assert usual_unit({"炉": 9, "%": 3}, {"炉": (1.0, "炉")}) == "炉"
