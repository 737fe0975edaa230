"""Cells become values: a piece of a sheet is read by its plan, with notes for what values cannot express."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from tundish.tabular.base import PLACE
from tundish.tabular.values.readers import finish, odd_texts, read_fast
from tundish.tabular.values.row_units import read_by_row
from tundish.tabular.values.skips import skipped_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tundish.tabular.plan import Plan, Planned
    from tundish.tabular.values.reading import Reading

__all__ = ["FAULTS", "NOTES", "Cells", "read_cells"]

NOTES = pl.Schema({"row": pl.Int64, "column": pl.String, "note": pl.String, "raw": pl.String})
"""What a value cannot express: censored (<, <=, >, >=), remark; or why it is null: missing, ..."""

FAULTS = pl.Schema(
    {
        "row": pl.Int64,
        "line": pl.Int64,
        "column": pl.String,
        "header": pl.String,
        "index": pl.Int32,
        "value": pl.String,
        "check": pl.String,
        "message": pl.String,
    }
)
"""Cells that cannot be read; `index` is the column's place in the file, from 0, `value` its text."""


@dataclass(frozen=True)
class Cells:
    """A piece after reading.

    Attributes:
        frame: PLACE, then the columns of the schema that the file has, in the schema's order, numbers in
            their canonical unit, times in UTC; then the unknown columns, of the kinds that the plan says. It
            has a row for every row given.
        notes: The notes, as in `NOTES`.
        faults: The faults, as in `FAULTS`; their cells are null in the frame. Skipped rows have none, and
            unknown columns: what cannot be read there is a note, as no schema asks for it, unless the
            recipe says where their units are.
        skipped: The skipped rows, as in SKIPPED; they are in the frame too.
        unread: How many cells of each unknown column cannot be read as its kind.
    """

    frame: pl.DataFrame
    notes: pl.DataFrame
    faults: pl.DataFrame
    skipped: pl.DataFrame
    unread: Mapping[str, int] = field(default_factory=dict)


def read_cells(cells: pl.DataFrame, plan: Plan, marked: pl.DataFrame | None = None) -> Cells:
    """Read the cells of a piece.

    Args:
        cells: PLACE, then c0, c1, ... as a piece has them.
        plan: The plan of the sheet, with all units determined.
        marked: Rows that are known not to be records, as in SKIPPED.
    """
    columns = (*plan.columns, *plan.typed)
    fast = read_fast(cells, plan)
    odd_text = odd_texts(fast, columns)
    skipped = skipped_rows(cells, fast, plan)
    if marked is not None and marked.height:
        skipped = _with_marked(skipped, cells, marked)
    values, notes, faults = {}, [], []
    unread: dict[str, int] = {}
    for column in columns:
        suspects = odd_text[column.name] if column.name in odd_text.columns else None
        written = cells[f"c{column.index}"]
        if column.unit_at is None:
            reading = finish(column, written, fast[column.name], suspects, plan)
        else:
            reading = read_by_row(column, written, fast[column.name], cells[f"c{column.unit_at}"], plan)
        values[column.name] = reading.values.alias(column.name)
        if reading.odd.height:
            odd = _place(reading, cells, skipped)
            if column.known or column.unit_at is not None:
                faults.append(_faults(odd, column))
            else:
                unread[column.name] = odd["check"].count()
                odd = odd.with_columns(note=pl.coalesce("note", "check"))
            notes.append(_notes(odd, column))
    for column in plan.unknown:
        text = cells[f"c{column.index}"].cast(pl.String).alias(column.name)
        values[column.name] = values.pop(column.name, text)
    return Cells(
        pl.DataFrame([*cells.select(PLACE).get_columns(), *values.values()]),
        pl.concat([NOTES.to_frame(), *notes]).sort("row", maintain_order=True),
        pl.concat([FAULTS.to_frame(), *faults]).sort("row", maintain_order=True),
        skipped.select(cells["row"].gather(skipped["at"]).alias("row"), "reason"),
        {name: count for name, count in unread.items() if count},
    )


def _with_marked(skipped: pl.DataFrame, cells: pl.DataFrame, marked: pl.DataFrame) -> pl.DataFrame:
    at = cells.select("row", at=pl.int_range(pl.len(), dtype=pl.UInt32))
    more = marked.join(at, on="row", how="inner").select("at", "reason")
    return pl.concat([more, skipped]).unique("at", keep="first", maintain_order=True).sort("at")


def _place(reading: Reading, cells: pl.DataFrame, skipped: pl.DataFrame) -> pl.DataFrame:
    """The odd cells of the rows that are records, with their row and line."""
    odd = reading.odd.join(skipped, on="at", how="anti", maintain_order="left")
    return odd.with_columns(cells[name].gather(odd["at"]) for name in PLACE)


def _notes(odd: pl.DataFrame, column: Planned) -> pl.DataFrame:
    named = odd.with_columns(column=pl.lit(column.name))
    return named.filter(pl.col("note").is_not_null()).select(*NOTES)


def _faults(odd: pl.DataFrame, column: Planned) -> pl.DataFrame:
    named = odd.with_columns(
        column=pl.lit(column.name), header=pl.lit(column.header), index=pl.lit(column.index, pl.Int32)
    )
    return named.filter(pl.col("check").is_not_null()).rename({"raw": "value"}).select(*FAULTS)
