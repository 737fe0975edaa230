"""A unit column for each row: found by add, written into the recipe, applied by run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
import xlsxwriter
import yaml
from tests.propose.schema.test_sources import add, read_as, run
from tests.propose.schema.test_start import project

import tundish
from tundish.errors import TundishError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ASH = (("%", 9.5), ("g/kg", 95.0), ("%", 10.5), ("g/kg", 105.0))
HEAT = (("MJ/kg", 28.5), ("kJ/kg", 28500.0), ("kcal/kg", 6807.0))


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    return project(tmp_path / "plant", shipped=True)


def coals(count: int = 30) -> list[list[object]]:
    rows = []
    for at in range(count):
        (ash_unit, ash), (heat_unit, heat) = ASH[at % 4], HEAT[at % 3]
        rows.append([f"S{at}", ash, ash_unit, heat, heat_unit])
    return rows


def write(source: Path, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    if source.suffix == ".xlsx":
        with xlsxwriter.Workbook(source) as book:
            sheet = book.add_worksheet("coal")
            for number, cells in enumerate([headers, *rows]):
                sheet.write_row(number, 0, cells)
    else:
        lines = [",".join("" if cell is None else str(cell) for cell in cells) for cells in [headers, *rows]]
        source.write_text("\n".join(lines), "utf-8")
    return source


def section(plant: Path, table: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(recipe_of(plant).read_text("utf-8"))["records"][table]
    return found


def recipe_of(plant: Path) -> Path:
    return plant / "pipelines/d.yaml"


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_every_value_comes_out_in_the_unit_that_most_rows_have(
    plant: Path, tmp_path: Path, suffix: str
) -> None:
    source = write(tmp_path / f"bench{suffix}", ["sample", "ash", "ash_unit", "CV", "CV_unit"], coals())
    added = add(plant, source)
    assert read_as(added) == {"sample": "text", "ash": "number, %", "CV": "number, MJ/kg"}
    assert "15 of %, 1" in added.evidence[0]
    assert section(plant, "bench")["unit_columns"] == {"ash": "ash_unit", "CV": "CV_unit"}
    assert "# 'CV_unit' has the unit of 'CV' for each row" in recipe_of(plant).read_text("utf-8")
    table, faults = run(plant)
    assert (table["outcome"] == "accepted").all()
    assert not faults.height
    assert table["ash"].to_list()[:4] == [9.5, 9.5, 10.5, 10.5]
    assert table["CV"].is_between(28.49, 28.51).all()
    assert "ash_unit" not in table.columns


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_row_with_a_wrong_or_no_unit_is_quarantined(plant: Path, tmp_path: Path, suffix: str) -> None:
    rows: list[list[object]] = [*coals()]
    rows[4][2], rows[5][2], rows[6][4], rows[7][2] = "mm", None, "bogus", "-"
    rows[8][1] = rows[8][2] = None
    add(plant, write(tmp_path / f"bench{suffix}", ["sample", "ash", "ash_unit", "CV", "CV_unit"], rows))
    table, faults = run(plant)
    assert table["outcome"].to_list()[4:9] == ["quarantined"] * 4 + ["accepted"]
    assert table["ash"].to_list()[4:9] == [None, None, 10.5, None, None]
    assert faults.filter(pl.col("severity") == "error").select("check", "column").rows() == [
        ("unit_of_row", "ash"),
        ("row_without_unit", "ash"),
        ("unit_of_row", "CV"),
        ("row_without_unit", "ash"),
    ]
    assert "mm is a length, % is a share" in faults["message"][0]


def test_one_column_of_values_with_its_unit_beside_it(plant: Path, tmp_path: Path) -> None:
    rows = [[f"S{at}", ASH[at % 4][1], ASH[at % 4][0], 7.5 + at % 3] for at in range(24)]
    add(plant, write(tmp_path / "lab.csv", ["sample", "value", "unit", "moisture"], rows))
    assert section(plant, "lab")["unit_columns"] == {"value": "unit"}
    table, _ = run(plant)
    assert set(table["value"]) == {9.5, 10.5}
    assert set(table["moisture"]) == {7.5, 8.5, 9.5}


def test_an_empty_unit_is_that_of_the_others_where_all_agree(plant: Path, tmp_path: Path) -> None:
    rows = [[f"S{at}", 95 + at, "g/kg" if at % 5 else None] for at in range(24)]
    add(plant, write(tmp_path / "lab.csv", ["sample", "ash", "unit"], rows))
    assert section(plant, "lab")["unit_columns"] == {"ash": "unit"}
    table, faults = run(plant)
    assert (table["outcome"] == "accepted").all()
    assert table["ash"].to_list() == [95.0 + at for at in range(24)]
    assert not faults.height


def test_a_unit_that_only_the_last_row_has_counts_for_the_whole_file(plant: Path, tmp_path: Path) -> None:
    rows: list[list[object]] = [[f"S{at}", 9.5, "%"] for at in range(24)]
    rows[3][2] = None
    rows[-1] = ["S23", 95.0, "g/kg"]
    add(plant, write(tmp_path / "lab.csv", ["sample", "ash", "unit"], rows))
    table, _ = run(plant)
    assert table["reason"].to_list()[3] == "row_without_unit"
    assert table["ash"].to_list()[-1] == 9.5


def test_a_shipped_model_keeps_its_own_unit(plant: Path, tmp_path: Path) -> None:
    headers = ["sample_id", "tested_at", "Mad(%)", "Aad", "Aad单位", "Qgr_ad", "单位"]
    rows = [
        [
            f"C{at}",
            f"2026-05-{1 + at % 28:02d} 08:00",
            1.5,
            ASH[at % 4][1],
            ASH[at % 4][0],
            *HEAT[at % 3][::-1],
        ]
        for at in range(24)
    ]
    added = add(plant, write(tmp_path / "coal.csv", headers, rows))
    assert added.schema.endswith("CoalAnalysis")
    assert section(plant, "coal")["unit_columns"] == {"Aad": "Aad单位", "Qgr_ad": "单位"}
    table, _ = run(plant)
    assert set(table["A_ad"]) == {9.5, 10.5}
    assert table["Q_gr_ad"].is_between(28.49, 28.51).all()


def test_the_recipe_must_name_existing_headers(plant: Path, tmp_path: Path) -> None:
    add(plant, write(tmp_path / "bench.csv", ["sample", "ash", "ash_unit", "CV", "CV_unit"], coals()))
    text = recipe_of(plant).read_text("utf-8")
    recipe_of(plant).write_text(text.replace("CV: CV_unit", "CV: CV_units"), "utf-8")
    with pytest.raises(TundishError, match="'CV_units', which the file does not have"):
        tundish.run("d", project=plant, last="records")


def test_a_column_that_no_schema_knows_has_the_unit_of_most_rows_of_all_files(
    plant: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "months"
    folder.mkdir()
    write(folder / "a.csv", ["sample", "ash", "ash_unit"], [row[:3] for row in coals(4)])
    add(plant, folder)
    recipe = recipe_of(plant)
    model = next((plant / "schemas").glob("months*.py"))
    lines = model.read_text("utf-8").splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("    ash:"))
    end = next(at for at, line in enumerate(lines) if at > start and not line.strip())
    model.write_text("\n".join(lines[:start] + lines[end:]), "utf-8")
    alias = model.with_suffix(".yaml")
    kept = [line for line in alias.read_text("utf-8").splitlines() if not line.startswith("  ash:")]
    alias.write_text("\n".join(kept), "utf-8")
    write(folder / "b.csv", ["sample", "ash", "ash_unit"], [[f"T{at}", 90.0 + at, "g/kg"] for at in range(9)])
    assert "unit_columns" in recipe.read_text("utf-8")
    table, _ = run(plant)
    assert table["ash"].to_list()[:5] == [95.0, 95.0, 105.0, 105.0, 90.0]
