"""Merge the labels that came with the files, where label files hold several people's answers to one image.

The same quorum decides as for answers that were pulled. Files are judged one by one: copies of an image may
have been labelled by others.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from tundish.labeling.consensus.merge import merge_labels
from tundish.storage.tables import CONSENSUS, DISPUTES

__all__ = ["Imported", "merge_imported"]

_KEY = pl.concat_str("source", "path", separator="\0")


class Imported(NamedTuple):
    """The labels that came with the files.

    Attributes:
        rows: Rows of the consensus table.
        states: source, path, `answered` (labelled, negative, disputed or rejected) and `by` (annotators) of
            the files that several people answered.
        disputes: Rows of the disputes table; `unit` counts from 0.
    """

    rows: pl.DataFrame
    states: pl.DataFrame
    disputes: pl.DataFrame


def merge_imported(
    labels: pl.DataFrame, judgements: pl.DataFrame, sizes: pl.DataFrame, *, quorum: float, iou: float
) -> Imported:
    """Merge the labels of files with several authors; all others stay as they are.

    Args:
        labels: Valid rows of the annotations table that came with the files.
        judgements: Rows of the judgements table, of the same images.
        sizes: image_id, width, height (px).
        quorum: The least share of the authors, above 0 up to 1.
        iou: The least IoU of labels of one object, above 0 up to 1.
    """
    heard = judgements.filter(pl.col("answer") != "cancelled").with_columns(
        pl.col("author").fill_null("annotator"), key=_KEY
    )
    several = heard.filter(pl.col("author").n_unique().over("key") > 1)
    files = (
        several.with_columns(by=pl.lit("annotators"))
        .unique("key", maintain_order=True)
        .select("key", "source", "path", "image_id", "by")
    )
    own = labels.join(files, on=["source", "path"], how="semi", maintain_order="left")
    merged = merge_labels(
        own.with_columns(pl.col("author").fill_null("annotator"), image_id=_KEY),
        files.join(sizes, on="image_id").select("width", "height", image_id="key"),
        several.select("author", image_id="key"),
        quorum=quorum,
        iou=iou,
    )
    rest = labels.join(files, on=["source", "path"], how="anti", maintain_order="left").with_columns(
        votes=pl.lit(None, pl.Int32), agreement=pl.lit(None, pl.Float64), decided_by=pl.lit("import")
    )
    back = files.select(pl.col("key").alias("image_id"), pl.col("image_id").alias("own_id"))
    disputes = (
        merged.disputes.join(back, on="image_id", maintain_order="left")
        .with_columns(pl.col("unit").cast(pl.Int32), image_id="own_id", settled_by=pl.lit(None, pl.String))
        .select(DISPUTES.schema.names)
    )
    rows = [rest.select(CONSENSUS.schema.names), _agreed(merged.agreed, back, own)]
    return Imported(pl.concat(rows), _states(merged.images, files, several, own), disputes)


def _agreed(agreed: pl.DataFrame, back: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Agreed labels as rows of the consensus table; one that nobody else drew keeps its place in its file."""
    places = labels.select("annotation_id", "raw_label", "score", "label_path", "label_row")
    return (
        agreed.join(back, on="image_id", maintain_order="left")
        .join(places, on="annotation_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("decided_by").list.join(", "),
            pl.col("votes").cast(pl.Int32),
            pl.col("raw_label").fill_null(pl.col("label")),
            image_id="own_id",
            origin=pl.lit("import"),
            valid=pl.lit(value=True),
        )
        .with_columns(author="decided_by")
        .select(CONSENSUS.schema.names)
    )


def _states(
    images: pl.DataFrame, files: pl.DataFrame, judgements: pl.DataFrame, labels: pl.DataFrame
) -> pl.DataFrame:
    """The states; a label that was refused was drawn nevertheless: its image is not a negative."""
    sound = labels.group_by("source", "path").agg(sound=pl.len())
    drawn = judgements.group_by("source", "path").agg(pl.col("labels", "refused").sum())
    lost = drawn.join(sound, on=["source", "path"], how="left").select(
        "source",
        "path",
        lost=(pl.col("refused") > 0) | (pl.col("labels") > pl.col("sound").fill_null(0)),
    )
    negative = pl.col("state") == "negative"
    return (
        files.join(images.select("state", key="image_id"), on="key", maintain_order="left")
        .join(lost, on=["source", "path"], how="left", maintain_order="left")
        .select(
            *("source", "path", "by"),
            answered=pl.when(negative & pl.col("lost")).then(pl.lit("rejected")).otherwise("state"),
        )
    )
