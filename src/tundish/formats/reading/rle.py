"""Checks on COCO run-length masks before pycocotools, which trusts what it is given, sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pycocotools.mask

from tundish.formats.reading.fault import Fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["compressed_counts", "size_of"]

_DIGITS = (48, 111)
"""First and last character of a compressed count: six bits each, from '0'."""


def size_of(rle: dict[str, object]) -> tuple[int, int]:
    """Width and height of a COCO mask, whose ``size`` is (height, width).

    Raises:
        Fault: The mask has no such size.
    """
    match rle.get("size"):
        case [int(height), int(width)] if height > 0 and width > 0:
            return width, height
    raise Fault("broken_mask", "the mask has no size of two whole numbers", "segmentation", rle.get("size"))


def compressed_counts(rle: dict[str, object]) -> str:
    """The counts of a COCO mask, compressed or not, as the compressed text; they cover the mask exactly.

    Raises:
        Fault: The counts are not counts, or are for another size.
    """
    width, height = size_of(rle)
    counts = rle.get("counts")
    if isinstance(counts, str):
        total = int(_runs(counts).sum())
    elif isinstance(counts, list) and all(type(run) is int and 0 <= run < 2**32 for run in counts):
        total = sum(counts)
    else:
        raise Fault("broken_mask", "the counts are neither text nor whole numbers from 0", "segmentation")
    if total != width * height:
        message = f"the counts cover {total} pixels, the mask has {width}x{height}"
        raise Fault("broken_mask", message, "segmentation", total)
    if isinstance(counts, str):
        return counts
    return str(pycocotools.mask.frPyObjects(rle, height, width)["counts"], "ascii")


def _runs(counts: str) -> NDArray[np.int64]:
    """The runs that compressed counts represent: five bits a character, lowest first, signed differences."""
    codes = np.frombuffer(counts.encode("latin-1", "replace"), np.uint8).astype(np.int64)
    if not len(codes) or codes.min() < _DIGITS[0] or codes.max() > _DIGITS[1]:
        raise Fault("broken_mask", "the counts are not compressed COCO counts", "segmentation", counts[:40])
    codes -= _DIGITS[0]
    ends = np.flatnonzero(codes & 32 == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    if not len(ends) or ends[-1] != len(codes) - 1 or (ends - starts).max() > 6:
        raise Fault("broken_mask", "the counts end within a number", "segmentation", counts[-40:])
    lengths = ends - starts + 1
    place = np.arange(len(codes)) - np.repeat(starts, lengths)
    runs = np.add.reduceat((codes & 31) << (5 * place), starts)
    runs -= np.where(codes[ends] & 16, 1 << (5 * lengths), 0)
    # From the fourth run on, a number is the difference to the run two before.
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    if runs.min() < 0 or runs.max() >= 2**32:
        raise Fault("broken_mask", "the counts represent impossible runs", "segmentation", counts[:40])
    return runs
