"""The cells of a sheet as text, as a person reads them: number formats, errors and formulas included."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from tundish.tabular.files.parts.base import SheetPart

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from python_calamine import CalamineSheet

    from tundish.tabular.files.header_rows import Merged, Row
    from tundish.tabular.files.number_formats import NumberFormat

__all__ = ["Grid", "open_grid"]

Value = float | str | bool | time | date | datetime | timedelta
_WHOLE = 1e15
"""From here on a number of a workbook is rounded: it holds 15 digits."""


@dataclass(frozen=True)
class Grid:
    """The cells of a sheet as text, from its first row and its first column in use."""

    sheet: CalamineSheet
    width: int
    height: int
    part: SheetPart = field(default_factory=SheetPart)
    formats: Mapping[int, NumberFormat] = field(default_factory=dict)
    merged: Sequence[Merged] = ()

    @property
    def first(self) -> int:
        """The first column in use."""
        return (self.sheet.start or (0, 0))[1]

    def rows(self) -> Iterator[Row]:
        """Yield every row down to the last one that is not empty."""
        formatted = self.part.formatted.by_row()
        coming = next(formatted, None)
        for number, row in enumerate(islice(self.sheet.iter_rows(), self.height)):
            cells = list(map(_text, row[: self.width]))
            cells += [None] * (self.width - len(cells))
            while coming is not None and coming[0] <= number:
                column = coming[1] - self.first
                if coming[0] == number and 0 <= column < len(row[: self.width]):
                    cells[column] = _formatted(row[column], cells[column], self.formats[coming[2]])
                coming = next(formatted, None)
            for column, text in self.part.texts.get(number, ()):
                if 0 <= column - self.first < self.width:
                    cells[column - self.first] = text
            yield tuple(cells)

    def filled(self) -> Iterator[Row]:
        """Yield the same rows, with the value of merged cells repeated in each of them."""
        coming = sorted(self.merged, reverse=True)
        open_: list[tuple[int, int, int, str | None]] = []
        for number, row in enumerate(self.rows()):
            while coming and coming[-1][0] == number:
                _, left, bottom, right = coming.pop()
                open_.append(
                    (bottom, left, min(right + 1, self.width), row[left] if left < self.width else None)
                )
            if not open_:
                yield row
                continue
            cells = list(row)
            for _, left, end, value in open_:
                cells[left:end] = [value] * (end - left)
            yield tuple(cells)
            open_ = [span for span in open_ if span[0] > number]


def open_grid(sheet: CalamineSheet, part: SheetPart, formats: Mapping[int, NumberFormat]) -> Grid:
    """The cells of a sheet, as far as it is in use."""
    first = (sheet.start or (0, 0))[1]
    height, width = _used_area(sheet, part, first)
    merged = [
        (top, left - first, bottom, right - first)
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
        if left >= first
    ]
    return Grid(sheet, width, height, part, formats, merged)


def _used_area(sheet: CalamineSheet, part: SheetPart, first: int) -> tuple[int, int]:
    """Rows and columns down to the last ones that are not empty."""
    height = max(part.texts, default=-1) + 1
    width = max((column - first + 1 for row in part.texts.values() for column, _ in row), default=0)
    for number, row in enumerate(sheet.iter_rows(), start=1):
        end = len(row)
        while end > width and row[end - 1] == "":
            end -= 1
        width = max(width, end)
        if number > height and any(value != "" for value in row):
            height = number
    return height, width


def _formatted(value: Value, text: str | None, format_: NumberFormat) -> str | None:
    """The text of a number as its format shows it; other values have no format of numbers."""
    if isinstance(value, (bool, str)) or not isinstance(value, (int, float)) or text is None:
        return text
    return format_.shown(value, text)


def _text(value: Value) -> str | None:
    """A value as text: the shortest that gives the same number; ISO 8601 for dates and times."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    if isinstance(value, (datetime, time)):
        return value.isoformat()
    return datetime(value.year, value.month, value.day).isoformat()  # noqa: DTZ001 - a sheet knows no zone


def _number(value: float) -> str:
    """A number as text; one of more than 15 digits with an exponent, since its last digits are not known."""
    if abs(value) < _WHOLE:
        return str(int(value)) if value == int(value) else repr(value)
    written = (f"{value:.{count}E}" for count in range(14, 17))
    digits, _, exponent = next(text for text in written if float(text) == value).partition("E")
    return f"{digits.rstrip('0').rstrip('.')}E{exponent}"
