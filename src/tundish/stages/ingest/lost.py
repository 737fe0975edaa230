"""Shards that the store has lost: packed again from the sources where their files are still there.

A shard that is missing or damaged is known by the rows of `files` that name it. Its files are read again, and
when all are together it is written under its name. What cannot be had from the sources is an error that names
the shard: no later stage takes the files for refused ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from tundish.errors import OutsideError
from tundish.storage.shards import Blob, image_id_of, is_whole, write_shard

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["FOLDERS", "LostShards"]

FOLDERS = {"image": "images", "record": "records"} | dict.fromkeys(
    ("annotation", "classes", "facts"), "labels"
)
"""Kinds of files, and the folder of the store where their shards are."""

_Place = tuple[str, str]


class LostShards:
    """The shards that accepted files name and the store does not have.

    Args:
        store: The folder of the store.
        rows: The latest rows of the table `files`.
    """

    def __init__(self, store: Path, rows: pl.DataFrame) -> None:
        self._store = store
        named = rows.filter(pl.col("outcome") == "accepted", pl.col("shard").is_not_null())
        self._needed: dict[tuple[str, str], dict[_Place, str]] = {}
        for kind, shard, source, path, sha256 in named.select(
            "kind", "shard", "source", "path", "sha256"
        ).iter_rows():
            key = FOLDERS[kind], shard
            self._needed.setdefault(key, {})[source, path] = image_id_of(sha256)
        self._needed = {key: files for key, files in self._needed.items() if not is_whole(self._path(key))}
        self._found: dict[tuple[str, str], dict[str, bytes]] = {key: {} for key in self._needed}
        self.restored = 0

    @property
    def files(self) -> set[_Place]:
        """The files that must be read again, by source and path."""
        return {place for files in self._needed.values() for place in files}

    def give(self, row: dict[str, Any], data: bytes) -> None:
        """Take the bytes of a file that was read again and is the same as before."""
        key = FOLDERS.get(row["kind"], ""), row["shard"]
        if key in self._found and key[0] != "records":
            self._found[key][image_id_of(row["sha256"])] = data
            self._write_if_complete(key)

    def forget(self, row: dict[str, Any]) -> None:
        """A newer version of this file came in: the one before is not needed."""
        key = FOLDERS.get(row["kind"], ""), row["shard"]
        if key in self._needed:
            self._needed[key].pop((row["source"], row["path"]), None)
            self._write_if_complete(key)

    def _write_if_complete(self, key: tuple[str, str]) -> None:
        needed, found = set(self._needed[key].values()), self._found[key]
        if needed and needed <= set(found):
            folder, name = key
            blobs = [Blob(blob_id, data) for blob_id, data in found.items()]
            compression = "none" if folder == "images" else "zstd"
            write_shard(self._store / folder, blobs, name=name, compression=compression)
            self.restored += 1
            del self._needed[key], self._found[key]

    def check(self) -> None:
        """Fail where a shard could not be had again.

        Raises:
            OutsideError: A shard is missing, and its files are not all at their source.
        """
        lost = {key: files for key, files in self._needed.items() if files and not is_whole(self._path(key))}
        if lost:
            key, files = next(iter(sorted(lost.items())))
            total = sum(map(len, lost.values()))
            raise OutsideError(
                f"{len(lost):,} shards of the store are missing or damaged, with {total:,} files, such as"
                f" {_examples(files)}, and they are not all at their source",
                where=str(self._path(key)),
                fix="bring them back with 'dvc checkout' or 'dvc pull', or put the files back to their source"
                " and run again",
            )

    def _path(self, key: tuple[str, str]) -> Path:
        return self._store / key[0] / f"{key[1]}.parquet"


def _examples(files: Iterable[_Place]) -> str:
    return ", ".join(f"{source}/{path}" for source, path in sorted(files)[:3])
