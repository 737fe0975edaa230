from __future__ import annotations

import base64
import json
import zlib

import numpy as np
import pytest
from tests.formats.sources import box, checks, listing, negatives, only, read, refs, sniff_all
from tests.formats.tools.written import bitmap, drawn, supervisely

from tundish.errors import SourceError
from tundish.formats.base import Options
from tundish.formats.registry import load_reader
from tundish.imaging.geometry import mask_of_counts

A = refs("ds/img/a.jpg")
PATH = "ds/ann/a.jpg.json"
RECTANGLE = drawn("rectangle", [[10, 20], [60, 50]])


def test_rectangles_by_their_edges_or_with_their_last_pixel() -> None:
    (label,) = read("supervisely", {PATH: supervisely(RECTANGLE)}, A).labels
    assert (label.shape, box(label), label.author) == ("box", (10, 20, 50, 30), "ann")
    (label,) = read("supervisely", {PATH: supervisely(RECTANGLE)}, A, corners="included").labels
    assert box(label) == (10, 20, 51, 31)
    with pytest.raises(SourceError, match="corners is 'middle'"):
        read("supervisely", {PATH: supervisely(RECTANGLE)}, A, corners="middle")


def test_polygons_and_those_with_holes() -> None:
    outer, hole = [[10, 10], [50, 10], [50, 50], [10, 50]], [[20, 20], [30, 20], [30, 30], [20, 30]]
    objects = (drawn("polygon", outer), drawn("polygon", outer, [hole]))
    whole, holed = read("supervisely", {PATH: supervisely(*objects)}, A).labels
    assert (whole.shape, whole.segmentation) == ("polygon", [[10, 10, 50, 10, 50, 50, 10, 50]])
    assert (holed.shape, box(holed)) == ("mask", (10, 10, 40, 40))
    assert holed.rle is not None
    mask = mask_of_counts(holed.rle, 200, 100)
    assert mask.sum() == 1500
    assert not mask[25, 25]


def test_bitmaps_at_their_origin() -> None:
    cells = np.array([[1, 0, 1], [0, 1, 1]], bool)
    (label,) = read("supervisely", {PATH: supervisely(bitmap(cells, 5, 7))}, A).labels
    assert label.rle is not None
    assert np.argwhere(mask_of_counts(label.rle, 200, 100)).tolist() == [[7, 5], [7, 7], [8, 6], [8, 7]]
    old = {key: value for key, value in bitmap(cells, 5, 7).items() if key != "geometryType"}
    assert read("supervisely", {PATH: supervisely(old)}, A).labels[0].rle == label.rle


@pytest.mark.parametrize("kind", ["point", "line", "graph", "cuboid"])
def test_other_figures_are_reported(kind: str) -> None:
    reading = read("supervisely", {PATH: supervisely(drawn(kind, [[1, 2]]))}, A)
    assert (only(reading).check, only(reading).value, reading.covered) == ("unsupported_shape", kind, set())


def test_no_object_is_a_negative_and_tags_of_the_image_are_reported() -> None:
    reading = read("supervisely", {PATH: supervisely(tags=[{"name": "train", "value": None}])}, A)
    assert negatives(reading) == {"ds/img/a.jpg"}
    assert (only(reading).check, only(reading).severity, only(reading).value) == (
        "image_flags",
        "warning",
        "train",
    )


def test_one_bad_object_costs_itself() -> None:
    huge = base64.b64encode(zlib.compress(b"\0" * (70 << 20))).decode()
    cells = np.ones((2, 2), bool)
    bad = [
        ("wrong_type", [1]),
        ("missing_name", drawn("rectangle", [[1, 2], [3, 4]], name="")),
        ("broken_polygon", drawn("rectangle", [[1, 2], [3, 4], [5, 6]])),
        ("missing_box", RECTANGLE | {"points": None}),
        ("wrong_type", drawn("polygon", [[1, 2], [3, 4], [5, 6]], 3)),
        ("broken_mask", {"classTitle": "a", "geometryType": "bitmap", "bitmap": None}),
        ("broken_mask", bitmap(cells, 1, 2) | {"bitmap": {"origin": [1, 2], "data": "AAAA"}}),
        ("broken_mask", bitmap(cells, 1, 2) | {"bitmap": {"origin": [1, 2], "data": huge}}),
        ("size_mismatch", bitmap(cells, 199, 99)),
        ("size_mismatch", bitmap(np.ones((2, 300), bool), 0, 0)),
        ("empty_mask", bitmap(~cells, 1, 2)),
    ]
    reading = read("supervisely", {PATH: supervisely(*(entry for _, entry in bad), RECTANGLE)}, A)
    assert [problem.check for problem in reading.problems] == [check for check, _ in bad]
    assert [label.label_row for label in reading.labels] == [len(bad)]


def test_the_files_of_the_project_are_not_taken_for_labels() -> None:
    files = {
        "meta.json": json.dumps({"classes": [{"title": "crack", "shape": "polygon"}]}),
        "ds/img/a.jpg": "",
        "ds/img/b.jpg": "",
        PATH: supervisely(RECTANGLE),
        "ds/ann/b.jpg.json": supervisely(),
    }
    found = sniff_all(listing(files))[0]
    assert (found.format, found.classes) == ("supervisely", ["crack"])
    assert found.extra == {"files": "ds/ann/a.jpg.json;ds/ann/b.jpg.json"}
    images = refs("ds/img/a.jpg", "ds/img/b.jpg")
    assert checks(read("supervisely", files, images)) == ["not_supervisely"]
    reader, options = load_reader("supervisely"), Options(extra=found.extra)
    assert [path for path in files if reader.role(path, options) == "annotation"] == [
        PATH,
        "ds/ann/b.jpg.json",
    ]


def test_many_files_among_others_are_named_by_their_folders() -> None:
    files = {f"ds/ann/{number}.jpg.json": supervisely(RECTANGLE) for number in range(30)}
    found = sniff_all(listing(files | {"meta.json": "{}", "ds/img/0.jpg": ""}))[0]
    assert found.extra == {"files": "ds/ann/*"}
    mixed = sniff_all(listing(files | {"ds/ann/other.json": "{}", "ds/img/0.jpg": ""}))[0]
    assert mixed.extra == {}
