"""Write tables of the samples: CSV and Excel, the same bytes from the same rows, with planted faults."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field, replace
from datetime import datetime
from io import BytesIO, StringIO

import xlsxwriter

from tundish.demo.truth import PlantedRow, TableTruth

__all__ = ["Cell", "Draft", "accepted", "csv_file", "quarantined", "skipped", "workbook"]

Cell = str | float | datetime | None
"""The content of a cell; a text file has only text, a workbook also numbers and times."""

_PRINTED = datetime(2026, 3, 9, 8, 0)  # noqa: DTZ001  (a workbook knows no zone)
_ERRORS = {"#DIV/0!": "=1/0"}


def accepted(fault: str, check: str | None = None, note: str | None = None) -> PlantedRow:
    """A valid row: with a warning of this check, with a note of this kind, or only odd."""
    return PlantedRow(fault, 0, 0, "accepted", check, note)


def quarantined(fault: str, check: str | None = None) -> PlantedRow:
    """A row that must be quarantined, by default by a check of the same name as the fault."""
    return PlantedRow(fault, 0, 0, "quarantined", check or fault)


def skipped(fault: str) -> PlantedRow:
    """A row that is not a record of its own."""
    return PlantedRow(fault, 0, 0, "skipped", fault)


@dataclass
class Draft:
    """A table that is written row by row, with the faults planted in it.

    Args:
        header_lines: Lines of the file before its first record.
    """

    header_lines: int = 1
    rows: list[tuple[Cell, ...] | bytes] = field(default_factory=list)
    planted: list[PlantedRow] = field(default_factory=list)
    _lines: int = 0

    def add(self, row: tuple[Cell, ...] | bytes, planted: PlantedRow | None = None) -> None:
        """Add a row: its cells, or its bytes where a regular writer would not produce them."""
        if planted is not None:
            line = self.header_lines + self._lines + 1
            self.planted.append(replace(planted, row=len(self.rows), line=line))
        self.rows.append(row)
        cells = () if isinstance(row, bytes) else row
        self._lines += 1 + sum(cell.count("\n") for cell in cells if isinstance(cell, str))

    def truth(
        self, table: str, path: str, sheet: str | None = None, unmatched: tuple[str, ...] = ()
    ) -> TableTruth:
        """The truth of the table in its present state."""
        out = sum(planted.outcome == "quarantined" for planted in self.planted)
        no_record = sum(planted.outcome == "skipped" for planted in self.planted)
        count = len(self.rows)
        return TableTruth(
            table,
            path,
            sheet,
            count,
            count - out - no_record,
            out,
            no_record,
            unmatched,
            tuple(self.planted),
        )


def csv_file(draft: Draft, header: tuple[str, ...], encoding: str, newline: str = "\r\n") -> bytes:
    """Write the table as CSV; cells with a comma, a quotation mark or a line break are quoted."""
    parts = [_csv_line(header, newline).encode(encoding)]
    for row in draft.rows:
        if isinstance(row, bytes):
            parts.append(row + newline.encode())
        else:
            # A byte order mark comes before the header only.
            parts.append(_csv_line(row, newline).encode(encoding.removesuffix("-sig")))
    return b"".join(parts)


def _csv_line(cells: tuple[Cell, ...], newline: str) -> str:
    text = StringIO(newline="")
    csv.writer(text, lineterminator=newline).writerow(cells)
    return text.getvalue()


def workbook(draft: Draft, sheet: str, title: str, header: tuple[tuple[str, tuple[str, ...]], ...]) -> bytes:
    """Write the table as an Excel file with a title above it and a header of two rows.

    Args:
        draft: The rows of the table.
        sheet: The name of the sheet.
        title: The line above the header, over all columns.
        header: Upper cells with the lower ones they span; without any, a cell spans both rows.
    """
    data = BytesIO()
    book = xlsxwriter.Workbook(data, {"in_memory": True})
    book.set_properties({"title": title, "created": _PRINTED})
    page = book.add_worksheet(sheet)
    style = book.add_format({"bold": True, "align": "center", "valign": "vcenter", "border": 1})
    time = book.add_format({"num_format": "yyyy/m/d h:mm"})
    column = 0
    for upper, lower in header:
        last = column + max(len(lower), 1) - 1
        if lower:
            page.merge_range(1, column, 1, last, upper, style)
            page.write_row(2, column, lower, style)
        else:
            page.merge_range(1, column, 2, column, upper, style)
        column = last + 1
    page.merge_range(0, 0, 0, column - 1, title, style)
    for place, row in enumerate(draft.rows, start=3):
        for at, cell in enumerate(row):
            if isinstance(cell, datetime):
                page.write_datetime(place, at, cell, time)
            elif isinstance(cell, str) and cell in _ERRORS:
                page.write_formula(place, at, _ERRORS[cell], None, cell)
            elif isinstance(cell, str):
                page.write_string(place, at, cell)
            elif cell is not None:
                page.write_number(place, at, cell)
    page.freeze_panes(3, 1)
    book.close()
    return data.getvalue()
