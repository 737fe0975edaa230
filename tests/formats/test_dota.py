from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.sources import checks, listing, negatives, read, refs, sniff_all

IMAGES = refs("images/a.png", "images/b.png")
ROW = "20.0 20.0 60.0 30.0 55.0 60.0 15.0 50.0 ship 0"
HEADER = "imagesource:GoogleEarth\ngsd:0.14\n"


def test_oriented_boxes_are_polygons_in_pixels() -> None:
    files = {
        "labelTxt/a.txt": HEADER + ROW + "\n80 20 120 20 120 60 80 60 small vehicle 1\n",
        "labelTxt/b.txt": HEADER,
    }
    reading = read("dota", files, IMAGES)
    first, second = reading.labels
    assert (first.raw_label, first.shape, first.label_row) == ("ship", "polygon", 2)
    assert first.segmentation == [[20, 20, 60, 30, 55, 60, 15, 50]]
    assert (first.x, first.y, first.width, first.height) == (15, 20, 45, 40)
    assert first.attributes == {"imagesource": "GoogleEarth", "gsd": "0.14", "difficult": 0}
    assert second.raw_label == "small vehicle"
    assert negatives(reading) == {"images/b.png"}
    assert not reading.problems


@pytest.mark.parametrize(
    ("row", "check"),
    [
        ("1 2 3 4 5 6 7 8", "field_count"),
        ("1 2 3 4 5 6 7 nan ship 0", "not_finite"),
        ("1 2 3 4 5 6 7 x ship 0", "not_a_number"),
        ("1 2 3 4 5 6 7 8,5 ship 0", "decimal_comma"),
        ("1e308 1e308 1e308 1e308 1e308 1e308 1e308 1e308 ship", "not_finite"),
    ],
)
def test_a_bad_row_costs_itself(row: str, check: str) -> None:
    reading = read("dota", {"labelTxt/a.txt": f"{row}\n{ROW}\n", "labelTxt/b.txt": row}, IMAGES)
    assert checks(reading) == [check, check]
    assert [label.label_row for label in reading.labels] == [1]
    assert reading.covered == {"images/a.png"}
    assert reading.refused == {"images/a.png", "images/b.png"}


def test_it_is_known_by_its_rows_and_yolo_by_its_own() -> None:
    pictures = {"images/a.png": b"", "images/b.png": b""}
    best = sniff_all(listing({"labelTxt/a.txt": HEADER + ROW, "labelTxt/b.txt": ROW, **pictures}))[0]
    assert (best.format, best.weight, best.classes) == ("dota", 2, ["ship"])
    shares = "0 0.78 0.74 0.79 0.75 0.77 0.76 0.76 0.74\n"
    found = sniff_all(listing({"labels/a.txt": shares, "labels/b.txt": shares, **pictures}))
    assert [one.format for one in found] == ["yolo", "images"]
    (label,) = read("yolo", {"labels/a.txt": shares}, IMAGES, names=("ship",)).labels
    assert (label.raw_label, label.shape) == ("ship", "polygon")
    assert label.segmentation is not None
    assert label.segmentation[0] == pytest.approx([156, 74, 158, 75, 154, 76, 152, 74])


def test_yolos_polygons_are_not_dotas() -> None:
    polygon = "0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2 0.05 0.15\n"
    pictures = {"images/a.png": b"", "images/b.png": b""}
    found = sniff_all(listing({"labels/a.txt": polygon, "labels/b.txt": polygon[:-6] + "\n", **pictures}))
    assert [one.format for one in found] == ["yolo", "images"]
    assert checks(read("dota", {"labels/a.txt": polygon}, IMAGES)) == ["number_count"]


def test_classes_may_be_numbers() -> None:
    files = {"labelTxt/a.txt": "20 20 60 30 55 60 15 50 3 0\n"}
    (label,) = read("dota", files, IMAGES).labels
    assert (label.raw_label, label.attributes) == ("3", {"difficult": 0})


@pytest.mark.parametrize(
    "row", ["20 20 60 30 55 60 15 50 3", "20 20 60 30 55 60 15 50 3 1", "0 0 60 0 60 50 0 50 3 0"]
)
def test_numbers_for_classes_in_pixels_are_not_proposed_as_yolo(row: str) -> None:
    pictures = {"images/a.png": b"", "images/划 1.png": b""}
    found = sniff_all(listing({"labels/a.txt": row, "labels/划%201.txt": f"{row}\n{row}", **pictures}))
    assert [one.format for one in found] == ["dota", "images"]
    assert found[0].classes == ["3"]
    reading = read("dota", {"labels/a.txt": row}, IMAGES)
    assert [label.raw_label for label in reading.labels] == ["3"]


@given(data=st.binary(max_size=200) | st.text(alphabet="1 2.ne\nship:", max_size=80).map(str.encode))
def test_no_bytes_stop_it(data: bytes) -> None:
    read("dota", {"labelTxt/a.txt": data}, IMAGES)
