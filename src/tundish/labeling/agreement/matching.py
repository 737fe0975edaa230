"""Match the labels of two authors of an image: the assignment with the largest total overlap."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import scipy

from tundish.errors import UsageError
from tundish.labeling.agreement.overlaps import authors_by_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tundish.imaging.geometry import Floats
    from tundish.labeling.agreement.overlaps import Overlaps

__all__ = [
    "MATCHES",
    "assign_pairs",
    "connected_groups",
    "match_labels",
    "matching_weights",
    "mirror_matches",
]

MATCHES = {
    "image_id": pl.String,
    "author": pl.String,
    "other": pl.String,
    "annotation_id": pl.String,
    "other_annotation_id": pl.String,
    "label": pl.String,
    "other_label": pl.String,
    "iou": pl.Float64,
}
"""Columns that `match_labels` returns; those of a label are null where its author drew nothing there."""

_SAME_LABEL = 1e-6
"""IoU added to pairs of one class, so that they win among pairs that overlap equally well."""


def match_labels(found: Overlaps, answers: pl.DataFrame | None = None, *, iou: float = 0.5) -> pl.DataFrame:
    """Pair the labels of each two authors of an image.

    The assignment gives every label at most one partner and maximises the sum of IoU; pairs below the
    threshold are not considered. It depends neither on the order of the labels nor on that of the authors.
    Classes decide only between equal overlaps, so that confusions show. Crowd regions are assigned to crowd
    regions; a label without a partner that lies in another author's crowd region is paired with it, however
    many do.

    Args:
        found: The labels and their overlaps.
        answers: image_id and author of who saw which image. Without it, only authors who drew something count
            as having seen an image, and an image that an author left empty goes unnoticed.
        iou: The least IoU of a pair, above 0 up to 1.

    Returns:
        Columns `MATCHES`, sorted: a row for each pair, and one for each label without a partner and each
        other author who saw the image; `author` comes before `other` in the alphabet.

    Raises:
        UsageError: The threshold is not above 0 and up to 1.
    """
    chosen = assign_pairs(found, iou, crowds=True)
    first, second = found.first[chosen], found.second[chosen]
    paired = _side(found.labels, first, "").hstack(
        _side(found.labels, second, "other_").drop("image_id", "other_row")
    )
    paired = paired.with_columns(iou=pl.Series(found.iou[chosen], dtype=pl.Float64)).drop("row")
    alone = _alone(found, authors_by_image(found, answers), first, second)
    columns = [pl.col(name).cast(kind) for name, kind in MATCHES.items()]
    return pl.concat([paired.select(columns), alone.select(columns)]).sort(
        "image_id", "author", "other", "annotation_id", "other_annotation_id", nulls_last=True
    )


def mirror_matches(matches: pl.DataFrame) -> pl.DataFrame:
    """Repeat each row of `match_labels` with `author` and `other` swapped."""
    return pl.concat([matches, _swap_sides(matches)])


def assign_pairs(found: Overlaps, iou: float, *, crowds: bool = False) -> NDArray[np.bool_]:
    """Assign labels to each other, two authors at a time.

    Args:
        found: The labels and their overlaps.
        iou: The least IoU of a pair, above 0 up to 1.
        crowds: Whether to pair remaining labels with the crowd region that they lie in.

    Returns:
        Which of the overlaps are pairs, (n,).

    Raises:
        UsageError: The threshold is not above 0 and up to 1.
    """
    if not 0 < iou <= 1:
        raise UsageError(
            f"an IoU threshold of {iou:g} is out of range", where="iou", fix="give one above 0, up to 1"
        )
    weight = matching_weights(found)
    able = found.iou >= iou
    chosen = np.zeros(len(able), dtype=np.bool_)
    single = np.flatnonzero(able & ~found.mixed)
    left, right = _ends(found)
    chosen[single[_assign(left[single], right[single], weight[single])]] = True
    if crowds:
        taken = np.concatenate([left[chosen], right[chosen]])
        chosen[_in_crowds(found, able & found.mixed, weight, taken)] = True
    return chosen


def matching_weights(found: Overlaps) -> Floats:
    """The IoU (n,) of each overlap, slightly larger where the classes are the same."""
    codes = found.labels["label"].rank("dense").to_numpy()
    same = codes[found.first] == codes[found.second]
    return np.asarray(found.iou + _SAME_LABEL * same, dtype=np.float64)


def connected_groups(first: NDArray[np.int64], second: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Number the connected component of each of `count` nodes; edges go from `first` to `second`, (n,)."""
    graph = scipy.sparse.coo_array((np.ones(len(first), np.int8), (first, second)), shape=(count, count))
    return np.asarray(scipy.sparse.csgraph.connected_components(graph, directed=False)[1], dtype=np.int64)


def _ends(found: Overlaps) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for both ends of each overlap: the label, combined with the author of the other one."""
    authors = found.labels["author"].rank("dense").cast(pl.Int64).to_numpy()
    count = int(authors.max(initial=0)) + 1
    left = found.first * count + authors[found.second]
    return left, found.second * count + authors[found.first]


def _assign(left: NDArray[np.int64], right: NDArray[np.int64], weight: Floats) -> NDArray[np.int64]:
    """The edges of the assignment with the largest weight in a bipartite graph of many small components."""
    nodes, ends = np.unique(np.concatenate([left, right]), return_inverse=True)
    one, other = ends[: len(left)], ends[len(left) :]
    degree = np.bincount(ends, minlength=len(nodes))
    sure = (degree[one] == 1) & (degree[other] == 1)
    chosen = [np.flatnonzero(sure)]
    open_ = np.flatnonzero(~sure)
    groups = connected_groups(one[open_], other[open_], len(nodes))[one[open_]]
    order = np.argsort(groups, kind="stable")
    open_, groups = open_[order], groups[order]
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(groups)) + 1, [len(groups)]])
    for start, stop in pairwise(np.unique(bounds).tolist()):
        edges = open_[start:stop]
        chosen.append(edges[_best(one[edges], other[edges], weight[edges])])
    return np.sort(np.concatenate(chosen))


def _best(one: NDArray[np.int64], other: NDArray[np.int64], weight: Floats) -> NDArray[np.int64]:
    rows, row = np.unique(one, return_inverse=True)
    columns, column = np.unique(other, return_inverse=True)
    if len(rows) == 1 or len(columns) == 1:
        return np.array([weight.argmax()])
    matrix = np.zeros((len(rows), len(columns)))
    edge = np.full(matrix.shape, -1)
    matrix[row, column] = weight
    edge[row, column] = np.arange(len(weight))
    picked = edge[scipy.optimize.linear_sum_assignment(matrix, maximize=True)]
    return np.asarray(picked[picked >= 0], dtype=np.int64)


def _in_crowds(
    found: Overlaps, able: NDArray[np.bool_], weight: Floats, taken: NDArray[np.int64]
) -> NDArray[np.int64]:
    """For each single label that has no partner, the overlap with the crowd region that holds most of it."""
    left, right = _ends(found)
    crowd = found.labels["is_crowd"].fill_null(value=False).to_numpy()
    single = np.where(crowd[found.first], right, left)
    edges = np.flatnonzero(able & ~np.isin(single, taken))
    edges = edges[np.lexsort((-weight[edges], single[edges]))]
    return np.asarray(edges[np.unique(single[edges], return_index=True)[1]], dtype=np.int64)


def _side(labels: pl.DataFrame, rows: NDArray[np.int64], prefix: str) -> pl.DataFrame:
    """image_id, row and the columns of `match_labels` for the labels on one side."""
    return labels[rows].select(
        "image_id",
        pl.col("author").alias("other" if prefix else "author"),
        pl.col("annotation_id").alias(f"{prefix}annotation_id"),
        pl.col("label").alias(f"{prefix}label"),
        pl.Series(f"{prefix}row", rows, dtype=pl.Int64),
    )


def _alone(
    found: Overlaps, seen: pl.DataFrame, first: NDArray[np.int64], second: NDArray[np.int64]
) -> pl.DataFrame:
    """A row for each label and each other author who saw its image and has no partner for it."""
    rows = np.arange(found.labels.height)
    others = _side(found.labels, rows, "").join(seen.rename({"author": "other"}), on="image_id")
    authors = found.labels["author"]
    partners = pl.DataFrame(
        {
            "row": np.concatenate([first, second]),
            "other": pl.concat([authors.gather(second), authors.gather(first)]),
        },
        schema={"row": pl.Int64, "other": pl.String},
    )
    alone = others.filter(pl.col("author") != pl.col("other")).join(partners, on=["row", "other"], how="anti")
    bare = {name: pl.lit(None, kind) for name, kind in MATCHES.items() if name not in alone.columns}
    alone = alone.with_columns(**bare).select(*MATCHES)
    ahead = pl.col("author") < pl.col("other")
    return pl.concat([alone.filter(ahead), _swap_sides(alone.filter(~ahead))])


def _swap_sides(matches: pl.DataFrame) -> pl.DataFrame:
    swaps = {"author": "other", "annotation_id": "other_annotation_id", "label": "other_label"}
    swaps |= {other: one for one, other in swaps.items()}
    return matches.rename(swaps).select(matches.columns)
