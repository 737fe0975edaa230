"""Warnings on what columns of a file leave open: units row by row, values of two kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.storage.quarantine import quarantine_frame, quarantine_row
from tundish.tabular.infer.units import row_units, units_by_row

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from tundish.stages.records.plan import OpenSheet

__all__ = ["row_unit_faults", "unread_faults"]

_KINDS = {"real": "a number", "integer": "a whole number", "time": "a time", "flag": "yes or no"}


def row_unit_faults(table: str, opened: OpenSheet, cells: pl.DataFrame) -> pl.DataFrame:
    """A warning for each column of text that holds a unit for each row: no number is converted by it."""
    used = {one.unit_at for one in opened.plan.by_row}
    found = [
        (one.header, row_units(cells[f"c{one.index}"]))
        for one in (*opened.plan.columns, *opened.plan.unknown)
        if one.kind == "text" and one.index not in used
    ]
    return quarantine_frame(
        _warning(table, opened, "units_by_row", units_by_row(header, units))
        for header, units in found
        if units
    )


def unread_faults(table: str, opened: OpenSheet, unread: Mapping[str, int]) -> pl.DataFrame:
    """A warning for each column that the schema does not know and whose later values are of another kind."""
    columns = {one.name: one for one in opened.plan.typed}
    return quarantine_frame(
        _warning(
            table,
            opened,
            "typed_by_first_values",
            f"the first values of '{columns[name].header}' are each {_KINDS[columns[name].kind]}, and"
            f" {count} later ones are not: these are null, with their text in the notes;"
            " add the column to the schema as text",
        )
        for name, count in unread.items()
    )


def _warning(table: str, opened: OpenSheet, check: str, message: str) -> dict[str, object]:
    return quarantine_row("file", check, message, source=table, path=opened.path, severity="warning")
