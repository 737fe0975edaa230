"""Values of whole images: read from the tables that the recipe names, checked, and one at most an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tundish.formats.given.tables import read_table
from tundish.formats.given.values import Value, read_values
from tundish.formats.reading.fault import Fault
from tundish.stages.targets import SAME_VALUE
from tundish.stages.validate.stored import catalog_of_source, read_facts
from tundish.storage.quarantine import quarantine_frame, quarantine_row, quarantine_rows
from tundish.storage.tables import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.formats.base import Catalog
    from tundish.formats.csv.table import Table
    from tundish.recipe.targets import Target
    from tundish.stages.base import Context

__all__ = ["read_targets"]

_OF_ONE = ("source", "path", "target")
"""What one value is for."""


def read_targets(
    context: Context, files: pl.DataFrame, good: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read the values of all sources.

    Args:
        context: The recipe, and where the dataset is.
        files: The newest rows of the files table.
        good: Valid image files: source, path, image_id, width, height (px, upright), orientation.

    Returns:
        Rows of the targets table, and faults as quarantine rows.

    Raises:
        SourceError: The recipe names a table that the source does not have.
    """
    rows: list[dict[str, object]] = []
    faults: list[dict[str, object]] = []
    for source in context.recipe.sources:
        catalog = catalog_of_source(good, source.label)
        wanted = {target.table for target in source.targets.values()}
        for path, data in read_facts(context, files, source.label, wanted, named_by="a target"):
            targets = {name: target for name, target in source.targets.items() if target.table == path}
            try:
                table = read_table(path, data, catalog)
            except Fault as fault:
                faults.append(_warning(source.label, path, fault.check, fault.message, "table"))
                continue
            for name, target in targets.items():
                if target.column not in table.names:
                    message = f"the file has no column '{target.column}'"
                    faults.append(_warning(source.label, path, "column_not_found", message, name))
                    continue
                rows += _rows(source.label, name, target, table, catalog)
    frame = _one_each(pl.DataFrame(rows, schema={**pl.Schema(TARGETS.schema), "message": pl.String}))
    lost = frame.filter(pl.col("outcome") == "quarantined")
    found = quarantine_rows(
        "value",
        lost,
        id="image_id",
        path="table_path",
        row="table_row",
        check="reason",
        column="target",
        value="raw",
    )
    return frame.select(TARGETS.schema.names), pl.concat([quarantine_frame(faults), found])


def _rows(
    source: str, name: str, target: Target, table: Table, catalog: Catalog
) -> Iterator[dict[str, object]]:
    for value in read_values(table, target.column, catalog):
        why, message = (value.why, value.message) if value.why else _beyond(value, target)
        outcome = "skipped" if why == "no_value" else "quarantined" if why else "accepted"
        yield {
            "image_id": value.image.image_id if value.image else None,
            "path": value.image.path if value.image else None,
            "source": source,
            "target": name,
            "value": value.number,
            "unit": target.unit,
            "raw": value.raw,
            "outcome": outcome,
            "reason": why or None,
            "table_path": table.path,
            "table_row": value.line,
            "message": message,
        }


def _beyond(value: Value, target: Target) -> tuple[str, str]:
    """The check and the sentence where a value is outside the limits of the recipe."""
    number = value.number
    if number is not None and target.min is not None and number < target.min:
        return "outside_limits", f"{number:g} is below {target.min:g}"
    if number is not None and target.max is not None and number > target.max:
        return "outside_limits", f"{number:g} is above {target.max:g}"
    return "", ""


def _one_each(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, with one accepted at most an image file and target: repeats are skipped."""
    taken = pl.col("outcome") == "accepted"
    value = pl.col("value").filter(taken)
    spread = (value.max() - value.min()).over(_OF_ONE)
    conflict = taken & (spread > SAME_VALUE * value.abs().max().over(_OF_ONE))
    repeat = taken & ~conflict & (taken.cast(pl.Int32).cum_sum().over(_OF_ONE) > 1)
    named = pl.format("rows of the tables give the image different values, such as {}", "raw")
    return rows.with_columns(
        outcome=pl.when(conflict)
        .then(pl.lit("quarantined"))
        .when(repeat)
        .then(pl.lit("skipped"))
        .otherwise("outcome"),
        reason=pl.when(conflict)
        .then(pl.lit("conflicting_value"))
        .when(repeat)
        .then(pl.lit("repeated_value"))
        .otherwise("reason"),
        message=pl.when(conflict).then(named).otherwise("message"),
    )


def _warning(source: str, path: str, check: str, message: str, column: str) -> dict[str, object]:
    return quarantine_row(
        "value", check, message, source=source, path=path, column=column, severity="warning"
    )
