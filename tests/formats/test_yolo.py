from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
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

from tundish.formats.base import ImageRef, Options
from tundish.formats.frames import labels_to_frame
from tundish.formats.registry import load_reader
from tundish.formats.yolo.write import write_yolo

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.formats.base import Reading

NAMES = {"data.yaml": "names: [crack, 划伤]\n"}
A = refs("images/a.jpg")
PATH = "labels/a.txt"
ROW = "1 0.5 0.5 0.25 0.5"


def test_boxes_are_shares_of_the_image_by_their_centre() -> None:
    (label,) = read("yolo", NAMES | {PATH: ROW}, A).labels
    assert box(label) == (75, 25, 50, 50)
    assert (label.raw_label, label.shape, label.label_path, label.label_row) == ("划伤", "box", PATH, 0)


def test_polygons_and_boxes_may_stand_in_one_file() -> None:
    reading = read("yolo", NAMES | {PATH: f"0 0 0 0.5 0 0.5 1\r\n\r\n{ROW}\r\n"}, A)
    assert [(label.shape, label.label_row) for label in reading.labels] == [("polygon", 0), ("box", 2)]
    assert reading.labels[0].segmentation == [[0, 0, 100, 0, 100, 100]]
    assert box(reading.labels[0]) == (0, 0, 100, 100)
    assert not reading.problems


def test_no_file_is_unlabelled_and_an_empty_file_is_negative() -> None:
    images = A + refs("images/b.jpg", "images/c.jpg", "images/d.jpg")
    reading = read(
        "yolo", NAMES | {PATH: ROW, "labels/b.txt": b"", "labels/c.txt": b"\xef\xbb\xbf\r\n \r\n"}, images
    )
    assert negatives(reading) == {"images/b.jpg", "images/c.jpg"}
    assert {image.path for image in images} - reading.covered == {"images/d.jpg"}


@pytest.mark.parametrize(
    ("row", "check"),
    [
        ("2 0.5 0.5 0.2 0.2", "unknown_class"),
        ("-1 0.5 0.5 0.2 0.2", "not_a_class"),
        ("0.5 0.5 0.5 0.2 0.2", "not_a_class"),
        ("crack 0.5 0.5 0.2 0.2", "not_a_class"),
        ("0 0.5 0.5 0.2", "number_count"),
        ("0", "number_count"),
        ("0 0.5 0.5 0.2 0.2 7", "number_count"),
        ("0 0 0 1 0 1 1 0", "number_count"),
        ("0 nan 0.5 0.2 0.2", "not_finite"),
        ("0 0.5 inf 0.2 0.2", "not_finite"),
        ("0 0,5 0,5 0,2 0,2", "decimal_comma"),
        ("0,0.5,0.5,0.2,0.2", "not_a_class"),
        ("0 0.5 0.5 -0.2 0.2", "negative_size"),
        ("0 0.5 0.5 0.2 wide", "not_a_number"),
        ("\x00\x01 \ufffd", "not_a_number"),
    ],
)
def test_a_row_that_is_no_label_is_told_and_does_not_pass_for_a_negative(row: str, check: str) -> None:
    reading = read("yolo", NAMES | {PATH: row}, A)
    assert (only(reading).check, only(reading).row, only(reading).labels) == (check, 0, 1)
    assert not reading.labels
    assert not reading.covered
    mixed = read("yolo", NAMES | {PATH: f"{row}\n{ROW}"}, A)
    assert [label.label_row for label in mixed.labels] == [1]
    assert mixed.covered == {"images/a.jpg"}


def test_a_sixth_number_from_0_to_1_is_a_confidence_and_told() -> None:
    reading = read("yolo", NAMES | {PATH: f"{ROW} 0.75"}, A)
    assert (reading.labels[0].score, box(reading.labels[0])) == (0.75, (75, 25, 50, 50))
    assert (only(reading).check, only(reading).severity) == ("confidence", "warning")


def test_key_points_where_the_data_says_so() -> None:
    names = {"data.yaml": "names: {0: rod}\nkpt_shape: [2, 2]\n"}
    (label,) = read("yolo", names | {PATH: "0 0.5 0.5 0.25 0.5 0.5 0.5 1 1"}, A).labels
    assert (label.shape, label.attributes) == ("box", {"keypoints": [100, 50, 2, 200, 100, 2]})


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"data.yaml": "nc: 2\nnames: ['crack', '划伤']"}, "划伤"),
        ({"data.yaml": "names: {0: crack, 1: 划伤}"}, "划伤"),
        ({"obj.names": "crack\r\n划伤\r\n\r\n"}, "划伤"),
        ({"labels/classes.txt": "crack\n划伤\n"}, "划伤"),
        ({"labels/classes.txt": "crack\n划伤".encode("gbk")}, "划伤"),
        ({"labels/classes.txt": "crack\n划伤".encode("utf-8-sig")}, "划伤"),
        ({"labels/classes.txt": "crack\n划伤".encode("utf-16")}, "划伤"),
        ({"labels/classes.txt": "", "foreign.yaml": "train: D:\\x\nnames: [a, b]"}, "b"),
        ({"labels/classes.txt": "near\nnearer", "data.yaml": "names: [far, farther]"}, "nearer"),
        ({"lists/obj.names": "a\nb\n", "obj.data": "classes = 2\nnames = lists/obj.names"}, "b"),
        ({"data.yaml": "names: [crack, 划伤]", "hyp.yaml": "lr0: 0.01"}, "划伤"),
        ({}, "1"),
    ],
)
def test_where_class_names_come_from(files: dict[str, str | bytes], expected: str) -> None:
    reading = read("yolo", files | {PATH: ROW}, A)
    assert [label.raw_label for label in reading.labels] == [expected]


def test_the_recipe_names_classes_before_any_file() -> None:
    assert read("yolo", NAMES | {PATH: ROW}, A, names=("x", "y")).labels[0].raw_label == "y"


@pytest.mark.parametrize(
    ("files", "check"),
    [
        ({"data.yaml": "names: [a, b\n"}, "broken_file"),
        ({"data.yaml": "names: 5"}, "wrong_type"),
        ({"data.yaml": "names: {one: a}"}, "wrong_type"),
        ({"data.yaml": "nc: 3\nnames: [a, b]"}, "class_count"),
        ({"classes.txt": " \n"}, "empty_classes"),
        ({"one/classes.txt": "a\nb", "two/classes.txt": "b\na"}, "no_classes"),
        ({"labels/classes.txt": "a\nb", "classes.txt": "b\na"}, "classes_disagree"),
        ({"classes.txt": "划\n伤".encode("gbk")}, "not_utf8"),
        ({}, "no_classes"),
    ],
)
def test_faults_of_class_lists_are_told_once(files: dict[str, str | bytes], check: str) -> None:
    many = {f"labels/{name}.txt": ROW for name in "abc"}
    reading = read("yolo", files | many, refs(*(f"images/{name}.jpg" for name in "abc")))
    assert len(reading.labels) == 3
    assert checks(reading, "warning").count(check) + checks(reading).count(check) == 1


def test_datasets_side_by_side_keep_their_own_classes() -> None:
    files = {"one/classes.txt": "a", "one/labels/x.txt": "0 .5 .5 .1 .1", "two/classes.txt": "b"}
    files |= {"two/labels/x.txt": "0 .5 .5 .1 .1"}
    reading = read("yolo", files, refs("one/images/x.jpg", "two/images/x.jpg"))
    assert [(label.image.path, label.raw_label) for label in reading.labels] == [
        ("one/images/x.jpg", "a"),
        ("two/images/x.jpg", "b"),
    ]
    assert not reading.problems


def test_a_label_file_without_an_image_is_told_with_what_it_held() -> None:
    reading = read("yolo", NAMES | {"labels/zz.txt": f"{ROW}\n{ROW}\n"}, A)
    assert (only(reading).check, only(reading).labels) == ("image_not_found", 2)


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("labels/a.txt", "annotation"),
        ("data/a.txt", "annotation"),
        ("labels/train.txt", "annotation"),
        ("train.txt", "annotation"),
        ("ImageSets/Main/trainval.txt", "annotation"),
        ("val2017.txt", "annotation"),
        ("README.txt", "annotation"),
        ("README.roboflow.txt", "annotation"),
        ("labels/classes.txt", "classes"),
        ("obj.names", "classes"),
        ("obj.data", "classes"),
        ("coal/foreign-data.yaml", "classes"),
        ("images/a.JPEG", "image"),
        ("notes.json", "other"),
        ("labels/train.cache", "other"),
    ],
)
def test_roles_go_by_path(path: str, role: str) -> None:
    assert load_reader("yolo").role(path, Options()) == role


def test_sniffing_tells_what_it_saw() -> None:
    files: dict[str, bytes | str] = {
        "train/images/a.jpg": b"",
        "train/images/b.jpg": b"",
        "val/images/c.jpg": b"",
        "train/labels/a.txt": f"{ROW}\n0 0 0 1 0 1 1\nno label\n",
        "train/labels/b.txt": "",
        "data.yaml": "names: [crack, 划伤]",
        "README.txt": "five words of plain English",
    }
    best = sniff_all(listing(files))[0]
    assert (best.format, best.weight, best.classes) == ("yolo", 2, ["crack", "划伤"])
    assert best.facts == [
        "2 of 2 text files have the name of an image that is here",
        "1 box and 1 polygon in them",
        "1 empty label file: negatives",
        "1 row that no YOLO format has",
        "1 image without labels: unlabelled",
        "data.yaml names 2 classes",
    ]
    captions: dict[str, bytes | str] = {"a.jpg": b"", "a.txt": "a photograph of a strip"}
    assert [found.format for found in sniff_all(listing(captions))] == ["images"]


# --- writing

SHARES = st.integers(0, 10**12).map(lambda number: f"{number / 10**12:.12f}".rstrip("0").rstrip("."))
BOXES = st.tuples(SHARES, SHARES, SHARES, SHARES)
POLYGONS = st.lists(st.tuples(SHARES, SHARES), min_size=3, max_size=8).map(lambda p: sum(p, ()))
ROWS = st.lists(st.tuples(st.integers(0, 2), BOXES | POLYGONS), max_size=4)
NAME = st.text(
    st.characters(codec="utf-8", exclude_characters="/\\\0\n\r\x85\u2028\u2029"), min_size=1, max_size=9
)
CLASS = NAME.map(str.strip).filter(bool)


def frames(images: list[ImageRef], *readings: object) -> tuple[pl.DataFrame, dict[str, str]]:
    rows = [(image.image_id, image.width, image.height, image.path) for image in images]
    frame = pl.DataFrame(rows, schema=["image_id", "width", "height", "path"], orient="row")
    return frame, {image.image_id: image.path.removeprefix("images/") for image in images}


@given(
    contents=st.lists(ROWS, min_size=1, max_size=3),
    classes=st.lists(CLASS, min_size=3, max_size=3, unique=True),
    size=st.tuples(st.integers(1, 9000), st.integers(1, 9000)),
    stem=NAME.filter(lambda name: not name.startswith(".") and name.strip() == name and "." not in name),
)
def test_yolo_to_tables_to_yolo_is_the_same_text(
    contents: list[list[tuple[int, tuple[str, ...]]]], classes: list[str], size: tuple[int, int], stem: str
) -> None:
    stems = [f"{stem}{number}" for number in range(len(contents))]
    images = refs(*(f"images/train/{each}.jpg" for each in stems), width=size[0], height=size[1])
    files = {
        f"labels/train/{each}.txt": "".join(f"{number} {' '.join(shares)}\n" for number, shares in rows)
        for each, rows in zip(stems, contents, strict=True)
    }
    reading = read("yolo", files, images, names=tuple(classes), rows="polygon")
    assert reading.covered == {image.path for image in images}
    labels = labels_to_frame(reading, "s").with_columns(label="raw_label")
    frame, names = frames(images)
    written, left_out = write_yolo(frame, labels, classes, file_names=names, task="segment")
    assert {path: data.decode() for path, data in written.items() if path != "data.yaml"} == files
    assert not left_out
    again = read("yolo", written, images)
    assert [label.raw_label for label in again.labels] == [label.raw_label for label in reading.labels]


def test_what_yolo_cannot_say_is_handed_back() -> None:
    rows = {
        "annotation_id": ["box", "rings", "mask", "crowd", "class"],
        "image_id": ["i"] * 5,
        "label": ["b"] * 5,
        "shape": ["box", "polygon", "mask", "box", "class"],
        "is_crowd": [False, False, False, True, False],
        "segmentation": [None, [[0.0, 0, 10, 0, 10, 10], [50.0, 50, 60, 50, 60, 60]], None, None, None],
        "x": [0.0] * 5, "y": [0.0] * 5, "width": [100.0] * 5, "height": [50.0] * 5,
    }  # fmt: skip
    images = pl.DataFrame({"image_id": ["i", "empty"], "width": [100, 100], "height": [100, 100]})
    names = {"i": "train/a.jpg", "empty": "val/b.jpg"}
    labels = pl.DataFrame(rows)
    files, left_out = write_yolo(images, labels, ["a", "b"], file_names=names, task="segment")
    assert left_out == ["mask", "crowd", "class"]
    assert files["labels/val/b.txt"] == b""
    assert files["labels/train/a.txt"].decode().splitlines() == [
        "1 0.5 0.25 1 0.5",
        "1 0 0 0.1 0 0.1 0.1 0 0 0.5 0.5 0.6 0.5 0.6 0.6 0.5 0.5",
    ]
    assert files["data.yaml"].decode() == ("train: images/train\nval: images/val\nnames:\n  0: a\n  1: b\n")
    files, left_out = write_yolo(images, labels, ["a", "b"], file_names=names)
    assert (left_out, len(files["labels/train/a.txt"].splitlines())) == (["crowd", "class"], 3)
    with pytest.raises(ValueError, match="not written"):
        write_yolo(images, labels, ["a"], file_names=names)
    with pytest.raises(ValueError, match=r"share the label file labels/a.txt"):
        write_yolo(images, labels.clear(), [], file_names={"i": "a.jpg", "empty": "a.png"})


# --- real sets


@pytest.mark.shared
def test_coal_belt(shared_data: Path) -> None:
    root = shared_data / "coal_belt_foreign"
    best = sniff_all(folder_listing(root))[0]
    assert (best.format, best.weight, best.classes) == ("yolo", 516, ["maogan", "bang"])
    assert "22 images without labels: unlabelled" in best.facts
    reading, images = read_folder(root, "yolo")
    assert len(images) == 538
    assert Counter(label.raw_label for label in reading.labels) == {"maogan": 426, "bang": 125}
    assert len(images) - len(reading.covered) == 22
    # Seven .txt files of train are empty: six label files, and classes.txt, which is none.
    assert len(negatives(reading)) == 6
    assert (only(reading).path, only(reading).check) == ("train/labels/classes.txt", "empty_classes")
    outside = [label for label in reading.labels if min(label.x, label.y) < 0 or label.x + label.width > 416]
    assert 0 < len(outside) <= 37


@pytest.mark.shared
def test_kolektor(shared_data: Path) -> None:
    root = shared_data / "kolektorsdd_sample"
    best = sniff_all(folder_listing(root))[0]
    assert (best.format, best.classes) == ("yolo", ["defect"])
    reading, _ = read_folder(root, "yolo")
    assert [label.shape for label in reading.labels] == ["polygon"] * 53
    assert len({label.label_path for label in reading.labels}) == 52
    assert len(negatives(reading)) == 36
    assert not reading.problems


@pytest.mark.shared
@pytest.mark.parametrize("layout", ["darknet_strict", "ultralytics_layout", "separate_annotations", ""])
def test_yolo_samples(shared_data: Path, layout: str) -> None:
    reading, images = read_folder(shared_data / "annotation_samples/yolo" / layout, "yolo")
    assert not reading.problems
    assert len(reading.labels) == 2 * len(images)
    assert {label.raw_label for label in reading.labels} == {"label_2", "label_4"}


@pytest.mark.parametrize("rows", ["0 0.5 0.5 0.2 0.2\n1 0.1 0.1 0.1 0.1\n", ""])
@pytest.mark.parametrize("name", ["classes", "labels", "names"])
def test_a_label_file_may_have_the_usual_name_of_a_list_of_classes(name: str, rows: str) -> None:
    images = refs("images/a.jpg", f"images/{name}.jpg")
    files: dict[str, bytes | str] = {"obj.names": "pit\ndent\n", PATH: ROW, f"labels/{name}.txt": rows}
    evidence = sniff_all(listing(files | {image.path: b"" for image in images}))[0]
    assert (evidence.weight, evidence.classes) == (2, ["pit", "dent"])
    reading = read("yolo", files, images)
    assert [label.raw_label for label in reading.labels] == ["dent", "pit", "dent"][: 1 + rows.count("\n")]
    assert reading.covered == {image.path for image in images}
    assert not reading.problems


def test_a_list_of_classes_is_one_though_a_picture_has_its_name() -> None:
    files = {"labels/classes.txt": "near\nnearer\n", PATH: ROW}
    reading = read("yolo", files, refs("images/a.jpg", "images/classes.jpg"))
    assert [label.raw_label for label in reading.labels] == ["nearer"]


def test_a_tilde_in_quotes_is_a_name_and_a_bare_one_is_none() -> None:
    for data, name in (("names: ['~', pit]", "~"), ("names: [~, pit]", "0")):
        (label,) = read("yolo", {"data.yaml": data, PATH: "0 0.5 0.5 0.2 0.2\n"}, A).labels
        assert label.raw_label == name


def test_class_names_stay_as_they_are_written() -> None:
    """YAML 1.1 reads 02146 as octal, 12:30 in base 60, and yes and no as truths."""
    data = "nc: 6\nnames:\n  0: 02146\n  1: no\n  2: 12:30\n  3: 1e3\n  4: 2024-13-45\n  5: 'On'\n"
    labels = "".join(f"{number} 0.5 0.5 0.2 0.2\n" for number in range(6))
    reading = read("yolo", {"data.yaml": data, "labels/a.txt": labels}, refs("images/a.jpg"))
    assert [one.raw_label for one in reading.labels] == ["02146", "no", "12:30", "1e3", "2024-13-45", "On"]
    assert not reading.problems
    listed = "names: [0x1F, 1_000, .5, null]\n"
    reading = read("yolo", {"data.yaml": listed, "labels/a.txt": labels}, refs("images/a.jpg"))
    assert [one.raw_label for one in reading.labels] == ["0x1F", "1_000", ".5", "null"]


LISTED = ["train_0001", "val2017", "coil7_test_3", "notes-01", "README", "00041000_test"]


@pytest.mark.parametrize("stem", LISTED)
def test_a_text_file_with_the_stem_of_an_image_is_its_label_file(stem: str) -> None:
    files: dict[str, bytes | str] = {f"shots/{stem}.txt": "1 0.5 0.5 0.2 0.2\n", "obj.names": "a\nb\n"}
    reading = read("yolo", files, refs(f"shots/{stem}.bmp"))
    assert [one.raw_label for one in reading.labels] == ["b"]
    assert not reading.problems
    best = sniff_all(listing({**files, f"shots/{stem}.bmp": b""}))[0]
    assert (best.format, best.weight) == ("yolo", 1)


@pytest.mark.parametrize("name", ["training_data.txt", "train.txt", "README.txt", "shots/val.txt"])
def test_lists_and_readmes_are_known_by_what_they_hold(name: str) -> None:
    files: dict[str, bytes | str] = {"shots/a.txt": "0 0.5 0.5 0.2 0.2\n", name: "data/shots/a.bmp\nb.bmp\n"}
    reading = read("yolo", files, refs("shots/a.bmp", "shots/val.bmp"))
    assert len(reading.labels) == 1
    assert not checks(reading)
    assert reading.covered == {"shots/a.bmp"}


def tracks(*rows: str) -> Reading:
    return read(
        "yolo",
        {f"labels/{i}.txt": f"{row}\n" for i, row in enumerate(rows)},
        refs(*(f"images/{i}.jpg" for i in range(len(rows)))),
    )


def test_what_a_tracker_writes_is_settled_over_all_files() -> None:
    reading = tracks("0 .5 .5 .2 .3 1", "0 .5 .5 .2 .3 2", "0 .5 .5 .2 .3")
    assert [one.attributes.get("track_id") for one in reading.labels] == [1, 2, None]
    assert all(one.score is None for one in reading.labels)
    reading = tracks("0 .5 .5 .2 .3 .91 1", "0 .25 .25 .1 .1 .85 4", "0 .5 .5 .2 .3 1")
    assert [(one.shape, one.score, one.attributes["track_id"]) for one in reading.labels] == [
        ("box", 0.91, 1),
        ("box", 0.85, 4),
        ("box", None, 1),
    ]
    assert set(checks(reading, "warning")) == {"track", "no_classes"}
    assert [one.score for one in tracks("0 .5 .5 .2 .3 1", "0 .5 .5 .2 .3 .5").labels] == [1, 0.5]


def test_seven_numbers_that_may_mean_two_things_are_refused_with_the_option_that_settles_it() -> None:
    files: dict[str, bytes | str] = {"labels/a.txt": "0 .5 .5 .2 .3 .9 1\n"}
    reading = read("yolo", files, refs("images/a.jpg"))
    assert not reading.labels
    assert "{rows: track}" in only(reading).message
    assert read("yolo", files, refs("images/a.jpg"), rows="track").labels[0].shape == "box"
    assert read("yolo", files, refs("images/a.jpg"), rows="polygon").labels[0].shape == "polygon"


def test_triangles_stay_polygons() -> None:
    for row in ("0 .1 .1 .9 .1 .5 .7", "0 0 0 1 0 1 1", "0 .5 .2 .9 .9 .2 1"):
        assert [one.shape for one in tracks(row).labels] == ["polygon"]


def test_data_yaml_counts_from_its_own_folder_and_says_when_val_is_train() -> None:
    images = pl.DataFrame({"image_id": ["i"], "width": [8], "height": [8]})
    labels = pl.DataFrame(
        schema=dict.fromkeys(
            (
                "annotation_id",
                "image_id",
                "label",
                "shape",
                "is_crowd",
                "segmentation",
                "x",
                "y",
                "width",
                "height",
            ),
            pl.String,
        )
    )
    files, _ = write_yolo(images, labels, ["a"], file_names={"i": "train/a.png"})
    assert files["data.yaml"].decode() == (
        "# No image is set apart for validation: val is images/train, as train is.\n"
        "train: images/train\nval: images/train\nnames:\n  0: a\n"
    )
