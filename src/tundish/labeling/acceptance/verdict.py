"""Acceptance of a labelled batch: the sample to review, the nonconforming images, the verdict.

The item is the image, not the label: labels of one image are alike, and a plan requires independent items. A
batch is the work of one annotator or model under one guideline. A batch that is not accepted is reviewed in
full and resubmitted; the switching rules ignore resubmitted batches. Classes of nonconformity may have an AQL
each (ISO 2859-1, clause 5); each then has a verdict, and the batch is accepted when all of them accept it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import UsageError
from tundish.labeling.acceptance.characteristic import (
    Interval,
    acceptance_probability_in_batch,
    clopper_pearson_interval,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from tundish.labeling.acceptance.plans import SamplingPlan

__all__ = [
    "ALL_CLASSES",
    "CLASSES",
    "CLASSES_BY_AQL",
    "KINDS",
    "BatchVerdict",
    "Verdict",
    "combine_verdicts",
    "count_nonconforming",
    "draw_sample",
    "find_nonconformities",
    "judge_counts",
    "judge_sample",
]

CLASSES = ("critical", "major", "minor")
"""Classes of nonconformities, the worst first."""

ALL_CLASSES = ""
"""The name of an AQL that all classes share."""

CLASSES_BY_AQL = {ALL_CLASSES: CLASSES} | {name: (name,) for name in CLASSES}
"""The classes that an AQL covers, by its name; an image counts in the class of its worst nonconformity."""

KINDS = {
    "missed": "critical",
    "wrong_severity": "critical",
    "wrong_class": "major",
    "rejected": "major",
    "misplaced": "major",
    "loose": "minor",
}
"""The kinds of nonconformities of an image's labels, and their class: a usual choice, not the standard's."""

_WORDING = {
    "missed": ("missed: {}", ("review_label",)),
    "wrong_severity": ("wrong severity: {}, not {}", ("severity", "review_severity")),
    "wrong_class": ("wrong class: {}, not {}", ("label", "review_label")),
    "rejected": ("rejected: {}", ("label",)),
    "misplaced": ("misplaced: {} (IoU {})", ("label", "iou")),
    "loose": ("loose: {} (IoU {})", ("label", "iou")),
}
"""A nonconformity in words: the text, and the columns that fill it."""


def draw_sample(ids: Iterable[str], plan: SamplingPlan, seed: int) -> list[str]:
    """Draw the images to review: a simple random sample, in the order to show them.

    An image's position follows only from the seed and its image_id: the order of `ids` does not matter, and a
    smaller sample is the beginning of a larger one.

    Args:
        ids: The image_ids of the batch, each once.
        plan: The plan of this batch.
        seed: Seed of the sample; it is stored with the batch.

    Raises:
        UsageError: An image is repeated, or the plan is for a batch of another size.
    """
    names = list(ids)
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise UsageError(
            f"image '{twice[0]}' is in the batch {names.count(twice[0])} times",
            where="batch",
            fix="name each image once",
        )
    if len(names) != plan.lot_size:
        raise UsageError(
            f"the batch has {len(names)} images, but its plan is for {plan.lot_size}",
            where="batch",
            fix="make the plan for the size of the batch",
        )
    return sorted(names, key=partial(_place, seed))[: plan.n]


def _place(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{name}".encode()).digest()


def find_nonconformities(
    ids: Iterable[str], pairs: pl.DataFrame, *, misplaced: float, loose: float
) -> pl.DataFrame:
    """Find the nonconformities of each reviewed image.

    Args:
        ids: The images that were reviewed; one without a pair conforms.
        pairs: The batch's labels beside the reviewer's, matched or alone: image_id, label and severity,
            review_label and review_severity, iou. A null review_label: the reviewer rejects the label. A null
            label: the batch missed the defect. A null severity or iou is not compared.
        misplaced: IoU below which a label is misplaced (major).
        loose: IoU below which a label is not tight (minor).

    Returns:
        One row an image in the order of `ids`: image_id; the number of each of `KINDS`; worst, one of
        `CLASSES`; details, the nonconformities in words, the worst first. The last two are null for an image
        that conforms.

    Raises:
        UsageError: `pairs` has an image that is not among `ids`.
    """
    sample = pl.DataFrame({"image_id": list(ids)}, schema={"image_id": pl.String})
    strangers = sorted(pairs.join(sample, on="image_id", how="anti")["image_id"].to_list())
    if strangers:
        raise UsageError(
            f"the review has image '{strangers[0]}', which is not in the sample",
            where="review",
            fix="review only the images that were drawn",
        )
    found = _kinds(misplaced, loose)
    counts = pairs.group_by("image_id").agg(found[kind].sum().cast(pl.Int64).alias(kind) for kind in KINDS)
    items = sample.join(counts, on="image_id", how="left", maintain_order="left")
    items = items.with_columns(pl.col(kind).fill_null(0) for kind in KINDS).with_columns(worst=_worst())
    return items.join(_details(pairs, found), on="image_id", how="left", maintain_order="left")


def _kinds(misplaced: float, loose: float) -> dict[str, pl.Expr]:
    """For each kind an expression whether a pair shows it; null counts as no."""
    ours, theirs, iou = pl.col("label"), pl.col("review_label"), pl.col("iou")
    both = ours.is_not_null() & theirs.is_not_null()
    return {
        "missed": ours.is_null() & theirs.is_not_null(),
        "wrong_severity": both & (pl.col("severity") != pl.col("review_severity")),
        "wrong_class": both & (ours != theirs),
        "rejected": ours.is_not_null() & theirs.is_null(),
        "misplaced": both & (iou < misplaced),
        "loose": both & (iou >= misplaced) & (iou < loose),
    }


def _worst() -> pl.Expr:
    worst = pl.lit(None, pl.String)
    for name in reversed(CLASSES):
        present = pl.sum_horizontal(kind for kind, of in KINDS.items() if of == name) > 0
        worst = pl.when(present).then(pl.lit(name)).otherwise(worst)
    return worst


def _details(pairs: pl.DataFrame, found: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """image_id and details."""
    iou = pl.col("iou").map_elements("{:.2f}".format, return_dtype=pl.String)
    rows = [
        pairs.filter(found[kind])
        .with_columns(iou)
        .select("image_id", details=pl.format(words, *columns), place=pl.lit(place))
        for place, (kind, (words, columns)) in enumerate(_WORDING.items())
    ]
    sentences = pl.concat(rows).sort("image_id", "place", "details")
    return sentences.group_by("image_id", maintain_order=True).agg(pl.col("details").str.join("; "))


def count_nonconforming(items: pl.DataFrame, classes: Collection[str] = CLASSES) -> int:
    """Count the images whose worst nonconformity is of one of these classes; an image counts once.

    Args:
        items: The reviewed images, as `find_nonconformities` returns them.
        classes: Some of `CLASSES`: all of them for a common AQL, one for an AQL of its own.
    """
    return items.filter(pl.col("worst").is_in(list(classes))).height


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a batch by one AQL.

    Attributes:
        plan: The sampling plan.
        defects: Number of nonconforming images found.
        inspected: Number of images reviewed so far.
        accepted: Whether the batch is accepted; None while the review may still end either way.
        interval: 95 % confidence interval of the batch's share of nonconforming images (0 to 1); None before
            the review is complete. Exact after 100 % inspection, else Clopper-Pearson; corrected for
            `miss_rate`.
        upper: One-sided 95 % upper limit of that share; None as above.
        chance: Probability that this plan accepts a batch as bad as the sample; None as above.
        miss_rate: Assumed share of nonconforming images that the reviewer overlooks, 0 to 1.
    """

    plan: SamplingPlan
    defects: int
    inspected: int
    accepted: bool | None
    interval: Interval | None
    upper: float | None
    chance: float | None
    miss_rate: float = 0.0

    @property
    def rate(self) -> float | None:
        """Share of nonconforming images in the sample, corrected for `miss_rate`; None before the first."""
        return min(1.0, self.defects / self.inspected / (1 - self.miss_rate)) if self.inspected else None

    @property
    def missing(self) -> int:
        """Number of images of the sample that are not reviewed yet."""
        return self.plan.n - self.inspected

    def __str__(self) -> str:
        found = f"{self.defects} of {self.inspected} images nonconforming, Ac {self.plan.ac}"
        if self.interval is None:
            word = "undecided" if self.accepted is None else "not accepted"
            return f"{word}: {found}, {self.missing} of {self.plan.n} not reviewed yet."
        word = "accepted" if self.accepted else "not accepted"
        low, high = (f"{100 * share:.2f}" for share in self.interval)
        lies = f"is {low} %" if low == high else f"lies between {low} and {high} % (95 %)"
        lies += f", if reviewers overlook {100 * self.miss_rate:g} % of them" if self.miss_rate else ""
        return f"{word}: {found}; the share of nonconforming images in the batch {lies}.{self._caution()}"

    def _caution(self) -> str:
        aql = self.plan.aql
        if not self.accepted or aql is None or self.interval is None or 100 * self.interval.high <= aql:
            return ""
        return f" Acceptance does not show that it is {aql:g} % or less."


def judge_counts(plan: SamplingPlan, defects: int, inspected: int, *, miss_rate: float = 0.0) -> Verdict:
    """Judge a batch by the number of nonconforming images.

    A batch is accepted when the whole sample is reviewed and shows Ac nonconforming images or fewer. It is
    not accepted as soon as there are Re; the interval then waits for the rest, because a sample that is cut
    short by its result is not random.

    Args:
        plan: The plan by which the sample was drawn.
        defects: Number of nonconforming images (`count_nonconforming`).
        inspected: Number of images that were reviewed.
        miss_rate: Share of nonconforming images that the reviewer overlooks; 0 takes the review as the truth.
            It corrects the estimates, never the count that is compared with Ac.

    Raises:
        UsageError: There are more images than in the sample, more defects than images, or a miss rate outside
            [0, 1).
    """
    if not 0 <= defects <= inspected <= plan.n:
        raise UsageError(
            f"{defects} nonconforming of {inspected} reviewed images do not fit a sample of {plan.n}",
            where="verdict",
            fix="count images, each once, and only those that were drawn",
        )
    if not 0 <= miss_rate < 1:
        raise UsageError(
            f"a miss rate of {miss_rate:g} is out of range",
            where="miss rate",
            fix="give a share from 0 to below 1",
        )
    if inspected < plan.n:
        accepted = False if defects >= plan.re else None
        return Verdict(plan, defects, inspected, accepted, None, None, None, miss_rate)
    seen = 1 - miss_rate
    interval, upper = _limits(plan, defects, exact=miss_rate == 0)
    return Verdict(
        plan,
        defects,
        inspected,
        defects <= plan.ac,
        Interval(*(min(1.0, share / seen) for share in interval)),
        min(1.0, upper / seen),
        _chance(plan, defects),
        miss_rate,
    )


def _limits(plan: SamplingPlan, defects: int, *, exact: bool) -> tuple[Interval, float]:
    """Interval and upper limit of the share that reviewers see; exact if they see and notice everything."""
    if plan.inspect_all and exact:
        share = defects / plan.n
        return Interval(share, share), share
    upper = clopper_pearson_interval(defects, plan.n, side="upper").high
    return clopper_pearson_interval(defects, plan.n), upper


def _chance(plan: SamplingPlan, defects: int) -> float:
    in_batch = round(defects / plan.n * plan.lot_size)
    return acceptance_probability_in_batch(in_batch, plan.lot_size, plan.n, plan.ac)


@dataclass(frozen=True, slots=True)
class BatchVerdict:
    """The verdict on a batch by all its AQLs.

    Attributes:
        verdicts: The verdicts by name of the AQL, as in `CLASSES_BY_AQL`.
        unjudged: Number of nonconforming images of each class that has no AQL, by class.
    """

    verdicts: Mapping[str, Verdict]
    unjudged: Mapping[str, int]

    @property
    def accepted(self) -> bool | None:
        """True if accepted by every AQL, False if not accepted by one; None while that is open."""
        return combine_verdicts(one.accepted for one in self.verdicts.values())

    def __str__(self) -> str:
        if ALL_CLASSES in self.verdicts:
            return str(self.verdicts[ALL_CLASSES])
        parts = [f"{name} {_WORDS[one.accepted]}" for name, one in self.verdicts.items()]
        parts += [f"{name} not judged, {count} found" for name, count in self.unjudged.items()]
        return f"{_WORDS[self.accepted]}: {', '.join(parts)}."


def combine_verdicts(verdicts: Iterable[bool | None]) -> bool | None:
    """Combine verdicts: True if all accept, False if one does not; None while open, or without verdicts."""
    every = list(verdicts)
    return False if False in every else None if None in every or not every else True


_WORDS = {True: "accepted", False: "not accepted", None: "undecided"}


def judge_sample(
    plans: Mapping[str, SamplingPlan], sample: Sequence[str], items: pl.DataFrame, *, miss_rate: float = 0.0
) -> BatchVerdict:
    """Judge a batch by each of its AQLs; a plan with a smaller sample uses the first images drawn.

    Args:
        plans: The plans by name of the AQL, as in `CLASSES_BY_AQL`.
        sample: The images in the order they were drawn, as many as the largest plan requires.
        items: The reviewed images, as `find_nonconformities` returns them.
        miss_rate: As for `judge_counts`.
    """
    verdicts = {}
    for name, plan in plans.items():
        seen = items.filter(pl.col("image_id").is_in(list(sample[: plan.n])))
        verdicts[name] = judge_counts(
            plan, count_nonconforming(seen, CLASSES_BY_AQL[name]), seen.height, miss_rate=miss_rate
        )
    left = [] if ALL_CLASSES in plans else [name for name in CLASSES if name not in plans]
    return BatchVerdict(verdicts, {name: count_nonconforming(items, CLASSES_BY_AQL[name]) for name in left})
