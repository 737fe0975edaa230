from __future__ import annotations

import json

import pytest
from tests.formats.sources import box, checks, listing, negatives, only, read, refs, sniff_all
from tests.formats.tools.written import centred, createml

from tundish.errors import SourceError

A = refs("images/a.jpg")
PATH = "_annotations.createml.json"


def test_a_box_is_about_its_centre() -> None:
    first, second = read("createml", {PATH: createml(centred(), centred("锈 ", x=100.5))}, A).labels
    assert (first.raw_label, box(first), first.label_row) == ("crack", (20, 35, 20, 10), 0)
    assert (second.raw_label, box(second), second.label_row) == ("锈 ", (90.5, 35, 20, 10), 1)


def test_rows_run_through_the_whole_file_and_an_empty_list_is_a_negative() -> None:
    entries = [
        {"image": "a.jpg", "annotations": [centred(), centred()]},
        {"imagefilename": "b.jpg", "annotation": [centred()]},
        {"image": "c.jpg", "annotations": []},
        {"image": "d.jpg", "annotations": None},
        7,
    ]
    reading = read("createml", {PATH: json.dumps(entries)}, refs("a.jpg", "b.jpg", "c.jpg", "d.jpg"))
    assert [(label.image.path, label.label_row) for label in reading.labels] == [
        ("a.jpg", 0),
        ("a.jpg", 1),
        ("b.jpg", 2),
    ]
    assert negatives(reading) == {"c.jpg"}
    assert checks(reading) == ["wrong_type", "image_not_found"]
    assert reading.refused == {"d.jpg"}


def test_parts_of_the_size_are_seen_by_add_and_read_by_the_option() -> None:
    data = createml(centred(x=0.5, y=0.25, width=0.1, height=0.5))
    found = sniff_all(listing({"a.jpg": "", PATH: data}))[0]
    assert (found.format, found.extra) == ("createml", {"units": "normalized"})
    (label,) = read("createml", {PATH: data}, A, units=found.extra["units"]).labels
    assert box(label) == pytest.approx((90, 0, 20, 50), abs=1e-6)
    with pytest.raises(SourceError, match="units is 'inches'"):
        read("createml", {PATH: data}, A, units="inches")


def test_pixels_are_the_rule() -> None:
    found = sniff_all(listing({"a.jpg": "", PATH: createml(centred())}))[0]
    assert (found.format, found.extra, found.classes) == ("createml", {}, ["crack"])
    assert found.facts[-1] == "x and y are the centre of a box, in pixels"


def test_one_bad_annotation_costs_itself() -> None:
    bad = {
        "missing_name": centred(None),
        "wrong_type": centred(x="30"),
        "missing_box": {"label": "a"},
        "negative_size": centred(width=-1),
        "not_finite": centred(x=1e308, width=1.7e308, y=1e308, height=1.7e308),
        "not_a_number": centred(y=True),
    }
    reading = read("createml", {PATH: createml(*bad.values(), centred())}, A)
    assert [problem.check for problem in reading.problems] == list(bad)
    assert [label.label_row for label in reading.labels] == [len(bad)]


def test_other_json_is_refused_and_a_missing_image_is_reported() -> None:
    files = {"a.json": "{}", "b.json": "[]", "c.json": '[{"image": 3}]', "d.json": "[1, 2"}
    reading = read("createml", files, A)
    assert checks(reading) == ["not_createml", "not_createml", "not_createml", "broken_file"]
    assert only(read("createml", {PATH: createml(centred(), image="z.jpg")}, A)).labels == 1
