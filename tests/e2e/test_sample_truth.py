"""The sample's images through the pipeline: every planted fault is found, and nothing sound is taken out."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

import tundish
from tundish.sample import make_coal_belt, make_steel_surface

if TYPE_CHECKING:
    from collections.abc import Callable

    from tundish.sample import Truth

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
FOUND_AS = {
    "box_outside": "outside_image",
    "outside": "outside_image",
    "reversed_corners": "reversed_corners",
    "rounding_overshoot": "clipped",
    "unknown_class": "unknown_class",
    "class_beyond_list": "unknown_class",
    "repeated_box": "repeated",
    "too_dark": "too_dark",
    "blurred": "blurred",
    "truncated_jpeg": "truncated",
    "text_called_jpg": "not_an_image",
    "zero_bytes": "empty_file",
    "png_called_jpg": "wrong_extension",
    "not_a_number": "not_finite",
    "four_numbers": "number_count",
    "decimal_commas": "decimal_comma",
}
FOLLOWS = {"image_quarantined", "flat", "underexposed", "blurred"}
"""What a planted fault brings with it: labels of a bad image, and what a black picture is besides dark."""


@pytest.mark.parametrize(
    ("name", "make"), [("steel-surface", make_steel_surface), ("coal-belt", make_coal_belt)]
)
def test_sample__what_was_planted_is_what_is_found(
    tmp_path: Path, name: str, make: Callable[[Path, int], Truth]
) -> None:
    truth = make(tmp_path / "datasets" / name, 2026)
    (tmp_path / "pipelines").mkdir()
    shutil.copy(ROOT / f"pipelines/{name}.yaml", tmp_path / "pipelines")
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    tundish.run(name, project=tmp_path, last="split")
    assert tundish.status(name, project=tmp_path).closes
    table = {
        one: tundish.read_table(one, name, project=tmp_path)
        for one in ("quarantine", "coverage", "duplicates")
    }
    check_faults(truth, table["quarantine"])
    check_copies(truth, table["duplicates"])
    unlabelled = table["coverage"].filter(pl.col("state") == "unlabelled")["path"].to_list()
    assert sorted(unlabelled) == sorted(planted.path for planted in truth.faults("unlabelled"))


def check_faults(truth: Truth, quarantine: pl.DataFrame) -> None:
    planted = {(one.path, FOUND_AS[one.fault]) for one in truth.planted if one.fault in FOUND_AS}
    found = set(quarantine.filter(pl.col("kind") != "record").select("path", "check").iter_rows())
    assert planted <= found
    stems = {Path(path).stem for path, _ in planted}
    for path, check in found - planted:
        assert check in FOLLOWS, (path, check)
        assert Path(path).stem in stems


def check_copies(truth: Truth, duplicates: pl.DataFrame) -> None:
    planted = {frozenset((one.path, one.of)) for one in truth.planted if one.of is not None}
    clusters = duplicates.group_by("cluster_id").agg("path")["path"].to_list()
    assert {frozenset(paths) for paths in clusters} == planted
    torn = duplicates.filter(pl.col("label_conflict").is_not_null())["path"].to_list()
    other = [one for one in truth.planted if "other_labels" in one.fault]
    assert len(torn) == len(other)
