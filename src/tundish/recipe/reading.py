"""How the files of a table of records are read: what the recipe says where a file leaves it open."""

from __future__ import annotations

import codecs
import re
from typing import Literal

from pydantic import Field, field_validator

from tundish.recipe.section import Section

__all__ = ["HowRead", "LongTable"]


class LongTable(Section):
    """The columns of a long table, which has a row for each element or item."""

    name: str = Field(min_length=1, description="Header of the column with the elements or items.")
    value: str = Field(min_length=1, description="Header of the column with their values.")
    unit: str | None = Field(None, description="Header of the column with the units of the values.")


class HowRead(Section):
    """How the files of a table of records are read."""

    sheets: tuple[str, ...] = Field((), description="Only these sheets of a workbook, hidden ones too.")
    hidden: Literal["skip", "read"] | None = Field(
        None,
        description="Hidden rows and sheets of a workbook; by default the rows are read, the sheets are not.",
    )
    encoding: str | None = Field(
        None, description="Encoding of a text file, such as cp1252 or gb18030; by default found."
    )
    decimal: Literal[".", ","] | None = Field(
        None, description="Decimal mark; by default what the whole file settles."
    )
    thousands: Literal[".", ",", " ", "'"] | None = Field(
        None, description="Mark between groups of three digits; by default the one beside the decimal mark."
    )
    dates: Literal["dmy", "mdy", "ymd"] | None = Field(
        None,
        description="Order of day, month and year where all are numbers; by default what the file settles.",
    )
    ambiguous_hour: Literal["first", "second"] | None = Field(
        None, description="Which one is meant where summer time repeats an hour; by default neither."
    )
    header: int | None = Field(
        None, ge=1, description="Line of the header, from 1; the last one where it has several."
    )
    header_rows: int | None = Field(
        None, ge=0, le=3, description="Rows of the header, 0 for none; by default found."
    )
    rows: str | None = Field(
        None,
        pattern=r"^\d*\.\.\d*$",
        description="Lines of the first and last record, such as '5..200' or '5..'; others are skipped.",
    )
    footer: int = Field(0, ge=0, description="Rows at the end of each table that are not records.")
    pivot: LongTable | None = Field(
        None, description="A long table becomes one with a column for each element or item."
    )
    unit_columns: dict[str, str] = Field(
        default_factory=dict,
        description="Header of the column with the unit of each row, by the header of the values.",
    )
    missing: tuple[str, ...] = Field(
        (),
        description="Additional markers for a missing value: '9999', or '/Bad .*/' as a pattern.",
    )

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str | None) -> str | None:
        try:
            return encoding and codecs.lookup(encoding).name
        except LookupError:
            raise ValueError(f"'{encoding}' is an unknown encoding; such as utf-8, gb18030, cp1252") from None

    @field_validator("missing")
    @classmethod
    def _patterns(cls, missing: tuple[str, ...]) -> tuple[str, ...]:
        for marker in missing:
            if len(marker) > 2 and marker.startswith("/") and marker.endswith("/"):
                try:
                    re.compile(marker[1:-1])
                except re.error as error:
                    raise ValueError(f"'{marker}' is not a regular expression: {error}") from error
        return missing

    @property
    def lines(self) -> tuple[int | None, int | None]:
        """The first and the last line of the records, from 1; None where there is no limit."""
        first, _, last = (self.rows or "..").partition("..")
        return int(first) if first else None, int(last) if last else None
