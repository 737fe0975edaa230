"""Rows at the edges of a table that the recipe says are not records: outside of its lines, and its footer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tundish.tabular.base import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.tabular.base import FileOptions, Layout, Sheet

__all__ = ["Trimmed", "trimmed"]


@dataclass(frozen=True)
class Trimmed:
    """A table whose rows outside of some lines are skipped."""

    sheet: Sheet
    lines: tuple[int | None, int | None]
    footer: int

    @property
    def layout(self) -> Layout:
        """The layout of the table."""
        return self.sheet.layout

    def pieces(self) -> Iterator[Piece]:
        """Yield the pieces; rows that could not be cut are empty ones where they are skipped."""
        end = self._end_of_records() if self.footer else None
        for piece in self.sheet.pieces():
            yield self._marked(piece, end)

    def _end_of_records(self) -> int:
        """The number of the first row of the footer."""
        last = 0
        for piece in self.sheet.pieces():
            rows = pl.concat([piece.cells["row"], piece.broken["row"]])
            last = max(last, *rows.to_list()[-1:], *piece.cells["row"].to_list()[-1:], 0)
        return last + 1 - self.footer

    def _marked(self, piece: Piece, end: int | None) -> Piece:
        first, last = self.lines
        line, row = pl.col("line"), pl.col("row")
        outside = (line < first) if first is not None else pl.lit(value=False)
        outside = outside | (line > last) if last is not None else outside
        outside = outside | (row >= end) if end is not None else outside
        broken = piece.broken.filter(outside)
        cells = piece.cells
        if broken.height:
            cells = pl.concat([cells, broken.select("row", "line")], how="diagonal").sort("row")
        more = cells.filter(outside).select("row", reason=pl.lit("outside_rows"))
        skipped = pl.concat([more, piece.skipped]).unique("row", keep="first", maintain_order=True)
        return Piece(cells, piece.broken.filter(~outside), skipped)


def trimmed(sheet: Sheet, options: FileOptions) -> Sheet:
    """The table as the options limit it."""
    if options.lines == (None, None) and not options.footer:
        return sheet
    return Trimmed(sheet, options.lines, options.footer)
