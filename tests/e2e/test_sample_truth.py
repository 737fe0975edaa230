"""The sample's images through the pipeline: planted faults are found, valid images are accepted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

import tundish

if TYPE_CHECKING:
    from tests.painted import Ran

    from tundish.demo import Truth

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


@pytest.mark.parametrize("name", ["steel-surface", "coal-belt"])
def test_sample__what_was_planted_is_what_is_found(ran: dict[str, Ran], name: str) -> None:
    project, truth = ran[name]
    assert tundish.status(name, project=project).closes
    check_faults(truth, ran[name].table("quarantine"))
    check_copies(truth, ran[name].table("duplicates"))
    coverage = ran[name].table("coverage")
    unlabelled = coverage.filter(pl.col("state") == "unlabelled")["path"].to_list()
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
