"""From a labelled batch to a verdict: the next batch, its sample, and the blind review beside its labels.

One batch is under review at a time. One that was not accepted comes again, as a resubmitted one, when each
image that was found nonconforming has been labelled anew: drawing another sample from the same labels until
one passes is no inspection. The annotators of a dataset are taken as one producer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, NamedTuple

import orjson
import polars as pl

from tundish.errors import UsageError
from tundish.labeling.acceptance import CLASSES, KINDS, Verdict, defective, draw, nonconformities, verdict
from tundish.labeling.answers import ANSWERS
from tundish.labeling.batches import (
    FINDINGS,
    LOT,
    Batch,
    dumped,
    fingerprints,
    history,
    latest,
    read_batches,
    write_batch,
)
from tundish.labeling.matching import match
from tundish.labeling.overlaps import overlaps
from tundish.labeling.picture import oc_picture
from tundish.labeling.sampling_plans import plan
from tundish.labeling.switching import CorrectiveAction, after
from tundish.labeling.worklist import images_of
from tundish.storage import write_atomically
from tundish.tables import ANNOTATIONS, CONSENSUS, IMAGES, STANDING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Asked", "Judged", "judge", "next_batch", "open_batch", "refused", "verdict_of"]

_MATCH_IOU = 0.1
"""Low, so that a shape that lies badly is one nonconformity (misplaced) and not two (rejected and missed)."""

_DECIDED = ("labelled", "negative", "refused", "unreviewed")
_BATCH, _REVIEW = "batch", "review"


class Asked(NamedTuple):
    """How a batch is to be inspected.

    Attributes:
        title: Of the dataset's project; the review's has it, too.
        aql: Percent of nonconforming images.
        level: Inspection level.
        severity: 'auto' as the switching rules say; else one of `SEVERITIES`.
        seed: Of the sample.
        reduced: Whoever answers for the labels agrees to reduced inspection.
        corrected: What was done against the cause, after inspection was discontinued.
    """

    title: str
    aql: float = 1.0
    level: str = "II"
    severity: str = "auto"
    seed: int = 0
    reduced: bool = False
    corrected: str = ""


class Judged(NamedTuple):
    """A batch with its verdict, and sentences worth reading."""

    batch: Batch
    verdict: Verdict
    notes: list[str]


def open_batch(dataset: Path) -> Batch | None:
    """The batch whose review is not complete."""
    batches = read_batches(dataset / "labels")
    mended = _mended(dataset, batches)
    return next((one for one in batches if not one.complete and one not in mended + _followed(batches)), None)


def refused(dataset: Path) -> list[Batch]:
    """The batches that were not accepted and have not come again."""
    batches = read_batches(dataset / "labels")
    followed = _followed(batches)
    return [one for one in batches if one.accepted is False and one not in followed]


def next_batch(dataset: Path, asked: Asked) -> Batch | None:
    """Make the next batch: one that comes again, or the images that are in none; None where there are none.

    Raises:
        UsageError: The plan is not in the tables, or inspection is discontinued.
        MissingStepError: The stage consensus has not run.
    """
    batches = read_batches(dataset / "labels")
    now = _decided(dataset)
    again = next(iter(_mended(dataset, batches)), None)
    now = now.join(again.lot, on="image_id", how="semi") if again else _fresh(now, batches)
    if now.is_empty():
        return None
    number = 1 + max((one.number for one in batches), default=0)
    state = history(batches, asked.aql)
    state = after(state, CorrectiveAction()) if asked.corrected else state
    if state.discontinued:
        raise UsageError(
            "inspection is discontinued: five lots were not accepted under tightened inspection",
            where=dataset.name,
            fix="mend the cause and say what was done with --corrected",
        )
    severity = state.severity if asked.severity == "auto" else asked.severity
    planned = plan(now.height, asked.level, asked.aql, severity)
    sample = draw(now["image_id"], planned, asked.seed)
    places = (
        pl.DataFrame({"image_id": sample})
        .with_row_index("place")
        .with_columns(pl.col("place").cast(pl.Int32))
    )
    made = Batch(
        number,
        dataset / "labels" / "batches" / str(number),
        f"{asked.title} review {number}",
        planned,
        asked.seed,
        now.join(places, on="image_id", how="left").select(LOT.schema.names),
        resubmits=again.number if again else None,
        reduced=asked.reduced,
        chosen=asked.severity != "auto",
        corrected=asked.corrected,
    )
    labels = _labels(dataset).join(places, on="image_id", how="semi")
    write_batch(made, labels)
    return made


def _decided(dataset: Path) -> pl.DataFrame:
    """image_id, fingerprint and severity of what annotators decided and may enter the splits."""
    curated = dataset / "curated"
    standing = STANDING.read(curated / "standing.parquet").filter(
        (pl.col("decided_by") != "import") & pl.col("state").is_in(_DECIDED)
    )
    known = standing.join(images_of(curated), on="image_id", how="semi")["image_id"].unique().sort()
    answers = ANSWERS.read(dataset / "labels" / "answers.parquet")
    agreed = pl.col("severity").drop_nulls().unique()
    severity = (
        answers.filter(pl.col("answer") != "cancelled")
        .group_by("image_id")
        .agg(severity=pl.when(agreed.len() == 1).then(agreed.first()))
    )
    return fingerprints(known, _labels(dataset)).join(severity, on="image_id", how="left").sort("image_id")


def _labels(dataset: Path) -> pl.DataFrame:
    """The annotators' labels that count, those of equal files once."""
    labels = CONSENSUS.read(dataset / "curated" / "consensus.parquet").filter(pl.col("origin") == "annotator")
    return labels.unique(["image_id", "annotation_id"], keep="first", maintain_order=True)


def _fresh(now: pl.DataFrame, batches: Sequence[Batch]) -> pl.DataFrame:
    """What is in no batch, or was labelled anew since its batch was accepted."""
    held = latest(batches).filter(pl.col("accepted").fill_null(value=False).not_())
    same = latest(batches).filter("accepted")
    return now.join(held, on="image_id", how="anti").join(same, on=["image_id", "fingerprint"], how="anti")


def _followed(batches: Sequence[Batch]) -> list[Batch]:
    again = {one.resubmits for one in batches}
    return [one for one in batches if one.number in again]


def _mended(dataset: Path, batches: Sequence[Batch]) -> list[Batch]:
    """The batches not accepted of which all that was found nonconforming has been labelled anew since."""
    open_ = [one for one in batches if one.accepted is False and one not in _followed(batches)]
    if not open_:
        return []
    now = _decided(dataset)
    mended = []
    for one in open_:
        bad = FINDINGS.read(one.folder / "findings.parquet").drop_nulls("worst")
        before = one.lot.join(bad, on="image_id", how="semi")
        unchanged = now.join(before, on=["image_id", "fingerprint"], how="semi").height
        if not unchanged and now.join(one.lot, on="image_id", how="semi").height:
            mended.append(one)
    return mended


def judge(batch: Batch, dataset: Path) -> Judged:
    """Hold the reviewers' answers against the labels of a batch, and store what comes of it in its folder.

    An image counts as reviewed when it was answered and all that was drawn could be read; the answer changed
    last counts. Equal answers give equal bytes.

    Args:
        batch: With the reviewers' answers in ``review/``, as `pull` leaves them.
        dataset: The dataset's folder.
    """
    answers, said, notes = _reviewed(batch)
    sizes = IMAGES.read(dataset / "curated" / "images.parquet").select("image_id", "width", "height")
    labels = CONSENSUS.read(batch.folder / "sample.parquet")
    pairs = _pairs(batch, answers, labels, said, sizes)
    items = nonconformities([one for one in batch.sample if one in set(answers["image_id"])], pairs)
    found = verdict(batch.plan, defective(items), items.height)
    notes += _own_work(answers, dataset)
    judged = replace(batch, accepted=found.accepted, inspected=found.inspected, defects=found.defects)
    FINDINGS.write(items, batch.folder / "findings.parquet")
    write_atomically(batch.folder / "oc.svg", oc_picture(batch.plan, found).encode())
    write_atomically(batch.folder / "verdict.json", dumped(_told(judged, found, items, answers, dataset)))
    return Judged(judged, found, notes)


def _reviewed(batch: Batch) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """The answer that counts of each image that was reviewed, what was drawn in it, and sentences."""
    folder = batch.folder / "review"
    answers = ANSWERS.read(folder / "answers.parquet").filter(
        (pl.col("answer") != "cancelled") & pl.col("image_id").is_in(batch.sample)
    )
    labels = ANNOTATIONS.read(folder / "annotations.parquet")
    last = answers.sort("updated_at", "answer_id", nulls_last=False).unique(
        "image_id", keep="last", maintain_order=True
    )
    place = pl.format("task-{}/annotation-{}", "task_id", "answer_id")
    last = last.with_columns(label_path=place)
    drawn = labels.join(last, on=["image_id", "label_path"], how="semi")
    unread = (pl.col("refused") > 0) | pl.col("label_path").is_in(
        drawn.filter(~pl.col("valid"))["label_path"].implode()
    )
    broken = last.filter(unread).height
    whole = last.filter(~unread).sort("image_id")
    notes = (
        [f"{broken} answers hold a region that cannot be taken, and do not count; draw it anew"]
        if broken
        else []
    )
    return whole, drawn.join(whole, on="image_id", how="semi"), notes


def _pairs(
    batch: Batch, answers: pl.DataFrame, labels: pl.DataFrame, said: pl.DataFrame, sizes: pl.DataFrame
) -> pl.DataFrame:
    """The batch's labels beside the reviewer's, as `nonconformities` wants them."""
    ours = labels.join(answers, on="image_id", how="semi").select(ANNOTATIONS.schema.names)
    both = pl.concat(
        [ours.with_columns(author=pl.lit(_BATCH)), said.with_columns(author=pl.lit(_REVIEW))],
        how="vertical_relaxed",
    )
    seen = pl.concat([answers.select("image_id", author=pl.lit(author)) for author in (_BATCH, _REVIEW)])
    matches = match(overlaps(both, sizes), seen, iou=_MATCH_IOU)
    return (
        matches.join(batch.lot.select("image_id", "severity"), on="image_id", how="left")
        .join(answers.select("image_id", review_severity="severity"), on="image_id", how="left")
        .select(
            *("image_id", "label", "severity"),
            *("review_severity", "iou"),
            review_label="other_label",
        )
    )


def _own_work(answers: pl.DataFrame, dataset: Path) -> list[str]:
    """A sentence where somebody reviewed an image that they had answered themselves."""
    theirs = ANSWERS.read(dataset / "labels" / "answers.parquet").filter(pl.col("answer") != "cancelled")
    own = answers.join(theirs, on=["image_id", "author"], how="semi")
    counts = Counter(own["author"].to_list())
    return [
        f"{author} reviewed {count} images that they had labelled themselves: that is no second opinion"
        for author, count in sorted(counts.items())
    ]


def _told(
    batch: Batch, found: Verdict, items: pl.DataFrame, answers: pl.DataFrame, dataset: Path
) -> dict[str, object]:
    before = [one for one in read_batches(dataset / "labels") if one.number < batch.number]
    assert batch.plan.aql is not None
    state = history([*before, batch], batch.plan.aql)
    return {
        "number": batch.number,
        "accepted": found.accepted,
        "inspected": found.inspected,
        "defects": found.defects,
        "missing": found.missing,
        "rate": found.rate,
        "interval": list(found.interval) if found.interval else None,
        "upper": found.upper,
        "chance": found.chance,
        "sentence": str(found),
        "images_by_worst": {letter: defective(items, letter) for letter in CLASSES},
        "findings": {kind: int(items[kind].sum()) for kind in KINDS},
        "reviewers": sorted(answers["author"].drop_nulls().unique()),
        "switching": asdict(state),
    }


def verdict_of(batch: Batch) -> dict[str, object] | None:
    """What verdict.json says; None before the first answer."""
    path = batch.folder / "verdict.json"
    return dict(orjson.loads(path.read_bytes())) if path.exists() else None
