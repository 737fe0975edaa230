"""Tables of no shipped model as plants write them: several sheets, unit rows, long tables, units in cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
import xlsxwriter
from tests.propose.schema.test_start import project

import tundish

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    return project(tmp_path / "plant", shipped=True)


def add(plant: Path, source: Path) -> tundish.AddedRecords:
    added = tundish.add("d", source, project=plant)
    assert isinstance(added, tundish.AddedRecords)
    return added


def run(plant: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records of the only table, and the faults."""
    tundish.run("d", project=plant, last="records")
    (path,) = (plant / "datasets/d/curated/records").glob("*.parquet")
    return pl.read_parquet(path), pl.read_parquet(plant / "datasets/d/curated/record_faults.parquet")


def read_as(added: tundish.AddedRecords) -> dict[str | None, str]:
    return {row.column: row.read_as for row in added.columns}


def test_a_row_of_units_gives_the_columns_their_units(plant: Path, tmp_path: Path) -> None:
    lines = ["时间,风量,风温,[Si],喷煤", ",Nm3/min,℃,%,kg/t"]
    lines += [f"2026-05-01 {at:02d}:00,{4500 + at},{1180 + at},0.4{at % 3},{150 + at}" for at in range(24)]
    source = tmp_path / "furnace.csv"
    source.write_bytes("\n".join(lines).encode("gb18030"))
    assert read_as(add(plant, source)) == {
        "time": "time",
        "blast_volume": "number, Nm3/min",
        "blast_temperature": "number, °C",
        "Si": "number, %",
        "pulverized_coal": "number, kg/t",
    }
    table, faults = run(plant)
    assert (table["outcome"] == "accepted").all()
    assert (table.height, faults.height) == (24, 0)


@pytest.mark.parametrize("label", ["单位", "Unit", ""])
def test_a_row_of_units_may_be_called_so(plant: Path, tmp_path: Path, label: str) -> None:
    source = tmp_path / "pi.csv"
    rows = [f"2026-05-01 {at:02d}:00,{at}.5,{at + 7}" for at in range(24)]
    source.write_text("\n".join(["Zeit,FT101,TE201", f"{label},m3/h,degC", *rows]), "utf-8")
    assert read_as(add(plant, source)) == {"Zeit": "time", "FT101": "number, m3/h", "TE201": "number, °C"}


def test_sheets_with_the_same_columns_are_one_table_where_others_differ(plant: Path, tmp_path: Path) -> None:
    source = tmp_path / "daily.xlsx"
    with xlsxwriter.Workbook(source) as book:
        percent, day = book.add_format({"num_format": "0.00%"}), book.add_format({"num_format": "yyyy-mm-dd"})
        for month in (1, 2, 3):
            sheet = book.add_worksheet(f"{month}月")
            sheet.write_row(0, 0, ("日期", "产量(t)", "富氧率"))
            for at in range(25):
                sheet.write_number(1 + at, 0, 45_000 + 31 * month + at, day)
                sheet.write_number(1 + at, 1, 5000 + at)
                sheet.write_number(1 + at, 2, 0.031 + at / 10_000, percent)
        about = book.add_worksheet("说明")
        for row in range(3):
            about.write_row(row, 0, ("项目", "备注"))
    added = add(plant, source)
    assert added.notes == ("sheets with other columns are not read: 说明",)
    assert read_as(added)["oxygen_enrichment_rate"] == "number, %"
    table, faults = run(plant)
    assert dict(table["sheet"].value_counts().iter_rows()) == {"1月": 25, "2月": 25, "3月": 25}
    assert table["oxygen_enrichment_rate"].min() == pytest.approx(3.1)
    assert faults.is_empty()


def test_a_unit_behind_every_number_is_that_of_the_column(plant: Path, tmp_path: Path) -> None:
    source = tmp_path / "rolls.csv"
    rows = [f"R{at};9{at % 9},{at % 7} %;{at + 1},25 mm;{at % 3} x" for at in range(40)]
    source.write_text("\n".join(["Walze;Ausbringen;Verschleiss;Text", *rows]), "utf-8")
    assert read_as(add(plant, source)) == {
        "Walze": "text",
        "Ausbringen": "number, %",
        "Verschleiss": "number, mm",
        "Text": "text",
    }
    table, _ = run(plant)
    assert table["Verschleiss"].to_list()[:2] == [1.25, 2.25]
    assert (table["outcome"] == "accepted").all()


def test_a_long_table_that_no_model_knows_is_pivoted_by_its_units(plant: Path, tmp_path: Path) -> None:
    source = tmp_path / "tags.csv"
    tags = (("FT101", "m3/h", 1.5), ("TE201", "℃", 20.5), ("PT301", "kPa", 99.5))
    rows = [
        f"2026-05-01 {at:02d}:00,{tag},{value + at},{unit}" for at in range(20) for tag, unit, value in tags
    ]
    source.write_text("\n".join(["时间,测点,值,单位", *rows]), "utf-8")
    assert read_as(add(plant, source)) == {
        "time": "time",
        "FT101": "number, m3/h",
        "TE201": "number, °C",
        "PT301": "number, kPa",
    }
    table, faults = run(plant)
    assert table.select("FT101", "TE201", "PT301").row(19) == (20.5, 39.5, 118.5)
    assert faults["check"].to_list() == ["long_table"]


def test_units_row_by_row_are_never_silent(plant: Path, tmp_path: Path) -> None:
    source = tmp_path / "bench.csv"
    rows = [
        f"T{at},{('MPa', 'ksi', 'kgf/mm2')[at % 3]},A{at % 2},{(510, 74, 52)[at % 3]}" for at in range(30)
    ]
    source.write_text("\n".join(["试样号,单位,班组,抗拉强度", *rows]), "utf-8")
    added = add(plant, source)
    assert any("has a unit for each row (MPa, kgf/mm2, ksi)" in line for line in added.evidence)
    _, faults = run(plant)
    assert faults["check"].to_list() == ["units_by_row"]


def test_what_a_workbook_hides_is_said_when_it_is_added(plant: Path, tmp_path: Path) -> None:
    source = tmp_path / "heats.xlsx"
    with xlsxwriter.Workbook(source) as book:
        sheet, old = book.add_worksheet("五月"), book.add_worksheet("旧")
        for one in (sheet, old):
            for row, cells in enumerate([("炉号", "C", "Si"), ("A1", 0.1, 0.2), ("A2", 0.2, 0.2)]):
                one.write_row(row, 0, cells)
        sheet.set_row(2, None, None, {"hidden": True})
        old.hide()
    told = " ".join(add(plant, source).evidence)
    assert "hidden and not read: '旧'" in told
    assert "rows of the sheet '五月' are hidden and were read (3)" in told


def test_what_a_message_says_to_write_is_yaml(plant: Path, tmp_path: Path) -> None:
    source = tmp_path / "gas.csv"
    rows = [f"H{at},0.17,{0.0051 if at % 2 else 48}" for at in range(10)]
    source.write_text("\n".join(["炉号,C,N", *rows]), "utf-8")
    added = add(plant, source)
    assert added.problem is not None
    assert "records.gas.units: {N: '%'}" in added.problem


def test_ash_of_an_unclear_basis_stops_until_the_recipe_says_which(plant: Path, tmp_path: Path) -> None:
    source = tmp_path / "coal.csv"
    source.write_text("\n".join(["化验编号,Mt,Ad", *(f"S{at},8.{at},9.{at}" for at in range(9))]), "utf-8")
    added = add(plant, source)
    (ash,) = (row for row in added.columns if row.header == "Ad")
    assert ash.candidates == ("A_d", "A_ad")
    with pytest.raises(tundish.TundishError, match="'Ad' may mean A_d or A_ad, and that is never guessed"):
        run(plant)
    recipe = plant / "pipelines/d.yaml"
    text = (
        recipe.read_text("utf-8")
        .replace("# columns:", "columns:")
        .replace("#   Ad: A_d or A_ad", "  Ad: A_ad")
    )
    recipe.write_text(text, "utf-8")
    assert run(plant)[0]["A_ad"].to_list()[:2] == [9.0, 9.1]


def test_a_column_that_turns_out_different_later_keeps_its_texts_and_is_reported(
    plant: Path, tmp_path: Path
) -> None:
    source = tmp_path / "heats.csv"
    rows = [f"H{at},0.17,0.2,1.4,{at % 50},2026-05-01 0{at % 9}:00,是" for at in range(2500)]
    rows += [f"X{at},0.17,0.2,1.4,A-{at},later,maybe" for at in range(200)]
    source.write_text("\n".join(["炉号,C,Si,Mn,stand,when,flag", *rows]), "utf-8")
    assert add(plant, source).schema == "schemas/steel.py:HeatChemistry"
    table, faults = run(plant)
    assert (table["outcome"] == "accepted").all()
    assert [(note["column"], note["raw"]) for note in table["notes"][-1]] == [
        *(("stand", "A-199"), ("when", "later"), ("flag", "maybe")),
    ]
    assert set(faults["check"]) == {"typed_by_first_values"}
    assert "the first values of 'stand' are each a number, and 200 later ones are not" in faults["message"][0]


def test_a_start_types_a_column_by_all_its_values(plant: Path, tmp_path: Path) -> None:
    source = tmp_path / "log.csv"
    rows = [f"K{at},{at % 50}.5,{at}" for at in range(2500)] + [f"L{at},A-{at},{at}" for at in range(200)]
    source.write_text("\n".join(["Kennung,Wert,n", *rows]), "utf-8")
    assert read_as(add(plant, source)) == {"Kennung": "text", "Wert": "text", "n": "whole number"}
    assert run(plant)[0]["Wert"].null_count() == 0
