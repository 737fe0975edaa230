"""Parquet in the layout of Hugging Face: one row an image, with its labels beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from tundish.formats.base import Format
from tundish.formats.frames import areas_of_labels
from tundish.formats.huggingface.format import OPTIONS, PARQUET
from tundish.formats.parquet.card import dataset_card
from tundish.formats.parquet.features import (
    IMAGE,
    Feature,
    arrow_schema,
    class_label,
    list_of,
    value,
    write_split,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tundish.formats.base import Selection, Target

__all__ = ["FORMAT", "ParquetWriter"]

_DTYPES = {
    pl.String: "string",
    pl.Int32: "int32",
    pl.Int64: "int64",
    pl.Float64: "float64",
    pl.Boolean: "bool",
    pl.Datetime: "timestamp[us, tz=UTC]",
}


class ParquetWriter:
    """Files of each split, and the card that describes them."""

    def write(self, selection: Selection, target: Target) -> Mapping[str, int]:
        """Write all files again."""
        features = _features_of(selection)
        files = {split: _write(selection, split, features, target) for split in selection.splits}
        card = dataset_card(selection, features, {split: sizes for split, sizes in files.items() if sizes})
        target.write("README.md", card.encode())
        return {"Parquet files": sum(map(len, files.values()))}


def _features_of(selection: Selection) -> dict[str, Feature]:
    """The columns, chosen by what the labels are."""
    own = {
        name: value(_DTYPES[type(selection.images.schema[name])])
        for name in (*selection.keys, *selection.carried)
    }
    plain = {
        "image": IMAGE,
        "image_id": value("string"),
        "width": value("int32"),
        "height": value("int32"),
        "source": value("string"),
        "path": value("string"),
        "group_id": value("string"),
        "parent_id": value("string"),
        "captured_at": value("timestamp[us, tz=UTC]"),
        **own,
    }
    return plain | _class_features(selection) | _object_features(selection)


def _class_features(selection: Selection) -> dict[str, Feature]:
    labels = selection.annotations.filter(pl.col("shape") == "class").unique(["image_id", "label"])
    if not labels.height:
        return {}
    feature = class_label(selection.classes)
    several = labels.height > labels["image_id"].n_unique()
    return {"labels": list_of(feature)} if several else {"label": feature}


def _object_features(selection: Selection) -> dict[str, Feature]:
    if not selection.annotations.filter(pl.col("shape") != "class").height:
        return {}
    return {
        "objects": {
            "id": list_of(value("string")),
            "bbox": list_of(list_of(value("float64"))),
            "category": list_of(class_label(selection.classes)),
            "area": list_of(value("float64")),
            "is_crowd": list_of(value("bool")),
            "segmentation": list_of(list_of(list_of(value("float64")))),
            "rle": list_of(value("string")),
            "shape": list_of(value("string")),
        }
    }


def _write(selection: Selection, split: str, features: dict[str, Feature], target: Target) -> dict[str, int]:
    images, labels = selection.of(split)
    schema = arrow_schema(features)
    rows = pa.schema([field for field in schema if field.name != "image"], metadata=schema.metadata)
    table = _rows(images, labels, selection.classes, features).select(rows.names).to_arrow().cast(rows)
    pictures = zip(images["file_name"], target.pictures(images), strict=True)
    return write_split(target, split, table, pictures, features, units=selection.carried)


def _rows(
    images: pl.DataFrame, labels: pl.DataFrame, classes: tuple[str, ...], features: dict[str, Feature]
) -> pl.DataFrame:
    """`images` with the columns ``label`` or ``labels`` and ``objects``, as far as `features` has them."""
    numbered = labels.with_columns(
        category=pl.col("label").replace_strict(
            list(classes), list(range(len(classes))), default=None, return_dtype=pl.Int64
        )
    )
    known = pl.col("state") != "unlabelled"
    rows = images
    if "label" in features or "labels" in features:
        rows = rows.join(
            _class_labels(numbered), on="image_id", how="left", maintain_order="left"
        ).with_columns(
            label=pl.col("labels").list.first(),
            labels=pl.when(known).then(pl.col("labels").fill_null([])),
        )
    if "objects" in features:
        objects, names = _objects(numbered, images), list(features["objects"])
        rows = rows.join(objects, on="image_id", how="left", maintain_order="left").with_columns(
            objects=pl.when(known).then(pl.struct(pl.col(name).fill_null([]) for name in names))
        )
    return rows


def _class_labels(labels: pl.DataFrame) -> pl.DataFrame:
    return (
        labels.filter(pl.col("shape") == "class")
        .group_by("image_id")
        .agg(labels=pl.col("category").unique().sort())
    )


def _objects(labels: pl.DataFrame, images: pl.DataFrame) -> pl.DataFrame:
    """One row an image that has objects: a column of lists for each part of the struct."""
    drawn = labels.filter(pl.col("shape") != "class")
    drawn = drawn.join(
        images.select("image_id", image_width="width", image_height="height"),
        on="image_id",
        how="left",
        maintain_order="left",
    )
    return (
        drawn.with_columns(area=areas_of_labels(drawn))
        .group_by("image_id", maintain_order=True)
        .agg(
            id="annotation_id",
            bbox=pl.concat_list("x", "y", "width", "height"),
            category="category",
            area="area",
            is_crowd="is_crowd",
            segmentation="segmentation",
            rle="rle",
            shape="shape",
        )
    )


FORMAT = Format(
    "parquet",
    "Parquet in the layout of Hugging Face, pictures included, with a dataset card",
    reader=PARQUET,
    options=OPTIONS,
    evidence="Parquet files with a column of pictures",
    reads="the pictures; boxes, polygons, run lengths, classes of the whole image",
    reports="columns that hold no labels, further columns of pictures, rows without a picture",
    writer=ParquetWriter(),
    lost="nothing of the tables",
)
