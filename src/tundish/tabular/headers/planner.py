"""Decide what each column of a file means, from its header, the alias table and the recipe."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tundish.errors import SourceError
from tundish.tabular.base import PLACE
from tundish.tabular.headers.alias_file import Column
from tundish.tabular.headers.columns import ColumnTable
from tundish.tabular.plan import How, Kind, Plan, Planned, ReadOptions, section_of
from tundish.tabular.text import compare
from tundish.tabular.units import UnitError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tundish.tabular.base import Layout
    from tundish.tabular.headers.columns import Match

__all__ = ["make_plan", "number_repeats"]


_TAKEN = frozenset({*PLACE, "record_id", "path", "sheet", "outcome", "reason", "notes"})
"""The names of the columns that every table of records has."""


def make_plan(
    layout: Layout,
    wanted: Mapping[str, Kind],
    required: Collection[str],
    table: ColumnTable,
    options: ReadOptions,
    where: str,
) -> Plan:
    """Decide what each column of a sheet means.

    Args:
        layout: The layout of the sheet.
        wanted: The kind of each column of the schema, in its order.
        required: The columns that the file must have.
        table: The alias table of the schema.
        options: What the recipe states about the columns.
        where: The section of the recipe that can fix it, and the file: "records.coals, raw/coal.csv".

    Raises:
        SourceError: A required column is missing, a header may mean several columns, two headers mean one
            column, the recipe names a header that does not exist, or a unit cannot be converted.
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
        known = ColumnTable({**narrow.columns, **absent}, narrow.ambiguous, narrow.units)
        self.table = known.beside(layout.headers)
        self.options = options
        self.where = where
        self.section = section_of(where)
        self.headers = layout.headers
        self.labels = number_repeats(layout.headers)
        self.joined = layout.header_rows > 1
        self.separator, self.typed = layout.separator, layout.typed

    def plan(self, required: Collection[str]) -> Plan:
        stated = self._recipe()
        unit_at = self._unit_columns()
        of_rows = set(unit_at.values())
        mapped: dict[str, Planned] = {}
        unknown, left_out = [], []
        for index, label in enumerate(self.labels):
            match = self.table.lookup(self.headers[index], joined=self.joined)
            if index in of_rows and index not in stated and match.column is None:
                left_out.append((label, index))
                continue
            name = stated[index] if index in stated else self._sure(label, match)
            if name is not None:
                if name in mapped:
                    raise self._twice(name, mapped[name], label)
                mapped[name] = self._column(name, label, index, match, unit_at.get(index))
            elif index in stated:
                left_out.append((label, index))
            else:
                unknown.append(Planned(label, "text", label, index, known=False, unit_at=unit_at.get(index)))
        missing = [name for name in required if name not in mapped]
        if missing:
            raise self._missing(missing, [column.header for column in unknown])
        ordered = tuple(mapped[name] for name in self.wanted if name in mapped)
        return Plan(
            ordered,
            self._name_unknown(unknown),
            tuple(left_out),
            self.headers,
            self.options,
            self.where,
            self.separator,
            self.typed,
            units=self.table.units,
        )

    def _recipe(self) -> dict[int, str | None]:
        """The recipe's 'columns', by place in the file."""
        stated: dict[int, str | None] = {}
        for header, name in self.options.columns.items():
            places = self._places(header, "columns")
            if name is not None and name not in self.wanted:
                raise self._error(
                    f"{self.section}.columns maps '{header}' to '{name}', not a column of the schema",
                    f"its columns are: {', '.join(self.wanted)}",
                )
            stated |= dict.fromkeys(places, name)
        for name in self.options.units:
            if name not in self.wanted:
                raise self._error(
                    f"{self.section}.units names '{name}', which is not a column of the schema",
                    f"its columns are: {', '.join(self.wanted)}",
                )
        return stated

    def _places(self, header: str, option: str) -> list[int]:
        """The places of a header that the recipe names."""
        places = [i for i, label in enumerate(self.labels) if label == header]
        places = places or [i for i, label in enumerate(self.labels) if compare(label) == compare(header)]
        if not places:
            raise self._error(
                f"{self.section}.{option} names the header '{header}', which the file does not have",
                f"its headers are: {', '.join(self.labels)}",
            )
        return places

    def _unit_columns(self) -> dict[int, int]:
        """The recipe's 'unit_columns': the place of the unit by that of the value."""
        found: dict[int, int] = {}
        for value, unit in self.options.unit_columns.items():
            (at, *_), (unit_at, *_) = self._places(value, "unit_columns"), self._places(unit, "unit_columns")
            if at == unit_at:
                raise self._error(
                    f"{self.section}.unit_columns says that '{value}' holds its own units",
                    "name the column of the values, then the one of their units",
                )
            found[at] = unit_at
        return found

    def _sure(self, label: str, match: Match) -> str | None:
        if match.strange is not None:
            raise self._error(
                f"the header '{label}' names the unit '{match.strange}', which is unknown",
                f"say what it means: {self.section}.columns: {{'{label}': {match.candidates[0]}}} and"
                f" {self.section}.units, or null to omit it",
            )
        if match.candidates:
            may = " or ".join(match.candidates)
            raise self._error(
                f"the header '{label}' may mean {may}, and that is never guessed",
                f"say which: {self.section}.columns: {{'{label}': {match.candidates[0]}}},"
                " or null to omit it",
            )
        return match.column

    def _column(self, name: str, label: str, index: int, match: Match, unit_at: int | None) -> Planned:
        spec = self.table.columns[name]
        kind = self.wanted[name]
        column = Planned(
            name, kind, label, index, unit=spec.unit, magnitudes=spec.magnitudes, unit_at=unit_at
        )
        if unit_at is not None and (kind not in {"real", "integer"} or spec.unit is None):
            raise self._error(
                f"{self.section}.unit_columns names '{label}', and the schema's column {name} is not a number"
                " with a unit",
                f"give {name} a unit in the alias file beside the schema, or remove '{label}' from"
                " unit_columns",
            )
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
            return column.in_unit(written, how, self.options.calorie, self.table.units)
        except UnitError as error:
            raise self._error(
                f"the {how} says that '{label}' is in {written}, which cannot become {spec.unit}: {error}",
                f"name its unit: {self.section}.units: {{{name}: {spec.unit}}}",
            ) from None

    def _name_unknown(self, unknown: list[Planned]) -> tuple[Planned, ...]:
        """Name columns by their own headers, with a number where the name is taken."""
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
            f"omit one: {self.section}.columns: {{'{label}': null}}",
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
        return self._error(what, f"unmapped headers are: {left}; map one in {self.section}.columns")

    def _error(self, what: str, fix: str) -> SourceError:
        return SourceError(what, where=self.where, fix=fix)


def number_repeats(headers: tuple[str, ...]) -> tuple[str, ...]:
    """The headers as the recipe names them; those that occur several times are numbered: 厚度, 厚度 (2)."""
    found: list[str] = []
    for header in headers:
        label, number = header, 2
        while label in found:
            label, number = f"{header} ({number})", number + 1
        found.append(label)
    return tuple(found)
