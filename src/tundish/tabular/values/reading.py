"""A column that was read; its odd cells are handled in Python, each distinct text once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tundish.tabular.values.marks import Fault

__all__ = ["ODD", "Odd", "Reading", "resolve", "unread"]

ODD = pl.Schema(
    {"at": pl.UInt32, "raw": pl.String, "note": pl.String, "check": pl.String, "message": pl.String}
)
"""Cells whose value does not express all: place in the column, text, note, or the check they fail and why."""


@dataclass(frozen=True, slots=True)
class Odd:
    """The meaning of one odd text."""

    value: float | bool | datetime | str | None
    note: str | None = None
    fault: Fault | None = None


@dataclass(frozen=True)
class Reading:
    """Values of the column's type, null where they are missing, and the odd cells as in `ODD`."""

    values: pl.Series
    odd: pl.DataFrame

    def emptied(
        self, at: pl.Series, written: pl.Series, *, note: str | None = None, fault: Fault | None = None
    ) -> Reading:
        """Empty the cells at these places, for the reason of the note or the fault."""
        if at.is_empty():
            return self
        at = at.cast(pl.UInt32)
        more = pl.DataFrame({"at": at, "raw": written.gather(at).cast(pl.String)}).with_columns(
            pl.lit(note, pl.String).alias("note"),
            pl.lit(fault and fault.check, pl.String).alias("check"),
            pl.lit(fault and fault.message, pl.String).alias("message"),
        )
        others = self.odd.filter(~pl.col("at").is_in(at.implode()))
        return Reading(self.values.clone().scatter(at, None), pl.concat([others, more]))


def unread(written: pl.Series, values: pl.Series) -> pl.Series:
    """The places of the cells that are not empty and have no value so far."""
    if values.null_count() == written.null_count():
        return pl.Series([], dtype=pl.UInt32)
    return (written.is_not_null() & values.is_null()).arg_true()


def resolve(written: pl.Series, values: pl.Series, parse: Callable[[str], Odd]) -> Reading:
    """Read with `parse` the cells that could not be read so far.

    Args:
        written: The column as written in the file, of any type.
        values: The values that could be read so far.
        parse: A function that reads one text.
    """
    if values.null_count() == written.null_count():
        return Reading(values, ODD.to_frame())
    at = unread(written, values).cast(pl.UInt32)
    texts = written.gather(at).cast(pl.String).alias("raw")
    different = texts.unique(maintain_order=True)
    parsed = [parse(text) for text in different]
    found = pl.DataFrame(
        {
            "raw": different,
            "value": pl.Series([odd.value for odd in parsed], dtype=values.dtype),
            "note": pl.Series([odd.note for odd in parsed], dtype=pl.String),
            "check": pl.Series([odd.fault and odd.fault.check for odd in parsed], dtype=pl.String),
            "message": pl.Series([odd.fault and odd.fault.message for odd in parsed], dtype=pl.String),
        }
    )
    odd = pl.DataFrame({"at": at, "raw": texts}).join(found, on="raw", how="left", maintain_order="left")
    filled = odd.filter(pl.col("value").is_not_null())
    if filled.height:
        values = values.clone().scatter(filled["at"], filled["value"])
    return Reading(
        values, odd.filter(pl.col("note").is_not_null() | pl.col("check").is_not_null()).select(*ODD)
    )
