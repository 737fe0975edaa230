from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stages.curated import build, detection

from tundish.audit.ledger import Tally, left_out, read_ledger
from tundish.storage.dataset import DatasetFolder
from tundish.storage.tables import ANNOTATIONS, FILES, IMAGES, QUARANTINE, SPLITS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tundish.audit.ledger import Ledger
    from tundish.stages.base import Context


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return build(tmp_path, detection())


def ledger_of(context: Context) -> Ledger:
    return read_ledger(context.dataset)


def quarantine(context: Context, *rows: dict[str, object]) -> None:
    full = [{"severity": "error", "message": "", "column": "", "value": ""} | row for row in rows]
    context.dataset.write(QUARANTINE, QUARANTINE.frame(full))


def more_files(context: Context, batch: int, *rows: Mapping[str, object]) -> None:
    full = [{"source": "line-1", "batch": batch, "size": 1, **row} for row in rows]
    FILES.write(FILES.frame(full), context.dataset.store / "files" / f"{batch:05d}-y.parquet")


def test_a_clean_dataset_closes(context: Context) -> None:
    ledger = ledger_of(context)
    assert ledger.files == Tally(10, 10)
    assert ledger.annotations == Tally(9, 9)
    assert ledger.contradictions == ()
    assert ledger.closes


def test_every_outcome_is_counted_with_its_reason(context: Context) -> None:
    more_files(
        context,
        3,
        {"path": "empty.jpg", "kind": "image", "outcome": "quarantined", "reason": "empty_file"},
        {"path": "notes.doc", "kind": "other", "outcome": "skipped", "reason": "not_for_this_format"},
        {"path": "a.xml", "kind": "annotation", "outcome": "accepted"},
    )
    quarantine(context, {"kind": "file", "source": "line-1", "path": "a.xml", "check": "entity_bomb"})
    files = ledger_of(context).files
    assert files == Tally(13, 10, {"empty_file": 1, "entity_bomb": 1}, {"not_for_this_format": 1})


def test_an_image_found_broken_later_takes_its_file_out(context: Context) -> None:
    broken = detection()[0]
    images = context.dataset.read(IMAGES)
    IMAGES.write(images.filter(pl.col("image_id") != broken.image_id), context.dataset.table("images"))
    SPLITS.write(
        context.dataset.read(SPLITS).filter(pl.col("image_id") != broken.image_id),
        context.dataset.table("splits"),
    )
    fault: dict[str, object] = {"kind": "image", "id": broken.image_id, "check": "truncated"}
    for place in ({}, {"source": broken.source, "path": broken.path}):
        quarantine(context, fault | place, fault | place | {"check": "blurred"})
        ledger = ledger_of(context)
        assert ledger.files == Tally(10, 9, {"blurred": 1})
        assert ledger.contradictions == ()


def test_a_warning_takes_nothing_out(context: Context) -> None:
    quarantine(
        context,
        {"kind": "image", "source": "line-1", "path": "A1/a.jpg", "check": "dark", "severity": "warning"},
    )
    assert ledger_of(context).files.accepted == 10


def test_a_later_version_supersedes_an_earlier_one(context: Context) -> None:
    first = detection()[0]
    row = {"path": first.path, "kind": "image", "outcome": "accepted", "image_id": first.image_id}
    more_files(context, 4, row)
    more_files(context, 5, row)
    files = ledger_of(context).files
    assert files == Tally(12, 10, {}, {"superseded": 2})
    assert files.closes


def test_labels_that_could_not_be_read_are_input_too(context: Context) -> None:
    labels = context.dataset.read(ANNOTATIONS)
    bad = labels["annotation_id"][0]
    ANNOTATIONS.write(
        labels.with_columns(valid=pl.col("annotation_id") != bad), context.dataset.table("annotations")
    )
    taken = labels.row(1, named=True)
    quarantine(
        context,
        {"kind": "annotation", "id": bad, "source": "line-1", "path": "x.xml", "row": 0, "check": "outside"},
        {"kind": "annotation", "id": bad, "source": "line-1", "path": "x.xml", "row": 0, "check": "tiny"},
        {"kind": "annotation", "source": "line-1", "path": "x.txt", "row": 3, "check": "not_a_number"},
        {"kind": "annotation", "source": "line-1", "path": "x.txt", "row": 3, "check": "wrong_count"},
        {"kind": "annotation", "source": "line-1", "path": "x.txt", "row": 4, "check": "not_a_number"},
        {
            "kind": "annotation",
            "source": "line-1",
            "path": "y.json",
            "check": "image_not_found",
            "value": "p.jpg",
        },
        {
            "kind": "annotation",
            "source": "line-1",
            "path": "y.json",
            "check": "image_not_found",
            "value": "q.jpg",
        },
        {
            "kind": "annotation",
            "source": taken["source"],
            "path": taken["label_path"],
            "row": taken["label_row"],
            "check": "reversed_corners",
            "severity": "warning",
        },
    )
    tally = ledger_of(context).annotations
    assert tally == Tally(13, 8, {"not_a_number": 2, "image_not_found": 2, "outside": 1})
    assert tally.closes


def test_an_invalid_label_without_a_reason_is_reported(context: Context) -> None:
    labels = context.dataset.read(ANNOTATIONS)
    ANNOTATIONS.write(labels.with_columns(valid=pl.lit(False)), context.dataset.table("annotations"))
    ledger = ledger_of(context)
    assert ledger.annotations == Tally(9, 0, {"no reason given": 9})
    assert ledger.contradictions == ("9 annotations removed without a reason, first line-1/A1/A.JPG",)
    assert not ledger.closes


def test_tables_that_contradict_each_other_are_reported(context: Context) -> None:
    images = context.dataset.read(IMAGES)
    gone = images.row(by_predicate=pl.col("path") == "A1/a.jpg", named=True)["image_id"]
    IMAGES.write(images.filter(pl.col("image_id") != gone), context.dataset.table("images"))
    told = ledger_of(context).contradictions
    assert told == (
        "1 accepted image file without a valid row in images, first line-1/A1/a.jpg",
        "1 image in splits without a valid row in images, first line-1/A1/a.jpg",
    )


def test_reasons_of_the_left_out_are_kinds() -> None:
    rows: list[dict[str, object]] = [
        {"split": "train", "reason": "dealt"},
        {"reason": "unlabelled"},
        {"reason": f"duplicate: same picture as {'a' * 32}"},
        {"reason": f"duplicate: same picture as {'b' * 32}"},
        {},
    ]
    assert left_out(SPLITS.frame(rows)) == {
        "duplicate: same picture": 2,
        "no reason given": 1,
        "unlabelled": 1,
    }


def test_before_validation_there_is_no_tally_of_annotations(context: Context) -> None:
    for path in context.dataset.curated.iterdir():
        path.unlink()
    ledger = ledger_of(context)
    assert ledger.annotations is None
    assert ledger.closes


def test_nothing_at_all_is_an_empty_ledger(tmp_path: Path) -> None:
    assert read_ledger(DatasetFolder("none", tmp_path)).files == Tally(0, 0)


@given(
    st.integers(0, 9),
    st.dictionaries(st.text(), st.integers(1, 9)),
    st.dictionaries(st.text(), st.integers(1, 9)),
)
def test_a_tally_closes_only_when_the_sum_is_right(
    accepted: int, quarantined: dict[str, int], skipped: dict[str, int]
) -> None:
    total = accepted + sum(quarantined.values()) + sum(skipped.values())
    assert Tally(total, accepted, quarantined, skipped).closes
    assert not Tally(total + 1, accepted, quarantined, skipped).closes
