"""Receipts of exports: which are complete, and which tables they were written from.

That a folder exists proves nothing: the export that wrote it may have failed half way, or be older than the
tables. ``exports/.receipts.json`` has, for each export, the fingerprint of its tables; the entry is removed
before an export begins and written when it has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import orjson
import xxhash

from tundish.storage.table import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tundish.storage.dataset import DatasetFolder

__all__ = ["ExportState", "begin_export", "end_export", "export_states", "fingerprint"]

ExportState = Literal["current", "older than the tables", "incomplete"]

_TABLES = ("images", "consensus", "standing", "splits", "lineage", "links")
_READ = 1 << 20


def fingerprint(dataset: DatasetFolder) -> str:
    """The fingerprint of the tables of an export, 32 hex digits (XXH3): other tables give another one."""
    digest = xxhash.xxh3_128()
    for name in _TABLES:
        path = dataset.table(name)
        digest.update(name.encode())
        if path.exists():
            with path.open("rb") as stream:
                while chunk := stream.read(_READ):
                    digest.update(chunk)
    return digest.hexdigest()


def begin_export(dataset: DatasetFolder, name: str) -> None:
    """Mark ``exports/<name>`` as incomplete until `end_export`."""
    receipts = _read(dataset)
    if receipts.pop(name, None) is not None:
        _write(dataset, receipts)


def end_export(dataset: DatasetFolder, names: Sequence[str]) -> None:
    """Mark these exports as complete, and forget those without a folder."""
    of_tables = fingerprint(dataset)
    receipts = _read(dataset) | dict.fromkeys(names, of_tables)
    _write(dataset, {name: mark for name, mark in receipts.items() if (dataset.exports / name).is_dir()})


def export_states(dataset: DatasetFolder) -> dict[str, ExportState]:
    """The state of each folder of ``exports/``, by name."""
    folders = sorted(path.name for path in dataset.exports.glob("*") if path.is_dir())
    if not folders:
        return {}
    receipts, now = _read(dataset), fingerprint(dataset)
    return {
        name: "incomplete"
        if name not in receipts
        else "current"
        if receipts[name] == now
        else "older than the tables"
        for name in folders
    }


def _path(dataset: DatasetFolder) -> Path:
    return dataset.exports / ".receipts.json"


def _read(dataset: DatasetFolder) -> dict[str, str]:
    """Read the receipts; empty where the file is damaged, so that every export counts as incomplete."""
    try:
        found = orjson.loads(_path(dataset).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return {}
    return {str(name): str(mark) for name, mark in found.items()} if isinstance(found, dict) else {}


def _write(dataset: DatasetFolder, receipts: dict[str, str]) -> None:
    data = orjson.dumps(
        receipts, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )
    write_atomically(_path(dataset), data)
