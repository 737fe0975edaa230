"""The split that each image file came with, as folders, lists and tables of its source state it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tundish.formats.given.splits import HELD_OUT, GivenSplits
from tundish.formats.given.tables import read_table
from tundish.formats.reading.fault import Fault
from tundish.stages.validate.stored import catalog_of_source, read_facts
from tundish.storage.quarantine import quarantine_frame, quarantine_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.recipe.sections import Source
    from tundish.stages.base import Context

__all__ = ["given_splits"]

_COLUMNS = {"source": pl.String, "path": pl.String, "given_split": pl.String}


def given_splits(
    context: Context, files: pl.DataFrame, good: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Find the split that image files came with.

    Args:
        context: The recipe, and where the dataset is.
        files: The newest rows of the files table.
        good: Valid image files: source, path, image_id, width, height (px, upright), orientation.

    Returns:
        source, path, given_split of the files that came with one; and warnings as quarantine rows.

    Raises:
        SourceError: The recipe names a list or a table that the source does not have.
    """
    rows: list[tuple[str, str, str]] = []
    faults: list[dict[str, object]] = []
    for source in context.recipe.sources:
        given = GivenSplits(catalog_of_source(good, source.label))
        if source.given.folders:
            given.take_folders()
        faults += _read(context, files, source, given)
        rows += [(source.label, path, split) for path, split in sorted(given.splits.items())]
        faults += _faults(source.label, given)
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row"), quarantine_frame(faults)


def _read(
    context: Context, files: pl.DataFrame, source: Source, given: GivenSplits
) -> Iterator[dict[str, object]]:
    """Read the lists and tables of a source; yields what is wrong with them."""
    named_by = "the recipe's 'given'"
    for path, data in read_facts(context, files, source.label, source.given.files, named_by=named_by):
        if path in source.given.lists:
            given.take_list(path, data, source.given.lists[path])
            continue
        try:
            table = read_table(path, data, given.catalog)
        except Fault as fault:
            yield _warning(source.label, path, fault.check, fault.message)
            continue
        column = source.given.tables[path]
        if column not in table.names:
            yield _warning(source.label, path, "column_not_found", f"the file has no column '{column}'")
        given.take_table(table, column)


def _faults(source: str, given: GivenSplits) -> Iterator[dict[str, object]]:
    for path, names in sorted(given.unknown.items()):
        message = f"{len(names)} of the names in it are not those of images here, such as '{names[0][:100]}'"
        yield _warning(source, path, "image_not_found", message, len(names))
    for path, splits in sorted(given.several.items()):
        named = ", ".join(sorted(splits, key=HELD_OUT.index))
        message = f"it is listed in {named}: it counts for the first of them"
        yield _warning(source, path, "several_splits", message, kind_of_image=True)


def _warning(
    source: str, path: str, check: str, message: str, count: int = 1, *, kind_of_image: bool = False
) -> dict[str, object]:
    return quarantine_row(
        "image" if kind_of_image else "file",
        check,
        message,
        source=source,
        path=path,
        column="given_split",
        severity="warning",
        count=count,
    )
