"""Which pictures overlap: all of them compared, or those of groups that can overlap where they are many."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from tundish.imaging.overlaps.features import FEATURE_BYTES, unpack_features
from tundish.imaging.overlaps.find import find_overlaps
from tundish.imaging.overlaps.overlap import Overlap, better
from tundish.imaging.overlaps.verify import detail_size
from tundish.storage.features import feature_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    stored = _Stored(file, context, pictures)
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
        for overlap in stored.find(group, _sequences(pictures[group]), context):
            pair = overlap.first, overlap.second
            best[pair] = better(best.get(pair, overlap), overlap)
    numbers = pictures["picture"].to_list()
    found = [replace(best[pair], first=numbers[pair[0]], second=numbers[pair[1]]) for pair in sorted(best)]
    return Found(found, level)


def _groups(context: Context, pictures: pl.DataFrame) -> Iterator[NDArray[np.int64]]:
    """Rows of pictures that can overlap, ascending, none of more than can be compared."""
    sources = {source.label: source for source in context.recipe.sources}
    rows = pictures.with_row_index("row").with_columns(folder=pl.col("path").str.replace(r"[^/]*$", ""))
    for key in context.recipe.split.group_by:
        values = [
            sources[source].key(key, path) if source in sources else None
            for source, path in pictures.select("source", "path").iter_rows()
        ]
        keyed = rows.with_columns(value=pl.Series(values, dtype=pl.String)).drop_nulls("value")
        for _, some in keyed.group_by("value", maintain_order=True):
            yield from _windows(some["row"].to_numpy(), AFFORDABLE)
    for _, some in rows.group_by("source", "folder", maintain_order=True):
        timed = some.drop_nulls("captured_at")
        for shift in (0, _MINUTES // 2):
            window = pl.col("captured_at").dt.offset_by(f"{shift}m").dt.truncate(f"{_MINUTES}m")
            for _, near in timed.group_by(window, maintain_order=True):
                yield from _windows(near["row"].to_numpy(), AFFORDABLE)
        yield from _windows(_by_name(some.filter(pl.col("captured_at").is_null())), _WINDOW)


def _sequences(pictures: pl.DataFrame) -> list[NDArray[np.int64]]:
    """The rows of the pictures of each folder in the order of their names."""
    rows = pictures.with_row_index("row").with_columns(folder=pl.col("path").str.replace(r"[^/]*$", ""))
    return [_by_name(some) for _, some in rows.group_by("source", "folder", maintain_order=True)]


def _by_name(rows: pl.DataFrame) -> NDArray[np.int64]:
    named = sorted(rows.select("row", "path").rows(), key=lambda one: (_natural(one[1]), one[1]))
    return np.array([row for row, _ in named], np.int64)


def _natural(path: str) -> list[tuple[int, str]]:
    """A key that sorts frame_9 before frame_10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path)]


def _windows(rows: NDArray[np.int64], width: int) -> Iterator[NDArray[np.int64]]:
    """Windows of so many rows, each sharing half with the next; one row alone is not compared."""
    for start in range(0, max(1, len(rows) - width // 2), width // 2):
        if len(window := rows[start : start + width]) > 1:
            yield np.sort(window)


class _Stored:
    """Corners and reduced pictures by number, in a file: 100,000 of them would fill a gigabyte of memory."""

    def __init__(self, file: BinaryIO, context: Context, pictures: pl.DataFrame) -> None:
        self._handle = file.fileno()
        self._sizes = pictures.select("width", "height").to_numpy().astype(np.int64)
        place = {image_id: number for number, image_id in enumerate(pictures["image_id"])}
        self._corners = np.zeros((len(place), 2), np.int64)
        self._details = np.zeros((len(place), 2), np.int64)
        end = 0
        columns = ["image_id", "corners", "detail"]
        for part in feature_parts(context.dataset, context.recipe.images.max_pixels):
            for batch in pq.ParquetFile(part, pre_buffer=False).iter_batches(1024, columns=columns):
                rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
                for image_id, corners, detail in rows:
                    if image_id not in place:
                        continue
                    os.pwrite(self._handle, corners + detail, end)
                    self._corners[place[image_id]] = end, len(corners)
                    self._details[place[image_id]] = end + len(corners), len(detail)
                    end += len(corners) + len(detail)

    def find(
        self, group: NDArray[np.int64], sequences: Sequence[NDArray[np.int64]], context: Context
    ) -> Sequence[Overlap]:
        """The overlaps among some of the pictures; the sequences are of their places in the group."""
        packed = [os.pread(self._handle, int(size), int(at)) for at, size in self._corners[group]]
        owners = np.repeat(np.arange(len(group)), self._corners[group, 1] // FEATURE_BYTES)
        found = find_overlaps(
            unpack_features(b"".join(packed)),
            owners,
            self._sizes[group],
            lambda number: self._detail(int(group[number])),
            sequences=sequences,
            threads=os.cpu_count() or 1,
            progress=context.progress,
        )
        return [replace(one, first=int(group[one.first]), second=int(group[one.second])) for one in found]

    def _detail(self, number: int) -> NDArray[np.uint8]:
        at, size = self._details[number]
        width, height = detail_size(*self._sizes[number].tolist())
        data = os.pread(self._handle, int(size), int(at))
        return np.frombuffer(data, np.uint8).reshape(height, width)
