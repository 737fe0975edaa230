"""What is known of each image file by its imported labels; a negative and an unlabelled one differ."""

from __future__ import annotations

import polars as pl

from tundish.storage.quarantine import OMITTED
from tundish.storage.tables import COVERAGE

__all__ = ["NO_LOSS", "coverage_of"]

NO_LOSS = (OMITTED, "repeated", "tiny")
"""Checks that refuse a label and lose no object: a repeat, a decision, a speck too small to see."""


def coverage_of(
    good: pl.DataFrame, labels: pl.DataFrame, breaches: pl.DataFrame, covered: pl.DataFrame
) -> pl.DataFrame:
    """The state of every valid image file.

    An image with only refused labels is not a negative, unless all of them are of classes that the recipe
    omits. An image with labels of which one more was refused is incomplete, if that one may be a real object.

    Args:
        good: Valid image files: source, path, image_id, given_split.
        labels: All labels, in the columns of the annotations table.
        breaches: Faults of these labels as quarantine rows.
        covered: By (source, path), whether label files mention the file, and whether a label of it was
            refused when they were read: covered, refused.

    Returns:
        Rows of the coverage table.
    """
    errors = breaches.filter(pl.col("severity") == "error").select(annotation_id="id", check="check")
    # Several faults of one label: it is a loss only if none of them says that it is not.
    lost = errors.group_by("annotation_id").agg(lost=~pl.col("check").is_in(NO_LOSS).any())
    omitted = errors.filter(pl.col("check") == OMITTED)["annotation_id"].unique()
    imported = labels.filter(pl.col("origin").ne_missing("annotator"))
    counts = (
        imported.join(lost, on="annotation_id", how="left", maintain_order="left")
        .with_columns(omitted=pl.col("annotation_id").is_in(omitted.implode()))
        .group_by("source", "path")
        .agg(
            labels=pl.col("valid").sum().cast(pl.Int32),
            judged=(~pl.col("valid") & ~pl.col("omitted")).any(),
            lost=pl.col("lost").fill_null(value=False).any(),
        )
    )
    refused = pl.col("refused").fill_null(value=False)
    state = (
        pl.when((pl.col("labels") > 0) & (refused | pl.col("lost").fill_null(value=False)))
        .then(pl.lit("incomplete"))
        .when(pl.col("labels") > 0)
        .then(pl.lit("labelled"))
        .when(refused | pl.col("judged").fill_null(value=False))
        .then(pl.lit("rejected"))
        .when(pl.col("covered").fill_null(value=False))
        .then(pl.lit("negative"))
        .otherwise(pl.lit("unlabelled"))
    )
    return (
        good.select("path", "source", "image_id", "given_split")
        .join(counts, on=["source", "path"], how="left")
        .join(covered, on=["source", "path"], how="left")
        .with_columns(pl.col("labels").fill_null(0), state=state)
        .select(COVERAGE.schema.names)
    )
