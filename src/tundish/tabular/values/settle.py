"""Determine the units that no header names, from the values of a piece of the file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import SourceError
from tundish.tabular.plan import section_of
from tundish.tabular.units import unit_by_magnitude
from tundish.tabular.values.numbers import sentinels
from tundish.tabular.values.readers import as_real, marks_of, read_fast
from tundish.tabular.values.skips import skipped_rows

if TYPE_CHECKING:
    from tundish.tabular.plan import Plan, Planned

__all__ = ["settle"]


def settle(plan: Plan, cells: pl.DataFrame) -> Plan:
    """Determine units from these cells; call it with each piece before it is read.

    A column without a value in them remains undecided. A plan with nothing undecided is returned unchanged.

    Raises:
        SourceError: Values contradict their unit, or no unit can be determined.
    """
    if not any(column.magnitudes for column in plan.columns):
        return plan
    # A subtotal of calorific values is not a calorific value.
    at = skipped_rows(cells, read_fast(cells, plan), plan)["at"]
    records = cells.filter(~pl.int_range(cells.height, eager=True).is_in(at.implode())) if len(at) else cells
    return replace(plan, columns=tuple(_settle_column(plan, column, records) for column in plan.columns))


def _settle_column(plan: Plan, column: Planned, cells: pl.DataFrame) -> Planned:
    if not column.magnitudes:
        return column
    written = cells[f"c{column.index}"]
    text = written.str.strip_chars() if written.dtype == pl.String else written
    values = text.to_frame("t").select(as_real(pl.col("t"), text.dtype, marks_of(plan))).to_series()
    values = values.filter(values.is_finite() & (values != 0))
    values = values.filter(~values.is_in(sentinels(plan.options.missing)))
    if values.is_empty():
        return column
    unit = unit_by_magnitude(values, column.magnitudes)
    if column.unit_read is None:
        if unit is None:
            raise _no_unit(plan, column, values)
        found = column.in_unit(unit, "magnitude", plan.options.calorie, plan.units)
        return replace(found, magnitudes={})
    limits = column.magnitudes.get(column.unit_read)
    if unit not in {None, column.unit_read} and limits and _mostly_outside(values, limits):
        raise _error(
            plan,
            f"column '{column.header}' is in {column.unit_read} as the {column.how} says, but its values"
            f" (median {_median(values):g}) are those of {unit}",
            f"state which: {section_of(plan.where)}.units: {_stated(column, unit)}",
        )
    return replace(column, magnitudes={})


def _no_unit(plan: Plan, column: Planned, values: pl.Series) -> SourceError:
    return _error(
        plan,
        f"the unit of column '{column.header}' is unknown: its values (median {_median(values):g})"
        f" may be in {' or '.join(column.magnitudes)}, or they are mixed",
        f"name it: {section_of(plan.where)}.units: {_stated(column, column.unit)}",
    )


def _stated(column: Planned, unit: str | None) -> str:
    """The unit of a column as YAML, in which a percent sign needs quotes."""
    written = f"'{unit}'" if unit is not None and not unit[0].isalnum() else unit
    return f"{{{column.name}: {written}}}"


def _error(plan: Plan, what: str, fix: str) -> SourceError:
    return SourceError(what, where=plan.where, fix=fix)


def _median(values: pl.Series) -> float:
    return float(values.sort()[len(values) // 2])


def _mostly_outside(values: pl.Series, limits: tuple[float, float]) -> bool:
    return int(values.is_between(*limits).sum()) * 2 < len(values)
