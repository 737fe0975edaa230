from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
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

from tundish.errors import SourceError
from tundish.formats.base import Listing, Options
from tundish.formats.registry import load_reader

if TYPE_CHECKING:
    from pathlib import Path

SIZE = "<size><width>200</width><height>100</height><depth>3</depth></size>"


def item(name: str = "scratch", box: tuple[object, ...] = (11, 21, 30, 40), more: str = "") -> str:
    sides = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    inner = "".join(f"<{side}>{value}</{side}>" for side, value in sides)
    return f"<object><name>{name}</name>{more}<bndbox>{inner}</bndbox></object>"


def voc(*objects: str, name: str = "a.jpg", size: str = SIZE) -> str:
    return f"<annotation><filename>{name}</filename>{size}{''.join(objects)}</annotation>"


A = refs("images/a.jpg")
PATH = "annotations/a.xml"


def test_corners_are_pixels_counted_from_1_unless_the_source_says_otherwise() -> None:
    files = {PATH: voc(item())}
    (label,) = read("voc", files, A).labels
    assert box(label) == (10, 20, 20, 20)
    assert (label.raw_label, label.shape, label.label_path, label.label_row) == ("scratch", "box", PATH, 0)
    assert box(read("voc", files, A, corners="edges").labels[0]) == (11, 21, 19, 19)
    assert box(read("voc", files, A, corners="zero_based").labels[0]) == (11, 21, 20, 20)
    with pytest.raises(SourceError, match="corners is 'middle'"):
        read("voc", files, A, corners="middle")


def test_the_whole_image_is_the_whole_image() -> None:
    (label,) = read("voc", {PATH: voc(item(box=(1, 1, 200, 100)))}, A).labels
    assert box(label) == (0, 0, 200, 100)


def test_what_else_an_object_says_is_kept() -> None:
    more = "<pose>Left</pose><difficult>1</difficult><actions><jump>1</jump><run>0</run></actions>"
    part = "<part><name>head</name><bndbox><xmin>5.5</xmin></bndbox></part>"
    reading = read("voc", {PATH: voc(item(more=more + part))}, A)
    assert reading.labels[0].attributes == {
        "pose": "Left",
        "difficult": 1,
        "actions": {"jump": 1, "run": 0},
        "parts": [{"name": "head", "bndbox": {"xmin": "5.5"}}],
    }


def test_a_file_without_objects_makes_a_negative() -> None:
    reading = read("voc", {PATH: voc()}, A + refs("images/b.jpg"))
    assert negatives(reading) == {"images/a.jpg"}
    assert not reading.problems


def test_reversed_corners_are_swapped_and_told() -> None:
    reading = read("voc", {PATH: voc(item(box=(30, 40, 11, 21)))}, A)
    assert box(reading.labels[0]) == (10, 20, 20, 20)
    assert only(reading).check == "reversed_corners"
    assert only(reading).severity == "warning"


@pytest.mark.parametrize(
    ("objects", "check"),
    [
        ("<object><name>x</name></object>", "missing_box"),
        ("<object><name>x</name><bndbox><xmin>1</xmin></bndbox></object>", "missing_box"),
        ("<object><name> </name></object>", "missing_name"),
        (item(box=(1, 1, "nan", 5)), "not_finite"),
        (item(box=(1, 1, "inf", 5)), "not_finite"),
        (item(box=(1, 1, "1e999", 5)), "not_finite"),
        (item(box=(1, "12,5", 20, 50)), "decimal_comma"),
        (item(box=(1, "a lot", 20, 50)), "not_a_number"),
    ],
)
def test_an_object_that_is_no_label_is_told_and_does_not_pass_for_a_negative(
    objects: str, check: str
) -> None:
    reading = read("voc", {PATH: voc(objects)}, A)
    assert (only(reading).check, only(reading).row, only(reading).labels) == (check, 0, 1)
    assert not reading.labels
    assert not reading.covered
    mixed = read("voc", {PATH: voc(objects, item())}, A)
    assert [label.label_row for label in mixed.labels] == [1]
    assert mixed.covered == {"images/a.jpg"}


BOMB = (
    '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]>'
    "<annotation><filename>&y;</filename></annotation>"
)
OUTSIDE = (
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><filename>&x;</filename></annotation>'
)


@pytest.mark.parametrize(
    ("data", "check"),
    [
        (BOMB, "forbidden_xml"),
        (BOMB.encode("utf-16"), "forbidden_xml"),
        (OUTSIDE, "forbidden_xml"),
        ("", "broken_file"),
        ("<annotation><object>", "broken_file"),
        (b"\xff\xd8\xff\xe0 a jpeg", "broken_file"),
        ("<annotations/>", "not_voc"),
    ],
)
def test_a_file_that_is_no_voc_is_told(data: bytes | str, check: str) -> None:
    reading = read("voc", {PATH: data, "annotations/b.xml": voc(name="b.jpg")}, A + refs("images/b.jpg"))
    assert (only(reading).check, only(reading).path, only(reading).row) == (check, PATH, None)
    assert reading.covered == {"images/b.jpg"}


def test_a_file_name_that_leaves_the_source_is_only_a_name() -> None:
    reading = read("voc", {PATH: voc(item(), name="../../etc/passwd")}, A)
    assert reading.labels[0].image.path == "images/a.jpg"
    assert only(reading).check == "unsafe_file_name"
    lost = read("voc", {PATH: voc(item(), name="../../etc/passwd")}, refs("images/z.jpg"))
    assert (only(lost).check, only(lost).labels) == ("image_not_found", 1)


def test_the_files_own_name_comes_before_the_stated_one() -> None:
    images = refs("images/a.jpg", "images/b.jpg")
    reading = read("voc", {PATH: voc(item(), name="b.jpg")}, images)
    assert reading.labels[0].image.path == "images/a.jpg"
    assert checks(reading, "warning") == ["other_file_name"]
    by_name = read("voc", {"annotations/0001.xml": voc(item(), name="b.jpg")}, images)
    assert by_name.labels[0].image.path == "images/b.jpg"
    bare = read("voc", {PATH: voc(item(), name="a")}, images)
    assert not bare.problems


def test_two_files_for_one_image_are_told() -> None:
    reading = read("voc", {"annotations/a.xml": voc(item()), "old/a.xml": voc(item())}, A)
    assert len(reading.labels) == 2
    assert checks(reading, "warning") == ["image_labelled_twice"]


@pytest.mark.parametrize(
    ("size", "check"),
    [
        ("", "missing_size"),
        ("<size><width>0</width><height>0</height></size>", "missing_size"),
        ("<size><width>400</width><height>200</height></size>", "size_mismatch"),
    ],
)
def test_a_size_that_is_not_the_images_is_told(size: str, check: str) -> None:
    reading = read("voc", {PATH: voc(item(), size=size)}, A)
    assert len(reading.labels) == 1
    assert checks(reading, "warning") == [check]


def test_labels_of_the_stored_image_are_turned_upright() -> None:
    # Stored 200x100 with EXIF orientation 6: shown 100x200, the stored left edge on top.
    turned = refs("images/a.jpg", width=100, height=200, orientation=6)
    reading = read("voc", {PATH: voc(item(box=(11, 21, 30, 40)))}, turned)
    assert box(reading.labels[0]) == (100 - 20 - 20, 10, 20, 20)
    assert [problem.check for problem in reading.problems] == ["exif_turn"]
    reading = read("voc", {PATH: voc(item(box=(11, 121, 30, 140)))}, turned)
    assert box(reading.labels[0]) == (10, 120, 20, 20)
    assert "nothing was turned" in only(reading).message
    upright = "<size><width>100</width><height>200</height></size>"
    assert box(read("voc", {PATH: voc(item(), size=upright)}, turned).labels[0]) == (10, 20, 20, 20)


@pytest.mark.parametrize(
    ("encoding", "declared", "told"),
    [
        ("gbk", "gbk", []),
        ("gbk", "", ["not_utf8"]),
        ("utf-8-sig", "", []),
        ("utf-16", "", []),
        ("utf-8", "gbk", []),
    ],
)
def test_encodings_of_chinese_windows(encoding: str, declared: str, told: list[str]) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    label = "scratch" if (encoding, declared) == ("utf-8", "gbk") else "划伤"
    reading = read("voc", {PATH: (head + voc(item(label))).replace("\n", "\r\n").encode(encoding)}, A)
    assert [found.raw_label for found in reading.labels] == [label]
    assert checks(reading, "warning") == told


def test_roles_go_by_path() -> None:
    role = load_reader("voc").role
    paths = [
        "Annotations/a.xml",
        "JPEGImages/a.JPG",
        "SegmentationClass/a.png",
        "SegmentationObject/a.png",
        "x.txt",
    ]
    assert [role(path, Options()) for path in paths] == ["annotation", "image", "other", "other", "other"]


@pytest.mark.parametrize(
    ("boxes", "corners"),
    [
        ([(1, 1, 50, 50), (150, 5, 200, 100)], {}),
        ([(5, 5, 50, 50)], {}),
        ([(0, 3, 50, 50), (150, 5, 200, 100)], {"corners": "edges"}),
        ([(0, 3, 50, 50), (150, 5, 199, 99)], {"corners": "zero_based"}),
    ],
)
def test_sniffing_decides_what_corners_mean(boxes: list[tuple[object, ...]], corners: dict[str, str]) -> None:
    files: dict[str, bytes | str] = {
        "img/a.jpg": b"",
        "img/b.jpg": b"",
        "ann/a.xml": voc(*(item(box=each) for each in boxes)),
    }
    found = sniff_all(listing(files))[0]
    assert (found.format, found.weight, found.extra) == ("voc", 1, corners)
    assert found.facts[0] == "1 of 1 XML files name an image that is here"
    assert "1 image without labels: unlabelled" in found.facts
    assert any("corner" in fact for fact in found.facts)


def test_an_object_without_a_name_is_no_class() -> None:
    place = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
    objects = "".join(
        f"<object>{name}{place}</object>" for name in ("", "<name> </name>", "<name>pit</name>")
    )
    files: dict[str, bytes | str] = {"a.jpg": b"", "a.xml": f"<annotation>{objects}</annotation>"}
    assert sniff_all(listing(files))[0].classes == ["pit"]
    reading = read("voc", {"a.xml": files["a.xml"]}, refs("a.jpg"))
    assert checks(reading) == ["missing_name", "missing_name"]


def test_sniffing_a_large_source_reads_a_sample_and_says_so() -> None:
    files: dict[str, bytes | str] = {f"images/{i}.jpg": b"" for i in range(5000)}
    files |= {f"annotations/{i}.xml": voc(item(), name=f"{i}.jpg") for i in range(5000)}
    found = listing(files)
    paths_read: list[str] = []

    def counting(path: str) -> bytes:
        paths_read.append(path)
        return found.read(path)

    evidence = load_reader("voc").sniff(Listing(found.paths, counting))
    assert evidence is not None
    assert evidence.weight == 5000
    assert len(paths_read) == 2000
    assert "2000 of 5000 XML files were read, evenly spread" in evidence.facts


@pytest.mark.shared
def test_neu_det(shared_data: Path) -> None:
    root = shared_data / "neu_det"
    best = sniff_all(folder_listing(root))[0]
    assert (best.format, best.weight, best.extra) == ("voc", 1800, {})
    assert (
        best.facts[0]
        == "1800 of 1800 XML files name an image that is here (174 of them without an extension)"
    )
    reading, images = read_folder(root, "voc")
    assert (len(images), len(reading.labels), len(reading.covered)) == (1800, 4189, 1800)
    assert not reading.problems
    assert Counter(label.raw_label for label in reading.labels) == {
        "inclusion": 1011,
        "patches": 881,
        "crazing": 689,
        "rolled-in_scale": 628,
        "scratches": 548,
        "pitted_surface": 432,
    }
    boxes = [box(label) for label in reading.labels]
    assert min(min(each[:2]) for each in boxes) == 0
    assert max(max(each[0] + each[2], each[1] + each[3]) for each in boxes) == 200
    assert sum(200 in (each[0] + each[2], each[1] + each[3]) for each in boxes) == 538


@pytest.mark.shared
def test_voc_samples(shared_data: Path) -> None:
    reading, _ = read_folder(shared_data / "annotation_samples/voc/voc_dataset1", "voc")
    assert [(label.raw_label, box(label)) for label in reading.labels] == [
        ("cat", (0, 1, 3, 3)),
        ("person", (3, 4, 3, 3)),
    ]
    assert reading.labels[1].attributes["actions"]["jumping"] == 0  # type: ignore[index]
    lost, _ = read_folder(shared_data / "annotation_samples/voc/voc_dataset2", "voc")
    assert checks(lost) == ["image_not_found"] * 5
    assert sum(problem.labels for problem in lost.problems) == 4
