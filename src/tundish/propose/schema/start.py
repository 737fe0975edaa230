"""A start: the model and the alias table for a table that no schema knows, such that a run takes the file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandera.polars as pa

from tundish import rules
from tundish.propose.schema.column import StartColumn
from tundish.propose.schema.text import alias_text, model_text
from tundish.storage.table import write_atomically
from tundish.storage.tables import RECORD_FIELDS
from tundish.tabular.headers.alias_file import Column, parse_alias_text
from tundish.tabular.headers.columns import ColumnTable
from tundish.tabular.headers.planner import number_repeats
from tundish.tabular.infer.identifiers import class_name, identifier, unique_names
from tundish.tabular.infer.survey import find_key, survey
from tundish.tabular.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tundish.tabular.base import Layout, Sheet
    from tundish.tabular.infer.unit_columns import UnitColumn
    from tundish.tabular.infer.units import HeaderUnit
    from tundish.tabular.plan import ReadOptions

__all__ = ["Start", "make_start", "reserved_names", "write_start"]

_IMPORTED = {"Annotated", "Any", "ClassVar", "Config", "Time", "annotations", "pa", "pl", *rules.__all__}
_TYPES = {"bool", "dict", "float", "int", "list", "str"}
_RESERVED = {*_IMPORTED, *_TYPES, *dir(pa.DataFrameModel), *(one.name for one in RECORD_FIELDS)}


@dataclass(frozen=True)
class Start:
    """A schema as it would be written.

    Attributes:
        schema: The model as a recipe names it.
        columns: The columns of the model, in the order of the file.
        key: The column that names a record; None where none was found.
        rows: The records that were looked at.
        model_text: The Python file.
        alias_text: The YAML file beside it.
        renamed: Headers that no alias table can tell apart, with their columns, for the recipe.
    """

    schema: str
    columns: tuple[StartColumn, ...]
    key: str | None
    rows: int
    model_text: str = field(repr=False)
    alias_text: str = field(repr=False)
    renamed: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The Python file in the project."""
        return self.schema.partition(":")[0]

    @property
    def alias_file(self) -> str:
        """The YAML file in the project."""
        return f"{self.file.removesuffix('.py')}.yaml"

    @property
    def texts(self) -> dict[str, str]:
        """Both files, by their names in the project."""
        return {self.file: self.model_text, self.alias_file: self.alias_text}

    def spellings(self) -> tuple[str, ...]:
        """Every name that a column may have."""
        return ColumnTable(*parse_alias_text(self.alias_text, self.alias_file)).spellings()


def make_start(
    project: Path,
    table: str,
    file: str,
    sheet: Sheet,
    options: ReadOptions,
    *,
    pairs: Sequence[UnitColumn] = (),
    instead: bool = False,
) -> Start:
    """Make a schema from the records of a sheet.

    Args:
        project: The project, whose schemas keep their files.
        table: The name of the table.
        file: The name of the file, for comments.
        sheet: The sheet.
        options: What is known about its values.
        pairs: The columns whose rows name their units in another column, which is not one of the schema.
        instead: Whether a schema of that name is replaced; by default the new one gets another name.
    """
    units = {pair.unit for pair in pairs}
    surveyed = [one for one in survey(sheet, options, pairs) if one.index not in units]
    names = unique_names([identifier(one.unit.name) for one in surveyed], _RESERVED)
    columns = [StartColumn(name, found) for name, found in zip(names, surveyed, strict=True)]
    columns, renamed = _with_names(columns, sheet.layout)
    key = find_key(surveyed)
    key_name = next((one.name for one in columns if one.found is key), None)
    model = class_name(table, _IMPORTED)
    rows = max((one.evidence.filled + one.evidence.missing for one in surveyed), default=0)
    return Start(
        f"schemas/{table if instead else _free_name(project, table)}.py:{model}",
        tuple(columns),
        key_name,
        rows,
        model_text(model, file, rows, columns, key_name),
        alias_text(file, columns),
        renamed,
    )


def reserved_names() -> frozenset[str]:
    """The names that a column of a model of records must not have."""
    return frozenset(_RESERVED)


def write_start(project: Path, start: Start) -> None:
    """Write both files of a schema, the alias table first: a model without one is not a schema of records."""
    for name, text in reversed(start.texts.items()):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(project / name, text.encode())


def _free_name(project: Path, table: str) -> str:
    """A name for the files that no schema of the project has."""
    base, number = table, 2
    while any((project / "schemas" / f"{table}{suffix}").exists() for suffix in (".py", ".yaml")):
        table, number = f"{base}-{number}", number + 1
    return table


def _with_names(columns: Sequence[StartColumn], layout: Layout) -> tuple[list[StartColumn], dict[str, str]]:
    """The columns with the headers that mean them, and what only the recipe can tell apart.

    A header goes in without its unit, so that a file in another unit is understood as well; as it is written
    where two headers differ in their units alone; and into the recipe where even that is not enough.
    """
    found = [replace(column, names=_names(column, column.found.unit.name)) for column in columns]
    wrong = _mistaken(found, layout)
    for index in wrong:
        found[index] = replace(found[index], names=_names(found[index], found[index].found.header))
    wrong = _mistaken(found, layout) if wrong else wrong
    labels = number_repeats(layout.headers)
    return found, {labels[found[index].found.index]: found[index].name for index in wrong}


def _names(column: StartColumn, header: str) -> tuple[str, ...]:
    name = clean(header)
    return (name,) if name and name != column.name else ()


def _mistaken(columns: Sequence[StartColumn], layout: Layout) -> list[int]:
    """The columns whose header means another column, several, or one that a header before it means."""
    table = ColumnTable(
        {one.name: Column(one.name, one.found.unit.unit, one.names) for one in columns},
        {},
        {unit.unit: (1.0, unit.unit) for unit in _own_units(columns) if unit.unit is not None},
    )
    wrong, seen = [], set()
    for index, column in enumerate(columns):
        match = table.lookup(layout.headers[column.found.index], joined=layout.header_rows > 1)
        if match.column != column.name or match.candidates or column.name in seen:
            wrong.append(index)
        seen.add(match.column)
    return wrong


def _own_units(columns: Sequence[StartColumn]) -> list[HeaderUnit]:
    return [one.found.unit for one in columns if one.found.unit.own is not None]
