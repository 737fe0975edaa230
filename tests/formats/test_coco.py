from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pycocotools.mask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO
from tests.formats.sources import (
    box,
    checks,
    folder_listing,
    listing,
    negatives,
    only,
    read,
    read_folder,
    refs,
    sniff_all,
)

from tundish.formats.base import ImageRef, Options, Reading
from tundish.formats.coco.write import write_coco
from tundish.formats.frames import labels_to_frame
from tundish.formats.registry import load_reader
from tundish.imaging.geometry import counts_of_mask, mask_of_counts

if TYPE_CHECKING:
    from pathlib import Path

PATH = "annotations/instances_train.json"
A = refs("images/train/a.jpg", width=20, height=10)
IMAGE = {"id": 7, "file_name": "a.jpg", "width": 20, "height": 10}
BOX = {
    "id": 1,
    "image_id": 7,
    "category_id": 3,
    "bbox": [1, 2, 3, 4],
    "area": 12,
    "iscrowd": 0,
    "segmentation": [],
}
RING = [1.0, 1.0, 9.0, 1.0, 9.0, 6.0]


def coco(
    *annotations: Any, images: Any = (IMAGE,), categories: Any = ({"id": 3, "name": "孔"},), **more: Any
) -> str:
    content = {
        "images": list(images),
        "annotations": list(annotations),
        "categories": list(categories),
        **more,
    }
    return json.dumps(content)


def test_boxes() -> None:
    (label,) = read("coco", {PATH: coco(BOX)}, A).labels
    assert (label.raw_label, label.shape, box(label), label.is_crowd) == ("孔", "box", (1, 2, 3, 4), False)
    assert (label.label_path, label.label_row, dict(label.attributes)) == (PATH, 0, {})


def test_polygons_keep_their_rings_and_the_files_box() -> None:
    rings = [RING, [2, 2, 3, 2, 3, 3]]
    (label,) = read("coco", {PATH: coco(BOX | {"segmentation": rings})}, A).labels
    assert (label.shape, label.segmentation, box(label)) == ("polygon", rings, (1, 2, 3, 4))
    without = {key: value for key, value in BOX.items() if key != "bbox"}
    (label,) = read("coco", {PATH: coco(without | {"segmentation": RING})}, A).labels
    assert (label.segmentation, box(label)) == ([RING], (1, 1, 8, 5))


@pytest.mark.parametrize(
    ("rings", "kept"),
    [
        ([[1, 2, 3, 4]], None),
        ([1, 2], None),
        ([[1, 2], [3, 4]], None),
        ([RING, [1, 2]], [RING]),
        ([[1, 2, 3, 4], RING], [RING]),
    ],
)
def test_a_ring_of_under_three_points_is_left_out_and_the_box_stays(
    rings: list[Any], kept: list[list[float]] | None
) -> None:
    reading = read("coco", {PATH: coco(BOX | {"segmentation": rings})}, A)
    (label,) = reading.labels
    assert (label.shape, label.segmentation, box(label)) == ("polygon" if kept else "box", kept, (1, 2, 3, 4))
    assert only(reading).check == "short_ring"
    assert only(reading).severity == "warning"


MASK = np.zeros((10, 20), dtype=np.uint8)
MASK[2:5, 3:9] = 1


@pytest.mark.parametrize("compressed", [True, False])
def test_masks_come_compressed_or_not(compressed: bool) -> None:
    counts: object = counts_of_mask(MASK)
    if not compressed:
        flat = MASK.ravel(order="F")
        edges = np.flatnonzero(np.diff(flat)) + 1
        counts = np.diff([0, *edges, flat.size]).tolist()
    entry = BOX | {"segmentation": {"size": [10, 20], "counts": counts}, "iscrowd": 1, "bbox": []}
    (label,) = read("coco", {PATH: coco(entry)}, A).labels
    assert (label.shape, label.is_crowd, box(label)) == ("mask", True, (3, 2, 6, 3))
    assert label.rle is not None
    assert (mask_of_counts(label.rle, 20, 10) == MASK).all()


def test_key_points_and_all_else_become_attributes() -> None:
    more = {
        "keypoints": [1, 2, 2],
        "num_keypoints": 1,
        "attributes": {"x": 1, "y": "hello"},
        "occluded": True,
    }
    (label,) = read("coco", {PATH: coco(BOX | more | {"score": 0.5, "author": "li"})}, A).labels
    assert (label.score, label.author) == (0.5, "li")
    assert label.attributes == {
        "keypoints": [1, 2, 2],
        "num_keypoints": 1,
        "x": 1,
        "y": "hello",
        "occluded": True,
    }


def test_every_listed_image_is_covered() -> None:
    images = A + refs("images/train/b.jpg", "images/train/c.jpg")
    listed = (IMAGE, {"id": 8, "file_name": "b.jpg", "width": 200, "height": 100})
    reading = read("coco", {PATH: coco(BOX, images=listed)}, images)
    assert negatives(reading) == {"images/train/b.jpg"}
    assert "images/train/c.jpg" not in reading.covered
    info = read("coco", {PATH: json.dumps({"images": [IMAGE], "categories": []})}, images)
    assert not info.covered
    assert checks(info, "warning") == ["no_annotations"]


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"category_id": 4}, "unknown_category"),
        ({"category_id": None}, "wrong_type"),
        ({"image_id": 99}, "unknown_image"),
        ({"image_id": [7]}, "wrong_type"),
        ({"image_id": True}, "wrong_type"),
        ({"bbox": [1, 2, 3]}, "missing_box"),
        ({"bbox": {}}, "missing_box"),
        ({"bbox": None}, "missing_box"),
        ({"bbox": [1, 2, -3, 4]}, "negative_size"),
        ({"bbox": [1, 2, "3", 4]}, "wrong_type"),
        ({"bbox": [1, 2, "3,5", 4]}, "decimal_comma"),
        ({"bbox": [1, 2, None, 4]}, "not_a_number"),
        ({"bbox": [1, 2, float("nan"), 4]}, "not_finite"),
        ({"bbox": [1, 2, float("inf"), 4]}, "not_finite"),
        ({"bbox": [10**400, 2, 3, 4]}, "not_a_number"),
        ({"iscrowd": "no"}, "wrong_type"),
        ({"segmentation": "x"}, "wrong_type"),
        ({"segmentation": [[1, 2, 3]]}, "broken_polygon"),
        ({"segmentation": [7, "x"]}, "not_a_number"),
        ({"segmentation": [[1, 2, 3, "4", 5, 6]]}, "wrong_type"),
        ({"segmentation": [[1, 2, 3, float("nan"), 5, 6]]}, "not_finite"),
        ({"segmentation": {"size": [10, 20]}}, "broken_mask"),
        ({"segmentation": {"counts": [200]}}, "broken_mask"),
        ({"segmentation": {"size": [10, 20], "counts": [199]}}, "broken_mask"),
        ({"segmentation": {"size": [10, 20], "counts": [-1, 201]}}, "broken_mask"),
        ({"segmentation": {"size": [10, 20], "counts": [1.5, 198.5]}}, "broken_mask"),
        ({"segmentation": {"size": [10, 20], "counts": "oooo"}}, "broken_mask"),
        ({"segmentation": {"size": [10, 20], "counts": "é~"}}, "broken_mask"),
        ({"segmentation": {"size": [10, 20], "counts": ""}}, "broken_mask"),
        ({"segmentation": {"size": [20, 10], "counts": [200]}}, "size_mismatch"),
    ],
)
def test_an_annotation_that_is_no_label_is_told_and_does_not_pass_for_a_negative(
    change: dict[str, Any], check: str
) -> None:
    reading = read("coco", {PATH: coco(BOX | change)}, A)
    assert (only(reading).check, only(reading).row, only(reading).labels) == (check, 0, 1)
    assert not reading.labels
    assert reading.covered == ({"images/train/a.jpg"} if "image_id" in change else set())
    mixed = read("coco", {PATH: coco(BOX | change, BOX | {"id": 2})}, A)
    assert [label.label_row for label in mixed.labels] == [1]
    assert mixed.covered == {"images/train/a.jpg"}


@pytest.mark.parametrize("entry", [None, 5, "x", []])
def test_entries_of_the_wrong_type_are_told(entry: object) -> None:
    data = coco(BOX, entry, images=(IMAGE, entry), categories=({"id": 3, "name": "a"}, entry))
    reading = read("coco", {PATH: data}, A)
    assert checks(reading) == ["wrong_type"] * 3
    assert len(reading.labels) == 1


@pytest.mark.parametrize(
    ("data", "check"),
    [
        ("", "broken_file"),
        ('{"images": [', "broken_file"),
        ("[" * 100_000, "broken_file"),
        (b"\x00\x01\x02", "broken_file"),
        ('{"images": [], "x": "\\ud800"}', "broken_file"),
        ("[]", "not_coco"),
        ('{"shapes": []}', "not_coco"),
        ('{"images": {}}', "not_coco"),
        ('{"images": [], "annotations": {"1": 7}}', "wrong_type"),
    ],
)
def test_a_file_that_is_no_coco_is_one_problem(data: str | bytes, check: str) -> None:
    reading = read("coco", {PATH: data, "annotations/z.json": coco(BOX)}, A)
    assert (only(reading).check, only(reading).path, only(reading).row) == (check, PATH, None)
    assert len(reading.labels) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gbk"])
def test_encodings(encoding: str) -> None:
    data = coco(BOX).encode().decode("unicode_escape").encode(encoding)
    assert read("coco", {PATH: data}, A).labels[0].raw_label == "孔"


def test_a_missing_image_is_told_once_with_what_it_held() -> None:
    lost = {"id": 8, "file_name": "../../etc/passwd", "width": 20, "height": 10}
    reading = read(
        "coco", {PATH: coco(*[BOX | {"image_id": 8, "id": i} for i in range(3)], images=(lost,))}, A
    )
    problem = only(reading)
    assert (problem.check, problem.row, problem.labels) == ("image_not_found", 0, 3)


def test_two_images_of_one_id_cannot_be_told_apart() -> None:
    images = A + refs("images/train/b.jpg", width=20, height=10)
    reading = read("coco", {PATH: coco(BOX, images=(IMAGE, IMAGE | {"file_name": "b.jpg"}))}, images)
    assert checks(reading) == ["duplicate_image_id", "duplicate_image_id"]
    assert sum(problem.labels for problem in reading.problems) == 1
    assert not reading.labels
    assert not reading.covered


def test_what_is_double_but_harmless_is_taken_and_told() -> None:
    again = (IMAGE, IMAGE, IMAGE | {"id": 8})
    reading = read("coco", {PATH: coco(BOX, BOX | {"image_id": 8}, images=again)}, A)
    assert len(reading.labels) == 2
    warnings = checks(reading, "warning")
    assert sorted(warnings) == ["duplicate_annotation_id", "image_listed_twice", "image_listed_twice"]
    categories = ({"id": 3, "name": "a"}, {"id": 3, "name": "b"}, {"id": 4})
    reading = read("coco", {PATH: coco(BOX, categories=categories)}, A)
    assert reading.labels[0].raw_label == "a"
    assert checks(reading, "warning") == ["duplicate_category_id", "missing_name"]


def test_a_size_that_is_not_the_images_is_told() -> None:
    reading = read("coco", {PATH: coco(BOX, images=(IMAGE | {"width": 40},))}, A)
    assert (len(reading.labels), checks(reading, "warning")) == (1, ["size_mismatch"])
    bare = {"id": 7, "file_name": "a.jpg"}
    assert checks(read("coco", {PATH: coco(BOX, images=(bare,))}, A), "warning") == ["missing_size"]


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_labels_of_the_stored_image_are_turned_upright(orientation: int) -> None:
    rings = [[3.0, 2.0, 9.0, 2.0, 9.0, 5.0, 3.0, 5.0]]
    mask = {"size": [10, 20], "counts": counts_of_mask(MASK)}
    same = {"bbox": [3, 2, 6, 3]}
    entries = (
        BOX | same | {"keypoints": [3, 2, 2, 0, 0, 0]},
        BOX | same | {"id": 2, "segmentation": rings},
        BOX | same | {"id": 3, "segmentation": mask},
    )
    turned = refs("images/train/a.jpg", width=10, height=20, orientation=orientation)
    one, two, three = read("coco", {PATH: coco(*entries)}, turned).labels
    assert box(one) == box(two) == box(three)
    x, y, width, height = box(one)
    assert (width, height) == (3, 6)
    assert three.rle is not None
    drawn = mask_of_counts(three.rle, 10, 20)
    assert drawn[int(y) : int(y + height), int(x) : int(x + width)].all()
    assert drawn.sum() == MASK.sum()
    points = one.attributes["keypoints"]
    assert isinstance(points, list)
    assert points[0] in (x, x + width)
    assert points[3:] == [0, 0, 0]


def test_a_box_that_fits_only_the_upright_image_decides_for_the_file() -> None:
    turned = refs("images/train/a.jpg", "images/train/b.jpg", width=100, height=200, orientation=6)
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 200, "height": 100} for n in "ab"]
    first = BOX | {"image_id": "a", "bbox": [20, 150, 30, 20]}
    second = BOX | {"id": 2, "image_id": "b", "bbox": [20, 30, 40, 20]}
    reading = read("coco", {PATH: coco(first, second, images=images)}, turned)
    assert [box(label) for label in reading.labels] == [(20, 150, 30, 20), (20, 30, 40, 20)]
    assert checks(reading, "warning") == ["exif_turn"] * 2
    third = BOX | {"id": 3, "image_id": "a", "bbox": [150, 20, 30, 20]}
    for entries in ([second], [second, third], [first, second, third]):
        reading = read("coco", {PATH: coco(*entries, images=images)}, turned)
        assert box(reading.labels[-2 if first in entries else 0]) == (50, 20, 20, 40)
        assert checks(reading, "warning") == ["exif_turn"] * 2


def test_roles_and_the_choice_of_files() -> None:
    role = load_reader("coco").role
    paths = [
        "annotations/a.json",
        "images/a.jpg",
        "annotations/panoptic_val/a.png",
        "annotations/b.png",
        "a.yaml",
    ]
    assert [role(path, Options()) for path in paths] == ["annotation", "image", "other", "other", "other"]
    chosen = Options(extra={"files": "annotations/instances_*.json; x.json"})
    paths = ["annotations/instances_val.json", "annotations/captions_val.json", "x.json"]
    assert [role(path, chosen) for path in paths] == ["annotation", "other", "annotation"]


def test_sniffing_leaves_other_files_on_the_same_images_aside() -> None:
    files: dict[str, bytes | str] = {
        "images/train/a.jpg": b"",
        "images/train/b.jpg": b"",
        PATH: coco(BOX),
        "annotations/captions_train.json": coco({"id": 1, "image_id": 7, "caption": "a plate"}),
        "package.json": "{}",
    }
    best = sniff_all(listing(files))[0]
    assert (best.format, best.weight, best.classes, best.extra) == ("coco", 1, ["孔"], {"files": PATH})
    assert best.facts[-1] == f"of 3 JSON files these are read: {PATH}"
    assert "1 image without labels: unlabelled" in best.facts


# --- writing


def tables(reading: Reading, images: list[ImageRef]) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, str]]:
    rows = [(image.image_id, image.path, "s", image.width, image.height) for image in images]
    frame = pl.DataFrame(rows, schema=["image_id", "path", "source", "width", "height"], orient="row")
    names = {image.image_id: image.path.rpartition("/")[2] for image in images}
    return frame, labels_to_frame(reading, "s").with_columns(label="raw_label"), names


def as_coco(data: bytes) -> COCO:
    with redirect_stdout(io.StringIO()):
        api = COCO()
        api.dataset = json.loads(data)
        api.createIndex()
    return api


def test_pycocotools_reads_what_is_written() -> None:
    entries = (
        BOX,
        BOX | {"id": 2, "segmentation": [RING, [12.0, 2, 14, 2, 14, 4, 12, 4]]},
        BOX | {"id": 3, "segmentation": {"size": [10, 20], "counts": counts_of_mask(MASK)}},
        BOX | {"id": 4, "segmentation": {"size": [10, 20], "counts": [0, 50, 150]}, "iscrowd": 1},
    )
    images = A + refs("images/train/Z.jpg", width=5, height=5)
    listed = (IMAGE, {"id": 8, "file_name": "Z.jpg", "width": 5, "height": 5})
    frame, labels, names = tables(read("coco", {PATH: coco(*entries, images=listed)}, images), images)
    api = as_coco(write_coco(frame, labels, ["other", "孔"], file_names=names))
    assert [(each["id"], each["file_name"]) for each in api.dataset["images"]] == [(1, "Z.jpg"), (2, "a.jpg")]
    assert api.dataset["categories"][1] == {"id": 2, "name": "孔", "supercategory": ""}
    found = api.dataset["annotations"]
    assert [each["id"] for each in found] == [1, 2, 3, 4]
    assert [each["area"] for each in found] == [12, 20 + 4, 18, 50]
    assert [each["iscrowd"] for each in found] == [0, 0, 0, 1]
    assert {(each["image_id"], each["category_id"]) for each in found} == {(2, 2)}
    assert (api.annToMask(found[2]) == MASK).all()
    assert api.annToMask(found[3]).sum() == 50
    assert api.annToMask(found[1]).sum() > 0
    assert found[0]["segmentation"] == []
    assert found[0]["annotation_id"] == labels["annotation_id"][0]


def test_labels_of_the_whole_image_stand_with_it() -> None:
    reading = read("folders", {}, refs("good/a.jpg", "bad/b.jpg"))
    frame, labels, names = tables(reading, refs("good/a.jpg", "bad/b.jpg"))
    written = json.loads(write_coco(frame, labels, ["bad", "good"], file_names=names, description="d"))
    assert [image["category_ids"] for image in written["images"]] == [[2], [1]]
    assert (written["annotations"], written["info"]) == ([], {"description": "d"})


def test_what_does_not_belong_is_refused_and_nothing_is_fine() -> None:
    frame, labels, names = tables(read("coco", {PATH: coco(BOX)}, A), A)
    with pytest.raises(ValueError, match="not written"):
        write_coco(frame, labels, ["other"], file_names=names)
    with pytest.raises(ValueError, match="not written"):
        write_coco(frame.clear(), labels, ["孔"], file_names=names)
    empty = json.loads(write_coco(frame.clear(), labels.clear(), [], file_names={}))
    assert (empty["images"], empty["annotations"], empty["categories"]) == ([], [], [])


NUMBERS = st.floats(-1e6, 1e6, allow_nan=False) | st.integers(-1000, 1000).map(float)
SIZES = st.floats(0, 1e6, allow_nan=False)
RINGS = st.lists(
    st.lists(NUMBERS, min_size=6, max_size=12).filter(lambda r: len(r) % 2 == 0), min_size=1, max_size=3
)
MASKS = st.binary(min_size=200, max_size=200).map(
    lambda data: counts_of_mask((np.frombuffer(data, np.uint8).reshape(10, 20) > 127).astype(np.uint8))
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
ATTRIBUTES = st.dictionaries(
    TEXT.filter(lambda key: key not in ("attributes", "score", "author")),
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT | st.lists(st.integers(0, 9), max_size=3),
    max_size=3,
) | st.just({"keypoints": [1, 2, 2], "num_keypoints": 1, "z": "ü"})
CLASS = TEXT.filter(str.strip)
STEM = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0"), min_size=1, max_size=8).filter(
    lambda name: not name.startswith(".") and "." not in name
)


@st.composite
def drawn_entries(draw: st.DrawFn) -> dict[str, Any]:
    entry = BOX | {"bbox": [draw(NUMBERS), draw(NUMBERS), draw(SIZES), draw(SIZES)]}
    kind = draw(st.sampled_from(["box", "polygon", "mask"]))
    if kind == "polygon":
        entry["segmentation"] = draw(RINGS)
    if kind == "mask":
        entry["segmentation"] = {"size": [10, 20], "counts": draw(MASKS)}
    entry["iscrowd"] = draw(st.integers(0, 1))
    entry["image_id"], entry["category_id"] = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    if draw(st.booleans()):
        entry["attributes"] = draw(ATTRIBUTES)
    if draw(st.booleans()):
        entry |= {"score": draw(st.floats(0, 1)), "author": draw(TEXT)}
    return entry


@given(
    entries=st.lists(drawn_entries(), max_size=5),
    classes=st.lists(CLASS, min_size=3, max_size=3, unique=True),
    stem=STEM,
)
def test_coco_to_tables_to_coco_loses_nothing(
    entries: list[dict[str, Any]], classes: list[str], stem: str
) -> None:
    images = refs(*(f"images/train/{stem}{number}.jpg" for number in range(4)), width=20, height=10)
    listed = [
        {"id": number, "file_name": f"{stem}{number}.jpg", "width": 20, "height": 10} for number in range(4)
    ]
    categories = [{"id": number, "name": name} for number, name in enumerate(classes)]
    numbered = [entry | {"id": number} for number, entry in enumerate(entries)]
    first = read("coco", {PATH: coco(*numbered, images=listed, categories=categories)}, images)
    assert not first.problems
    data = write_coco(*tables(first, images)[:2], classes, file_names=tables(first, images)[2])
    again = read("coco", {PATH: data}, images)
    assert not again.problems
    order = sorted(first.labels, key=lambda label: label.image.path)
    assert [label._replace(label_row=0) for label in again.labels] == [
        label._replace(label_row=0) for label in order
    ]
    assert again.covered == first.covered == {image.path for image in images}
    as_coco(data)


def test_areas_of_masks_are_pycocotools_own() -> None:
    rle = {"size": [10, 20], "counts": counts_of_mask(MASK)}
    frame, labels, names = tables(read("coco", {PATH: coco(BOX | {"segmentation": rle})}, A), A)
    written = json.loads(write_coco(frame, labels, ["孔"], file_names=names))
    assert written["annotations"][0]["area"] == int(pycocotools.mask.area(rle))


# --- real sets


@pytest.mark.shared
@pytest.mark.parametrize(
    "layout", ["coco/instances", "coco/roboflow_layout", "coco/person_keypoints", "coco/panoptic"]
)
def test_coco_samples(shared_data: Path, layout: str) -> None:
    root = shared_data / "annotation_samples" / layout
    best = sniff_all(folder_listing(root))[0]
    assert best.format == "coco"
    reading, images = read_folder(root, "coco", best.extra)
    if layout == "coco/panoptic":
        assert checks(reading) == ["size_mismatch"]  # the sample's PNG for a.jpg has another size
        assert [(label.raw_label, label.shape) for label in reading.labels] == [("a", "mask"), ("b", "mask")]
        return
    assert not reading.problems
    assert [label.shape for label in reading.labels] == ["box", "polygon", "mask"]
    assert reading.covered == {image.path for image in images}
    assert reading.labels[1].attributes.items() >= {"x": 1, "y": "hello"}.items()
    assert reading.labels[2].is_crowd
    assert ("keypoints" in reading.labels[0].attributes) == (layout == "coco/person_keypoints")


@pytest.mark.shared
def test_a_file_for_images_that_are_elsewhere(shared_data: Path) -> None:
    root = shared_data / "annotation_samples" / "coco"
    reading, _ = read_folder(root, "coco", {"files": "label_studio_coco_import_input.json"})
    assert checks(reading) == ["image_not_found", "image_not_found"]
    assert sum(problem.labels for problem in reading.problems) == 2


@pytest.mark.shared
def test_coal_belt_as_coco(shared_data: Path) -> None:
    reading, images = read_folder(shared_data / "coal_belt_foreign", "coco")
    assert (len(reading.labels), len(reading.covered), len(images)) == (430, 416, 538)
    assert not reading.problems
    yolo, _ = read_folder(shared_data / "coal_belt_foreign", "yolo")
    by_hand = {label.image.path for label in yolo.labels if label.image.path.startswith("val")}
    assert {label.image.path for label in reading.labels} == by_hand


def test_a_category_that_only_groups_the_others_is_not_a_class() -> None:
    """As Roboflow writes it: number 0, the supercategory of all others, without an annotation."""
    categories = [
        {"id": 0, "name": "defects", "supercategory": "none"},
        {"id": 3, "name": "pit", "supercategory": "defects"},
        {"id": 4, "name": "scale", "supercategory": "defects"},
    ]
    files: dict[str, bytes | str] = {PATH: coco(BOX, categories=categories), "images/train/a.jpg": b""}
    best = sniff_all(listing(files))[0]
    assert best.classes == ["pit", "scale"]
    assert "'defects' only groups the others" in best.facts[0]
    drawn = coco(BOX, BOX | {"id": 2, "category_id": 0}, categories=categories)
    assert sniff_all(listing(files | {PATH: drawn}))[0].classes == ["defects", "pit", "scale"]
