from __future__ import annotations

import json

import numpy as np
from tests.formats.sources import box, checks, listing, read, refs, sniff_all
from tests.formats.tools.written import segment_anything

from tundish.formats.base import ImageRef
from tundish.imaging.geometry import mask_of_counts

MASK = np.zeros((100, 200), bool)
MASK[10:30, 5:50] = True


def test_a_mask_is_read_with_its_score_and_without_a_class_of_its_own() -> None:
    files = {"sa_1/a.json": segment_anything(MASK)}
    (label,) = read("segment-anything", files, refs("sa_1/a.jpg")).labels
    assert (label.raw_label, label.shape, box(label), label.score) == ("object", "mask", (5, 10, 45, 20), 0.9)
    assert label.rle is not None
    assert (mask_of_counts(label.rle, 200, 100) == MASK).all()
    (named,) = read(
        "segment-anything", {"a.json": segment_anything(MASK)}, refs("a.jpg"), label="颗粒"
    ).labels
    assert named.raw_label == "颗粒"


def test_add_says_that_the_masks_have_no_class() -> None:
    best = sniff_all(listing({"砂 1.json": segment_anything(MASK, MASK), "砂 1.jpg": b""}))[0]
    assert (best.format, best.extra, best.classes) == ("segment-anything", {"label": "object"}, ["object"])
    assert "its masks have no class: all are 'object' (option label)" in best.facts


def test_a_bad_mask_costs_itself() -> None:
    files = {"a.json": segment_anything(MASK[:50], None, np.zeros_like(MASK), MASK)}
    reading = read("segment-anything", files, refs("a.jpg"))
    assert checks(reading) == ["size_mismatch", "broken_mask", "empty_mask"]
    assert [label.label_row for label in reading.labels] == [3]


def test_a_mask_of_the_stored_image_is_turned() -> None:
    (label,) = read(
        "segment-anything", {"a.json": segment_anything(MASK)}, [ImageRef("a.jpg", "i", 100, 200, 6)]
    ).labels
    assert box(label) == (70, 5, 20, 45)


def test_a_file_of_an_image_without_masks_is_a_negative_and_other_json_is_refused() -> None:
    files = {"a.json": segment_anything(), "b.json": json.dumps({"image": 3, "annotations": []})}
    reading = read("segment-anything", files, refs("a.jpg", "b.jpg"))
    assert reading.covered == {"a.jpg"}
    assert checks(reading) == ["not_segment_anything"]
