"""Find repeated records: exact repeats, repeat tests that agree, halves of one record, contradictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from tundish.storage.table import row_groups

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tundish.stages.records.plan import RecordTable

__all__ = ["Hashes", "Repeats", "repeats"]

_PLACE = ("path", "sheet", "row", "line")
_SHOWN = 3
"""The number of places that a message names: a wrong key gives thousands."""
_CONFLICT = pl.col("differing") != ""
"""`differing` names the columns in which records of one key disagree."""
_REASON = (
    pl.when(_CONFLICT)
    .then(pl.lit("conflicting_record"))
    .when(pl.col("gives"))
    .then(pl.lit("merged_into_record"))
    .otherwise(pl.lit("superseded_by_retest"))
)
_CHECK_OF = {"merged_into_record": "merged_record", "superseded_by_retest": "retest"}
"""By reason the check that is reported; a contradiction has one name."""
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
        hashes = np.concatenate([part.to_numpy() for part in self._parts])
        hashes.sort()  # in place: counting them would need three times their memory
        return pl.Series(np.unique(hashes[1:][hashes[1:] == hashes[:-1]]), dtype=pl.UInt64)


class Repeats(NamedTuple):
    """What became of the records that occur more than once.

    Attributes:
        verdicts: record_id, outcome and reason.
        faults: Errors and warnings about them.
        merged: Records that took values from others of their key: record_id and the columns with values.
    """

    verdicts: pl.DataFrame
    faults: pl.DataFrame
    merged: pl.DataFrame


def repeats(table: RecordTable, path: Path, hashes: Hashes) -> Repeats:
    """Judge accepted records that occur more than once.

    Args:
        table: The table, with its tolerances.
        path: The Parquet file of the table as judged so far.
        hashes: The hashes of its accepted records.
    """
    wanted = hashes.repeated()
    if not wanted.len():
        return Repeats(_VERDICTS.to_frame(), pl.DataFrame(), pl.DataFrame())
    replaced, current = _older(_matching(path, hashes, wanted), hashes)
    copies, rest = _exact(current, hashes.columns)
    if not hashes.key:
        return Repeats(copies, pl.DataFrame(), pl.DataFrame())
    found = _same_key(table, hashes, rest)
    return found._replace(verdicts=pl.concat([replaced, copies, found.verdicts]))


def _older(rows: pl.DataFrame, hashes: Hashes) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Verdicts on accepted records of which a later file has a newer version, and the other accepted ones."""
    accepted = pl.col("outcome") == "accepted"
    if not hashes.versions:
        return _VERDICTS.to_frame(), rows
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


def _same_key(table: RecordTable, hashes: Hashes, rows: pl.DataFrame) -> Repeats:
    """Judge records of one key that differ: repeat tests within the tolerances, halves, contradictions."""
    key = hashes.key
    named = [name for name in key if name in table.key] or key
    groups = rows.filter(pl.len().over(key) > 1, ~pl.any_horizontal(pl.col(named).is_null()))
    if not groups.height:
        return Repeats(_VERDICTS.to_frame(), pl.DataFrame(), pl.DataFrame())
    values = [name for name in hashes.columns if name not in key]
    held = [name for name in values if table.wanted.get(name, "time") != "time"]
    extra = [name for name in values if name not in table.wanted]
    apart = [pl.when(_apart(name, table.repeat(name)).over(key)).then(pl.lit(name)) for name in held]
    # Without a value of the schema nothing agrees: what only the unknown columns say counts.
    empty = pl.all_horizontal(pl.lit(value=True), *(pl.col(name).count().over(key) == 0 for name in held))
    apart += [pl.when(empty & _apart(name, None).over(key)).then(pl.lit(name)) for name in extra]
    where = pl.concat_str(apart, separator=", ", ignore_nulls=True) if apart else pl.lit("")
    groups = groups.with_columns(differing=where)
    if table.latest_by in groups.columns:
        groups = groups.sort(table.latest_by, nulls_last=False, maintain_order=True)
    gives = pl.any_horizontal(pl.lit(value=False), *(_is_last_value(name, key) for name in held))
    last = pl.struct(key).is_last_distinct()
    groups = groups.with_columns(gives=gives & ~last, last=last)
    taken = groups.filter(_CONFLICT | ~pl.col("last"))
    outcome = pl.when(_CONFLICT).then(pl.lit("quarantined")).otherwise(pl.lit("skipped"))
    verdicts = taken.select("record_id", outcome=outcome, reason=_REASON)
    return Repeats(verdicts, _describe_faults(key, groups, taken), _merged(key, groups, values))


def _is_last_value(name: str, key: list[str]) -> pl.Expr:
    """Whether a record has the last value of a column among those of its key."""
    filled = pl.col(name).is_not_null()
    return filled & (filled.cast(pl.Int64).cum_sum(reverse=True).over(key) == 1)


def _merged(key: list[str], groups: pl.DataFrame, values: list[str]) -> pl.DataFrame:
    """The records that stay, with the values that only others of their key have."""
    joined = groups.with_columns(pl.col(name).forward_fill().over(key) for name in values)
    gives = pl.col("gives").any().over(key) & ~_CONFLICT
    return joined.filter(gives & pl.col("last")).select("record_id", *_PLACE, *key, *values)


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
    merged = pl.format(
        "{} is on several rows with other columns filled; they are merged ({})", value, "places"
    )
    gives = pl.col("gives")
    return taken.select(
        *_PLACE,
        index=pl.lit(None, pl.Int32),
        check=_REASON.replace(_CHECK_OF),
        column=pl.lit(", ".join(key)),
        value=value,
        message=pl.when(_CONFLICT).then(conflict).when(gives).then(merged).otherwise(retest),
        severity=pl.when(_CONFLICT).then(pl.lit("error")).otherwise(pl.lit("warning")),
    )
