"""Make rows of the quarantine table: the faults of the data, and what they concern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import polars as pl

from tundish.storage.tables import QUARANTINE

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["OMITTED", "Kind", "quarantine_frame", "quarantine_row", "quarantine_rows"]

OMITTED = "omitted_class"
"""The check of labels whose class the recipe omits by decision: they are skipped, and nothing is lost."""

Kind = Literal["file", "image", "annotation", "record", "value"]
"""What a row is about."""


def quarantine_row(
    kind: Kind,
    check: str,
    message: str,
    *,
    source: str,
    path: str,
    object_id: str | None = None,
    row: int | None = None,
    place: str | None = None,
    column: str | None = "",
    value: str | None = "",
    severity: str = "error",
    count: int | None = 1,
) -> dict[str, object]:
    """One row, for faults that are found one by one; `quarantine_frame` makes a table of several.

    Args:
        kind: What it is about.
        check: Name of the check that failed.
        message: The fault in a sentence.
        source: Name of the source.
        path: Path of the file in the source.
        object_id: Its image_id, annotation_id or record_id, where it has one.
        row: Row, line or place in the file, from 0.
        place: Where a person finds a record.
        column: What was checked.
        value: What was found there.
        severity: 'error': removed; 'warning': reported and kept.
        count: How many objects it is about.
    """
    return {
        "kind": kind,
        "id": object_id,
        "source": source,
        "path": path,
        "row": row,
        "place": place,
        "check": check,
        "column": column,
        "value": value,
        "message": message,
        "severity": severity,
        "count": count,
    }


def quarantine_frame(rows: Iterable[dict[str, object]]) -> pl.DataFrame:
    """Rows of `quarantine_row` as a table."""
    return QUARANTINE.frame(list(rows))


_DEFAULTS = {
    "id": None,
    "row": None,
    "place": None,
    "column": "",
    "value": "",
    "severity": "error",
    "count": 1,
}


def quarantine_rows(kind: Kind, faults: pl.DataFrame, **columns: str | pl.Expr) -> pl.DataFrame:
    """Faults that are rows of a table already, in the columns of the quarantine table.

    Args:
        kind: What all of them are about.
        faults: One row a fault. Columns that neither it nor `columns` has are as `quarantine_row` has them.
        columns: Columns of the quarantine table that are called or computed otherwise in `faults`.
    """
    constants = {"kind": kind, **_DEFAULTS}
    made = []
    for name, dtype in pl.Schema(QUARANTINE.schema).items():
        column = columns.get(name, name if name in faults.columns else pl.lit(constants.get(name)))
        made.append((pl.col(column) if isinstance(column, str) else column).cast(dtype).alias(name))
    return faults.select(made)
