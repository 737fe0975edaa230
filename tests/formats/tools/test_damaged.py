"""Damaged files of all tools: no traceback, and labels read and labels lost add up."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.sources import listing, read, refs, sniff_all
from tests.formats.tools.written import (
    RECT,
    RING,
    bitmap,
    centred,
    cityscapes,
    createml,
    cvat,
    cvat_box,
    drawn,
    frame_box,
    labelme,
    outline,
    region,
    segment_anything,
    shape,
    supervisely,
    via,
    video,
    vott,
    vott_box,
)

from tundish.formats.frames import labels_to_frame
from tundish.storage.checks import CHECKS

IMAGES = refs("a.jpg", "frame_000003.png")
CELLS = np.ones((2, 3), bool)
GOOD = {
    "labelme": (
        "a.json",
        labelme(shape("rectangle", RING[:2]), shape("polygon", RING), shape("circle", RING[:2])),
    ),
    "cvat": ("a.xml", cvat(cvat_box(more='rotation="3"'), '<polygon label="a" points="1,2;3,4;5,9"/>')),
    "via": (
        "a.json",
        via(region(RECT, label="a"), region({"name": "circle", "cx": 1, "cy": 2, "r": 3}, label="b")),
    ),
    "createml": ("a.json", createml(centred(), centred(x=3.5))),
    "supervisely": (
        "a.json",
        supervisely(drawn("rectangle", RING[:2]), drawn("polygon", RING), bitmap(CELLS, 3, 4)),
    ),
    "segment-anything": ("a.json", segment_anything(np.ones((100, 200), bool), np.eye(100, 200) > 0)),
    "cityscapes": ("a.json", cityscapes(outline("road"), outline("car"))),
    "vott": ("a.json", vott(vott_box("a"), vott_box("b"), vott_box("c", kind="SQUARE"))),
}
VIDEO = video(frame_box(1, (1, 2, 3, 4)) + frame_box(5, (5, 6, 7, 8)))
JSON = sorted(set(GOOD) - {"cvat"})
ODD: list[Any] = [
    None,
    True,
    -1,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "12",
    "\ud800",
    [],
    {},
    [[]],
    [[1]],
    [{}],
    {"a": 1},
]


def look_at(name: str, path: str, data: bytes) -> None:
    """Whatever the file holds: problems of known checks, a table, evidence."""
    reading = read(name, {path: data}, IMAGES)
    assert {problem.check for problem in reading.problems} <= CHECKS.keys()
    assert all(problem.message for problem in reading.problems)
    labels_to_frame(reading, "s")
    rows = [label.label_row for label in reading.labels]
    assert len(set(rows)) == len(rows)
    for label in reading.labels:
        assert np.isfinite([label.x, label.y, label.width, label.height]).all()
    sniff_all(listing({"a.jpg": b"", path: data}))


@pytest.mark.parametrize("name", GOOD)
def test_a_file_cut_anywhere_stops_nothing(name: str) -> None:
    path, text = GOOD[name]
    assert read(name, {path: text}, IMAGES).labels
    for end in range(0, len(text), 7):
        look_at(name, path, text.encode()[:end])


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every value in parsed JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(way for key, child in inner for way in places(child, (*at, key)))]


def replaced(value: Any, way: tuple[Any, ...], new: Any) -> Any:
    if not way:
        return new
    copy = value.copy()
    copy[way[0]] = replaced(value[way[0]], way[1:], new)
    return copy


@pytest.mark.parametrize("name", JSON)
def test_any_value_of_any_other_type_stops_nothing(name: str) -> None:
    path, text = GOOD[name]
    content = json.loads(text)
    for way in places(content):
        for odd in ODD:
            changed = json.dumps(replaced(content, way, odd)).encode()
            reading = read(name, {path: changed}, IMAGES)
            assert {problem.check for problem in reading.problems} <= CHECKS.keys()
            labels_to_frame(reading, "s")
            # Half a surrogate pair breaks the whole file; otherwise what is not read is lost, and counted.
            if len(way) > 3 and odd != "\ud800":
                whole = len(read(name, {path: text}, IMAGES).labels)
                assert len(reading.labels) + sum(problem.labels for problem in reading.problems) == whole


@given(st.sampled_from([GOOD["cvat"][1], VIDEO]), st.data())
def test_any_attribute_of_any_text_stops_nothing(text: str, data: st.DataObject) -> None:
    parts = text.split('"')
    number = data.draw(st.integers(0, len(parts) // 2 - 1)) * 2 + 1
    odd = ["", "nan", "-inf", "1e999", "9" * 5000, "-1", "1.5", "1,2", "&#55296;", "true", "ü", " 3 "]
    parts[number] = data.draw(st.sampled_from(odd))
    look_at("cvat", "a.xml", '"'.join(parts).encode())


@pytest.mark.parametrize("name", GOOD)
def test_deep_nesting_and_other_encodings_stop_nothing(name: str) -> None:
    path, text = GOOD[name]
    whole = read(name, {path: text}, IMAGES).labels
    marked = read(name, {path: b"\xef\xbb\xbf" + text.encode()}, IMAGES).labels
    wide = text.replace("utf-8", "utf-16").encode("utf-16")
    assert whole == marked == read(name, {path: wide}, IMAGES).labels
    assert sniff_all(listing({"a.jpg": b"", path: wide}))[0].format == name
    for deep in (b"[" * 100_000, b'{"shapes":' * 100_000, b"<annotations><image>" * 50_000):
        look_at(name, path, deep)
