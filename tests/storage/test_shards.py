"""Shards: the same blobs make the same files, and a damaged one is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.errors import OutsideError
from tundish.storage.shards import Blob, Packer, read_blobs, shard_ids, shard_paths, write_shard
from tundish.storage.tables import SPLITS

if TYPE_CHECKING:
    from pathlib import Path


def blobs(count: int) -> list[Blob]:
    return [Blob(f"{number:032x}", bytes([number]) * 100) for number in range(count)]


def test_packer__closes_a_shard_when_it_is_full_and_tells_which_holds_what(tmp_path: Path) -> None:
    packer = Packer(tmp_path, shard_bytes=250)
    numbers = [packer.add(blob) for blob in blobs(5)]
    packer.flush()
    assert numbers == [0, 0, 1, 1, 2]
    assert len(packer.shards) == 3
    for number, blob in zip(numbers, blobs(5), strict=True):
        assert blob in list(read_blobs(tmp_path / f"{packer.shards[number]}.parquet"))


def test_packer__same_blobs_same_files(tmp_path: Path) -> None:
    for folder in (tmp_path / "a", tmp_path / "b"):
        packer = Packer(folder, shard_bytes=250)
        for blob in blobs(5):
            packer.add(blob)
        packer.flush()
    first, second = shard_paths(tmp_path / "a"), shard_paths(tmp_path / "b")
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_packer__a_blob_larger_than_a_shard_has_its_own(tmp_path: Path) -> None:
    packer = Packer(tmp_path, shard_bytes=10)
    for blob in blobs(2):
        packer.add(blob)
    packer.flush()
    assert len(packer.shards) == 2


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=20, unique=True))
def test_shard__gives_back_what_it_was_given(
    tmp_path_factory: pytest.TempPathFactory, data: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("shard")
    given_blobs = [Blob(str(number), item) for number, item in enumerate(data)]
    path = folder / f"{write_shard(folder, given_blobs)}.parquet"
    assert list(read_blobs(path)) == given_blobs
    assert shard_ids(path) == [blob.id for blob in given_blobs]
    assert list(read_blobs(path, ["0"])) == given_blobs[:1]


def test_shard__damaged_or_missing_is_reported_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / f"{write_shard(tmp_path, blobs(3))}.parquet"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(OutsideError, match="dvc checkout"):
        list(read_blobs(path))
    path.unlink()
    with pytest.raises(OutsideError, match="dvc checkout"):
        shard_ids(path)


def test_shard__nothing_is_left_behind_where_writing_fails(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").mkdir()
    (tmp_path / "x.parquet/full").write_bytes(b"")
    with pytest.raises(OSError, match=r"x\.parquet"):
        write_shard(tmp_path, blobs(1), name="x")
    assert [path.name for path in tmp_path.iterdir()] == ["x.parquet"]


def test_table__damaged_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "splits.parquet"
    path.write_bytes(b"not a table")
    with pytest.raises(OutsideError, match="the splits table is damaged"):
        SPLITS.read(path)
