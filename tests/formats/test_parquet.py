from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tundish.formats.parquet.features import (
    IMAGE,
    arrow_schema,
    class_label,
    list_of,
    value,
    write_split,
    yaml_features,
)
from tundish.stages.export.target import Staged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Imported by name: to mypy the repository's own folder of this name would hide the package.
hf: Any = importlib.import_module("datasets")

FEATURES = {
    "image": IMAGE,
    "id": value("string"),
    "when": value("timestamp[us, tz=UTC]"),
    "label": class_label(["no", "龟裂"]),
    "objects": {
        "bbox": list_of(list_of(value("float64"))),
        "category": list_of(class_label(["no", "龟裂"])),
        "segmentation": list_of(list_of(list_of(value("float64")))),
        "crowd": list_of(value("bool")),
    },
}

THEIRS = hf.Features(
    {
        "image": hf.Image(),
        "id": hf.Value("string"),
        "when": hf.Value("timestamp[us, tz=UTC]"),
        "label": hf.ClassLabel(names=["no", "龟裂"]),
        "objects": {
            "bbox": hf.List(hf.List(hf.Value("float64"))),
            "category": hf.List(hf.ClassLabel(names=["no", "龟裂"])),
            "segmentation": hf.List(hf.List(hf.List(hf.Value("float64")))),
            "crowd": hf.List(hf.Value("bool")),
        },
    }
)


def test_the_schema_is_the_one_datasets_makes() -> None:
    schema = arrow_schema(FEATURES)
    assert schema.equals(THEIRS.arrow_schema)
    assert hf.Features.from_arrow_schema(schema) == THEIRS


def test_the_card_speaks_of_features_as_datasets_does() -> None:
    assert yaml_features(FEATURES) == THEIRS._to_yaml_list()
    assert hf.Features._from_yaml_list(yaml_features(FEATURES)) == THEIRS


@pytest.mark.parametrize("dtype", ["string", "int32", "int64", "float64", "bool", "timestamp[us, tz=UTC]"])
def test_every_value_has_the_type_its_name_says(dtype: str) -> None:
    assert (
        hf.Features.from_arrow_schema(pa.schema([arrow_schema({"x": value(dtype)}).field("x")]))["x"].dtype
        == dtype
    )


def rows(count: int) -> pa.Table:
    return pa.table({"id": [f"{number:04d}" for number in range(count)]})


PLAIN = {"image": IMAGE, "id": value("string")}


def write_to(
    folder: Path,
    split: str,
    rows: pa.Table,
    images: Iterator[tuple[str, bytes]],
    group: int = 99,
    file: int = 99,
) -> dict[str, int]:
    files = Staged(folder)
    sizes = write_split(files, split, rows, images, PLAIN, group_bytes=group, file_bytes=file)
    files.finish()
    return sizes


def test_row_groups_and_files_are_closed_by_their_bytes(tmp_path: Path) -> None:
    images = ((f"{number}.bin", bytes([number]) * 100) for number in range(25))
    folder = tmp_path / "out"
    sizes = write_to(folder, "train", rows(25), images, group=300, file=900)
    names = list(sizes)
    assert names == [f"train-0000{number}-of-00003.parquet" for number in range(3)]
    assert {path.name: path.stat().st_size for path in folder.iterdir()} == sizes
    files = [pq.ParquetFile(folder / name) for name in names]
    assert [file.metadata.num_rows for file in files] == [9, 9, 7]
    assert [file.metadata.num_row_groups for file in files] == [3, 3, 3]
    table = pa.concat_tables([file.read() for file in files])
    assert table["id"].to_pylist() == rows(25)["id"].to_pylist()
    assert table["image"].to_pylist()[7] == {"bytes": b"\7" * 100, "path": "7.bin"}


def test_a_split_without_images_has_no_file(tmp_path: Path) -> None:
    assert write_to(tmp_path / "out", "val", rows(0), iter([])) == {}
    assert not (tmp_path / "out").exists()


def test_images_are_stored_as_they_are_and_labels_are_packed(tmp_path: Path) -> None:
    (name,) = write_to(tmp_path / "out", "train", rows(3), iter([("a", b"x" * 9)] * 3))
    group = pq.read_metadata(tmp_path / "out" / name).row_group(0)
    columns = {
        group.column(number).path_in_schema: group.column(number) for number in range(group.num_columns)
    }
    assert columns["image.bytes"].compression == "UNCOMPRESSED"
    assert not columns["image.bytes"].is_stats_set
    assert columns["id"].compression == "ZSTD"
    assert columns["id"].statistics.min == "0000"


def test_the_same_rows_make_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_to(tmp_path / folder, "train", rows(5), iter([("n", b"data")] * 5), group=8)
    first, second = sorted(tmp_path.rglob("*.parquet"))
    assert first.read_bytes() == second.read_bytes()
