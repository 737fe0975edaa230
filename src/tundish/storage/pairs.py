"""The table of pairs of images that show the same surface, as an Arrow schema."""

from __future__ import annotations

import pyarrow as pa

from tundish.storage.table import Table, field

__all__ = ["PAIRS"]

_TEXT = pa.string()
_REAL = pa.float64()
_COUNT = pa.int32()

PAIRS = Table(
    "pairs",
    pa.schema(
        [
            field("image_id", _TEXT, "first 32 hex digits of the SHA-256 of the image file's bytes"),
            field("other_id", _TEXT, "image_id of the other image"),
            field("relation", _TEXT, "same picture, mirrored or turned, overlapping, probably ..., ..."),
            field("use", _TEXT, "delete, group (one split) or review (one split, and worth a look)"),
            field("transform", _TEXT, "how the image is mirrored or turned before it lies on the other"),
            field("angle", _REAL, "then it is turned clockwise", "deg"),
            field("scale", _REAL, "then it is enlarged so many times", "1"),
            field("dx", _REAL, "then its centre lies so far right of the other's centre", "px"),
            field("dy", _REAL, "so far below", "px"),
            field("share", _REAL, "area that both show, as a share of the smaller image", "1"),
            field("score", _REAL, "correlation that three quarters of the places compared reach", "1"),
            field("worst", _REAL, "correlation in the worst place", "1"),
            field("votes", _COUNT, "distinct corners that agree; null for copies"),
            field("blocks", _COUNT, "blocks with texture that were compared; null for copies"),
            field("distinctive", _COUNT, "those of them that fit in one place only; null for copies"),
            field(
                "verified", _TEXT, "how: pixels, every place (thumbnails) or blocks (corners, then blocks)"
            ),
        ]
    ),
    ("image_id", "other_id"),
    "dedup",
)
"""Pairs of images that show the same surface in whole or in part, each verified from the pixels."""
