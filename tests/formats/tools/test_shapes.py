"""Geometry that holds for any numbers: what a shape covers does not hang on how it is written."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.sources import box, read, refs
from tests.formats.tools.written import (
    RECT,
    bitmap,
    centred,
    createml,
    cvat,
    cvat_box,
    drawn,
    frame_box,
    labelme,
    region,
    shape,
    supervisely,
    via,
    video,
)

from tundish.imaging.geometry import area_of_polygon, mask_of_counts, orient_boxes

A = refs("images/a.jpg")
NUMBERS = st.floats(-1e4, 1e4, allow_nan=False)
BOXES = st.tuples(NUMBERS, NUMBERS, st.floats(0, 1e4), st.floats(0, 1e4))


@given(BOXES)
def test_all_tools_mean_the_same_box(wanted: tuple[float, float, float, float]) -> None:
    x, y, width, height = wanted
    corners = [[x, y], [x + width, y + height]]
    ends = (*corners[0], *corners[1])
    middle = {"x": x + width / 2, "y": y + height / 2, "width": width, "height": height}
    files = {
        "labelme": ("a.json", labelme(shape("rectangle", corners))),
        "cvat": ("a.xml", cvat(cvat_box(corners=ends))),
        "via": (
            "a.json",
            via(region(RECT | {"x": x, "y": y, "width": width, "height": height}, label="crack")),
        ),
        "createml": ("a.json", createml(centred(**middle))),
        "supervisely": ("a.json", supervisely(drawn("rectangle", corners))),
    }
    for name, (path, data) in files.items():
        reading = read(name, {path: data}, A)
        assert not reading.problems
        assert box(reading.labels[0]) == pytest.approx(wanted, abs=1e-6)
        assert reading.labels[0].raw_label == "crack"


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=12))
def test_all_tools_mean_the_same_polygon(points: list[tuple[float, float]]) -> None:
    ring = [value for point in points for value in point]
    lists = {"all_points_x": ring[::2], "all_points_y": ring[1::2]}
    text = ";".join(f"{x!r},{y!r}" for x, y in points)
    files = {
        "labelme": ("a.json", labelme(shape("polygon", points))),
        "cvat": ("a.xml", cvat(f'<polygon label="crack" points="{text}"/>')),
        "via": ("a.json", via(region({"name": "polygon"} | lists, label="crack"))),
        "supervisely": ("a.json", supervisely(drawn("polygon", points))),
    }
    for name, (path, data) in files.items():
        (label,) = read(name, {path: data}, A).labels
        assert label.segmentation == [ring]
        assert box(label)[:2] == (min(ring[::2]), min(ring[1::2]))


@given(BOXES, st.floats(-720, 720))
def test_turning_a_box_keeps_its_centre_and_its_area(
    wanted: tuple[float, float, float, float], degrees: float
) -> None:
    x, y, width, height = wanted
    data = cvat(cvat_box(corners=(x, y, x + width, y + height), more=f'rotation="{degrees!r}"'))
    (label,) = read("cvat", {"a.xml": data}, A).labels
    if label.segmentation is not None:
        (ring,) = label.segmentation
        assert np.mean(ring[::2]) == pytest.approx(x + width / 2, abs=1e-6)
        assert np.mean(ring[1::2]) == pytest.approx(y + height / 2, abs=1e-6)
        assert area_of_polygon([ring]) == pytest.approx(width * height, abs=1e-2)
        sides = [math.dist(ring[:2], ring[2:4]), math.dist(ring[2:4], ring[4:6])]
        assert sides == pytest.approx([width, height], abs=1e-6)


@given(st.integers(1, 7), st.integers(1, 5), st.integers(0, 193), st.integers(0, 95), st.data())
def test_masks_of_all_tools_set_the_same_pixels(
    width: int, height: int, left: int, top: int, data: st.DataObject
) -> None:
    bits = data.draw(st.lists(st.booleans(), min_size=width * height, max_size=width * height))
    cells = np.array(bits).reshape(height, width)
    if not cells.any():
        return
    runs = [len(list(group)) for _, group in itertools.groupby(bits)]
    runs = [0, *runs] if bits[0] else runs
    place = f'left="{left}" top="{top}" width="{width}" height="{height}"'
    written = {
        "cvat": ("a.xml", cvat(f'<mask label="a" rle="{", ".join(map(str, runs))}" {place}/>')),
        "supervisely": ("a.json", supervisely(bitmap(cells, left, top))),
    }
    for name, (path, text) in written.items():
        (label,) = read(name, {path: text}, A).labels
        assert label.rle is not None
        mask = mask_of_counts(label.rle, 200, 100).astype(bool)
        assert (mask[top : top + height, left : left + width] == cells).all()
        assert mask.sum() == cells.sum()


@pytest.mark.parametrize("orientation", range(5, 9))
def test_a_box_and_its_mask_turn_alike(orientation: int) -> None:
    turned = refs("images/a.jpg", width=100, height=200, orientation=orientation)
    cells = np.ones((30, 50), bool)
    objects = (drawn("rectangle", [[10, 20], [60, 50]]), bitmap(cells, 10, 20))
    first, second = read("supervisely", {"a.json": supervisely(*objects)}, turned).labels
    wanted = orient_boxes([[10, 20, 50, 30]], orientation, 200, 100)[0].tolist()
    assert box(first) == pytest.approx(wanted, abs=1e-6)
    assert box(second) == pytest.approx(wanted, abs=1e-6)


@given(BOXES, BOXES, st.integers(1, 5))
def test_interpolated_boxes_lie_on_the_line_between_two(
    first: tuple[float, float, float, float], last: tuple[float, float, float, float], frame: int
) -> None:
    ends = [(x, y, x + width, y + height) for x, y, width, height in (first, last)]
    data = video(frame_box(0, ends[0]) + frame_box(6, ends[1]))
    (label,) = read("cvat", {"a.xml": data}, refs(f"frame_{frame:06d}.png")).labels
    wanted = [a + (b - a) * frame / 6 for a, b in zip(first, last, strict=True)]
    assert box(label) == pytest.approx(wanted, abs=1e-6)
