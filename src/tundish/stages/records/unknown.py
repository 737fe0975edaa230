"""Warnings on what columns of a file leave open, that no schema says: units row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.storage.quarantine import quarantine_frame, quarantine_row
from tundish.tabular.infer.units import row_units, units_by_row

if TYPE_CHECKING:
    import polars as pl

    from tundish.stages.records.plan import OpenSheet

__all__ = ["row_unit_faults"]


def row_unit_faults(table: str, opened: OpenSheet, cells: pl.DataFrame) -> pl.DataFrame:
    """A warning for each column of text that holds a unit for each row: no number is converted by it."""
    found = [
        (one.header, row_units(cells[f"c{one.index}"]))
        for one in (*opened.plan.columns, *opened.plan.unknown)
        if one.kind == "text"
    ]
    return quarantine_frame(
        quarantine_row(
            "file",
            "units_by_row",
            units_by_row(header, units),
            source=table,
            path=opened.path,
            severity="warning",
        )
        for header, units in found
        if units
    )
