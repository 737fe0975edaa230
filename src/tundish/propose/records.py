"""Looks at a file of records: which schema fits it, and what each of its headers would be read as."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import SourceError, UsageError
from tundish.propose.column import RecordColumn
from tundish.recipe.sections import Records
from tundish.rules.models import models_of
from tundish.stages.records.plan import read_options, record_table
from tundish.tabular.base import FileOptions
from tundish.tabular.files.open import is_table_name, open_table
from tundish.tabular.files.pivot import pivoted
from tundish.tabular.headers.long import find_long
from tundish.tabular.headers.planner import make_plan
from tundish.tabular.values.cells import read_cells
from tundish.tabular.values.conventions import decide
from tundish.tabular.values.settle import settle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tundish.stages.records.plan import RecordTable
    from tundish.tabular.base import Layout, Piece, Pivot, Sheet
    from tundish.tabular.plan import Plan

__all__ = ["Proposal", "column_names", "propose", "table_files", "table_name"]

_SHOWN = 3
_FILES = 50
"""Files of a folder whose headers are compared."""


@dataclass(frozen=True)
class Proposal:
    """A schema with what it would make of the file.

    Attributes:
        schema: As a recipe names it.
        layout: How the sheet that was looked at is laid out.
        rows: One for each column of the file.
        missing: Required columns that no header means.
        problem: Why the file could not be read so to the end, in a sentence.
        evidence: How the file writes numbers and days, and what shows it, a sentence each.
        conventions: Options of the recipe that say the same.
        pivot: The columns of a long table.
    """

    schema: str
    layout: Layout
    rows: tuple[RecordColumn, ...]
    missing: tuple[str, ...]
    problem: str | None = None
    evidence: tuple[str, ...] = ()
    conventions: tuple[tuple[str, str], ...] = ()
    pivot: Pivot | None = None

    @property
    def fit(self) -> tuple[bool, int]:
        """Better proposals are larger: all required columns first, then the most columns understood."""
        understood = sum(row.column is not None or bool(row.candidates) for row in self.rows)
        return (not self.missing, understood)

    @property
    def layout_facts(self) -> tuple[str, ...]:
        """How the sheet is laid out, in words."""
        layout = self.layout
        separators = {None: "", ",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
        facts = (
            f"sheet {layout.sheet}" if layout.sheet else "",
            layout.encoding or "",
            separators.get(layout.separator, repr(layout.separator)),
            f"{layout.header_rows} header row{'s' if layout.header_rows != 1 else ''}",
        )
        if layout.header_rows == 0 and not _lacks_header(layout):
            return ("columns with names",)
        return tuple(fact for fact in facts if fact)


def propose(
    project: Path,
    path: Path,
    schema: str | None = None,
    sheet: str | None = None,
    names: tuple[str, ...] = (),
) -> list[Proposal]:
    """Proposals for a file, the best first.

    Args:
        project: The project whose schemas are tried.
        path: The file.
        schema: Try this schema only.
        sheet: Look at this sheet of a workbook only.
        names: The columns in order, for a file without header.

    Raises:
        SourceError: The file cannot be read at all, has no header and `names` are not given, or has no header
            that a schema knows.
        SchemaError: A schema is wrong.
    """
    references = [schema] if schema else list(_record_schemas(project))
    tables = [
        record_table(project, "records", Records.model_validate({"path": path.name, "schema": one}))
        for one in references
    ]
    known = tuple({name for table in tables for name in table.columns.spellings()})
    options = FileOptions(sheets=(sheet,) if sheet else (), names=names, known=known)
    files = table_files(path)
    sheets = open_table(files[0], files[0].name, options)
    if not names and all(_lacks_header(one.layout) for one in sheets):
        raise SourceError(
            f"the file has no header over its {len(sheets[0].layout.headers)} columns",
            where=str(path),
            fix="give their names in order: --names a,b,c or --names FILE with one on each line",
        )
    found = [
        proposal
        for table, reference in zip(tables, references, strict=True)
        for one in sheets
        if (proposal := _proposal(table, reference, one)).fit[1] or schema
    ]
    if not found:
        raise SourceError(
            f"no schema of this project knows any of its headers ({_some(sheets[0].layout.headers)})",
            where=str(path),
            fix="add them to an alias table in schemas/, name the schema with --schema,"
            " or the columns with --names if it lacks a header",
        )
    notes = _other_files(files, sheets[0].layout, options)
    found = [replace(proposal, evidence=(*notes, *proposal.evidence)) for proposal in found]
    return sorted(found, key=lambda proposal: proposal.fit, reverse=True)


def table_files(path: Path) -> list[Path]:
    """The tables of a folder in the order of their names; a file is its own.

    Raises:
        SourceError: The folder holds no table.
    """
    if not path.is_dir():
        return [path]
    files = sorted(one for one in path.rglob("*") if one.is_file() and is_table_name(one.name))
    files = [one for one in files if not one.name.startswith((".", "~$"))]
    if not files:
        raise SourceError("the folder holds no table", where=str(path), fix="name the folder with the tables")
    return files


def _other_files(files: Sequence[Path], first: Layout, options: FileOptions) -> list[str]:
    """What a person should know of the other tables of a folder: a sentence each."""
    if len(files) == 1:
        return []
    notes = [f"{len(files)} files are one table; the first is {files[0].name}"]
    for file in files[1:_FILES]:
        try:
            headers = open_table(file, file.name, options)[0].layout.headers
        except SourceError as error:
            notes.append(f"{file.name} cannot be read: {error.what}")
            continue
        if set(headers) != set(first.headers):
            more, fewer = sorted({*headers} - {*first.headers}), sorted({*first.headers} - {*headers})
            notes.append(
                f"{file.name} has other headers: more {_some(more) or '-'}; fewer {_some(fewer) or '-'}"
            )
    return notes


def _lacks_header(layout: Layout) -> bool:
    """Whether the first row is a record already. Parquet and Arrow name their columns elsewhere."""
    return layout.header_rows == 0 and (layout.separator is not None or layout.sheet is not None)


def _some(headers: Sequence[str]) -> str:
    return ", ".join(headers[:_SHOWN]) + (", ..." if len(headers) > _SHOWN else "")


def table_name(source: Path, table: str | None = None) -> str:
    """What a table is called in the recipe.

    Args:
        source: The file; its name is the table's where none is given.
        table: The name that was given.

    Raises:
        UsageError: The name cannot be one.
    """
    if table is None:
        stem = source.stem.rpartition(".")[0] if source.suffix.lower() == ".gz" else source.stem
        return re.sub(r"[^\w.-]+", "-", stem).strip("-.")[:100] or "records"
    if not re.fullmatch(r"\w[\w.-]{0,99}", table):
        raise UsageError(
            f"'{table}' cannot be the name of a table", fix="use letters, digits, '.', '-' and '_'"
        )
    return table


def column_names(names: str | Sequence[str] | None) -> tuple[str, ...]:
    """Names of columns, as given one by one, separated by commas, or one on each line of a file.

    Raises:
        UsageError: A name is there twice.
    """
    if names is None:
        return ()
    if isinstance(names, str):
        file = Path(names)
        lines = file.read_text(encoding="utf-8-sig").splitlines() if _is_file(file) else names.split(",")
    else:
        lines = list(names)
    found = tuple(line.strip() for line in lines if line.strip())
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        raise UsageError(f"the names of the columns hold '{twice[0]}' twice", fix="name each column once")
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a long list of names is too long for a path
        return False


def _record_schemas(project: Path) -> Iterator[str]:
    """The models that have an alias table beside them."""
    for path in sorted((project / "schemas").glob("*.py")):
        if path.with_suffix(".yaml").exists():
            yield from (f"schemas/{path.name}:{model.__name__}" for model in models_of(path))


def _proposal(table: RecordTable, reference: str, sheet: Sheet, pivot: Pivot | None = None) -> Proposal:
    narrow = table.columns.only(table.wanted)
    joined = sheet.layout.header_rows > 1
    matches = {header: narrow.lookup(header, joined=joined) for header in sheet.layout.headers}
    unsure = {header: match.candidates for header, match in matches.items() if match.candidates}
    found = {match.column for match in matches.values()} | {one for names in unsure.values() for one in names}
    missing = tuple(sorted(table.required - found))
    if found == {None}:
        plain = (RecordColumn(header, None, "not in the schema: kept as text") for header in matches)
        return Proposal(reference, sheet.layout, tuple(plain), missing, pivot=pivot)
    options = replace(read_options(table.section, "UTC"), columns=dict.fromkeys(unsure))
    options = replace(options, date1904=sheet.layout.date1904)
    rows: list[RecordColumn] = []
    problem, plan = None, None
    piece = next(sheet.pieces(), None)
    try:
        plan = make_plan(sheet.layout, table.wanted, (), table.columns, options, "records.records")
        if piece is not None:
            long = find_long(plan, piece.cells, narrow) if pivot is None else None
            if long is not None:
                return _proposal(table, reference, pivoted(sheet, long, "the file"), long)
            plan = settle(decide(plan, [piece.cells]), piece.cells)
        rows = list(_rows(plan, piece))
    except SourceError as error:
        problem = f"{error.what}; {error.fix}"
        rows = [RecordColumn(header, match.column, match.unit or "") for header, match in matches.items()]
    rows = [
        replace(row, candidates=unsure[row.header], read_as="say which it means")
        if row.header in unsure
        else row
        for row in rows
    ]
    evidence = () if plan is None else plan.evidence
    proposal = Proposal(reference, sheet.layout, tuple(rows), missing, problem, evidence, pivot=pivot)
    return proposal if plan is None else replace(proposal, conventions=_conventions(plan))


def _conventions(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Options of the recipe for what the file has settled, where that is not the usual."""
    found = [("decimal", "','")] if plan.options.decimal == "," else []
    found += [("dates", plan.options.dates[:3])] if plan.options.dates else []
    return tuple(found)


def _rows(plan: Plan, piece: Piece | None) -> Iterator[RecordColumn]:
    examples = pl.DataFrame() if piece is None else read_cells(piece.cells.head(200), plan).frame
    read = {column.name: column for column in examples.iter_columns()}
    for entry in plan.describe():
        name = entry["column"]
        values = _shown(read[name]) if name in read else []
        known = entry["how"] not in ("unknown", "left out")
        yield RecordColumn(entry["header"], name if known else None, _read_as(entry), tuple(values))


def _shown(column: pl.Series) -> list[str]:
    first = column.drop_nulls().head(_SHOWN)
    if isinstance(first.dtype, pl.Datetime):
        return first.dt.to_string("%Y-%m-%d %H:%MZ").to_list()
    return (first.round_sig_figs(6) if first.dtype.is_float() else first).cast(pl.String).to_list()


def _read_as(entry: dict[str, str | None]) -> str:
    read, unit, how = entry["read_as"], entry["unit"], entry["how"]
    if how == "unknown":
        return "not in the schema: kept as text"
    if unit is None or read is None:
        return entry["kind"] or ""
    because = {"header": "", "recipe": "", "magnitude": ", by its magnitude", "assumed": ", assumed"}[
        how or ""
    ]
    return f"{read}{because}" if read == unit else f"{read}{because}, becomes {unit}"
