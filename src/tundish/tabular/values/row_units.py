"""Columns of which each row names its unit in another column: every value in the unit of the column."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from tundish.tabular.units import UnitError, canonical_unit
from tundish.tabular.values.marks import Fault, missing_reason, same_marker
from tundish.tabular.values.readers import convert, finish
from tundish.tabular.values.reading import ODD, Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tundish.tabular.plan import Plan, Planned
    from tundish.tabular.units import OwnUnits

__all__ = ["count_row_units", "read_by_row", "settle_row_units", "usual_unit"]

_MOST, _OTHERS = 200, "others"
"""Texts of one column that are counted each, and what counts for those beyond."""


def count_row_units(plan: Plan, pieces: Iterable[pl.DataFrame]) -> dict[int, Counter[str]]:
    """Count the units that the rows of a sheet name, by the place of the column of the values.

    Args:
        plan: The plan of the sheet.
        pieces: The cells of its pieces. Each is looked at once.

    Returns:
        For each column the rows with a number by their unit: in its canonical spelling, as written where it
        is unknown. Rows without a unit are not counted.
    """
    counts: dict[int, Counter[str]] = {column.index: Counter() for column in plan.by_row}
    for cells in pieces if counts else ():
        for column in plan.by_row:
            digits = cells[f"c{column.index}"].cast(pl.String).str.contains(r"\d").fill_null(value=False)
            texts = _unit_texts(cells[f"c{column.unit_at}"]).filter(digits)
            for text, count in texts.value_counts(sort=True).iter_rows():
                if not _is_empty(text, plan):
                    found = counts[column.index]
                    unit = canonical_unit(text, plan.units)
                    found[unit or (text if len(found) < _MOST else _OTHERS)] += count
    return counts


def usual_unit(counts: Mapping[str, int], own: OwnUnits | None = None) -> str | None:
    """The known unit that most rows have, the first in the alphabet of several; None where there is none.

    Args:
        counts: The rows by their unit.
        own: Units that an alias file defines.
    """
    known = sorted(unit for unit in counts if canonical_unit(unit, own) is not None)
    return max(known, key=lambda unit: counts[unit], default=None)


def settle_row_units(plan: Plan, counts: Mapping[int, Mapping[str, int]], usual: Mapping[str, str]) -> Plan:
    """The plan with the units of the columns whose rows name theirs.

    A row that names none has the unit of the others where all of them agree, and the header does not say
    otherwise. Where no row names one, the column is read like any other.

    Args:
        plan: The plan of the sheet.
        counts: What `count_row_units` found in the sheet.
        usual: The units of the columns that the schema does not know, by their names.
    """

    def settle_column(column: Planned) -> Planned:
        if column.unit_at is None:
            return column
        units = counts.get(column.index, {})
        unit = column.unit if column.known else usual.get(column.name)
        if not units and (column.known or unit is None):
            return replace(column, unit_at=None)
        stated = column.unit_read if column.how in {"header", "recipe"} else None
        first = next(iter(units), stated)
        agreed = first if len(units) <= 1 and stated in {None, first} else None
        kind = column.kind if column.known else "real"
        return replace(
            column,
            kind=kind,
            unit=unit,
            unit_read=agreed,
            how="row",
            factor=1.0,
            offset=0.0,
            magnitudes={},
        )

    return replace(
        plan,
        columns=tuple(map(settle_column, plan.columns)),
        unknown=tuple(map(settle_column, plan.unknown)),
    )


def read_by_row(
    column: Planned, written: pl.Series, fast: pl.Series, units: pl.Series, plan: Plan
) -> Reading:
    """Finish reading a column of numbers of which each row names its unit.

    Args:
        column: The plan of the column.
        written: The column as written in the file.
        fast: The result of `read_fast` for the column.
        units: The column with the unit of each row.
        plan: The plan of the file.
    """
    # A cell that names a unit beside the one of its row is a fault.
    reading = finish(replace(column, unit=None, unit_read=None, unit_at=None), written, fast, None, plan)
    texts = _unit_texts(units).set(reading.values.is_null(), None)
    filled = reading.values.is_not_null()
    found = _conversions(column, texts.filter(filled).unique(maintain_order=True), plan)
    rows = pl.DataFrame({"text": texts, "at": pl.int_range(len(texts), dtype=pl.UInt32, eager=True)})
    rows = rows.filter(filled).join(found, on="text", how="left", nulls_equal=True, maintain_order="left")
    values, odd = reading.values.clone(), [reading.odd]
    good = rows.filter(pl.col("check").is_null())
    for (factor, offset), group in good.group_by("factor", "offset", maintain_order=True):
        at = group["at"]
        scaled = replace(column, factor=factor, offset=offset, magnitudes={})
        part = convert(scaled, written.gather(at), Reading(values.gather(at), ODD.to_frame()))
        values = values.scatter(at, part.values)
        odd.append(part.odd.with_columns(at.gather(part.odd["at"]).alias("at")))
    bad = rows.filter(pl.col("check").is_not_null())
    if bad.height:
        values = values.scatter(bad["at"], None)
        odd[0] = odd[0].filter(~pl.col("at").is_in(bad["at"].implode()))
        raw = written.gather(bad["at"]).cast(pl.String)
        odd.append(bad.with_columns(raw=raw, note=pl.lit(None, pl.String)).select(*ODD))
    return Reading(values, pl.concat(odd))


_CONVERSIONS = pl.Schema(
    {"text": pl.String, "factor": pl.Float64, "offset": pl.Float64, "check": pl.String, "message": pl.String}
)
"""What a unit as written does to a value: it is converted, or why it cannot be."""


def _conversions(column: Planned, texts: pl.Series, plan: Plan) -> pl.DataFrame:
    rows: list[tuple[str | float | None, ...]] = []
    for text in texts:
        found = _conversion(column, text, plan)
        if isinstance(found, Fault):
            rows.append((text, None, None, found.check, found.message))
        else:
            rows.append((text, *found, None, None))
    return pl.DataFrame(rows, schema=_CONVERSIONS, orient="row")


def _conversion(column: Planned, text: str | None, plan: Plan) -> tuple[float, float] | Fault:
    """Factor and offset of a unit as written in a row."""
    unit = column.unit_read if _is_empty(text, plan) else text
    if unit is None:
        return Fault(
            "row_without_unit",
            f"the row names no unit for '{column.header}', and other rows name different ones or the header"
            " another; write the unit into the row",
        )
    try:
        scaled = column.in_unit(unit, "row", plan.options.calorie, plan.units)
    except UnitError as error:
        return Fault(
            "unit_of_row",
            f"the row says that '{column.header}' is in '{unit}', which cannot become {column.unit}: {error}",
        )
    return scaled.factor, scaled.offset


def _unit_texts(units: pl.Series) -> pl.Series:
    return units.cast(pl.String).str.strip_chars()


def _is_empty(text: str | None, plan: Plan) -> bool:
    """Whether a cell of a column of units names none: it is empty, or a marker for a missing value."""
    if text is None or not text:
        return True
    return missing_reason(text) is not None or same_marker(text, plan.options.missing)
