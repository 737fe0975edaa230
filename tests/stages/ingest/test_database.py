"""Queries against PostgreSQL and SQLite: types, flat memory, only new rows, lost connections, no secrets."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from tests.stages.ingest.servers import PASSWORD, Postgres

from tundish.engine import LocalEngine
from tundish.errors import OutsideError, UsageError
from tundish.recipe.load import Recipe
from tundish.stages.base import Context
from tundish.stages.ingest import database as _database
from tundish.stages.ingest.stage import STAGE
from tundish.stages.records.stage import STAGE as RECORDS
from tundish.storage.shards import copy_parts, latest_files, read_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODEL = """
import pandera.polars as pa
import polars as pl


class Heat(pa.DataFrameModel):
    heat_no: str = pa.Field(nullable=True)
    carbon: float = pa.Field(nullable=True, le=2)
    updated_at: pl.Datetime("us", "UTC") = pa.Field(nullable=True)

    class Config:
        metadata = {"key": ["heat_no"]}
"""
ALIASES = """
columns:
  heat_no: {names: [炉号]}
  carbon: {names: [碳], unit: "%"}
  updated_at: {names: [更新时间]}
"""
ALL = 'select * from heats order by "炉号", "更新时间"'


def project(
    root: Path, query: str = ALL, since: str | None = "更新时间", overlap: str | None = None
) -> Context:
    (root / "schemas").mkdir(parents=True, exist_ok=True)
    (root / "schemas" / "plant.py").write_text(MODEL, encoding="utf-8")
    (root / "schemas" / "plant.yaml").write_text(ALIASES, encoding="utf-8")
    sql = {"connection": "PLANT_DB", "query": query} | ({"since": since} if since else {})
    sql |= {"overlap": overlap} if overlap else {}
    heats = {"sql": sql, "schema": "schemas/plant.py:Heat", "units": {"carbon": "%"}}
    recipe = {"dataset": "d", "records": {"heats": heats}}
    return Context(Recipe.model_validate(recipe), root, LocalEngine())


def parts(here: Context) -> dict[str, pl.DataFrame]:
    """The accepted files of the table, by name."""
    files = latest_files(read_files(here.dataset.store)).filter(pl.col("outcome") == "accepted")
    found = {}
    for path, shard in files.select("path", "shard").iter_rows():
        copy = here.dataset.root / "copy"
        copy_parts(here.dataset.record_shards / f"{shard}.parquet", copy)
        found[path] = pl.read_parquet(copy.read_bytes())
    return found


def judged(here: Context) -> list[tuple[Any, ...]]:
    RECORDS.run(here)
    rows = pl.read_parquet(here.dataset.records / "heats.parquet")
    return rows.select("heat_no", "carbon", "outcome", "reason").sort("heat_no", "carbon").rows()


def everything(root: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file())


@pytest.fixture(params=["postgresql", "sqlite"])
def base(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """A database with an empty table of heats; called with SQL, it runs it."""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("server")
        server.run("drop table if exists heats")
        server.run('create table heats ("炉号" text, "碳" numeric(8,4), "更新时间" timestamptz)')
        monkeypatch.setenv("PLANT_DB", server.address)
        return server.run
    file = tmp_path / "plant.db"

    def run(sql: str) -> None:
        with closing(sqlite3.connect(file)) as link, link:
            link.execute(sql)

    run('create table heats ("炉号" text, "碳" real, "更新时间" text)')
    monkeypatch.setenv("PLANT_DB", f"sqlite:///{file}")
    return run


def test_since__rows_that_come_late_are_counted(base: Callable[[str], None], tmp_path: Path) -> None:
    here = project(tmp_path / "p")
    base("insert into heats values ('A1', 0.05, '2026-01-01 08:00:00+08:00')")
    base("insert into heats values ('A2', 0.06, '2026-01-02 08:00:00+08:00')")
    assert STAGE.run(here).notes == []
    base("insert into heats values ('L1', 0.07, '2026-01-01 09:00:00+08:00')")
    base("insert into heats values ('L2', 0.07, '2026-01-01 10:00:00+08:00')")
    base("insert into heats values ('A3', 0.08, '2026-01-03 08:00:00+08:00')")
    (note,) = STAGE.run(here).notes
    assert "at least 2 rows of 'heats' came late" in note
    assert "'overlap: 1d' finds such rows" in note
    assert [len(rows) for rows in parts(here).values()] == [2, 1]


def test_since__an_overlap_finds_rows_that_come_late_and_stores_none_twice(
    base: Callable[[str], None], tmp_path: Path
) -> None:
    here = project(tmp_path / "p", overlap="2d")
    for day in range(1, 6):
        base(f"insert into heats values ('A{day}', 0.05, '2026-01-0{day} 08:00:00+08:00')")
    assert STAGE.run(here).notes == []
    assert STAGE.run(here).counts["new files"] == 0
    base("insert into heats values ('L3', 0.07, '2026-01-03 09:00:00+08:00')")
    assert STAGE.run(here).notes == []
    base("insert into heats values ('L1', 0.07, '2026-01-01 09:00:00+08:00')")
    base("insert into heats values ('A6', 0.08, '2026-01-06 08:00:00+08:00')")
    base("insert into heats values ('L4', 0.08, '2026-01-04 09:00:00+08:00')")
    (note,) = STAGE.run(here).notes
    assert "at least 1 rows of 'heats' came late" in note
    assert "a larger 'overlap'" in note
    assert [rows["炉号"].to_list() for rows in parts(here).values()] == [
        *(["A1", "A2", "A3", "A4", "A5"], ["L3"], ["A6", "L4"]),
    ]


def test_since__an_overlap_needs_times(base: Callable[[str], None], tmp_path: Path) -> None:
    here = project(tmp_path / "p", since="炉号", overlap="1d")
    base("insert into heats values ('A1', 0.05, '2026-01-01 08:00:00+08:00')")
    STAGE.run(here)
    with pytest.raises(UsageError, match="'A1' is not a time"):
        STAGE.run(here)


def test_since__reads_only_new_rows_and_keeps_those_from_before(
    base: Callable[[str], None], tmp_path: Path
) -> None:
    here = project(tmp_path / "p")
    base("insert into heats values ('A1', 0.05, '2026-01-01 08:00:00+08:00')")
    base("insert into heats values ('A2', null, '2026-01-01 09:00:00+08:00')")
    assert STAGE.run(here).counts["new files"] == 1
    before = everything(here.dataset.store)
    assert STAGE.run(here).counts["new files"] == 0
    assert everything(here.dataset.store) == before
    # A row at the mark that comes late, and one after it.
    base("insert into heats values ('A3', 0.07, '2026-01-01 09:00:00+08:00')")
    base("insert into heats values ('A4', 0.08, '2026-01-01 10:00:00+08:00')")
    assert STAGE.run(here).notes == []
    first, second = parts(here).values()
    assert (first["炉号"].to_list(), second["炉号"].to_list()) == (["A1", "A2"], ["A3", "A4"])
    assert STAGE.run(here).counts["new files"] == 0
    # Deleted rows stay; the others are not read again.
    base("delete from heats where \"炉号\" = 'A1'")
    assert STAGE.run(here).counts["new files"] == 0
    assert [row[0] for row in judged(here)] == ["A1", "A2", "A3", "A4"]
    assert {row[2] for row in judged(here)} == {"accepted"}


def test_since__three_runs_at_one_mark_read_no_row_twice(base: Callable[[str], None], tmp_path: Path) -> None:
    here = project(tmp_path / "p")
    for number in range(4):
        base(f"insert into heats values ('A{number}', 0.05, '2026-01-01 08:00:00+00:00')")
        STAGE.run(here)
    assert [part["炉号"].to_list() for part in parts(here).values()] == [["A0"], ["A1"], ["A2"], ["A3"]]


def test_since__a_changed_row_replaces_its_earlier_version(
    base: Callable[[str], None], tmp_path: Path
) -> None:
    """Also where it is changed back, and where the new version is refused."""
    here = project(tmp_path / "p")
    base("insert into heats values ('A1', 0.05, '2026-01-01 08:00:00+00:00')")
    base("insert into heats values ('A2', 0.05, '2026-01-01 08:00:00+00:00')")
    STAGE.run(here)
    base('update heats set "碳" = 0.06, "更新时间" = \'2026-01-02 08:00:00+00:00\' where "炉号" = \'A1\'')
    base('update heats set "碳" = 9, "更新时间" = \'2026-01-02 08:00:00+00:00\' where "炉号" = \'A2\'')
    STAGE.run(here)
    old = ("skipped", "superseded_by_update")
    rows = judged(here)
    assert rows[0] == ("A1", 0.05, *old)
    assert rows[1] == ("A1", 0.06, "accepted", None)
    assert rows[2] == ("A2", 0.05, *old)
    assert rows[3][:3] == ("A2", 9.0, "quarantined")
    base('update heats set "碳" = 0.05, "更新时间" = \'2026-01-03 08:00:00+00:00\' where "炉号" = \'A1\'')
    STAGE.run(here)
    assert [row[2] for row in judged(here) if row[0] == "A1"] == ["skipped", "accepted", "skipped"]


def test_since__another_query_reads_from_the_beginning(base: Callable[[str], None], tmp_path: Path) -> None:
    base("insert into heats values ('A1', 0.05, '2026-01-01 08:00:00+00:00')")
    STAGE.run(project(tmp_path / "p"))
    here = project(tmp_path / "p", query=ALL + " ; ")
    assert STAGE.run(here).counts["accepted"] == 1
    assert len(parts(here)) == 1
    reasons = latest_files(read_files(here.dataset.store))["reason"].drop_nulls().to_list()
    assert reasons == ["answer_replaced"]
    whole = project(tmp_path / "p", since=None)
    STAGE.run(whole)
    assert list(parts(whole)) == ["heats.parquet"]
    STAGE.run(here)
    assert len(judged(here)) == 1


def test_since__an_empty_table_is_not_an_error(base: Callable[[str], None], tmp_path: Path) -> None:
    here = project(tmp_path / "p")
    STAGE.run(here)
    base("insert into heats values ('A1', 0.05, '2026-01-01 08:00:00+00:00')")
    STAGE.run(here)
    assert [part.height for part in parts(here).values()] == [1]


def test_since__a_row_without_a_mark_and_an_unknown_column_are_refused(
    base: Callable[[str], None], tmp_path: Path
) -> None:
    base("insert into heats values ('A1', 0.05, '2026-01-01 08:00:00+00:00')")
    here = project(tmp_path / "p")
    STAGE.run(here)
    before = everything(here.dataset.store)
    base("insert into heats values ('A2', 0.05, null)")
    with pytest.raises(UsageError, match="1 rows have no '更新时间'"):
        STAGE.run(here)
    assert everything(here.dataset.store) == before
    with pytest.raises(UsageError, match="has no column 'changed'; it has: 炉号, 碳, 更新时间"):
        STAGE.run(project(tmp_path / "q", since="changed"))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", ["9", "10", "9007199254740993"]),
        ("numeric", ["9", "10.5", "9007199254740993"]),
        ("date", ["'2026-01-09'", "'2026-01-10'", "'2026-02-01'"]),
        ("timestamp", ["'2026-01-09'", "'2026-01-09 00:00:00.000001'", "'2026-02-01'"]),
        ("text", ["'a''b'", "'a''c'", "'b'"]),
    ],
)
def test_since__marks_of_every_kind(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, values: list[str]
) -> None:
    server.run("drop table if exists marks")
    server.run(f'create table marks ("炉号" text, at {kind})')
    monkeypatch.setenv("PLANT_DB", server.address)
    here = project(tmp_path, query="select * from marks order by at", since="at")
    for number, value in enumerate(values):
        server.run(f"insert into marks values ('A{number}', {value})")
        STAGE.run(here)
        STAGE.run(here)
    assert [part["炉号"].to_list() for part in parts(here).values()] == [["A0"], ["A1"], ["A2"]]


def test_postgresql__its_types_come_out(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.run("drop table if exists kinds")
    server.run(
        'create table kinds ("炉号" text, "碳" numeric(8,4), "更新时间" timestamptz, day date, f real,'
        " n bigint, b boolean, u uuid, j jsonb, a int[], t time, i interval, x text)"
    )
    server.run(
        "insert into kinds values ('甲1', 0.0123, '2026-01-01 08:00+08', '2026-01-01', 1.5,"
        " 9007199254740993, true, '15ef1205-b716-4225-8445-02067e6a0a51', '{\"a\": 1}', '{1,2}', '08:00',"
        " '1 day 2 hours', null)"
    )
    server.run("insert into kinds (\"炉号\") values ('甲2')")
    monkeypatch.setenv("PLANT_DB", server.address)
    here = project(tmp_path, query='select * from kinds order by "炉号"', since=None)
    STAGE.run(here)
    [rows] = parts(here).values()
    first, second = rows.to_dicts()
    assert (first["炉号"], first["碳"], first["n"]) == ("甲1", "0.0123", 9007199254740993)
    assert first["更新时间"].isoformat() == "2026-01-01T00:00:00+00:00"
    assert (first["u"], first["i"]) == ("15ef1205-b716-4225-8445-02067e6a0a51", "P0M1DT7200S")
    assert (first["j"], first["a"], str(first["t"])) == ('{"a": 1}', [1, 2], "08:00:00")
    assert {value for name, value in second.items() if name != "炉号"} == {None}
    assert judged(here) == [("甲1", 0.0123, "accepted", None), ("甲2", None, "accepted", None)]


MEASURE = """
import resource, sys
from pathlib import Path
from tundish.recipe.sections import Query
from tundish.stages.ingest.query import ask
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
ask(Query(connection="PLANT_DB", query=sys.argv[1], since=sys.argv[3]), "t", Path(sys.argv[2]), [])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_postgresql__a_million_rows_stream_in_flat_memory(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is about 130 MB as text; the process may grow by less than half of that."""
    monkeypatch.setenv("PLANT_DB", server.address)
    query = (
        'select i as id, \'heat number \' || md5(i::text) as "炉号", (i % 997)::numeric / 1000 as "碳",'
        " timestamptz '2026-01-01 00:00+08' + i * interval '1 s' as updated_at,"
        " case when i % 3 = 0 then null else i / 7.0::float8 end as v from generate_series(1, 1000000) i"
    )
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, query, str(tmp_path), "updated_at"],
        capture_output=True,
        text=True,
        check=True,
    )
    [file] = tmp_path.glob("*.parquet")
    assert pq.read_metadata(file).num_rows == 1_000_000
    assert int(done.stdout) < 64, f"grew by {done.stdout} MiB"


def test_postgresql__a_lost_connection_is_an_error_of_the_run(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is stopped while rows are being read; nothing is kept, and the next run goes on."""
    monkeypatch.setenv("PLANT_DB", server.address)
    # About 2 GB: the reader is never done before the server is gone.
    query = "select i as id, repeat('x', 200) as v from generate_series(1, 10000000) i"
    here = project(tmp_path, query=query, since=None)
    answer = here.dataset.root / ".query"

    def stop() -> None:
        while not any(answer.glob(".*.tmp")):
            time.sleep(0.01)
        server.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    try:
        with pytest.raises(OutsideError, match="did not answer") as lost:
            STAGE.run(here)
    finally:
        stopper.join()
        server.start()
    assert lost.value.exit_code == 3
    for secret in (PASSWORD, "127.0.0.1", str(server.port), "plant:"):
        assert secret not in str(lost.value)
    assert list(answer.iterdir()) == []
    assert read_files(here.dataset.store).is_empty()
    small = project(tmp_path, query="select 1 as id", since=None)
    assert STAGE.run(small).counts["accepted"] == 1


def test_since__a_column_is_quoted_as_its_database_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_database, "_ADBC", {})
    assert _database.Database("sqlite://", "PLANT_DB", "").quoted('a"b') == '"a""b"'
    assert (
        _database.Database("mssql://me:x@host/b", "PLANT_DB", "")._hide("me at host, x") == "... at ..., ..."
    )


def test_sqlite__numbers_and_text_in_one_column_keep_every_digit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite keeps any type in any column; rows beyond a batch decide the type, too."""
    with closing(sqlite3.connect(tmp_path / "plant.db")) as link, link:
        link.execute("create table mixed (id integer, v, w)")
        link.executemany("insert into mixed values (?, 1, null)", [(number,) for number in range(60_000)])
        link.executemany("insert into mixed values (?, ?, 0.5)", [(60_000, 5.123456789), (60_001, "未检")])
    monkeypatch.setenv("PLANT_DB", f"sqlite:///{tmp_path}/plant.db")
    here = project(tmp_path, query="select * from mixed order by id", since=None)
    STAGE.run(here)
    [rows] = parts(here).values()
    assert rows["v"][[0, 60_000, 60_001]].to_list() == ["1", "5.123456789", "未检"]
    assert rows["w"][[0, 60_000]].to_list() == [None, 0.5]


@pytest.mark.parametrize("what", ["password", "port", "query", "base", "at", "slash", "hash", "percent"])
def test_postgresql__no_error_and_no_file_has_the_address(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    wrong = {
        "password": server.address.replace(PASSWORD, "wrong-secret"),
        "port": server.address.replace(str(server.port), "1"),
        "query": server.address,
        "base": server.address.replace("/postgres", "/hidden_base"),
        "at": server.address.replace(PASSWORD, "left@wrong-secret"),
        "slash": server.address.replace(PASSWORD, "wrong-secret/right"),
        "hash": server.address.replace(PASSWORD, "wrong-secret#right"),
        "percent": server.address.replace(PASSWORD, "wrong-secret%zz"),
    }[what]
    monkeypatch.setenv("PLANT_DB", wrong)
    here = project(tmp_path, query="select nothing from nowhere", since=None)
    with pytest.raises(OutsideError) as failed:
        STAGE.run(here)
    secrets = (PASSWORD, "wrong-secret", "127.0.0.1", str(server.port), "hidden_base", '"plant"')
    text = str(failed.value) + everything(tmp_path).decode("utf-8", "replace")
    assert [secret for secret in secrets if secret in text] == []
    monkeypatch.setenv("PLANT_DB", server.address)
    STAGE.run(project(tmp_path, query="select 1 as id", since=None))
    stored = everything(tmp_path).decode("utf-8", "replace")
    assert [secret for secret in secrets[:4] if secret in stored] == []
