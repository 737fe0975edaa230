"""Export as Parquet in the Hugging Face layout: one row an image, with its labels beside it."""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from tundish.engine import each
from tundish.formats.frames import polygon_areas
from tundish.formats.parquet import (
    IMAGE,
    Feature,
    arrow_schema,
    class_label,
    list_of,
    value,
    write_split,
)
from tundish.imaging.geometry import area_of_counts
from tundish.stages.export.card import dataset_card
from tundish.stages.export.images import InOrder, upright

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.stages.base import Context
    from tundish.stages.export.selection import Selection

__all__ = ["export_parquet"]

_DTYPES = {
    pl.String: "string",
    pl.Int32: "int32",
    pl.Int64: "int64",
    pl.Float64: "float64",
    pl.Boolean: "bool",
    pl.Datetime: "timestamp[us, tz=UTC]",
}


def export_parquet(context: Context, selection: Selection) -> dict[str, int]:
    """Write ``exports/parquet`` anew and put it in the place of the old one; returns counts."""
    folder = context.dataset.exports / "parquet"
    building = context.dataset.exports / ".parquet.tmp"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    features = _features_of(selection)
    files = {split: _write(context, selection, split, features, building) for split in selection.splits}
    card = dataset_card(
        context, selection, features, {split: names for split, names in files.items() if names}
    )
    (building / "README.md").write_text(card, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    building.replace(folder)
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


def _write(
    context: Context, selection: Selection, split: str, features: dict[str, Feature], folder: Path
) -> list[Path]:
    images, labels = selection.of(split)
    schema = arrow_schema(features)
    rows = pa.schema([field for field in schema if field.name != "image"], metadata=schema.metadata)
    table = _rows(images, labels, selection.classes, features).select(rows.names).to_arrow().cast(rows)
    with tempfile.TemporaryFile(dir=folder) as scratch:
        data = InOrder(images, context.dataset.root, scratch)
        turned = zip(images["file_name"], images["orientation"], data, strict=True)
        blobs = each(lambda item: (item[0], upright(item[2], item[1])), turned)
        return [
            folder / name
            for name in write_split(folder, split, table, blobs, features, units=selection.carried)
        ]


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
        drawn.with_columns(_areas(drawn))
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


def _areas(labels: pl.DataFrame) -> pl.Series:
    """px²: of the mask, of the rings, else of the box."""
    boxes = (labels["width"] * labels["height"]).to_list()
    rings = polygon_areas(labels["segmentation"])
    sizes = labels.select("shape", "rle", "image_width", "image_height").iter_rows()
    areas = [
        area_of_counts(rle, width, height) if shape == "mask" else float(ring) if shape == "polygon" else box
        for (shape, rle, width, height), ring, box in zip(sizes, rings, boxes, strict=True)
    ]
    return pl.Series("area", areas, pl.Float64)
