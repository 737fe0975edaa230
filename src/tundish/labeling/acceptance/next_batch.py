"""Open the next batch: its images, their producer, and the plans by which they are inspected.

A producer has one batch under review at a time. A batch that was not accepted is resubmitted when each image
that was found nonconforming has been labelled again: drawing further samples from the same labels until one
passes would not be an inspection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import MissingStepError, UsageError
from tundish.labeling.acceptance.batch import (
    BATCH_IMAGES,
    Batch,
    read_batches,
    read_findings,
    switching_state,
    write_batch,
)
from tundish.labeling.acceptance.gate import fingerprint_labels, latest_batches, unchanged_images
from tundish.labeling.acceptance.opening import last_in_series
from tundish.labeling.acceptance.options import AUTO, STANDARD, BatchOptions, check_options
from tundish.labeling.acceptance.plans import SamplingPlan, compute_isolated_plan, look_up_plan
from tundish.labeling.acceptance.switching import CorrectiveAction, next_state
from tundish.labeling.acceptance.verdict import ALL_CLASSES, CLASSES_BY_AQL, draw_sample
from tundish.labeling.agreement.severities import agreed_severities
from tundish.labeling.pool import images_of
from tundish.labeling.tables import ADJUDICATOR, ANSWERS, answers_fingerprint, recorded_fingerprint
from tundish.storage.tables import CONSENSUS, STANDING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tundish.recipe.labelling import Nonconformity
    from tundish.storage.dataset import DatasetFolder

__all__ = [
    "SEVERAL",
    "check_consensus",
    "count_waiting_images",
    "create_next_batch",
    "find_open_batch",
    "refused_batches",
]

SEVERAL = "several"
"""The producer of images that more than one annotator answered, or an adjudicator decided."""

_DECIDED = ("labelled", "negative", "refused", "unreviewed")


def find_open_batch(
    dataset: DatasetFolder, annotator: str = "", class_of: Mapping[str, str] | None = None
) -> Batch | None:
    """Find the batch whose review is not complete.

    Args:
        dataset: The dataset's folder.
        annotator: The producer of the batch; '' for any.
        class_of: As in `BatchOptions`.

    Returns:
        The batch, or None where no review is open.
    """
    batches = read_batches(dataset.labels)
    done = _corrected(dataset, batches, class_of or {}) + _resubmitted(batches)
    mine = [one for one in batches if annotator in ("", one.producer)]
    return next((one for one in mine if not one.complete and one not in done), None)


def refused_batches(dataset: DatasetFolder) -> list[Batch]:
    """List the batches that were not accepted and have not been resubmitted."""
    batches = read_batches(dataset.labels)
    resubmitted = _resubmitted(batches)
    return [one for one in batches if one.accepted is False and one not in resubmitted]


def create_next_batch(dataset: DatasetFolder, options: BatchOptions) -> Batch | None:
    """Open the next batch: a resubmitted one, or the images that are not in a batch.

    Args:
        dataset: The dataset's folder.
        options: How the batch is to be inspected.

    Returns:
        The batch, whose files are written; None where there are no images for one.

    Raises:
        UsageError: As for `check_options`; or the annotator has no answers, or inspection is discontinued.
        MissingStepError: No answers were pulled, or the stage consensus has not run since.
    """
    check_options(options)
    batches = read_batches(dataset.labels)
    producer, again, now = _candidates(dataset, batches, options)
    if now.is_empty():
        return None
    number = 1 + max((one.number for one in batches), default=0)
    options = _as_before(options, again or last_in_series(batches, producer))
    plans = _plans(batches, options, producer, now.height)
    sample = draw_sample(now["image_id"], max(plans.values(), key=lambda one: one.n), options.seed)
    places = (
        pl.DataFrame({"image_id": sample})
        .with_row_index("place")
        .with_columns(pl.col("place").cast(pl.Int32))
    )
    labels = _labels(dataset)
    images = now.join(fingerprint_labels(now["image_id"], labels), on="image_id", maintain_order="left")
    made = Batch(
        number,
        dataset.labels / "batches" / str(number),
        f"{options.title} review {number}",
        plans,
        options.seed,
        images.join(places, on="image_id", how="left").select(BATCH_IMAGES.schema.names),
        resubmits=again.number if again else None,
        reduced=options.reduced,
        chosen=options.severity != AUTO,
        corrected=options.corrected,
        producer=producer,
        miss_rate=options.miss_rate,
        misplaced=options.misplaced,
        loose=options.loose,
        classes=sorted(labels.join(now, on="image_id", how="semi")["label"].unique()),
    )
    write_batch(made, labels.join(places, on="image_id", how="semi"))
    return made


def count_waiting_images(dataset: DatasetFolder, options: BatchOptions) -> int:
    """Count the images of the next batch; 0 where the stage consensus must run first to know them."""
    try:
        return _candidates(dataset, read_batches(dataset.labels), options)[2].height
    except MissingStepError:
        return 0


def _as_before(options: BatchOptions, before: Batch | None) -> BatchOptions:
    """Fill in options that are not given: as in the batch before, or the standard ones."""
    if options.lq is not None:
        return options
    if before is not None and before.plan.lq is not None and options.aql is None:
        return options._replace(lq=before.plan.lq, ac=before.plan.ac)
    aql, level = STANDARD.aql, STANDARD.level
    if before is not None and before.plan.aql is not None:
        aql, level = _aql_of(before), before.plan.level
    return options._replace(
        aql=aql if options.aql is None else options.aql,
        level=level if options.level is None else options.level,
    )


def _aql_of(batch: Batch) -> float | dict[Nonconformity, float]:
    """The AQL of a batch, in the form of `BatchOptions.aql`."""
    aqls = {name: one.aql for name, one in batch.plans.items() if one.aql is not None}
    names: tuple[Nonconformity, ...] = ("critical", "major", "minor")
    return aqls[ALL_CLASSES] if ALL_CLASSES in aqls else {name: aqls[name] for name in names if name in aqls}


def _candidates(
    dataset: DatasetFolder, batches: Sequence[Batch], options: BatchOptions
) -> tuple[str, Batch | None, pl.DataFrame]:
    """The next producer, the batch to resubmit if any, and the images, as `_decided` returns them."""
    check_consensus(dataset)
    now = _decided(dataset)
    corrected = _corrected(dataset, batches, options.class_of)
    again = next((one for one in corrected if options.annotator in ("", one.producer)), None)
    if again:
        return again.producer, again, now.join(again.images, on="image_id", how="semi")
    producer, now = _next_producer(dataset, _fresh(dataset, now, batches, options.class_of), options)
    return producer, None, now


def check_consensus(dataset: DatasetFolder) -> None:
    """Check that the labels that count are derived from the answers that were pulled last.

    Args:
        dataset: The dataset's folder.

    Raises:
        MissingStepError: They are not; or nothing was pulled, nobody answered, or the stage consensus has not
            run.
    """
    path = dataset.table("standing")
    answers = dataset.table("answers", dataset.labels)
    if ANSWERS.read(answers, dataset=dataset.name).is_empty():
        raise MissingStepError(
            "nobody has answered yet",
            where=str(answers),
            fix=f"run 'tundish label pull {dataset.name}' when somebody has answered",
        )
    STANDING.read(path, dataset=dataset.name)
    if recorded_fingerprint(path) != answers_fingerprint(dataset.labels):
        raise MissingStepError(
            "answers were pulled since the labels that count were determined",
            where=str(path),
            fix=f"run 'tundish run {dataset.name} --to consensus'",
        )


def _next_producer(
    dataset: DatasetFolder, fresh: pl.DataFrame, options: BatchOptions
) -> tuple[str, pl.DataFrame]:
    """The next producer, and the images of theirs that are not in a batch."""
    if not options.per_annotator:
        return "", fresh
    by_image = _producers(dataset)
    known = by_image["producer"].unique().to_list()
    if options.annotator and options.annotator not in known:
        raise UsageError(
            f"no image was answered by '{options.annotator}' alone",
            where=dataset.name,
            fix=f"use one of {', '.join(_in_order(known))}" if known else "pull answers first",
        )
    fresh = fresh.join(by_image, on="image_id", how="left").with_columns(
        pl.col("producer").fill_null(SEVERAL)
    )
    producer = options.annotator or next(iter(_in_order(fresh["producer"].unique().to_list())), "")
    return producer, fresh.filter(producer=producer)


def _producers(dataset: DatasetFolder) -> pl.DataFrame:
    """image_id and producer of the answered images; skipped tasks do not count."""
    answers = dataset.read(ANSWERS, dataset.labels).filter(pl.col("answer") != "cancelled")
    author = pl.col("author").fill_null("annotator")
    alone = (author.n_unique() == 1) & ~(pl.col("role") == ADJUDICATOR).any()
    producer = pl.when(alone).then(author.first()).otherwise(pl.lit(SEVERAL))
    return answers.group_by("image_id").agg(producer=producer)


def _in_order(producers: Sequence[str]) -> list[str]:
    return sorted(producers, key=lambda name: (name == SEVERAL, name))


def _plans(
    batches: Sequence[Batch], options: BatchOptions, producer: str, lot_size: int
) -> dict[str, SamplingPlan]:
    """A plan for each AQL, as severe as the producer's earlier batches require; or an isolated plan."""
    if options.lq is not None:
        return {ALL_CLASSES: compute_isolated_plan(lot_size, options.lq, options.ac)}
    assert options.level is not None
    plans = {}
    for name, aql in options.aqls.items():
        state = switching_state(batches, aql, name, producer)
        state = next_state(state, CorrectiveAction()) if options.corrected else state
        if state.discontinued:
            of, other = (f" of {producer}", "; --annotator selects another") if producer else ("", "")
            raise UsageError(
                f"inspection{of} is discontinued: five batches were not accepted under tightened inspection",
                where=name or "acceptance",
                fix=f"correct the cause and describe what was done with --corrected{other}",
            )
        required = "normal" if state.severity == "reduced" and not options.reduced else state.severity
        severity = required if options.severity == AUTO else options.severity
        plans[name] = look_up_plan(lot_size, options.level, aql, severity)
    return plans


def _decided(dataset: DatasetFolder) -> pl.DataFrame:
    """image_id and severity of the images that annotators decided and that may enter the splits."""
    label_state = dataset.read(STANDING).filter(
        (pl.col("decided_by") != "import") & pl.col("state").is_in(_DECIDED)
    )
    known = label_state.join(images_of(dataset), on="image_id", how="semi").select(
        pl.col("image_id").unique()
    )
    answers = dataset.read(ANSWERS, dataset.labels)
    return known.join(agreed_severities(answers), on="image_id", how="left").sort("image_id")


def _labels(dataset: DatasetFolder) -> pl.DataFrame:
    """The annotators' labels that count; those of equal files are listed once."""
    labels = dataset.read(CONSENSUS).filter(pl.col("origin") == "annotator")
    return labels.unique(["image_id", "annotation_id"], keep="first", maintain_order=True)


def _fresh(
    dataset: DatasetFolder, now: pl.DataFrame, batches: Sequence[Batch], class_of: Mapping[str, str]
) -> pl.DataFrame:
    """Images not in a batch, left out of a resubmitted one, or labelled again since acceptance."""
    last, same = latest_batches(batches), unchanged_images(_labels(dataset), now, batches, class_of)
    left = pl.col("batch").is_in([one.number for one in _resubmitted(batches)])
    held = last.filter(pl.col("accepted").fill_null(value=False).not_() & ~left)
    same = last.filter("accepted").join(same, on=["image_id", "batch"], how="semi")
    return now.join(pl.concat([held, same]), on="image_id", how="anti")


def _resubmitted(batches: Sequence[Batch]) -> list[Batch]:
    again = {one.resubmits for one in batches}
    return [one for one in batches if one.number in again]


def _corrected(dataset: DatasetFolder, batches: Sequence[Batch], class_of: Mapping[str, str]) -> list[Batch]:
    """The batches that were not accepted, and whose nonconforming images were all labelled again since."""
    open_ = [one for one in batches if one.accepted is False and one not in _resubmitted(batches)]
    if not open_:
        return []
    now = _decided(dataset)
    same = unchanged_images(_labels(dataset), now, open_, class_of)
    corrected = []
    for one in open_:
        judged = [worst for name in one.plans for worst in CLASSES_BY_AQL[name]]
        bad = read_findings(one).filter(pl.col("worst").is_in(judged))
        left = same.filter(batch=one.number).join(bad, on="image_id", how="semi")
        if (
            now.join(left, on="image_id", how="semi").is_empty()
            and now.join(one.images, on="image_id", how="semi").height
        ):
            corrected.append(one)
    return corrected
