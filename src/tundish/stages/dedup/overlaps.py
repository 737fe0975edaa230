"""Which pictures overlap: all of them compared, or those of groups that can overlap where they are many."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from tundish.imaging.overlaps.overlap import Overlap, better
from tundish.imaging.overlaps.stored import StoredPictures, order_by_name, sequences_by_name
from tundish.storage.features import feature_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tundish.stages.base import Context

__all__ = ["AFFORDABLE", "Found", "find_in_groups"]

AFFORDABLE = 30_000
"""Number of pictures up to which all are compared: five minutes on two cores, and 2 GB of memory."""

_WINDOW = 2_000
"""Pictures of one folder, in the order of their names, that are compared where nothing else groups them."""

_MINUTES = 10
"""Width of a window of time; windows overlap by half."""


class Found(NamedTuple):
    """What was found, and how hard it was looked for.

    Attributes:
        overlaps: Pairs of pictures, by their numbers.
        level: What was compared, in a sentence.
    """

    overlaps: list[Overlap]
    level: str


def find_in_groups(context: Context, pictures: pl.DataFrame, file: BinaryIO) -> Found:
    """Find overlaps among pictures.

    Args:
        context: The context of the stage.
        pictures: One row a picture: picture (its number, ascending), source, path, image_id, captured_at,
            width, height.
        file: An open file in which corners and reduced pictures are kept meanwhile.
    """
    dedup = context.recipe.dedup
    if dedup.level == "fast":
        return Found([], "")
    pictures = pictures.with_columns(folder=pl.col("path").str.replace(r"[^/]*$", ""))
    stored = _stored(file, context, pictures)
    groups: list[NDArray[np.int64]] = [np.arange(pictures.height)]
    if dedup.level == "thorough" or pictures.height <= AFFORDABLE:
        level = f"thorough: all {pictures.height:,} pictures compared"
    else:
        groups = list(_groups(context, pictures))
        level = (
            f"thorough inside {len(groups):,} groups that can overlap (equal keys, {_MINUTES} minutes of one"
            f" folder, or neighbours by name), as there are more than {AFFORDABLE:,} pictures; copies of a"
            " whole frame are found everywhere"
        )
    best: dict[tuple[int, int], Overlap] = {}
    for group in groups:
        some = pictures[group].select("source", "folder", "path")
        sequences = sequences_by_name(
            (f"{source}:{folder}", path) for source, folder, path in some.iter_rows()
        )
        for overlap in stored.find(group, sequences, context.progress):
            pair = overlap.first, overlap.second
            best[pair] = better(best.get(pair, overlap), overlap)
    numbers = pictures["picture"].to_list()
    found = [replace(best[pair], first=numbers[pair[0]], second=numbers[pair[1]]) for pair in sorted(best)]
    return Found(found, level)


def _groups(context: Context, pictures: pl.DataFrame) -> Iterator[NDArray[np.int64]]:
    """Rows of pictures that can overlap, ascending, none of more than can be compared."""
    rows = pictures.with_row_index("row")
    for key in context.recipe.split.group_by:
        values = context.recipe.key_values(key, pictures.select("source", "path").iter_rows())
        keyed = rows.with_columns(value=pl.Series(values, dtype=pl.String)).drop_nulls("value")
        for _, some in keyed.group_by("value", maintain_order=True):
            yield from _windows(some["row"].to_numpy(), AFFORDABLE)
    for _, some in rows.group_by("source", "folder", maintain_order=True):
        timed = some.drop_nulls("captured_at")
        for shift in (0, _MINUTES // 2):
            window = pl.col("captured_at").dt.offset_by(f"{shift}m").dt.truncate(f"{_MINUTES}m")
            for _, near in timed.group_by(window, maintain_order=True):
                yield from _windows(near["row"].to_numpy(), AFFORDABLE)
        untimed = some.filter(pl.col("captured_at").is_null())
        yield from _windows(untimed["row"].to_numpy()[order_by_name(untimed["path"].to_list())], _WINDOW)


def _windows(rows: NDArray[np.int64], width: int) -> Iterator[NDArray[np.int64]]:
    """Windows of so many rows, each sharing half with the next; one row alone is not compared."""
    for start in range(0, max(1, len(rows) - width // 2), width // 2):
        if len(window := rows[start : start + width]) > 1:
            yield np.sort(window)


def _stored(file: BinaryIO, context: Context, pictures: pl.DataFrame) -> StoredPictures:
    stored = StoredPictures(file, pictures.height)
    sizes = pictures.select("width", "height").rows()
    place = {image_id: number for number, image_id in enumerate(pictures["image_id"])}
    columns = ["image_id", "corners", "detail"]
    for part in feature_parts(context.dataset, context.recipe.images.max_pixels):
        for batch in pq.ParquetFile(part, pre_buffer=False).iter_batches(1024, columns=columns):
            rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
            for image_id, corners, detail in rows:
                if image_id in place:
                    stored.put(place[image_id], corners, detail, sizes[place[image_id]])
    return stored
