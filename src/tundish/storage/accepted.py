"""The receipt of the guard: what the last run that passed it accepted, with which the next is compared."""

from __future__ import annotations

import pyarrow as pa

from tundish.storage.table import Table, field
from tundish.storage.tables import IMAGES

__all__ = ["ACCEPTED"]

ACCEPTED = Table(
    "accepted",
    pa.schema(
        [
            *(IMAGES.schema.field(name) for name in ("source", "path", "image_id")),
            field("label_path", pa.string(), "label file, relative to the source; null without labels"),
            field("label", pa.string(), "the recipe's class; null without labels"),
            field("labels", pa.int32(), "labels of this class that count"),
        ]
    ),
    ("source", "path", "label_path", "label"),
    "split",
)
"""Valid image files and the labels that count, a row for each class and label file of an image file."""
