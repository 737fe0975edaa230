"""The samples hold what their truth says, and come again from their seed."""

from __future__ import annotations

import hashlib
import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tundish.demo import COAL_CLASSES, STEEL_CLASSES, make_coal_belt, make_steel_surface

if TYPE_CHECKING:
    from pathlib import Path

    from tests.painted import Painted


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_steel_sample_holds_what_its_truth_says(painted_steel: Painted) -> None:
    folder, truth = painted_steel
    raw = folder / truth.source
    images, labels = sorted(raw.glob("images/*.jpg")), sorted(raw.glob("annotations/*.xml"))
    assert len(images) == truth.image_files == 249
    assert len(labels) == truth.label_files == 246
    counts: dict[str, int] = {}
    for path in labels:
        for name in ET.parse(path).getroot().iter("name"):
            counts[name.text or ""] = counts.get(name.text or "", 0) + 1
    assert dict(sorted(counts.items())) == truth.labels
    assert set(truth.labels) == {*STEEL_CLASSES, *STEEL_CLASSES.values(), "water stain"}
    assert json.loads((folder / "truth.json").read_text(encoding="utf-8"))["labels"] == truth.labels


def test_every_planted_steel_fault_is_there_once(painted_steel: Painted) -> None:
    folder, truth = painted_steel
    raw = folder / truth.source
    once = {
        "box_outside",
        "reversed_corners",
        "rounding_overshoot",
        "unknown_class",
        "repeated_box",
        "too_dark",
        "blurred",
        "identical_copy",
        "resaved_copy_with_other_labels",
        "mirrored_copy",
        "truncated_jpeg",
        "text_called_jpg",
        "zero_bytes",
        "png_called_jpg",
    }
    assert {planted.fault for planted in truth.planted} == once | {"unlabelled", "overlapping_frame"}
    assert all(len(truth.faults(fault)) == 1 for fault in once)
    assert len({planted.path for planted in truth.planted}) == len(truth.planted)
    [same] = truth.faults("identical_copy")
    assert (raw / same.path).read_bytes() == (raw / (same.of or "")).read_bytes()
    [mirrored] = truth.faults("mirrored_copy")
    first, second = (cv2.imread(str(raw / path), 0) for path in (mirrored.path, mirrored.of or ""))
    assert np.abs(np.asarray(first, dtype=int)[:, ::-1] - second).mean() < 3
    [empty], [png] = truth.faults("zero_bytes"), truth.faults("png_called_jpg")
    assert (raw / empty.path).stat().st_size == 0
    assert (raw / png.path).read_bytes()[:4] == b"\x89PNG"
    [dark] = truth.faults("too_dark")
    assert np.asarray(cv2.imread(str(raw / dark.path), 0)).mean() < 0.02 * 255
    for weld in truth.faults("overlapping_frame"):
        end, start = (cv2.imread(str(raw / path), 0) for path in (weld.of or "", weld.path))
        cut = 640 * 6 // 10
        assert np.abs(np.asarray(end, dtype=int)[:, cut:] - np.asarray(start)[:, : 640 - cut]).mean() < 3
    for planted in truth.faults("unlabelled"):
        assert not (raw / planted.path.replace("images", "annotations").replace(".jpg", ".xml")).exists()


def test_steel_boxes_lie_inside_but_for_the_planted_ones(painted_steel: Painted) -> None:
    folder, truth = painted_steel
    raw = folder / truth.source
    outside = []
    for path in sorted(raw.glob("annotations/*.xml")):
        for row, box in enumerate(ET.parse(path).getroot().iter("bndbox")):
            left, top, right, bottom = (float(child.text or "nan") for child in box)
            if not (1 <= left < right <= 640 and 1 <= top < bottom <= 256):
                outside.append((path.relative_to(raw).as_posix(), row))
    planted = ("box_outside", "reversed_corners", "rounding_overshoot")
    assert sorted(outside) == sorted((each.path, each.row) for f in planted for each in truth.faults(f))


def test_the_coal_sample_holds_what_its_truth_says(painted_coal: Painted) -> None:
    folder, truth = painted_coal
    raw = folder / truth.source
    images = sorted(raw.glob("images/*/*.jpg"))
    labels = [path for path in raw.glob("labels/*/*.txt") if path.name != "classes.txt"]
    assert (len(images), len(labels)) == (truth.image_files, truth.label_files) == (124, 122)
    assert sum(path.stat().st_size == 0 for path in labels) == truth.negatives
    assert sum(len(path.read_text().splitlines()) for path in labels) == sum(truth.labels.values())
    for split in ("train", "val"):
        assert (raw / "labels" / split / "classes.txt").read_text().split() == list(COAL_CLASSES)
    copies = truth.faults("copy_across_splits") + truth.faults("copy_across_splits_with_other_labels")
    assert len(copies) == 4
    for copy in copies:
        original = raw / (copy.of or "")
        assert (raw / copy.path).read_bytes() == original.read_bytes()
    rows = [planted for planted in truth.planted if planted.row is not None]
    assert len(rows) == 6
    for planted in rows:
        assert len((raw / planted.path).read_text().splitlines()) == (planted.row or 0) + 1


@pytest.mark.slow
def test_the_same_seed_makes_the_same_bytes_and_another_seed_does_not(
    painted_steel: Painted, painted_coal: Painted, tmp_path: Path
) -> None:
    for (folder, truth), make in ((painted_steel, make_steel_surface), (painted_coal, make_coal_belt)):
        again = tmp_path / "again" / truth.dataset
        again.mkdir(parents=True)
        assert make(again) == truth
        assert digests(again) == digests(folder)
    other = tmp_path / "other"
    other.mkdir()
    make_coal_belt(other, seed=1)
    assert set(digests(other).values()) & set(digests(painted_coal.folder).values()) != set(
        digests(painted_coal.folder).values()
    )
