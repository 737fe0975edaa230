"""Records into the store: files, folders, patterns and databases."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from tests.recipes import least

from tundish.engine import LocalEngine
from tundish.errors import OutsideError, SourceError, UsageError
from tundish.recipe.load import Recipe
from tundish.stages.base import Context
from tundish.stages.ingest.stage import STAGE
from tundish.storage.shards import copy_parts, latest_files, read_files
from tundish.tabular.files.open import TABLE_SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "schemas/coal.py:CoalAnalysis"


def context(project: Path, **records: Any) -> Context:
    tables = {name: {"schema": SCHEMA} | section for name, section in records.items()}
    return Context(Recipe.model_validate({"dataset": "d", "records": tables}), project, LocalEngine())


def raw(project: Path, path: str, data: bytes) -> Path:
    target = project / "datasets" / "d" / "raw" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    return target


def stored(here: Context, path: str) -> bytes:
    row = latest_files(read_files(here.dataset.store)).row(by_predicate=pl.col("path") == path, named=True)
    copy = here.dataset.root / "copy"
    copy_parts(here.dataset.record_shards / f"{row['shard']}.parquet", copy)
    data = copy.read_bytes()
    assert hashlib.sha256(data).hexdigest() == row["sha256"]
    return data


def outcomes(here: Context) -> dict[str, tuple[str, str | None]]:
    files = latest_files(read_files(here.dataset.store))
    return {path: (out, why) for path, out, why in files.select("path", "outcome", "reason").iter_rows()}


def test_file__its_bytes_come_back_and_a_second_run_takes_nothing(tmp_path: Path) -> None:
    raw(tmp_path, "lab.csv", "化验编号,Mad(%)\r\n1,2.0\r\n".encode("gbk"))
    here = context(tmp_path, lab={"path": "raw/lab.csv"})
    assert STAGE.run(here).counts["accepted"] == 1
    assert stored(here, "lab.csv") == "化验编号,Mad(%)\r\n1,2.0\r\n".encode("gbk")
    again = STAGE.run(here).counts
    assert (again["new files"], again["unchanged"]) == (0, 1)


def test_file__larger_than_a_part(tmp_path: Path) -> None:
    data = b"".join(b"%d,%d\n" % (number, number * 7) for number in range(2_400_000))
    raw(tmp_path, "signals.csv", data)
    here = context(tmp_path, signals={"path": "raw/signals.csv"})
    STAGE.run(here)
    assert stored(here, "signals.csv") == data


def test_file__changed_is_taken_again_and_the_later_counts(tmp_path: Path) -> None:
    raw(tmp_path, "lab.csv", b"a\n1\n")
    here = context(tmp_path, lab={"path": "raw/lab.csv"})
    STAGE.run(here)
    raw(tmp_path, "lab.csv", b"a\n1\n2\n")
    STAGE.run(here)
    assert stored(here, "lab.csv") == b"a\n1\n2\n"


def test_folder_and_pattern__what_is_not_a_table_is_reported(tmp_path: Path) -> None:
    for name in ("a/x.csv", "a/y.XLSX", "a/~$y.xlsx", "a/.z.csv", "a/notes.docx"):
        raw(tmp_path, name, b"x\n1\n")
    raw(tmp_path, "a/empty.csv", b"")
    here = context(tmp_path, lab={"path": "raw/a"})
    STAGE.run(here)
    assert outcomes(here) == {
        "x.csv": ("accepted", None),
        "y.XLSX": ("accepted", None),
        "~$y.xlsx": ("skipped", "system_file"),
        ".z.csv": ("skipped", "system_file"),
        "notes.docx": ("skipped", "not_for_this_format"),
        "empty.csv": ("quarantined", "empty_file"),
    }
    other = context(tmp_path / "other", lab={"path": "../../../datasets/d/raw/*/*.csv"})
    STAGE.run(other)
    assert outcomes(other)["a/x.csv"] == ("accepted", None)


def test_missing__first_refused_then_reported(tmp_path: Path) -> None:
    here = context(tmp_path, lab={"path": "raw/lab.csv"})
    with pytest.raises(SourceError, match=r"raw/lab\.csv: the records do not exist"):
        STAGE.run(here)
    path = raw(tmp_path, "lab.csv", b"a\n1\n")
    STAGE.run(here)
    path.unlink()
    assert STAGE.run(here).notes == ["the records 'lab' do not exist: continuing from the store"]
    assert outcomes(here)["lab.csv"] == ("accepted", None)


def test_database__answer_is_taken_and_equal_data_make_no_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "plant.db"
    with sqlite3.connect(base) as link:
        link.execute("create table lab (sample_id text, Mad real)")
        link.executemany("insert into lab values (?, ?)", [("0012", 2.5), ("0013", None)])
    link.close()
    monkeypatch.setenv("PLANT_DB", f"sqlite:///{base}")
    query = {"connection": "PLANT_DB", "query": "select * from lab order by sample_id"}
    here = context(tmp_path, lab={"sql": query})
    STAGE.run(here)
    copy = tmp_path / "lab.parquet"
    copy.write_bytes(stored(here, "lab.parquet"))
    assert pl.read_parquet(copy).to_dicts() == [
        {"sample_id": "0012", "Mad": 2.5},
        {"sample_id": "0013", "Mad": None},
    ]
    assert STAGE.run(here).counts["new files"] == 0
    monkeypatch.delenv("PLANT_DB")
    assert STAGE.run(here).notes == ["$PLANT_DB is not set, so the records 'lab' continue from the store"]


def test_database__errors_do_not_tell_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = context(tmp_path, lab={"sql": {"connection": "PLANT_DB", "query": "select * from nowhere"}})
    with pytest.raises(SourceError, match="PLANT_DB"):
        STAGE.run(here)
    monkeypatch.setenv("PLANT_DB", f"sqlite:///{tmp_path}/secret.db")
    with pytest.raises(OutsideError, match="did not answer") as failed:
        STAGE.run(here)
    assert "secret.db" not in str(failed.value)
    monkeypatch.setenv("PLANT_DB", "mysql+nothing://me:secret@host/base")
    with pytest.raises(UsageError, match="PLANT_DB") as wrong:
        STAGE.run(here)
    assert "secret" not in str(wrong.value)


LIMITED = """
import resource, sys
from tundish.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
sys.argv = ["tundish", "ingest", "d"]
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit the size of a process's files")
def test_disk_full__is_an_error_of_the_run_and_the_next_run_takes_the_file(tmp_path: Path) -> None:
    """The limit acts as a full disk: the store cannot be written, the file itself is fine."""
    recipe = tmp_path / "pipelines" / "d.yaml"
    recipe.parent.mkdir()
    recipe.write_text(
        f"dataset: d\nrecords:\n  lab: {{path: raw/lab.csv, schema: '{SCHEMA}'}}\n{least('records')}",
        encoding="utf-8",
    )
    rows = b"".join(hashlib.sha256(b"%d" % number).hexdigest().encode() + b"\n" for number in range(20_000))
    raw(tmp_path, "lab.csv", rows)
    run = subprocess.run(
        [sys.executable, "-c", LIMITED], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 3, run.stderr
    assert run.stderr.startswith("Error: ")
    assert "store/records" in run.stderr
    assert "Traceback" not in run.stderr
    here = context(tmp_path, lab={"path": "raw/lab.csv"})
    assert read_files(here.dataset.store).is_empty()
    assert STAGE.run(here).counts["accepted"] == 1
    assert stored(here, "lab.csv") == rows


@pytest.mark.skipif(sys.platform != "linux", reason="/proc has a file that opens and cannot be read")
def test_file__that_cannot_be_read_now_is_not_a_verdict(tmp_path: Path) -> None:
    path = raw(tmp_path, "lab.csv", b"")
    path.unlink()
    path.symlink_to("/proc/self/mem")
    here = context(tmp_path, lab={"path": "raw/lab.csv"})
    with pytest.raises(OutsideError, match=r"could not be read, such as 'lab\.csv'"):
        STAGE.run(here)
    assert read_files(here.dataset.store).is_empty()
    path.unlink()
    path.write_bytes(b"a,b\n1,2\n")
    assert STAGE.run(here).counts["accepted"] == 1


@pytest.mark.parametrize("suffix", sorted(TABLE_SUFFIXES))
def test_folder__every_suffix_that_can_be_opened_is_taken_in(tmp_path: Path, suffix: str) -> None:
    raw(tmp_path, f"lab/one{suffix}", b"a\n1\n")
    here = context(tmp_path, lab={"path": "raw/lab"})
    STAGE.run(here)
    assert outcomes(here) == {f"one{suffix}": ("accepted", None)}


def test_file__whose_shard_the_store_lost_is_stored_again_or_named(tmp_path: Path) -> None:
    path = raw(tmp_path, "lab.csv", b"a,b\n1,2\n")
    here = context(tmp_path, lab={"path": "raw/lab.csv"})
    STAGE.run(here)
    [shard] = here.dataset.record_shards.glob("*.parquet")
    before = shard.read_bytes()
    shard.unlink()
    assert STAGE.run(here).counts["new files"] == 0
    assert shard.read_bytes() == before
    shard.unlink()
    path.unlink()
    with pytest.raises(OutsideError, match=f"{shard.name}: 1 shards of the store are missing"):
        STAGE.run(here)
