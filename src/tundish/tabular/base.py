"""The pieces that a file of records is cut into, before its columns have a meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["BROKEN", "PLACE", "FileOptions", "Layout", "Piece", "Sheet"]

PLACE = ("row", "line")
"""Columns of every piece: the record in its sheet from 0, its line as Excel or an editor counts, from 1."""

BROKEN = pl.Schema(
    {"row": pl.Int64, "line": pl.Int64, "check": pl.String, "value": pl.String, "message": pl.String}
)
"""Records that could not be cut into fields."""


@dataclass(frozen=True)
class FileOptions:
    """What the recipe states about the file; None where the reader is to find out.

    Attributes:
        sheet: Only this sheet of a workbook.
        header_rows: Rows of the header, 0 where there is none.
        names: The columns in order, for a file without a header.
        known: Names that columns may have; they distinguish the header from the records.
    """

    sheet: str | None = None
    header_rows: int | None = None
    names: tuple[str, ...] = ()
    known: Sequence[str] = ()


@dataclass(frozen=True)
class Layout:
    """The layout of one sheet.

    Attributes:
        sheet: The name of the sheet in a workbook.
        headers: One per column, as written, two rows joined by "_". Never empty, not always distinct.
        header_rows: The number of rows above the first record, titles included.
        encoding: The encoding of a text file: utf-8, utf-8-sig, utf-16 or gb18030.
        separator: The separator of a text file.
    """

    sheet: str | None
    headers: tuple[str, ...]
    header_rows: int
    encoding: str | None = None
    separator: str | None = None


@dataclass(frozen=True)
class Piece:
    """A run of consecutive records.

    Attributes:
        cells: The columns of PLACE (Int64), then c0, c1, ... for the columns of the file: text as written
            (String), null where there is nothing; numbers and times where the file itself has types.
        broken: The records among them that could not be cut, as in BROKEN; they are not in `cells`.
    """

    cells: pl.DataFrame
    broken: pl.DataFrame


class Sheet(Protocol):
    """One table of a file. Every record from 0 on is in exactly one piece, in `cells` or in `broken`."""

    @property
    def layout(self) -> Layout:
        """The layout of the sheet."""
        ...

    def pieces(self) -> Iterator[Piece]:
        """Yield the records piece by piece, so that memory stays flat."""
        ...
