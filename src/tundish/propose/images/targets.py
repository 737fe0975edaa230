"""Finds tables beside the images that give numbers for them, and proposes each column as a target."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.formats.base import suffix_of
from tundish.formats.given.tables import TABLE_SUFFIXES, read_table
from tundish.formats.given.values import value_columns
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.sniffing import catalog_of
from tundish.recipe.sections import Source
from tundish.recipe.targets import Target

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tundish.formats.base import Listing
    from tundish.formats.given.values import ValueColumn

__all__ = ["FoundTargets", "find_targets"]

_TABLES_SEEN = 20
_MOST_SHOWN = 8
_SHARES = frozenset({"%", "wt%", "mass-%", "wt.%", "vol%"})
"""Units of values from 0 to 100."""


@dataclass(frozen=True)
class FoundTargets:
    """Numbers for images.

    Attributes:
        targets: By name, what the recipe says of each.
        facts: A sentence for each table.
    """

    targets: Mapping[str, Mapping[str, object]]
    facts: Sequence[str]


def find_targets(listing: Listing, images: Sequence[str]) -> FoundTargets:
    """Find the tables of a source that give numbers for its images.

    Args:
        listing: The files of the source.
        images: Paths of its images.
    """
    catalog = catalog_of(images)
    targets: dict[str, Mapping[str, object]] = {}
    facts = []
    for path in [path for path in listing.paths if suffix_of(path) in TABLE_SUFFIXES][:_TABLES_SEEN]:
        try:
            table = read_table(path, listing.read(path), catalog)
        except Fault:
            continue
        columns = value_columns(table, catalog)
        if not columns:
            continue
        for column in columns:
            targets[_free_name(column, targets)] = _target(path, column)
        shown = "; ".join(_shown(column) for column in columns[:_MOST_SHOWN])
        more = f"; and {len(columns) - _MOST_SHOWN} more" if len(columns) > _MOST_SHOWN else ""
        facts.append(f"{path} gives numbers for images, proposed as targets: {shown}{more}")
    return FoundTargets(targets, facts)


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
