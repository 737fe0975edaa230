"""A table that no schema knows gets one as a start: typed, with units and a key, and a run takes it."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import tundish
from tundish.recipe.load import load
from tundish.rules.models import models_of

ROOT = Path(__file__).resolve().parents[3]
HEADER_ROW = "时间,炉次,热风温度(℃),风量(万m3/h),焦比(kg/t),班次,是否休风,class,备注"
FURNACE = [HEADER_ROW] + [
    f"2026-05-{1 + hour // 24:02d} {hour % 24:02d}:00,H{hour:04d},{1150.5 + hour % 50},{28 + hour % 9 / 10},"
    f"{350 + hour % 20},{'甲乙丙'[hour % 3]},{'是' if hour % 50 == 0 else '否'},{hour % 4},"
    for hour in range(120)
]


def project(folder: Path, *, shipped: bool = False) -> Path:
    (folder / "pipelines").mkdir(parents=True)
    if shipped:
        shutil.copytree(ROOT / "schemas", folder / "schemas", ignore=shutil.ignore_patterns("__pycache__"))
    else:
        (folder / "schemas").mkdir()
    return folder


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    return project(tmp_path / "plant")


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def add(plant: Path, source: Path, **options: str) -> tundish.AddedRecords:
    added = tundish.add("d", source, project=plant, **options)  # type: ignore[arg-type]
    assert isinstance(added, tundish.AddedRecords)
    return added


def test_a_table_of_no_model_is_typed_with_units_key_and_categories(plant: Path, tmp_path: Path) -> None:
    added = add(plant, write(tmp_path / "furnace.csv", FURNACE))
    assert (added.schema, added.key) == ("schemas/furnace.py:Furnace", "heat")
    read = {row.header: (row.column, row.read_as) for row in added.columns}
    assert read == {
        "时间": ("time", "time"),
        "炉次": ("heat", "text"),
        "热风温度(℃)": ("hot_blast_temperature", "number, °C"),
        "风量(万m3/h)": ("blast_volume", "number, 万m3/h"),
        "焦比(kg/t)": ("coke_rate", "number, kg/t"),
        "班次": ("shift", "text"),
        "是否休风": ("is_blast_stop", "yes or no"),
        "class": ("class_value", "whole number"),
        "备注": ("remark", "text"),
    }
    tundish.run("d", project=plant, last="records")
    table = tundish.read_table("furnace", "d", project=plant)
    kinds = {name: table.schema[name] for name in table.columns[8:]}
    assert kinds == {
        "time": pl.Datetime("us", "UTC"),
        "heat": pl.String(),
        "is_blast_stop": pl.Boolean(),
        **dict.fromkeys(("hot_blast_temperature", "blast_volume", "coke_rate"), pl.Float64()),
        "shift": pl.String(),
        "class_value": pl.Int64(),
        "remark": pl.String(),
    }
    assert table["outcome"].unique().to_list() == ["accepted"]
    status = tundish.status("d", project=plant).as_dict()["records"]["furnace"]
    assert status["columns"] == {"by name": 9, "typed": 0, "text": 0, "left out": 0}


def test_what_differs_later_is_a_warning_and_the_record_stays(plant: Path, tmp_path: Path) -> None:
    source = write(tmp_path / "furnace.csv", FURNACE)
    add(plant, source)
    odd = FURNACE[-1].replace("2026-05-05 23:00,H0119", "2026-05-06 00:00,H0120")
    write(source, [*FURNACE, odd.replace("丙", "丁").replace("1169.5", "9999")])
    tundish.run("d", project=plant, last="records")
    status = tundish.status("d", project=plant)
    assert status.records["furnace"].accepted == 121
    table = pl.read_parquet(plant / "datasets/d/curated/record_faults.parquet")
    assert sorted(table["check"]) == ["hot_blast_temperature_unusual", "shift_new"]
    assert set(table["severity"]) == {"warning"}


def test_a_unit_that_the_alias_file_defines_is_converted_into_a_known_one(
    plant: Path, tmp_path: Path
) -> None:
    source = write(tmp_path / "furnace.csv", FURNACE)
    add(plant, source)
    alias = plant / "schemas/furnace.yaml"
    assert yaml.safe_load(alias.read_text("utf-8"))["units"] == {"万m3/h": "10000 m3/h", "kg/t": None}
    changed = alias.read_text("utf-8").replace("{unit: 万m3/h", "{unit: m3/h")
    alias.write_text(changed, "utf-8")
    tundish.run("d", project=plant, last="records")
    assert tundish.read_table("furnace", "d", project=plant)["blast_volume"][0] == 280_000


def test_what_is_written_is_formatted_and_the_same_each_time(tmp_path: Path) -> None:
    source = write(tmp_path / "高炉 日志.csv", FURNACE)
    texts = []
    for name in ("a", "b"):
        plant = project(tmp_path / name)
        add(plant, source)
        texts.append({path.name: path.read_bytes() for path in (plant / "schemas").iterdir()})
    assert texts[0] == texts[1]
    assert sorted(texts[0]) == ["高炉-日志.py", "高炉-日志.yaml"]
    command = [sys.executable, "-m", "ruff", "format", "--check", str(tmp_path / "a/schemas")]
    for more in ([], ["--line-length", "110"]):
        done = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_shipped_model_is_proposed_only_where_its_key_and_half_of_the_columns_are_understood(
    tmp_path: Path,
) -> None:
    plant = project(tmp_path / "plant", shipped=True)
    rows = [f"A{number},{880 + number},{number * 1.5}" for number in range(30)]
    half = add(plant, write(tmp_path / "half.csv", ["coil_no,终轧温度,x", *rows]))
    assert half.schema == "schemas/steel.py:HotStripCoil"
    assert not half.schema_files
    few = ["炉号,甲,乙,丙", *(f"A{number},x{number % 3},{number}.5,y" for number in range(9))]
    other = add(plant, write(tmp_path / "other.csv", few))
    assert other.schema == "schemas/other.py:Other"
    assert any("HeatChemistry (1 of 4 columns" in one for one in other.others)
    keyless = add(plant, write(tmp_path / "keyless.csv", ["终轧温度,卷取温度", "880,600", "870,601"]))
    assert keyless.schema == "schemas/keyless.py:Keyless"
    assert keyless.key is None
    tundish.run("d", project=plant, last="records")
    assert pl.Float64 in tundish.read_table("other", "d", project=plant).dtypes
    columns = tundish.status("d", project=plant).columns
    assert columns["half"] == {"by name": 2, "typed": 1, "text": 0, "left out": 0}
    assert tundish.read_table("half", "d", project=plant)["x"].to_list()[:2] == [0.0, 1.5]


def test_a_cell_of_an_unknown_column_that_cannot_be_read_is_a_note(tmp_path: Path) -> None:
    plant = project(tmp_path / "plant", shipped=True)
    rows = [f"A{number},880,{number if number != 29 else '~'}" for number in range(30)]
    add(plant, write(tmp_path / "coils.csv", ["coil_no,终轧温度,x", *rows]))
    tundish.run("d", project=plant, last="records")
    table = tundish.read_table("coils", "d", project=plant)
    assert table["outcome"].unique().to_list() == ["accepted"]
    assert table["notes"].explode().drop_nulls().to_list() == [
        {"column": "x", "note": "not_a_number", "raw": "~"}
    ]


def test_headers_that_differ_in_unit_or_case_only_or_occur_twice_are_told_apart(
    plant: Path, tmp_path: Path
) -> None:
    header = "Temp(℃),Temp(K),S,s,厚度,厚度,record_id,2号,。,class,time"
    values = ["20,293,1,2,3,4,x,5,6,7,8", "21,294,2,3,4,5,y,6,7,8,9"]
    added = add(plant, write(tmp_path / "t.csv", [header, *values]))
    names = [row.column for row in added.columns]
    assert len({str(name).lower() for name in names}) == 11
    tundish.run("d", project=plant, last="records")
    table = tundish.read_table("t", "d", project=plant)
    assert [float(value) for value in table.select(names).row(1) if value != "y"] == [
        21,
        294,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
    ]


WORDS = [
    "温度",
    "压力",
    "炉号",
    "时间",
    "class",
    "None",
    "def",
    "列",
    "C",
    "c",
    "S",
    "pl",
    "Time",
    "x",
    "%",
    "(mm)",
    "3#",
]
ENDS = ["(mm)", "(℃)", "[kPa]", "(万m3/h)", "/%", "_2", "(备注)"]
CELLS = ["", "-", "2026-05-01", "2026-05-01 08:00:00", "是", "否", "甲", "0012", "<0.05", "A1", "x,y", '"']
HEADER = st.one_of(
    st.sampled_from(WORDS),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=12),
    st.tuples(st.sampled_from(WORDS), st.sampled_from(ENDS)).map("".join),
)
CELL = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: f"{value:.3f}"),
    st.sampled_from(CELLS),
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    headers = draw(st.lists(HEADER, min_size=2, max_size=7))
    kinds = [draw(st.sampled_from([CELL, CELL.filter(lambda cell: cell[:1].isdigit())])) for _ in headers]
    rows = draw(st.integers(1, 6))
    return [headers, *([draw(kind) for kind in kinds] for _ in range(rows))]


@settings(max_examples=40, deadline=None)
@given(tables())
def test_whatever_add_writes_run_accepts(table: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plant = project(Path(folder) / "plant")
        text = io.StringIO()
        csv.writer(text).writerows(table)
        source = Path(folder) / "some table.csv"
        source.write_text(text.getvalue(), encoding="utf-8")
        try:
            added = add(plant, source)
        except tundish.UsageError as error:
            # A first row like those below it is not a header, and one blank column is not a table.
            assert any(word in str(error) for word in ("no header", "no records", "empty"))  # noqa: PT017
            return
        assert len(load(added.recipe).records) == 1
        (model,) = models_of(plant / "schemas/some-table.py")
        fields = list(model.to_schema().columns)
        assert [row.column for row in added.columns] == fields
        tundish.run("d", project=plant, last="records")
        status = tundish.status("d", project=plant)
        assert status.closes
        assert status.columns["some-table"]["by name"] == len(fields)
