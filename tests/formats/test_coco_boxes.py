from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.sources import box, listing, read, refs, sniff_all

from tundish.errors import SourceError
from tundish.formats.coco.boxes import doubt_of_boxes

PATH = "_annotations.coco.json"
CORNERS = [(100, 50, 150, 90), (10, 20, 190, 95), (120, 5, 180, 40), (3, 60, 60, 99), (150, 70, 199, 100)]
BOXES: list[object] = [list(corners) for corners in CORNERS]
AS_COCO = [[x0, y0, x1 - x0, y1 - y0] for x0, y0, x1, y1 in CORNERS]


def coco(boxes: list[object], width: object = 200, height: object = 100) -> str:
    return json.dumps(
        {
            "images": [{"id": 1, "file_name": "a.jpg", "width": width, "height": height}],
            "categories": [{"id": 1, "name": "rust"}],
            "annotations": [
                {"id": number, "image_id": 1, "category_id": 1, "bbox": place}
                for number, place in enumerate(boxes)
            ],
        }
    )


def test_add_sees_boxes_that_are_corners_and_run_is_held_to_it() -> None:
    files: dict[str, bytes | str] = {PATH: coco(BOXES), "a.jpg": b""}
    best = sniff_all(listing(files))[0]
    assert (best.format, best.extra) == ("coco", {"box": "corners"})
    assert any("leave their picture" in fact and "none if read as two corners" in fact for fact in best.facts)
    reading = read("coco", {PATH: str(files[PATH])}, refs("a.jpg"), box=best.extra["box"])
    assert [box(label) for label in reading.labels] == [tuple(place) for place in AS_COCO]
    with pytest.raises(SourceError, match=r"box is 'middle'.*xywh, corners"):
        read("coco", {PATH: str(files[PATH])}, refs("a.jpg"), box="middle")


def test_add_sees_that_x_and_y_are_swapped() -> None:
    swapped: list[object] = [[y, x, height, width] for x, y, width, height in AS_COCO]
    swapped += [[60, 150, 30, 40], [5, 120, 20, 60]]
    files: dict[str, bytes | str] = {PATH: coco(swapped), "a.jpg": b""}
    best = sniff_all(listing(files))[0]
    assert best.extra == {"box": "yxhw"}
    assert any("none if x and y are swapped: read as y, x, height, width" in fact for fact in best.facts)
    reading = read("coco", {PATH: str(files[PATH])}, refs("a.jpg"), box="yxhw")
    assert [box(label) for label in reading.labels][: len(AS_COCO)] == [tuple(place) for place in AS_COCO]


def test_boxes_as_coco_has_them_say_nothing_and_a_few_outside_are_told() -> None:
    best = sniff_all(listing({PATH: coco([*AS_COCO]), "a.jpg": b""}))[0]
    assert best.extra == {}
    assert not any("leave" in fact for fact in best.facts)
    best = sniff_all(listing({PATH: coco([*AS_COCO, [190, 10, 30, 5]]), "a.jpg": b""}))[0]
    assert best.extra == {}
    assert any("1 of 6 boxes leave their picture" in fact for fact in best.facts)


ODD = st.none() | st.text(max_size=3) | st.integers() | st.floats() | st.booleans()


@given(boxes=st.lists(ODD | st.lists(ODD, max_size=5), max_size=4), width=ODD, height=ODD)
def test_whatever_stands_for_a_box_it_is_counted_or_passed_over(
    boxes: list[object], width: object, height: object
) -> None:
    content = json.loads(coco(boxes, width, height))
    assert doubt_of_boxes(content).boxes <= len(boxes)
    read("coco", {PATH: coco(boxes, width, height)}, refs("a.jpg"), box="corners")
