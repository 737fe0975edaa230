"""Give the columns that a schema does not know their kinds, from the first records of every sheet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from tundish.tabular.infer.unknown import merge_kinds, unknown_kinds, with_kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.stages.records.plan import OpenSheet
    from tundish.tabular.base import Layout, Piece, Sheet
    from tundish.tabular.plan import Kind

__all__ = ["type_unknown"]

_KEPT = 20_000_000
"""Cells of first pieces that are kept until their sheet is read; beyond it a first piece is read twice."""

_OPEN = 64
"""Sheets that are kept open so."""


@dataclass(frozen=True)
class _Peeked:
    """A sheet whose first piece was read already; its pieces can be had once."""

    layout: Layout
    first: Piece
    rest: Iterator[Piece]

    def pieces(self) -> Iterator[Piece]:
        """Yield the records piece by piece."""
        return chain((self.first,), self.rest)


def type_unknown(sheets: list[OpenSheet]) -> list[OpenSheet]:
    """The sheets with kinds for the columns that the schema does not know.

    A column has one kind in all sheets: text where two of them disagree, or no first piece has a value.
    """
    found: list[dict[str, Kind]] = []
    opened, kept = [], 0
    for one in sheets:
        kinds, sheet, cells = _peek(one)
        keep = cells and kept + cells <= _KEPT and len(found) < _OPEN
        kept += cells if keep else 0
        found.append(kinds)
        opened.append(replace(one, sheet=sheet if keep else one.sheet))
    merged = merge_kinds(found)
    return [replace(one, plan=with_kinds(one.plan, merged, joined=_joined(one))) for one in opened]


def _peek(opened: OpenSheet) -> tuple[dict[str, Kind], Sheet, int]:
    """The kinds of the unknown columns, the sheet with its first piece kept, and the cells of that piece."""
    if not opened.plan.unknown:
        return {}, opened.sheet, 0
    pieces = opened.sheet.pieces()
    first = next(pieces, None)
    if first is None:
        return {}, opened.sheet, 0
    kinds = unknown_kinds(opened.plan, first.cells, joined=_joined(opened))
    cells = first.cells.height * first.cells.width
    return kinds, _Peeked(opened.sheet.layout, first, pieces), max(cells, 1)


def _joined(opened: OpenSheet) -> bool:
    return opened.sheet.layout.header_rows > 1
