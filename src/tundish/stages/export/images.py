"""Image bytes for export: by shard for a folder of files, or in the order of rows for packed files."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from tundish.engine import each
from tundish.imaging.files.decode import decode, encode
from tundish.storage.shards import read_blobs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

__all__ = ["InOrder", "Job", "upright", "write_files"]

Bytes = bytes | memoryview


def upright(data: Bytes, orientation: int) -> Bytes:
    """The file as every reader sees it in the frame the labels are in.

    A file that EXIF does not turn stays as it is, byte for byte; one that it does becomes an upright PNG of
    the same pixels, since not every reader heeds EXIF.
    """
    if orientation == 1:
        return data
    return encode(decode(bytes(data), max_pixels=sys.maxsize), "png")  # measure has let it pass


@dataclass(frozen=True, slots=True)
class Job:
    """The files to write from one shard: (path of the file, EXIF orientation) by image_id."""

    shard: Path
    targets: dict[str, tuple[Path, int]]


def write_files(job: Job) -> dict[str, int]:
    """Write one shard's images, each under a temporary name first; returns the size of each by image_id."""

    def write(item: tuple[str, Bytes]) -> tuple[str, int]:
        image_id, stored = item
        target, orientation = job.targets[image_id]
        data = upright(stored, orientation)
        temporary = target.with_name(f".{image_id}.tmp")  # short, however long the name
        try:
            temporary.write_bytes(data)
            os.replace(temporary, target)  # noqa: PTH105  (the one spelling that says it is atomic)
        finally:
            temporary.unlink(missing_ok=True)
        return image_id, len(data)

    for folder in sorted({target.parent for target, _ in job.targets.values()}):
        folder.mkdir(parents=True, exist_ok=True)
    return dict(each(write, ((blob.id, blob.data) for blob in read_blobs(job.shard, job.targets))))


class InOrder:
    """The bytes of images in the order of their rows, however their shards lie; each shard is read once.

    Rows come mostly in the order of their shards, so that two open shards are enough. What a shard still
    holds when it has to give way is laid aside in a scratch file: memory stays at two shards in any order.
    """

    def __init__(self, images: pl.DataFrame, dataset: Path, scratch: IO[bytes]) -> None:
        self._rows = images.select("image_id", "shard").rows()
        self._dataset = dataset
        self._scratch = scratch
        self._wanted: dict[str, set[str]] = {}
        for image_id, shard in self._rows:
            self._wanted.setdefault(shard, set()).add(image_id)
        self._open: dict[str, dict[str, Bytes]] = {}
        self._aside: dict[str, tuple[int, int]] = {}
        self._end = 0

    def __iter__(self) -> Iterator[Bytes]:
        for image_id, shard in self._rows:
            if image_id in self._aside:
                yield self._from_scratch(image_id)
                continue
            if shard not in self._open:
                self._load(shard)
            yield self._open[shard].pop(image_id)

    def _load(self, shard: str) -> None:
        if len(self._open) == 2:
            oldest = next(iter(self._open))
            for image_id, data in self._open.pop(oldest).items():
                self._scratch.seek(self._end)
                self._scratch.write(data)
                self._aside[image_id] = (self._end, len(data))
                self._end += len(data)
        self._open[shard] = {
            blob.id: blob.data for blob in read_blobs(self._dataset / shard, self._wanted[shard])
        }

    def _from_scratch(self, image_id: str) -> bytes:
        start, size = self._aside.pop(image_id)
        self._scratch.seek(start)
        return self._scratch.read(size)
