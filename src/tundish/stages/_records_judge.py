"""One piece of a sheet: its cells read, its records held against the row rules, each with an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tundish.rules import check
from tundish.tables import QUARANTINE
from tundish.tabular.cells import read_cells

if TYPE_CHECKING:
    from tundish.stages._records_plan import OpenSheet, RecordTable
    from tundish.tabular.base import Piece
    from tundish.tabular.cells import Cells

__all__ = ["Judged", "fault_rows", "judge"]

_NOTES = pl.List(pl.Struct({"column": pl.String, "note": pl.String, "raw": pl.String}))


@dataclass(frozen=True)
class Judged:
    """Records with outcome, in the columns of RECORD_FIELDS and of the sheet, and what is wrong with them."""

    rows: pl.DataFrame
    faults: pl.DataFrame


def judge(table: RecordTable, opened: OpenSheet, piece: Piece) -> Judged:
    """Read and check one piece; rules over the whole table come later."""
    cells = read_cells(piece.cells, opened.plan)
    faults = pl.concat(
        [
            _cell_faults(opened, cells),
            _rule_faults(table, opened, cells),
            _broken_faults(opened, piece.broken),
        ]
    )
    faults = fault_rows(table.name, faults.with_columns(path=pl.lit(opened.path), sheet=_sheet(opened)))
    rows = _with_outcome(cells, faults, piece.broken)
    sheet = opened.sheet.layout.sheet
    prefix = f"{opened.path}#{sheet}!" if sheet else f"{opened.path}#"
    rows = rows.with_columns(
        record_id=pl.lit(prefix) + pl.col("row").cast(pl.String),
        path=pl.lit(opened.path),
        sheet=_sheet(opened),
        notes=_notes(cells, rows),
    )
    return Judged(rows, faults)


def _sheet(opened: OpenSheet) -> pl.Expr:
    return pl.lit(opened.sheet.layout.sheet, pl.String)


_FAULT = pl.Schema(
    {
        "row": pl.Int64,
        "line": pl.Int64,
        "index": pl.Int32,
        "check": pl.String,
        "column": pl.String,
        "value": pl.String,
        "message": pl.String,
        "severity": pl.String,
    }
)


def _cell_faults(_opened: OpenSheet, cells: Cells) -> pl.DataFrame:
    skipped = cells.skipped["row"].implode()
    return (
        cells.faults.filter(~pl.col("row").is_in(skipped))
        .with_columns(severity=pl.lit("error"))
        .select(_FAULT.names())
        .cast(_FAULT)
    )


def _broken_faults(_opened: OpenSheet, broken: pl.DataFrame) -> pl.DataFrame:
    return broken.select(
        "row",
        "line",
        pl.lit(None, pl.Int32).alias("index"),
        "check",
        pl.lit("").alias("column"),
        "value",
        "message",
        pl.lit("error").alias("severity"),
    )


def _rule_faults(table: RecordTable, opened: OpenSheet, cells: Cells) -> pl.DataFrame:
    """Breaches of the model's rules; a cell that could not be read is told once, not as missing too."""
    frame = cells.frame
    if cells.skipped.height:
        frame = frame.filter(~pl.col("row").is_in(cells.skipped["row"].implode()))
    failures = check(table.model, frame.select(name for name in table.wanted if name in frame.columns), "row")
    if not failures.height:
        return pl.DataFrame(schema=_FAULT)
    places = frame.select("row", "line")[failures["row"]]
    columns = {planned.name: planned.index for planned in opened.plan.columns}
    index = pl.col("column").replace_strict(columns, default=None, return_dtype=pl.Int32)
    found = failures.drop("row").with_columns(places["row"], places["line"], index=index)
    unread = cells.faults.select("row", "column")
    return found.join(unread, on=["row", "column"], how="anti", maintain_order="left").select(_FAULT.names())


def fault_rows(name: str, faults: pl.DataFrame) -> pl.DataFrame:
    """Faults as quarantine rows.

    Args:
        name: Of the table.
        faults: path, sheet, row, line, index (column of the file, null for the whole record), check, column,
            value, message, severity.
    """
    letter = pl.col("index").map_elements(_letters, pl.String)
    place = (
        pl.when(pl.col("sheet").is_null())
        .then(pl.format("line {}", "line"))
        .when(pl.col("index").is_null())
        .then(pl.format("{}, row {}", "sheet", "line"))
        .otherwise(pl.format("{}!{}{}", "sheet", letter, "line"))
    )
    where = pl.when(pl.col("sheet").is_null()).then("path").otherwise(pl.format("{}#{}!", "path", "sheet"))
    mark = pl.when(pl.col("sheet").is_null()).then(pl.lit("#")).otherwise(pl.lit(""))
    return faults.select(
        pl.lit("record").alias("kind"),
        pl.format("{}{}{}", where, mark, "row").alias("id"),
        pl.lit(name).alias("source"),
        "path",
        "row",
        place.alias("place"),
        "check",
        "column",
        "value",
        "message",
        "severity",
        pl.lit(1, pl.Int32).alias("count"),
    ).select(QUARANTINE.schema.names)


def _letters(index: int) -> str:
    """A column as Excel calls it: 0 is A, 26 is AA."""
    text = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def _with_outcome(cells: Cells, faults: pl.DataFrame, broken: pl.DataFrame) -> pl.DataFrame:
    errors = faults.filter(pl.col("severity") == "error")
    verdicts = pl.concat(
        [
            errors.group_by("row")
            .agg(reason=pl.col("check").min())
            .with_columns(outcome=pl.lit("quarantined")),
            cells.skipped.select("row", "reason", outcome=pl.lit("skipped")),
        ]
    )
    rows = cells.frame
    if broken.height:
        rows = pl.concat([rows, broken.select("row", "line")], how="diagonal").sort("row")
    if not verdicts.height:
        return rows.with_columns(outcome=pl.lit("accepted"), reason=pl.lit(None, pl.String))
    return rows.join(verdicts, on="row", how="left", maintain_order="left").with_columns(
        pl.col("outcome").fill_null("accepted")
    )


def _notes(cells: Cells, rows: pl.DataFrame) -> pl.Series:
    if not cells.notes.height:
        return pl.Series("notes", [None], dtype=_NOTES).new_from_index(0, rows.height)
    by_row = cells.notes.group_by("row", maintain_order=True).agg(notes=pl.struct("column", "note", "raw"))
    return rows.join(by_row, on="row", how="left", maintain_order="left")["notes"]
