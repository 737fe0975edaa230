"""What a file of records is cut into, before anybody asks what its columns mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["BROKEN", "PLACE", "Asked", "Layout", "Piece", "Sheet"]

PLACE = ("row", "line")
"""Columns of every piece: the record in its sheet from 0, its line as Excel or an editor counts, from 1."""

BROKEN = pl.Schema(
    {"row": pl.Int64, "line": pl.Int64, "check": pl.String, "value": pl.String, "message": pl.String}
)
"""Records that could not be cut into fields."""


@dataclass(frozen=True)
class Asked:
    """What the recipe says of the file; None where it is to be found out.

    Attributes:
        sheet: Only this sheet of a workbook.
        header_rows: Rows of the header, 0 where there is none.
        names: The columns in order, for a file without header.
        known: Names that columns may have; they tell the header from the records.
    """

    sheet: str | None = None
    header_rows: int | None = None
    names: tuple[str, ...] = ()
    known: Sequence[str] = ()


@dataclass(frozen=True)
class Layout:
    """How one sheet is laid out.

    Attributes:
        sheet: Its name in a workbook.
        headers: One a column, as written, two rows joined by "_". Never empty, not always distinct.
        header_rows: How many rows they took; titles above them count.
        encoding: Of a text file: utf-8, utf-8-sig, utf-16, gb18030.
        separator: Of a text file.
    """

    sheet: str | None
    headers: tuple[str, ...]
    header_rows: int
    encoding: str | None = None
    separator: str | None = None


@dataclass(frozen=True)
class Piece:
    """Some records in a row.

    Attributes:
        cells: The columns of PLACE (Int64), then c0, c1, ... for the columns of the file: text as written
            (String), null where there is nothing; numbers and times where the file itself has types.
        broken: The records among them that could not be cut, as in BROKEN; they are not in `cells`.
    """

    cells: pl.DataFrame
    broken: pl.DataFrame


class Sheet(Protocol):
    """One table of a file. Every record from 0 on stands in exactly one piece, in `cells` or in `broken`."""

    @property
    def layout(self) -> Layout:
        """How it is laid out."""
        ...

    def pieces(self) -> Iterator[Piece]:
        """Its records, some at a time, so that memory stays flat."""
        ...
