"""What only the whole table, or another table, can tell: rules over a table, and references."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tundish.rules import check, table_columns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tundish.stages._records_plan import RecordTable

__all__ = ["reference_faults", "whole_faults"]

_PLACE = ["path", "sheet", "row", "line"]


def whole_faults(table: RecordTable, path: Path) -> pl.DataFrame:
    """Breaches of the model's rules over the whole table, by its accepted records."""
    wanted = table_columns(table.model)
    there = pl.read_parquet_schema(path)
    names = [name for name in table.wanted if name in wanted and name in there]
    if not names:
        return pl.DataFrame()
    rows = _accepted(path, names)
    failures = check(table.model, rows.select(names), "table")
    places = rows.select(_PLACE)[failures["row"]]
    return failures.drop("row").with_columns(*(places[name] for name in _PLACE), index=pl.lit(None, pl.Int32))


def reference_faults(table: RecordTable, files: Mapping[str, Path]) -> pl.DataFrame:
    """Accepted records whose references lead nowhere (errors), or to a record that was taken out (warnings).

    Args:
        table: Whose references are followed.
        files: The Parquet files of all tables, by name.
    """
    found = []
    for column, targets in table.section.references.items():
        rows = _accepted(files[table.name], [column]).filter(pl.col(column).is_not_null())
        known = pl.concat([_values(files, target) for target in targets])
        accepted = known.filter("accepted")["value"].unique().implode()
        present = known["value"].unique().implode()
        value = pl.col(column).cast(pl.String)
        there = ", ".join(targets)
        missing = ~value.is_in(present)
        found.append(
            rows.filter(~value.is_in(accepted)).select(
                *_PLACE,
                pl.lit(None, pl.Int32).alias("index"),
                pl.when(missing)
                .then(pl.lit("unknown_reference"))
                .otherwise(pl.lit("reference_taken_out"))
                .alias("check"),
                pl.lit(column).alias("column"),
                value.alias("value"),
                pl.when(missing)
                .then(pl.format("{} is {}, which stands nowhere in {}", pl.lit(column), value, pl.lit(there)))
                .otherwise(
                    pl.format(
                        "{} is {}, whose record in {} was taken out", pl.lit(column), value, pl.lit(there)
                    )
                )
                .alias("message"),
                pl.when(missing).then(pl.lit("error")).otherwise(pl.lit("warning")).alias("severity"),
            )
        )
    return pl.concat(found) if found else pl.DataFrame()


def _accepted(path: Path, names: list[str]) -> pl.DataFrame:
    return (
        pl.scan_parquet(path, glob=False)
        .filter(pl.col("outcome") == "accepted")
        .select(*_PLACE, *(name for name in names if name not in _PLACE))
        .collect()
    )


def _values(files: Mapping[str, Path], target: str) -> pl.DataFrame:
    name, _, column = target.partition(".")
    scan = pl.scan_parquet(files[name], glob=False)
    if column not in scan.collect_schema():
        return pl.DataFrame(schema={"value": pl.String, "accepted": pl.Boolean})
    return (
        scan.select(value=pl.col(column).cast(pl.String), accepted=pl.col("outcome") == "accepted")
        .filter(pl.col("value").is_not_null())
        .unique()
        .collect()
    )
