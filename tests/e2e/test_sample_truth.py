"""The sample's images through the pipeline: planted faults are found, valid images are accepted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from tools.overlap_check import overlap, read

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
    check_overlaps(truth, ran[name])
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
    planted = {frozenset((one.path, one.of)) for one in truth.planted if "copy" in one.fault}
    clusters = duplicates.group_by("cluster_id").agg("path")["path"].to_list()
    assert {frozenset(paths) for paths in clusters} == planted
    torn = duplicates.filter(pl.col("label_conflict").is_not_null())["path"].to_list()
    other = [one for one in truth.planted if "other_labels" in one.fault]
    assert len(torn) == len(other)


def check_overlaps(truth: Truth, ran: Ran) -> None:
    """What overlaps is found, nothing else is, and both coils of a weld are in one split."""
    path = dict(ran.table("coverage").select("image_id", "path").iter_rows())
    pairs = ran.table("pairs").filter(verified="blocks").select("image_id", "other_id")
    found = {frozenset((path[one], path[other])) for one, other in pairs.iter_rows()}
    planted = [frozenset((one.path, str(one.of))) for one in truth.faults("overlapping_frame")]
    assert found == set(planted)
    for ends in planted:
        frames = [read(ran.project / "datasets" / truth.dataset / truth.source / end) for end in sorted(ends)]
        assert overlap(*frames) is not None
    split = dict(ran.table("splits").select("path", "split").iter_rows())
    for ends in planted:
        coils = {Path(end).stem.split("_")[0] for end in ends}
        assert len(coils) == 2
        splits = {side for name, side in split.items() if Path(name).stem.split("_")[0] in coils}
        assert len(splits - {None}) == 1
