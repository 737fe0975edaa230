from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import pytest
from tests.formats.sources import box, checks, listing, negatives, only, read, refs, sniff_all
from tests.formats.tools.written import RECT, region, via

A = refs("images/a.jpg")
POLYGON = {"name": "polygon", "all_points_x": [20, 60, 50], "all_points_y": [20, 25.5, 60]}
COLUMNS = (
    "filename",
    "file_size",
    "file_attributes",
    "region_count",
    "region_id",
    "region_shape_attributes",
    "region_attributes",
)


def table(*rows: tuple[str, int, object, object], first: str = "filename") -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow([first, *COLUMNS[1:]])
    for name, count, shape, attributes in rows:
        writer.writerow([name, 9, "{}", count, 0, json.dumps(shape), json.dumps(attributes)])
    return stream.getvalue()


@pytest.mark.parametrize("project", [False, True])
def test_the_shapes_of_a_project_and_of_an_export(project: bool) -> None:
    shapes: list[dict[str, Any]] = [
        RECT,
        POLYGON,
        {"name": "circle", "cx": 50, "cy": 40, "r": 10},
        {"name": "ellipse", "cx": 50, "cy": 40, "rx": 20, "ry": 10, "theta": math.pi / 2},
    ]
    regions = [region(shape, kind="crack", depth="2") for shape in shapes]
    data = via(*regions, project=project)
    rect, polygon, circle, ellipse = read("via", {"via.json": data}, A, attribute="kind").labels
    assert (rect.shape, box(rect)) == ("box", (10, 20, 30.5, 40))
    assert (rect.raw_label, rect.attributes, rect.label_row) == ("crack", {"depth": "2"}, 0)
    assert (polygon.segmentation, polygon.label_row) == ([[20, 20, 60, 25.5, 50, 60]], 1)
    assert box(circle) == pytest.approx((40, 30, 20, 20), abs=1e-6)
    assert box(ellipse) == pytest.approx((40, 20, 20, 40), abs=1e-6)


def test_version_1_numbers_its_regions() -> None:
    data = via().replace('"regions": []', f'"regions": {{"0": {json.dumps(region(RECT, label="crack"))}}}')
    assert len(read("via", {"via.json": data}, A).labels) == 1


def test_a_table_says_the_same() -> None:
    rows: tuple[tuple[str, int, object, object], ...] = (
        ("a.jpg", 2, RECT, {"label": "crack"}),
        ("a.jpg", 2, POLYGON, {"label": "rust, red"}),
        ("b.jpg", 0, {}, {}),
    )
    for first in ("filename", "#filename"):
        reading = read("via", {"via.csv": table(*rows, first=first)}, refs("a.jpg", "b.jpg", "c.jpg"))
        assert [(label.raw_label, label.shape, label.label_row) for label in reading.labels] == [
            ("crack", "box", 0),
            ("rust, red", "polygon", 1),
        ]
        assert negatives(reading) == {"b.jpg"}
        assert not reading.problems


@pytest.mark.parametrize("kind", ["point", "polyline", "line"])
def test_points_and_lines_are_reported(kind: str) -> None:
    reading = read("via", {"via.json": via(region({"name": kind, "cx": 1, "cy": 2}, label="a"))}, A)
    assert (only(reading).check, only(reading).value, reading.covered) == ("unsupported_shape", kind, set())


def test_the_class_is_in_the_attribute_that_most_regions_have_filled_in() -> None:
    regions = [
        region(RECT, id=str(number), defect="crack", note="deep" if number else "") for number in range(3)
    ]
    reading = read("via", {"via.json": via(*regions)}, A)
    assert {label.raw_label for label in reading.labels} == {"crack"}
    found = sniff_all(listing({"a.jpg": "", "via.json": via(*regions)}))[0]
    assert (found.format, found.extra, found.classes) == ("via", {"attribute": "defect"}, ["crack"])
    assert (
        "the class is in the attribute 'defect', which 3 of 3 regions have, with 1 value"
        " (others: 'id' 3, 'note' 2)"
    ) in found.facts
    other = read("via", {"via.json": via(*regions)}, A, attribute="note")
    assert (checks(other), [label.raw_label for label in other.labels]) == (
        ["missing_name"],
        ["deep", "deep"],
    )


def test_a_ticked_box_is_a_class_and_two_are_none() -> None:
    one, two = {"crack": True, "rust": False}, {"crack": True, "rust": True}
    reading = read("via", {"via.json": via(region(RECT, type=one), region(RECT, type=two))}, A)
    assert [label.raw_label for label in reading.labels] == ["crack"]
    assert (only(reading).check, only(reading).value) == ("ambiguous_class", "crack, rust")


def test_regions_without_any_attribute_have_no_class() -> None:
    data = via(region(RECT))
    assert checks(read("via", {"via.json": data}, A)) == ["missing_name"]
    found = sniff_all(listing({"a.jpg": "", "via.json": data}))[0]
    assert "no region has an attribute that could be its class" in found.facts


def test_one_bad_region_costs_itself() -> None:
    bad = {
        "wrong_type": 7,
        "missing_box": region(None, label="a"),
        "missing_name": region(RECT, label=""),
        "negative_size": region(RECT | {"width": -1}, label="a"),
        "not_finite": region(RECT | {"x": math.inf}, label="a"),
        "broken_polygon": region(POLYGON | {"all_points_x": [1, 2]}, label="a"),
    }
    reading = read("via", {"via.json": via(*bad.values(), region(RECT, label="a"))}, A)
    assert [problem.check for problem in reading.problems] == list(bad)
    assert [label.label_row for label in reading.labels] == [len(bad)]


def test_other_files_are_refused_with_the_reason() -> None:
    files = {"a.json": "[]", "b.json": "{}", "c.csv": "a,b\n1,2\n", "d.csv": "", "e.csv": 'filename\n"'}
    assert checks(read("via", files, A)) == ["not_via"] * 5
    broken = table(("a.jpg", 1, RECT, {"label": "a"})).replace('""name""', '""name')
    assert checks(read("via", {"via.csv": broken}, A)) == ["missing_box"]


def test_records_beside_images_are_not_taken_for_via() -> None:
    files = {"a.jpg": "", "records.csv": "filename,region,hardness\na.jpg,north,3\n"}
    assert [evidence.format for evidence in sniff_all(listing(files))] == ["images"]


def test_what_is_filled_in_for_a_whole_image_is_reported_and_makes_no_negative() -> None:
    filled = '"file_attributes": {"class": "rust", "caption": ""}'
    empty = read("via", {"via.json": via().replace('"file_attributes": {}', filled)}, A)
    assert (only(empty).check, only(empty).value, empty.covered) == ("image_flags", "class rust", set())
    data = via(region(RECT, label="a")).replace('"file_attributes": {}', filled)
    both = read("via", {"via.json": data}, A)
    assert (checks(both), checks(both, "warning"), len(both.labels)) == ([], ["image_flags"], 1)
