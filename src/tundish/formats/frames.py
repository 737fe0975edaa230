"""From labels to rows of the annotations table, ragged lists to arrays and back, and areas."""

from __future__ import annotations

from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import polars as pl
import pyarrow as pa

from tundish.formats.base import Label
from tundish.formats.reading.collector import collector_paused
from tundish.formats.reading.fault import shown
from tundish.imaging.geometry import areas_of_counts
from tundish.storage.tables import ANNOTATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from tundish.formats.base import Reading, Selection

__all__ = ["areas_of_labels", "labels_to_frame", "nothing_drawn", "polygon_areas"]


def labels_to_frame(reading: Reading, source: str) -> pl.DataFrame:
    r"""The labels of a source as rows of the annotations table, in the order read.

    `label` is null until the classes of the recipe are known, `valid` is true until a check fails. The
    annotation_id is the first 32 hex digits of the SHA-256 of ``source\0label_path\0row``.
    """
    with collector_paused():
        return _frame(reading.labels, source)


def _frame(labels: Sequence[Label], source: str) -> pl.DataFrame:
    count = len(labels)
    columns: dict[str, Any] = dict.fromkeys(Label._fields, ())
    columns |= zip(Label._fields, zip(*labels, strict=True), strict=False)
    columns |= {
        "annotation_id": _ids(source, columns["label_path"], columns["label_row"]),
        "image_id": [image.image_id for image in columns["image"]],
        "path": [image.path for image in columns["image"]],
        "source": pa.repeat(pa.scalar(source, pa.string()), count),
        "label": pa.nulls(count, pa.string()),
        "segmentation": _nested(columns["segmentation"]),
        "origin": pa.repeat(pa.scalar("import", pa.string()), count),
        "attributes": [_attributes(attributes) for attributes in columns["attributes"]],
        "valid": pa.repeat(pa.scalar(value=True), count),
    }
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, field.type)
        for field, column in ((field, columns[field.name]) for field in ANNOTATIONS.schema)
    ]
    frame = pl.from_arrow(pa.table(arrays, schema=ANNOTATIONS.schema))
    assert isinstance(frame, pl.DataFrame)
    return frame


def polygon_areas(segmentation: pl.Series) -> NDArray[np.float64]:
    """Areas (n,) of a column of polygons, px², rings taken not to overlap; 0 where there is none."""
    areas = np.zeros(len(segmentation))
    rows = pl.DataFrame({"row": np.arange(len(segmentation)), "ring": segmentation})
    rings = rows.explode("ring").filter(pl.col("ring").list.len() >= 6, pl.col("ring").list.len() % 2 == 0)
    if rings.is_empty():
        return areas
    lengths = rings["ring"].list.len().cast(pl.Int64).to_numpy() // 2
    points = rings["ring"].explode().to_numpy().reshape(-1, 2)
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    # Relative to the ring's first vertex: far from the origin the products would swallow small differences.
    x, y = (points - np.repeat(points[first], lengths, axis=0)).T
    following = np.arange(1, len(points) + 1)
    following[first + lengths - 1] = first
    twice = np.add.reduceat(x * y[following] - y * x[following], first)
    np.add.at(areas, rings["row"].to_numpy(), np.abs(twice) / 2)
    return areas


def areas_of_labels(
    labels: pl.DataFrame, areas_of_polygons: Callable[[pl.Series], NDArray[np.float64]] = polygon_areas
) -> pl.Series:
    """Area of each label, px²: of its mask, its rings or its box; of a label of the whole image, the image's.

    Args:
        labels: Rows of the annotations table with the size of their image, image_width and image_height (px).
        areas_of_polygons: Gives the areas of a column of polygons.
    """
    shapes = labels["shape"].to_numpy()
    areas = (labels["width"] * labels["height"]).to_numpy().copy()
    polygons = shapes == "polygon"
    areas[polygons] = areas_of_polygons(labels["segmentation"].filter(pl.Series(polygons)))
    masks = (shapes == "mask") & labels["rle"].is_not_null().to_numpy()
    if masks.any():
        rles = labels.filter(pl.Series(masks)).select("rle", "image_width", "image_height")
        areas[masks] = areas_of_counts(rles.rows())
    whole = labels["image_width"].cast(pl.Float64) * labels["image_height"]
    return pl.Series("area", np.where(shapes == "class", whole.to_numpy(), areas), dtype=pl.Float64)


def _ids(source: str, paths: Sequence[str], rows: Sequence[int]) -> list[str]:
    places = (f"{source}\0{path}\0{row}".encode() for path, row in zip(paths, rows, strict=True))
    return [sha256(place).hexdigest()[:32] for place in places]


def _attributes(attributes: Mapping[str, object]) -> str | None:
    if not attributes:
        return None
    try:
        return orjson.dumps(dict(attributes), option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # somewhere is a number beyond 64 bits, or nesting beyond 254
        kept = {key: value if _fits(value) else shown(value) for key, value in attributes.items()}
        return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()


def _fits(value: object) -> bool:
    try:
        orjson.dumps({"": value})
    except TypeError:
        return False
    return True


def _nested(polygons: Sequence[list[list[float]] | None]) -> pa.Array:
    """Lists of lists as Arrow builds them slowest, from flat values and offsets, which it only copies."""
    rings = list(chain.from_iterable(polygon for polygon in polygons if polygon is not None))
    values = pa.array(chain.from_iterable(rings), pa.float64(), size=sum(map(len, rings)))
    inner = pa.ListArray.from_arrays(_offsets([len(ring) for ring in rings]), values)
    outer = _offsets([len(polygon) if polygon is not None else 0 for polygon in polygons])
    missing = pa.array([polygon is None for polygon in polygons], pa.bool_())
    return pa.ListArray.from_arrays(outer, inner, mask=missing)


def _offsets(lengths: Sequence[int]) -> pa.Array:
    return pa.array(np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int32))


def nothing_drawn(selection: Selection) -> str | None:
    """Why a format of boxes, polygons and masks has nothing to say of a selection; None where it has.

    Args:
        selection: What is exported.
    """
    labels, states = selection.annotations, set(selection.images["state"])
    if (labels["shape"] != "class").any():
        return None
    if labels.height:
        return f"its {labels.height:,} labels are classes of whole images, and none is a box, polygon or mask"
    if not states:
        return "no image is in a split"
    if states == {"unlabelled"}:
        return "no image is labelled, and without labels all would pass for negatives"
    return "no image has a label, so that all would be negatives"
