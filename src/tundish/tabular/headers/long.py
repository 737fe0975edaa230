"""Recognise a long table: one column names columns of the schema, another has their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import SourceError
from tundish.tabular.base import Pivot
from tundish.tabular.infer.units import row_units
from tundish.tabular.plan import section_of
from tundish.tabular.units import canonical_unit

if TYPE_CHECKING:
    from tundish.tabular.base import Sheet
    from tundish.tabular.headers.columns import ColumnTable
    from tundish.tabular.plan import Plan, Planned

__all__ = ["find_long", "long_of_units", "refuse_long"]

_ROWS = 2000
_WIDEST = 40
"""Unknown columns that a long table has at most."""

_ITEMS = 300
_SURE = 0.7
"""Of the items, and of the numbers in the column of values."""


def find_long(plan: Plan, cells: pl.DataFrame, table: ColumnTable) -> Pivot | None:
    """The columns of a long table; None where each row is a record.

    A table is long where a column that the schema does not know mostly holds names of at least three of its
    columns, a column of numbers beside it is unknown too, and the schema knows no column of numbers.

    Args:
        plan: The plan of the file.
        cells: The first cells.
        table: The names that the columns of the schema may have.
    """
    if len(plan.unknown) > _WIDEST or any(column.kind in {"real", "integer"} for column in plan.columns):
        return None
    rows = cells.head(_ROWS)
    texts = {column.index: rows[f"c{column.index}"].cast(pl.String).drop_nulls() for column in plan.unknown}
    units = [column for column in plan.unknown if _are_units(texts[column.index])]
    numbers = [column for column in plan.unknown if _are_numbers(texts[column.index])]
    for column in plan.unknown:
        if column in (*units, *numbers) or not _are_names(texts[column.index], table):
            continue
        value = _beside(column, numbers)
        if value is not None:
            unit = _beside(value, units)
            return Pivot(column.header, value.header, unit.header if unit else None)
    return None


def long_of_units(sheet: Sheet) -> Pivot | None:
    """The columns of a long table that no schema knows; None where it is not one.

    The only column of numbers is in several units, which another column names, and a third one has names,
    each with one unit and more than once.
    """
    piece = next(iter(sheet.pieces()), None)
    if piece is None or len(sheet.layout.headers) > _WIDEST:
        return None
    rows = piece.cells.head(_ROWS)
    headers = dict(enumerate(sheet.layout.headers))
    texts = {at: rows[f"c{at}"].cast(pl.String).str.strip_chars() for at in headers}
    numbers = [at for at in headers if _are_numbers(texts[at].drop_nulls())]
    units = [at for at in headers if row_units(texts[at])]
    if len(numbers) != 1 or len(units) != 1:
        return None
    for at in headers.keys() - {*numbers, *units}:
        pairs = pl.DataFrame({"name": texts[at], "unit": texts[units[0]]}).drop_nulls()
        names = pairs["name"].n_unique()
        if 1 < names <= _ITEMS and 2 * names <= pairs.height and pairs.unique().height == names:
            return Pivot(headers[at], headers[numbers[0]], headers[units[0]])
    return None


def refuse_long(plan: Plan, cells: pl.DataFrame, table: ColumnTable) -> None:
    """Refuse a long table, whose rows are not records of the schema.

    Raises:
        SourceError: It is one; the message says how to pivot it.
    """
    pivot = find_long(plan, cells, table)
    if pivot is None:
        return
    parts = [f"name: '{pivot.name}'", f"value: '{pivot.value}'"]
    parts += [f"unit: '{pivot.unit}'"] if pivot.unit else []
    raise SourceError(
        f"the file has a row for each '{pivot.name}', and its values name columns of the schema",
        where=plan.where,
        fix=f"pivot it: {section_of(plan.where)}.pivot: {{{', '.join(parts)}}}",
    )


def _are_units(texts: pl.Series) -> bool:
    different = texts.unique()
    return 0 < len(different) <= _ITEMS and all(canonical_unit(text) for text in different)


def _are_numbers(texts: pl.Series) -> bool:
    if texts.is_empty():
        return False
    plain = texts.str.strip_chars().str.strip_chars_start("<>").str.replace(",", ".", literal=True)
    return int(plain.cast(pl.Float64, strict=False).is_not_null().sum()) >= _SURE * len(texts)


def _are_names(texts: pl.Series, table: ColumnTable) -> bool:
    different = texts.unique(maintain_order=True)
    if not 3 <= len(different) <= _ITEMS:
        return False
    table = table.beside(different)
    found = [table.lookup(text, joined=False) for text in different]
    meant = {match.column or match.candidates for match in found if match.column or match.candidates}
    return len(meant) >= 3 and len(meant) >= _SURE * len(different)


def _beside(column: Planned, others: list[Planned]) -> Planned | None:
    """The nearest of the others, to the right if there is one."""
    return min(
        others, key=lambda one: (one.index < column.index, abs(one.index - column.index)), default=None
    )
