"""The columns of a file that its schema does not know: they have kinds and units as well."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tundish.tabular.infer.kinds import guess_kinds
from tundish.tabular.infer.units import cell_unit, header_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

    from tundish.tabular.plan import Kind, Plan

__all__ = ["merge_kinds", "unknown_kinds", "unknown_units", "with_kinds"]


def unknown_units(plan: Plan, cells: pl.DataFrame, *, joined: bool) -> dict[str, str]:
    """The units of the unknown columns by their names: of the header, else behind all numbers in the cells.

    Args:
        plan: The plan of the sheet.
        cells: The cells of its first piece.
        joined: Whether its headers are several rows joined by '_'.
    """
    units = {
        one.name: header_unit(one.header, joined=joined).unit or cell_unit(cells[f"c{one.index}"])
        for one in plan.unknown
    }
    return {name: unit for name, unit in units.items() if unit is not None}


def unknown_kinds(
    plan: Plan, cells: pl.DataFrame, units: Mapping[str, str], *, joined: bool
) -> dict[str, Kind]:
    """The kinds of the unknown columns that have a value in these cells, by their names in the table.

    Args:
        plan: The plan of the sheet.
        cells: The cells of its first piece.
        units: The units of its unknown columns.
        joined: Whether its headers are several rows joined by '_'.
    """
    names = {one.index: header_unit(one.header, joined=joined).name for one in plan.unknown}
    known = {one.index: units[one.name] for one in plan.unknown if one.name in units}
    guesses = guess_kinds(cells, names, known, plan.options, typed=plan.numbers_typed)
    return {one.name: guesses[one.index] for one in plan.unknown if one.index in guesses}


def merge_kinds(sheets: Iterable[Mapping[str, Kind]]) -> dict[str, Kind]:
    """The kinds of columns over all sheets of a table: text where two sheets disagree."""
    merged: dict[str, Kind] = {}
    for kinds in sheets:
        for name, kind in kinds.items():
            before = merged.setdefault(name, kind)
            if before != kind:
                merged[name] = "real" if {before, kind} == {"real", "integer"} else "text"
    return merged


def with_kinds(plan: Plan, kinds: Mapping[str, Kind], units: Mapping[str, str]) -> Plan:
    """The plan whose unknown columns are of these kinds, numbers in these units."""
    columns = []
    for one in plan.unknown:
        kind = kinds.get(one.name, "text")
        unit = units.get(one.name) if kind in {"real", "integer"} else None
        columns.append(
            replace(one, kind=kind, unit=unit, unit_read=unit, how="header" if unit is not None else None)
        )
    return replace(plan, unknown=tuple(columns))
