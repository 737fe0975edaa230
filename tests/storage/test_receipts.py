"""An export that failed, or that shows older tables, does not pass for a current one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tundish.storage.dataset import DatasetFolder
from tundish.storage.receipts import begin_export, end_export, export_states
from tundish.storage.tables import SPLITS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def dataset(tmp_path: Path) -> DatasetFolder:
    dataset = DatasetFolder("d", tmp_path)
    dataset.write(SPLITS, SPLITS.frame([{"image_id": "a", "split": "train"}]))
    for name in ("coco", "parquet"):
        (dataset.exports / name).mkdir(parents=True)
        begin_export(dataset, name)
    end_export(dataset, ["coco", "parquet"])
    return dataset


def test_what_was_written_from_the_tables_that_are_there_is_current(dataset: DatasetFolder) -> None:
    assert export_states(dataset) == {"coco": "current", "parquet": "current"}


def test_an_export_that_began_and_did_not_end_is_incomplete(dataset: DatasetFolder) -> None:
    begin_export(dataset, "coco")
    assert export_states(dataset) == {"coco": "incomplete", "parquet": "current"}


def test_after_another_split_it_is_older_than_the_tables(dataset: DatasetFolder) -> None:
    dataset.write(SPLITS, SPLITS.frame([{"image_id": "a", "split": "test"}]))
    begin_export(dataset, "coco")
    end_export(dataset, ["coco"])
    assert export_states(dataset) == {"coco": "current", "parquet": "older than the tables"}


def test_a_folder_that_nobody_vouches_for_is_incomplete(dataset: DatasetFolder) -> None:
    (dataset.exports / ".receipts.json").write_bytes(b"{")
    assert export_states(dataset) == {"coco": "incomplete", "parquet": "incomplete"}


def test_an_export_that_was_removed_leaves_no_receipt(dataset: DatasetFolder) -> None:
    (dataset.exports / "coco").rmdir()
    end_export(dataset, [])
    (dataset.exports / "coco").mkdir()
    assert export_states(dataset)["coco"] == "incomplete"
