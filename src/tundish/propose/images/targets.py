"""Finds tables beside the images that give numbers for them, and proposes each column as a target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tundish.formats.given.values import value_columns
from tundish.recipe.sections import Source
from tundish.recipe.targets import Target

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tundish.formats.base import Catalog
    from tundish.formats.csv.table import Table
    from tundish.formats.given.values import ValueColumn

__all__ = ["TargetColumns"]

_MOST_SHOWN = 8
_SHARES = frozenset({"%", "wt%", "mass-%", "wt.%", "vol%"})
"""Units of values from 0 to 100."""


class TargetColumns:
    """The columns of tables that give numbers for images.

    Args:
        catalog: The images of the source.

    Attributes:
        targets: By name, what the recipe says of each.
        facts: A sentence for each table.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.targets: dict[str, Mapping[str, object]] = {}
        self.facts: list[str] = []

    def take(self, table: Table) -> None:
        """Take the columns of a table that give numbers for images that are here."""
        columns = value_columns(table, self._catalog)
        if not columns:
            return
        for column in columns:
            self.targets[_free_name(column, self.targets)] = _target(table.path, column)
        shown = "; ".join(_shown(column) for column in columns[:_MOST_SHOWN])
        more = f"; and {len(columns) - _MOST_SHOWN} more" if len(columns) > _MOST_SHOWN else ""
        self.facts.append(f"{table.path} gives numbers for images, proposed as targets: {shown}{more}")


def _shown(column: ValueColumn) -> str:
    unit = f" {column.unit}" if column.unit else ""
    return f"{column.name} of {column.count} images, {column.least:g} to {column.most:g}{unit}"


def _target(path: str, column: ValueColumn) -> dict[str, object]:
    target: dict[str, object] = {"table": path, "column": column.header}
    if column.unit:
        target["unit"] = column.unit
    if column.unit in _SHARES and column.least >= 0 and column.most <= 100:
        target |= {"min": 0, "max": 100}
    return target


def _free_name(column: ValueColumn, taken: Collection[str]) -> str:
    """A name for the target: its header in lower case, if the recipe takes it and no other has it."""
    plain = re.sub(r"\W+", "_", column.name.lower()).strip("_")[:60] or "value"
    names = [plain, f"{plain}_value", *(f"{plain}_{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken and _is_free(name))


def _is_free(name: str) -> bool:
    """Whether a recipe takes a name for a target: it may be that of a column of the tables."""
    try:
        Source(path="x", format="images", targets={name: Target(table="x", column="x")})
    except ValueError:
        return False
    return True
