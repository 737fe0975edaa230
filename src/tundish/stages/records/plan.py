"""Plan how a table of records is read: its Pandera model, its alias table, and a plan for each sheet."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from tundish.errors import SchemaError, SourceError
from tundish.rules.models import load_model
from tundish.storage.quarantine import quarantine_row
from tundish.storage.shards import copy_parts, latest_files, read_files
from tundish.storage.table import Table, field
from tundish.storage.tables import RECORD_FIELDS
from tundish.tabular.base import FileOptions, Pivot
from tundish.tabular.files.open import open_table
from tundish.tabular.headers.columns import ColumnTable, load_columns
from tundish.tabular.headers.planner import make_plan
from tundish.tabular.plan import Plan, ReadOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandera.polars as pandera

    from tundish.recipe.sections import Records
    from tundish.stages.base import Context
    from tundish.tabular.base import Sheet
    from tundish.tabular.plan import Kind, Planned

__all__ = ["OpenSheet", "RecordTable", "open_sheets", "read_options", "record_table", "record_tables"]

_KINDS: dict[pl.DataType, Kind] = {
    pl.String(): "text",
    pl.Float64(): "real",
    pl.Int64(): "integer",
    pl.Boolean(): "flag",
    pl.Datetime("us", "UTC"): "time",
}
_TAKEN = frozenset(one.name for one in RECORD_FIELDS)
_ARROW = {
    "text": pa.string(),
    "real": pa.float64(),
    "integer": pa.int64(),
    "flag": pa.bool_(),
    "time": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True)
class RecordTable:
    """One table of the recipe's records.

    Attributes:
        wanted: The columns of the model with their kinds, in its order.
        key: The columns that name a record; empty where the table has no key.
        latest_by: The time column that decides which of two repeats is later.
        key_also: Columns that belong to the key where a file has them, such as the stage of a sample.
    """

    name: str
    section: Records
    model: type[pandera.DataFrameModel]
    columns: ColumnTable
    wanted: dict[str, Kind]
    required: frozenset[str]
    key: tuple[str, ...]
    latest_by: str | None
    key_also: tuple[str, ...] = ()

    def key_of(self, present: Sequence[str], extra: Sequence[str]) -> list[str]:
        """The columns that name a record among those that the files have; none where one is missing.

        Args:
            present: The columns of the model that the files have.
            extra: The columns that are not in the model.

        Raises:
            SchemaError: The recipe names a column that neither the schema nor a file has.
        """
        for column in self.section.key or ():
            if column not in self.wanted and column not in extra:
                raise SchemaError(
                    f"the key of records.{self.name} names '{column}', which neither schema nor file has",
                    where=self.section.schema_,
                    fix=f"they have: {', '.join([*self.wanted, *extra])}",
                )
        if not self.key or not set(self.key) <= {*present, *extra}:
            return []
        return [*self.key, *(name for name in self.key_also if name in present and name not in self.key)]

    def repeat(self, name: str) -> float | None:
        """The largest difference of two determinations that agree; None where they must be equal."""
        column = self.columns.columns.get(name)
        return None if column is None else column.repeat

    def arrow(self, present: Sequence[str], extra: Sequence[Planned]) -> Table:
        """The schema of the table: the columns of every record, those present, then the unknown ones."""
        known = [
            field(
                name,
                _ARROW[self.wanted[name]],
                self.columns.about(name),
                self.columns.unit(name) or "",
            )
            for name in self.wanted
            if name in present
        ]
        unknown = [
            field(
                one.name,
                _ARROW[one.kind],
                f"not in the schema; {'as written' if one.kind == 'text' else 'typed by its values'}",
                one.unit or "",
            )
            for one in extra
        ]
        return Table(self.name, pa.schema([*RECORD_FIELDS, *known, *unknown]), (), "records")


@dataclass(frozen=True)
class OpenSheet:
    """A sheet of a file with the plan by which it is read."""

    path: str
    sheet: Sheet
    plan: Plan


def record_tables(project: Path, sections: Mapping[str, Records]) -> list[RecordTable]:
    """Load all tables of a recipe.

    Raises:
        SchemaError: As for `record_table`; or one refers to a column that another schema does not have.
    """
    tables = {name: record_table(project, name, section) for name, section in sections.items()}
    for name, section in sections.items():
        for target in (target for targets in section.references.values() for target in targets):
            table, _, column = target.partition(".")
            if column not in tables[table].wanted:
                raise SchemaError(
                    f"records.{name} refers to {target}, which the schema does not have",
                    where=sections[table].schema_,
                    fix=f"it has: {', '.join(tables[table].wanted)}",
                )
    return list(tables.values())


def record_table(project: Path, name: str, section: Records) -> RecordTable:
    """Load the model and the alias table beside it.

    Raises:
        SchemaError: They do not exist, are invalid, or use a type that records do not have.
    """
    model = load_model(project, section.schema_)
    file = project / section.schema_.partition(":")[0]
    schema = model.to_schema()
    wanted: dict[str, Kind] = {}
    for column, facts in schema.columns.items():
        kind = _KINDS.get(facts.dtype.type) if facts.dtype is not None else None
        if kind is None:
            raise SchemaError(
                f"the column '{column}' has the type {facts.dtype}, which records do not have",
                where=section.schema_,
                fix='use str, float, pl.Int64, bool or pl.Datetime("us", "UTC")',
            )
        if column in _TAKEN:
            raise SchemaError(
                f"'{column}' is a reserved column of every table of records",
                where=section.schema_,
                fix=f"name it '{column}_no' or similar, and list its headers in the alias table",
            )
        wanted[column] = kind
    metadata = model.Config.metadata or {}
    key = section.key if section.key is not None else tuple(metadata.get("key", ()))
    for column in section.references:
        if column not in wanted:
            raise SchemaError(
                f"records.{name} names '{column}', which its schema does not have",
                where=section.schema_,
                fix=f"it has: {', '.join(wanted)}",
            )
    return RecordTable(
        name,
        section,
        model,
        load_columns(file.with_suffix(".yaml")),
        wanted,
        frozenset(column for column, facts in schema.columns.items() if facts.required),
        key,
        metadata.get("latest_by"),
        () if section.key is not None else tuple(metadata.get("key_also", ())),
    )


@contextmanager
def open_sheets(
    context: Context, table: RecordTable
) -> Iterator[tuple[list[OpenSheet], list[dict[str, object]]]]:
    """Open all sheets of all files of a table, with a quarantine row for each that cannot be read.

    The files are copied beside the dataset while the context lasts.

    Raises:
        SourceError: No file of the table can be read, or the recipe must state what its columns mean.
    """
    files = latest_files(read_files(context.dataset.store)).filter(
        (pl.col("source") == table.name) & (pl.col("outcome") == "accepted")
    )
    with tempfile.TemporaryDirectory(prefix=".records-", dir=context.dataset.root) as scratch:
        found: list[OpenSheet] = []
        faults: list[dict[str, object]] = []
        problem: SourceError | None = None
        for number, (path, shard) in enumerate(files.select("path", "shard").iter_rows()):
            copy = Path(scratch) / str(number)
            copy_parts(context.dataset.record_shards / f"{shard}.parquet", copy)
            try:
                sheets = open_table(copy, path, _file_options(table))
            except SourceError as error:
                problem = error
                faults.append(_file_fault(table.name, path, "unreadable_table", error.what, "error"))
                continue
            planned, left = _plan_sheets(context, table, path, sheets)
            found += planned
            faults += left
        if problem is not None and not found:
            raise problem
        yield found, faults


def _file_options(table: RecordTable) -> FileOptions:
    section = table.section
    return FileOptions(
        sheets=section.sheets if section.sheet is None else (section.sheet,),
        header_rows=section.header_rows,
        header=section.header,
        names=section.names,
        known=table.columns.spellings(),
        encoding=section.encoding,
        hidden=section.hidden,
        lines=section.lines,
        footer=section.footer,
        pivot=(
            Pivot(section.pivot.name, section.pivot.value, section.pivot.unit, section.calorie)
            if section.pivot
            else None
        ),
    )


def read_options(section: Records, zone: str) -> ReadOptions:
    """What the recipe states about the columns; `zone` is that of the plant's clocks."""
    return ReadOptions(
        columns=section.columns,
        units=section.units,
        unit_columns=section.unit_columns,
        missing=section.missing,
        calorie=section.calorie,
        zone=zone,
        decimal=section.decimal,
        thousands=section.thousands,
        dates=section.dates,
        ambiguous_hour=section.ambiguous_hour,
    )


def _plan_sheets(
    context: Context, table: RecordTable, path: str, sheets: Sequence[Sheet]
) -> tuple[list[OpenSheet], list[dict[str, object]]]:
    options = read_options(table.section, context.recipe.timezone)
    planned, left, problem = [], [], None
    for sheet in sheets:
        place = f"records.{table.name}, {path}" + (
            f", sheet {sheet.layout.sheet}" if sheet.layout.sheet else ""
        )
        left += [
            _file_fault(table.name, path, remark.check, remark.message, "warning")
            for remark in sheet.layout.remarks
        ]
        here = replace(options, date1904=sheet.layout.date1904)
        try:
            plan = make_plan(sheet.layout, table.wanted, table.required, table.columns, here, place)
        except SourceError as error:
            problem = problem or error
            layout = sheet.layout
            inside = f" of '{layout.sheet}'" if layout.sheet else ""
            what = f"the table under row {layout.header_rows}{inside} is skipped: {error.what}"
            left.append(_file_fault(table.name, path, "sheet_left_out", what, "warning"))
        else:
            planned.append(OpenSheet(path, sheet, plan))
    if problem is not None and not planned:
        raise problem
    return planned, left


def _file_fault(name: str, path: str, check: str, message: str, severity: str) -> dict[str, object]:
    return quarantine_row("file", check, message, source=name, path=path, severity=severity)
