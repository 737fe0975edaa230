"""Tables of workbooks: xlsx, xlsm, xls, ods. Every cell becomes text, as it is in the sheet."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import polars as pl
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from tundish.errors import SourceError
from tundish.tabular.base import BROKEN, FileOptions, Layout, Piece
from tundish.tabular.files.header_rows import HEAD, Merged, Row, find_header
from tundish.tabular.files.workbook_parts import ErrorCells, SheetPart, sheet_parts
from tundish.tabular.files.workbook_trial import survives

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["WorkbookSheet", "open_workbook"]

_ROWS = 20_000
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")

_Value = float | str | bool | time | date | datetime | timedelta


@dataclass(frozen=True)
class _Grid:
    """The cells of a sheet as text, from its first row and its first column in use."""

    sheet: CalamineSheet
    width: int
    height: int
    merged: Sequence[Merged] = ()
    errors: ErrorCells = field(default_factory=dict)

    def rows(self) -> Iterator[Row]:
        """Yield every row down to the last one that is not empty."""
        first = (self.sheet.start or (0, 0))[1]
        for number, row in enumerate(islice(self.sheet.iter_rows(), self.height)):
            cells = list(map(_text, row[: self.width]))
            cells += [None] * (self.width - len(cells))
            for column, text in self.errors.get(number, ()):
                if 0 <= column - first < self.width:
                    cells[column - first] = text
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


@dataclass(frozen=True)
class WorkbookSheet:
    """One sheet of a workbook."""

    layout: Layout
    grid: _Grid

    def pieces(self) -> Iterator[Piece]:
        """Yield the records, 20,000 at a time; `line` is the row of the sheet, from 1."""
        head = self.layout.header_rows
        rows = islice(self.grid.filled(), head, None)
        schema = pl.Schema({f"c{number}": pl.String for number in range(self.grid.width)})
        done = 0
        while batch := list(islice(rows, _ROWS)):
            cells = pl.DataFrame(dict(zip(schema, zip(*batch, strict=True), strict=True)), schema)
            numbers = pl.int_range(done, done + len(batch), dtype=pl.Int64, eager=True)
            cells = cells.select(numbers.alias("row"), (numbers + (head + 1)).alias("line"), pl.all())
            yield Piece(cells, BROKEN.to_frame())
            done += len(batch)


def open_workbook(path: Path, name: str, options: FileOptions) -> list[WorkbookSheet]:
    """Open the visible sheets of a workbook that contain records, or the one that is options for.

    Raises:
        SourceError: The workbook is locked or damaged, has no such sheet, or contains no records.
    """
    if _is_encrypted(path):
        raise _locked(name)
    if _is_compound(path) and not survives(path):
        raise _damaged(name, "it requires more memory than a workbook can need")
    with path.open("rb") as file, _reporting_faults(name):
        book = CalamineWorkbook.from_filelike(file)
    parts = sheet_parts(path)
    sheets = []
    for title in _wanted_sheets(book, options, name):
        where = f"{name}, sheet '{title}'"
        part = parts.get(title, SheetPart())
        if part.too_large:
            raise SourceError(
                f"the sheet extends over {part.too_large}",
                where=where,
                fix="delete what is beyond the table, or save it as .csv",
            )
        with _reporting_faults(where):
            sheet = book.get_sheet_by_name(title)
        found = _open_sheet(sheet, part.errors, where, options)
        if found is not None:
            sheets.append(found)
    if not sheets:
        where = f"{name}, sheet '{options.sheet}'" if options.sheet else name
        raise SourceError("it contains no records", where=where, fix="remove it from the recipe's source")
    return sheets


def _wanted_sheets(book: CalamineWorkbook, options: FileOptions, name: str) -> list[str]:
    tables = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    if options.sheet is None:
        return [sheet.name for sheet in tables if sheet.visible == SheetVisibleEnum.Visible]
    names = [sheet.name for sheet in tables]
    if options.sheet not in names:
        fix = "name one of " + ", ".join(f"'{title}'" for title in names)
        raise SourceError(f"there is no sheet '{options.sheet}'", where=name, fix=fix)
    return [options.sheet]


def _open_sheet(
    sheet: CalamineSheet, errors: ErrorCells, where: str, options: FileOptions
) -> WorkbookSheet | None:
    first = (sheet.start or (0, 0))[1]
    height, width = _used_area(sheet, errors, first)
    merged = [
        (top, left - first, bottom, right - first)
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
        if left >= first
    ]
    grid = _Grid(sheet, width, height, merged, errors)
    rows = list(islice(grid.rows(), HEAD))
    if not rows:
        return None
    header = find_header(rows, width, options, where, merged)
    if header.rows >= height:
        return None
    return WorkbookSheet(Layout(sheet.name, header.names, header.rows), grid)


def _used_area(sheet: CalamineSheet, errors: ErrorCells, first: int) -> tuple[int, int]:
    """Rows and columns down to the last ones that are not empty."""
    height = max(errors, default=-1) + 1
    width = max((column - first + 1 for row in errors.values() for column, _ in row), default=0)
    for number, row in enumerate(sheet.iter_rows(), start=1):
        end = len(row)
        while end > width and row[end - 1] == "":
            end -= 1
        width = max(width, end)
        if number > height and any(value != "" for value in row):
            height = number
    return height, width


def _text(value: _Value) -> str | None:
    """A value as text: the shortest that gives the same number; ISO 8601 for dates and times."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return str(int(value)) if abs(value) < 1e15 and value == int(value) else repr(value)
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    if isinstance(value, (datetime, time)):
        return value.isoformat()
    return datetime(value.year, value.month, value.day).isoformat()  # noqa: DTZ001 - a sheet knows no zone


@contextmanager
def _reporting_faults(where: str) -> Iterator[None]:
    try:
        yield
    except PasswordError:
        raise _locked(where) from None
    except CalamineError as error:
        raise _damaged(where, error) from None
    except BaseException as error:
        # What the reader raises at a damaged file has no class that could be named.
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(where, error) from None


def _is_compound(path: Path) -> bool:
    """Whether a file is an OLE compound file: an .xls."""
    with path.open("rb") as file:
        return file.read(len(_OLE)) == _OLE


def _is_encrypted(path: Path) -> bool:
    """Whether a compound file contains an encrypted package: an Excel workbook with a password."""
    return _is_compound(path) and _ENCRYPTED in path.read_bytes()


def _locked(name: str) -> SourceError:
    return SourceError(
        "the workbook is locked with a password",
        where=name,
        fix="open it in Excel and save a copy without one",
    )


def _damaged(where: str, error: BaseException | str) -> SourceError:
    return SourceError(
        f"the file is a damaged workbook or not a workbook ({str(error).strip().rstrip('.')})",
        where=where,
        fix="open it in Excel and save it again as .xlsx, or ask for it again",
    )
