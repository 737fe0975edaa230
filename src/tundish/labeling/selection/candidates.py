"""The images that may be labelled next, their features, and a model's scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from tundish.errors import SourceError
from tundish.imaging.descriptor import DESCRIPTOR_LENGTH, describe
from tundish.imaging.framehash import THUMBNAIL_SIDE
from tundish.labeling.selection.strategies import Scores
from tundish.storage.table import read_named

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["candidates", "features_of", "read_scores"]

_QUALITY = ("sharpness", "brightness", "contrast", "clipped_dark", "clipped_bright")
_BATCH = 1024


def candidates(images: pl.DataFrame, known: Collection[str], duplicates: pl.DataFrame) -> pl.DataFrame:
    """Valid images without known labels, of which no copy has any either; one of each cluster of copies.

    Args:
        images: Rows of the images table.
        known: Images that are labelled or answered.
        duplicates: The duplicates table.

    Returns:
        Rows of `images`, by image_id; of a cluster its representative where that is among them.
    """
    cluster = duplicates.select("image_id", "cluster_id").unique("image_id")
    rows = (
        images.filter("valid")
        .join(cluster, on="image_id", how="left")
        .with_columns(cluster_id=pl.coalesce("cluster_id", "image_id"))
    )
    named = pl.DataFrame({"image_id": sorted(known)}, schema={"image_id": pl.String})
    taken = named.join(cluster, on="image_id", how="left").select(
        cluster_id=pl.coalesce("cluster_id", "image_id")
    )
    return (
        rows.join(taken, on="cluster_id", how="anti")
        .sort(pl.col("image_id") != pl.col("cluster_id"), "image_id")
        .unique("cluster_id", keep="first", maintain_order=True)
        .drop("cluster_id")
        .sort("image_id")
    )


def features_of(parts: Sequence[Path], image_ids: Sequence[str]) -> NDArray[np.float32]:
    """Descriptors and measured qualities of images, a row each in the order given.

    Args:
        parts: Files of the features table.
        image_ids: The images; all must be measured and decodable.
    """
    place = {image_id: row for row, image_id in enumerate(image_ids)}
    found = np.zeros((len(image_ids), DESCRIPTOR_LENGTH + len(_QUALITY)), np.float32)
    columns = ["image_id", "thumbnail", *_QUALITY]
    for part in parts:
        # Without pre_buffer: Arrow would hold the thumbnails of a whole part at once.
        for batch in pq.ParquetFile(part, pre_buffer=False).iter_batches(_BATCH, columns=columns):
            rows = pl.DataFrame(batch).filter(pl.col("image_id").is_in(place.keys()))
            if rows.height:
                found[[place[image_id] for image_id in rows["image_id"]]] = _features(rows)
    return found


def _features(rows: pl.DataFrame) -> NDArray[np.float32]:
    pixels = np.frombuffer(b"".join(rows["thumbnail"]), np.uint8)
    sharpness, brightness, contrast, dark, bright = rows.select(_QUALITY).to_numpy().T
    # Shares and variances are skewed; on these scales a step means about the same everywhere.
    quality = (np.log1p(sharpness), brightness, contrast, np.sqrt(dark), np.sqrt(bright))
    described = describe(pixels.reshape(-1, THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return np.column_stack([described, *quality]).astype(np.float32)


def read_scores(file: Path) -> Scores:
    """A model's scores: image_id and a column a class, or image_id, label and score, one row a prediction.

    Where the scores of an image sum to one, its doubt is one less the margin of the two best: entropy would
    be raised by many classes that are all unlikely. Otherwise the scores are independent, and the image's
    doubt is that of its most doubtful one, 1 - |2 score - 1|: one box that may be wrong makes an image worth
    a look.

    Args:
        file: A Parquet table.

    Raises:
        SourceError: The file is not such a table, or a score is not from 0 to 1.
    """
    table = read_named(file)
    by_row = {"label", "score"} <= set(table.columns)
    names = ["score"] if by_row else [name for name in table.columns if name != "image_id"]
    wrong = [name for name in names if not table.schema[name].is_numeric()]
    if "image_id" not in table.columns or not names or wrong:
        what = f"its column '{wrong[0]}' does not hold numbers" if wrong else "it lacks image_id or scores"
        raise SourceError(
            f"not a table of scores: {what}",
            where=str(file),
            fix="write image_id and a column of scores a class, or image_id, label and score",
        )
    table = table.drop_nulls("image_id").with_columns(pl.col("image_id").cast(pl.String))
    bad = table.filter(pl.any_horizontal(~pl.col(names).is_between(0, 1).fill_null(value=False)))
    if bad.height:
        raise SourceError(
            f"{bad.height:,} of its rows have a score that is missing or not from 0 to 1",
            where=str(file),
            fix="write probabilities",
        )
    return _by_prediction(table) if by_row else _by_class(table, names, file)


def _by_prediction(table: pl.DataFrame) -> Scores:
    rows = table.select(
        "image_id", pl.col("label").cast(pl.String).fill_null(""), pl.col("score").cast(pl.Float64)
    )
    doubts = rows.group_by("image_id").agg(doubt=(1 - (2 * pl.col("score") - 1).abs()).max()).sort("image_id")
    classes = tuple(sorted(set(rows["label"]) - {""}))
    place = {name: column for column, name in enumerate(classes)}
    index = {image_id: row for row, image_id in enumerate(doubts["image_id"])}
    values = np.zeros((doubts.height, len(classes)))
    best = rows.filter(pl.col("label") != "").group_by("image_id", "label").agg(pl.col("score").max())
    for image_id, name, score in best.iter_rows():
        values[index[image_id], place[name]] = score
    measure = "the most doubtful prediction, 1 - |2 score - 1|"
    return Scores(tuple(doubts["image_id"]), classes, values, doubts["doubt"].to_numpy(), measure)


def _by_class(table: pl.DataFrame, names: Sequence[str], file: Path) -> Scores:
    if table["image_id"].n_unique() < table.height:
        raise SourceError(
            "an image has several rows of class scores",
            where=str(file),
            fix="write one row an image, or the columns label and score",
        )
    rows = table.sort("image_id")
    values = rows.select(pl.col(names).cast(pl.Float64)).to_numpy()
    if len(names) > 1 and bool(np.all(np.abs(values.sum(1) - 1) < 1e-3)):
        ranked = np.sort(values, axis=1)
        doubts, measure = 1 - (ranked[:, -1] - ranked[:, -2]), "1 - margin of the two best classes"
    else:
        doubts, measure = (1 - np.abs(2 * values - 1)).max(1), "the most doubtful class, 1 - |2 score - 1|"
    return Scores(tuple(rows["image_id"]), tuple(names), values, doubts, measure)
