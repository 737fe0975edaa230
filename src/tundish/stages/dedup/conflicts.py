"""Whether two copies of one picture are labelled alike."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import polars as pl
import scipy

from tundish.imaging.framehash import turn_box
from tundish.imaging.geometry import area_of_counts, area_of_polygon
from tundish.stages.targets import SAME_VALUE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["Conflict", "Labels", "Values", "conflict_between", "labels_of", "values_differ", "values_of"]

Conflict = Literal["class", "count", "geometry"]

Values = dict[tuple[str, str], dict[str, float]]
"""The values of image files by their (source, path), by the name of the target."""

_TOLERANCE = 0.5
"""px of the larger picture by which edges of the same box may differ: the rounding of formats."""

_AREA_TOLERANCE = 0.02


class Labels(NamedTuple):
    """The labels of one image file; geometry in shares of the upright image's width and height.

    Attributes:
        names: The class of each label.
        boxes: (n, 4), left, top, right, bottom; NaN for a label of the whole image.
        areas: (n,), area of the outline or mask; 1 for boxes, which their edges describe completely.
        size: Width and height of the image, px.
    """

    names: tuple[str, ...]
    boxes: NDArray[np.float64]
    areas: NDArray[np.float64]
    size: tuple[int, int]


def labels_of(
    annotations: pl.DataFrame, sizes: Mapping[tuple[str, str], tuple[int, int]]
) -> dict[tuple[str, str], Labels]:
    """Valid labels by (source, path) of the files in `sizes`; files without any have empty ones."""
    found = {key: Labels((), np.empty((0, 4)), np.empty(0), size) for key, size in sizes.items()}
    edges = (pl.col("x") + pl.col("width")).alias("right"), (pl.col("y") + pl.col("height")).alias("bottom")
    labels = annotations.filter("valid").select(
        "source", "path", "x", "y", *edges, pl.coalesce("label", "raw_label").fill_null("").alias("name"),
        "shape", "segmentation", "rle",
    )  # fmt: skip
    for (source, path), rows in labels.group_by("source", "path", maintain_order=True):
        key = str(source), str(path)
        if key in sizes:
            found[key] = _labels(rows, sizes[key])
    return found


def conflict_between(kept: Labels, copy: Labels, code: int) -> Conflict | None:
    """How the labels of a copy contradict those of the picture that is kept.

    Args:
        kept: Labels of the picture that is kept.
        copy: Labels of its copy, which may be larger, smaller, mirrored or turned.
        code: The code that turns the kept picture into the copy (`framehash.apply_code`).

    Returns:
        'class' where the sets of classes differ, 'count' where the numbers of a class differ, 'geometry'
        where the places differ, None where they agree.
    """
    if set(kept.names) != set(copy.names):
        return "class"
    if sorted(kept.names) != sorted(copy.names):
        return "count"
    turned = np.array([turn_box(tuple(box), code) for box in kept.boxes]).reshape(-1, 4)
    scale = np.tile(np.maximum(kept.size[:: -1 if code & 4 else 1], copy.size), 2)
    for name in set(kept.names):
        mine = np.array([one == name for one in kept.names])
        theirs = np.array([one == name for one in copy.names])
        distance = np.abs(turned[mine][:, None] - copy.boxes[theirs][None]) * scale
        off = np.nan_to_num(distance.max(2))
        one, other = scipy.optimize.linear_sum_assignment(off)
        areas = kept.areas[mine][one], copy.areas[theirs][other]
        if off[one, other].max() > _TOLERANCE or not _alike(*areas):
            return "geometry"
    return None


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    larger = np.maximum(one, other)
    return bool((np.abs(one - other) <= _AREA_TOLERANCE * larger).all())


def _labels(rows: pl.DataFrame, size: tuple[int, int]) -> Labels:
    boxes = rows.select("x", "y", "right", "bottom").to_numpy().astype(np.float64) / np.tile(size, 2)
    return Labels(tuple(rows["name"]), boxes, np.array(list(_areas(rows, size)), np.float64), size)


def _areas(rows: pl.DataFrame, size: tuple[int, int]) -> Iterator[float]:
    """Areas as shares of the image; 1 for boxes, which their edges describe completely."""
    whole = size[0] * size[1]
    for shape, rings, counts in rows.select("shape", "segmentation", "rle").iter_rows():
        if shape == "polygon" and rings:
            yield area_of_polygon(rings) / whole
        elif shape == "mask" and counts:
            yield area_of_counts(counts, *size) / whole
        else:
            yield 1.0


def values_of(targets: pl.DataFrame) -> Values:
    """The values of each image file, from accepted rows of the targets table."""
    found: Values = {}
    for source, path, target, value in targets.select("source", "path", "target", "value").iter_rows():
        found.setdefault((source, path), {})[target] = value
    return found


def values_differ(kept: Mapping[str, float], copy: Mapping[str, float]) -> bool:
    """Whether two copies of a picture have different values of a target that both have."""
    return any(not math.isclose(kept[name], copy[name], rel_tol=SAME_VALUE) for name in kept.keys() & copy)
