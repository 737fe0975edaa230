"""Long tables, with a row for each element or item, as tables with a column for each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import SourceError
from tundish.tabular.base import BROKEN, Piece, Pivot, Remark
from tundish.tabular.text import compare
from tundish.tabular.units import UnitError, canonical_unit, convert

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.tabular.base import Layout, Sheet

__all__ = ["Pivoted", "pivoted"]

_NAME, _VALUE, _UNIT, _TIMES = "name", "value", "unit", "times"


@dataclass(frozen=True)
class Pivoted:
    """A long table with its items as columns; a record is as its first row in the file is numbered."""

    layout: Layout
    cells: pl.DataFrame
    broken: pl.DataFrame

    def pieces(self) -> Iterator[Piece]:
        """Yield the records, all at once."""
        yield Piece(self.cells, self.broken)


def pivoted(sheet: Sheet, pivot: Pivot, where: str) -> Pivoted:
    """Turn a long table into one with a column for each item.

    Rows whose other columns are equal are one record; an item that occurs twice in it begins another one, so
    that no determination is lost. A value in another unit than most of its item is converted.

    Args:
        sheet: The long table; all of it is held in memory.
        pivot: The headers of the columns with the items, the values and the units.
        where: The file, for messages.

    Raises:
        SourceError: The table has no such header.
    """
    pieces = list(sheet.pieces())
    cells = pl.concat([piece.cells for piece in pieces], how="vertical_relaxed")
    index, long = _long(sheet, pivot, cells, where)
    items, long = _in_one_unit(long, pivot.calorie)
    records = long.group_by([*index, _TIMES], maintain_order=True).agg(
        pl.col("row").min(),
        pl.col("line").min(),
        *(
            pl.col(_VALUE).filter(pl.col(_NAME) == item).first().alias(f"item {number}")
            for number, item in enumerate(items)
        ),
    )
    columns = [*index, *(f"item {number}" for number in range(len(items)))]
    records = records.sort("row").select(
        "row", "line", *(pl.col(column).alias(f"c{number}") for number, column in enumerate(columns))
    )
    headers = [sheet.layout.headers[int(column[1:])] for column in index]
    headers += [f"{item}({unit_of})" if unit_of else item for item, unit_of in items.items()]
    told = f"{cells.height} rows with {len(items)} items became {records.height} records"
    remarks = (*sheet.layout.remarks, Remark("long_table", told))
    layout = replace(sheet.layout, headers=tuple(headers), remarks=remarks)
    return Pivoted(layout, records, pl.concat([BROKEN.to_frame(), *(one.broken for one in pieces)]))


def _long(sheet: Sheet, pivot: Pivot, cells: pl.DataFrame, where: str) -> tuple[list[str], pl.DataFrame]:
    """The columns that name a record, and the rows with their items, each numbered where it repeats."""
    name, value = _place(sheet, pivot.name, where), _place(sheet, pivot.value, where)
    unit = None if pivot.unit is None else _place(sheet, pivot.unit, where)
    index = [f"c{at}" for at in range(len(sheet.layout.headers)) if at not in (name, value, unit)]
    long = cells.select(
        "row",
        "line",
        *index,
        pl.col(f"c{name}").cast(pl.String).str.strip_chars().replace("", None).alias(_NAME),
        pl.col(f"c{value}").cast(pl.String).alias(_VALUE),
        (pl.lit(None, pl.String) if unit is None else pl.col(f"c{unit}").cast(pl.String)).alias(_UNIT),
    )
    return index, long.with_columns(pl.col("row").cum_count().over([*index, _NAME]).alias(_TIMES))


def _place(sheet: Sheet, header: str, where: str) -> int:
    forms = [compare(one) for one in sheet.layout.headers]
    if compare(header) not in forms:
        raise SourceError(
            f"'pivot' names the header '{header}', which the file does not have",
            where=where,
            fix=f"its headers are: {', '.join(sheet.layout.headers)}",
        )
    return forms.index(compare(header))


def _in_one_unit(long: pl.DataFrame, calorie: float) -> tuple[dict[str, str | None], pl.DataFrame]:
    """The items with the unit that most of their values have, and the values in it."""
    named = long.filter(pl.col(_NAME).is_not_null())
    counts = named.group_by(_NAME, _UNIT, maintain_order=True).len()
    counts = counts.sort("len", descending=True, maintain_order=True)
    first = counts.filter(pl.col(_UNIT).is_not_null()).unique(_NAME, keep="first", maintain_order=True)
    usual = dict(first.select(_NAME, _UNIT).iter_rows())
    items = {name: usual.get(name) for name in named[_NAME].unique(maintain_order=True)}
    value, number = pl.col(_VALUE), pl.col(_VALUE).cast(pl.Float64, strict=False)
    for name, unit, _ in counts.iter_rows():
        if unit is None or unit == items[name]:
            continue
        changed = pl.format("{} {}", value, pl.lit(unit))
        factor = _factor(unit, items[name], calorie)
        if factor is not None:
            converted = (number * factor[0] + factor[1]).cast(pl.String)
            changed = pl.when(number.is_not_null()).then(converted).otherwise(changed)
        here = (pl.col(_NAME) == name) & (pl.col(_UNIT) == unit) & value.is_not_null()
        long = long.with_columns(pl.when(here).then(changed).otherwise(value).alias(_VALUE))
    return items, long


def _factor(unit: str, other: str | None, calorie: float) -> tuple[float, float] | None:
    try:
        known = canonical_unit(unit) and canonical_unit(other or "")
        return convert(unit, other or "", calorie) if known else None
    except UnitError:
        return None
