"""The furnace log of the sample, which no shipped model knows: what is planted is found, nothing sound is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from tests.propose.schema.test_start import project

import tundish
from tundish.demo.furnace import FURNACE, write_furnace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.painted import Painted


@pytest.mark.parametrize("seed", [2026, 7, 11])
def test_every_planted_fault_is_found_and_nothing_sound_is_flagged(tmp_path: Path, seed: int) -> None:
    truth = write_furnace(tmp_path, seed)
    plant = project(tmp_path / "plant", shipped=True)
    added = tundish.add("d", tmp_path / FURNACE, project=plant)
    assert isinstance(added, tundish.AddedRecords)
    assert (added.schema, added.key) == ("schemas/furnace.py:Furnace", "cast_no")
    tundish.run("d", project=plant, last="records")
    table = tundish.read_table("furnace", "d", project=plant)
    outcomes = dict(table["outcome"].value_counts().iter_rows())
    assert outcomes == {
        "accepted": truth.accepted,
        "quarantined": truth.quarantined,
        "skipped": truth.skipped,
    }
    faults = pl.read_parquet(plant / "datasets/d/curated/record_faults.parquet")
    found = dict(faults.select(pl.col("id").str.extract(r"#(\d+)$").cast(pl.Int64), "check").iter_rows())
    outright = {one.row: one.check for one in truth.planted if one.check and one.outcome != "skipped"}
    assert found == outright
    for planted in truth.planted:
        row = table.row(planted.row, named=True)
        assert (row["line"], row["outcome"]) == (planted.line, planted.outcome)
        if planted.outcome == "skipped":
            assert row["reason"] == planted.check
        assert [note["note"] for note in row["notes"] or ()] == ([planted.note] if planted.note else [])
    noted = table.filter(pl.col("notes").is_not_null())["row"].to_list()
    assert noted == [one.row for one in truth.planted if one.note]


def test_the_units_of_the_log_are_those_of_its_second_row(tmp_path: Path) -> None:
    write_furnace(tmp_path, 2026)
    added = tundish.add("d", tmp_path / FURNACE, project=project(tmp_path / "plant"), dry_run=True)
    assert isinstance(added, tundish.AddedRecords)
    assert [row.read_as for row in added.columns] == [
        *("text", "time", "number, 万m3/h", "number, °C", "number, kPa", "number, %", "number, °C"),
        *("number, %", "number, kg/t", "text"),
    ]


def test_the_sample_has_the_log_beside_the_tables_of_its_recipe(painted_steel: Painted) -> None:
    (log,) = painted_steel.truth.unlisted
    assert (log.table, log.path) == ("furnace", FURNACE)
    assert (painted_steel.folder / FURNACE).read_bytes().decode("gb18030").startswith("铁次,时间,风量")
