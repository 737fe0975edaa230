"""Judge one piece of a sheet: read its cells, check its records by the row rules, give each an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tundish.rules.check import check
from tundish.storage.quarantine import quarantine_rows
from tundish.tabular.values.cells import read_cells

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tundish.stages.records.plan import OpenSheet, RecordTable
    from tundish.tabular.base import Piece
    from tundish.tabular.values.cells import Cells

__all__ = ["Judged", "causes", "fault_rows", "judge"]

_NOTES = pl.List(pl.Struct({"column": pl.String, "note": pl.String, "raw": pl.String}))


@dataclass(frozen=True)
class Judged:
    """Records with outcome, in the columns of RECORD_FIELDS and of the sheet, and their faults.

    Attributes:
        rows: The records.
        faults: Their faults, as quarantine rows.
        unread: How many cells of each column that the schema does not know cannot be read as its kind.
    """

    rows: pl.DataFrame
    faults: pl.DataFrame
    unread: Mapping[str, int]


def judge(table: RecordTable, opened: OpenSheet, piece: Piece) -> Judged:
    """Read and check one piece; rules over the whole table come later."""
    cells = read_cells(piece.cells, opened.plan, piece.skipped)
    unread = pl.concat([_cell_faults(cells), _broken_faults(piece.broken)])
    breaches = _rule_faults(table, opened, cells)
    rows = _with_outcome(cells, piece.broken, causes("row", unread, breaches))
    name = opened.sheet.layout.sheet
    prefix = f"{opened.path}#{name}!" if name else f"{opened.path}#"
    place = {"path": pl.lit(opened.path), "sheet": pl.lit(name, pl.String)}
    rows = rows.with_columns(
        record_id=pl.lit(prefix) + pl.col("row").cast(pl.String), notes=_notes(cells, rows), **place
    )
    return Judged(
        rows, fault_rows(table.name, pl.concat([unread, breaches]).with_columns(**place)), cells.unread
    )


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


def _cell_faults(cells: Cells) -> pl.DataFrame:
    """Cells that cannot be read."""
    return cells.faults.with_columns(severity=pl.lit("error")).select(_FAULT.names())


def _broken_faults(broken: pl.DataFrame) -> pl.DataFrame:
    """Records that could not be cut into cells."""
    whole = {"index": pl.lit(None, pl.Int32), "column": pl.lit(""), "severity": pl.lit("error")}
    return broken.with_columns(**whole).select(_FAULT.names())


def _rule_faults(table: RecordTable, opened: OpenSheet, cells: Cells) -> pl.DataFrame:
    """Breaches of the model's rules; a cell that could not be read is not reported as missing too."""
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


def causes(by: str, *faults: pl.DataFrame) -> pl.DataFrame:
    """Why errors quarantine records, one name for each: the cause, not its consequences.

    Args:
        by: The column that identifies the records.
        faults: Frames with the columns `by`, check, column and severity; those of the first frame cause those
            of the next. Within one frame faults of a single column come before faults of several, then by
            name.

    Returns:
        A row for each record that has an error: `by` and reason.
    """
    found = pl.concat(
        each.select(by, "check", "column", "severity", rank=pl.lit(rank)) for rank, each in enumerate(faults)
    )
    several = (pl.col("column") == "") | pl.col("column").str.contains(", ", literal=True)
    errors = found.filter(pl.col("severity") == "error").sort("rank", several, "check")
    return errors.unique(by, keep="first", maintain_order=True).select(by, reason="check")


def fault_rows(name: str, faults: pl.DataFrame) -> pl.DataFrame:
    """Convert faults to quarantine rows.

    Args:
        name: The name of the table.
        faults: The faults: path, sheet, row, line, index (column of the file, null for the whole record),
            check, column, value, message, severity.
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
    record = pl.format("{}{}{}", where, mark, "row")
    return quarantine_rows("record", faults, id=record, source=pl.lit(name), place=place)


def _letters(index: int) -> str:
    """The letters of a column in Excel: 0 is A, 26 is AA."""
    text = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def _with_outcome(cells: Cells, broken: pl.DataFrame, errors: pl.DataFrame) -> pl.DataFrame:
    """All records of the piece, in order, with their outcomes."""
    verdicts = pl.concat(
        [
            errors.select("row", "reason", outcome=pl.lit("quarantined")),
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
