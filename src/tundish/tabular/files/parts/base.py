"""What a workbook and its sheets hold beside their values, whatever its kind."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tundish.tabular.files.number_formats import NumberFormat

__all__ = ["ERRORS", "BookParts", "CellTexts", "Extent", "FormattedCells", "SheetPart"]

CellTexts = dict[int, list[tuple[int, str]]]
"""By row from 0: the columns from 0, and the text in the place of a value: an error, a formula."""

ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
"""Errors in cells, by their code in binary workbooks [MS-XLS 2.5.10]."""

_AREA = 100_000_000


@dataclass
class FormattedCells:
    """Cells with a format that changes what their number means: rows and columns from 0, and the formats."""

    rows: array[int] = field(default_factory=lambda: array("l"))
    columns: array[int] = field(default_factory=lambda: array("l"))
    styles: array[int] = field(default_factory=lambda: array("l"))

    def add(self, row: int, column: int, style: int) -> None:
        """Add a cell: its row and column, from 0, and the number of its format."""
        self.rows.append(row)
        self.columns.append(column)
        self.styles.append(style)

    def by_row(self) -> Iterator[tuple[int, int, int]]:
        """Yield row, column and number of the format, in the order of the rows."""
        found = zip(self.rows, self.columns, self.styles, strict=True)
        in_order = all(one <= other for one, other in zip(self.rows, self.rows[1:], strict=False))
        yield from found if in_order else sorted(found)


@dataclass
class Extent:
    """How far a sheet extends: rows and columns down to the last cell that is not empty."""

    rows: int = 0
    columns: int = 0

    def reach(self, row: int, column: int) -> None:
        """Extend it to a cell; row and column from 1."""
        self.rows, self.columns = max(self.rows, row), max(self.columns, column)

    @property
    def too_large(self) -> str:
        """The extent in words, where that is 100 million cells or more."""
        return f"{self.columns} columns and {self.rows} rows" if self.rows * self.columns > _AREA else ""


@dataclass(frozen=True)
class SheetPart:
    """What a sheet holds beside its values.

    Attributes:
        texts: Errors, and formulas without a stored result.
        formulas: How many of these are formulas.
        formatted: Cells with a format that changes what their number means.
        hidden: The hidden rows, from 0.
        too_large: The extent of the sheet, where that is 100 million cells or more.
        unread: Whether a number format may have been missed.
    """

    texts: CellTexts = field(default_factory=dict)
    formulas: int = 0
    formatted: FormattedCells = field(default_factory=FormattedCells)
    hidden: frozenset[int] = frozenset()
    too_large: str = ""
    unread: bool = False


@dataclass(frozen=True)
class BookParts:
    """What a workbook holds beside the values of its sheets.

    Attributes:
        sheets: The parts of the sheets, by name, as far as they could be read.
        formats: The formats that change what a number means, by number.
        date1904: Whether day numbers count from 1904.
    """

    sheets: Mapping[str, SheetPart] = field(default_factory=dict)
    formats: Mapping[int, NumberFormat] = field(default_factory=dict)
    date1904: bool = False

    def of(self, sheet: str) -> SheetPart:
        """The parts of a sheet; `unread` where they could not be read."""
        return self.sheets.get(sheet, SheetPart(unread=True))
