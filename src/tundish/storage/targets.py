"""The table of values of whole images."""

from __future__ import annotations

import pyarrow as pa

from tundish.storage.table import Table, field

__all__ = ["TARGETS"]

TARGETS = Table(
    "targets",
    pa.schema(
        [
            field(
                "image_id", pa.string(), "image_id of the image; null where the row names none that is here"
            ),
            field("path", pa.string(), "path of the image file, relative to its source, POSIX"),
            field("source", pa.string(), "name of the source in the recipe"),
            field("target", pa.string(), "name of the target in the recipe"),
            field("value", pa.float64(), "the number; null where there is none"),
            field("unit", pa.string(), "unit of the value, as the recipe has it"),
            field("raw", pa.string(), "the cell as written"),
            field("outcome", pa.string(), "accepted, quarantined or skipped"),
            field("reason", pa.string(), "why, where it was not accepted"),
            field("table_path", pa.string(), "file of the table, relative to the source"),
            field("table_row", pa.int32(), "line in that file, from 0"),
        ]
    ),
    ("source", "path", "target", "table_path", "table_row"),
    "validate",
)
"""Values of whole images that a model is to predict; of an image file and target one at most is accepted."""
