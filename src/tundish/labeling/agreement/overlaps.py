"""Find the overlaps of labels of different authors: the basis of matching and of consensus.

Boxes are compared analytically, many images at once. As soon as one of two shapes is a polygon or a mask
(a rotated box is a polygon), both are compared pixel by pixel, exactly, by COCO's rules of rasterisation.
Labels of the whole image (shape `class`) cover each other fully, and nothing else.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from tundish.errors import UsageError
from tundish.imaging.geometry import area_of_boxes, area_of_counts
from tundish.imaging.overlap import counts_of_polygon, iou_of_counts, iou_of_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tundish.imaging.geometry import Floats

__all__ = ["Overlaps", "authors_by_image", "counts_of_labels", "covered_shares", "find_overlaps"]

_AT_ONCE = 500_000
"""Pairs of labels compared at a time; needs some hundred MB."""

_ROUNDING = 2.0
"""px by which COCO's rasterisation may leave the bounding box of a polygon."""

_ORDER = ("image_id", "author", "shape", "x", "y", "width", "height", "label", "annotation_id")


class Overlaps(NamedTuple):
    """Labels and their overlaps.

    Attributes:
        labels: The valid labels sorted by image, author, shape and position, with their columns; a null
            `label` is filled with `raw_label`.
        first: (n,), rows of `labels`: the label whose author comes first in the alphabet.
        second: (n,), rows of `labels`: a label of another author of the same image.
        iou: (n,), above 0 up to 1. Where exactly one of two is a crowd region: the share of the other in it.
        mixed: (n,), whether exactly one of two is a crowd region.
        rejected: image_id and author where all labels of an author in an image are not valid: the author
            judged the image, but nobody knows how.
    """

    labels: pl.DataFrame
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    iou: Floats
    mixed: NDArray[np.bool_]
    rejected: pl.DataFrame


def find_overlaps(labels: pl.DataFrame, sizes: pl.DataFrame) -> Overlaps:
    """Find the labels of different authors that overlap.

    Args:
        labels: Rows of the annotations table, each with an author; those that are not valid are omitted.
        sizes: image_id, width, height (px) of the images; needed where there are polygons or masks.

    Raises:
        UsageError: A label has no author, or the size of an image with polygons or masks is missing.
    """
    ordered = _ordered(labels)
    shapes = ordered["shape"].to_numpy()
    whole, drawn = shapes == "class", (shapes == "polygon") | (shapes == "mask")
    crowd = ordered["is_crowd"].fill_null(value=False).to_numpy()
    boxes = _boxes(ordered)
    frame = _frame(boxes, drawn, whole)
    blocks = []
    for rows, others in _candidates(ordered):
        first, second = _near(frame, rows, others)
        pixels = (drawn[first] | drawn[second]) & ~(whole[first] | whole[second])
        iou = iou_of_pairs(boxes[first], boxes[second], crowd[first], crowd[second])
        iou = np.where(whole[first] | whole[second], whole[first] & whole[second], iou)
        iou[pixels] = np.nan
        kept = ~(iou <= 0)
        blocks.append((first[kept], second[kept], iou[kept]))
    first, second, iou = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    open_ = np.flatnonzero(np.isnan(iou))
    iou[open_] = _on_pixels(ordered, sizes, first[open_], second[open_], crowd)
    kept = iou > 0
    first, second, iou = first[kept], second[kept], iou[kept]
    whose = ["image_id", "author"]
    rejected = labels.select(whose).unique().join(ordered.select(whose), on=whose, how="anti")
    return Overlaps(ordered, first, second, iou, crowd[first] != crowd[second], rejected)


def covered_shares(found: Overlaps, sizes: pl.DataFrame) -> Floats:
    """Compute how much of the smaller of two labels the other covers.

    Where exactly one of two is a crowd region, the share of the other counts, as for `Overlaps.iou`.

    Args:
        found: The labels and their overlaps.
        sizes: As for `find_overlaps`.

    Returns:
        The shares, (n,), above 0 up to 1.
    """
    shapes = found.labels["shape"].to_numpy()
    drawn = (shapes == "polygon") | (shapes == "mask")
    pixels = drawn[found.first] | drawn[found.second]
    boxes = area_of_boxes(_boxes(found.labels))
    counted = boxes.copy()
    rows = np.unique(np.concatenate([found.first[pixels], found.second[pixels]]))
    masks = counts_of_labels(found.labels[rows], sizes) if len(rows) else []
    counted[rows] = [area_of_counts(*one) for one in masks]
    first, second = (np.where(pixels, counted[at], boxes[at]) for at in (found.first, found.second))
    shared = found.iou / (1 + found.iou) * (first + second)
    whole = (shapes[found.first] == "class") | found.mixed
    share = shared / np.where(whole, 1.0, np.minimum(first, second))
    return np.asarray(np.where(whole, found.iou, share).clip(max=1.0), dtype=np.float64)


def authors_by_image(found: Overlaps, answers: pl.DataFrame | None) -> pl.DataFrame:
    """List who saw which image: the authors who drew something, and those in `answers`.

    Authors in `Overlaps.rejected` are omitted: drawing nothing valid does not mean that there is nothing.

    Args:
        found: The labels and their overlaps.
        answers: image_id and author of answers.

    Returns:
        image_id and author, each pair once, sorted.

    Raises:
        UsageError: An answer names no image or no author.
    """
    seen = [found.labels.select("image_id", "author")]
    if answers is not None:
        seen.append(answers.select("image_id", "author"))
    both = pl.concat(seen).unique().sort("image_id", "author")
    if both["author"].null_count() or both["image_id"].null_count():
        raise UsageError("an answer names no image or no author", where="answers", fix="name both")
    return both.join(found.rejected, on=["image_id", "author"], how="anti", maintain_order="left")


def counts_of_labels(labels: pl.DataFrame, sizes: pl.DataFrame) -> list[tuple[str, int, int]]:
    """Convert each label to compressed COCO counts of a mask.

    Args:
        labels: Rows of the annotations table.
        sizes: image_id, width, height (px) of the images.

    Returns:
        Counts, width and height (px) of the image, one a label.

    Raises:
        UsageError: The size of an image is missing.
    """
    shapes = labels.select("shape", "x", "y", "width", "height", "segmentation", "rle")
    return [
        (_counts(label, width, height), width, height)
        for label, (width, height) in zip(shapes.iter_rows(named=True), _sizes(labels, sizes), strict=True)
    ]


def _ordered(labels: pl.DataFrame) -> pl.DataFrame:
    nobody = labels["author"].null_count()
    if nobody:
        raise UsageError(
            f"{nobody} labels have no author", where="labels", fix="name their authors, or omit them"
        )
    name = pl.coalesce("label", "raw_label").fill_null("")
    return labels.filter(pl.col("valid")).with_columns(label=name).sort(_ORDER)


def _boxes(labels: pl.DataFrame) -> Floats:
    columns = [labels[name].cast(pl.Float64).fill_null(np.nan) for name in ("x", "y", "width", "height")]
    return np.column_stack([column.to_numpy() for column in columns])


def _frame(boxes: Floats, drawn: NDArray[np.bool_], whole: NDArray[np.bool_]) -> tuple[Floats, ...]:
    """Left, upper, right and lower bounds (n,) of labels; infinite where not known."""
    slack = np.where(drawn, _ROUNDING, 0.0)[:, None]
    low, high = boxes[:, :2] - slack, boxes[:, :2] + boxes[:, 2:] + slack
    low[whole | np.isnan(low).any(axis=1)] = -np.inf
    high[whole | np.isnan(high).any(axis=1)] = np.inf
    return low[:, 0].copy(), low[:, 1].copy(), high[:, 0].copy(), high[:, 1].copy()


def _near(
    frame: tuple[Floats, ...], first: NDArray[np.int64], second: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs of rows whose frames meet; x is compared first, which leaves few pairs for y."""
    for low, high in (frame[0::2], frame[1::2]):
        meet = (low[first] < high[second]) & (low[second] < high[first])
        first, second = first[meet], second[meet]
    return first, second


def _candidates(labels: pl.DataFrame) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """All pairs of rows of one image and two authors, in blocks; rows are sorted by image and author."""
    image_end = _ends(labels["image_id"].rle_id().to_numpy())
    author_end = _ends(labels.select(pl.struct("image_id", "author").rle_id()).to_series().to_numpy())
    counts = image_end - author_end
    before = np.concatenate([[0], np.cumsum(counts)])
    steps = np.arange(0, before[-1] + _AT_ONCE, _AT_ONCE)
    cuts = np.unique(np.append(np.searchsorted(before, steps), len(counts)))
    yield np.empty(0, np.int64), np.empty(0, np.int64)
    for start, stop in pairwise(cuts.clip(max=len(counts)).tolist()):
        block = counts[start:stop]
        first = np.repeat(np.arange(start, stop), block)
        place = np.arange(len(first)) - np.repeat(before[start:stop] - before[start], block)
        yield first, author_end[first] + place


def _ends(groups: NDArray[np.uint32]) -> NDArray[np.int64]:
    """For each row the end of its group; groups are numbered from 0 in row order."""
    ends = np.append(np.flatnonzero(np.diff(groups)) + 1, len(groups)).astype(np.int64)
    return np.asarray(ends[groups], dtype=np.int64)


def _on_pixels(
    labels: pl.DataFrame,
    sizes: pl.DataFrame,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    crowd: NDArray[np.bool_],
) -> Floats:
    """IoU (n,) of pairs of rows, image by image; the pairs come sorted by image."""
    found = np.empty(len(first))
    rows = np.unique(np.concatenate([first, second]))
    masks = counts_of_labels(labels[rows], sizes) if len(rows) else []

    images = labels["image_id"].rle_id().to_numpy()[first]
    for start, stop in pairwise(np.unique([0, *(np.flatnonzero(np.diff(images)) + 1), len(images)]).tolist()):
        left, at_left = np.unique(first[start:stop], return_inverse=True)
        right, at_right = np.unique(second[start:stop], return_inverse=True)
        ones = [masks[at][0] for at in np.searchsorted(rows, left).tolist()]
        others = [masks[at][0] for at in np.searchsorted(rows, right).tolist()]
        _, width, height = masks[np.searchsorted(rows, left[0])]
        both = iou_of_counts(ones, others, width, height, crowd[left], crowd[right])
        found[start:stop] = both[at_left, at_right]
    return found


def _sizes(labels: pl.DataFrame, sizes: pl.DataFrame) -> list[tuple[int, int]]:
    wanted = labels.select("image_id").join(
        sizes.select("image_id", pl.col("width", "height").cast(pl.Int64)).unique(subset="image_id"),
        on="image_id", how="left", maintain_order="left",
    )  # fmt: skip
    unknown = wanted.filter(pl.col("width").is_null() | pl.col("height").is_null())
    if unknown.height:
        raise UsageError(
            f"the size of image '{unknown['image_id'][0]}' is not known",
            where="labels",
            fix="give the size of every image that has polygons or masks",
        )
    return [(width, height) for width, height in wanted.select("width", "height").iter_rows()]


def _counts(label: dict[str, Any], width: int, height: int) -> str:
    if label["shape"] == "mask" and label["rle"] is not None:
        return str(label["rle"])
    if label["shape"] == "polygon" and label["segmentation"] is not None:
        return counts_of_polygon(label["segmentation"], width, height)
    left, top = label["x"], label["y"]
    right, lower = left + label["width"], top + label["height"]
    return counts_of_polygon([[left, top, right, top, right, lower, left, lower]], width, height)
