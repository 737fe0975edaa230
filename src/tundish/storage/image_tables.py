"""The tables of whole images: the values that they come with, their copies, and what overlaps."""

from __future__ import annotations

import pyarrow as pa

from tundish.storage.table import Table, field

__all__ = ["DUPLICATES", "PAIRS", "TARGETS"]

_TEXT = pa.string()
_REAL = pa.float64()
_COUNT = pa.int32()

TARGETS = Table(
    "targets",
    pa.schema(
        [
            field("image_id", _TEXT, "image_id of the image; null where the row names none that is here"),
            field("path", _TEXT, "path of the image file, relative to its source, POSIX"),
            field("source", _TEXT, "name of the source in the recipe"),
            field("target", _TEXT, "name of the target in the recipe"),
            field("value", _REAL, "the number; null where there is none"),
            field("unit", _TEXT, "unit of the value, as the recipe has it"),
            field("raw", _TEXT, "the cell as written"),
            field("outcome", _TEXT, "accepted, quarantined or skipped"),
            field("reason", _TEXT, "why, where it was not accepted"),
            field("table_path", _TEXT, "file of the table, relative to the source"),
            field("table_row", pa.int32(), "line in that file, from 0"),
        ]
    ),
    ("source", "path", "target", "table_path", "table_row"),
    "validate",
)
"""Values of whole images that a model is to predict; of an image file and target one at most is accepted."""

DUPLICATES = Table(
    "duplicates",
    pa.schema(
        [
            field("cluster_id", _TEXT, "image_id of the cluster's representative"),
            field("image_id", _TEXT, "first 32 hex digits of the SHA-256 of the image file's bytes"),
            field("path", _TEXT, "path of the image file, relative to its source, POSIX"),
            field("source", _TEXT, "name of the source in the recipe"),
            field("representative_id", _TEXT, "image_id of the image that is kept"),
            field("relation", _TEXT, "representative, identical bytes, identical pixels, same picture, ..."),
            field("transform", _TEXT, "how it is mirrored or turned relative to the representative"),
            field("score", _REAL, "worst local correlation with the representative", "1"),
            field("kept", pa.bool_(), "kept in the dataset"),
            field(
                "label_conflict",
                _TEXT,
                "class, count or geometry where its labels differ, value where its targets do, state where a"
                " negative is unlabelled here",
            ),
        ]
    ),
    ("cluster_id", "source", "path"),
    "dedup",
)
"""Files of pictures that have copies; a cluster is a star around its representative."""

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
