"""Which images are the next batch, whose work they are, and by which plans they are inspected.

A producer has one batch under review at a time. One that was not accepted comes again, as a resubmitted one,
when each image that was found nonconforming has been labelled anew: drawing another sample from the same
labels until one passes is no inspection.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from tundish.errors import MissingStepError, UsageError
from tundish.labeling.acceptance.batch import (
    BATCH_IMAGES,
    Batch,
    fingerprint_labels,
    latest_batches,
    read_batches,
    read_findings,
    switching_state,
    unchanged_images,
    write_batch,
)
from tundish.labeling.acceptance.opening import last_in_series
from tundish.labeling.acceptance.plans import SEVERITIES, SamplingPlan, compute_isolated_plan, look_up_plan
from tundish.labeling.acceptance.switching import CorrectiveAction, next_state
from tundish.labeling.acceptance.verdict import ALL_CLASSES, CLASSES_BY_AQL, draw_sample
from tundish.labeling.agreement.severities import agreed_severities
from tundish.labeling.pool import images_of
from tundish.labeling.tables import ADJUDICATOR, ANSWERS, answers_fingerprint, recorded_fingerprint
from tundish.storage.tables import CONSENSUS, STANDING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tundish.recipe.labelling import Nonconformity
    from tundish.storage.dataset import DatasetFolder

__all__ = [
    "SEVERAL",
    "BatchOptions",
    "check_consensus",
    "check_options",
    "count_waiting_images",
    "create_next_batch",
    "find_open_batch",
    "refused_batches",
]

SEVERAL = "several"
"""The producer of what more than one annotator answered, or an adjudicator decided."""

_DECIDED = ("labelled", "negative", "refused", "unreviewed")
_AUTO = "auto"


class BatchOptions(NamedTuple):
    """How a batch is to be inspected.

    Attributes:
        title: Of the dataset's project; the review's has it, too.
        aql: Percent of nonconforming images; of all classes, or by name of the class. None: that of the
            producer's batch before, for the switching rules speak of one series.
        level: Inspection level; None as for `aql`.
        severity: 'auto' as the switching rules say; else one of `SEVERITIES`.
        seed: Of the sample.
        reduced: Whoever answers for the labels agrees to reduced inspection.
        corrected: What was done against the cause, after inspection was discontinued.
        per_annotator: A batch holds one annotator's work; else that of all.
        annotator: Whose; '' takes the next who has images.
        miss_rate: Share of nonconforming images that the reviewers overlook.
        misplaced: IoU below which a label is in another place than the reviewer's.
        loose: IoU below which it is not tight.
        lq: Limiting quality in percent, for a lot that stands alone and so has no AQL, level or severity.
        ac: Its acceptance number.
        class_of: The recipe's classes by normalised spelling: some may have been renamed since a batch.
    """

    title: str
    aql: float | Mapping[Nonconformity, float] | None = None
    level: str | None = None
    severity: str = _AUTO
    seed: int = 0
    reduced: bool = False
    corrected: str = ""
    per_annotator: bool = False
    annotator: str = ""
    miss_rate: float = 0.0
    misplaced: float = 0.5
    loose: float = 0.75
    lq: float | None = None
    ac: int = 0
    class_of: Mapping[str, str] = {}

    @property
    def aqls(self) -> dict[str, float]:
        """By name, as in `CLASSES_BY_AQL`, the worst class first; empty where nothing is said."""
        if self.aql is None:
            return {}
        if not isinstance(self.aql, Mapping):
            return {ALL_CLASSES: self.aql}
        # The alphabet has them in this order, too.
        return {name: self.aql[name] for name in sorted(self.aql)}


_STANDARD = BatchOptions("", aql=1.0, level="II")
"""How the first batch of a producer is inspected where nothing is said."""


def check_options(asked: BatchOptions) -> None:
    """Refuse what no batch can be inspected by.

    Raises:
        UsageError: An AQL, level or severity that is not in the tables; one of them for a lot that stands
            alone; an annotator where a batch is of all.
    """
    if asked.severity not in (_AUTO, *SEVERITIES):
        raise UsageError(
            f"there is no severity '{asked.severity}'",
            where="severity",
            fix=f"take one of {', '.join((_AUTO, *SEVERITIES))}",
        )
    if asked.lq is not None:
        _check_alone(asked, asked.lq)
    if asked.severity == "reduced" and not asked.reduced:
        raise UsageError(
            "nobody answers for reduced inspection",
            where="severity",
            fix="write 'acceptance: {reduced: true}' into the recipe, or take normal",
        )
    for aql in (asked.aqls or _STANDARD.aqls).values():
        look_up_plan(2, "II" if asked.level is None else asked.level, aql)
    if asked.annotator and not asked.per_annotator:
        raise UsageError(
            "a batch holds the work of all annotators",
            where="annotator",
            fix="write 'acceptance: {per: annotator}' into the recipe to have one for each",
        )


def _check_alone(asked: BatchOptions, lq: float) -> None:
    if asked.level is not None or asked.severity != _AUTO:
        raise UsageError(
            f"a lot that stands alone has no {'severity' if asked.level is None else 'level'}",
            where="lq",
            fix="leave it away, or name an AQL instead of the LQ",
        )
    if not 0 < lq <= 100:
        raise UsageError(f"an LQ of {lq:g} %", where="lq", fix="take more than 0 %, and 100 % at most")


def find_open_batch(
    dataset: DatasetFolder, annotator: str = "", class_of: Mapping[str, str] | None = None
) -> Batch | None:
    """The batch, of this annotator or of any, whose review is not complete; `class_of` as of `BatchOptions`."""
    batches = read_batches(dataset.labels)
    done = _mended(dataset, batches, class_of or {}) + _followed(batches)
    mine = [one for one in batches if annotator in ("", one.producer)]
    return next((one for one in mine if not one.complete and one not in done), None)


def refused_batches(dataset: DatasetFolder) -> list[Batch]:
    """The batches that were not accepted and have not come again."""
    batches = read_batches(dataset.labels)
    followed = _followed(batches)
    return [one for one in batches if one.accepted is False and one not in followed]


def create_next_batch(dataset: DatasetFolder, asked: BatchOptions) -> Batch | None:
    """Make the next batch: one that comes again, or the images that are in none; None where there are none.

    Raises:
        UsageError: As of `check_options`; an annotator who has decided nothing; or inspection is discontinued.
        MissingStepError: No answers were pulled, or the stage consensus has not run since.
    """
    check_options(asked)
    batches = read_batches(dataset.labels)
    producer, again, now = _candidates(dataset, batches, asked)
    if now.is_empty():
        return None
    number = 1 + max((one.number for one in batches), default=0)
    asked = _as_before(asked, again or last_in_series(batches, producer))
    plans = _plans(batches, asked, producer, now.height)
    sample = draw_sample(now["image_id"], max(plans.values(), key=lambda one: one.n), asked.seed)
    places = (
        pl.DataFrame({"image_id": sample})
        .with_row_index("place")
        .with_columns(pl.col("place").cast(pl.Int32))
    )
    labels = _labels(dataset)
    lot = now.join(fingerprint_labels(now["image_id"], labels), on="image_id", maintain_order="left")
    made = Batch(
        number,
        dataset.labels / "batches" / str(number),
        f"{asked.title} review {number}",
        plans,
        asked.seed,
        lot.join(places, on="image_id", how="left").select(BATCH_IMAGES.schema.names),
        resubmits=again.number if again else None,
        reduced=asked.reduced,
        chosen=asked.severity != _AUTO,
        corrected=asked.corrected,
        producer=producer,
        miss_rate=asked.miss_rate,
        misplaced=asked.misplaced,
        loose=asked.loose,
        classes=sorted(labels.join(now, on="image_id", how="semi")["label"].unique()),
    )
    write_batch(made, labels.join(places, on="image_id", how="semi"))
    return made


def count_waiting_images(dataset: DatasetFolder, asked: BatchOptions) -> int:
    """How many images the next batch would hold; 0 where they are not known before the stage consensus."""
    try:
        return _candidates(dataset, read_batches(dataset.labels), asked)[2].height
    except MissingStepError:
        return 0


def _as_before(asked: BatchOptions, before: Batch | None) -> BatchOptions:
    """What is asked, with what is not said of it as it was before, or as is usual."""
    if asked.lq is not None:
        return asked
    if before is not None and before.plan.lq is not None and asked.aql is None:
        return asked._replace(lq=before.plan.lq, ac=before.plan.ac)
    aql, level = _STANDARD.aql, _STANDARD.level
    if before is not None and before.plan.aql is not None:
        aql, level = _aql_of(before), before.plan.level
    return asked._replace(
        aql=aql if asked.aql is None else asked.aql, level=level if asked.level is None else asked.level
    )


def _aql_of(batch: Batch) -> float | dict[Nonconformity, float]:
    """As it was asked for."""
    aqls = {name: one.aql for name, one in batch.plans.items() if one.aql is not None}
    names: tuple[Nonconformity, ...] = ("critical", "major", "minor")
    return aqls[ALL_CLASSES] if ALL_CLASSES in aqls else {name: aqls[name] for name in names if name in aqls}


def _candidates(
    dataset: DatasetFolder, batches: Sequence[Batch], asked: BatchOptions
) -> tuple[str, Batch | None, pl.DataFrame]:
    """Whose work comes next, the batch that comes again with it, and its images as of `_decided`."""
    check_consensus(dataset)
    now = _decided(dataset)
    mended = _mended(dataset, batches, asked.class_of)
    again = next((one for one in mended if asked.annotator in ("", one.producer)), None)
    if again:
        return again.producer, again, now.join(again.lot, on="image_id", how="semi")
    producer, now = _next_producer(dataset, _fresh(dataset, now, batches, asked.class_of), asked)
    return producer, None, now


def check_consensus(dataset: DatasetFolder) -> None:
    """The labels that count must be made of the answers that were pulled last.

    Raises:
        MissingStepError: They are not; or nothing was pulled, nobody had answered, or the stage consensus has
            not run.
    """
    path = dataset.table("standing")
    answers = dataset.table("answers", dataset.labels)
    if ANSWERS.read(answers).is_empty():
        raise MissingStepError(
            "nobody has answered yet",
            where=str(answers),
            fix=f"call 'tundish label pull {dataset.name}' when somebody has",
        )
    STANDING.read(path)
    if recorded_fingerprint(path) != answers_fingerprint(dataset.labels):
        raise MissingStepError(
            "the labels that count are not made of the answers that were pulled last",
            where=str(path),
            fix=f"run 'tundish run {dataset.name} --to consensus'",
        )


def _next_producer(
    dataset: DatasetFolder, fresh: pl.DataFrame, asked: BatchOptions
) -> tuple[str, pl.DataFrame]:
    """Whose work comes next, and what of it is in no batch."""
    if not asked.per_annotator:
        return "", fresh
    whose = _producers(dataset)
    there = whose["producer"].unique().to_list()
    if asked.annotator and asked.annotator not in there:
        raise UsageError(
            f"'{asked.annotator}' answered nothing alone",
            where=dataset.name,
            fix=f"take one of {', '.join(_in_order(there))}" if there else "pull answers first",
        )
    fresh = fresh.join(whose, on="image_id", how="left").with_columns(pl.col("producer").fill_null(SEVERAL))
    producer = asked.annotator or next(iter(_in_order(fresh["producer"].unique().to_list())), "")
    return producer, fresh.filter(producer=producer)


def _producers(dataset: DatasetFolder) -> pl.DataFrame:
    """image_id and producer of what was answered; a task that was skipped is no answer."""
    answers = dataset.read(ANSWERS, dataset.labels).filter(pl.col("answer") != "cancelled")
    author = pl.col("author").fill_null("annotator")
    alone = (author.n_unique() == 1) & ~(pl.col("role") == ADJUDICATOR).any()
    whose = pl.when(alone).then(author.first()).otherwise(pl.lit(SEVERAL))
    return answers.group_by("image_id").agg(producer=whose)


def _in_order(producers: Sequence[str]) -> list[str]:
    return sorted(producers, key=lambda name: (name == SEVERAL, name))


def _plans(
    batches: Sequence[Batch], asked: BatchOptions, producer: str, lot_size: int
) -> dict[str, SamplingPlan]:
    """A plan for each AQL, as severe as the producer's batches before ask for; or that of a lot alone."""
    if asked.lq is not None:
        return {ALL_CLASSES: compute_isolated_plan(lot_size, asked.lq, asked.ac)}
    assert asked.level is not None
    plans = {}
    for name, aql in asked.aqls.items():
        state = switching_state(batches, aql, name, producer)
        state = next_state(state, CorrectiveAction()) if asked.corrected else state
        if state.discontinued:
            whose, other = (f" of {producer}", "; --annotator takes another") if producer else ("", "")
            raise UsageError(
                f"inspection{whose} is discontinued: five lots were not accepted under tightened inspection",
                where=name or "acceptance",
                fix=f"mend the cause and say what was done with --corrected{other}",
            )
        found = "normal" if state.severity == "reduced" and not asked.reduced else state.severity
        severity = found if asked.severity == _AUTO else asked.severity
        plans[name] = look_up_plan(lot_size, asked.level, aql, severity)
    return plans


def _decided(dataset: DatasetFolder) -> pl.DataFrame:
    """image_id and severity of what annotators decided and may enter the splits."""
    standing = dataset.read(STANDING).filter(
        (pl.col("decided_by") != "import") & pl.col("state").is_in(_DECIDED)
    )
    known = standing.join(images_of(dataset), on="image_id", how="semi").select(pl.col("image_id").unique())
    answers = dataset.read(ANSWERS, dataset.labels)
    return known.join(agreed_severities(answers), on="image_id", how="left").sort("image_id")


def _labels(dataset: DatasetFolder) -> pl.DataFrame:
    """The annotators' labels that count, those of equal files once."""
    labels = dataset.read(CONSENSUS).filter(pl.col("origin") == "annotator")
    return labels.unique(["image_id", "annotation_id"], keep="first", maintain_order=True)


def _fresh(
    dataset: DatasetFolder, now: pl.DataFrame, batches: Sequence[Batch], class_of: Mapping[str, str]
) -> pl.DataFrame:
    """What is in no batch, was left out of one that came again, or labelled anew since it was accepted."""
    last, same = latest_batches(batches), unchanged_images(_labels(dataset), now, batches, class_of)
    left = pl.col("batch").is_in([one.number for one in _followed(batches)])
    held = last.filter(pl.col("accepted").fill_null(value=False).not_() & ~left)
    same = last.filter("accepted").join(same, on=["image_id", "batch"], how="semi")
    return now.join(pl.concat([held, same]), on="image_id", how="anti")


def _followed(batches: Sequence[Batch]) -> list[Batch]:
    again = {one.resubmits for one in batches}
    return [one for one in batches if one.number in again]


def _mended(dataset: DatasetFolder, batches: Sequence[Batch], class_of: Mapping[str, str]) -> list[Batch]:
    """The batches not accepted of which all that was found nonconforming has been labelled anew since."""
    open_ = [one for one in batches if one.accepted is False and one not in _followed(batches)]
    if not open_:
        return []
    now = _decided(dataset)
    same = unchanged_images(_labels(dataset), now, open_, class_of)
    mended = []
    for one in open_:
        judged = [worst for name in one.plans for worst in CLASSES_BY_AQL[name]]
        bad = read_findings(one).filter(pl.col("worst").is_in(judged))
        left = same.filter(batch=one.number).join(bad, on="image_id", how="semi")
        if (
            now.join(left, on="image_id", how="semi").is_empty()
            and now.join(one.lot, on="image_id", how="semi").height
        ):
            mended.append(one)
    return mended
