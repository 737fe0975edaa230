"""The plan of a file: what each column means and how it is read, decided before any cell is read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from tundish.tabular.units import UnitError, canonical_unit, convert

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tundish.tabular.units import OwnUnits

__all__ = ["DateOrder", "How", "Kind", "Plan", "Planned", "ReadOptions", "section_of"]

Kind = Literal["text", "real", "integer", "time", "flag"]
How = Literal["header", "recipe", "magnitude", "assumed", "row"]
DateOrder = Literal["dmy", "mdy", "ymd", "dmy4", "mdy4"]
"""The order of day, month and year where they are written as numbers.

The last two are what a file settles: for years of four digits only, as '31/12/2023' says nothing about
'24-03-04'.
"""


@dataclass(frozen=True)
class ReadOptions:
    """What the recipe states about the columns of a table.

    Attributes:
        columns: The column by header as written in the file; None omits a header.
        units: The unit by column, where the header names none or a wrong one.
        missing: Additional markers for a missing value; one between slashes is a regular expression.
        calorie: Joules in one calorie.
        zone: IANA name of the time zone of the plant's clocks.
        date1904: Whether Excel's day numbers count from 1904.
        decimal: The decimal mark; None until the file has settled it.
        thousands: The mark between groups of three digits; None is the usual one beside the decimal mark.
        dates: The order of day, month and year; None where nothing settles it.
        ambiguous_hour: Which of the two is meant where summer time repeats an hour.
        unclear: The marks that may separate decimals as well as thousands in this file.
        unit_columns: The header of the column with the unit of each row, by the header of the values.
    """

    columns: Mapping[str, str | None] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    calorie: float = 4.1868
    zone: str = "UTC"
    date1904: bool = False
    decimal: Literal[".", ","] | None = None
    thousands: str | None = None
    dates: DateOrder | None = None
    ambiguous_hour: Literal["first", "second"] | None = None
    unclear: str = ""
    unit_columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Planned:
    """One column of the file.

    Attributes:
        name: The name in the table of records.
        kind: The kind of its values; that of an unknown header is found from them.
        header: The header as written in the file.
        index: The place in the file, from 0.
        known: Whether it is a column of the schema.
        unit: The canonical unit; None for a column without a unit.
        unit_read: The unit in the file; None where there is none, or it is not determined yet. Where each row
            names its unit, that of rows that name none; None where these have no unit.
        how: The source of the unit.
        factor: The factor that converts a value of the file.
        offset: The offset that is added after the factor.
        magnitudes: Those of the alias table, until the values were checked against them.
        unit_at: The place of the column that names the unit of each row, from 0; None where there is none.
    """

    name: str
    kind: Kind
    header: str
    index: int
    known: bool = True
    unit: str | None = None
    unit_read: str | None = None
    how: How | None = None
    factor: float = 1.0
    offset: float = 0.0
    magnitudes: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    unit_at: int | None = None

    @property
    def undecided(self) -> bool:
        """Whether no value has determined the unit yet."""
        return bool(self.magnitudes) and self.unit_read is None

    def in_unit(self, written: str, how: How, calorie: float, own: OwnUnits | None = None) -> Planned:
        """The column whose values in the file are in `written`; `own` are units of the alias file.

        Raises:
            UnitError: That unit is unknown, or cannot be converted to the unit of the column.
        """
        unit = canonical_unit(written, own)
        if unit is None or self.unit is None:
            raise UnitError(f"'{written}' is an unknown unit" if unit is None else "the column has no unit")
        factor, offset = convert(unit, self.unit, calorie, own)
        if self.unit == "K":
            # A column in kelvin is a difference, such as the superheat; temperatures are in °C.
            offset = 0.0
        return replace(self, unit_read=unit, how=how, factor=factor, offset=offset)


@dataclass(frozen=True)
class Plan:
    """Every column of a file: mapped, unknown (typed by its values), or left out by the recipe.

    Attributes:
        columns: The mapped columns, in the order of the schema.
        unknown: The unknown columns, in the order of the file.
        left_out: The headers that the recipe omits, with their places.
        headers: All headers of the file, as written.
        options: What the recipe states about the columns.
        where: The section of the recipe and the file: "records.coals, raw/coal.csv".
        separator: The separator of a text file.
        numbers_typed: Whether numbers are typed in the file, so that texts alone show how people write them.
        evidence: What decided the decimal mark and the order of day and month, a sentence each.
        units: The units that the alias file defines.
    """

    columns: tuple[Planned, ...]
    unknown: tuple[Planned, ...]
    left_out: tuple[tuple[str, int], ...]
    headers: tuple[str, ...]
    options: ReadOptions
    where: str
    separator: str | None = None
    numbers_typed: bool = False
    evidence: tuple[str, ...] = ()
    units: OwnUnits = field(default_factory=dict)

    @property
    def extra(self) -> tuple[str, ...]:
        """The names of the columns that are not in the schema."""
        return tuple(column.name for column in self.unknown)

    @property
    def by_row(self) -> tuple[Planned, ...]:
        """The columns of which each row names its unit in another column."""
        return tuple(column for column in (*self.columns, *self.unknown) if column.unit_at is not None)

    @property
    def typed(self) -> tuple[Planned, ...]:
        """The columns that are not in the schema and that are not text."""
        return tuple(column for column in self.unknown if column.kind != "text")

    def describe(self) -> list[dict[str, Any]]:
        """Describe each column of the file, in its order: header, column, kind, unit, read_as, how.

        `how` is where the unit comes from; 'typed' for a column that the schema does not know and whose
        values have a kind, 'unknown' for one that is left as text, 'left out' for one that the recipe omits.
        """
        told: dict[int, dict[str, Any]] = {
            column.index: {
                "header": column.header,
                "column": column.name,
                "kind": column.kind,
                "unit": column.unit,
                "read_as": column.unit_read,
                "how": column.how if column.known else "unknown" if column.kind == "text" else "typed",
            }
            for column in (*self.columns, *self.unknown)
        }
        for header, index in self.left_out:
            told[index] = {
                "header": header,
                "column": None,
                "kind": None,
                "unit": None,
                "read_as": None,
                "how": "left out",
            }
        return [told[index] for index in sorted(told)]


def section_of(where: str) -> str:
    """The section of the recipe that 'records.coals, raw/coal.csv' names."""
    return where.partition(",")[0]
