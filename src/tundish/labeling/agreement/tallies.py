"""The counts behind measures of agreement: who saw which image, judged which object, and drew which pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from tundish.labeling.agreement.clusters import NOTHING, collect_units
from tundish.labeling.agreement.matching import match_labels, mirror_matches
from tundish.labeling.agreement.overlaps import authors_by_image, find_overlaps
from tundish.labeling.agreement.resampling import sum_by_image

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from tundish.imaging.geometry import Floats

__all__ = ["Tallies", "code_of", "count_coincidences", "count_tallies", "one_against_rest", "share"]


class Tallies(NamedTuple):
    """The counts behind measures of agreement, from the images that two authors or more saw.

    Attributes:
        images: The image_ids, sorted.
        names: The classes, sorted, and `NOTHING` last.
        seen: image_id, author, other (author before other in the alphabet); `some` and `other_some`, whether
            each drew something.
        objects: unit, image (index in `images`), label (index in `names`): an author's judgement of an
            object.
        presence: The same for images: unit and image are the same, label is 1 where the author drew
            something.
        matches: The pairs, as `match_labels` returns them.
        sides: A row for each label and other author: image_id, author, other, label; `paired`, whether it has
            a partner there, `same`, whether that is of its class, and their iou.
    """

    images: list[str]
    names: list[str]
    seen: pl.DataFrame
    objects: pl.DataFrame
    presence: pl.DataFrame
    matches: pl.DataFrame
    sides: pl.DataFrame


def count_tallies(
    labels: pl.DataFrame, sizes: pl.DataFrame, answers: pl.DataFrame | None, *, iou: float
) -> Tallies:
    """Count the tallies; arguments and errors as for `measure_agreement`."""
    found = find_overlaps(labels, sizes)
    matches = match_labels(found, answers, iou=iou)
    drew = found.labels.select("image_id", "author", some=pl.lit(value=True)).unique()
    known = authors_by_image(found, answers).join(drew, on=["image_id", "author"], how="left")
    known = known.with_columns(pl.col("some").fill_null(value=False))
    shared = known.filter(pl.len().over("image_id") > 1)
    images = shared["image_id"].unique().sort().to_list()
    names = [*found.labels["label"].unique().sort().to_list(), NOTHING]
    judged = collect_units(found, answers, iou=iou).filter(pl.len().over("unit") > 1)
    presence = shared.select(
        unit=code_of("image_id", images),
        image=code_of("image_id", images),
        label=pl.col("some").cast(pl.Int64),
    )
    return Tallies(
        images=images,
        names=names,
        seen=_by_two(shared),
        objects=judged.select("unit", image=code_of("image_id", images), label=code_of("label", names)),
        presence=presence,
        matches=matches,
        sides=_sides(matches),
    )


def code_of(column: str, names: list[str]) -> pl.Expr:
    """An expression for the index of each value of a column in `names`."""
    return pl.col(column).cast(pl.Enum(names)).to_physical().cast(pl.Int64)


def count_coincidences(ratings: pl.DataFrame, images: int, size: int) -> csr_array:
    """Count Krippendorff's coincidence matrix for each image.

    Args:
        ratings: unit, image, label: numbers; units with a single rating add nothing.
        images: Number of images.
        size: Number of different labels.

    Returns:
        The matrices, (images, size * size).
    """
    numbered = ratings.with_row_index("rating").with_columns(others=pl.len().over("unit") - 1)
    pairs = numbered.join(numbered.select("unit", "label", "rating"), on="unit").filter(
        pl.col("rating") != pl.col("rating_right")
    )
    cells = (pairs["label"] * size + pairs["label_right"]).to_numpy()
    return sum_by_image(
        pairs["image"].to_numpy(), cells, 1 / pairs["others"].to_numpy(), (images, size * size)
    )


def one_against_rest(tables: Floats, place: int) -> Floats:
    """Reduce tables (..., k, k) of classes to tables (..., 2, 2) of the class at `place` and all others."""
    this = tables[..., place, place]
    first, second = tables[..., place, :].sum(axis=-1) - this, tables[..., :, place].sum(axis=-1) - this
    rest = tables.sum(axis=(-2, -1)) - this - first - second
    return np.stack([np.stack([this, first], axis=-1), np.stack([second, rest], axis=-1)], axis=-2)


def share(part: Floats, whole: Floats) -> Floats:
    """Divide a part by the whole; NaN where the whole is 0."""
    none = np.full(np.shape(part), np.nan)
    return np.asarray(np.divide(part, whole, out=none, where=np.asarray(whole) > 0), dtype=np.float64)


def _by_two(shared: pl.DataFrame) -> pl.DataFrame:
    both = shared.join(shared.rename({"author": "other", "some": "other_some"}), on="image_id")
    return both.filter(pl.col("author") < pl.col("other")).sort("image_id", "author", "other")


def _sides(matches: pl.DataFrame) -> pl.DataFrame:
    rows = mirror_matches(matches).filter(pl.col("annotation_id").is_not_null())
    paired = pl.col("other_label").is_not_null()
    rows = rows.with_columns(paired=paired, same=paired & (pl.col("label") == pl.col("other_label")))
    # A crowd region may be paired with several labels, but counts once.
    keys = ["image_id", "author", "other", "annotation_id"]
    once = rows.group_by(keys).agg(
        pl.col("label").first(), pl.col("paired", "same").any(), pl.col("iou").max()
    )
    return once.sort(keys)
