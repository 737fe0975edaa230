"""The record of one ingest run: which bytes are new, in which shard they are, a row for every file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from tundish.errors import OutsideError
from tundish.imaging.files.pages import count_pages
from tundish.stages.ingest.lost import FOLDERS, LostShards
from tundish.storage.pages import file_of_page
from tundish.storage.shards import Blob, Packer, image_id_of, latest_files, read_files, shard_ids, shard_paths
from tundish.storage.tables import FILES

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.sources.files import Entry, EntryFault
    from tundish.stages.base import Context

__all__ = ["PACKED", "PAGES_TAKEN", "SEVERAL_PAGES", "SOURCE_LEFT", "Intake", "Taken"]

ANSWER_REPLACED = "answer_replaced"
SOURCE_LEFT = "source_left"
SEVERAL_PAGES = "several_pages"
"""Reason beside an accepted image whose file holds more pictures than the one that is taken."""

PAGES_TAKEN = "pages_taken"
"""Reason beside a skipped file whose pages came in as images of their own."""

PACKED = {kind: folder for kind, folder in FOLDERS.items() if kind != "record"}
"""Kinds of files whose bytes are packed with others, and the folder of the store they go to."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An entry after reading.

    `shard` is set where its bytes are already in the store, `unavailable` says why they cannot be read now,
    `doubtful` that it may be labels, which is judged when the pictures of the source are known.
    """

    entry: Entry
    kind: str
    data: bytes = b""
    sha256: str | None = None
    fault: EntryFault | None = None
    shard: str | None = None
    unavailable: str | None = None
    doubtful: bool = False


class Intake:
    """One ingest run: packs new bytes and collects a row for every new or changed file."""

    def __init__(self, context: Context) -> None:
        before = read_files(context.dataset.store)
        self.batch = int(before["batch"].max() or 0) + 1  # type: ignore[arg-type]  # an integer column
        latest = latest_files(before)
        self.known = {(row["source"], row["path"]): row for row in latest.iter_rows(named=True)}
        self.lost = LostShards(context.dataset.store, latest)
        self.rows: list[dict[str, object]] = []
        self.pending: list[tuple[dict[str, object], str, int]] = []
        self.packers = {
            "images": Packer(context.dataset.image_shards),
            "labels": Packer(context.dataset.label_shards, compression="zstd"),
        }
        self.shard_of: dict[str, dict[str, str | int]] = {
            room: {
                blob_id: path.stem
                for path in shard_paths(context.dataset.store / room)
                for blob_id in _ids(path)
            }
            for room in self.packers
        }
        self.unchanged = 0
        self.unavailable: list[tuple[str, str, str]] = []
        self._paged: dict[tuple[str, str], list[str]] | None = None

    def take(self, source: str, taken: Taken) -> None:
        """Pack what is new in one file and write its row; no row where its bytes cannot be read now."""
        if taken.unavailable is not None:
            self.unavailable.append((source, taken.entry.path, taken.unavailable))
            return
        row: dict[str, object] = {
            "path": taken.entry.path,
            "source": source,
            "kind": taken.kind,
            "size": taken.entry.size,
            "sha256": taken.sha256,
            **self._verdict(taken),
        }
        before = self.known.get((source, taken.entry.path))
        if before is not None and all(before[key] == value for key, value in row.items()):
            self.unchanged += 1
            self.lost.give(before, taken.data)
            return
        if before is not None:
            self.lost.forget(before)
        row["batch"] = self.batch
        if taken.shard is not None:
            row["shard"] = taken.shard
        elif row["outcome"] == "accepted" and taken.sha256 is not None:
            self._pack(row, taken.kind, image_id_of(taken.sha256), taken.data)
        self.rows.append(row)

    @staticmethod
    def _verdict(taken: Taken) -> dict[str, object]:
        if taken.fault is not None:
            outcome = "skipped" if taken.entry.skipped else "quarantined"
            return {"outcome": outcome, "reason": taken.fault.reason}
        if taken.kind in ("image", "record") and taken.entry.size == 0:
            return {"outcome": "quarantined", "reason": "empty_file"}
        if taken.kind != "record" and taken.kind not in PACKED:
            return {"outcome": "skipped", "reason": "not_for_this_format"}
        if taken.kind == "image" and count_pages(taken.data) > 1:
            return {"outcome": "accepted", "reason": SEVERAL_PAGES}
        return {"outcome": "accepted", "reason": None}

    def _pack(self, row: dict[str, object], kind: str, blob_id: str, data: bytes) -> None:
        room = PACKED[kind]
        if kind == "image":
            row["image_id"] = blob_id
        shard = self.shard_of[room].get(blob_id)
        if shard is None:
            shard = self.packers[room].add(Blob(blob_id, data))
            self.shard_of[room][blob_id] = shard
        if isinstance(shard, str):
            row["shard"] = shard
        else:
            self.pending.append((row, room, shard))

    def drop_pages(self, source: str, path: str, pages: set[str]) -> None:
        """Mark pages of a file that came in earlier as superseded: it has fewer, or is taken as one image."""
        if self._paged is None:
            self._paged = {}
            for label, known in self.known:
                container = file_of_page(known)
                if container != known:
                    self._paged.setdefault((label, container), []).append(known)
        gone = [self.known[source, page] for page in self._paged.get((source, path), []) if page not in pages]
        self._skip([row for row in gone if row["outcome"] == "accepted"], "superseded")

    def let_go(self, sources: set[str]) -> int:
        """Mark the files of sources that the recipe no longer names as skipped; return their number."""
        gone = [
            row
            for (source, _), row in self.known.items()
            if source not in sources and row["reason"] != SOURCE_LEFT
        ]
        self._skip(gone, SOURCE_LEFT)
        return len(gone)

    def replace(self, source: str, paths: set[str]) -> None:
        """Mark the files of one source that are not among `paths` as skipped: others came in their place."""
        self._skip(
            [
                row
                for (label, path), row in self.known.items()
                if label == source and path not in paths and row["outcome"] == "accepted"
            ],
            ANSWER_REPLACED,
        )

    def _skip(self, rows: list[dict[str, Any]], reason: str) -> None:
        for row in rows:
            kept = {name: row[name] for name in ("path", "source", "kind", "size", "sha256")}
            self.rows.append(kept | {"outcome": "skipped", "reason": reason, "batch": self.batch})

    def close(self, store: Path) -> None:
        """Write open shards, then the rows: files are listed only when their bytes are on disk."""
        for packer in self.packers.values():
            packer.flush()
        for row, room, number in self.pending:
            row["shard"] = self.packers[room].shards[number]
        if self.rows:
            frame = FILES.frame(self.rows)
            names = frame.select(
                pl.concat_str("source", "path", pl.col("sha256").fill_null(""), separator="\0")
            )
            digest = hashlib.sha256("\n".join(sorted(names.to_series())).encode()).hexdigest()[:16]
            FILES.write(frame, store / "files" / f"{self.batch:05d}-{digest}.parquet")


def _ids(path: Path) -> list[str]:
    """The ids in a shard; none where it is damaged, so that its files are packed again."""
    try:
        return shard_ids(path)
    except OutsideError:
        return []
