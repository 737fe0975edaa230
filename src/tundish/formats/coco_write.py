"""COCO from the canonical tables: what pycocotools, and all that is built on it, reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import polars as pl
import pycocotools.mask

from tundish.formats.frames import polygon_areas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["write_coco"]

_KEY_POINTS = ("keypoints", "num_keypoints")


def write_coco(
    images: pl.DataFrame,
    annotations: pl.DataFrame,
    classes: Sequence[str],
    *,
    file_names: Mapping[str, str],
    description: str = "",
) -> bytes:
    """One COCO instances file; the same tables give the same bytes.

    Images are numbered from 1 by file name, annotations from 1 by image and then in the order given, and
    categories from 1 in the order of `classes`. Boxes have an empty ``segmentation``, polygons their rings,
    masks (crowds too) compressed counts, which pycocotools takes as it does lists. ``area`` is that of the
    box, the polygon or the mask. Labels of the whole image stand as ``category_ids`` with their image: an
    annotation needs a box. For tracing, images carry tundish_id, path and source, annotations
    annotation_id, score, author and attributes; key points among the attributes stand where COCO has them.

    Args:
        images: Rows of the images table.
        annotations: Rows of the annotations table, or others with its geometry, of these images.
        classes: The recipe's classes in their order.
        file_names: File name in the export by image_id.
        description: Goes into ``info``.

    Raises:
        ValueError: An annotation has an image that is not in `images` or a label that is not in `classes`.
    """
    images = images.with_columns(
        file_name=pl.col("image_id").replace_strict(file_names, return_dtype=pl.String)
    ).sort("file_name")
    images = images.with_columns(number=pl.int_range(1, pl.len() + 1))
    numbers = pl.DataFrame(
        {"label": classes, "category": range(1, len(classes) + 1)}, schema_overrides=_NUMBERS
    )
    rows = (
        annotations.join(
            images.select("image_id", number="number", image_width="width", image_height="height"),
            on="image_id",
            how="left",
            maintain_order="left",
        )
        .join(numbers, on="label", how="left", maintain_order="left")
        .sort("number", maintain_order=True)
    )
    if rows["number"].null_count() or rows["category"].null_count():
        raise ValueError("annotations are of images or classes that are not written")
    drawn = rows.filter(pl.col("shape") != "class")
    content = {
        "info": {"description": description},
        "licenses": [],
        "categories": [
            {"id": number, "name": name, "supercategory": ""} for number, name in enumerate(classes, 1)
        ],
        "images": _images(images, rows.filter(pl.col("shape") == "class")),
        "annotations": _annotations(drawn, _areas(drawn)),
    }
    return orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE)


_NUMBERS = {"label": pl.String, "category": pl.Int64}


def _images(images: pl.DataFrame, tags: pl.DataFrame) -> list[dict[str, Any]]:
    entries = images.select(
        "file_name", "width", "height", id="number", tundish_id="image_id", path="path", source="source"
    ).to_dicts()
    for number, category in tags.select("number", "category").iter_rows():
        entries[number - 1].setdefault("category_ids", []).append(category)
    return entries


def _areas(rows: pl.DataFrame) -> NDArray[np.float64]:
    areas = (rows["width"] * rows["height"]).to_numpy().copy()
    polygons = (rows["shape"] == "polygon").to_numpy()
    areas[polygons] = polygon_areas(rows["segmentation"].filter(rows["shape"] == "polygon"))
    masks = (rows["rle"].is_not_null() & (rows["shape"] == "mask")).to_numpy()
    if masks.any():
        coded = rows.filter(masks).select("image_height", "image_width", "rle").iter_rows()
        rles = [{"size": [height, width], "counts": counts.encode()} for height, width, counts in coded]
        areas[masks] = pycocotools.mask.area(rles)
    return areas


def _annotations(rows: pl.DataFrame, areas: NDArray[np.float64]) -> list[dict[str, Any]]:
    """The entries; columns are walked side by side, which is several times as fast as row dictionaries."""
    columns = rows.select(
        *("number", "category", "x", "y", "width", "height", "segmentation", "rle", "shape", "is_crowd"),
        *("image_height", "image_width", "annotation_id"),
        *(_or_null(rows, name, kind) for name, kind in _OPTIONAL.items()),
    ).to_dict(as_series=False)
    entries = []
    for number, (area, *values) in enumerate(zip(areas.tolist(), *columns.values(), strict=True), 1):
        image, category, x, y, width, height, rings, counts, shape, crowd, image_height, image_width = values[
            :12
        ]
        annotation_id, score, author, attributes = values[12:]
        segmentation: object = rings if shape == "polygon" and rings else []
        if shape == "mask" and counts is not None:
            segmentation = {"size": [image_height, image_width], "counts": counts}
        entry = {
            "id": number,
            "image_id": image,
            "category_id": category,
            "bbox": [x, y, width, height],
            "area": area,
            "iscrowd": int(crowd or 0),
            "segmentation": segmentation,
            "annotation_id": annotation_id,
        }
        if score is not None:
            entry["score"] = score
        if author is not None:
            entry["author"] = author
        if attributes:
            entry |= _attributes(attributes)
        entries.append(entry)
    return entries


_OPTIONAL = {"score": pl.Float64, "author": pl.String, "attributes": pl.String}


def _or_null(rows: pl.DataFrame, name: str, kind: type[pl.DataType]) -> pl.Expr:
    return pl.col(name) if name in rows.columns else pl.lit(None, kind).alias(name)


def _attributes(text: str) -> dict[str, Any]:
    """Attributes as they are, unparsed, but for key points, which COCO has beside them."""
    if '"keypoints"' not in text:
        return {"attributes": orjson.Fragment(text)}
    attributes = orjson.loads(text)
    beside = {key: attributes.pop(key) for key in _KEY_POINTS if key in attributes}
    return beside | ({"attributes": attributes} if attributes else {})
