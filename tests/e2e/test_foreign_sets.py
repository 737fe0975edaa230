"""Other people's sets, from `tundish add` to the splits: nothing that may be a label is lost in silence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

import tundish

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    folder = tmp_path / "plant"
    (folder / "pipelines").mkdir(parents=True)
    (folder / "datasets").mkdir()
    shutil.copytree(ROOT / "schemas", folder / "schemas", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "params.yaml").write_text("pipelines: []\n")
    return folder


def photo(seed: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed)
    coarse = cv2.resize(noise.uniform(30, 220, (5, 6)).astype(np.float32), (120, 90))
    return np.clip(coarse + noise.normal(0, 6, (90, 120)), 0, 255).astype(np.uint8)


def mark(place: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.circle(np.zeros((90, 120), np.uint8), (30 + place, 40), 9, 255, -1))


def put(path: Path, pixels: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())


def taken_in(plant: Path, source: Path) -> tundish.AddedImages:
    added = tundish.add("line1", source, project=plant)
    assert isinstance(added, tundish.AddedImages)
    tundish.run("line1", project=plant)
    return added


def states(plant: Path) -> dict[str, int]:
    return dict(tundish.read_table("coverage", "line1", project=plant)["state"].value_counts().iter_rows())


def test_masks_without_names_beside_yolo_labels_are_kept_out_of_the_images(
    plant: Path, tmp_path: Path
) -> None:
    source = tmp_path / "set"
    for number in range(6):
        put(source / f"images/s{number}.jpg", photo(number))
        put(source / f"drawn/s{number}.png", mark(number))
        (source / "labels").mkdir(exist_ok=True)
        (source / f"labels/s{number}.txt").write_text(f"{number % 2} 0.5 0.5 0.2 0.2\n")
    added = taken_in(plant, source)
    assert (added.format, added.also) == ("yolo", ())
    assert [(one.kind, one.count) for one in added.unread] == [("mask", 6)]
    assert any("6 masks ('drawn/*') are not photographs" in fact for fact in added.facts)
    assert states(plant) == {"labelled": 6}


def test_masks_beside_their_photograph_label_it(plant: Path, tmp_path: Path) -> None:
    for name, places in (("pit", range(4)), ("sound", [900] * 4)):
        for number, place in enumerate(places):
            seed = number + 50 * (name == "pit")
            put(tmp_path / f"set/{name}/Imgs/{name}{number}.jpg", photo(seed))
            put(tmp_path / f"set/{name}/Imgs/{name}{number}.png", mark(place))
    added = taken_in(plant, tmp_path / "set")
    assert (added.format, added.classes) == ("masks", ("pit",))
    assert states(plant) == {"labelled": 4, "negative": 4}


def faults(plant: Path) -> dict[str, int]:
    table = tundish.read_table("quarantine", "line1", project=plant)
    return dict(table["check"].value_counts().iter_rows())


def test_a_given_split_is_reported_with_its_counts(plant: Path, tmp_path: Path) -> None:
    for number, folder in enumerate(["train"] * 5 + ["valid"] * 2 + ["test"] * 3):
        put(tmp_path / f"set/{folder}/images/{folder}{number}.png", photo(number))
    (tmp_path / "set/test.txt").write_text("".join(f"images/test{number}.png\n" for number in (7, 8, 9)))
    added = tundish.add("line1", tmp_path / "set", project=plant)
    assert isinstance(added, tundish.AddedImages)
    assert any("(train 5, val 2, test 3)" in fact for fact in added.facts)
    assert "lists state a split and are not read: test.txt" in added.facts


def test_jpegs_by_other_suffixes_come_in_and_kinds_that_are_not_read_are_named(
    plant: Path, tmp_path: Path
) -> None:
    for number, suffix in enumerate([".jfif", ".JPE", ".jpg"]):
        path = tmp_path / f"set/p{number}{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(cv2.imencode(".jpg", photo(number))[1].tobytes())
    put(tmp_path / "set/q.pgm", photo(9))
    (tmp_path / "set/r.heic").write_bytes(b"\0\0\0\x18ftypheic")
    added = taken_in(plant, tmp_path / "set")
    assert any("2 images of kinds that are not read (.heic 1, .pgm 1)" in fact for fact in added.facts)
    assert states(plant) == {"unlabelled": 3}
    assert not faults(plant)


def test_pages_beyond_the_first_are_reported(plant: Path, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    pages = [Image.fromarray(photo(number)) for number in range(3)]
    pages[0].save(tmp_path / "set/burst.tif", save_all=True, append_images=pages[1:])
    put(tmp_path / "set/one.tif", photo(8))
    taken_in(plant, tmp_path / "set")
    assert faults(plant) == {"several_pages": 1}
    assert states(plant) == {"unlabelled": 2}
    tundish.run("line1", project=plant)
    assert faults(plant) == {"several_pages": 1}


def test_names_from_a_mac_find_their_labels_and_are_reported(plant: Path, tmp_path: Path) -> None:
    put(tmp_path / "set/images/O\u0308l 1.png", photo(1))
    (tmp_path / "set/labels").mkdir()
    (tmp_path / "set/labels/\u00d6l%201.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    taken_in(plant, tmp_path / "set")
    assert states(plant) == {"labelled": 1}
    assert faults(plant)["name_spelling"] == 1
