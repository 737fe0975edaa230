from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.sources import listing, read, refs, sniff_all

from tundish.errors import UsageError
from tundish.formats.base import Options
from tundish.formats.frames import labels_to_frame
from tundish.formats.registry import (
    format_names,
    load_format,
    load_reader,
    load_writer,
    reader_names,
    writer_names,
)


def test_formats_are_known_by_their_names() -> None:
    tools = ["label-studio", "labelme", "cvat", "via", "createml", "supervisely"]
    tools += ["segment-anything", "vott", "cityscapes"]
    tables = ["dota", "imagefolder", "runs-csv", "boxes-csv", "classes-csv"]
    assert reader_names() == [
        *("voc", "parquet", "yolo", "coco", *tools, "masks", *tables),
        *("folders", "class-in-name", "images"),
    ]
    assert writer_names() == ["parquet", "yolo", "coco"]


@pytest.mark.parametrize("name", format_names())
def test_the_registry_says_of_a_format_what_its_module_says(name: str) -> None:
    form = load_format(name)
    assert form.name == name
    assert (form.reader is not None) == (name in reader_names())
    assert (form.writer is not None) == (name in writer_names())
    assert form.about
    assert bool(form.lost) == (form.writer is not None)


def test_a_format_that_is_only_read_cannot_be_written() -> None:
    with pytest.raises(UsageError, match=r"the format 'voc' is read, not written; choose one of parquet, "):
        load_writer("voc")
    with pytest.raises(UsageError, match=r"unknown format .vocc.; choose one of voc, .*, or install"):
        load_reader("vocc")


def test_an_empty_folder_and_one_without_images_say_nothing() -> None:
    assert sniff_all(listing({})) == []
    assert sniff_all(listing({"README.md": "", "a.csv": "x"})) == []


def test_plain_images() -> None:
    (found,) = sniff_all(listing({"a.jpg": b"", "b.TIFF": b""}))
    assert (found.format, found.weight, found.facts) == ("images", 0, ["2 images"])
    reading = read("images", {}, refs("a.jpg"))
    assert not reading.labels
    assert not reading.covered


LONG = "长" * 66
PATHS = st.sampled_from(
    [
        "labels/a.txt",
        "ann/a.xml",
        "a.json",
        "masks/a.png",
        "data.yaml",
        "t.csv",
        f"labels/{LONG}.txt",
        "ann/ü 😀.xml",
    ]
)
PIECES = [
    "0 ",
    "1 0.5 ",
    "\n",
    "nan ",
    "<annotation>",
    "</annotation>",
    "<object>",
    '{"images": [',
    "names: ",
    "images/a.jpg,1 5 9 2,",
    "a.jpg,1,2,3,4,x\n",
    "image,label,xmin,ymin,xmax,ymax\n",
    '"',
    ";",
    "1 2 3 4 5 6 7 8 ship 0\n",
    "[]}",
]
DATA = st.binary(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=9).map(
    lambda p: "".join(p).encode()
)


@pytest.mark.parametrize("name", reader_names())
@given(files=st.dictionaries(PATHS, DATA, max_size=4))
def test_no_bytes_stop_a_reader(name: str, files: dict[str, bytes]) -> None:
    images = refs("images/a.jpg", f"images/{LONG}.jpg", "img/ü 😀.jpg")
    reading = read(name, files, images)
    assert reading.covered <= {image.path for image in images}
    named = {*files, *(image.path for image in images)}
    assert all(problem.path in named for problem in reading.problems)


@given(
    files=st.dictionaries(PATHS | st.sampled_from(["images/a.jpg", "x/b.png", "y/c.png"]), DATA, max_size=6)
)
def test_no_bytes_stop_sniffing(files: dict[str, bytes]) -> None:
    for evidence in sniff_all(listing(files)):
        assert evidence.format in reader_names()
        assert evidence.facts
        for path in files:
            load_reader(evidence.format).role(path, Options(evidence.names, evidence.extra))


DEEP = 100_000


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("yolo", {"data.yaml": b"names: " + b"[" * DEEP}),
        ("yolo", {"data.yaml": b"- " * DEEP}),
        ("yolo", {"labels/a.txt": b"0 " * DEEP}),
        ("voc", {"ann/a.xml": b"<annotation><object>" + b"<a>" * DEEP}),
        ("voc", {"ann/a.xml": b"<annotation><object><name>a</name>%b%b</object></annotation>"}),
        ("coco", {"a.json": b"[" * DEEP}),
        ("coco", {"a.json": b'{"images": [' + b"[" * 900 + b"]" * 900 + b"]}"}),
    ],
)
def test_deep_nesting_stops_no_reader(name: str, files: dict[str, bytes]) -> None:
    nested = b"<a>" * DEEP + b"</a>" * DEEP
    files = {path: data.replace(b"%b%b", BOX + nested) for path, data in files.items()}
    reading = read(name, files, refs("images/a.jpg"))
    assert reading.problems
    labels_to_frame(reading, "s")


BOX = b"<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox>"


def test_attributes_that_json_cannot_hold_are_kept_as_text() -> None:
    deep = "[" * 500 + "]" * 500
    entry = (
        '{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "big": %d, "deep": %s, "good": 1}'
    )
    data = '{"images": [{"id": 1, "file_name": "a.jpg", "width": 200, "height": 100}], "categories": '
    data += '[{"id": 1, "name": "a"}], "x": NaN, "annotations": [' + entry % (10**30, deep) + "]}"
    frame = labels_to_frame(read("coco", {"a.json": data.encode()}, refs("images/a.jpg")), "s")
    kept = json.loads(frame["attributes"][0])
    assert (kept["big"], kept["good"], kept["deep"][:3]) == (str(10**30), 1, "[[[")
