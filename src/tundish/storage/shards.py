"""Packed shards: Parquet files of raw bytes, written once, named by their content.

A shard is the unit of storage, of caching and of distribution. DVC sees a few large files that never change;
new data makes new shards and does not touch the old ones.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tundish.errors import OutsideError
from tundish.storage.table import naming, replacing, write_parquet
from tundish.storage.tables import FILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = [
    "SHARD_BYTES",
    "Blob",
    "Packer",
    "copy_parts",
    "image_id_of",
    "is_whole",
    "latest_files",
    "read_blobs",
    "read_files",
    "shard_ids",
    "shard_length",
    "shard_paths",
    "write_parts",
    "write_shard",
]

SHARD_BYTES = 64 * 1024 * 1024
"""A shard is closed at this size: one row group that a trainer reads in one piece."""

_PART_BYTES = 16 * 1024 * 1024

_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), metadata={"description": "first 32 hex digits of the bytes' SHA-256"}),
        pa.field("bytes", pa.binary(), metadata={"description": "the file, unchanged"}),
    ]
)


@dataclass(frozen=True, slots=True)
class Blob:
    """The bytes of one file and their id."""

    id: str
    data: bytes


def image_id_of(sha256: str) -> str:
    """The id of bytes with this SHA-256 (hex): its first 32 digits."""
    return sha256[:32]


class Packer:
    """Packs blobs into shards of about `shard_bytes`, in the order given.

    At most one shard is in memory. The same blobs in the same order make the same files.
    """

    def __init__(self, folder: Path, *, shard_bytes: int = SHARD_BYTES, compression: str = "none") -> None:
        self.folder = folder
        self.shards: list[str] = []
        self._limit = shard_bytes
        self._compression = compression
        self._blobs: list[Blob] = []
        self._size = 0

    def add(self, blob: Blob) -> int:
        """Add one blob; return the number (in `shards`) of its shard."""
        size = len(blob.data)
        if self._blobs and self._size + size > self._limit:
            self.flush()
        self._blobs.append(blob)
        self._size += size
        return len(self.shards)

    def flush(self) -> None:
        """Write the open shard."""
        if self._blobs:
            self.shards.append(write_shard(self.folder, self._blobs, compression=self._compression))
            self._blobs, self._size = [], 0


def write_shard(
    folder: Path, blobs: Sequence[Blob], *, name: str | None = None, compression: str = "none"
) -> str:
    """Write one shard and return its name (the stem of the file), made from its ids where none is given."""
    if name is None:
        name = hashlib.sha256("\n".join(blob.id for blob in blobs).encode()).hexdigest()[:16]
    # With Polars: PyArrow imports pandas to make an array of a list.
    ids = pl.Series("id", [blob.id for blob in blobs], dtype=pl.String)
    data = pl.Series("bytes", [blob.data for blob in blobs], dtype=pl.Binary)
    table = pl.DataFrame([ids, data]).to_arrow().cast(_SCHEMA)
    write_parquet(table, folder / f"{name}.parquet", compression=compression, plain=("bytes",))
    return name


def write_parts(folder: Path, blob_id: str, chunks: Iterable[bytes]) -> str:
    """Write one large file as a shard of its own, one row group per part; return the name of the shard.

    Only one part is in memory.
    """
    path = folder / f"{blob_id[:16]}.parquet"
    with (
        naming(path),
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, _SCHEMA, compression="zstd") as writer,
    ):
        for part in _parts(chunks):
            rows = pl.DataFrame(
                {"id": [blob_id], "bytes": [part]}, schema={"id": pl.String, "bytes": pl.Binary}
            )
            writer.write_table(rows.to_arrow().cast(_SCHEMA))
    return path.stem


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        if len(waiting) >= _PART_BYTES:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def copy_parts(path: Path, target: Path) -> None:
    """Reassemble the file that `write_parts` stored.

    Raises:
        OutsideError: The shard is damaged.
    """
    with target.open("wb") as stream:
        for blob in read_blobs(path):
            stream.write(blob.data)


def shard_paths(folder: Path) -> list[Path]:
    """The shards of a folder, sorted by name."""
    return sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))


def shard_ids(path: Path) -> list[str]:
    """Read the ids in a shard, without the bytes.

    Raises:
        OutsideError: The shard is damaged.
    """
    # Not read_table(), which imports pandas on its way.
    with _reporting_damage(path), pq.ParquetFile(path) as file:
        ids: list[str] = file.read(columns=["id"]).column("id").to_pylist()
    return ids


def shard_length(path: Path) -> int:
    """How many blobs a shard holds, from its footer alone.

    Raises:
        OutsideError: The shard is damaged.
    """
    with _reporting_damage(path):
        count: int = pq.read_metadata(path).num_rows
    return count


def is_whole(path: Path) -> bool:
    """Whether a shard is there, its footer can be read and it holds something."""
    try:
        return shard_length(path) > 0
    except OutsideError:
        return False


def read_blobs(path: Path, wanted: Iterable[str] | None = None) -> Iterator[Blob]:
    """Yield the blobs of a shard in their order, all or the `wanted` ones; one row group is in memory.

    Raises:
        OutsideError: The shard is damaged.
    """
    chosen = None if wanted is None else set(wanted)
    with _reporting_damage(path):
        file = pq.ParquetFile(path)
    for group in range(file.num_row_groups):
        with _reporting_damage(path):
            table = file.read_row_group(group)
        ids = table.column("id").to_pylist()
        data = table.column("bytes").combine_chunks()
        for index, blob_id in enumerate(ids):
            if chosen is None or blob_id in chosen:
                yield Blob(blob_id, data[index].as_py())


@contextmanager
def _reporting_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, KeyError, OSError) as error:
        raise OutsideError(
            "the shard is damaged or missing",
            where=str(path),
            fix="restore it with 'dvc checkout' or 'dvc pull'",
        ) from error


def read_files(store: Path) -> pl.DataFrame:
    """Read all rows of the `files` table, one per file and version; empty before the first ingest."""
    parts = [FILES.read(path) for path in shard_paths(store / "files")]
    return pl.concat(parts) if parts else FILES.empty()


def latest_files(files: pl.DataFrame) -> pl.DataFrame:
    """The current version of each file: the one ingested last."""
    return files.sort("source", "path", "batch").unique(["source", "path"], keep="last", maintain_order=True)
