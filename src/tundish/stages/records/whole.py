"""Checks that need the whole table, or another one: rules over a table, and references."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow.parquet as pq

from tundish.rules.check import check, table_columns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tundish.stages.records.plan import RecordTable

__all__ = ["merged_faults", "quarantined_references", "unknown_references", "whole_faults"]

_PLACE = ["path", "sheet", "row", "line"]


def whole_faults(table: RecordTable, path: Path) -> pl.DataFrame:
    """Find breaches of the rules over the whole table, among its accepted records."""
    wanted = table_columns(table.model)
    present = pq.read_schema(path).names
    names = [name for name in table.wanted if name in wanted and name in present]
    if not names:
        return pl.DataFrame()
    rows = _read_accepted(path, names)
    failures = check(table.model, rows.select(names), "table")
    places = rows.select(_PLACE)[failures["row"]]
    return failures.drop("row").with_columns(*(places[name] for name in _PLACE), index=pl.lit(None, pl.Int32))


def merged_faults(table: RecordTable, rows: pl.DataFrame) -> pl.DataFrame:
    """Find breaches of the rules by row in records that took values from others of their key.

    Args:
        table: The table.
        rows: The records as they are now, with their places.
    """
    names = [name for name in table.wanted if name in rows.columns]
    if not rows.height:
        return pl.DataFrame()
    failures = check(table.model, rows.select(names), "row")
    places = rows.select(_PLACE)[failures["row"]]
    return failures.drop("row").with_columns(*(places[name] for name in _PLACE), index=pl.lit(None, pl.Int32))


def unknown_references(table: RecordTable, files: Mapping[str, Path]) -> pl.DataFrame:
    """Find accepted records with references to records that do not exist: errors.

    Args:
        table: The table with the references.
        files: The Parquet files of all tables, by name.
    """
    return _lost(table, files, False, ("unknown_reference", "error", "{} is {}, which does not occur in {}"))


def quarantined_references(table: RecordTable, files: Mapping[str, Path]) -> pl.DataFrame:
    """Find accepted records that refer to a quarantined one, once all tables are judged: warnings."""
    fault = "reference_taken_out", "warning", "{} is {}, which is quarantined in {}"
    return _lost(table, files, True, fault)


def _lost(
    table: RecordTable, files: Mapping[str, Path], accepted: bool, fault: tuple[str, str, str]
) -> pl.DataFrame:
    """Accepted records whose references are not among all, or the accepted, values of their targets."""
    check_name, severity, sentence = fault
    found = [pl.DataFrame()]
    for column, targets in table.section.references.items():
        if column not in pq.read_schema(files[table.name]).names:
            continue
        known = pl.concat(_values(files, target, accepted) for target in targets)
        value = pl.col(column).cast(pl.String)
        found.append(
            _read_accepted(files[table.name], [column])
            .filter(~value.is_in(known.implode()))
            .select(
                *_PLACE,
                index=pl.lit(None, pl.Int32),
                check=pl.lit(check_name),
                column=pl.lit(column),
                value=value,
                message=pl.format(sentence, pl.lit(column), value, pl.lit(", ".join(targets))),
                severity=pl.lit(severity),
            )
        )
    return pl.concat(found, how="diagonal")


def _read_accepted(path: Path, names: list[str]) -> pl.DataFrame:
    return (
        pl.scan_parquet(path, glob=False)
        .filter(pl.col("outcome") == "accepted")
        .select(*_PLACE, *(name for name in names if name not in _PLACE))
        .collect()
    )


def _values(files: Mapping[str, Path], target: str, accepted: bool) -> pl.Series:
    """The values of a column in all records of a table, or in the accepted ones."""
    name, _, column = target.partition(".")
    scan = pl.scan_parquet(files[name], glob=False)
    if column not in scan.collect_schema():
        return pl.Series(dtype=pl.String)
    kept = scan.filter(pl.col("outcome") == "accepted") if accepted else scan
    return kept.select(pl.col(column).cast(pl.String).unique()).collect().to_series().drop_nulls()
