from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.sources import box, checks, listing, only, read, refs, sniff_all

from tundish.formats.base import ImageRef
from tundish.imaging.geometry import mask_of_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

JSON = "annotations/panoptic_train.json"
PNG = "annotations/panoptic_train/a.png"
IMAGE = refs("images/train/a.jpg", width=20, height=10)
FOLDER = {"panoptic": "annotations/panoptic_train"}
SEGMENTS = [
    {"id": 70_000, "category_id": 1, "iscrowd": 0, "bbox": [1, 2, 3, 4], "area": 12, "isthing": 1},
    {"id": 5, "category_id": 2, "iscrowd": 1},
]


def ids() -> NDArray[np.uint32]:
    drawn = np.zeros((10, 20), np.uint32)
    drawn[2:6, 1:4] = 70_000
    drawn[8:, :] = 5
    return drawn


def png(numbers: NDArray[np.uint32]) -> bytes:
    colours = np.stack([numbers >> 16 & 255, numbers >> 8 & 255, numbers & 255], axis=2).astype(np.uint8)
    return cv2.imencode(".png", colours)[1].tobytes()


def panoptic(segments: list[Any], name: str = "a.png", **image: Any) -> str:
    return json.dumps(
        {
            "images": [{"id": 7, "file_name": "a.jpg", "width": 20, "height": 10} | image],
            "annotations": [{"image_id": 7, "file_name": name, "segments_info": segments}],
            "categories": [{"id": 1, "name": "划伤"}, {"id": 2, "name": "belt"}],
        }
    )


def test_a_segment_is_the_mask_of_its_colour() -> None:
    reading = read("coco", {JSON: panoptic(SEGMENTS), PNG: png(ids())}, IMAGE, (), **FOLDER)
    first, second = reading.labels
    assert (first.raw_label, first.shape, box(first), first.is_crowd) == ("划伤", "mask", (1, 2, 3, 4), False)
    assert (second.raw_label, box(second), second.is_crowd) == ("belt", (0, 8, 20, 2), True)
    assert first.attributes == {"id": 70_000, "isthing": 1}
    assert (first.label_path, first.label_row, second.label_row) == (JSON, 0, 1)
    assert reading.covered == {"images/train/a.jpg"}
    assert not reading.problems


def test_an_image_turned_by_exif_has_its_segments_turned() -> None:
    image = ImageRef("images/a.jpg", "id", 10, 20, 6)
    reading = read(
        "coco", {JSON: panoptic(SEGMENTS[:1]), PNG: png(ids() * (ids() != 5))}, [image], (), **FOLDER
    )
    assert box(reading.labels[0]) == (4, 1, 4, 3)


def test_what_is_missing_is_reported_and_costs_the_segment() -> None:
    bad = [
        {"id": 9, "category_id": 1},
        {"id": 5, "category_id": 8},
        {"id": 5, "category_id": 2, "iscrowd": 3},
        4,
    ]
    reading = read("coco", {JSON: panoptic([*bad, SEGMENTS[0]]), PNG: png(ids())}, IMAGE, (), **FOLDER)
    assert checks(reading) == ["empty_mask", "unknown_category", "wrong_type", "wrong_type"]
    assert [label.label_row for label in reading.labels] == [4]
    assert reading.refused == {"images/train/a.jpg"}


def test_a_colour_that_no_segment_lists_is_a_lost_label() -> None:
    reading = read("coco", {JSON: panoptic(SEGMENTS[:1]), PNG: png(ids())}, IMAGE, (), **FOLDER)
    assert (only(reading).check, only(reading).labels) == ("unlisted_segment", 1)
    assert reading.refused == {"images/train/a.jpg"}


@pytest.mark.parametrize(
    ("files", "options", "found"),
    [
        ({JSON: panoptic(SEGMENTS)}, FOLDER, ["mask_not_found"]),
        ({JSON: panoptic(SEGMENTS), PNG: png(ids())}, {}, ["mask_not_found"]),
        ({JSON: panoptic(SEGMENTS), PNG: b"\x89PNG\r\n\x1a\n"}, FOLDER, ["broken_mask"]),
        ({JSON: panoptic(SEGMENTS), PNG: png(ids()[:5])}, FOLDER, ["size_mismatch"]),
        ({JSON: panoptic(SEGMENTS, file_name="z.jpg"), PNG: png(ids())}, FOLDER, ["image_not_found"]),
    ],
)
def test_a_file_that_cannot_be_used_loses_both_segments(
    files: dict[str, bytes | str], options: dict[str, str], found: list[str]
) -> None:
    reading = read("coco", files, IMAGE, (), **options)
    assert checks(reading) == found
    assert sum(problem.labels for problem in reading.problems) == 2
    assert not reading.covered


def test_a_picture_that_no_file_names_is_reported() -> None:
    other = "annotations/panoptic_train/z.png"
    files: dict[str, bytes | str] = {JSON: panoptic(SEGMENTS), PNG: png(ids()), other: png(ids())}
    assert only(read("coco", files, IMAGE, (), **FOLDER)).path == other


def test_add_finds_the_pictures_in_whichever_folder_and_read_takes_them() -> None:
    files: dict[str, bytes | str] = {
        "pano.json": panoptic(SEGMENTS, name="A%CC%88%20.PNG"),
        "图/ä .png": png(ids()),
        "images/train/a.jpg": b"",
    }
    best = sniff_all(listing(files))[0]
    assert (best.format, best.extra, best.classes) == ("coco", {"panoptic": "图"}, ["划伤", "belt"])
    assert best.facts[0] == (
        "1 of 1 images listed in pano.json are here, with 2 panoptic segments of 2 categories; "
        "1 of 1 PNG file with the segments are here"
    )
    assert len(read("coco", files, IMAGE, (), **best.extra).labels) == 2


def test_instances_of_the_same_images_are_read_instead() -> None:
    instances = {"images": [{"id": 7, "file_name": "a.jpg"}], "annotations": [], "categories": []}
    files: dict[str, bytes | str] = {JSON: panoptic(SEGMENTS), PNG: png(ids()), "images/train/a.jpg": b""}
    files["annotations/instances_train.json"] = json.dumps(instances)
    assert sniff_all(listing(files))[0].extra == {"files": "annotations/instances_train.json"}


ENTRY = {"image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}
CATEGORIES = [{"id": 3, "name": "孔"}]
PICTURES = [{"id": 7, "file_name": "a.jpg", "width": 20, "height": 10}]


@pytest.mark.parametrize(
    "content",
    [
        {"images": PICTURES, "annotations": {"1": ENTRY | {"id": 1}}, "categories": CATEGORIES},
        {"images": PICTURES, "annotations": {"x": ENTRY}, "categories": CATEGORIES},
        {"images": PICTURES, "annotations": {"7": [{k: ENTRY[k] for k in ("category_id", "bbox")}]}}
        | {"categories": CATEGORIES},
        {
            "images": {"7": PICTURES[0] | {"id": 7}},
            "annotations": [ENTRY],
            "categories": {"3": {"name": "孔"}},
        },
    ],
)
def test_lists_may_be_objects_by_id(content: dict[str, Any]) -> None:
    (label,) = read("coco", {"a.json": json.dumps(content)}, IMAGE).labels
    assert (label.raw_label, box(label)) == ("孔", (1, 2, 3, 4))
    found = sniff_all(listing({"a.json": json.dumps(content), "images/train/a.jpg": b""}))[0]
    assert (found.format, found.classes) == ("coco", ["孔"])


@given(st.lists(st.integers(1, 2**24 - 1), min_size=1, max_size=6, unique=True), st.randoms())
def test_segments_divide_the_picture(numbers: list[int], random: Any) -> None:
    drawn = np.array([[random.choice([0, *numbers]) for _ in range(20)] for _ in range(10)], np.uint32)
    segments = [{"id": number, "category_id": 1} for number in numbers]
    reading = read("coco", {JSON: panoptic(segments), PNG: png(drawn)}, IMAGE, (), **FOLDER)
    again = np.zeros_like(drawn)
    for label in reading.labels:
        assert label.rle is not None
        number = label.attributes["id"]
        assert isinstance(number, int)
        again += mask_of_counts(label.rle, 20, 10).astype(np.uint32) * np.uint32(number)
    assert (again == drawn).all()
    assert len(reading.labels) + len(reading.problems) == len(numbers)
