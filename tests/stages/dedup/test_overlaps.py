"""Strips that are cut with overlap: found, told, kept together, and written for other tools."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import yaml
from tests.imaging.overlaps.surfaces import frames
from tests.imaging.pictures import texture
from tests.plants import make_plant, photo, put

import tundish
from tundish.stages.dedup import overlaps

if TYPE_CHECKING:
    from pathlib import Path

STEP, STRIPS, FRAMES = 90, 3, 5


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    return make_plant(tmp_path / "plant")


def cut_strips(source: Path) -> None:
    """Strips of five frames, each sharing 55 % with the next; and four pictures that stand alone."""
    for strip in range(STRIPS):
        for number, frame in enumerate(frames(strip, [(STEP * step, 0) for step in range(FRAMES)])):
            put(source / f"strip{strip}_{number}.png", frame)
    for number in range(4):
        put(source / f"alone_{number}.png", texture(90 + number, 200, 200))


def ran(plant: Path, source: Path, **sections: Any) -> tundish.Run:
    recipe = plant / "pipelines/line1.yaml"
    if not recipe.exists():
        tundish.add("line1", source, project=plant)
    content = yaml.safe_load(recipe.read_text())
    content["split"]["unlabelled"] = "include"
    for name, section in sections.items():
        content[name] |= section
    recipe.write_text(yaml.safe_dump(content, sort_keys=False))
    return tundish.run("line1", last="split", project=plant)


def pairs_of(plant: Path) -> pl.DataFrame:
    paths = tundish.read_table("coverage", "line1", project=plant).select("image_id", "path")
    return (
        tundish.read_table("pairs", "line1", project=plant)
        .join(paths.rename({"path": "a"}), on="image_id")
        .join(paths.rename({"image_id": "other_id", "path": "b"}), on="other_id")
    )


def test_frames_of_a_strip_overlap_and_share_a_split(plant: Path, tmp_path: Path) -> None:
    source = tmp_path / "shots"
    cut_strips(source)
    outcomes = ran(plant, source)
    pairs = pairs_of(plant)
    assert set(pairs["relation"]) <= {"overlapping", "probably overlapping"}
    named = {(min(a, b), max(a, b)) for a, b in pairs.select("a", "b").iter_rows()}
    neighbours = {
        (f"strip{s}_{n}.png", f"strip{s}_{n + 1}.png") for s in range(STRIPS) for n in range(FRAMES - 1)
    }
    assert neighbours <= named
    assert all(a[:6] == b[:6] and a.startswith("strip") for a, b in named)
    one = pairs.filter((pl.col("a") == "strip0_0.png") & (pl.col("b") == "strip0_1.png"))
    other = pairs.filter((pl.col("b") == "strip0_0.png") & (pl.col("a") == "strip0_1.png"))
    dx = [*one["dx"], *(-other["dx"])]
    assert dx == pytest.approx([-STEP], abs=2)
    assert outcomes["dedup"].counts["overlapping images"] == STRIPS * FRAMES
    assert any("thorough: all 19 pictures compared" in note for note in outcomes["dedup"].notes)
    status = tundish.status("line1", project=plant)
    assert status.overlaps == dict(pairs["relation"].value_counts(sort=True).iter_rows())
    assert status.as_dict()["overlaps"] == status.overlaps
    splits = tundish.read_table("splits", "line1", project=plant)
    by_strip = splits.filter(pl.col("path").str.starts_with("strip")).group_by(pl.col("path").str.head(6))
    assert by_strip.agg(pl.col("split").n_unique())["split"].to_list() == [1] * STRIPS
    assert splits["group_id"].n_unique() == STRIPS + 4


def test_the_fast_level_looks_for_copies_of_whole_frames_only(plant: Path, tmp_path: Path) -> None:
    source = tmp_path / "shots"
    cut_strips(source)
    put(source / "copy.png", texture(90, 200, 200)[:, ::-1])
    outcomes = ran(plant, source, dedup={"level": "fast"})
    pairs = pairs_of(plant)
    assert pairs.select("relation", "use", "verified").rows() == [
        ("mirrored or turned", "delete", "every place")
    ]
    assert "overlapping pairs" not in outcomes["dedup"].counts


def test_many_pictures_are_compared_inside_groups_that_can_overlap(
    plant: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlaps, "AFFORDABLE", 8)
    monkeypatch.setattr(overlaps, "_WINDOW", 6)
    source = tmp_path / "shots"
    cut_strips(source)
    outcomes = ran(plant, source)
    note = next(note for note in outcomes["dedup"].notes if note.startswith("thorough"))
    assert "groups that can overlap" in note
    assert "more than 8 pictures" in note
    named = {frozenset(pair) for pair in pairs_of(plant).select("a", "b").iter_rows()}
    assert {
        frozenset((f"strip{s}_{n}.png", f"strip{s}_{n + 1}.png")) for s in range(3) for n in range(4)
    } <= named
    thorough = ran(plant, source, dedup={"level": "thorough"})
    assert "thorough: all 19 pictures compared" in thorough["dedup"].notes


def test_pairs_are_written_for_other_tools_with_those_of_copies(plant: Path, tmp_path: Path) -> None:
    """A copy that is excluded overlaps what the image overlaps that is kept."""
    source = tmp_path / "shots"
    one, other = frames(3, [(0, 0), (70, 10)])
    put(source / "a/one.png", one)
    put(source / "a/one_again.bmp", one)
    put(source / "b/other.png", other)
    put(source / "b/alone.png", photo(5))
    ran(plant, source)
    file = tmp_path / "pairs.csv"
    tundish.dedup("line1", pairs=file, project=plant)
    with file.open(encoding="utf-8") as text:
        rows = {(row["a"], row["b"]): row["relation"] for row in csv.DictReader(text)}
    assert rows == {
        ("a/one.png", "a/one_again.bmp"): "identical pixels",
        ("a/one.png", "b/other.png"): "overlapping",
        ("a/one_again.bmp", "b/other.png"): "overlapping",
    }


GIVEN = {
    "train/images/0.png": (0, 0),
    "train/images/1.png": (105, 0),
    "test/images/2.png": (210, 0),
    "train/images/3.png": (315, 0),
    "train/images/4.png": (420, 0),
}
"""A strip of which the frame in the middle came in test."""


def test_of_a_given_split_only_what_overlaps_the_test_is_left_out(plant: Path, tmp_path: Path) -> None:
    source = tmp_path / "shots"
    for path, frame in zip(GIVEN, frames(21, list(GIVEN.values())), strict=True):
        put(source / path, frame)
        labels = source / path.replace("images", "labels").replace(".png", ".txt")
        labels.parent.mkdir(parents=True, exist_ok=True)
        labels.write_text("0 0.5 0.5 0.2 0.3\n")
    for number in range(6):
        name = f"{'train' if number < 4 else 'test'}/{{}}/far{number}"
        put(source / f"{name.format('images')}.png", texture(50 + number, 200, 200))
        (source / f"{name.format('labels')}.txt").write_text("0 0.5 0.5 0.2 0.3\n")
    outcome = ran(plant, source, split={"given": "keep"})["split"]
    rows = tundish.read_table("splits", "line1", project=plant)
    came = {
        path: (split, reason) for path, split, reason in rows.select("path", "split", "reason").iter_rows()
    }
    reason = "leak: it overlaps an image that came in test"
    assert came["test/images/2.png"] == ("test", "given")
    assert came["train/images/1.png"] == (None, reason)
    assert came["train/images/3.png"] == (None, reason)
    # What overlaps only these does not show what the test shows.
    assert came["train/images/0.png"] == ("train", "given")
    assert came["train/images/4.png"] == ("train", "given")
    assert any("1 of 3 images that came in test show a part" in note for note in outcome.notes)


def test_groups_of_overlaps_are_told_with_their_weakest_pair(plant: Path, tmp_path: Path) -> None:
    source = tmp_path / "shots"
    cut_strips(source)
    notes = ran(plant, source)["dedup"].notes
    told = next(note for note in notes if note.startswith("the largest group"))
    assert "has 5 of 19" in told
    assert any("more than 5%" in note for note in notes)


def test_the_same_pictures_give_the_same_pairs(plant: Path, tmp_path: Path) -> None:
    source = tmp_path / "shots"
    cut_strips(source)
    ran(plant, source)
    file = plant / "datasets/line1/curated/pairs.parquet"
    before = file.read_bytes()
    tundish.run_stage("dedup", "line1", project=plant)
    assert file.read_bytes() == before
    assert np.isfinite(pairs_of(plant)["score"].to_numpy()).all()
