from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.sources import listing, read, refs

from tundish.formats.base import Options
from tundish.formats.registry import FORMATS, sniff_all


def test_formats_are_known_by_their_names() -> None:
    assert list(FORMATS) == ["voc", "yolo", "coco", "masks", "folders", "images"]
    assert all(each.name == name for name, each in FORMATS.items())


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
    ["labels/a.txt", "ann/a.xml", "a.json", "masks/a.png", "data.yaml", f"labels/{LONG}.txt", "ann/ü 😀.xml"]
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
    "[]}",
]
DATA = st.binary(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=9).map(
    lambda p: "".join(p).encode()
)


@pytest.mark.parametrize("name", list(FORMATS))
@given(files=st.dictionaries(PATHS, DATA, max_size=4))
def test_no_bytes_stop_a_reader(name: str, files: dict[str, bytes]) -> None:
    images = refs("images/a.jpg", f"images/{LONG}.jpg", "img/ü 😀.jpg")
    reading = read(name, files, images)
    assert reading.covered <= {image.path for image in images}
    assert all(problem.path in files for problem in reading.problems)


@given(
    files=st.dictionaries(PATHS | st.sampled_from(["images/a.jpg", "x/b.png", "y/c.png"]), DATA, max_size=6)
)
def test_no_bytes_stop_sniffing(files: dict[str, bytes]) -> None:
    for evidence in sniff_all(listing(files)):
        assert evidence.format in FORMATS
        assert evidence.facts
        for path in files:
            FORMATS[evidence.format].role(path, Options(evidence.names, evidence.extra))
