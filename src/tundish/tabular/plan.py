"""What each column of a file means and how it is read, settled before a single cell is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from tundish.errors import SourceError
from tundish.tabular.alias_file import Column
from tundish.tabular.base import PLACE
from tundish.tabular.columns import ColumnTable
from tundish.tabular.numbers import Number, parse_number
from tundish.tabular.readers import read_fast
from tundish.tabular.skips import skipped_rows
from tundish.tabular.text import compare
from tundish.tabular.units import UnitError, canonical_unit, convert, unit_by_magnitude

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tundish.tabular.base import Layout
    from tundish.tabular.columns import Match

__all__ = ["Kind", "Plan", "Planned", "ReadOptions", "make_plan"]

Kind = Literal["text", "real", "integer", "time", "flag"]
How = Literal["header", "recipe", "magnitude", "assumed"]

_TAKEN = frozenset({*PLACE, "record_id", "path", "sheet", "outcome", "reason", "notes"})
"""What a table of records calls its own columns."""


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

    @property
    def sentinels(self) -> list[float]:
        """The markers that are numbers, such as 9999."""
        found = (parse_number(marker) for marker in self.missing)
        return [one.value for one in found if isinstance(one, Number) and one.value is not None]


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

    def settle(self, cells: pl.DataFrame) -> Plan:
        """The plan with the units that these cells betray; call it with each piece before it is read.

        A column without a value in them stays open. A plan with nothing open is returned as it is.

        Raises:
            SourceError: Values contradict their unit, or no unit can be told.
        """
        if not any(column.magnitudes for column in self.columns):
            return self
        # A sub-total of calorific values is none.
        at = skipped_rows(cells, read_fast(cells, self.columns), self)["at"]
        records = (
            cells.filter(~pl.int_range(cells.height, eager=True).is_in(at.implode())) if len(at) else cells
        )
        return replace(self, columns=tuple(self._settled(column, records) for column in self.columns))

    def _settled(self, column: Planned, cells: pl.DataFrame) -> Planned:
        if not column.magnitudes:
            return column
        written = cells[f"c{column.index}"]
        text = written.str.strip_chars() if written.dtype == pl.String else written
        values = text.cast(pl.Float64, strict=False)
        values = values.filter(values.is_finite() & (values != 0))
        values = values.filter(~values.is_in(self.options.sentinels))
        if values.is_empty():
            return column
        told = unit_by_magnitude(values, column.magnitudes)
        if column.unit_read is None:
            if told is None:
                raise self._no_unit(column, values)
            return replace(_in_unit(column, told, "magnitude", self.options.calorie), magnitudes={})
        limits = column.magnitudes.get(column.unit_read)
        if told not in {None, column.unit_read} and limits and _mostly_outside(values, limits):
            raise self._error(
                f"column '{column.header}' is in {column.unit_read} as the {column.how} says, but its values"
                f" (median {_median(values):g}) are those of {told}",
                f"say which it is: {_section(self.where)}.units: {{{column.name}: {told}}}",
            )
        return replace(column, magnitudes={})

    def _no_unit(self, column: Planned, values: pl.Series) -> SourceError:
        return self._error(
            f"nothing tells the unit of column '{column.header}': its values (median {_median(values):g})"
            f" may be {' or '.join(column.magnitudes)}, or they are mixed",
            f"name it: {_section(self.where)}.units: {{{column.name}: {column.unit}}}",
        )

    def _error(self, what: str, fix: str) -> SourceError:
        return SourceError(what, where=self.where, fix=fix)

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


def make_plan(
    layout: Layout,
    wanted: Mapping[str, Kind],
    required: Collection[str],
    table: ColumnTable,
    options: ReadOptions,
    where: str,
) -> Plan:
    """What each column of a sheet means.

    Args:
        layout: Of the sheet.
        wanted: Kind by column of the schema, in its order.
        required: Columns that the file must have.
        table: Alias table of the schema.
        options: What the recipe says.
        where: Section of the recipe that can mend it, and the file: "records.coals, raw/coal.csv".

    Raises:
        SourceError: A required column is missing, a header may mean several columns, two headers mean one
            column, the recipe names a header that is not there, or a unit cannot be converted.
    """
    return _Planner(layout, wanted, table, options, where).plan(required)


class _Planner:
    def __init__(
        self,
        layout: Layout,
        wanted: Mapping[str, Kind],
        table: ColumnTable,
        options: ReadOptions,
        where: str,
    ) -> None:
        self.wanted = wanted
        narrow = table.only(wanted)
        absent = {name: Column(name) for name in wanted if name not in narrow.columns}
        self.table = ColumnTable({**narrow.columns, **absent}, narrow.ambiguous)
        self.options = options
        self.where = where
        self.section = _section(where)
        self.headers = layout.headers
        self.labels = _numbered(layout.headers)
        self.joined = layout.header_rows > 1

    def plan(self, required: Collection[str]) -> Plan:
        told = self._recipe()
        mapped: dict[str, Planned] = {}
        unknown, left_out = [], []
        for index, label in enumerate(self.labels):
            match = self.table.lookup(self.headers[index], joined=self.joined)
            name = told[index] if index in told else self._sure(label, match)
            if name is not None:
                if name in mapped:
                    raise self._twice(name, mapped[name], label)
                mapped[name] = self._column(name, label, index, match)
            elif index in told:
                left_out.append((label, index))
            else:
                unknown.append(Planned(label, "text", label, index, known=False))
        missing = [name for name in required if name not in mapped]
        if missing:
            raise self._missing(missing, [column.header for column in unknown])
        ordered = tuple(mapped[name] for name in self.wanted if name in mapped)
        return Plan(ordered, self._named(unknown), tuple(left_out), self.headers, self.options, self.where)

    def _recipe(self) -> dict[int, str | None]:
        """What the recipe's 'columns' say, by place in the file."""
        told: dict[int, str | None] = {}
        for header, name in self.options.columns.items():
            places = [i for i, label in enumerate(self.labels) if label == header]
            places = places or [i for i, label in enumerate(self.labels) if compare(label) == compare(header)]
            if not places:
                raise self._error(
                    f"{self.section}.columns speaks of the header '{header}', which the file does not have",
                    f"its headers are: {', '.join(self.labels)}",
                )
            if name is not None and name not in self.wanted:
                raise self._error(
                    f"{self.section}.columns gives '{header}' the column '{name}', which the schema has not",
                    f"its columns are: {', '.join(self.wanted)}",
                )
            told |= dict.fromkeys(places, name)
        for name in self.options.units:
            if name not in self.wanted:
                raise self._error(
                    f"{self.section}.units names '{name}', which is no column of the schema",
                    f"its columns are: {', '.join(self.wanted)}",
                )
        return told

    def _sure(self, label: str, match: Match) -> str | None:
        if match.strange is not None:
            raise self._error(
                f"the header '{label}' names the unit '{match.strange}', which is none that is known",
                f"say what it means: {self.section}.columns: {{'{label}': {match.candidates[0]}}} and"
                f" {self.section}.units, or null to leave it out",
            )
        if match.candidates:
            may = " or ".join(match.candidates)
            raise self._error(
                f"the header '{label}' may mean {may}, and that is never guessed",
                f"say which: {self.section}.columns: {{'{label}': {match.candidates[0]}}},"
                " or null to leave it out",
            )
        return match.column

    def _column(self, name: str, label: str, index: int, match: Match) -> Planned:
        spec = self.table.columns[name]
        column = Planned(name, self.wanted[name], label, index, unit=spec.unit, magnitudes=spec.magnitudes)
        if column.kind not in {"real", "integer"} or (spec.unit is None and name not in self.options.units):
            return replace(column, unit=None, magnitudes={})
        how: How = "recipe" if name in self.options.units else "header"
        written = self.options.units.get(name, match.unit)
        if written is None:
            assumed = not spec.magnitudes
            return replace(
                column, unit_read=spec.unit if assumed else None, how="assumed" if assumed else None
            )
        try:
            return _in_unit(column, written, how, self.options.calorie)
        except UnitError as error:
            raise self._error(
                f"the {how} says that '{label}' is in {written}, which cannot become {spec.unit}: {error}",
                f"name its unit: {self.section}.units: {{{name}: {spec.unit}}}",
            ) from None

    def _named(self, unknown: list[Planned]) -> tuple[Planned, ...]:
        """Under their own headers, numbered where another column is called so already."""
        taken = {
            *_TAKEN,
            *self.wanted,
            *(label for label in self.labels if label not in _TAKEN | set(self.wanted)),
        }
        found = []
        for column in unknown:
            name, number = column.name, 2
            if name in _TAKEN or name in self.wanted:
                while f"{name} ({number})" in taken:
                    number += 1
                name = f"{name} ({number})"
                taken.add(name)
            found.append(replace(column, name=name))
        return tuple(found)

    def _twice(self, name: str, first: Planned, label: str) -> SourceError:
        return self._error(
            f"the headers '{first.header}' and '{label}' both mean {name}",
            f"leave one out: {self.section}.columns: {{'{label}': null}}",
        )

    def _missing(self, names: list[str], unknown: list[str]) -> SourceError:
        close = {name: self.table.close(name, unknown) for name in names}
        hints = [f"'{headers[0]}': {name}" for name, headers in close.items() if headers]
        what = f"the file has no column {', '.join(names)}, which the schema requires"
        if hints:
            return self._error(
                what, f"if a header means it, say so: {self.section}.columns: {{{', '.join(hints)}}}"
            )
        left = ", ".join(unknown) or "none"
        return self._error(what, f"headers without a meaning are: {left}; give one in {self.section}.columns")

    def _error(self, what: str, fix: str) -> SourceError:
        return SourceError(what, where=self.where, fix=fix)


def _section(where: str) -> str:
    """The section of the recipe in 'records.coals, raw/coal.csv'."""
    return where.partition(",")[0]


def _in_unit(column: Planned, written: str, how: How, calorie: float) -> Planned:
    unit = canonical_unit(written)
    if unit is None or column.unit is None:
        raise UnitError(
            f"'{written}' is no unit that is known here" if unit is None else "the column has no unit"
        )
    factor, offset = convert(unit, column.unit, calorie)
    if column.unit == "K":
        # A column in kelvin is a difference, such as the superheat; temperatures stand in °C.
        offset = 0.0
    return replace(column, unit_read=unit, how=how, factor=factor, offset=offset)


def _median(values: pl.Series) -> float:
    return float(values.sort()[len(values) // 2])


def _mostly_outside(values: pl.Series, limits: tuple[float, float]) -> bool:
    return int(values.is_between(*limits).sum()) * 2 < len(values)


def _numbered(headers: tuple[str, ...]) -> tuple[str, ...]:
    """Headers that stand several times get a number: 厚度, 厚度 (2)."""
    found: list[str] = []
    for header in headers:
        label, number = header, 2
        while label in found:
            label, number = f"{header} ({number})", number + 1
        found.append(label)
    return tuple(found)
