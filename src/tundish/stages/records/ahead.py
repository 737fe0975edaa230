"""What the first records of every sheet settle before any is judged.

How a file writes numbers and days, and the kinds of the columns that a schema does not know.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from tundish.errors import SourceError
from tundish.tabular.base import pieces_from
from tundish.tabular.infer.unknown import merge_kinds, unknown_kinds, unknown_units, with_kinds
from tundish.tabular.values.conventions import decide
from tundish.tabular.values.row_units import count_row_units, settle_row_units, usual_unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.stages.records.plan import OpenSheet
    from tundish.tabular.base import Layout, Piece
    from tundish.tabular.plan import Kind

__all__ = ["look_ahead"]

_KEPT = 20_000_000
"""Cells of first pieces that are kept until their sheet is read; beyond it a first piece is read twice."""

_OPEN = 64
"""Sheets that are kept open so."""


@dataclass(frozen=True)
class _Begun:
    """A sheet whose first piece was read already; its pieces can be had once."""

    layout: Layout
    ahead: Iterator[Piece]

    def pieces(self) -> Iterator[Piece]:
        """Yield the records piece by piece; each is let go when it was judged."""
        return self.ahead


class _Found(NamedTuple):
    """The kinds and units of the unknown columns of a sheet, by their names.

    `by_row` are the rows by unit of each column whose rows name theirs, by its place.
    """

    kinds: dict[str, Kind]
    units: dict[str, str]
    by_row: dict[int, Counter[str]]


def look_ahead(sheets: list[OpenSheet]) -> list[OpenSheet]:
    """The sheets with what their first pieces settle; the pieces of each are to be read once.

    A column that the schema does not know has one kind in all sheets: text where two of them disagree, or no
    first piece has a value.
    """
    found: list[_Found] = []
    opened: list[OpenSheet] = []
    kept = 0
    for one in sheets:
        pieces = one.sheet.pieces()
        first = next(pieces, None)
        looked = replace(one, plan=decide(one.plan, (piece.cells for piece in pieces_from(first, one.sheet))))
        by_row = count_row_units(looked.plan, (piece.cells for piece in pieces_from(first, one.sheet)))
        found.append(_look(looked, first)._replace(by_row=by_row))
        cells = 0 if first is None else first.cells.height * first.cells.width
        if first is not None and kept + cells <= _KEPT and len(opened) < _OPEN:
            looked = replace(looked, sheet=_Begun(one.sheet.layout, chain((first,), pieces)))
            kept += cells
        opened.append(looked)
    usual = _usual_units(opened, found)
    merged = merge_kinds([one.kinds for one in found])
    merged |= dict.fromkeys(_in_several_units(found), "text")
    merged |= dict.fromkeys(usual, "real")
    return [
        replace(
            one,
            plan=settle_row_units(with_kinds(one.plan, merged, looked.units), looked.by_row, usual),
        )
        for one, looked in zip(opened, found, strict=True)
    ]


def _usual_units(sheets: list[OpenSheet], found: list[_Found]) -> dict[str, str]:
    """The unit that most rows of all sheets have, by unknown column whose rows name theirs.

    Raises:
        SourceError: A recipe says that a column holds the units of the rows, and none of them is known.
    """
    counts: dict[str, Counter[str]] = {}
    for one, looked in zip(sheets, found, strict=True):
        for column in one.plan.unknown:
            if looked.by_row.get(column.index):
                counts.setdefault(column.name, Counter()).update(looked.by_row[column.index])
    usual = {name: usual_unit(units, sheets[0].plan.units) for name, units in counts.items()}
    for name, unit in usual.items():
        if unit is None:
            raise SourceError(
                f"none of the units that the rows name for '{name}' is known:"
                f" {', '.join(sorted(counts[name])[:5])}",
                where=sheets[0].plan.where,
                fix=f"define them in the alias file beside the schema, or remove '{name}' from unit_columns",
            )
    return {name: unit for name, unit in usual.items() if unit is not None}


def _in_several_units(found: list[_Found]) -> set[str]:
    """The unknown columns of numbers that have one unit in one sheet and another or none in another."""
    units: dict[str, set[str | None]] = {}
    for one in found:
        for name in one.kinds:
            units.setdefault(name, set()).add(one.units.get(name))
    return {name for name, seen in units.items() if len(seen) > 1}


def _look(opened: OpenSheet, first: Piece | None) -> _Found:
    if first is None or not opened.plan.unknown:
        return _Found({}, {}, {})
    joined = opened.sheet.layout.header_rows > 1
    units = unknown_units(opened.plan, first.cells, joined=joined)
    return _Found(unknown_kinds(opened.plan, first.cells, units, joined=joined), units, {})
