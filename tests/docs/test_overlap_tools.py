"""The check of splits that shares no code with the detector, and the pictures for the eye."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import cv2
import polars as pl
import pytest
from tests.imaging.overlaps.surfaces import frames, jpeg, scratched
from tests.imaging.pictures import texture
from tests.plants import put

from tools import draw_pairs, overlap_check
from tundish.storage.tables import COVERAGE, PAIRS

if TYPE_CHECKING:
    from pathlib import Path


def test_the_check_finds_the_place_where_two_frames_overlap() -> None:
    one, other = frames(1, [(0, 0), (70, 30)])
    found = overlap_check.overlap(one, jpeg(other))
    assert found is not None
    assert found[:2] == pytest.approx((-70, -30), abs=1)


def test_the_check_finds_nothing_in_other_steel_and_in_none() -> None:
    assert overlap_check.overlap(texture(1, 200, 200), texture(2, 200, 200)) is None
    assert overlap_check.overlap(texture(1, 200, 200) * 0, texture(1, 200, 200) * 0) is None
    assert overlap_check.overlap(scratched(1, 200, 200), texture(2, 200, 200)) is None


@pytest.mark.parametrize(
    ("path", "name"),
    [("IMAGES/scratches_12.jpg", "IMAGES/scratches"), ("a/b-0007.png", "a/b"), ("x/lone.bmp", "x/lone")],
)
def test_the_class_is_the_folder_and_the_name_before_its_number(path: str, name: str) -> None:
    assert overlap_check.class_of(path) == name


def test_a_split_that_leaks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "images"
    for number, frame in enumerate([*frames(3, [(0, 0), (80, 0)]), texture(9, 200, 200)]):
        put(images / f"steel_{number}.png", frame)
    splits = tmp_path / "splits.csv"
    splits.write_text("path,split\nsteel_0.png,train\nsteel_1.png,test\nsteel_2.png,test\n")
    pairs = tmp_path / "pairs.csv"
    arguments = [
        "overlap_check",
        str(images),
        "--splits",
        str(splits),
        "--pairs",
        str(pairs),
        "--threads",
        "1",
    ]
    monkeypatch.setattr(sys, "argv", arguments)
    overlap_check.main()
    assert capsys.readouterr().out == "1 pairs; 1 of 2 images (50.0%) overlap one that is searched\n"
    (row,) = pl.read_csv(pairs).iter_rows(named=True)
    assert (row["a"], row["b"], row["dx"], row["dy"]) == ("steel_1.png", "steel_0.png", 80, 0)


def test_pairs_are_drawn_one_on_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, dataset = tmp_path / "images", tmp_path / "d"
    for number, frame in enumerate(frames(3, [(0, 0), (80, 20)])):
        put(images / f"{number}.png", frame)
    paths: list[dict[str, object]] = [
        {"path": f"{number}.png", "source": "s", "image_id": str(number)} for number in range(2)
    ]
    COVERAGE.write(COVERAGE.frame(paths), dataset / "curated/coverage.parquet")
    pair = {
        "image_id": "0",
        "other_id": "1",
        "relation": "overlapping",
        "transform": "none",
        "angle": 0.0,
        "scale": 1.0,
        "dx": -80.0,
        "dy": -20.0,
        "share": 0.54,
        "score": 0.99,
        "worst": 0.9,
    }
    PAIRS.write(PAIRS.frame([pair]), dataset / "curated/pairs.parquet")
    sheet = tmp_path / "sheet.png"
    monkeypatch.setattr(sys, "argv", ["draw_pairs", str(dataset), str(images), str(sheet)])
    draw_pairs.main()
    drawn = cv2.imread(str(sheet), cv2.IMREAD_GRAYSCALE)
    assert drawn is not None
    side = draw_pairs.SIDE
    difference = drawn[draw_pairs.TITLE :, 3 * side + 2 : 4 * side - 2]
    # The upper left part is what both show: gray, as they agree; the rest is black.
    assert difference[20:150, 20:100].std() < 3
    assert difference[20:150, 20:100].mean() == pytest.approx(128, abs=2)
    assert difference[200:240, 200:240].mean() < 5
