"""What each column of a file means, settled before a cell is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from tundish.errors import SourceError
from tundish.tabular.base import Layout
from tundish.tabular.headers.alias_file import Column
from tundish.tabular.headers.columns import ColumnTable
from tundish.tabular.headers.planner import make_plan
from tundish.tabular.plan import ReadOptions
from tundish.tabular.values.settle import settle

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tundish.tabular.plan import Kind, Plan

CALORIFIC = {"MJ/kg": (10.0, 35.0), "kcal/kg": (2000.0, 8500.0), "J/g": (10_000.0, 35_000.0)}
TABLE = ColumnTable(
    {
        "sample_id": Column("sample_id", None, ("化验编号",)),
        "tested_at": Column("tested_at", None, ("化验日期",)),
        "A_ad": Column("A_ad", "%", ("Aad", "灰分Aad")),
        "A_d": Column("A_d", "%", ("Ad",)),
        "Q": Column("Q", "MJ/kg", ("Qnet,ar", "发热量"), "", CALORIFIC),
        "superheat": Column("superheat", "K", ("过热度",)),
        "force": Column("force", "kN", ("轧制力",)),
        "other": Column("other", None, ("别的",)),
    },
    {"灰分": ("A_ad", "A_d")},
)
WANTED: dict[str, Kind] = {
    "sample_id": "text",
    "tested_at": "time",
    "A_ad": "real",
    "A_d": "real",
    "Q": "real",
    "superheat": "real",
    "force": "real",
    "trucks": "integer",
}


def plan(
    *headers: str,
    columns: Mapping[str, str | None] | None = None,
    units: Mapping[str, str] | None = None,
    missing: tuple[str, ...] = (),
    required: Collection[str] = (),
    header_rows: int = 1,
) -> Plan:
    options = ReadOptions(columns or {}, units or {}, missing)
    return make_plan(
        Layout(None, headers, header_rows), WANTED, required, TABLE, options, "records.coals, raw/a.csv"
    )


def cells(*values: str | None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "row": range(len(values)),
            "line": range(2, len(values) + 2),
            "c0": pl.Series(values, dtype=pl.String),
        }
    )


def refused(*headers: str, **told: object) -> str:
    with pytest.raises(SourceError) as caught:
        plan(*headers, **told)  # type: ignore[arg-type]
    return str(caught.value)


def test_every_column_is_mapped_unknown_or_left_out() -> None:
    found = plan("Aad(%)", "化验编号", "备注", "审核人", "trucks", columns={"审核人": None})
    assert [(column.name, column.index) for column in found.columns] == [
        ("sample_id", 1),
        ("A_ad", 0),
        ("trucks", 4),
    ]
    assert found.extra == ("备注",)
    assert found.left_out == (("审核人", 3),)
    assert [(one["header"], one["column"], one["how"]) for one in found.describe()] == [
        ("Aad(%)", "A_ad", "header"),
        ("化验编号", "sample_id", None),
        ("备注", "备注", "unknown"),
        ("审核人", None, "left out"),
        ("trucks", "trucks", None),
    ]


def test_a_column_that_the_model_does_not_want_is_unknown() -> None:
    assert plan("别的").extra == ("别的",)


def test_unknown_headers_get_names_that_nothing_else_has() -> None:
    found = plan("备注", "备注", "row", "notes", "备注 (2)")
    assert found.extra == ("备注", "备注 (2)", "row (2)", "notes (2)", "备注 (2) (2)")


def test_a_required_column_is_missing() -> None:
    sentence = refused("化验编号", "灰份Aad", required=["sample_id", "A_ad"])
    assert "raw/a.csv" in sentence
    assert "no column A_ad" in sentence
    assert "records.coals.columns: {'灰份Aad': A_ad}" in sentence


def test_a_required_column_is_missing_and_nothing_is_close() -> None:
    assert "unmapped headers are: xyz" in refused("xyz", required=["sample_id"])


def test_an_ambiguous_header_must_be_settled() -> None:
    sentence = refused("灰分")
    assert "'灰分' may mean A_ad or A_d" in sentence
    assert "records.coals.columns" in sentence
    assert plan("灰分", columns={"灰分": "A_d"}).columns[0].name == "A_d"
    assert plan("灰分", columns={"灰分": None}).left_out == (("灰分", 0),)


def test_two_headers_mean_one_column() -> None:
    sentence = refused("Aad(%)", "灰分Aad")
    assert "'Aad(%)' and '灰分Aad' both mean A_ad" in sentence
    assert plan("Aad(%)", "灰分Aad", columns={"灰分Aad": None}).columns[0].header == "Aad(%)"


def test_one_header_twice() -> None:
    assert "'Aad' and 'Aad (2)' both mean A_ad" in refused("Aad", "Aad")
    found = plan("Aad", "Aad", columns={"Aad (2)": None})
    assert (found.columns[0].index, found.left_out) == (0, (("Aad (2)", 1),))


def test_a_header_of_the_recipe_that_the_file_does_not_have() -> None:
    assert "'Aar', which the file does not have" in refused("Aad", columns={"Aar": "A_ad"})


def test_the_recipe_s_header_is_compared_like_all() -> None:
    assert plan("灰分 (%)", columns={"灰分（%）": "A_ad"}).columns[0].name == "A_ad"  # noqa: RUF001


@pytest.mark.parametrize("told", [{"columns": {"Aad": "ash"}}, {"units": {"ash": "%"}}])
def test_a_column_of_the_recipe_that_the_schema_does_not_have(told: dict[str, object]) -> None:
    assert "'ash'" in refused("Aad", **told)


def test_a_unit_that_cannot_be_converted() -> None:
    sentence = refused("Aad(mm)")
    assert "'Aad(mm)' is in mm, which cannot become %" in sentence
    assert "records.coals.units: {A_ad: %}" in sentence
    assert plan("Aad(mm)", units={"A_ad": "%"}).columns[0].how == "recipe"
    assert "an unknown unit" in refused("Aad", units={"A_ad": "furlong"})


def test_a_unit_that_nobody_knows() -> None:
    assert "names the unit 'psig'" in refused("Aad(psig)")


def test_the_canonical_unit_is_assumed() -> None:
    assert (plan("Aad").columns[0].unit_read, plan("Aad").columns[0].how) == ("%", "assumed")


def test_kelvin_of_a_superheat_is_a_difference() -> None:
    (column,) = plan("过热度(℃)").columns
    assert (column.factor, column.offset) == (1.0, 0.0)


def test_a_rolling_force_may_be_given_in_tonnes() -> None:
    assert plan("轧制力(t)").columns[0].factor == 9.80665


def test_two_rows_of_header_are_joined() -> None:
    assert plan("工业分析_Aad", header_rows=2).columns[0].name == "A_ad"
    assert plan("工业分析_Aad").extra == ("工业分析_Aad",)


@pytest.mark.parametrize(("value", "unit"), [("22.5", "MJ/kg"), ("5400", "kcal/kg"), ("22500", "J/g")])
def test_the_magnitude_tells_the_unit(value: str, unit: str) -> None:
    settled = settle(plan("Qnet,ar"), cells(value, None, "-", f" {value} ", "0"))
    assert (settled.columns[0].unit_read, settled.columns[0].how) == (unit, "magnitude")
    assert settle(settled, cells("1")) is settled


def test_a_piece_without_values_leaves_it_open() -> None:
    frame = cells(None, "-", "9999")
    assert settle(plan("Qnet,ar", missing=("9999",)), frame).columns[0].undecided


def test_sub_totals_tell_nothing_of_the_unit() -> None:
    frame = pl.DataFrame(
        {
            "row": [0, 1],
            "line": [2, 3],
            "c0": ["Y1", "合计"],
            "c1": ["5400", "99999"],
        }
    )
    assert settle(plan("化验编号", "Qnet,ar"), frame).columns[1].unit_read == "kcal/kg"


def test_values_that_no_unit_explains() -> None:
    with pytest.raises(SourceError, match=r"is unknown: its values.*records\.coals\.units: {Q: MJ/kg}"):
        settle(plan("Qnet,ar"), cells("500", "600"))
    with pytest.raises(SourceError, match="mixed"):
        settle(plan("Qnet,ar"), cells("22", "5400"))


@pytest.mark.parametrize(("header", "units"), [("Qnet,ar(J/g)", {}), ("Qnet,ar", {"Q": "J/g"})])
def test_values_that_contradict_their_unit(header: str, units: dict[str, str]) -> None:
    with pytest.raises(SourceError, match=r"is in J/g as the (header|recipe) says.*those of MJ/kg"):
        settle(plan(header, units=units), cells("22.5", "23.5"))


def test_values_that_agree_with_their_unit_settle_it() -> None:
    settled = settle(plan("Qnet,ar(kcal/kg)"), cells("5400"))
    assert settled.columns[0].how == "header"
    assert not settled.columns[0].magnitudes


def test_the_recipe_settles_mixed_units() -> None:
    settled = settle(plan("Qnet,ar", units={"Q": "MJ/kg"}), cells("22", "5400"))
    assert settled.columns[0].unit_read == "MJ/kg"
