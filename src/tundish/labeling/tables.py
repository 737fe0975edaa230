"""The tables of answers: those that `tundish label pull` writes, and those that label files hold."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tundish.storage.table import Table, field
from tundish.storage.tables import QUARANTINE

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "ADJUDICATOR",
    "ANSWERS",
    "JUDGEMENTS",
    "LABEL_FAULTS",
    "LABEL_PATH",
    "TASKS",
    "answered_images",
    "answers_fingerprint",
    "judgements_of",
    "last_answers",
    "last_answers_by_author",
    "recorded_fingerprint",
]

ADJUDICATOR = "adjudicator"
"""The role of a person who settles what annotators dispute."""

_TEXT = pa.string()
_ID = pa.int64()
_COUNT = pa.int32()
_TIME = pa.timestamp("us", tz="UTC")

ANSWERS = Table(
    "answers",
    pa.schema(
        [
            field("answer_id", _ID, "Label Studio's id of the annotation"),
            field("task_id", _ID, "Label Studio's id of the task"),
            field("image_id", _TEXT, "first 32 hex digits of the SHA-256 of the image file's bytes"),
            field("path", _TEXT, "path of the file, relative to its source, POSIX"),
            field("source", _TEXT, "name of the source in the recipe"),
            field("author", _TEXT, "who answered; null where not known"),
            field("role", _TEXT, "annotator, or adjudicator (who settles disputes of annotators)"),
            field("answer", _TEXT, "labelled, empty (nothing here) or cancelled (skipped)"),
            field("labels", _COUNT, "number of its rows in the annotations table"),
            field(
                "refused",
                _COUNT,
                "regions that could not be read; with any, an image without labels is not negative",
            ),
            field("severity", _TEXT, "severity of the image, where it was asked for"),
            field("lead_time_s", pa.float64(), "time spent on the answer", "s"),
            field("created_at", _TIME, "first submitted"),
            field("updated_at", _TIME, "last changed"),
            field("manual", _COUNT, "regions drawn by hand"),
            field("prediction", _COUNT, "regions kept as they were proposed"),
            field("prediction_changed", _COUNT, "regions proposed and then changed"),
            field("parent_prediction", _ID, "Label Studio's id of the prediction it started from"),
            field("parent_annotation", _ID, "Label Studio's id of the annotation it was copied from"),
            field("ground_truth", pa.bool_(), "marked as truth in the server"),
            field("notes", _TEXT, "answers to other questions about the image, as JSON"),
        ]
    ),
    ("source", "path", "task_id", "answer_id"),
    "label pull",
)
"""The table of answers; an image may have several answers, by one or more authors."""

JUDGEMENTS = Table(
    "judgements",
    pa.schema(
        [
            field("path", _TEXT, "path of the file, relative to its source, POSIX"),
            field("source", _TEXT, "name of the source in the recipe"),
            field("image_id", _TEXT, "first 32 hex digits of the SHA-256 of the image file's bytes"),
            field("label_path", _TEXT, "label file, relative to the source"),
            field("author", _TEXT, "who answered; null where the file does not say"),
            field("answer", _TEXT, "labelled, empty (nothing here) or cancelled (skipped)"),
            field("labels", _COUNT, "number of its rows in the annotations table"),
            field("refused", _COUNT, "labels that could not be read"),
        ]
    ),
    ("source", "path", "author", "label_path"),
    "validate",
)
"""Who answered what about an image, where label files keep several people's answers apart."""

LABEL_PATH = pl.format("task-{}/annotation-{}", "task_id", "answer_id")
"""Expression over a row of `ANSWERS`: the `label_path` of the answer's labels."""


def last_answers(answers: pl.DataFrame) -> pl.DataFrame:
    """Select the last changed answer of each image.

    Args:
        answers: Rows of `ANSWERS`.

    Returns:
        One row an image, with the `label_path` of its labels.
    """
    return _last(answers, "image_id").with_columns(label_path=LABEL_PATH)


def last_answers_by_author(answers: pl.DataFrame) -> pl.DataFrame:
    """Select the last changed answer of each author about each image: rows of `ANSWERS`."""
    return _last(answers, "image_id", "author")


def _last(answers: pl.DataFrame, *keys: str) -> pl.DataFrame:
    last = answers.sort("updated_at", "answer_id", nulls_last=False)
    return last.unique(keys, keep="last", maintain_order=True)


TASKS = Table(
    "tasks",
    pa.schema(
        [
            field("title", _TEXT, "title of the project"),
            field("project", _TEXT, "which project of that title: its number and its time of creation"),
            field("task_id", pa.int64(), "Label Studio's id of the task"),
            field(
                "created_at",
                _TEXT,
                "as the server reports it; distinguishes tasks whose number was used again",
            ),
            field("image_id", _TEXT, "first 32 hex digits of the SHA-256 of the image file's bytes"),
            field("updated_at", _TEXT, "as the server reports it; a task with another time is pulled again"),
            field("answers", pa.int32(), "number of annotations, including cancelled ones"),
            field("json", _TEXT, "the task with its annotations, as the server exports it"),
        ]
    ),
    ("title", "project", "task_id", "created_at"),
    "label pull",
    later=(pl.lit(None, pl.String).alias("created_at"),),
    history=True,
)
"""The server's tasks that have answers, one a row."""

LABEL_FAULTS = Table("problems", QUARANTINE.schema, QUARANTINE.order, "label pull")
"""Problems of regions and answers that were pulled."""

_PULLED = "pulled"


def answers_fingerprint(labels: Path) -> dict[str, str]:
    """Fingerprint the answers in a dataset's ``labels/``, as metadata for tables derived from them."""
    files = [labels / "annotations.parquet", labels / "answers.parquet"]
    digest = sha256(b"".join(sha256(file.read_bytes()).digest() for file in files if file.exists()))
    return {_PULLED: digest.hexdigest()}


def answered_images(labels: Path) -> dict[str, set[str]]:
    """List the images that annotators answered, as pulled, by title of the project, without skipped ones."""
    answers = ANSWERS.read_if_there(labels / "answers.parquet").filter(
        (pl.col("answer") != "cancelled") & pl.col("role").ne_missing(ADJUDICATOR)
    )
    tasks = TASKS.read_if_there(labels / "tasks.parquet").join(
        answers, on=["task_id", "image_id"], how="semi"
    )
    by_title = tasks.group_by("title").agg(pl.col("image_id").drop_nulls())
    return {title: set(image_ids) for title, image_ids in by_title.iter_rows()}


def recorded_fingerprint(table: Path) -> dict[str, str]:
    """Read the `answers_fingerprint` that a table was written with; empty if an earlier version wrote it."""
    recorded = (pq.read_schema(table).metadata or {}).get(_PULLED.encode())
    return {_PULLED: recorded.decode()} if recorded else {}


def judgements_of(labels: pl.DataFrame, answers: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Select the labels and answers that are annotators' judgements.

    An adjudicator's answer is a decision, not a judgement beside others. Where one annotator answered an
    image in several tasks, or several times in one, the last changed answer is the judgement: two answers
    would be two labels of one object, and not a second vote.

    Args:
        labels: Rows of the annotations table.
        answers: Rows of `ANSWERS`, without skipped ones.

    Returns:
        The labels and the answers, rows of the same tables.
    """
    last = last_answers_by_author(answers.filter(pl.col("role").ne_missing(ADJUDICATOR)))
    # Another server may use the number of an answer again, for another image.
    others = answers.join(last, on=["task_id", "answer_id", "image_id"], how="anti")
    others = others.select("image_id", label_path=LABEL_PATH)
    return labels.join(others, on=["image_id", "label_path"], how="anti", maintain_order="left"), last
