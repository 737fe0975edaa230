"""Group labels of several authors by object: the units of agreement, reliability and consensus."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tundish.labeling.agreement.matching import assign_pairs, connected_groups, matching_weights
from tundish.labeling.agreement.overlaps import authors_by_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tundish.imaging.geometry import Floats
    from tundish.labeling.agreement.overlaps import Overlaps

__all__ = ["NOTHING", "UNITS", "cluster_labels", "collect_units"]

NOTHING = "(nothing)"
"""The label of an author who saw a unit's image and drew nothing there; no class can have this name."""

UNITS = {
    "unit": pl.Int64,
    "image_id": pl.String,
    "author": pl.String,
    "row": pl.Int64,
    "label": pl.String,
}
"""Columns that `collect_units` returns; `row` is the row in `Overlaps.labels`, null without a label."""


def collect_units(found: Overlaps, answers: pl.DataFrame | None = None, *, iou: float = 0.5) -> pl.DataFrame:
    """Collect the judgement of each author who saw an image about each object that anybody drew in it.

    An object that everybody missed is not a unit, nor is an image where nobody drew anything: agreement that
    there is nothing appears only in the comparison of images.

    Args:
        found: The labels and their overlaps.
        answers: image_id and author of who saw which image, as for `match_labels`.
        iou: The least IoU of labels of one object, as for `cluster_labels`.

    Returns:
        One row a judgement, columns `UNITS`, sorted by unit and author.
    """
    labels = found.labels
    drawn = labels.select("image_id", "author", "label").with_columns(
        unit=pl.Series(cluster_labels(found, iou)), row=pl.int_range(pl.len(), dtype=pl.Int64)
    )
    objects = drawn.select("unit", "image_id").unique()
    silent = objects.join(authors_by_image(found, answers), on="image_id").join(
        drawn, on=["unit", "author"], how="anti"
    )
    silent = silent.with_columns(row=pl.lit(None, pl.Int64), label=pl.lit(NOTHING))
    return pl.concat([drawn.select(*UNITS), silent.select(*UNITS)]).sort("unit", "author")


def cluster_labels(found: Overlaps, iou: float = 0.5) -> NDArray[np.int64]:
    """Group labels by the object that they mark.

    Two authors' labels are grouped as `match_labels` pairs them, crowd regions only with crowd regions. Where
    the pairs of several authors contradict each other, groups are joined in the order of their mean IoU
    (average linkage), as long as it reaches the threshold and no author is in both groups.

    Args:
        found: The labels and their overlaps.
        iou: The least IoU of two labels, and the least mean IoU of two groups, above 0 up to 1.

    Returns:
        The number of each label's object, (n,), from 0 in the order of the labels.

    Raises:
        UsageError: The threshold is not above 0 and up to 1.
    """
    count = found.labels.height
    chosen = assign_pairs(found, iou)
    first, second = found.first[chosen], found.second[chosen]
    groups = connected_groups(first, second, count)
    members, edges = np.bincount(groups, minlength=count), np.bincount(groups[first], minlength=count)
    # A group in which every two labels are a pair cannot have an author twice.
    torn = edges < members * (members - 1) // 2
    groups = _split(found, chosen, groups, torn, iou) if torn.any() else groups
    named, place, which = np.unique(groups, return_index=True, return_inverse=True)
    order = np.empty(len(named), np.int64)
    order[np.argsort(place)] = np.arange(len(named))
    return np.asarray(order[which], dtype=np.int64)


def _split(
    found: Overlaps, chosen: NDArray[np.bool_], groups: NDArray[np.int64], torn: NDArray[np.bool_], iou: float
) -> NDArray[np.int64]:
    """The groups, with those that are `torn` formed again from their labels."""
    rows = np.flatnonzero(torn[groups])
    rows = rows[_by_content(found.labels[rows], groups[rows])]
    place = np.full(len(groups), -1)
    place[rows] = np.arange(len(rows))
    inside = np.flatnonzero(torn[groups[found.first]] & (groups[found.first] == groups[found.second]))
    inside = inside[~found.mixed[inside]]
    inside = inside[np.argsort(groups[found.first[inside]], kind="stable")]
    authors = found.labels["author"].rank("dense").cast(pl.Int64).to_numpy()[rows]
    weight = matching_weights(found)
    bounds = [0, *(np.flatnonzero(np.diff(groups[rows])) + 1).tolist(), len(rows)]
    edge_groups = groups[found.first[inside]]
    result = groups.copy()
    for start, stop in pairwise(bounds):
        group = groups[rows[start]]
        edges = inside[slice(*np.searchsorted(edge_groups, [group, group + 1]))]
        overlap, linked = np.zeros((2, stop - start, stop - start))
        one, other = place[found.first[edges]] - start, place[found.second[edges]] - start
        overlap[one, other] = overlap[other, one] = weight[edges]
        linked[one, other] = linked[other, one] = chosen[edges]
        heads = _joined(overlap, linked > 0, authors[start:stop], iou)
        result[rows[start:stop]] = len(groups) + start + heads
    return result


def _by_content(labels: pl.DataFrame, groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order by group, then by the labels' content; the author decides only between equal ones."""
    keys = ["group", "shape", "x", "y", "width", "height", "label", "author", "annotation_id"]
    order = labels.with_columns(group=pl.Series(groups)).select(pl.arg_sort_by(keys)).to_series()
    return order.cast(pl.Int64).to_numpy()


def _joined(
    overlap: Floats, linked: NDArray[np.bool_], authors: NDArray[np.int64], iou: float
) -> NDArray[np.int64]:
    """The first member of each label's group: average linkage, no author twice, only along links."""
    count = len(authors)
    heads = np.arange(count)
    members = np.ones(count)
    alien = authors[:, None] == authors
    while True:
        mean = np.where(linked & ~alien, overlap / (members[:, None] * members), 0.0)
        one, other = divmod(int(mean.argmax()), count)
        if mean[one, other] < iou:
            return heads
        for table, gone in ((overlap, 0.0), (linked, False), (alien, True)):
            table[one] = table[one] + table[other]
            table[:, one] = table[one]
            table[other] = table[:, other] = gone
        alien[one, one] = True
        members[one] += members[other]
        heads[heads == other] = one
