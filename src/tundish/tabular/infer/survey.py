"""Survey a sheet: the unit, kind and evidence of every column over all its records, and its key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import polars as pl

from tundish.tabular.base import pieces_from
from tundish.tabular.infer.evidence import Evidence, Gauge
from tundish.tabular.infer.kinds import faulty, guess_kinds, names_identifier, names_time
from tundish.tabular.infer.units import HeaderUnit, cell_unit, header_unit
from tundish.tabular.plan import Plan, Planned
from tundish.tabular.values.cells import read_cells
from tundish.tabular.values.conventions import decide

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tundish.tabular.base import Layout, Piece, Sheet
    from tundish.tabular.infer.unit_columns import UnitColumn
    from tundish.tabular.plan import Kind, ReadOptions

__all__ = ["Surveyed", "find_key", "survey"]

_WHOLE = 100
"""Whole values that suggest that a column without a unit has no others."""

_COUNTS = ("数", "次", "序号", "count", "number", "pieces", "passes", "seq")


@dataclass(frozen=True)
class Surveyed:
    """One column of a sheet.

    Attributes:
        header: The header as written.
        index: Its place in the file, from 0.
        unit: The header split into its name and its unit.
        kind: The kind of its values; text where there is none.
        evidence: What the values show.
    """

    header: str
    index: int
    unit: HeaderUnit
    kind: Kind
    evidence: Evidence


def survey(sheet: Sheet, options: ReadOptions, pairs: Sequence[UnitColumn] = ()) -> tuple[Surveyed, ...]:
    """Survey all records of a sheet; a sheet of any length needs the memory of one piece.

    Kinds are guessed from the first values and proved by reading all of them: a column of which more than
    five of 100 filled cells cannot be read as its kind is text.

    Args:
        sheet: The sheet.
        options: What is known about its values.
        pairs: The columns whose rows name their units in another column; all values come in the usual one.
    """
    pieces = sheet.pieces()
    first = next(pieces, None)
    by_row = {pair.value: pair for pair in pairs}
    units = [
        replace(one, unit=by_row[index].usual, own=None) if index in by_row else one
        for index, one in enumerate(_units(sheet.layout, first))
    ]
    options = _decided(sheet, first, options)
    known = {index: unit.unit for index, unit in enumerate(units) if unit.unit is not None}
    names = {index: unit.name for index, unit in enumerate(units)}
    kinds = _guessed(sheet, () if first is None else (first,), names, known, options)
    kinds |= dict.fromkeys(by_row, "real")
    empty = names.keys() - kinds.keys()
    kinds |= dict.fromkeys(empty, "text")
    again = chain(() if first is None else (first,), pieces)
    while True:
        evidence = _gather(again, sheet.layout, _planned(kinds, known, by_row), options)
        late = {index: names[index] for index in empty if evidence[index].filled}
        wrong = [
            index for index, one in evidence.items() if _refuted(kinds[index], one, measured=index in known)
        ]
        if not wrong and not late:
            break
        kinds |= dict.fromkeys(wrong, "text")
        kinds |= _guessed(sheet, sheet.pieces(), late, known, options)
        empty, again = set(), chain(sheet.pieces())
    return tuple(
        _surveyed(Surveyed(header, index, units[index], kinds[index], evidence[index]))
        for index, header in enumerate(sheet.layout.headers)
    )


def _guessed(
    sheet: Sheet,
    pieces: Iterable[Piece],
    names: Mapping[int, str],
    units: Mapping[int, str],
    options: ReadOptions,
) -> dict[int, Kind]:
    """The kinds of columns, each from the first of the pieces in which it has a value."""
    kinds: dict[int, Kind] = {}
    for piece in pieces if names else ():
        left = {index: name for index, name in names.items() if index not in kinds}
        kinds |= guess_kinds(piece.cells, left, units, options, typed=sheet.layout.typed)
        if len(kinds) == len(names):
            break
    return kinds


def _decided(sheet: Sheet, first: Piece | None, options: ReadOptions) -> ReadOptions:
    """The options with how the file writes numbers and days: every column is looked at as if it were both."""
    layout = sheet.layout
    options = replace(options, date1904=layout.date1904)
    columns = tuple(
        Planned(f"c{index}", kind, f"c{index}", index)
        for kind in ("real", "time")
        for index in range(len(layout.headers))
    )
    plan = Plan(
        columns, (), (), layout.headers, options, "", separator=layout.separator, numbers_typed=layout.typed
    )
    return decide(plan, (piece.cells for piece in pieces_from(first, sheet))).options


def _units(layout: Layout, first: Piece | None) -> list[HeaderUnit]:
    """The units of all columns: by their headers, else by their first cells."""
    units = [header_unit(header, joined=layout.header_rows > 1) for header in layout.headers]
    if first is None:
        return units
    return [
        one if one.unit is not None else replace(one, unit=cell_unit(first.cells[f"c{index}"]))
        for index, one in enumerate(units)
    ]


def _refuted(kind: Kind, evidence: Evidence, *, measured: bool) -> bool:
    return kind != "text" and evidence.unread > faulty(measured=measured) * (
        evidence.filled + evidence.unread
    )


def _planned(
    kinds: Mapping[int, Kind], units: Mapping[int, str], by_row: Mapping[int, UnitColumn]
) -> tuple[Planned, ...]:
    columns = [
        Planned(f"c{index}", kind, f"c{index}", index, unit=units.get(index)) for index, kind in kinds.items()
    ]
    return tuple(
        replace(one, how="row", unit_at=by_row[one.index].unit)
        if one.index in by_row and one.kind != "text"
        else one
        for one in columns
    )


def _gather(
    pieces: Iterable[Piece],
    layout: Layout,
    columns: tuple[Planned, ...],
    options: ReadOptions,
) -> dict[int, Evidence]:
    plan = Plan(columns, (), (), layout.headers, options, "", numbers_typed=layout.typed)
    gauge = Gauge({column.name: column.kind for column in columns})
    for piece in pieces:
        cells = read_cells(piece.cells, plan)
        frame = cells.frame
        if cells.skipped.height:
            frame = frame.filter(~pl.col("row").is_in(cells.skipped["row"].implode()))
        unread = dict(cells.faults["column"].value_counts().iter_rows()) if cells.faults.height else {}
        gauge.add(frame, unread)
    found = gauge.result()
    return {column.index: found[column.name] for column in columns}


def _surveyed(column: Surveyed) -> Surveyed:
    """The column with whole numbers told from measures that happen to be whole, and units of numbers only."""
    if column.kind not in {"real", "integer"}:
        unit = column.unit
        return replace(column, unit=HeaderUnit(column.header if unit.unit else unit.name))
    if column.kind == "real" and _is_whole(column):
        return replace(column, kind="integer")
    return column


def _is_whole(column: Surveyed) -> bool:
    evidence = column.evidence
    if not evidence.whole or column.unit.unit is not None:
        return False
    if max(abs(evidence.least), abs(evidence.most)) > 2**53:
        return False
    name = column.unit.name.lower()
    counted = names_identifier(name) or any(word in name for word in _COUNTS)
    return counted or evidence.filled >= _WHOLE or bool(evidence.categories)


def find_key(columns: Sequence[Surveyed]) -> Surveyed | None:
    """The column that names a record: no value is missing, and none occurs twice; None where none does.

    Identifiers by their headers come first, then texts, then times, then whole numbers that count up.
    """
    unique = [column for column in columns if column.evidence.unique]
    several = any(column.evidence.filled > 2 for column in columns)
    ranks = [
        [one for one in unique if one.kind == "text" and names_identifier(one.unit.name)],
        [one for one in unique if one.kind == "integer" and names_identifier(one.unit.name)],
        [one for one in unique if several and one.kind == "time" and names_time(one.unit.name)],
        [one for one in unique if several and one.kind == "time"],
        [one for one in unique if several and one.kind == "text" and one.index < 2],
        [one for one in unique if several and one.kind == "integer" and one.index == 0],
    ]
    return next((rank[0] for rank in ranks if rank), None)
