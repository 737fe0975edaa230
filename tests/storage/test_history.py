"""A damaged table that keeps history is restored, never made again."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from tundish.errors import OutsideError
from tundish.storage.dataset import DatasetFolder
from tundish.storage.history import bring_back, keep_copy
from tundish.storage.tables import SPLITS

if TYPE_CHECKING:
    from pathlib import Path


def written(project: Path, split: str = "test") -> DatasetFolder:
    dataset = DatasetFolder("d", project)
    dataset.write(SPLITS, SPLITS.frame([{"image_id": "a", "split": split, "last_split": split}]))
    return dataset


def damage(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize("damaged", [b"", b"PAR1", b"\0" * 500])
def test_a_damaged_table_is_as_it_was_again(tmp_path: Path, damaged: bytes) -> None:
    dataset = written(tmp_path)
    path = dataset.table("splits")
    keep_copy(dataset, SPLITS)
    before = path.read_bytes()
    assert bring_back(dataset, SPLITS) is None
    path.write_bytes(damaged)
    assert bring_back(dataset, SPLITS) == (
        "splits.parquet was damaged; it was restored from the copy on this machine"
    )
    assert path.read_bytes() == before


def test_what_dvc_has_is_taken_where_its_lock_was_written_last(tmp_path: Path) -> None:
    """After `dvc checkout` of another version the copy on this machine is not the table that was there."""
    dataset = written(tmp_path, "train")
    keep_copy(dataset, SPLITS)
    path = written(tmp_path, "test").table("splits")
    data = path.read_bytes()
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    cached = tmp_path / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    cached.parent.mkdir(parents=True)
    cached.write_bytes(data)
    (tmp_path / "dvc.lock").write_text(
        "schema: '2.0'\nstages:\n  split@d:\n    cmd: tundish split d\n    outs:\n"
        f"    - path: datasets/d/curated/splits.parquet\n      hash: md5\n      md5: {digest}\n"
    )
    later = dataset.table("splits", dataset.local).stat().st_mtime + 5
    os.utime(tmp_path / "dvc.lock", (later, later))
    damage(path)
    assert bring_back(dataset, SPLITS) == "splits.parquet was damaged; it was restored from the DVC cache"
    assert path.read_bytes() == data
    # An object of the cache that is damaged itself is not taken.
    cached.write_bytes(b"x")
    damage(path)
    assert "the copy on this machine" in str(bring_back(dataset, SPLITS))
    assert dataset.read(SPLITS)["split"].to_list() == ["train"]


def test_without_any_copy_nothing_is_deleted_and_the_error_does_not_advise_it(tmp_path: Path) -> None:
    dataset = written(tmp_path)
    damage(dataset.table("splits"))
    before = dataset.table("splits").read_bytes()
    with pytest.raises(OutsideError, match="do not delete it, as it cannot be reproduced"):
        bring_back(dataset, SPLITS)
    with pytest.raises(OutsideError, match="do not delete it, for it cannot be made again"):
        dataset.read(SPLITS)
    assert dataset.table("splits").read_bytes() == before


def test_nothing_is_brought_back_that_was_never_there(tmp_path: Path) -> None:
    dataset = written(tmp_path)
    keep_copy(dataset, SPLITS)
    dataset.table("splits").unlink()
    assert bring_back(dataset, SPLITS) is None
