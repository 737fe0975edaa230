"""The overlap of shapes: boxes pair by pair, masks in their run-length encoding.

Frame, boxes, polygons and masks are as in `geometry`. A crowd region of COCO represents many objects: the
share of a single shape inside a crowd region replaces their intersection over union.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pycocotools.mask

from tundish.imaging.geometry import areas_of_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tundish.imaging.geometry import Floats

__all__ = ["counts_of_polygon", "iou_of_counts", "iou_of_pairs", "majority_of_counts"]


def iou_of_pairs(
    first: Floats,
    second: Floats,
    first_crowd: NDArray[np.bool_] | None = None,
    second_crowd: NDArray[np.bool_] | None = None,
) -> Floats:
    """Intersection over union (n,) of boxes (n, 4), row by row; 0 where both are empty.

    Where exactly one of a pair is a crowd region, the area of the other replaces the union.
    """
    low = np.maximum(first[:, :2], second[:, :2])
    high = np.minimum(first[:, :2] + first[:, 2:], second[:, :2] + second[:, 2:])
    shared = np.maximum(high - low, 0).prod(axis=1)
    one, other = first[:, 2:].prod(axis=1), second[:, 2:].prod(axis=1)
    whole = one + other - shared
    if first_crowd is not None and second_crowd is not None:
        whole = np.where(first_crowd & ~second_crowd, other, whole)
        whole = np.where(second_crowd & ~first_crowd, one, whole)
    return np.asarray(np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0), np.float64)


def counts_of_polygon(polygon: Sequence[Sequence[float]], width: int, height: int) -> str:
    """Compressed COCO counts of a polygon: those of `mask_of_polygon`, without making the mask."""
    rings = [list(ring) for ring in polygon if len(ring) >= 6]
    if not rings:
        return _text(
            pycocotools.mask.frPyObjects({"counts": [height * width], "size": [0, 0]}, height, width)
        )
    return _text(pycocotools.mask.merge(pycocotools.mask.frPyObjects(rings, height, width)))


def iou_of_counts(
    first: Sequence[str],
    second: Sequence[str],
    width: int,
    height: int,
    first_crowd: NDArray[np.bool_] | None = None,
    second_crowd: NDArray[np.bool_] | None = None,
) -> Floats:
    """Intersection over union of masks (n) with masks (m) of one image, exact: an array (n, m).

    Two empty masks are equal: 1. Where exactly one of a pair is a crowd region, the area of the other
    replaces the union.
    """
    if not first or not second:
        return np.zeros((len(first), len(second)))
    ones, others = _as_rle(first, width, height), _as_rle(second, width, height)
    found = _iou(ones, others, crowd=False)
    areas = [areas_of_counts([(one, width, height) for one in masks]) for masks in (first, second)]
    if first_crowd is not None and second_crowd is not None and (first_crowd.any() or second_crowd.any()):
        mixed = first_crowd[:, None] & ~second_crowd
        found = np.where(mixed, _iou(others, ones, crowd=True).T, found)
        mixed = ~first_crowd[:, None] & second_crowd
        found = np.where(mixed, _iou(ones, others, crowd=True), found)
    found[(areas[0] == 0)[:, None] ^ (areas[1] == 0)] = 0.0
    found[(areas[0] == 0)[:, None] & (areas[1] == 0)] = 1.0
    return found


def majority_of_counts(masks: Sequence[str], width: int, height: int) -> str:
    """The pixels that more than half of the masks set; of two masks, those that both set."""
    needed = len(masks) // 2 + 1
    # reached[k]: pixels set by more than k of the masks seen so far.
    reached: list[dict[str, object]] = []
    for mask in _as_rle(masks, width, height):
        risen = [mask, *(pycocotools.mask.merge([one, mask], intersect=True) for one in reached)]
        kept = [pycocotools.mask.merge([old, new]) for old, new in zip(reached, risen, strict=False)]
        reached = [*kept, *risen[len(reached) :]][:needed]
    return _text(reached[needed - 1])


def _as_rle(masks: Sequence[str], width: int, height: int) -> list[dict[str, object]]:
    return [{"size": [height, width], "counts": counts.encode("ascii")} for counts in masks]


def _text(coded: dict[str, object]) -> str:
    counts = coded["counts"]
    assert isinstance(counts, bytes)
    return counts.decode("ascii")


def _iou(first: list[dict[str, object]], second: list[dict[str, object]], *, crowd: bool) -> Floats:
    """The overlap; with `crowd`, the share of each mask of `first` inside each of `second`."""
    found = pycocotools.mask.iou(first, second, [int(crowd)] * len(second))
    return np.array(found, dtype=np.float64).reshape(len(first), len(second))
