"""Export of the accepted records themselves: one Parquet file a table, units in the field metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow.parquet as pq

from tundish.storage.table import replacing, row_groups

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.stages.base import Context

__all__ = ["FOLDER", "export_records"]

FOLDER = "records"
"""Name of the folder in ``exports/``."""

_INNER = ("path", "sheet", "row", "line", "outcome", "reason")


def export_records(context: Context) -> dict[str, int]:
    """Write ``exports/records`` again from the judged tables; returns counts."""
    folder = context.dataset.exports / FOLDER
    counts = {}
    for name in context.recipe.records:
        rows = _write(context.dataset.records / f"{name}.parquet", folder / f"{name}.parquet")
        counts[f"records of {name}"] = rows
    if folder.exists():
        for stale in folder.glob("*.parquet"):
            if stale.stem not in context.recipe.records:
                stale.unlink()
    return counts


def _write(source: Path, target: Path) -> int:
    """The accepted rows without what only the audit needs; memory holds a row group."""
    file = pq.ParquetFile(source, pre_buffer=False)
    schema = file.schema_arrow
    for name in _INNER:
        schema = schema.remove(schema.get_field_index(name))
    count = 0
    with replacing(target) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for rows in row_groups(file):
            accepted = rows.filter(pl.col("outcome") == "accepted").select(schema.names)
            writer.write_table(accepted.to_arrow().cast(schema))
            count += accepted.height
    return count
