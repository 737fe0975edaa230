"""records: read the tables of process and laboratory records, and record the outcome of every row.

Files come from the store as bytes; headers, units and cells are read by the alias table beside the schema,
and records are checked by its Pandera model, piece by piece. What needs the whole table (repeats,
contradictions, rules over the table, references to other tables) is checked after that.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import orjson
import polars as pl
import pyarrow.parquet as pq

from tundish.stages.base import Context, Outcome, Stage
from tundish.stages.records.ahead import look_ahead
from tundish.stages.records.judge import causes, fault_rows, judge
from tundish.stages.records.keys import Hashes, repeats
from tundish.stages.records.plan import open_sheets, record_tables
from tundish.stages.records.unknown import row_unit_faults, unread_faults
from tundish.stages.records.whole import (
    merged_faults,
    quarantined_references,
    unknown_references,
    whole_faults,
)
from tundish.storage.quarantine import quarantine_frame
from tundish.storage.table import replacing, row_groups
from tundish.storage.tables import QUARANTINE, RECORD_FAULTS, RECORD_FILES
from tundish.tabular.headers.long import refuse_long
from tundish.tabular.values.settle import settle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tundish.stages.records.plan import OpenSheet, RecordTable
    from tundish.storage.table import Table

__all__ = ["STAGE"]


_FIXED = ("record_id", "path", "sheet", "row", "line")
"""What names a record, and is never written over."""


@dataclass
class _Books:
    """The findings of the run so far."""

    faults: list[pl.DataFrame] = field(default_factory=lambda: [QUARANTINE.empty()])
    files: list[dict[str, object]] = field(default_factory=list)
    done: int = 0

    def add(self, table: RecordTable, found: pl.DataFrame) -> None:
        """Add faults of the records of a table."""
        if found.height:
            self.faults.append(fault_rows(table.name, found))


def _run(context: Context) -> Outcome:
    books = _Books()
    tables = record_tables(context.project, context.recipe.records)
    context.dataset.records.mkdir(parents=True, exist_ok=True)
    with ExitStack() as open_files:
        written: dict[str, Path] = {}
        for table in tables:
            temporary = open_files.enter_context(replacing(context.dataset.records / f"{table.name}.parquet"))
            _judge_table(context, table, temporary, books)
            written[table.name] = temporary
        for table in tables:
            _quarantine(table, written[table.name], unknown_references(table, written), books)
        # Only now it is known which records are kept, whatever the order of the tables in the recipe.
        for table in tables:
            books.add(table, quarantined_references(table, written))
    for stale in set(context.dataset.records.glob("*.parquet")) - {
        context.dataset.records / f"{table.name}.parquet" for table in tables
    }:
        stale.unlink()
    context.dataset.write(RECORD_FILES, RECORD_FILES.frame(books.files))
    context.dataset.write(RECORD_FAULTS, pl.concat(books.faults))
    return _outcome(context, tables, books)


def _judge_table(context: Context, table: RecordTable, target: Path, books: _Books) -> None:
    """Read all files of a table into `target`, and judge its repeated records."""
    with open_sheets(context, table) as (opened_sheets, file_faults):
        sheets = look_ahead(opened_sheets)
        books.faults.append(quarantine_frame(file_faults))
        present = [name for name in table.wanted if any(name in _names(opened) for opened in sheets)]
        extra = {one.name: one for opened in sheets for one in opened.plan.unknown}
        arrow = table.arrow(present, list(extra.values()))
        sql = table.section.sql
        versions = sql is not None and sql.since is not None
        hashes = Hashes(table.key_of(present, list(extra)), [*present, *extra], versions=versions)
        with pq.ParquetWriter(target, arrow.schema, compression="zstd") as writer:
            for rows in _rows(context, table, sheets, books):
                filled = _complete(rows, arrow)
                hashes.add(filled)
                writer.write_table(filled.to_arrow().cast(arrow.schema))
    found = repeats(table, target, hashes)
    books.add(table, found.faults)
    _rewrite(target, found.verdicts, found.merged)
    _quarantine(table, target, merged_faults(table, found.merged), books)
    _quarantine(table, target, whole_faults(table, target), books)


def _names(opened: OpenSheet) -> set[str]:
    return {planned.name for planned in opened.plan.columns}


def _rows(
    context: Context, table: RecordTable, sheets: list[OpenSheet], books: _Books
) -> Iterator[pl.DataFrame]:
    """Yield the judged records of all sheets, in order; their faults are added to the books."""
    for opened in sheets:
        layout, count, unread = opened.sheet.layout, 0, Counter[str]()
        narrow = table.columns.only(table.wanted)
        for piece in opened.sheet.pieces():
            if not count:
                refuse_long(opened.plan, piece.cells, narrow)
                books.faults.append(row_unit_faults(table.name, opened, piece.cells))
            opened = replace(opened, plan=settle(opened.plan, piece.cells))  # noqa: PLW2901  (known a bit better)
            judged = judge(table, opened, piece)
            books.faults.append(judged.faults)
            unread.update(judged.unread)
            count += piece.cells.height + piece.broken.height
            books.done += piece.cells.height + piece.broken.height
            context.progress(books.done, 0)
            yield judged.rows
        books.faults.append(unread_faults(table.name, opened, unread))
        books.files.append(
            {
                "table": table.name,
                "path": opened.path,
                "sheet": layout.sheet,
                "encoding": layout.encoding,
                "separator": layout.separator,
                "header_rows": layout.header_rows,
                "rows": count,
                "columns": orjson.dumps(opened.plan.describe()).decode(),
            }
        )


def _complete(rows: pl.DataFrame, arrow: Table) -> pl.DataFrame:
    """Complete rows with all columns of the table in its order; those the sheet lacks are null."""
    wanted = pl.Schema(arrow.schema)
    return rows.select(
        pl.col(name).cast(kind) if name in rows.columns else pl.lit(None, kind).alias(name)
        for name, kind in wanted.items()
    )


def _quarantine(table: RecordTable, target: Path, found: pl.DataFrame, books: _Books) -> None:
    """Report faults of accepted records, and quarantine those with an error."""
    if not found.height:
        return
    rows = fault_rows(table.name, found)
    books.faults.append(rows)
    why = causes("id", rows)
    _rewrite(target, why.select(record_id="id", outcome=pl.lit("quarantined"), reason="reason"))


def _rewrite(target: Path, verdicts: pl.DataFrame, values: pl.DataFrame | None = None) -> None:
    """Write verdicts (record_id, outcome, reason), and values by record_id, into a table piece by piece."""
    if not verdicts.height:
        return
    with (
        replacing(target) as changed,
        pq.ParquetFile(target, pre_buffer=False) as file,
        pq.ParquetWriter(changed, file.schema_arrow, compression="zstd") as writer,
    ):
        for rows in row_groups(file):
            judged = _overlaid(rows, verdicts, ["outcome", "reason"])
            if values is not None and values.height:
                judged = _overlaid(judged, values, [name for name in values.columns if name not in _FIXED])
            writer.write_table(judged.to_arrow().cast(file.schema_arrow))


def _overlaid(rows: pl.DataFrame, changes: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """The rows with the values that the changes have for their record_id."""
    new = rows.select("record_id").join(changes, on="record_id", how="left", maintain_order="left")
    return rows.with_columns(new[name].fill_null(rows[name]) for name in names)


def _outcome(context: Context, tables: list[RecordTable], books: _Books) -> Outcome:
    counts: dict[str, int] = {}
    for table in tables:
        rows = pl.scan_parquet(context.dataset.records / f"{table.name}.parquet", glob=False)
        by_outcome = dict(rows.group_by("outcome").len().collect().iter_rows())
        counts[table.name] = sum(by_outcome.values())
        for outcome in ("accepted", "quarantined", "skipped"):
            counts[f"{table.name} {outcome}"] = by_outcome.get(outcome, 0)
    severities = pl.concat(books.faults)["severity"].value_counts()
    found = dict(severities.iter_rows())
    counts |= {"errors": found.get("error", 0), "warnings": found.get("warning", 0)}
    return Outcome(counts)


STAGE = Stage(
    name="records",
    reads=("store",),
    writes=("curated/records", "curated/record_files.parquet", "curated/record_faults.parquet"),
    depends=("records", "timezone"),
    run=_run,
    schemas=True,
)
