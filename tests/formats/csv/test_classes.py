from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.sources import checks, listing, negatives, only, read, refs, sniff_all

IMAGES = refs("train/a.jpg", "train/b.jpg", "train/c.jpg")
PICTURES = {f"train/{name}.jpg": b"" for name in "abc"}


def test_a_column_of_classes_labels_whole_images() -> None:
    text = "filename,label,split\na.jpg,rust,train\nb.jpg,no,train\nx.jpg,rust,test\nc.jpg,,train\n"
    reading = read("classes-csv", {"labels.csv": text}, IMAGES)
    assert [(label.image.path, label.raw_label, label.shape) for label in reading.labels] == [
        ("train/a.jpg", "rust", "class"),
        ("train/b.jpg", "no", "class"),
    ]
    assert reading.labels[0].attributes == {"split": "train"}
    assert (only(reading).check, only(reading).row, only(reading).labels) == ("image_not_found", 3, 1)
    assert negatives(reading) == {"train/c.jpg"}


def test_roboflow_has_a_column_of_0_and_1_for_each_class() -> None:
    text = "filename, rust, scale\na.jpg, 1, 1\nb.jpg, 0, 0\nc.jpg, 0, x\n"
    reading = read("classes-csv", {"train/_classes.csv": text.replace(" x", " 1")}, IMAGES)
    assert [(label.image.path, label.raw_label) for label in reading.labels] == [
        ("train/a.jpg", "rust"),
        ("train/a.jpg", "scale"),
        ("train/c.jpg", "scale"),
    ]
    assert len({label.label_row for label in reading.labels}) == 3
    assert negatives(reading) == {"train/b.jpg"}
    best = sniff_all(listing({"train/_classes.csv": text.replace(" x", " 1"), **PICTURES}))[0]
    assert (best.format, best.classes) == ("classes-csv", ["rust", "scale"])


def test_without_a_header_the_classes_are_what_comes_again() -> None:
    files: dict[str, bytes | str] = {"t.csv": "a.jpg,rust\nb.jpg,rust\nc.jpg,scale\n", **PICTURES}
    best = sniff_all(listing(files))[0]
    assert (best.format, best.weight, best.classes) == ("classes-csv", 3, ["rust", "scale"])
    assert len(read("classes-csv", {"t.csv": str(files["t.csv"])}, IMAGES).labels) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,moisture,ash\na.jpg,8.1,11\nb.jpg,7,12\n", "numbers for images (moisture, ash)"),
        ("image,remark\na.jpg,looks well\nb.jpg,dark at the left\nc.jpg,none seen\n", "{column: NAME}"),
        ("image,moisture,ash,sulfur,volatile\na.jpg,8,1,9,9\nb.jpg,7,2,8,8\n", "numbers for images"),
        ("image,label\na.jpg,8.1\nb.jpg,7.25\n", "numbers for images (label)"),
        ("image,label\na.jpg,masks/a.png\nb.jpg,masks/b.png\n", "names other files"),
        ("coil,grade\nX1,S235\n", "no column names images"),
        ("image,xmin,ymin,xmax,ymax,label\na.jpg,1,2,3,4,x\n", "those of boxes"),
        ("ImageId,ClassId,EncodedPixels\na.jpg,1,1 2\n", "those of runs"),
        ("one\ntwo\n", "one field"),
        ("", "empty"),
    ],
)
def test_other_files_are_named_and_not_read(text: str, words: str) -> None:
    problem = only(read("classes-csv", {"t.csv": text}, IMAGES))
    assert words in problem.message
    assert all(found.format != "classes-csv" for found in sniff_all(listing({"t.csv": text, **PICTURES})))


def test_the_column_can_be_named() -> None:
    text = "image,remark,state\na.jpg,long,good\nb.jpg,short,bad\n"
    reading = read("classes-csv", {"t.csv": text}, IMAGES, column="state")
    assert [label.raw_label for label in reading.labels] == ["good", "bad"]
    assert "no column 'stat'" in only(read("classes-csv", {"t.csv": text}, IMAGES, column="stat")).message


def test_four_classes_are_not_the_four_numbers_of_a_box() -> None:
    text = "filename,a,b,c,d\na.jpg,0,0,1,1\nb.jpg,0,0,0,1\nc.jpg,0,0,0,0\n"
    best = sniff_all(listing({"_classes.csv": text, **PICTURES}))[0]
    assert (best.format, best.classes) == ("classes-csv", ["a", "b", "c", "d"])
    assert len(read("classes-csv", {"_classes.csv": text}, IMAGES).labels) == 3


def test_two_files_about_one_image_are_reported() -> None:
    text = "image,label\na.jpg,x\nb.jpg,x\n"
    reading = read("classes-csv", {"all.csv": text, "train.csv": text}, IMAGES)
    assert checks(reading, "warning") == ["image_labelled_twice"] * 2
    assert len(reading.labels) == 4


def test_a_row_with_fields_too_many_costs_itself() -> None:
    reading = read("classes-csv", {"t.csv": "image,label\na.jpg,x\nb.jpg,x,y\nc.jpg,x\n"}, IMAGES)
    assert checks(reading) == ["field_count"]
    assert len(reading.labels) == 2
    assert reading.refused == {"train/b.jpg"}


@given(data=st.binary(max_size=200) | st.text(alphabet='a.jpgb,01x\n";', max_size=80).map(str.encode))
def test_no_bytes_stop_it(data: bytes) -> None:
    read("classes-csv", {"t.csv": b"image,label\n" + data}, IMAGES)
    read("classes-csv", {"t.csv": data}, IMAGES)
