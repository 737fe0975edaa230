"""Look at a file of records: which schema fits it, and what each of its headers would be read as."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import SourceError
from tundish.recipe.sections import Records
from tundish.rules.models import models_of
from tundish.stages.records.plan import read_options, record_table
from tundish.tabular.base import Asked
from tundish.tabular.files.open import open_table
from tundish.tabular.headers.planner import make_plan
from tundish.tabular.values.cells import read_cells
from tundish.tabular.values.settle import settle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tundish.stages.records.plan import RecordTable
    from tundish.tabular.base import Layout, Sheet
    from tundish.tabular.plan import Plan

__all__ = ["Proposal", "Row", "propose"]

_SHOWN = 3


@dataclass(frozen=True)
class Row:
    """What one column of the file would become.

    Attributes:
        header: As written.
        column: Of the schema; None where it stays text, or nothing is settled.
        told: Unit and conversion, or what has to be decided.
        examples: Values of the first records, as they would stand in the table.
        candidates: Columns it may mean, where only a person can tell.
    """

    header: str
    column: str | None
    told: str
    examples: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """A schema with what it would make of the file.

    Attributes:
        schema: As a recipe names it.
        layout: Of the sheet that was looked at.
        rows: One a column of the file.
        missing: Required columns that no header means.
        problem: Why the file could not be read so to the end, in a sentence.
    """

    schema: str
    layout: Layout
    rows: tuple[Row, ...]
    missing: tuple[str, ...]
    problem: str | None = None

    @property
    def fit(self) -> tuple[bool, int]:
        """Better proposals are larger: all required columns there, then the most columns understood."""
        understood = sum(row.column is not None or bool(row.candidates) for row in self.rows)
        return (not self.missing, understood)


def propose(
    project: Path,
    path: Path,
    schema: str | None = None,
    sheet: str | None = None,
    names: tuple[str, ...] = (),
) -> list[Proposal]:
    """Proposals for a file, the best first; those that understand none of its headers are left out.

    Args:
        project: Whose schemas are tried.
        path: The file.
        schema: Only this one.
        sheet: Only this sheet of a workbook.
        names: The columns in order, for a file without header.

    Raises:
        SourceError: The file cannot be read at all, or has no header and `names` are not given.
        SchemaError: A schema is wrong.
    """
    references = [schema] if schema else list(_record_schemas(project))
    tables = [
        record_table(project, "records", Records.model_validate({"path": path.name, "schema": one}))
        for one in references
    ]
    known = tuple({name for table in tables for name in table.columns.spellings()})
    sheets = open_table(path, path.name, Asked(sheet=sheet, names=names, known=known))
    if not names and all(one.layout.header_rows == 0 for one in sheets):
        raise SourceError(
            f"the file has no header over its {len(sheets[0].layout.headers)} columns",
            where=str(path),
            fix="give their names in order: --names a,b,c or --names FILE with one a line",
        )
    found = [
        proposal
        for table, reference in zip(tables, references, strict=True)
        for one in sheets
        if (proposal := _proposal(table, reference, one)).fit[1] or schema
    ]
    return sorted(found, key=lambda proposal: proposal.fit, reverse=True)


def _record_schemas(project: Path) -> Iterator[str]:
    """The models that have an alias table beside them."""
    for path in sorted((project / "schemas").glob("*.py")):
        if path.with_suffix(".yaml").exists():
            yield from (f"schemas/{path.name}:{model.__name__}" for model in models_of(path))


def _proposal(table: RecordTable, reference: str, sheet: Sheet) -> Proposal:
    narrow = table.columns.only(table.wanted)
    joined = sheet.layout.header_rows > 1
    matches = {header: narrow.lookup(header, joined=joined) for header in sheet.layout.headers}
    unsure = {header: match.candidates for header, match in matches.items() if match.candidates}
    there = {match.column for match in matches.values()} | {one for names in unsure.values() for one in names}
    missing = tuple(sorted(table.required - there))
    options = replace(read_options(table.section, "UTC"), columns=dict.fromkeys(unsure))
    rows: list[Row] = []
    problem = None
    try:
        plan = make_plan(sheet.layout, table.wanted, (), table.columns, options, "records.records")
        rows = list(_rows(plan, sheet))
    except SourceError as error:
        problem = f"{error.what}; {error.fix}"
        rows = [Row(header, match.column, match.unit or "") for header, match in matches.items()]
    rows = [
        replace(row, candidates=unsure[row.header], told="say which it means")
        if row.header in unsure
        else row
        for row in rows
    ]
    return Proposal(reference, sheet.layout, tuple(rows), missing, problem)


def _rows(plan: Plan, sheet: Sheet) -> Iterator[Row]:
    piece = next(sheet.pieces(), None)
    examples = pl.DataFrame()
    if piece is not None:
        plan = settle(plan, piece.cells)
        examples = read_cells(piece.cells.head(200), plan).frame
    for told in plan.describe():
        name = told["column"]
        values = _shown(examples[name]) if name in examples.columns else []
        known = told["how"] not in ("unknown", "left out")
        yield Row(told["header"], name if known else None, _told(told), tuple(values))


def _shown(column: pl.Series) -> list[str]:
    first = column.drop_nulls().head(_SHOWN)
    if isinstance(first.dtype, pl.Datetime):
        return first.dt.to_string("%Y-%m-%d %H:%MZ").to_list()
    return (first.round_sig_figs(6) if first.dtype.is_float() else first).cast(pl.String).to_list()


def _told(entry: dict[str, str | None]) -> str:
    read, unit, how = entry["read_as"], entry["unit"], entry["how"]
    if how == "unknown":
        return "not in the schema: kept as text"
    if unit is None or read is None:
        return entry["kind"] or ""
    because = {"header": "", "recipe": "", "magnitude": ", by its magnitude", "assumed": ", assumed"}[
        how or ""
    ]
    return f"{read}{because}" if read == unit else f"{read}{because}, becomes {unit}"
