"""What YOLO's numbers are is settled over all files and written as an option, to which `run` is held."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.sources import box, listing, read, refs, sniff_all

from tundish.errors import SourceError
from tundish.formats.base import Catalog, Evidence, Options
from tundish.formats.registry import load_reader
from tundish.formats.yolo.places import Places

WIDTH, HEIGHT = 200, 100
PICTURE = cv2.imencode(".png", np.full((HEIGHT, WIDTH), 90, np.uint8))[1].tobytes()
BOXES = [(4.0 + 7 * number, 3.0 + 3 * number, 20.0 + 4 * number, 10.0 + 2 * number) for number in range(16)]
"""x, y, width and height, px: all in the picture, none of them possible under another reading for long."""


def row(reading: str, unit: str, x: float, y: float, width: float, height: float) -> str:
    numbers = {
        "centre": (x + width / 2, y + height / 2, width, height),
        "xywh": (x, y, width, height),
        "corners": (x, y, x + width, y + height),
    }[reading]
    scale = (1, 1, 1, 1) if unit == "px" else (WIDTH, HEIGHT, WIDTH, HEIGHT)
    return " ".join(["0", *(f"{number / by:.6f}" for number, by in zip(numbers, scale, strict=True))]) + "\n"


def source(reading: str, unit: str) -> dict[str, bytes | str]:
    labels = {f"p{number}.txt": row(reading, unit, *place) for number, place in enumerate(BOXES)}
    return {**labels, **{f"p{number}.png": PICTURE for number in range(len(BOXES))}}


def best(files: dict[str, bytes | str]) -> Evidence:
    found = sniff_all(listing(files))[0]
    assert found.format == "yolo"
    return found


@pytest.mark.parametrize("unit", ["share", "px"])
@pytest.mark.parametrize("reading", ["centre", "corners"])
def test_boxes_are_read_as_they_fit_their_pictures(reading: str, unit: str) -> None:
    files = source(reading, unit)
    found = best(files)
    expected = {"box": reading} if reading != "centre" else {}
    assert found.extra == expected | ({"unit": "px"} if unit == "px" else {})
    if reading == "corners":
        assert any("none as two corners;" in fact for fact in found.facts)
    images = refs(*(f"p{number}.png" for number in range(len(BOXES))), width=WIDTH, height=HEIGHT)
    labels = {label.image.path: box(label) for label in read("yolo", files, images, (), **found.extra).labels}
    for number, place in enumerate(BOXES):
        assert labels[f"p{number}.png"] == pytest.approx(place, abs=1e-3)


def test_corner_and_size_are_found_where_centres_leave_the_picture() -> None:
    places = [(0.0, 0.0, 150.0 + number, 90.0) for number in range(10)]
    places += [(100.0, 60.0, 90.0, 10.0)] * 3
    files: dict[str, bytes | str] = {
        f"p{number}.txt": row("xywh", "share", *place) for number, place in enumerate(places)
    }
    files |= {f"p{number}.png": PICTURE for number in range(len(places))}
    found = best(files)
    assert found.extra == {"box": "xywh"}
    assert any("read as a corner with width and height" in fact for fact in found.facts)


def test_a_few_boxes_outside_do_not_change_what_boxes_are() -> None:
    files = source("centre", "share")
    files["p0.txt"] = "0 0.9 0.9 0.4 0.4\n"
    assert best(files).extra == {}


def test_what_fits_in_two_ways_is_not_guessed() -> None:
    files: dict[str, bytes | str] = {f"p{number}.txt": "0 0.05 0.05 0.4 0.4\n" for number in range(10)}
    files |= {f"p{number}.png": PICTURE for number in range(10)}
    found = best(files)
    assert found.extra == {}
    assert any("both fit; say {box: xywh} or {box: corners}" in fact for fact in found.facts) or any(
        "both fit; say {box: corners} or {box: xywh}" in fact for fact in found.facts
    )


def test_what_rows_of_six_and_seven_numbers_are_is_written_as_an_option() -> None:
    pictures: dict[str, bytes | str] = {"a.png": PICTURE, "b.png": PICTURE}
    tracked = {"a.txt": "0 0.5 0.5 0.1 0.1 0.9 1\n", "b.txt": "0 0.5 0.5 0.1 0.1 0.9 2\n"}
    assert best({**pictures, **tracked}).extra == {"rows": "track"}
    numbered = {"a.txt": "0 0.5 0.5 0.1 0.1 1\n", "b.txt": "0 0.5 0.5 0.1 0.1 2\n"}
    assert best({**pictures, **numbered}).extra == {"rows": "track"}
    scored = {"a.txt": "0 0.5 0.5 0.1 0.1 0.9\n", "b.txt": "0 0.5 0.5 0.1 0.1 0.7\n"}
    assert best({**pictures, **scored}).extra == {"rows": "polygon"}
    triangle = {"a.txt": "0 0.1 0.1 0.5 0.1 0.1 0.5\n", "b.txt": "0 0.1 0.1 0.9 0.1 0.1 0.9 0.5 0.5\n"}
    assert best({**pictures, **triangle}).extra == {"rows": "polygon"}
    unsettled = {"a.txt": "0 0.5 0.5 0.1 0.1 1 1\n"}
    assert best({**pictures, **unsettled}).extra == {}


def test_pixels_hold_for_outlines_too() -> None:
    (label,) = read(
        "yolo", {"a.txt": "0 10 20 60 20 60 50\n"}, refs("a.png"), unit="px", rows="polygon"
    ).labels
    assert box(label) == (10, 20, 50, 30)


@pytest.mark.parametrize(("name", "value"), [("box", "middle"), ("unit", "mm")])
def test_what_an_option_cannot_say_is_refused(name: str, value: str) -> None:
    with pytest.raises(SourceError, match=f"{name} is '{value}'; say one of"):
        load_reader("yolo").read([], Catalog([]), Options(extra={name: value}))


sides = st.floats(1, 80)


@given(st.floats(0, 100), st.floats(0, 20), sides, sides, st.sampled_from(["centre", "xywh", "corners"]))
def test_every_reading_gives_back_the_box_that_was_written(
    x: float, y: float, width: float, height: float, reading: str
) -> None:
    for unit in ("share", "px"):
        numbers = [float(token) for token in row(reading, unit, x, y, width, height).split()[1:]]
        found = Places(reading, unit).box_of(numbers, (WIDTH, HEIGHT))
        assert found == pytest.approx((x, y, width, height), abs=1e-3)
