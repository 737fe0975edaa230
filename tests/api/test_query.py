"""SQL over a dataset's tables: what is there can be asked, and nothing can be changed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import orjson
import polars as pl
import pytest
from click.testing import CliRunner

import tundish
from tundish.cli import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    plant = tmp_path_factory.mktemp("pl[a]nt*")
    (plant / "pipelines").mkdir()
    (plant / "schemas").mkdir()
    lines = [f"C{at:03d},2026-05-{1 + at // 4:02d} 00:30,{at * 2.5},{'甲乙'[at % 2]}" for at in range(40)]
    table = ["卷号,时间,重量(t),班次", *lines, "C001,2026-05-30 00:30,9,甲"]
    source = plant / "卷 1.csv"
    source.write_text("\n".join(["卷号,时间,重量(t),班次", *lines]) + "\n", encoding="utf-8")
    tundish.add("d", source, table="coils", project=plant)
    source.write_text("\n".join(table) + "\n", encoding="utf-8")
    tundish.run("d", project=plant, last="records")
    return plant


@pytest.fixture
def plant(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    return made


def test_records_have_a_view_of_the_accepted_and_one_of_all(plant: Path) -> None:
    assert tundish.query("d", "select count(*) as n, sum(weight) as t from coils").row(0) == (
        38 + 1,
        1950 - 2.5,
    )
    by = tundish.query("d", "select outcome, count(*) as n from records.coils group by all order by all")
    assert by.rows() == [("accepted", 39), ("quarantined", 2)]
    faults = "select \"check\" from record_faults where severity = 'error'"
    assert tundish.query("d", faults)["check"].to_list() == ["conflicting_record"] * 2


def test_days_are_those_of_the_plant_and_chinese_names_are_names(plant: Path) -> None:
    days = tundish.query(
        "d", 'select time::date as 日, count(*) as "卷 数" from coils group by all order by 日'
    )
    assert days.columns == ["日", "卷 数"]
    assert str(days["日"][0]) == "2026-05-01"
    assert days.schema["卷 数"] == pl.Int64
    assert tundish.query("d", "select distinct shift from coils where shift = '甲'").height == 1


def test_without_a_statement_the_tables_are_listed(plant: Path) -> None:
    listed = tundish.query("d")
    assert {"coils", "records.coils", "record_files"} <= set(listed["table"])
    columns = dict(listed.select("table", "columns").iter_rows())
    assert "weight" in columns["coils"]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select 1; select 2", "2 statements"),
        ("", "0 statements"),
        ("create table x as select 1", "CREATE is refused"),
        ("copy coils to 'x.csv'", "COPY is refused"),
        ("attach 'x.db'", "ATTACH is refused"),
        ("set threads = 1", "SET is refused"),
        ("insert into coils values (1)", "INSERT is refused"),
        ("drop view coils", "DROP is refused"),
        ("select * from read_csv('/etc/passwd')", "disabled by configuration"),
        ("select * from '/etc/passwd'", "does not exist"),
        ("select * from coil", "there are: .*coils"),
        ("select wieght from coils", "wieght.*weight"),
        ("select from", "syntax error"),
        ("select 1 as x, 2 as x", "two columns are called 'x'"),
        ("select interval 1 day as i", "'i' is an interval"),
    ],
)
def test_what_does_more_than_read_or_is_wrong_is_refused_in_a_sentence(
    plant: Path, sql: str, message: str
) -> None:
    before = sorted(path.name for path in plant.rglob("*"))
    with pytest.raises(tundish.UsageError, match=message) as found:
        tundish.query("d", sql)
    assert "\n" not in str(found.value)
    assert sorted(path.name for path in plant.rglob("*")) == before


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_an_answer_is_written_as_suffix_or_option_say(plant: Path, tmp_path: Path, suffix: str) -> None:
    sql = "select heat, weight from (select coil_no as heat, weight from coils) order by heat limit 2"
    for name, options in ((f"a.{suffix}", {}), ("b.txt", {"format": suffix})):
        tundish.query("d", sql, output=tmp_path / name, **options)  # type: ignore[arg-type]
        match suffix:
            case "csv":
                assert (tmp_path / name).read_text("utf-8") == "heat,weight\nC000,0.0\nC002,5.0\n"
            case "json":
                assert orjson.loads((tmp_path / name).read_bytes())[1] == {"heat": "C002", "weight": 5.0}
            case _:
                assert pl.read_parquet(tmp_path / name).rows() == [("C000", 0.0), ("C002", 5.0)]


def test_the_command_prints_what_the_function_returns(plant: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    sql = "select shift, count(*) as n from coils group by all order by n desc, shift"
    assert run(main, ["query", "d", sql]).output.splitlines() == ["shift   n", "甲     20", "乙     19"]
    assert run(main, ["query", "d", sql, "--format", "csv"]).output == "shift,n\n甲,20\n乙,19\n"
    assert orjson.loads(run(main, ["query", "d", sql, "--format", "json"]).output)[0] == {
        "shift": "甲",
        "n": 20,
    }
    done = run(main, ["query", "d", sql, "--output", str(tmp_path / "a.csv")])
    assert done.output == f"Wrote 2 rows to {tmp_path / 'a.csv'}.\n"
    assert "coils (accepted records): record_id" in run(main, ["query", "d"]).output
    for wrong in (["--format", "parquet"], ["--output", str(tmp_path / "a.doc")]):
        assert run(main, ["query", "d", sql, *wrong]).exit_code == 2
    nested = run(main, ["query", "d", "select [1, 2] as l", "--format", "csv"])
    assert (nested.exit_code, "CSV cannot hold the column 'l'" in nested.output) == (2, True)


def test_without_duckdb_it_says_what_to_install(plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(tundish.UsageError, match=r"SQL needs DuckDB.*tundish\[query\]"):
        tundish.query("d", "select 1")


def test_a_dataset_that_has_not_run_has_no_tables(plant: Path) -> None:
    shutil.copy(plant / "pipelines/d.yaml", plant / "pipelines/e.yaml")
    text = (plant / "pipelines/e.yaml").read_text("utf-8").replace("dataset: d", "dataset: e")
    (plant / "pipelines/e.yaml").write_text(text, "utf-8")
    with pytest.raises(tundish.UsageError, match="no tables yet; run 'tundish run e'"):
        tundish.query("e", "select 1")
    (plant / "pipelines/e.yaml").unlink()
