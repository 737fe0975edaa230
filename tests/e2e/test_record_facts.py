"""The public tables: what must come out of them, through the command line's own code."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import polars as pl
import pyarrow.parquet as pq
import pytest
from tests.recipes import least

import tundish
from tundish.domain.coal.bases import rebase
from tundish.storage.tables import RECORD_FIELDS

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.shared


def project(folder: Path, **records: str) -> Path:
    shutil.copytree(ROOT / "schemas", folder / "schemas", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "pipelines").mkdir()
    for name, section in records.items():
        text = f"dataset: {name}\nrecords:\n  table: {section}\n{least('records')}"
        (folder / "pipelines" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def judged(folder: Path, name: str) -> pl.DataFrame:
    tundish.run(name, project=folder)
    ledger = tundish.status(name, project=folder)
    assert ledger.closes, ledger.contradictions
    return pl.read_parquet(folder / "datasets" / name / "curated" / "records" / "table.parquet")


def data(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.drop([field.name for field in RECORD_FIELDS])


def quarantine(folder: Path, name: str) -> Sequence[tuple[int, str, str, str]]:
    rows = tundish.read_table("quarantine", name, project=folder)
    return rows.select("row", "place", "check", "severity").rows()


def test_steel_plates__quoted_lines_and_csv_are_one_table_and_two_rows_fail(
    tmp_path: Path, shared_data: Path
) -> None:
    plates = shared_data / "steel_plates_faults"
    names = ", ".join((plates / "Faults27x7_var").read_text().split())
    schema = "schema: 'schemas/steel.py:SteelPlates'"
    here = project(
        tmp_path,
        nna=f"{{path: '{plates}/Faults.NNA', {schema}, names: [{names}]}}",
        csv=f"{{path: '{plates}/SteelPlatesFaults_Clean.csv', {schema}}}",
    )
    quoted, plain = judged(here, "nna"), judged(here, "csv")
    assert quoted.height == 1941
    assert data(quoted).equals(data(plain))
    for name, first in (("nna", 1), ("csv", 2)):
        assert quarantine(here, name) == [
            (518, f"line {518 + first}", "mean_luminosity", "error"),
            (591, f"line {591 + first}", "mean_luminosity", "error"),
        ]


def test_coal_quality__sums_close_repeats_are_reported_and_units_are_read_by_size(
    tmp_path: Path, shared_data: Path
) -> None:
    path = shared_data / "coal_quality" / "coal_all.csv"
    here = project(tmp_path, coal=f"{{path: '{path}', schema: 'schemas/coal.py:CoalQuality'}}")
    rows = judged(here, "coal")
    assert rows.height == 4540
    assert rows["outcome"].value_counts(sort=True).rows() == [("accepted", 4513), ("skipped", 27)]
    assert set(rows["reason"].drop_nulls()) == {"repeated_row"}
    assert quarantine(here, "coal") == []
    moisture, ash = pl.col("Moisture"), pl.col("Ash")
    proximate = pl.sum_horizontal("Moisture", "Volatile_matter", "Fixed_Carbon", "Ash")
    ultimate = pl.sum_horizontal("Hydrogen", "Carbon", "Nitrogen", "Oxygen", "Sulfur", "Ash")
    assert (
        rows.select(worst=pl.max_horizontal((proximate - 100).abs(), (ultimate - 100).abs()).max()).item()
        < 0.02
    )
    facts = {one["header"]: one for one in columns(here, "coal")}
    assert (facts["GCV"]["read_as"], facts["GCV"]["how"]) == ("MJ/kg", "magnitude")
    path = here / "datasets/coal/curated/records/table.parquet"
    assert pq.read_schema(path).field("GCV").metadata[b"unit"] == b"MJ/kg"
    volatile = pl.col("Volatile_matter")
    for base in ("d", "daf"):
        there = rebase(volatile, "ar", base, mt=moisture, ash=ash)
        back = rebase(there, base, "ar", mt=moisture, ash=ash)
        assert rows.select(((back - volatile) / volatile).abs().max()).item() < 1e-9


def columns(folder: Path, name: str) -> list[dict[str, str]]:
    table = tundish.read_table("record_files", name, project=folder)
    found: list[dict[str, str]] = orjson.loads(table["columns"].item())
    return found
