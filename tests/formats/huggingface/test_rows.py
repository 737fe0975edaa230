"""Labels in tables of Hugging Face datasets: columns found by name and content, in all their layouts."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tests.formats.sources import box, checks, listing, negatives, only, read, refs, sniff_all

from tundish.formats.parquet.features import arrow_schema, class_label, list_of, value
from tundish.formats.registry import load_reader
from tundish.imaging.geometry import counts_of_mask, mask_of_polygon
from tundish.sources.rows import FILE_COLUMN, UNREAD_PICTURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tundish.formats.base import Evidence, Reading

BOX = [10, 20, 30, 40]


def lines(*rows: object) -> bytes:
    return b"\n".join(orjson.dumps(row) for row in rows)


def folder(*rows: object, **extra: Any) -> Reading:
    """Read rows of metadata.jsonl beside a.jpg and b.jpg, 200x100 px."""
    return read(
        "imagefolder", {"train/metadata.jsonl": lines(*rows)}, refs("train/a.jpg", "train/b.jpg"), **extra
    )


def parquet(table: pa.Table) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream)
    return stream.getvalue()


def evidence(files: Mapping[str, bytes], name: str = "imagefolder") -> Evidence:
    with io.BytesIO() as stream:
        Image.new("L", (200, 100)).save(stream, "PNG")
        pictures = {"a.png": stream.getvalue(), "b.png": stream.getvalue()}
    found = load_reader(name).sniff(listing({**pictures, **files}))
    assert found is not None
    return found


LAYOUTS: list[dict[str, Any]] = [
    {"objects": {"bbox": [BOX], "categories": ["crack"]}},
    {"objects": {"bbox": [BOX], "category": ["crack"], "id": [7], "area": [1200]}},
    {"objects": [{"bbox": BOX, "category": "crack"}]},
    {"objects": [{"box": BOX, "label": "crack"}]},
    {"annotations": {"bboxes": [BOX], "labels": ["crack"]}},
    {"bboxes": [BOX], "labels": ["crack"]},
    {"bbox": [BOX], "category_name": ["crack"]},
    {"objects": orjson.dumps({"bbox": [BOX], "category": ["crack"]}).decode()},
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_objects_are_found_in_every_layout(layout: dict[str, Any]) -> None:
    reading = folder({"file_name": "a.jpg", "caption": "a plate", **layout})
    (label,) = reading.labels
    assert (label.image.path, label.raw_label, label.shape, box(label)) == (
        "train/a.jpg",
        "crack",
        "box",
        (10, 20, 30, 40),
    )
    assert reading.covered == {"train/a.jpg"}


def test_no_objects_are_a_negative_and_null_is_unlabelled() -> None:
    reading = folder(
        {"file_name": "a.jpg", "objects": {"bbox": [], "categories": []}},
        {"file_name": "b.jpg", "objects": None},
        {"file_name": "a.jpg", "objects": {"bbox": [BOX], "categories": ["crack"]}},
    )
    assert negatives(reading) == set()
    assert reading.covered == {"train/a.jpg"}
    assert checks(reading, "warning") == ["image_labelled_twice"]
    alone = folder(
        {"file_name": "a.jpg", "objects": {"bbox": [], "categories": []}},
        {"file_name": "b.jpg", "objects": {"bbox": [BOX], "categories": [3]}},
    )
    assert negatives(alone) == {"train/a.jpg"}
    assert alone.labels[0].raw_label == "3"


def test_classes_of_whole_images_are_names_numbers_or_lists() -> None:
    assert [label.raw_label for label in folder({"file_name": "a.jpg", "label": "划痕"}).labels] == ["划痕"]
    assert [label.raw_label for label in folder({"file_name": "a.jpg", "label": 2}).labels] == ["2"]
    several = folder({"file_name": "a.jpg", "labels": ["x", "y"]}, {"file_name": "b.jpg", "labels": []})
    assert [(label.raw_label, label.shape, label.label_row) for label in several.labels] == [
        ("x", "class", 0),
        ("y", "class", 1),
    ]
    assert negatives(several) == {"train/b.jpg"}
    none = folder({"file_name": "a.jpg", "label": -1}, {"file_name": "b.jpg", "label": 0})
    assert none.covered == {"train/b.jpg"}


def test_metadata_may_be_csv_or_parquet() -> None:
    text = '\ufefffile_name,label\na.jpg,crack\n"sub/b, 2.jpg",龟裂\nb.jpg,\n'
    images = refs("a.jpg", "sub/b, 2.jpg", "b.jpg")
    for name, data in {
        "metadata.csv": text.encode(),
        "metadata.parquet": parquet(
            pa.table({"file_name": ["a.jpg", "sub/b, 2.jpg", "b.jpg"], "label": ["crack", "龟裂", None]})
        ),
    }.items():
        reading = read("imagefolder", {name: data}, images)
        assert [(label.image.path, label.raw_label) for label in reading.labels] == [
            ("a.jpg", "crack"),
            ("sub/b, 2.jpg", "龟裂"),
        ]
        assert not reading.problems


def table(features: dict[str, Any], rows: Sequence[Mapping[str, Any]], **metadata: str) -> bytes:
    schema = arrow_schema(features)
    made = pa.Table.from_pylist(list(rows), schema=schema)
    made = made.append_column(FILE_COLUMN, pa.array([f"{place}.jpg" for place in range(len(rows))]))
    more = {key.encode(): text.encode() for key, text in metadata.items()}
    return parquet(made.replace_schema_metadata({**(schema.metadata or {}), **more}))


def rows_of(data: bytes) -> Reading:
    return read("parquet", {"t.parquet": data}, refs("t.parquet/0.jpg", "t.parquet/1.jpg"))


def test_class_numbers_of_parquet_have_their_names() -> None:
    names = class_label(["good", "龟裂", "7"])
    features = {
        "label": names,
        "objects": {"bbox": list_of(list_of(value("float64"))), "category": list_of(names)},
    }
    reading = rows_of(
        table(
            features,
            [{"label": 1, "objects": {"bbox": [BOX], "category": [2]}}, {"label": 9, "objects": None}],
        )
    )
    assert [(label.raw_label, label.shape) for label in reading.labels] == [("龟裂", "class"), ("7", "box")]
    assert (only(reading).check, reading.refused) == ("not_a_class", {"t.parquet/1.jpg"})


@pytest.mark.parametrize("wrapped", ["Sequence", "List", "list"])
def test_features_of_older_versions_have_class_names_too(wrapped: str) -> None:
    inner = {
        "bbox": {"_type": "Sequence", "feature": {"_type": "Value"}},
        "category": class_label(["a", "b"]),
    }
    feature: Any = [inner] if wrapped == "list" else {"_type": wrapped, "feature": inner}
    made = pa.table({"objects": [{"bbox": [BOX], "category": [1]}], FILE_COLUMN: ["0.jpg"]})
    info = orjson.dumps({"info": {"features": {"objects": feature}}})
    reading = rows_of(parquet(made.replace_schema_metadata({b"huggingface": info})))
    assert [label.raw_label for label in reading.labels] == ["b"]


def test_the_only_column_of_classes_is_found_whatever_it_is_called() -> None:
    features = {"defekt": class_label(["good", "bad"]), "heat": value("string")}
    reading = rows_of(table(features, [{"defekt": 1, "heat": "H1"}]))
    assert [label.raw_label for label in reading.labels] == ["bad"]


def test_polygons_masks_crowds_and_scores_come_in() -> None:
    mask = counts_of_mask(mask_of_polygon([[20, 20, 90, 20, 90, 60, 20, 60]], 200, 100))
    ring = [10.5, 10, 60, 12, 50, 70.25]
    reading = folder(
        {
            "file_name": "a.jpg",
            "objects": [
                {"bbox": [10.5, 10, 49.5, 60.25], "category": "x", "segmentation": [ring], "score": 0.5},
                {"bbox": [20, 20, 70, 40], "category": "x", "rle": mask, "is_crowd": True},
                {"category": "x", "segmentation": {"size": [100, 200], "counts": mask}, "bbox": None},
            ],
        }
    )
    assert [(one.shape, one.is_crowd, one.score) for one in reading.labels] == [
        ("polygon", False, 0.5),
        ("mask", True, None),
        ("mask", False, None),
    ]
    assert reading.labels[0].segmentation == [ring]
    assert reading.labels[1].rle == reading.labels[2].rle == mask
    assert box(reading.labels[2]) == (20, 20, 70, 40)


@pytest.mark.parametrize(
    ("row", "check"),
    [
        ({"objects": {"bbox": [BOX, BOX], "categories": ["x"]}}, "broken_row"),
        ({"objects": {"bbox": [[1, 2, 3]], "categories": ["x"]}}, "missing_box"),
        ({"objects": {"bbox": [[1, 2, -3, 4]], "categories": ["x"]}}, "negative_size"),
        ({"objects": {"bbox": [BOX], "categories": [None]}}, "missing_name"),
        ({"objects": {"bbox": [BOX], "categories": [1.5]}}, "wrong_type"),
        ({"objects": {"bbox": [["a", 2, 3, 4]], "categories": ["x"]}}, "not_a_number"),
        ({"objects": "{"}, "broken_row"),
        ({"file_name": "gone.jpg", "objects": {"bbox": [BOX], "categories": ["x"]}}, "image_not_found"),
        ({"file_name": "", "objects": {"bbox": [BOX], "categories": ["x"]}}, "image_not_found"),
    ],
)
def test_a_bad_row_costs_itself(row: dict[str, Any], check: str) -> None:
    good = {"file_name": "b.jpg", "objects": {"bbox": [BOX], "categories": ["x"]}}
    reading = folder(good, {"file_name": "a.jpg", **row})
    assert [label.image.path for label in reading.labels] == ["train/b.jpg"]
    assert (checks(reading), only(reading).labels) == ([check], 1)
    assert "train/a.jpg" not in reading.covered


@pytest.mark.parametrize(
    ("data", "check"),
    [
        (b"", "no_image_column"),
        (lines({"label": "x"}), "no_image_column"),
        (lines({"file_name": "a.jpg", "caption": "a plate", "moisture": 4.2}), "no_label_column"),
    ],
)
def test_a_table_without_labels_is_refused_with_the_reason(data: bytes, check: str) -> None:
    assert checks(read("imagefolder", {"metadata.jsonl": data}, refs("a.jpg"))) == [check]


def test_a_broken_line_costs_itself_and_a_broken_file_its_labels() -> None:
    data = b'{"file_name": "a.jpg", "label": "x"}\n{oops\n[1]\n'
    reading = read("imagefolder", {"metadata.jsonl": data}, refs("a.jpg"))
    assert (len(reading.labels), checks(reading)) == (1, ["broken_file", "wrong_type"])
    assert checks(read("parquet", {"t.parquet": b"PAR1"}, refs("a.jpg"))) == ["broken_file"]


def test_boxes_that_are_corners_or_shares_are_read_as_what_they_are() -> None:
    corners = [[100 + place, 50, 150 + place, 90] for place in range(9)]
    said = {"file_name": "a.png", "objects": {"bbox": corners, "categories": ["x"] * 9}}
    found = evidence({"metadata.jsonl": lines(said)})
    assert found.extra == {"box": "corners"}
    assert "9 of 9 boxes leave their picture if read as x, y, width, height" in "\n".join(found.facts)
    reading = folder({**said, "file_name": "a.jpg"}, **found.extra)
    assert box(reading.labels[0]) == (100, 50, 50, 40)
    shares = {"file_name": "a.png", "objects": {"bbox": [[0.1, 0.2, 0.5, 0.5]], "categories": ["x"]}}
    found = evidence({"metadata.jsonl": lines(shares)})
    assert found.extra == {"unit": "share"}
    assert box(folder({**shares, "file_name": "a.jpg"}, **found.extra).labels[0]) == (20, 20, 100, 50)


def test_add_says_what_it_saw() -> None:
    rows = [
        {"file_name": "a.png", "objects": {"bbox": [BOX] * 2, "categories": [0, 1]}, "moisture": 4.2},
        {"file_name": "gone.png", "objects": {"bbox": [], "categories": []}, "moisture": 4.2},
    ]
    found = evidence({"metadata.jsonl": lines(*rows), "other/metadata.csv": b"file_name,moisture\nb.png,4\n"})
    facts = "\n".join(found.facts)
    assert (found.weight, found.classes, found.extra) == (1, ["0", "1"], {"files": "metadata.jsonl"})
    assert "1 of 2 images named in metadata.jsonl of imagefolder are here" in facts
    assert "2 labels of 2 classes: 2 box" in facts
    assert "1 image without a label: negatives" in facts
    assert "columns that hold no labels are not read: moisture" in facts
    assert "other/metadata.csv is not read as labels: none of its columns holds labels" in facts


def test_pictures_that_cannot_be_taken_from_a_table_are_told() -> None:
    made = pa.table({"image": [{"bytes": b"x", "path": "a.jpg"}], "label": ["x"]})
    assert checks(read("parquet", {"t.parquet": parquet(made)}, refs("a.jpg"))) == ["unread_pictures"]
    features = {"label": value("string")}
    data = table(features, [{"label": "x"}], **{UNREAD_PICTURES.decode(): "mask,depth"})
    reading = rows_of(data)
    assert checks(reading, "warning") == ["unread_pictures"]
    assert "mask, depth" in only(reading).message


def test_an_imagefolder_wins_over_plain_csv_labels_and_folders() -> None:
    files = {
        "good/a.png": b"",
        "bad/b.png": b"",
        "metadata.csv": b"file_name,label\ngood/a.png,x\nbad/b.png,y\n",
    }
    assert sniff_all(listing(files))[0].format == "imagefolder"
