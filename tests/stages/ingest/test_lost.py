"""A shard that the store lost is packed again from the sources, or named; nothing is taken for refused."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from tests.stages.split.test_guard import Plant

import tundish
from tundish.errors import OutsideError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    plant = Plant(tmp_path).fill(range(6))
    plant.run(last="report")
    return plant


def content(plant: Plant) -> dict[str, bytes]:
    folders = ("store", "curated", "exports")
    paths = (path for folder in folders for path in (plant.dataset / folder).rglob("*") if path.is_file())
    return {path.relative_to(plant.dataset).as_posix(): path.read_bytes() for path in sorted(paths)}


@pytest.mark.parametrize("folder", ["images", "labels"])
@pytest.mark.parametrize("how", ["deleted", "emptied", "folder deleted"])
def test_a_lost_shard_is_packed_again_byte_for_byte(plant: Plant, folder: str, how: str) -> None:
    before = content(plant)
    [shard] = (plant.dataset / "store" / folder).glob("*.parquet")
    if how == "deleted":
        shard.unlink()
    elif how == "emptied":
        shard.write_bytes(b"")
    else:
        shutil.rmtree(shard.parent)
    notes = plant.run(last="report")["ingest"].notes
    assert notes == ["1 shards that the store had lost were packed again"]
    assert content(plant) == before


@pytest.mark.parametrize("folder", ["images", "labels"])
def test_a_lost_shard_without_its_source_is_named_and_everything_stays(plant: Plant, folder: str) -> None:
    before = content(plant)
    [shard] = (plant.dataset / "store" / folder).glob("*.parquet")
    away = shard.rename(shard.with_suffix(".away"))
    shutil.move(plant.raw, plant.raw.with_name("away"))
    for _ in range(2):
        with pytest.raises(OutsideError, match=f"{shard.name}: 1 shards of the store are missing") as error:
            plant.run(last="report")
    assert "with 6 files, such as raw/000." in str(error.value)
    assert "dvc checkout" in str(error.value)
    away.rename(shard)
    assert content(plant) == before
    plant.run(last="report")
    assert content(plant) == before


def test_a_shard_of_which_one_file_is_gone_is_not_written_without_it(plant: Plant) -> None:
    [shard] = (plant.dataset / "store/images").glob("*.parquet")
    shard.unlink()
    (plant.raw / "003.png").unlink()
    with pytest.raises(OutsideError, match=r"such as raw/000.png"):
        plant.run()
    assert not shard.exists()


def test_a_newer_version_makes_the_old_one_needless(plant: Plant) -> None:
    [shard] = (plant.dataset / "store/labels").glob("*.parquet")
    shard.unlink()
    plant.label(2, "scratch", "pit", "scratch")
    assert plant.run()["validate"].counts["valid labels"] == 13
    assert tundish.status("line", project=plant.project).closes
