"""Find the columns that hold a unit for each row, and the column of values that each belongs to."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tundish.tabular.infer.kinds import names_identifier, names_time
from tundish.tabular.infer.units import header_unit, row_units
from tundish.tabular.text import clean, squeeze
from tundish.tabular.units import UnitError, canonical_unit, convert
from tundish.tabular.values.row_units import usual_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["UnitColumn", "are_alike", "find_unit_columns"]

_WORD = re.compile(
    r"^(?:units?|uom|einheit|计量单位|单位)(?:[\s_.-]*of)?[\s_.-]*|[\s_.-]*(?:units?|uom|einheit|计量单位|单位)$",
    re.IGNORECASE,
)
_LOOK = 2000
_SURE = 0.7
"""Of the values that are numbers, and of the rows whose units become one another."""


@dataclass(frozen=True)
class UnitColumn:
    """A column of values with the column that names their units.

    Attributes:
        value: The place of the values, from 0.
        unit: The place of the units.
        value_header: The header of the values.
        unit_header: The header of the units.
        rows: How many of the first rows have which unit.
        usual: The unit that most of them have.
        because: Why the two belong together.
    """

    value: int
    unit: int
    value_header: str
    unit_header: str
    rows: tuple[tuple[str, int], ...]
    usual: str
    because: str

    @property
    def evidence(self) -> str:
        """What shows it, in a sentence."""
        counts = ", ".join(f"{count} of {unit}" for unit, count in self.rows)
        what = f"'{self.unit_header}' has the unit of '{self.value_header}' for each row"
        return f"{what}: {counts}; {self.because}"


def find_unit_columns(labels: Sequence[str], cells: pl.DataFrame) -> tuple[UnitColumn, ...]:
    """The columns of units whose values are certain: by name, or the only numbers beside them.

    Where numbers are on both sides, those are meant that become more alike when they are converted.

    Args:
        labels: The headers, those that repeat numbered.
        cells: The first cells of the file.
    """
    rows = cells.head(_LOOK)
    # A column that is called so may have one unit in the first rows, and another one below.
    called = [_WORD.search(clean(label)) is not None for label in labels]
    units = [at for at, label in enumerate(called) if row_units(cells[f"c{at}"], 1 if label else 2)]
    if not units:
        return ()
    numbers = [
        at for at in range(len(labels)) if at not in units and _is_measured(labels[at], rows[f"c{at}"])
    ]
    found: dict[int, UnitColumn] = {}
    for unit in units:
        named = [at for at in numbers if squeeze(_WORD.sub("", clean(labels[unit]))) in _forms(labels[at])]
        beside = [at for at in (unit - 1, unit + 1) if at in numbers]
        tried = [_paired(labels, rows, at, unit, "their headers say so") for at in named[:1]]
        if not named:
            tried = [_paired(labels, rows, at, unit, "they are side by side") for at in beside]
            if len(beside) > 1:
                tried = [one for one in tried if one is not None and _gain(rows, one) > 0]
        fitting = [one for one in tried if one is not None and one.value not in found]
        if len(fitting) > 1:
            fitting = [max(fitting, key=lambda one: _gain(rows, one))]
        found |= {one.value: one for one in fitting}
    return tuple(found[at] for at in sorted(found))


def are_alike(one: str, other: str) -> bool:
    """Whether two units measure the same."""
    try:
        convert(one, other)
    except UnitError:
        return False
    return True


def _forms(label: str) -> set[str]:
    return {squeeze(label), squeeze(header_unit(label).name)} - {""}


def _is_measured(label: str, cells: pl.Series) -> bool:
    name = header_unit(label).name
    texts = cells.cast(pl.String).drop_nulls()
    if not len(texts) or names_identifier(name) or names_time(name):
        return False
    plain = texts.str.strip_chars(" <>~?").str.replace(",", ".", literal=True)
    return int(plain.cast(pl.Float64, strict=False).is_not_null().sum()) >= _SURE * len(texts)


def _paired(
    labels: Sequence[str], rows: pl.DataFrame, value: int, unit: int, because: str
) -> UnitColumn | None:
    """The two columns as a pair; None where the units do not fit together, or not to the header's."""
    texts = rows[f"c{unit}"].cast(pl.String).str.strip_chars().filter(rows[f"c{value}"].is_not_null())
    counts: Counter[str] = Counter()
    for text, count in texts.drop_nulls().value_counts(sort=True).iter_rows():
        counts[canonical_unit(text) or text] += count
    usual = usual_unit(counts)
    stated = header_unit(labels[value]).unit
    if usual is None or (stated is not None and not are_alike(usual, stated)):
        return None
    if sum(count for name, count in counts.items() if are_alike(name, usual)) < _SURE * counts.total():
        return None
    by_count = tuple(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
    return UnitColumn(value, unit, labels[value], labels[unit], by_count, usual, because)


def _gain(rows: pl.DataFrame, pair: UnitColumn) -> float:
    """By how much the typical values of the units come closer when they are converted, in powers of e."""
    value = rows[f"c{pair.value}"].cast(pl.String).str.replace(",", ".", literal=True)
    frame = pl.DataFrame(
        {
            "unit": rows[f"c{pair.unit}"].cast(pl.String).str.strip_chars(),
            "value": value.cast(pl.Float64, strict=False),
        }
    ).drop_nulls()
    sizes = frame.group_by("unit").agg(pl.col("value").abs().median()).filter(pl.col("value") > 0)
    before, after = [], []
    for unit, size in sizes.iter_rows():
        if canonical_unit(unit) is not None and are_alike(unit, pair.usual):
            factor, offset = convert(unit, pair.usual)
            before.append(size)
            after.append(abs(size * factor + offset))
    if len(before) < 2 or min(after) <= 0:
        return 0.0
    spread = pl.Series([max(before) / min(before), max(after) / min(after)]).log()
    return float(spread[0] - spread[1])
