"""Looks at a file of records: which schema fits it, and what each of its headers would be read as."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import SourceError, UsageError
from tundish.propose.column import RecordColumn
from tundish.propose.fit import fit_of, fits_of, lacks_header
from tundish.propose.schema.start import make_start
from tundish.propose.schema.text import shown
from tundish.propose.table_files import other_files, table_files
from tundish.stages.records.plan import read_options
from tundish.tabular.base import FileOptions, pieces_from
from tundish.tabular.files.open import open_table
from tundish.tabular.files.pivot import pivoted
from tundish.tabular.headers.long import find_long, long_of_units
from tundish.tabular.headers.planner import make_plan, number_repeats
from tundish.tabular.infer.unit_columns import are_alike, find_unit_columns
from tundish.tabular.infer.units import row_units, units_by_row
from tundish.tabular.infer.unknown import unknown_kinds, unknown_units, with_kinds
from tundish.tabular.plan import ReadOptions
from tundish.tabular.values.cells import read_cells
from tundish.tabular.values.conventions import decide
from tundish.tabular.values.row_units import count_row_units, settle_row_units, usual_unit
from tundish.tabular.values.settle import settle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tundish.propose.fit import Fit
    from tundish.propose.schema.start import Start
    from tundish.tabular.base import Layout, Piece, Pivot, Sheet
    from tundish.tabular.infer.unit_columns import UnitColumn
    from tundish.tabular.plan import Plan

__all__ = ["Proposal", "column_names", "propose", "several_columns", "table_name"]

_SHOWN = 3


@dataclass(frozen=True)
class Proposal:
    """A schema with what it would make of the file.

    Attributes:
        schema: As a recipe names it.
        layout: How the sheet that was looked at is laid out.
        rows: One for each column of the file.
        missing: Required columns that no header means.
        problem: Why the file could not be read so to the end, in a sentence.
        start: The schema's texts, where it is not one of the project yet.
        others: Schemas of the project that know some of the headers, with how many, the best first.
        stated: Headers with their columns, which the recipe has to state.
        sheets: The sheets of a workbook that are to be read, where others are not.
        header_rows: The rows of the header, where the recipe has to state them.
        notes: What a person should know, a sentence each.
        evidence: How the file writes numbers and days, and what shows it, a sentence each.
        conventions: Options of the recipe that say the same.
        pivot: The columns of a long table.
        unit_columns: The columns whose rows name their units, with the columns that do.
    """

    schema: str
    layout: Layout
    rows: tuple[RecordColumn, ...]
    missing: tuple[str, ...] = ()
    problem: str | None = None
    start: Start | None = None
    others: tuple[str, ...] = ()
    stated: Mapping[str, str] = field(default_factory=dict)
    sheets: tuple[str, ...] = ()
    header_rows: int | None = None
    notes: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    conventions: tuple[tuple[str, str], ...] = ()
    pivot: Pivot | None = None
    unit_columns: tuple[UnitColumn, ...] = ()

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
        if layout.header_rows == 0 and not lacks_header(layout):
            return ("columns with names",)
        return tuple(fact for fact in facts if fact)


def several_columns(sheets: Sequence[Sheet]) -> Sheet:
    """The first sheet that has several columns, else the first one."""
    return next((one for one in sheets if len(one.layout.headers) > 1), sheets[0])


def propose(
    project: Path,
    path: Path,
    schema: str | None = None,
    sheet: str | None = None,
    names: tuple[str, ...] = (),
    table: str | None = None,
) -> Proposal:
    """The proposal for a file: a model of the project that fits it, else a start.

    Args:
        project: The project whose schemas are tried.
        path: The file, or a folder of files that are one table.
        schema: Use this schema, however badly it fits.
        sheet: Look at this sheet of a workbook only.
        names: The columns in order, for a file without header.
        table: The name of the table, for the files of a start.

    Raises:
        SourceError: The file cannot be read at all, or has no header and `names` are not given.
        SchemaError: A schema is wrong.
    """
    files = table_files(path)
    sheets, fits = fits_of(project, files[0], schema, sheet, names)
    firsts = _FirstPieces()
    best = fits[0] if fits else None
    pivot = None
    if best is not None and not best.fits:
        best, pivot = next(filter(None, (_as_long(fit, firsts) for fit in fits)), (best, None))
    options = FileOptions(sheets=(sheet,) if sheet else (), names=names)
    told = [*other_files(files, sheets[0].layout, options)]
    told += [remark.message for one in sheets for remark in one.layout.remarks]
    if best is not None and (schema is not None or best.fits):
        proposal = _proposal(best, firsts, table or table_name(path), pivot)
        others = _others(fits[1:]) if schema is None else ()
        return replace(proposal, others=others, evidence=(*told, *proposal.evidence))
    start = _start(project, path, files[0], sheets, sheet, names, table or table_name(path), _others(fits))
    return replace(start, evidence=(*told, *start.evidence))


class _FirstPieces:
    """The first piece of each sheet, read once however many models are tried."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Sheet, Piece | None]] = {}

    def of(self, sheet: Sheet) -> Piece | None:
        """The first piece of a sheet; None where it holds no record."""
        if id(sheet) not in self._known:
            self._known[id(sheet)] = sheet, next(sheet.pieces(), None)
        return self._known[id(sheet)][1]


def _others(fits: Sequence[Fit]) -> tuple[str, ...]:
    """Up to three other models, each once, with what speaks for and against them."""
    best: dict[str, Fit] = {}
    for fit in fits:
        best.setdefault(fit.schema, fit)
    told = []
    for fit in list(best.values())[:_SHOWN]:
        lacks = f", lacks {', '.join(fit.missing)}" if fit.missing else ""
        told.append(f"{fit.schema} ({fit.understood} of {len(fit.sheet.layout.headers)} columns{lacks})")
    return tuple(told)


def _start(
    project: Path,
    path: Path,
    first: Path,
    sheets: Sequence[Sheet],
    sheet: str | None,
    names: tuple[str, ...],
    table: str,
    others: tuple[str, ...],
) -> Proposal:
    """The proposal of a new schema, made from the first sheet that has several columns."""
    chosen = several_columns(sheets)
    found, long = chosen.layout, long_of_units(chosen)
    chosen = chosen if long is None else pivoted(chosen, long, path.name)
    layout = chosen.layout
    pairs = _pairs(chosen, next(chosen.pieces(), None))
    start = make_start(project, table, path.name, chosen, ReadOptions(), pairs=pairs)
    same = [one.layout.sheet for one in sheets if one.layout.headers == found.headers]
    different = [one.layout.sheet for one in sheets if one.layout.headers != found.headers]
    only = tuple(filter(None, dict.fromkeys(same))) if sheet is None and different else ()
    only_these = only or ((sheet,) if sheet else ())
    known = FileOptions(sheets=only_these, names=names, known=start.spellings())
    again = next(one for one in open_table(first, first.name, known) if one.layout.sheet == layout.sheet)
    notes = [f"sheets with other columns are not read: {', '.join(filter(None, different))}"] * bool(
        different and sheet is None
    )
    return Proposal(
        start.schema,
        layout,
        tuple(map(shown, start.columns)),
        start=start,
        others=others,
        stated=start.renamed,
        sheets=only,
        header_rows=found.header_rows if again.layout != found and not names else None,
        notes=tuple(notes),
        evidence=_row_units(chosen, pairs),
        pivot=long,
        unit_columns=pairs,
    )


def _pairs(sheet: Sheet, piece: Piece | None) -> tuple[UnitColumn, ...]:
    """The columns whose rows name their units in another column."""
    return () if piece is None else find_unit_columns(number_repeats(sheet.layout.headers), piece.cells)


def _row_units(sheet: Sheet, pairs: Sequence[UnitColumn]) -> tuple[str, ...]:
    """What to say about columns that hold a unit for each row."""
    piece = next(iter(sheet.pieces()), None)
    if piece is None:
        return ()
    known = {pair.unit for pair in pairs}
    found = {
        header: row_units(piece.cells[f"c{at}"])
        for at, header in enumerate(sheet.layout.headers)
        if at not in known
    }
    told = [pair.evidence for pair in pairs]
    return (*told, *(units_by_row(header, units) for header, units in found.items() if units))


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


def _as_long(fit: Fit, firsts: _FirstPieces) -> tuple[Fit, Pivot] | None:
    """A model's fit to a long table once that is pivoted; None where it is not long, or does not fit so."""
    table, sheet = fit.table, fit.sheet
    piece = firsts.of(sheet)
    if piece is None:
        return None
    try:
        plan = make_plan(sheet.layout, table.wanted, (), table.columns, _options(fit), "records.records")
        long = find_long(plan, piece.cells, table.columns.only(table.wanted))
    except SourceError:  # told where the model is proposed
        return None
    if long is None:
        return None
    wide = fit_of(table, fit.schema, pivoted(sheet, long, "the file"))
    return (wide, long) if wide.fits else None


def _options(fit: Fit) -> ReadOptions:
    options = replace(read_options(fit.table.section, "UTC"), columns=dict.fromkeys(fit.unsure))
    return replace(options, date1904=fit.sheet.layout.date1904)


def _proposal(fit: Fit, firsts: _FirstPieces, name: str, pivot: Pivot | None = None) -> Proposal:
    sheet, matches, unsure = fit.sheet, fit.matches, fit.unsure
    rows: list[RecordColumn] = []
    pairs: tuple[UnitColumn, ...] = ()
    problem, plan = None, None
    piece = firsts.of(sheet)
    try:
        plan, pairs = _planned(fit, piece, name)
        if piece is not None:
            plan = decide(plan, (one.cells for one in pieces_from(piece, sheet)))
            plan = _settled(plan, piece, joined=sheet.layout.header_rows > 1)
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
    proposal = Proposal(fit.schema, sheet.layout, tuple(rows), fit.missing, problem, pivot=pivot)
    if plan is None:
        return proposal
    evidence = (*plan.evidence, *(() if pivot else _row_units(sheet, pairs)))
    return replace(proposal, evidence=evidence, conventions=_conventions(plan), unit_columns=pairs)


def _planned(fit: Fit, piece: Piece | None, name: str) -> tuple[Plan, tuple[UnitColumn, ...]]:
    """The plan of a sheet, and the columns whose rows name their units such that the model's unit fits."""
    table, layout, options = fit.table, fit.sheet.layout, _options(fit)
    plan = make_plan(layout, table.wanted, (), table.columns, options, f"records.{name}")
    numbers = {one.index: one.unit for one in plan.columns if one.kind in {"real", "integer"}}
    taken = {one.index for one in plan.columns} - numbers.keys()
    pairs = tuple(
        pair
        for pair in _pairs(fit.sheet, piece)
        if pair.value not in taken and are_alike(pair.usual, numbers.get(pair.value, pair.usual) or "")
    )
    if not pairs:
        return plan, ()
    options = replace(options, unit_columns={pair.value_header: pair.unit_header for pair in pairs})
    return make_plan(layout, table.wanted, (), table.columns, options, f"records.{name}"), pairs


def _settled(plan: Plan, piece: Piece, *, joined: bool) -> Plan:
    """The plan with what the first cells say: units, and the kinds of unknown columns."""
    units = unknown_units(plan, piece.cells, joined=joined)
    kinds = unknown_kinds(plan, piece.cells, units, joined=joined)
    counts = count_row_units(plan, [piece.cells])
    usual = {
        one.name: usual_unit(counts[one.index], plan.units) for one in plan.unknown if one.index in counts
    }
    sure = {name: unit for name, unit in usual.items() if unit is not None}
    return settle(settle_row_units(with_kinds(plan, kinds, units), counts, sure), piece.cells)


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
        known = entry["how"] not in ("unknown", "typed", "left out")
        yield RecordColumn(entry["header"], name if known else None, _read_as(entry), tuple(values))


def _shown(column: pl.Series) -> list[str]:
    first = column.drop_nulls().head(_SHOWN)
    if isinstance(first.dtype, pl.Datetime):
        return first.dt.to_string("%Y-%m-%d %H:%MZ").to_list()
    return (first.round_sig_figs(6) if first.dtype.is_float() else first).cast(pl.String).to_list()


def _read_as(entry: dict[str, str | None]) -> str:
    read, unit, how = entry["read_as"], entry["unit"], entry["how"]
    if how == "row":
        return f"in the unit of each row, becomes {unit}"
    if how in ("unknown", "typed"):
        kind = {"real": "a number", "integer": "a whole number", "flag": "yes or no", "time": "a time"}
        return f"not in the schema: {kind.get(entry['kind'] or '', 'text')}{f', {unit}' if unit else ''}"
    if unit is None or read is None:
        return entry["kind"] or ""
    because = {"header": "", "recipe": "", "magnitude": ", by its magnitude", "assumed": ", assumed"}[
        how or ""
    ]
    return f"{read}{because}" if read == unit else f"{read}{because}, becomes {unit}"
