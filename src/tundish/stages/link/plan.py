"""Plan a link: check the recipe against the columns of images and records."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import polars as pl

from tundish.errors import MissingStepError, OutsideError, UsageError
from tundish.recipe.sections import On

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tundish.recipe.sections import Link, Nearest
    from tundish.stages.base import Context

__all__ = ["EVERYTHING", "Near", "Plan", "plan_link", "scan_table", "seconds", "text_key"]

EVERYTHING = ""
"""The key of all images and records where the recipe names none."""

_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Near:
    """How the nearest record is found.

    Attributes:
        image: The column of the images.
        record: The column of the records.
        in_time: Whether they are times; positions otherwise.
        tolerance: The largest distance, in seconds or metres.
        direction: On which side of the image the record may be.
        clock_offset_s: How far the clock of the images is ahead; None to estimate it from the data.
    """

    image: str
    record: str
    in_time: bool
    tolerance: float
    direction: Literal["nearest", "backward", "forward"]
    clock_offset_s: float | None


@dataclass(frozen=True)
class Plan:
    """One link that can be made.

    Attributes:
        name: The name of the table of records.
        records: The file of the table.
        image_key: The key column of the images; None for no key.
        record_key: The column of the records that must be equal to it.
        edges: The file of the genealogy, where the record belongs to an ancestor.
        position: The column of the images with metres from the head.
        side: The column of the images with top or bottom.
        near: How the nearest record is found; None where the key alone decides.
        dataset: The name of the dataset, for messages.
    """

    name: str
    records: Path
    image_key: str | None
    record_key: str | None
    edges: Path | None
    position: str | None
    side: str | None
    near: Near | None
    dataset: str

    @property
    def how(self) -> str:
        """What decides in the end, as in the column `how` of the links table."""
        if self.near is not None:
            return "nearest"
        return "genealogy" if self.edges is not None else "key"

    @property
    def image_columns(self) -> list[str]:
        """The columns of the images that must be read."""
        near = self.near.image if self.near else None
        return sorted({name for name in (self.image_key, self.position, self.side, near) if name})


def plan_link(context: Context, name: str, link: Link) -> Plan:
    """Plan the link to one table of records.

    Raises:
        UsageError: A column is missing or of a kind that cannot be compared.
        MissingStepError: The images or records are not validated yet.
    """
    dataset = context.recipe.dataset
    images = scan_table(context.dataset.table("images"), "images", "validate", dataset).collect_schema()
    path = context.dataset.records / f"{name}.parquet"
    records = scan_table(path, name, "records", dataset).collect_schema()
    on = On(image=link.on, record=link.on) if isinstance(link.on, str) else link.on
    if on is not None:
        _require_column(images, on.image, _key, f"link.{name}.on", "images", "a key")
        _require_column(records, on.record, _key, f"link.{name}.on", name, "a key")
    near = None if link.nearest is None else _near(link.nearest, images, records, name)
    position = near.image if near is not None and not near.in_time else link.position
    if link.position not in (None, position):
        raise UsageError(
            f"the position is '{link.position}' here and '{position}' in nearest.image",
            where=f"link.{name}",
            fix="omit one of them",
        )
    if position is not None:
        _require_column(images, position, _written(_number), f"link.{name}.position", "images", "a position")
    if link.side is not None:
        _require_column(images, link.side, _text, f"link.{name}.side", "images", "a side")
    for column in link.carry:
        _require_column(records, column, _any, f"link.{name}.carry", name, "")
    return Plan(
        name,
        path,
        on.image if on else None,
        on.record if on else None,
        context.dataset.records / f"{link.through}.parquet" if link.through else None,
        position,
        link.side,
        near,
        dataset,
    )


def _near(nearest: Nearest, images: pl.Schema, records: pl.Schema, name: str) -> Near:
    where = f"link.{name}.nearest"
    in_time = isinstance(nearest.tolerance, str)
    tolerance = seconds(nearest.tolerance) if isinstance(nearest.tolerance, str) else nearest.tolerance
    if tolerance < 0:
        raise UsageError(
            f"the tolerance is {nearest.tolerance}", where=where, fix="write how far apart they may be: 2min"
        )
    fits = _time if in_time else _number
    what = "a time (the tolerance is one)" if in_time else "a position (the tolerance is in metres)"
    _require_column(images, nearest.image, _written(fits), f"{where}.image", "images", what)
    _require_column(records, nearest.record, fits, f"{where}.record", name, what)
    auto = nearest.clock_offset == "auto"
    offset = None if auto else seconds(nearest.clock_offset)
    return Near(nearest.image, nearest.record, in_time, tolerance, nearest.direction, offset)


def _require_column(
    schema: pl.Schema, column: str, fits: Callable[[pl.DataType], bool], where: str, table: str, what: str
) -> None:
    if column not in schema:
        raise UsageError(
            f"the table '{table}' has no column '{column}'",
            where=where,
            fix=f"it has: {', '.join(schema.names())}",
        )
    if not fits(schema[column]):
        fitting = ", ".join(name for name, kind in schema.items() if fits(kind))
        raise UsageError(
            f"the column '{column}' of '{table}' is of type {schema[column]}, not {what}",
            where=where,
            fix=f"these could be: {fitting or 'none of its columns'}",
        )


def _text(kind: pl.DataType) -> bool:
    return kind == pl.String


def _key(kind: pl.DataType) -> bool:
    return kind == pl.String or kind.is_integer()


def _number(kind: pl.DataType) -> bool:
    return kind.is_numeric()


def _time(kind: pl.DataType) -> bool:
    return kind == pl.Datetime


def _written(fits: Callable[[pl.DataType], bool]) -> Callable[[pl.DataType], bool]:
    """Accept text too: keys of images come from file names, and may contain a number or a time."""
    return lambda kind: kind == pl.String or fits(kind)


def _any(_kind: pl.DataType) -> bool:
    return True


def seconds(duration: str) -> float:
    """Convert a duration of the recipe, such as -2min or 500ms, to seconds."""
    number, unit = re.fullmatch(r"(-?\d+(?:\.\d+)?)([a-z]+)", duration).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]


def scan_table(path: Path, name: str, stage: str, dataset: str) -> pl.LazyFrame:
    """Scan a table of the dataset lazily.

    Raises:
        MissingStepError: The stage that writes it has not run.
        OutsideError: The file is damaged.
    """
    if not path.exists():
        raise MissingStepError(
            f"there is no {name} table", where=str(path), fix=f"run 'tundish {stage} {dataset}' first"
        )
    frame = pl.scan_parquet(path, glob=False)
    try:
        frame.collect_schema()
    except pl.exceptions.ComputeError as error:
        raise OutsideError(
            "the table is damaged", where=str(path), fix="delete it and run its stage again"
        ) from error
    return frame


def text_key(column: str) -> pl.Expr:
    """A key for comparison: text, NFKC, without blanks around it; null where nothing remains."""
    text = pl.col(column).cast(pl.String).str.normalize("NFKC").str.strip_chars()
    return pl.when(text != "").then(text)
