from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pytest
from tests.formats.sources import refs

from tundish.formats.base import Label, Reading
from tundish.formats.frames import labels_to_frame, polygon_areas
from tundish.formats.reading.text import decode_text, fault_of_number, real
from tundish.imaging.geometry import area_of_polygon
from tundish.storage.tables import ANNOTATIONS

(IMAGE,) = refs("images/a.jpg")


def test_rows_have_the_tables_columns_and_ids_from_their_place() -> None:
    ring = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    labels = [
        Label(IMAGE, "划伤", "polygon", 1, 2, 3, 4, "a.txt", 0, segmentation=[ring, ring]),
        Label(IMAGE, "b", "mask", 1, 2, 3, 4, "a.txt", 7, rle="0", is_crowd=True, score=0.5, author="li"),
        Label(IMAGE, "b", "box", 1, 2, 3, 4, "b.txt", 0, attributes={"z": 1, "a": "ü"}),
    ]
    frame = labels_to_frame(Reading(labels=labels), "line 1")
    assert frame.schema == ANNOTATIONS.empty().schema
    assert frame["annotation_id"][1] == hashlib.sha256(b"line 1\0a.txt\x007").hexdigest()[:32]
    assert frame["segmentation"].to_list() == [[ring, ring], None, None]
    assert frame["attributes"].to_list() == [None, None, '{"a":"ü","z":1}']
    assert frame["label"].null_count() == 3
    assert frame["valid"].all()
    assert frame.row(1, named=True) == {
        "annotation_id": frame["annotation_id"][1], "image_id": "id-images/a.jpg", "path": "images/a.jpg",
        "source": "line 1", "label": None, "raw_label": "b", "shape": "mask", "x": 1, "y": 2, "width": 3,
        "height": 4, "segmentation": None, "rle": "0", "is_crowd": True, "score": 0.5, "author": "li",
        "origin": "import", "attributes": None, "label_path": "a.txt", "label_row": 7, "valid": True,
    }  # fmt: skip


def test_no_labels_make_an_empty_table() -> None:
    frame = labels_to_frame(Reading(), "s")
    assert frame.schema == ANNOTATIONS.empty().schema
    assert frame.is_empty()


def test_a_hundred_thousand_labels_have_an_id_each() -> None:
    labels = [Label(IMAGE, "a", "box", 1.0, 2.0, 3.0, 4.0, "a.json", row) for row in range(100_000)]
    frame = labels_to_frame(Reading(labels=labels), "s")
    assert frame["annotation_id"].n_unique() == 100_000


def test_areas_of_a_column_of_polygons() -> None:
    rng = np.random.default_rng(0)
    polygons = [[rng.uniform(0, 100, 2 * n).tolist() for n in sizes] for sizes in ([3], [4, 5], [7], [1, 3])]
    column = pl.Series([*polygons, None, []], dtype=pl.List(pl.List(pl.Float64)))
    expected = [*(area_of_polygon(polygon) for polygon in polygons), 0, 0]
    assert polygon_areas(column) == pytest.approx(expected)
    assert polygon_areas(column.clear()).shape == (0,)


def test_text_is_decoded_whatever_it_is() -> None:
    assert decode_text("划伤".encode("gbk")) == ("划伤", "gb18030")
    assert decode_text("划伤".encode("utf-16")) == ("划伤", "utf-16")
    assert decode_text(b"\xef\xbb\xbfa") == ("a", "utf-8-sig")
    assert decode_text(b"\xff\x00\xff")[1] == "latin-1"


@pytest.mark.parametrize("value", ["1e999", "nan", "", "x", True, None, [1], 10**400, float("inf"), "1,5"])
def test_what_is_no_finite_number_has_a_sentence(value: object) -> None:
    assert real(value) is None
    check, message = fault_of_number(value)
    assert check in ("not_finite", "not_a_number", "decimal_comma")
    assert message
