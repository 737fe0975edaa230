"""The columns of a file that its schema does not know: they have kinds and units as well."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tundish.tabular.infer.kinds import guess_kinds
from tundish.tabular.infer.units import header_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

    from tundish.tabular.plan import Kind, Plan

__all__ = ["merge_kinds", "unknown_kinds", "with_kinds"]


def unknown_kinds(plan: Plan, cells: pl.DataFrame, *, joined: bool) -> dict[str, Kind]:
    """The kinds of the unknown columns that have a value in these cells, by their names in the table.

    Args:
        plan: The plan of the sheet.
        cells: The cells of its first piece.
        joined: Whether its headers are several rows joined by '_'.
    """
    split = {one.index: header_unit(one.header, joined=joined) for one in plan.unknown}
    units = {index: unit.unit for index, unit in split.items() if unit.unit is not None}
    guesses = guess_kinds(cells, {index: one.name for index, one in split.items()}, units, plan.options)
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


def with_kinds(plan: Plan, kinds: Mapping[str, Kind], *, joined: bool) -> Plan:
    """The plan whose unknown columns are of these kinds, numbers in the units of their headers."""
    columns = []
    for one in plan.unknown:
        kind = kinds.get(one.name, "text")
        unit = header_unit(one.header, joined=joined).unit if kind in {"real", "integer"} else None
        columns.append(
            replace(one, kind=kind, unit=unit, unit_read=unit, how="header" if unit is not None else None)
        )
    return replace(plan, unknown=tuple(columns))
