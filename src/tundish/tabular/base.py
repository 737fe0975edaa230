"""The pieces that a file of records is cut into, before its columns have a meaning."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "BROKEN",
    "PLACE",
    "SKIPPED",
    "FileOptions",
    "Layout",
    "Piece",
    "Pivot",
    "Remark",
    "Sheet",
    "pieces_from",
]

PLACE = ("row", "line")
"""Columns of every piece: the record in its sheet from 0, its line as Excel or an editor counts, from 1."""

BROKEN = pl.Schema(
    {"row": pl.Int64, "line": pl.Int64, "check": pl.String, "value": pl.String, "message": pl.String}
)
"""Records that could not be cut into fields."""


SKIPPED = pl.Schema({"row": pl.Int64, "reason": pl.String})
"""Rows that are not records, and why."""


@dataclass(frozen=True)
class FileOptions:
    """What the recipe states about the file; None where the reader is to find out.

    Attributes:
        sheets: Only these sheets of a workbook.
        header_rows: Rows of the header, 0 where there is none.
        header: The line of the header, from 1: the last one, where it has several.
        names: The columns in order, for a file without a header.
        known: Names that columns may have; they distinguish the header from the records.
        encoding: The encoding of a text file.
        hidden: Whether hidden rows and sheets of a workbook are read; None reads the rows alone.
        lines: The first and the last line of the records, from 1; None where there is no limit.
        footer: How many rows at the end are not records.
        pivot: The columns of a long table.
    """

    sheets: tuple[str, ...] = ()
    header_rows: int | None = None
    header: int | None = None
    names: tuple[str, ...] = ()
    known: Sequence[str] = ()
    encoding: str | None = None
    hidden: Literal["skip", "read"] | None = None
    lines: tuple[int | None, int | None] = (None, None)
    footer: int = 0
    pivot: Pivot | None = None


class Pivot(NamedTuple):
    """A long table: the headers of the columns with the items, with their values, and with the units.

    `calorie` are the joules in a calorie, where values of one item are in several units.
    """

    name: str
    value: str
    unit: str | None = None
    calorie: float = 4.1868


class Remark(NamedTuple):
    """What a person should know about a file: the name of the check, and a sentence."""

    check: str
    message: str


@dataclass(frozen=True)
class Layout:
    """The layout of one sheet.

    Attributes:
        sheet: The name of the sheet in a workbook, or of the file in a zip.
        headers: One per column, as written, two rows joined by "_". Never empty, not always distinct.
        header_rows: The number of rows above the first record, titles included.
        encoding: The encoding of a text file: utf-8, utf-8-sig, utf-16, gb18030, cp1252, latin-1.
        separator: The separator of a text file.
        typed: Whether numbers are typed in the file, as in a workbook.
        date1904: Whether day numbers of a workbook count from 1904.
        remarks: What a person should know about the sheet.
    """

    sheet: str | None
    headers: tuple[str, ...]
    header_rows: int
    encoding: str | None = None
    separator: str | None = None
    typed: bool = False
    date1904: bool = False
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Piece:
    """A run of consecutive records.

    Attributes:
        cells: The columns of PLACE (Int64), then c0, c1, ... for the columns of the file: text as written
            (String), null where there is nothing; numbers and times where the file itself has types.
        broken: The records among them that could not be cut, as in BROKEN; they are not in `cells`.
        skipped: Rows of `cells` that are not records, as in SKIPPED.
    """

    cells: pl.DataFrame
    broken: pl.DataFrame = field(default_factory=BROKEN.to_frame)
    skipped: pl.DataFrame = field(default_factory=SKIPPED.to_frame)


class Sheet(Protocol):
    """One table of a file. Every record from 0 on is in exactly one piece, in `cells` or in `broken`."""

    @property
    def layout(self) -> Layout:
        """The layout of the sheet."""
        ...

    def pieces(self) -> Iterator[Piece]:
        """Yield the records piece by piece, so that memory stays flat."""
        ...


def pieces_from(first: Piece | None, sheet: Sheet) -> Iterator[Piece]:
    """The first piece of a sheet, which was read before, and those behind it, read only where asked for."""
    if first is not None:
        yield first
        yield from islice(sheet.pieces(), 1, None)
