"""Tables of workbooks: xlsx, xlsm, xlsb, xls, et, ods. Every cell becomes text, as it is in the sheet."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import polars as pl
from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from tundish.errors import SourceError
from tundish.tabular.base import SKIPPED, FileOptions, Layout, Piece, Remark
from tundish.tabular.files.grid import Grid, open_grid
from tundish.tabular.files.header_rows import HEAD, find_header, plain_name
from tundish.tabular.files.parts.book import book_parts
from tundish.tabular.files.stacked import Block, later_headers, side_by_side
from tundish.tabular.files.workbook_trial import survives

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tundish.tabular.files.header_rows import Header

__all__ = ["WorkbookSheet", "open_workbook"]

_ROWS = 20_000
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True)
class WorkbookSheet:
    """One table of a sheet.

    Attributes:
        layout: How it is laid out; `header_rows` counts all rows of the sheet above the first record.
        grid: The cells of the sheet.
        end: The row after the last record, from 0.
        columns: Its columns in the grid: from, to (not included).
        before: The records of the sheet's tables before this one, so that no two rows have one number.
        skip_hidden: Whether hidden rows are not records.
    """

    layout: Layout
    grid: Grid
    end: int
    columns: tuple[int, int]
    before: int = 0
    skip_hidden: bool = False

    def pieces(self) -> Iterator[Piece]:
        """Yield the records, 20,000 at a time; `line` is the row of the sheet, from 1."""
        head, (left, right) = self.layout.header_rows, self.columns
        rows = islice(self.grid.filled(), head, self.end)
        schema = pl.Schema({f"c{number}": pl.String for number in range(right - left)})
        done = 0
        while batch := list(islice(rows, _ROWS)):
            columns = list(zip(*batch, strict=True))[left:right]
            cells = pl.DataFrame(dict(zip(schema, columns, strict=True)), schema)
            numbers = pl.int_range(done, done + len(batch), dtype=pl.Int64, eager=True)
            lines = numbers + (head + 1)
            cells = cells.select((numbers + self.before).alias("row"), lines.alias("line"), pl.all())
            yield Piece(cells, skipped=self._hidden(cells))
            done += len(batch)

    def _hidden(self, cells: pl.DataFrame) -> pl.DataFrame:
        if not self.skip_hidden or not self.grid.part.hidden:
            return SKIPPED.to_frame()
        hidden = cells.filter((pl.col("line") - 1).is_in(sorted(self.grid.part.hidden)))
        return hidden.select("row", reason=pl.lit("hidden_row"))


def open_workbook(path: Path, name: str, options: FileOptions) -> list[WorkbookSheet]:
    """Open the tables in the sheets of a workbook: the visible sheets, or those that the options name.

    Raises:
        SourceError: The workbook is locked or damaged, has no such sheet, or contains no records.
    """
    if _is_encrypted(path):
        raise _locked(name)
    if _is_compound(path) and not survives(path):
        raise _damaged(name, "it requires more memory than a workbook can need")
    with path.open("rb") as file, _reporting_faults(name):
        book = CalamineWorkbook.from_filelike(file)
    parts = book_parts(path)
    titles, hidden = _wanted_sheets(book, options, name)
    tables: list[WorkbookSheet] = []
    for title in titles:
        where = f"{name}, sheet '{title}'"
        part = parts.of(title)
        if part.too_large:
            raise SourceError(
                f"the sheet extends over {part.too_large}",
                where=where,
                fix="delete what is beyond the table, or save it as .csv",
            )
        with _reporting_faults(where):
            sheet = book.get_sheet_by_name(title)
        tables += _tables(open_grid(sheet, part, parts.formats), where, options)
    if not tables:
        where = f"{name}, sheet '{options.sheets[0]}'" if options.sheets else name
        raise SourceError("it contains no records", where=where, fix="remove it from the recipe's source")
    return _with_facts(tables, hidden, date1904=parts.date1904)


def _wanted_sheets(
    book: CalamineWorkbook, options: FileOptions, name: str
) -> tuple[list[str], tuple[str, ...]]:
    """The sheets to read, and the hidden ones that are not read."""
    tables = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    names = [sheet.name for sheet in tables]
    for title in options.sheets:
        if title not in names:
            fix = "name one of " + ", ".join(f"'{one}'" for one in names)
            raise SourceError(f"there is no sheet '{title}'", where=name, fix=fix)
    if options.sheets:
        return list(options.sheets), ()
    if options.hidden == "read":
        return names, ()
    visible = [sheet.name for sheet in tables if sheet.visible == SheetVisibleEnum.Visible]
    return visible, tuple(title for title in names if title not in visible)


def _with_facts(
    tables: list[WorkbookSheet], hidden: tuple[str, ...], *, date1904: bool
) -> list[WorkbookSheet]:
    """The tables with what holds for the whole workbook."""
    found: list[WorkbookSheet] = []
    for table in tables:
        layout = replace(table.layout, typed=True, date1904=date1904)
        if hidden and not found:
            named = ", ".join(f"'{title}'" for title in hidden)
            told = Remark(
                "hidden_sheet", f"hidden and not read: {named}; name them in 'sheets', or set 'hidden: read'"
            )
            layout = replace(layout, remarks=(*layout.remarks, told))
        found.append(replace(table, layout=layout))
    return found


def _tables(grid: Grid, where: str, options: FileOptions) -> list[WorkbookSheet]:
    """The tables of one sheet."""
    rows = list(islice(grid.rows(), HEAD))
    if not rows:
        return []
    header = find_header(rows, grid.width, options, where, grid.merged)
    if header.rows >= grid.height:
        return []
    known = frozenset(map(plain_name, options.known))
    later: list[Block] = []
    if header.rows > header.titles and options.header is None:
        titles = rows[header.titles : header.rows]
        later = later_headers(_raw(grid), header.rows, titles, known)
    ends = [*(block.end for block in later), grid.height]
    found = _beside(grid, header, ends[0], known, options)
    before = (ends[0] - header.rows) * len(found)
    for block, end in zip(later, ends[1:], strict=True):
        shifted = [(top - block.end, left, low - block.end, right) for top, left, low, right in grid.merged]
        sample = list(islice(grid.rows(), block.end, min(end, block.end + HEAD)))
        below = find_header(sample, grid.width, options, where, [span for span in shifted if span[0] >= 0])
        named = _moved(below, block.end)
        if named.rows >= end:
            continue
        tables = _beside(grid, named, end, known, options, before)
        found += tables
        before += (end - named.rows) * len(tables)
    return _with_remarks(found, grid, options)


def _raw(grid: Grid) -> Iterator[list[object]]:
    return (list(row) for row in islice(grid.sheet.iter_rows(), grid.height))


def _moved(header: Header, down: int) -> Header:
    return replace(header, rows=header.rows + down, titles=header.titles + down)


def _beside(
    grid: Grid, header: Header, end: int, known: frozenset[str], options: FileOptions, before: int = 0
) -> list[WorkbookSheet]:
    """The tables side by side under one header: mostly one."""
    last = next(islice(grid.filled(), header.rows - 1, None), ()) if header.rows > header.titles else ()
    ranges = side_by_side(last, known) if last else [(0, grid.width)]
    found = []
    for number, (left, right) in enumerate(ranges):
        layout = Layout(grid.sheet.name, header.names[left:right], header.rows)
        while len(ranges) > 1 and layout.headers and layout.headers[-1].startswith("column "):
            layout = replace(layout, headers=layout.headers[:-1])
        columns = (left, left + len(layout.headers))
        offset = before + number * (end - header.rows)
        found.append(WorkbookSheet(layout, grid, end, columns, offset, skip_hidden=options.hidden == "skip"))
    return found


def _with_remarks(tables: list[WorkbookSheet], grid: Grid, options: FileOptions) -> list[WorkbookSheet]:
    """The tables of a sheet; the first says what a person should know about the sheet."""
    title, part, remarks = grid.sheet.name, grid.part, []
    if len(tables) > 1:
        lines = ", ".join(str(table.layout.header_rows) for table in tables)
        remarks.append(
            Remark(
                "several_tables",
                f"the sheet '{title}' has {len(tables)} tables; their headers end in row {lines}",
            )
        )
    if part.hidden and options.hidden is None:
        shown = ", ".join(str(row + 1) for row in sorted(part.hidden)[:5])
        more = ", ..." if len(part.hidden) > 5 else ""
        remarks.append(
            Remark(
                "hidden_rows_read",
                f"rows of the sheet '{title}' are hidden and were read ({shown}{more}):"
                " 'hidden: skip' omits them, 'hidden: read' confirms them",
            )
        )
    if part.formulas:
        remarks.append(
            Remark(
                "formula_without_result",
                f"{part.formulas} formulas of the sheet '{title}' have no stored result:"
                " open the workbook in Excel and save it",
            )
        )
    if part.unread:
        remarks.append(
            Remark(
                "number_formats_unread",
                f"the number formats of the sheet '{title}' could not be read: check columns in %"
                " (35 % may be read as 0.35) and numbers with leading zeros, or save it again as .xlsx",
            )
        )
    if not tables or not remarks:
        return tables
    layout = replace(tables[0].layout, remarks=tuple(remarks))
    return [replace(tables[0], layout=layout), *tables[1:]]


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
