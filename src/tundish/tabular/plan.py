"""What each column of a file means and how it is read, settled before a single cell is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from tundish.tabular.units import UnitError, canonical_unit, convert

if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = ["How", "Kind", "Plan", "Planned", "ReadOptions", "section_of"]

Kind = Literal["text", "real", "integer", "time", "flag"]
How = Literal["header", "recipe", "magnitude", "assumed"]


@dataclass(frozen=True)
class ReadOptions:
    """What the recipe says of the columns of a table.

    Attributes:
        columns: Column by header as the file writes it; None leaves a header out.
        units: Unit by column, where the header is silent or wrong.
        missing: More markers for a missing value.
        calorie: Joules in one.
        zone: IANA name of the zone of the plant's clocks.
        date1904: Excel's day numbers count from 1904.
    """

    columns: Mapping[str, str | None] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    calorie: float = 4.1868
    zone: str = "UTC"
    date1904: bool = False


@dataclass(frozen=True)
class Planned:
    """One column of the file.

    Attributes:
        name: In the table of records.
        kind: Text too where the header is not known.
        header: As the file writes it.
        index: Place in the file, from 0.
        known: It is a column of the schema.
        unit: Canonical unit, None where it has none.
        unit_read: Unit in the file; None where there is none, or none could be told yet.
        how: What says so.
        factor: What a value in the file is multiplied by,
        offset: and what is added then.
        magnitudes: Of the alias table, until the values were held against them.
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

    @property
    def undecided(self) -> bool:
        """No value has told its unit yet."""
        return bool(self.magnitudes) and self.unit_read is None

    def in_unit(self, written: str, how: How, calorie: float) -> Planned:
        """The column whose values in the file are in `written`.

        Raises:
            UnitError: That unit is not known, or cannot become the column's.
        """
        unit = canonical_unit(written)
        if unit is None or self.unit is None:
            raise UnitError(
                f"'{written}' is no unit that is known here" if unit is None else "the column has no unit"
            )
        factor, offset = convert(unit, self.unit, calorie)
        if self.unit == "K":
            # A column in kelvin is a difference, such as the superheat; temperatures stand in °C.
            offset = 0.0
        return replace(self, unit_read=unit, how=how, factor=factor, offset=offset)


@dataclass(frozen=True)
class Plan:
    """Every column of a file: mapped, unknown (kept as text), or left out by the recipe.

    Attributes:
        columns: The mapped ones, in the order of the schema.
        unknown: In the order of the file.
        left_out: Headers with their places.
        headers: All of the file, as written.
        options: What the recipe says.
        where: Section of the recipe and the file: "records.coals, raw/coal.csv".
    """

    columns: tuple[Planned, ...]
    unknown: tuple[Planned, ...]
    left_out: tuple[tuple[str, int], ...]
    headers: tuple[str, ...]
    options: ReadOptions
    where: str

    @property
    def extra(self) -> tuple[str, ...]:
        """Names of the columns that the schema does not know."""
        return tuple(column.name for column in self.unknown)

    def describe(self) -> list[dict[str, Any]]:
        """One entry for each column of the file, in its order: header, column, kind, unit, read_as, how."""
        told: dict[int, dict[str, Any]] = {
            column.index: {
                "header": column.header,
                "column": column.name,
                "kind": column.kind,
                "unit": column.unit,
                "read_as": column.unit_read,
                "how": column.how if column.known else "unknown",
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
    """The section of the recipe in 'records.coals, raw/coal.csv'."""
    return where.partition(",")[0]
