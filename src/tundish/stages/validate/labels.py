"""Validate labels: name their class, measure them in their image, clip rounding errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tundish.formats.frames import areas_of_labels
from tundish.imaging.geometry import area_of_polygon
from tundish.recipe.classes import normalise
from tundish.rules.check import check
from tundish.storage.quarantine import OMITTED, quarantine_rows

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandera.polars as pa
    from numpy.typing import NDArray

    from tundish.recipe.sections import Annotations

__all__ = ["check_labels"]

_ROUNDING = 1e-6
"""px; less than this is floating-point rounding, and not reported."""


def check_labels(
    labels: pl.DataFrame, images: pl.DataFrame, model: type[pa.DataFrameModel], section: Annotations
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Name the classes of labels, clip labels to their images, and check them.

    Args:
        labels: Rows of the annotations table as the formats read them.
        images: image_id, width, height (px) of their images, one row each.
        model: The Pandera model of a label.
        section: The section of the recipe, for the classes.

    Returns:
        The labels with `label` and `valid` set and rounding clipped, and the breaches as quarantine rows.
    """
    named = _name_classes(labels, section)
    measured = _measure_labels(named, images)
    failures = check(model, measured)
    bad = failures.filter(pl.col("severity") == "error")["row"].unique()
    valid = ~pl.Series(np.isin(np.arange(measured.height), bad.to_numpy()), dtype=pl.Boolean)
    cut = (measured["overshoot"] > 0) & valid
    rows = _clip_to_image(measured, cut).with_columns(valid=valid).select(labels.columns)
    faults = [
        _quarantine(measured, failures, {normalise(name) for name in section.omit}),
        _report_clipped(measured, cut & (measured["overshoot"] > _ROUNDING)),
    ]
    return rows, pl.concat(faults)


def _name_classes(labels: pl.DataFrame, section: Annotations) -> pl.DataFrame:
    lookup = section.lookup()
    spellings = labels["raw_label"].unique().drop_nulls().to_list()
    classes = {spelling: lookup.get(normalise(spelling)) for spelling in spellings}
    return labels.with_columns(
        label=pl.col("raw_label").replace_strict(classes, default=None, return_dtype=pl.String)
        if classes
        else pl.lit(None, pl.String)
    )


def _measure_labels(labels: pl.DataFrame, images: pl.DataFrame) -> pl.DataFrame:
    """Labels with what the model checks: overshoot, short_side, area, copy; and the size of the image."""
    sizes = images.select(
        "image_id", pl.col("width").alias("image_width"), pl.col("height").alias("image_height")
    )
    joined = labels.join(sizes, on="image_id", how="left", maintain_order="left")
    whole = pl.col("shape") == "class"
    right, lower = pl.col("x") + pl.col("width"), pl.col("y") + pl.col("height")
    out = pl.max_horizontal(
        -pl.col("x"), -pl.col("y"), right - pl.col("image_width"), lower - pl.col("image_height"), 0.0
    )
    # A label that an annotator repeats from the files, or from another annotator, is not a repeat.
    answer = pl.when(pl.col("origin") == "annotator").then("label_path")
    same = ["source", "path", answer, "raw_label", "shape", "x", "y", "width", "height", "rle", "ring_text"]
    return (
        joined.with_columns(
            overshoot=pl.when(whole).then(0.0).otherwise(out),
            short_side=pl.when(whole).then(1.0).otherwise(pl.min_horizontal("width", "height")),
            area=areas_of_labels(joined, _areas_of_polygons),
            ring_text=pl.col("segmentation")
            .list.eval(pl.element().cast(pl.List(pl.String)).list.join(" "))
            .list.join(";"),
        )
        .with_columns(copy=pl.int_range(pl.len(), dtype=pl.Int32).over(same))
        .drop("ring_text")
    )


def _areas_of_polygons(segmentation: pl.Series) -> NDArray[np.float64]:
    """Areas one by one: sums by column would differ in the last digit, which quarantine shows."""
    return np.array([area_of_polygon(rings) for rings in segmentation.to_list()], dtype=np.float64)


def _clip_to_image(labels: pl.DataFrame, which: pl.Series) -> pl.DataFrame:
    """Clip boxes and rings of the rows in `which` to their image; every vertex is kept."""
    if not which.any():
        return labels
    left, top = pl.col("x").clip(lower_bound=0.0), pl.col("y").clip(lower_bound=0.0)
    right = pl.min_horizontal(pl.col("x") + pl.col("width"), pl.col("image_width").cast(pl.Float64))
    lower = pl.min_horizontal(pl.col("y") + pl.col("height"), pl.col("image_height").cast(pl.Float64))
    edges = {"x": left, "y": top, "width": right - left, "height": lower - top}
    rings = labels["segmentation"].to_list()
    for index in which.arg_true():
        if rings[index] is not None:
            size = labels["image_width"][index], labels["image_height"][index]
            rings[index] = [_clip_ring(ring, size) for ring in rings[index]]
    return labels.with_columns(
        *(pl.when(which).then(edge).otherwise(pl.col(name)).alias(name) for name, edge in edges.items()),
        pl.Series("segmentation", rings, dtype=labels.schema["segmentation"]),
    )


def _clip_ring(ring: list[float], size: tuple[int, int]) -> list[float]:
    points = np.asarray(ring, np.float64).reshape(-1, 2)
    limited: list[float] = np.clip(points, 0.0, np.asarray(size, np.float64)).ravel().tolist()
    return limited


def _quarantine(labels: pl.DataFrame, failures: pl.DataFrame, omitted: Collection[str]) -> pl.DataFrame:
    places = labels.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"),
        pl.col("annotation_id").alias("id"),
        "source",
        "path",
        "label_path",
        "label_row",
        "raw_label",
    )
    unnamed = pl.col("check") == "unknown_class"
    nameless = unnamed & (pl.col("raw_label") == "")
    left_out = [name for name in labels["raw_label"].unique().drop_nulls() if normalise(name) in omitted]
    decided = unnamed & pl.col("raw_label").is_in(left_out)
    return quarantine_rows(
        "annotation",
        failures.join(places, on="row", how="left", maintain_order="left"),
        path="label_path",
        row="label_row",
        check=pl.when(nameless)
        .then(pl.lit("no_label"))
        .when(decided)
        .then(pl.lit(OMITTED))
        .otherwise("check"),
        value=pl.when(unnamed).then("raw_label").otherwise("value"),
        message=pl.when(nameless)
        .then(pl.lit("the region has no label"))
        .when(decided)
        .then(pl.format("the recipe omits the class '{}'", "raw_label"))
        .when(unnamed)
        .then(pl.format("the recipe has no class '{}'", "raw_label"))
        .otherwise("message"),
    )


def _report_clipped(labels: pl.DataFrame, which: pl.Series) -> pl.DataFrame:
    message = "the label extended {} px beyond the image and was clipped"
    return quarantine_rows(
        "annotation",
        labels.filter(which),
        id="annotation_id",
        path="label_path",
        row="label_row",
        check=pl.lit("clipped"),
        column=pl.lit("overshoot"),
        value="overshoot",
        message=pl.format(message, pl.col("overshoot").round_sig_figs(3)),
        severity=pl.lit("warning"),
    )
