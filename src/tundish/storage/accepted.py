"""The receipt of the guard: what the last run that passed it accepted, with which the next is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from tundish.storage.table import Table, field
from tundish.storage.tables import IMAGES, STANDING

if TYPE_CHECKING:
    from tundish.storage.dataset import DatasetFolder

__all__ = ["ACCEPTED", "splits_are_older"]

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


def splits_are_older(dataset: DatasetFolder) -> bool:
    """Whether the splits were made for other image files than those that are valid now.

    So it is where the guard stopped a run, or where only the stages before the splits have run.
    """
    if not (dataset.has(ACCEPTED) and dataset.has(STANDING)):
        return False
    columns = ["source", "path", "image_id"]
    before, now = (dataset.read(table).select(columns).unique() for table in (ACCEPTED, STANDING))
    return before.height != now.height or not before.join(now, on=columns, how="anti").is_empty()
