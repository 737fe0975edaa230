"""Judge a batch: compare the blind review of its sample with its labels."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from tundish.labeling.acceptance.batch import (
    FINDINGS,
    AqlResult,
    Batch,
    dump_json,
    read_batches,
    switching_state,
)
from tundish.labeling.acceptance.curve import draw_oc_curve
from tundish.labeling.acceptance.verdict import (
    ALL_CLASSES,
    CLASSES,
    KINDS,
    BatchVerdict,
    Verdict,
    count_nonconforming,
    find_nonconformities,
    judge_sample,
)
from tundish.labeling.agreement.matching import match_labels
from tundish.labeling.agreement.overlaps import find_overlaps
from tundish.labeling.pool import files_of
from tundish.labeling.tables import ANSWERS, last_answers
from tundish.recipe.classes import normalise
from tundish.storage.table import write_atomically
from tundish.storage.tables import ANNOTATIONS, CONSENSUS, IMAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tundish.storage.dataset import DatasetFolder

__all__ = ["JudgedBatch", "judge_batch", "unreviewed_images"]

_MATCH_IOU = 0.1
"""Low, so that a badly placed shape is one nonconformity (misplaced) and not two (rejected and missed)."""

_BATCH, _REVIEW = "batch", "review"


class JudgedBatch(NamedTuple):
    """A judged batch.

    Attributes:
        batch: The batch with its results.
        verdict: The verdicts by all its AQLs.
        notes: Sentences for the user.
    """

    batch: Batch
    verdict: BatchVerdict
    notes: list[str]


def judge_batch(
    batch: Batch, dataset: DatasetFolder, class_of: Mapping[str, str] | None = None
) -> JudgedBatch:
    """Compare the reviewers' answers with the labels of a batch, and store the result in its folder.

    An image counts as reviewed when it was answered and all of its regions could be read; the last changed
    answer counts. Equal answers give equal bytes.

    Args:
        batch: The batch, with the reviewers' answers in its ``review/``, as `pull` writes them.
        dataset: The dataset's folder.
        class_of: The recipe's classes by normalised spelling: some may have been renamed since the batch was
            opened.
    """
    answers, reviewed, notes = _reviewed(batch)
    images = dataset.read(IMAGES)
    sizes = images.select("image_id", "width", "height")
    labels = CONSENSUS.read(batch.folder / "sample.parquet")
    known = class_of or {}
    names = {name: known.get(normalise(name), name) for name in labels["label"].drop_nulls().unique()}
    labels = labels.with_columns(pl.col("label").replace(names))
    pairs = _pairs(batch, answers, labels, reviewed, sizes)
    seen = set(answers["image_id"])
    items = find_nonconformities(
        [one for one in batch.sample if one in seen], pairs, misplaced=batch.misplaced, loose=batch.loose
    )
    verdict = judge_sample(batch.plans, batch.sample, items, miss_rate=batch.miss_rate)
    notes += _own_work(answers, dataset)
    results = {
        name: AqlResult(one.accepted, one.inspected, one.defects) for name, one in verdict.verdicts.items()
    }
    judged = replace(batch, results=results)
    FINDINGS.write(_with_paths(items, images, dataset), batch.folder / "findings.parquet")
    write_atomically(batch.folder / "oc.svg", draw_oc_curve(verdict.verdicts).encode())
    summary = _summary(judged, verdict, items, answers, dataset)
    write_atomically(batch.folder / "verdict.json", dump_json(summary))
    return JudgedBatch(judged, verdict, notes)


def unreviewed_images(batch: Batch) -> list[str]:
    """List the images of a batch's sample that nobody has reviewed yet, in the order they were drawn."""
    if not (batch.folder / "review" / "answers.parquet").exists():
        return batch.sample
    done = set(_reviewed(batch)[0]["image_id"])
    return [image_id for image_id in batch.sample if image_id not in done]


def _reviewed(batch: Batch) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """The answer that counts for each reviewed image, the labels drawn in it, and notes."""
    folder = batch.folder / "review"
    answers = ANSWERS.read(folder / "answers.parquet").filter(
        (pl.col("answer") != "cancelled") & pl.col("image_id").is_in(batch.sample)
    )
    labels = ANNOTATIONS.read(folder / "annotations.parquet")
    last = last_answers(answers)
    drawn = labels.join(last, on=["image_id", "label_path"], how="semi")
    unread = (pl.col("refused") > 0) | pl.col("label_path").is_in(
        drawn.filter(~pl.col("valid"))["label_path"].implode()
    )
    broken = last.filter(unread).height
    whole = last.filter(~unread).sort("image_id")
    notes = (
        [f"{broken} answers have a region that cannot be read, and do not count; draw it again"]
        if broken
        else []
    )
    return whole, drawn.join(whole, on="image_id", how="semi"), notes


def _pairs(
    batch: Batch, answers: pl.DataFrame, labels: pl.DataFrame, reviewed: pl.DataFrame, sizes: pl.DataFrame
) -> pl.DataFrame:
    """The batch's labels beside the reviewer's, in the form for `find_nonconformities`."""
    ours = labels.join(answers, on="image_id", how="semi").select(ANNOTATIONS.schema.names)
    both = pl.concat(
        [ours.with_columns(author=pl.lit(_BATCH)), reviewed.with_columns(author=pl.lit(_REVIEW))],
        how="vertical_relaxed",
    )
    seen = pl.concat([answers.select("image_id", author=pl.lit(author)) for author in (_BATCH, _REVIEW)])
    matches = match_labels(find_overlaps(both, sizes), seen, iou=_MATCH_IOU)
    return (
        matches.join(batch.images.select("image_id", "severity"), on="image_id", how="left")
        .join(answers.select("image_id", review_severity="severity"), on="image_id", how="left")
        .select(
            *("image_id", "label", "severity"),
            *("review_severity", "iou"),
            review_label="other_label",
        )
    )


def _with_paths(items: pl.DataFrame, images: pl.DataFrame, dataset: DatasetFolder) -> pl.DataFrame:
    """The findings with the source and path of the file that represents each image."""
    once = images.sort("source", "path").unique("image_id", keep="first")
    return items.join(files_of(dataset, once), on="image_id", how="left")


def _own_work(answers: pl.DataFrame, dataset: DatasetFolder) -> list[str]:
    """A note for each reviewer who reviewed images that they had answered themselves."""
    theirs = dataset.read(ANSWERS, dataset.labels).filter(pl.col("answer") != "cancelled")
    own = answers.join(theirs, on=["image_id", "author"], how="semi")
    counts = Counter(own["author"].to_list())
    return [
        f"{author} reviewed {count} images that they had labelled themselves: that is not a second opinion"
        for author, count in sorted(counts.items())
    ]


def _summary(
    batch: Batch, verdict: BatchVerdict, items: pl.DataFrame, answers: pl.DataFrame, dataset: DatasetFolder
) -> dict[str, object]:
    """The content of verdict.json."""
    before = [one for one in read_batches(dataset.labels) if one.number < batch.number]
    by_name: dict[str, dict[str, object]] = {}
    for name, one in verdict.verdicts.items():
        by_name[name] = _summary_of(one)
        if one.plan.aql is not None:
            state = switching_state([*before, batch], one.plan.aql, name, batch.producer)
            by_name[name]["switching"] = asdict(state)
    whole = {"accepted": batch.accepted, "inspected": batch.inspected, "sentence": str(verdict)}
    return {
        "number": batch.number,
        "producer": batch.producer,
        "miss_rate": batch.miss_rate,
        **(by_name[ALL_CLASSES] if ALL_CLASSES in by_name else whole | {"classes": by_name}),
        "images_by_worst": {name: count_nonconforming(items, (name,)) for name in CLASSES},
        "findings": {kind: int(items[kind].sum()) for kind in KINDS},
        "reviewers": sorted(answers["author"].drop_nulls().unique()),
    }


def _summary_of(verdict: Verdict) -> dict[str, object]:
    return {
        "accepted": verdict.accepted,
        "inspected": verdict.inspected,
        "defects": verdict.defects,
        "missing": verdict.missing,
        "rate": verdict.rate,
        "interval": list(verdict.interval) if verdict.interval else None,
        "upper": verdict.upper,
        "chance": verdict.chance,
        "sentence": str(verdict),
    }
