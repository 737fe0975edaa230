"""What was deleted at its source is reported by run and status, and stays in the dataset."""

from __future__ import annotations

import shutil
import zipfile
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from tests.stages.split.test_guard import Plant, picture

import tundish
from tundish.cli import main
from tundish.errors import OutsideError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path).fill(range(6))


def notes(plant: Plant) -> list[str]:
    return [note for note in plant.run()["ingest"].notes if "source_gone" in note]


def gone(plant: Plant) -> tuple[dict[str, int], tuple[str, ...]] | None:
    found = tundish.status("line", project=plant.project).source_gone
    return None if found is None else (found.counts, found.examples)


def test_a_deleted_image_is_reported_once_by_run_and_as_long_as_it_is_gone_by_status(plant: Plant) -> None:
    assert notes(plant) == []
    assert gone(plant) is None
    for name in ("000.png", "001.png", "001.xml"):
        (plant.raw / name).unlink()
    [note] = notes(plant)
    assert "since the run before: image files 2, label files 1, such as raw/000.png, raw/001.png" in note
    assert "they stay in the dataset" in note
    assert notes(plant) == []
    assert gone(plant) == ({"image": 2, "annotation": 1}, ("raw/000.png", "raw/001.png", "raw/001.xml"))
    assert plant.run()["validate"].counts["valid"] == 6
    (plant.raw / "000.png").write_bytes(picture(0))
    (plant.raw / "001.png").write_bytes(picture(1))
    plant.label(1, "scratch", "pit")
    assert notes(plant) == []
    assert gone(plant) is None


def test_status_says_it_in_words_and_in_json(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant.run()
    (plant.raw / "003.png").unlink()
    plant.run()
    monkeypatch.chdir(plant.project)
    told = CliRunner().invoke(main, ["status", "line"]).output
    assert "no longer at their source (source_gone): image files 1, such as raw/003.png" in told
    assert "refuse them in schemas/images.py" in told
    assert '"source gone"' in CliRunner().invoke(main, ["status", "line", "--json"]).output
    monkeypatch.setenv("TUNDISH_LANG", "zh")
    assert "图像 1" in CliRunner().invoke(main, ["status", "line"]).output


def test_a_file_that_was_only_moved_is_not_gone(plant: Plant) -> None:
    plant.run()
    (plant.raw / "more").mkdir()
    shutil.move(plant.raw / "002.png", plant.raw / "more/002.png")
    assert notes(plant) == []
    assert gone(plant) is None


def test_an_emptied_landing_zone_is_reported_and_a_missing_one_is_not(plant: Plant) -> None:
    plant.run()
    shutil.rmtree(plant.raw)
    [note] = plant.run()["ingest"].notes
    assert note == "raw does not exist: continuing from the store"
    assert gone(plant) is None
    plant.raw.mkdir()
    assert "image files 6, label files 6" in notes(plant)[0]


def test_a_clone_without_sources_has_nothing_to_report(plant: Plant) -> None:
    plant.run()
    shutil.rmtree(plant.raw)
    (plant.dataset / ".seen.json").unlink()
    assert plant.run()["ingest"].notes == ["raw does not exist: continuing from the store"]
    assert gone(plant) is None


def test_a_file_that_cannot_be_read_for_a_moment_is_not_gone(plant: Plant) -> None:
    """A link whose target is on a share that is not mounted."""
    plant.run()
    path = plant.raw / "004.png"
    path.unlink()
    path.symlink_to(plant.raw / "later.png")
    with pytest.raises(OutsideError, match="could not be read"):
        plant.run()
    assert gone(plant) is None


def test_an_archive_that_lacks_what_it_had_is_a_source_that_shrank(plant: Plant) -> None:
    for count in (6, 4):
        with zipfile.ZipFile(plant.dataset / "raw.zip", "w") as archive:
            for number in range(count):
                for suffix in ("png", "xml"):
                    archive.write(plant.raw / f"{number:03}.{suffix}", f"{number:03}.{suffix}")
        plant.recipe["sources"] = [{"path": "raw.zip", "format": "voc", "name": "raw"}]
        told = notes(plant)
    assert "image files 2, label files 2, such as raw/004.png" in told[0]
