"""Find repeated records: exact repeats, repeat tests that agree, and records that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from tundish.storage.table import row_groups

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tundish.stages.records.plan import RecordTable

__all__ = ["Hashes", "repeats"]

_PLACE = ("path", "sheet", "row", "line")
_SHOWN = 3
"""The number of places that a message names: a wrong key gives thousands."""
_CONFLICT = pl.col("differing") != ""
"""`differing` names the columns in which records of one key disagree."""
_VERDICTS = pl.Schema({"record_id": pl.String, "outcome": pl.String, "reason": pl.String})


class Hashes:
    """64-bit hashes of the accepted records so far: at eight bytes each, ten million need little memory.

    Args:
        key: The columns that name a record; empty where the table has no key.
        columns: All columns with data.
        versions: A later file has newer versions of records, as where a query reads what was changed since
            the last run: then also refused records count, for they replace what was before.
    """

    def __init__(self, key: Sequence[str], columns: Sequence[str], *, versions: bool = False) -> None:
        self.key = list(key)
        self.columns = list(columns)
        self.versions = versions and bool(key)
        self._parts: list[pl.Series] = []

    @property
    def _hashed(self) -> list[str]:
        return self.key or self.columns

    def of(self, rows: pl.DataFrame) -> pl.Series:
        """Hash each record: its key, or all its data where the table has no key."""
        return rows.select(self._hashed).hash_rows()

    def add(self, rows: pl.DataFrame) -> None:
        """Add those of `rows` that count."""
        self._parts.append(self.of(self.counted(rows)))

    def counted(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The accepted rows; where later files have newer versions, those that are not skipped."""
        kept = pl.col("outcome") != "skipped" if self.versions else pl.col("outcome") == "accepted"
        return rows.filter(kept)

    def repeated(self) -> pl.Series:
        """The hashes that occurred more than once."""
        if not self._parts:
            return pl.Series([], dtype=pl.UInt64)
        values, counts = np.unique(pl.concat(self._parts).to_numpy(), return_counts=True)
        return pl.Series(values[counts > 1], dtype=pl.UInt64)


def repeats(table: RecordTable, path: Path, hashes: Hashes) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Judge accepted records that occur more than once: verdicts (record_id, outcome, reason) and faults.

    Args:
        table: The table, with its tolerances.
        path: The Parquet file of the table as judged so far.
        hashes: The hashes of its accepted records.
    """
    wanted = hashes.repeated()
    if not wanted.len():
        return pl.DataFrame(schema=_VERDICTS), pl.DataFrame()
    replaced, current = _older(_matching(path, hashes, wanted), hashes)
    copies, rest = _exact(current, hashes.columns)
    if not hashes.key:
        return copies, pl.DataFrame()
    later, faults = _same_key(table, hashes.key, rest)
    return pl.concat([replaced, copies, later]), faults


def _older(rows: pl.DataFrame, hashes: Hashes) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Verdicts on accepted records of which a later file has a newer version, and the other accepted ones."""
    accepted = pl.col("outcome") == "accepted"
    if not hashes.versions:
        return pl.DataFrame(schema=_VERDICTS), rows
    named = ~pl.any_horizontal(pl.col(hashes.key).is_null())
    older = named & (pl.col("path") < pl.col("path").max().over(hashes.key))
    rows = rows.with_columns(older=older).filter(accepted)
    replaced = rows.filter("older").select(
        "record_id", outcome=pl.lit("skipped"), reason=pl.lit("superseded_by_update")
    )
    return replaced, rows.filter(~pl.col("older")).drop("older")


def _matching(path: Path, hashes: Hashes, wanted: pl.Series) -> pl.DataFrame:
    """The records that count and whose hash is one of `wanted`, piece by piece."""
    found = []
    with pq.ParquetFile(path, pre_buffer=False) as file:
        for rows in row_groups(file):
            counted = hashes.counted(rows)
            found.append(counted.filter(hashes.of(counted).is_in(wanted.implode())))
    return pl.concat(found)


def _exact(candidates: pl.DataFrame, columns: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Verdicts on all but the first of equal records, and the remaining records."""
    first = candidates.select(pl.struct(columns).is_first_distinct()).to_series()
    copies = candidates.filter(~first)
    verdicts = copies.select("record_id", outcome=pl.lit("skipped"), reason=pl.lit("repeated_row"))
    return verdicts, candidates.filter(first)


def _same_key(table: RecordTable, key: list[str], rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Judge records of one key that differ: a repeat within the tolerances, or a contradiction."""
    groups = rows.filter(pl.len().over(key) > 1, ~pl.any_horizontal(pl.col(key).is_null()))
    if not groups.height:
        return pl.DataFrame(schema=_VERDICTS), pl.DataFrame()
    held = [
        name
        for name, kind in table.wanted.items()
        if name in rows.columns and name not in key and kind != "time"
    ]
    apart = [pl.when(_apart(name, table.repeat(name)).over(key)).then(pl.lit(name)) for name in held]
    where = pl.concat_str(apart, separator=", ", ignore_nulls=True) if apart else pl.lit("")
    groups = groups.with_columns(differing=where)
    if table.latest_by in groups.columns:
        groups = groups.sort(table.latest_by, nulls_last=False, maintain_order=True)
    taken = groups.filter(_CONFLICT | ~pl.struct(key).is_last_distinct())
    verdicts = taken.select(
        "record_id",
        outcome=pl.when(_CONFLICT).then(pl.lit("quarantined")).otherwise(pl.lit("skipped")),
        reason=pl.when(_CONFLICT)
        .then(pl.lit("conflicting_record"))
        .otherwise(pl.lit("superseded_by_retest")),
    )
    return verdicts, _describe_faults(key, groups, taken)


def _apart(name: str, tolerance: float | None) -> pl.Expr:
    """Whether the values of a group differ by more than the tolerance."""
    column = pl.col(name)
    if tolerance is None:
        return column.drop_nulls().n_unique() > 1
    return (column.max() - column.min() > tolerance * (1 + 1e-9)).fill_null(value=False)


def _describe_faults(key: list[str], groups: pl.DataFrame, taken: pl.DataFrame) -> pl.DataFrame:
    """An error for each record that contradicts another, a warning for each that a later one replaces."""
    place = (
        pl.when(pl.col("sheet").is_null())
        .then(pl.format("{} line {}", "path", "line"))
        .otherwise(pl.format("{} {}, row {}", "path", "sheet", "line"))
    )
    more = pl.when(pl.len() > _SHOWN).then(pl.format(" and {} more", pl.len() - _SHOWN)).otherwise(pl.lit(""))
    places = groups.group_by(key).agg(places=place.head(_SHOWN).str.join("; ") + more)
    taken = taken.join(places, on=key, how="left", maintain_order="left")
    value = pl.concat_str(key, separator=", ")
    conflict = pl.format(
        "{} occurs several times with different values of {} ({})", value, "differing", "places"
    )
    retest = pl.format(
        "{} was determined again within the tolerance; the last one counts ({})", value, "places"
    )
    return taken.select(
        *_PLACE,
        index=pl.lit(None, pl.Int32),
        check=pl.when(_CONFLICT).then(pl.lit("conflicting_record")).otherwise(pl.lit("retest")),
        column=pl.lit(", ".join(key)),
        value=value,
        message=pl.when(_CONFLICT).then(conflict).otherwise(retest),
        severity=pl.when(_CONFLICT).then(pl.lit("error")).otherwise(pl.lit("warning")),
    )
