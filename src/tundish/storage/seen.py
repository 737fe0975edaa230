"""The files that each source had at the last ingest, on this machine.

What was seen need not be looked at again, and what a source no longer has was deleted there. It is a cache,
in neither Git nor DVC: a clone has no sources either.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
import polars as pl

from tundish.results import Result
from tundish.storage.pages import file_of_page
from tundish.storage.shards import latest_files, read_files
from tundish.storage.table import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.storage.dataset import DatasetFolder

__all__ = ["Gone", "Seen", "find_gone", "read_seen", "write_seen"]

Seen = dict[str, dict[str, str]]
"""A stamp for each file, by source and path: size and time, for those that could be read."""

_EXAMPLES = 3
_KINDS = {
    "image": "image files",
    "annotation": "label files",
    "classes": "lists of classes",
    "record": "tables",
}


@dataclass(frozen=True)
class Gone(Result):
    """Files that are no longer at their source; they stay in the dataset, from the store.

    Attributes:
        counts: How many, by kind: image, annotation, classes, record.
        examples: Up to three of them, as source/path.
    """

    counts: dict[str, int]
    examples: tuple[str, ...]

    @property
    def kinds(self) -> str:
        """The counts in words."""
        return ", ".join(f"{_KINDS[kind]} {count:,}" for kind, count in self.counts.items())


def read_seen(dataset: DatasetFolder) -> Seen:
    """What was seen at the last ingest; empty where that is not known here."""
    try:
        seen = orjson.loads(_path(dataset).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return seen if isinstance(seen, dict) else {}


def write_seen(dataset: DatasetFolder, seen: Seen) -> None:
    """Keep what was seen now."""
    write_atomically(_path(dataset), orjson.dumps(seen, option=orjson.OPT_SORT_KEYS))


def find_gone(dataset: DatasetFolder, *, before: Seen | None = None) -> Gone | None:
    """The accepted files that their source no longer has; None where all are in place.

    An image or a table whose bytes are in the source under another name was moved, and is not gone.

    Args:
        dataset: Where the dataset lies.
        before: Only files that were seen at this earlier time.
    """
    seen = read_seen(dataset)
    files = latest_files(read_files(dataset.store)).filter(
        pl.col("outcome") == "accepted",
        pl.col("source").is_in(list(seen)),
        pl.col("kind").is_in(list(_KINDS)),
    )
    here = [
        path in seen[source] or file_of_page(path) in seen[source]
        for source, path in files.select("source", "path").iter_rows()
    ]
    present = files.filter(pl.Series(here, dtype=pl.Boolean))
    gone = files.filter(~pl.Series(here, dtype=pl.Boolean))
    moved = gone.filter(pl.col("kind").is_in(["image", "record"])).join(
        present, on=["source", "sha256"], how="semi"
    )
    gone = gone.join(moved, on=["source", "path"], how="anti", maintain_order="left").select(
        "source", "path", "kind"
    )
    rows = [row for row in gone.iter_rows() if before is None or row[1] in before.get(row[0], {})]
    if not rows:
        return None
    counts = Counter(kind for _, _, kind in rows)
    ordered = {kind: counts[kind] for kind in _KINDS if counts[kind]}
    return Gone(ordered, tuple(f"{source}/{path}" for source, path, _ in rows[:_EXAMPLES]))


def _path(dataset: DatasetFolder) -> Path:
    return dataset.root / ".seen.json"
