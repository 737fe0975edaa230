"""Tables that cannot be reproduced, and the copy of them that a dataset keeps on this machine.

The split of a group is history: the same images could give another one. A damaged table of that kind is
restored, from the DVC cache or from the copy. Deleting it and running its stage again would move test images
into train.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from tundish.errors import OutsideError
from tundish.storage.table import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.storage.dataset import DatasetFolder
    from tundish.storage.table import Table

__all__ = ["bring_back", "keep_copy"]


class _Copy(NamedTuple):
    path: Path
    written: float
    place: str


def keep_copy(dataset: DatasetFolder, table: Table) -> None:
    """Keep a second copy of the present table, in the folder of the dataset for this machine."""
    data = dataset.table(table.name).read_bytes()
    copy = dataset.table(table.name, dataset.make_local())
    if not copy.exists() or copy.read_bytes() != data:
        write_atomically(copy, data)


def bring_back(dataset: DatasetFolder, table: Table, *, existed: bool = False) -> str | None:
    """Restore a damaged table, or one that is missing though it existed.

    Of the DVC cache and the copy on this machine, the version that was written last is used.

    Args:
        dataset: Where the dataset lies.
        table: The table.
        existed: Whether the table is known to have been written, so that it is lost where it is missing.

    Returns:
        A sentence that says what was done; None where the table is intact, or never existed.

    Raises:
        OutsideError: The table is damaged or lost, and there is no intact copy on this machine.
    """
    path = dataset.table(table.name)
    if _is_whole(path) if path.exists() else not existed:
        return None
    state = "damaged" if path.exists() else "missing"
    copies = [copy for copy in (_cached(dataset, path), _kept(dataset, table)) if copy is not None]
    for copy in sorted(copies, key=lambda copy: copy.written, reverse=True):
        if _is_whole(copy.path):
            write_atomically(path, copy.path.read_bytes())
            return f"{path.name} was {state}; it was restored from {copy.place}"
    raise OutsideError(
        f"the {table.name} table is {state}",
        where=str(path),
        fix="restore it with 'dvc pull' or from a backup; do not delete it, as it cannot be reproduced",
    )


def _is_whole(path: Path) -> bool:
    """Whether all of a Parquet file can be read."""
    try:
        pq.read_table(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return False
    return True


def _kept(dataset: DatasetFolder, table: Table) -> _Copy | None:
    path = dataset.table(table.name, dataset.local)
    return _Copy(path, path.stat().st_mtime, "the copy on this machine") if path.exists() else None


def _cached(dataset: DatasetFolder, path: Path) -> _Copy | None:
    """The object in the DVC cache that dvc.lock names for `path`, if its content matches its name."""
    lock = dataset.project / "dvc.lock"
    try:
        stages = (yaml.safe_load(lock.read_text(encoding="utf-8")) or {}).get("stages", {})
    except (OSError, ValueError, yaml.YAMLError, AttributeError):
        return None
    name = path.relative_to(dataset.project).as_posix()
    outs = [out for stage in stages.values() for out in stage.get("outs", [])]
    digest = next((str(out.get("md5")) for out in outs if out.get("path") == name), None)
    if digest is None:
        return None
    found = _cache_folder(dataset.project) / digest[:2] / digest[2:]
    if not found.is_file() or hashlib.md5(found.read_bytes(), usedforsecurity=False).hexdigest() != digest:
        return None
    return _Copy(found, lock.stat().st_mtime, "the DVC cache")


def _cache_folder(project: Path) -> Path:
    from dvc.exceptions import DvcException  # noqa: PLC0415  (heavy, and needed only for a damaged table)
    from dvc.repo import Repo  # noqa: PLC0415

    try:
        with Repo(str(project)) as repo:
            return type(project)(repo.cache.local.path)
    except DvcException:
        return project / ".dvc" / "cache" / "files" / "md5"
