"""ingest: take new files into the store, and say of every file of the sources what became of it.

`raw/` is a landing zone: what was taken in stays in the store when the file is moved away, and a clone
without `raw/` runs from the store. A file that changed under its name is taken in again; the later version
counts.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import polars as pl

from tundish.engine import each
from tundish.errors import SourceError
from tundish.formats.base import Options
from tundish.formats.registry import FORMATS
from tundish.sources import Entry, EntryFault, is_archive, open_source
from tundish.stages.base import Context, Outcome, Stage
from tundish.storage import write_atomically
from tundish.store import Blob, Packer, image_id_of, latest_files, read_files, shard_ids, shard_paths
from tundish.tables import FILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tundish.sections import Source

__all__ = ["STAGE"]

_LEFT = "source_left"
_PACKED = {"image": "images", "annotation": "labels", "classes": "labels"}


@dataclass(frozen=True, slots=True)
class _Taken:
    """An entry with what reading it gave."""

    entry: Entry
    kind: str
    data: bytes = b""
    sha256: str | None = None
    fault: EntryFault | None = None


class _Intake:
    """One ingest run: packs new bytes and collects a row for every new or changed file."""

    def __init__(self, context: Context) -> None:
        before = read_files(context.store)
        self.batch = int(before["batch"].max() or 0) + 1  # type: ignore[arg-type]  # an integer column
        self.known = {(row["source"], row["path"]): row for row in latest_files(before).iter_rows(named=True)}
        self.rows: list[dict[str, object]] = []
        self.pending: list[tuple[dict[str, object], str, int]] = []
        self.packers = {
            "images": Packer(context.image_shards),
            "labels": Packer(context.label_shards, compression="zstd"),
        }
        self.shard_of: dict[str, dict[str, str | int]] = {
            room: {
                blob_id: path.stem
                for path in shard_paths(context.store / room)
                for blob_id in shard_ids(path)
            }
            for room in self.packers
        }
        self.unchanged = 0

    def take(self, source: str, taken: _Taken) -> None:
        """Pack what is new in one file and write its row."""
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
            return
        row["batch"] = self.batch
        if row["outcome"] == "accepted" and taken.sha256 is not None:
            self._pack(row, taken.kind, image_id_of(taken.sha256), taken.data)
        self.rows.append(row)

    @staticmethod
    def _verdict(taken: _Taken) -> dict[str, object]:
        if taken.fault is not None:
            outcome = "skipped" if taken.entry.skipped else "quarantined"
            return {"outcome": outcome, "reason": taken.fault.reason}
        if taken.kind == "image" and taken.entry.size == 0:
            return {"outcome": "quarantined", "reason": "empty_file"}
        if taken.kind not in _PACKED:
            return {"outcome": "skipped", "reason": "not_for_this_format"}
        return {"outcome": "accepted", "reason": None}

    def _pack(self, row: dict[str, object], kind: str, blob_id: str, data: bytes) -> None:
        room = _PACKED[kind]
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

    def let_go(self, sources: set[str]) -> int:
        """Skip the files of sources that the recipe no longer names; returns how many."""
        gone = [
            row for (source, _), row in self.known.items() if source not in sources and row["reason"] != _LEFT
        ]
        for row in gone:
            kept = {name: row[name] for name in ("path", "source", "kind", "size", "sha256")}
            self.rows.append(kept | {"outcome": "skipped", "reason": _LEFT, "batch": self.batch})
        return len(gone)

    def close(self, store: Path) -> None:
        """Write what is open, then the rows: files are listed only when their bytes are on disk."""
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


def _run(context: Context) -> Outcome:
    intake = _Intake(context)
    seen_path = context.dataset / ".seen.json"
    seen = _read_seen(seen_path)
    now_seen: dict[str, dict[str, str]] = {}
    notes: list[str] = []
    for source in context.recipe.sources:
        stamps = now_seen.setdefault(source.label, {})
        remembered = {
            path: stamp
            for path, stamp in seen.get(source.label, {}).items()
            if (source.label, path) in intake.known
        }
        notes += _take_source(context, source, intake, remembered, stamps)
    if gone := intake.let_go({source.label for source in context.recipe.sources}):
        notes.append(f"{gone:,} files are of a source that the recipe no longer names: skipped")
    intake.close(context.store)
    write_atomically(seen_path, orjson.dumps(now_seen, option=orjson.OPT_SORT_KEYS))
    return _outcome(intake, notes)


def _read_seen(path: Path) -> dict[str, dict[str, str]]:
    """The stamps of the files seen last time; only a shortcut, so a damaged one is as good as none."""
    try:
        seen = orjson.loads(path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return seen if isinstance(seen, dict) else {}


def _take_source(
    context: Context, source: Source, intake: _Intake, remembered: dict[str, str], stamps: dict[str, str]
) -> list[str]:
    # Normalised by text: before the first run there is no dataset folder for '..' to lead out of.
    path = Path(os.path.normpath(context.dataset / source.path))
    label = source.label
    have = any(name == label for name, _ in intake.known)
    if not path.exists() and have:
        return [f"{source.path} is not here: going on from the store"]
    if not path.exists():
        raise SourceError(
            "the source is not here",
            where=str(path),
            fix="put the files there, or mend sources[].path in the recipe",
        )
    count = 0
    with open_source(path) as entries:
        fresh = _fresh(entries, remembered, stamps, intake)
        for taken in _taken(fresh, source, parallel=not is_archive(path)):
            intake.take(label, taken)
            count += 1
            context.progress(count, 0)
    if not stamps and not have:
        raise SourceError(
            "the source holds no files", where=str(path), fix="put the files there and run again"
        )
    return []


def _fresh(
    entries: Iterable[Entry], remembered: dict[str, str], stamps: dict[str, str], intake: _Intake
) -> Iterator[Entry]:
    """Entries that are not known to be as they were."""
    for entry in entries:
        stamps[entry.path] = entry.stamp
        if remembered.get(entry.path) == entry.stamp:
            intake.unchanged += 1
        else:
            yield entry


def _taken(entries: Iterable[Entry], source: Source, *, parallel: bool) -> Iterator[_Taken]:
    """Entries read and digested: files on threads; the members of an archive one after the other."""
    form = FORMATS[source.format]
    options = Options(names=source.names, extra=source.options)

    def take(entry: Entry) -> _Taken:
        kind = form.role(entry.path, options)
        if entry.fault is not None:
            return _Taken(entry, kind, fault=entry.fault)
        if kind not in _PACKED:
            return _Taken(entry, kind)
        try:
            data = entry.read()
        except EntryFault as fault:
            return _Taken(entry, kind, fault=fault)
        return _Taken(entry, kind, data, hashlib.sha256(data).hexdigest())

    return each(take, entries) if parallel else map(take, entries)


def _outcome(intake: _Intake, notes: list[str]) -> Outcome:
    by_outcome = Counter(str(row["outcome"]) for row in intake.rows)
    images = {row["image_id"] for row in intake.rows if row.get("image_id")}
    counts = {
        "new files": len(intake.rows),
        "accepted": by_outcome["accepted"],
        "quarantined": by_outcome["quarantined"],
        "skipped": by_outcome["skipped"],
        "unchanged": intake.unchanged,
        "images in them": len(images),
        "new shards": sum(len(packer.shards) for packer in intake.packers.values()),
    }
    return Outcome(counts, notes)


STAGE = Stage(
    name="ingest",
    reads=(),
    writes=("store",),
    depends=("sources",),
    run=_run,
    persist=("store",),
)
