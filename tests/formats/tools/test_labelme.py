from __future__ import annotations

import base64
import json
import math

import numpy as np
import pytest
from tests.formats.sources import box, checks, listing, negatives, only, read, refs, sniff_all
from tests.formats.tools.written import RING, labelme, png, shape

from tundish.imaging.geometry import area_of_polygon, mask_of_counts

A = refs("images/a.jpg")
PATH = "annotations/a.json"


def test_rectangles_are_any_two_opposite_corners() -> None:
    shapes = (
        shape("rectangle", [[60.75, 20.25], [10.5, 50.5]]),
        shape("rectangle", [[1, 2], [3, 4]], "锈 1"),
    )
    first, second = read("labelme", {PATH: labelme(*shapes)}, A).labels
    assert box(first) == (10.5, 20.25, 50.25, 30.25)
    assert (first.shape, first.raw_label, first.label_path, first.label_row) == ("box", "crack", PATH, 0)
    assert (second.raw_label, second.label_row, box(second)) == ("锈 1", 1, (1, 2, 2, 2))


def test_a_rectangle_of_four_corners_is_a_box_and_a_turned_one_a_polygon() -> None:
    upright = [[10, 20], [60, 20], [60, 50], [10, 50]]
    turned = [[30, 10], [50, 30], [30, 50], [10, 30]]
    shapes = (shape("rectangle", upright), shape("rotation", turned, direction=0.785))
    first, second = read("labelme", {PATH: labelme(*shapes)}, A).labels
    assert (first.shape, box(first), first.segmentation) == ("box", (10, 20, 50, 30), None)
    assert (second.shape, box(second)) == ("polygon", (10, 10, 40, 40))
    assert second.segmentation == [[30, 10, 50, 30, 30, 50, 10, 30]]
    assert second.attributes == {"direction": 0.785}


def test_polygons_keep_their_points_and_what_else_is_said() -> None:
    more = {
        "group_id": 3,
        "description": "left edge",
        "flags": {"sure": True},
        "difficult": True,
        "score": 0.5,
    }
    (label,) = read("labelme", {PATH: labelme(shape("polygon", RING, **more))}, A).labels
    assert label.segmentation == [[20, 20, 60, 25.5, 50, 60]]
    assert box(label) == (20, 20, 40, 40)
    assert label.score == 0.5
    assert label.attributes == {name: value for name, value in more.items() if name != "score"}


def test_a_circle_is_a_polygon_about_its_centre() -> None:
    (label,) = read("labelme", {PATH: labelme(shape("circle", [[100, 50], [103, 54]]))}, A).labels
    assert box(label) == pytest.approx((95, 45, 10, 10), abs=1e-6)
    assert label.segmentation is not None
    assert area_of_polygon(label.segmentation) == pytest.approx(math.pi * 25, rel=0.002)


def test_a_mask_lies_between_its_corners() -> None:
    cells = np.array([[1, 1, 0], [0, 1, 1]], bool)
    mask = base64.b64encode(png(cells)).decode()
    (label,) = read("labelme", {PATH: labelme(shape("mask", [[5, 7], [7, 8]], mask=mask))}, A).labels
    assert label.rle is not None
    found = mask_of_counts(label.rle, 200, 100)
    assert np.argwhere(found).tolist() == [[7, 5], [7, 6], [8, 6], [8, 7]]
    assert box(label) == (5, 7, 3, 2)
    between = labelme(shape("mask", [[5.9, 7], [7.9, 8.2]], mask=mask))  # labelme cuts fractions off
    assert read("labelme", {PATH: between}, A).labels[0].rle == label.rle
    reading = read("labelme", {PATH: labelme(shape("mask", [[5, 7], [9, 8]], mask=mask))}, A)
    assert checks(reading) == ["size_mismatch"]


@pytest.mark.parametrize("kind", ["未知", "box_of_next_year"])
def test_a_kind_that_is_not_known_may_be_a_label(kind: str) -> None:
    reading = read("labelme", {PATH: labelme(shape(kind, [[1, 2], [3, 4]]))}, A)
    assert (only(reading).check, reading.refused) == ("unknown_shape", {A[0].path})


@pytest.mark.parametrize("kind", ["point", "points", "line", "linestrip", "cuboid"])
def test_points_and_lines_are_reported_and_their_image_is_no_negative(kind: str) -> None:
    reading = read("labelme", {PATH: labelme(shape(kind, [[1, 2], [3, 4]]))}, A)
    problem = only(reading)
    assert (problem.check, problem.value, problem.row, problem.labels) == ("unsupported_shape", kind, 0, 1)
    assert not reading.covered
    assert reading.refused == {"images/a.jpg"}


def test_no_shape_is_a_negative_unless_a_flag_of_the_image_is_ticked() -> None:
    assert negatives(read("labelme", {PATH: labelme()}, A)) == {"images/a.jpg"}
    flagged = read("labelme", {PATH: labelme(flags={"rust": True, "oil": False})}, A)
    assert (checks(flagged), only(flagged).value, flagged.covered) == (["image_flags"], "rust", set())
    both = read("labelme", {PATH: labelme(shape("polygon", RING), flags={"rust": True})}, A)
    assert checks(both, "warning") == ["image_flags"]
    assert len(both.labels) == 1


def test_the_stated_size_is_checked_and_the_copy_of_the_image_ignored() -> None:
    data = labelme(shape("polygon", RING), imageWidth=400, imageData="not base64 at all")
    reading = read("labelme", {PATH: data}, A)
    assert (only(reading).check, only(reading).value, len(reading.labels)) == ("size_mismatch", "400x100", 1)
    reading = read("labelme", {PATH: labelme(shape("polygon", RING), imageWidth=None)}, A)
    assert checks(reading, "warning") == ["missing_size"]


def test_labels_drawn_on_the_stored_image_are_turned_with_it() -> None:
    turned = refs("images/a.jpg", width=100, height=200, orientation=6)
    shapes = (shape("rectangle", [[10, 20], [60, 50]]), shape("polygon", RING))
    first, second = read("labelme", {PATH: labelme(*shapes)}, turned).labels
    assert box(first) == pytest.approx((50, 10, 30, 50), abs=1e-6)  # a quarter clockwise: x = 100 - y
    assert second.segmentation is not None
    assert second.segmentation[0] == pytest.approx([80, 20, 74.5, 60, 40, 50], abs=1e-6)
    assert box(second) == pytest.approx((40, 20, 40, 40), abs=1e-6)


def test_the_image_is_that_with_the_stem_wherever_the_path_leads() -> None:
    data = labelme(shape("polygon", RING), imagePath="/home/someone/other.png")
    assert read("labelme", {PATH: data}, A).labels[0].image.path == "images/a.jpg"
    reading = read("labelme", {"b.json": data}, refs("a.jpg"))
    assert (only(reading).check, only(reading).labels) == ("image_not_found", 1)


def test_other_json_is_refused_with_the_reason() -> None:
    reading = read("labelme", {PATH: '{"images": []}', "b.json": '{"shapes": 3}', "c.json": ""}, A)
    assert checks(reading) == ["not_labelme", "wrong_type", "broken_file"]


def test_one_bad_shape_costs_itself() -> None:
    bad = (
        7,
        shape("polygon", RING, label=None),
        shape("polygon", RING, label=["crack"]),
        shape("polygon", RING[:2]),
        shape("polygon", "20,20"),
        shape("polygon", [[1, 2], [3], [4, 5]]),
        shape("rectangle", [["10", "20"], ["30", "40"]]),
        shape("rectangle", [[1, 2], [math.nan, 4]]),
        shape("rectangle", [[-1e308, 2], [1e308, 4]]),
        shape("rectangle", [[1, 2], [10**400, 4]]),
        shape("circle", [[1, 2]]),
        shape("mask", [[1, 2], [3, 4]], mask="????"),
    )
    reading = read("labelme", {PATH: labelme(*bad, shape("polygon", RING))}, A)
    assert [label.label_row for label in reading.labels] == [len(bad)]
    assert [problem.row for problem in reading.problems] == list(range(len(bad)))
    assert [problem.check for problem in reading.problems] == [
        "wrong_type",
        "missing_name",
        "wrong_type",
        "broken_polygon",
        "wrong_type",
        "broken_polygon",
        "wrong_type",
        "not_finite",
        "not_finite",
        "not_a_number",
        "broken_polygon",
        "broken_mask",
    ]
    assert reading.refused == {"images/a.jpg"}


def test_add_sees_labelme_by_what_the_files_hold() -> None:
    files = {
        "a.jpg": "",
        "b.jpg": "",
        "a.json": labelme(shape("polygon", RING), shape("point", [[1, 2]], "tip")),
        "b.json": labelme(),
        "notes.json": json.dumps({"shapes": "round"}),
    }
    found = sniff_all(listing(files))
    assert found[0].format == "labelme"
    assert found[0].classes == ["crack"]
    assert found[0].extra == {"files": "a.json;b.json"}
    assert found[0].facts == [
        "2 of 2 images named in 2 files of labelme are here",
        "1 label of 1 class: 1 polygon",
        "not read, and reported by `tundish run`: 1 point",
        "1 image without a label: negatives",
        "of 3 files these are read: a.json, b.json",
    ]
