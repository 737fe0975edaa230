"""ingest: what is new is taken in once, what changed again, and every file is accounted for."""

from __future__ import annotations

import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from tundish.engine import LocalEngine
from tundish.errors import OutsideError, SourceError
from tundish.recipe.load import Recipe
from tundish.stages.base import Context
from tundish.stages.ingest.stage import STAGE
from tundish.storage.shards import latest_files, read_files, shard_ids, shard_paths
from tundish.storage.tables import FILES as FILES_TABLE

if TYPE_CHECKING:
    from pathlib import Path


def context(project: Path, *sources: dict[str, Any]) -> Context:
    chosen = list(sources) or [{"path": "raw", "format": "voc"}]
    return Context(Recipe.model_validate({"dataset": "d", "sources": chosen}), project, LocalEngine())


def put(project: Path, files: dict[str, bytes], folder: str = "raw") -> None:
    for name, data in files.items():
        path = project / "datasets/d" / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def outcomes(project: Path) -> dict[str, tuple[str, str | None]]:
    rows = latest_files(read_files(project / "datasets/d/store"))
    return {
        path: (outcome, reason)
        for path, outcome, reason in rows.select("path", "outcome", "reason").iter_rows()
    }


def stored(project: Path, room: str = "images") -> list[str]:
    return [one for path in shard_paths(project / "datasets/d/store" / room) for one in shard_ids(path)]


FILES = {
    "a.jpg": b"a",
    "b.jpg": b"b",
    "copy of a.jpg": b"a",
    "a.xml": b"<annotation/>",
    "notes.docx": b"x",
    "0.jpg": b"",
}


def test_ingest__takes_each_image_once_and_says_what_became_of_every_file(tmp_path: Path) -> None:
    put(tmp_path, FILES)
    outcome = STAGE.run(context(tmp_path))
    assert outcomes(tmp_path) == {
        "a.jpg": ("accepted", None),
        "b.jpg": ("accepted", None),
        "copy of a.jpg": ("accepted", None),
        "a.xml": ("accepted", None),
        "notes.docx": ("skipped", "not_for_this_format"),
        "0.jpg": ("quarantined", "empty_file"),
    }
    assert len(stored(tmp_path)) == 2
    assert len(stored(tmp_path, "labels")) == 1
    assert outcome.counts["new files"] == 6


def test_ingest__second_run_writes_nothing_and_reads_nothing(tmp_path: Path) -> None:
    put(tmp_path, FILES)
    STAGE.run(context(tmp_path))
    store = tmp_path / "datasets/d/store"
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*.parquet")}
    # A file that is not read again cannot be missed: only its name, size and time are looked at.
    for name in FILES:
        (tmp_path / "datasets/d/raw" / name).chmod(0)
    outcome = STAGE.run(context(tmp_path))
    assert outcome.counts["new files"] == 0
    assert outcome.counts["unchanged"] == 6
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*.parquet")} == before


def test_ingest__without_its_cache_it_reads_again_and_still_writes_nothing(tmp_path: Path) -> None:
    put(tmp_path, FILES)
    STAGE.run(context(tmp_path))
    (tmp_path / "datasets/d/.seen.json").write_text("damaged")
    assert STAGE.run(context(tmp_path)).counts["new files"] == 0


def test_ingest__changed_file_counts_in_its_later_version(tmp_path: Path) -> None:
    put(tmp_path, {"a.jpg": b"old", "a.xml": b"<annotation/>"})
    STAGE.run(context(tmp_path))
    put(tmp_path, {"a.jpg": b"new one"})
    outcome = STAGE.run(context(tmp_path))
    assert outcome.counts["new files"] == 1
    rows = read_files(tmp_path / "datasets/d/store")
    assert rows.filter(rows["path"] == "a.jpg")["batch"].to_list() == [1, 2]
    assert latest_files(rows).height == 2
    assert len(shard_paths(tmp_path / "datasets/d/store/images")) == 2


def test_ingest__goes_on_from_the_store_where_raw_is_gone(tmp_path: Path) -> None:
    put(tmp_path, FILES)
    STAGE.run(context(tmp_path))
    (tmp_path / "datasets/d/raw").rename(tmp_path / "elsewhere")
    outcome = STAGE.run(context(tmp_path))
    assert outcome.counts["new files"] == 0
    assert outcome.notes == ["raw does not exist: continuing from the store"]


def test_ingest__killed_before_the_files_were_listed_packs_nothing_twice(tmp_path: Path) -> None:
    put(tmp_path, FILES)
    STAGE.run(context(tmp_path))
    for path in shard_paths(tmp_path / "datasets/d/store/files"):
        path.unlink()
    (tmp_path / "datasets/d/.seen.json").unlink()
    outcome = STAGE.run(context(tmp_path))
    assert outcome.counts["new shards"] == 0
    assert sorted(stored(tmp_path)) == sorted(set(stored(tmp_path)))
    assert len(outcomes(tmp_path)) == 6


def test_ingest__zip_tar_and_folder_give_the_same_rows(tmp_path: Path) -> None:
    files = {name: data for name, data in FILES.items() if name != "notes.docx"}
    put(tmp_path, files)
    put(tmp_path, {}, "packed")
    packed = tmp_path / "datasets/d/packed"
    packed.mkdir()
    with zipfile.ZipFile(packed / "in.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    with tarfile.open(packed / "in.tar.gz", "w:gz") as tape:
        tape.add(tmp_path / "datasets/d/raw", arcname=".")
    sources = [
        {"path": "raw", "format": "voc"},
        {"path": "packed/in.zip", "format": "voc", "name": "zip"},
        {"path": "packed/in.tar.gz", "format": "voc", "name": "tar"},
    ]
    STAGE.run(context(tmp_path, *sources))
    rows = read_files(tmp_path / "datasets/d/store").select("source", "path", "outcome", "sha256").rows()
    by_source = {name: sorted(row[1:] for row in rows if row[0] == name) for name in ("raw", "zip", "tar")}
    assert by_source["raw"] == by_source["zip"] == by_source["tar"]
    assert len(stored(tmp_path)) == 2


def test_ingest__source_that_left_the_recipe_is_skipped_and_can_come_back(tmp_path: Path) -> None:
    put(tmp_path, {"a.jpg": b"a"}, "one")
    put(tmp_path, {"b.jpg": b"b"}, "two")
    one, two = ({"path": name, "format": "images"} for name in ("one", "two"))
    STAGE.run(context(tmp_path, one, two))
    outcome = STAGE.run(context(tmp_path, one))
    assert outcomes(tmp_path) == {"a.jpg": ("accepted", None), "b.jpg": ("skipped", "source_left")}
    assert outcome.notes == ["1 files belong to a source that the recipe no longer names: skipped"]
    assert STAGE.run(context(tmp_path, one)).counts["new files"] == 0
    STAGE.run(context(tmp_path, one, two))
    assert outcomes(tmp_path)["b.jpg"] == ("accepted", None)


@pytest.mark.parametrize("exists", [True, False])
def test_ingest__empty_or_missing_source_is_one_sentence(tmp_path: Path, exists: bool) -> None:
    if exists:
        (tmp_path / "datasets/d/raw").mkdir(parents=True)
    with pytest.raises(SourceError, match="contains no files" if exists else "does not exist"):
        STAGE.run(context(tmp_path))


def test_ingest__a_file_that_cannot_be_read_now_fails_the_run_and_is_read_by_the_next(tmp_path: Path) -> None:
    """A link whose target is on a share that is not mounted; the other files are taken in meanwhile."""
    put(tmp_path, FILES)
    share = tmp_path / "datasets/d/raw/c.jpg"
    share.symlink_to(tmp_path / "datasets/d/raw/later.jpeg")
    with pytest.raises(OutsideError, match=r"1 file could not be read, such as 'c\.jpg'") as failed:
        STAGE.run(context(tmp_path))
    assert failed.value.exit_code == 3
    assert outcomes(tmp_path)["a.jpg"] == ("accepted", None)
    assert "c.jpg" not in outcomes(tmp_path)
    put(tmp_path, {"later.jpeg": b"c"})
    counts = STAGE.run(context(tmp_path)).counts
    assert outcomes(tmp_path)["c.jpg"] == ("accepted", None)
    assert counts["unchanged"] == len(FILES)


def test_ingest__what_an_earlier_version_called_unreadable_is_read_again(tmp_path: Path) -> None:
    put(tmp_path, FILES)
    here = context(tmp_path)
    STAGE.run(here)
    path = next((here.dataset.store / "files").glob("*.parquet"))
    rows = pl.read_parquet(path)
    wrong = pl.col("path") == "b.jpg"
    rows = rows.with_columns(
        outcome=pl.when(wrong).then(pl.lit("quarantined")).otherwise("outcome"),
        reason=pl.when(wrong).then(pl.lit("unreadable")).otherwise("reason"),
    )
    FILES_TABLE.write(rows, path)
    STAGE.run(here)
    assert outcomes(tmp_path)["b.jpg"] == ("accepted", None)
