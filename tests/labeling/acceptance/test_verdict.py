"""Acceptance of a batch: the draw, what does not conform, the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tundish.errors import UsageError
from tundish.labeling.acceptance.characteristic import clopper_pearson_interval
from tundish.labeling.acceptance.plans import AQLS, compute_isolated_plan, look_up_plan
from tundish.labeling.acceptance.verdict import (
    ALL_CLASSES,
    CLASSES,
    KINDS,
    count_nonconforming,
    draw_sample,
    judge_counts,
    judge_sample,
)
from tundish.labeling.acceptance.verdict import find_nonconformities as found_by

if TYPE_CHECKING:
    from random import Random

names = st.lists(st.text(max_size=8), unique=True, min_size=1, max_size=60)


@given(names, st.integers(), st.randoms(use_true_random=False))
def test_the_draw_does_not_depend_on_the_order(ids: list[str], seed: int, random: Random) -> None:
    mixed = list(ids)
    random.shuffle(mixed)
    of = look_up_plan(len(ids), "II", 10.0)
    sample = draw_sample(ids, of, seed)
    assert draw_sample(mixed, of, seed) == sample
    assert len(sample) == len(set(sample)) == of.n
    assert set(sample) <= set(ids)


@given(names, st.integers())
def test_a_smaller_sample_is_the_beginning_of_a_larger_one(ids: list[str], seed: int) -> None:
    samples = [draw_sample(ids, look_up_plan(len(ids), "II", aql), seed) for aql in AQLS]
    whole = max(samples, key=len)
    assert all(whole[: len(sample)] == sample for sample in samples)


def test_the_draw_is_what_it_was() -> None:
    """A batch's sample must be the same tomorrow, and on another machine."""
    ids = [f"{i:032x}" for i in range(50)]
    numbers = [int(name, 16) for name in draw_sample(ids, look_up_plan(50, "II", 10.0), 7)]
    assert numbers == [21, 5, 37, 9, 30, 31, 15, 42]
    assert draw_sample(ids, look_up_plan(50, "II", 10.0), 8) != draw_sample(
        ids, look_up_plan(50, "II", 10.0), 7
    )


def test_every_image_is_drawn_as_often_as_any_other() -> None:
    ids = [str(i) for i in range(20)]
    of = look_up_plan(20, "II", 10.0)
    counts = [0] * 20
    for seed in range(4000):
        for name in draw_sample(ids, of, seed):
            counts[int(name)] += 1
    assert sum(counts) == 4000 * of.n
    assert stats.chisquare(counts).pvalue > 0.001


def test_a_batch_drawn_whole() -> None:
    ids = ["c", "a", "b"]
    assert sorted(draw_sample(ids, look_up_plan(3, "II", 1.0), 1)) == ["a", "b", "c"]


def test_a_draw_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="image 'a' is in the batch 2 times"):
        draw_sample(["a", "b", "a"], look_up_plan(3), 1)
    with pytest.raises(UsageError, match="the batch has 2 images, but its plan is for 3"):
        draw_sample(["a", "b"], look_up_plan(3), 1)


def nonconformities(
    ids: list[str], pairs: pl.DataFrame, misplaced: float = 0.5, loose: float = 0.75
) -> pl.DataFrame:
    """With the limits that a recipe has by default."""
    return found_by(ids, pairs, misplaced=misplaced, loose=loose)


PAIRS = {
    "image_id": pl.String,
    "label": pl.String,
    "severity": pl.String,
    "review_label": pl.String,
    "review_severity": pl.String,
    "iou": pl.Float64,
}


def reviewed(*rows: tuple[str, str | None, str | None, str | None, str | None, float | None]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=PAIRS, orient="row")


@pytest.mark.parametrize(
    ("row", "kinds"),
    [
        (("scratch", "2", "scratch", "2", 0.9), set()),
        (("scratch", None, "scratch", None, 0.75), set()),
        (("scratch", None, "scratch", None, None), set()),  # a class of the whole image has no shape
        (("scratch", "2", "scratch", None, 0.9), set()),  # a severity only one of them knows
        (("scratch", None, "scratch", None, 0.749), {"loose"}),
        (("scratch", None, "scratch", None, 0.5), {"loose"}),
        (("scratch", None, "scratch", None, 0.499), {"misplaced"}),
        (("scratch", None, "inclusion", None, 0.9), {"wrong_class"}),
        (("scratch", None, "inclusion", None, 0.6), {"wrong_class", "loose"}),
        (("scratch", "1", "scratch", "3", 0.9), {"wrong_severity"}),
        (("scratch", "1", None, None, None), {"rejected"}),
        ((None, None, "scratch", "3", None), {"missed"}),
    ],
)
def test_what_does_not_conform(
    row: tuple[str | None, str | None, str | None, str | None, float | None], kinds: set[str]
) -> None:
    items = nonconformities(["x"], reviewed(("x", *row)))
    (item,) = items.to_dicts()
    assert {kind for kind in KINDS if item[kind]} == kinds
    assert item["worst"] == min((KINDS[kind] for kind in kinds), key=CLASSES.index, default=None)
    assert count_nonconforming(items) == bool(kinds)


def test_an_image_counts_once_in_its_worst_class() -> None:
    items = nonconformities(
        ["d", "b", "a", "c", "e"],
        reviewed(
            ("a", "scratch", None, "scratch", None, 0.6),
            ("a", None, None, "hole", None, None),
            ("a", None, None, "hole", None, None),
            ("b", "scratch", None, "hole", None, 0.6),
            ("c", "scratch", None, "scratch", None, 0.6),
            ("c", "scratch", None, "scratch", None, 1.0),
            ("d", "scratch", None, "scratch", None, 1.0),
        ),
    )
    assert items.columns == ["image_id", *KINDS, "worst", "details"]
    assert items["image_id"].to_list() == ["d", "b", "a", "c", "e"]
    assert items["worst"].to_list() == [None, "major", "critical", "minor", None]
    assert items["missed"].to_list() == [0, 0, 2, 0, 0]
    assert count_nonconforming(items) == 3
    assert [count_nonconforming(items, (name,)) for name in CLASSES] == [1, 1, 1]
    assert count_nonconforming(items, ("critical", "major")) == 2


def test_what_was_found_is_reported_in_words() -> None:
    """The worst first, and the same whatever the order of the pairs."""
    pairs = reviewed(
        ("a", "scratch", None, "scratch", None, 0.604),
        ("a", None, None, "hole", None, None),
        ("a", "scratch", "minor", "hole", "major", 0.4),
        ("a", "pit", None, None, None, None),
        ("a", None, None, "hole", None, None),
        ("b", "scratch", None, "scratch", None, 1.0),
    )
    words = (
        "missed: hole; missed: hole; wrong severity: minor, not major; wrong class: scratch, not hole;"
        " rejected: pit; misplaced: scratch (IoU 0.40); loose: scratch (IoU 0.60)"
    )
    for rows in (pairs, pairs.reverse()):
        assert nonconformities(["a", "b"], rows)["details"].to_list() == [words, None]


def test_limits_of_shape_are_the_plants() -> None:
    row = ("x", "scratch", None, "scratch", None, 0.6)
    assert nonconformities(["x"], reviewed(row), misplaced=0.3, loose=0.6)["worst"].to_list() == [None]
    assert nonconformities(["x"], reviewed(row), misplaced=0.61)["worst"].to_list() == ["major"]


def test_images_without_labels_conform() -> None:
    items = nonconformities(["x", "y"], reviewed())
    assert items["worst"].to_list() == [None, None]
    assert items["missed"].to_list() == [0, 0]
    assert nonconformities([], reviewed()).height == 0


def test_a_review_of_another_image() -> None:
    with pytest.raises(UsageError, match="image 'z', which is not in the sample"):
        nonconformities(["x"], reviewed(("z", "scratch", None, None, None, None)))


@pytest.mark.parametrize(("defects", "accepted"), [(0, True), (2, True), (3, False), (80, False)])
def test_verdict_of_a_whole_sample(defects: int, accepted: bool) -> None:
    got = judge_counts(look_up_plan(1000), defects, 80)
    assert got.accepted is accepted
    assert got.interval == clopper_pearson_interval(defects, 80)
    assert got.upper == clopper_pearson_interval(defects, 80, side="upper").high
    assert got.rate == defects / 80
    in_lot = round(defects / 80 * 1000)
    assert got.chance == pytest.approx(stats.hypergeom.cdf(2, 1000, in_lot, 80), abs=1e-9)
    assert got.missing == 0


@pytest.mark.parametrize(("defects", "inspected", "accepted"), [(0, 0, None), (2, 79, None), (3, 3, False)])
def test_verdict_of_a_part_of_the_sample(defects: int, inspected: int, accepted: bool | None) -> None:
    """It may be lost before the end, never won; and it says nothing of the batch's quality yet."""
    got = judge_counts(look_up_plan(1000), defects, inspected)
    assert got.accepted is accepted
    assert (got.interval, got.upper, got.chance) == (None, None, None)
    assert got.missing == 80 - inspected
    assert f"{80 - inspected} of 80 not reviewed yet" in str(got)
    assert str(got).startswith("undecided" if accepted is None else "not accepted")


@pytest.mark.parametrize(("defects", "accepted"), [(0, True), (1, False)])
def test_verdict_of_a_batch_inspected_in_full(defects: int, accepted: bool) -> None:
    got = judge_counts(look_up_plan(8, "II", 1.0), defects, 8)
    assert got.accepted is accepted
    assert got.interval == (defects / 8, defects / 8)
    assert got.upper == defects / 8
    assert got.chance == float(accepted)
    assert f"is {100 * defects / 8:.2f} %." in str(got)


def test_a_reviewer_who_overlooks_some() -> None:
    got = judge_counts(look_up_plan(1000), 2, 80, miss_rate=0.2)
    sure = judge_counts(look_up_plan(1000), 2, 80)
    assert got.accepted
    assert sure.interval is not None
    assert got.interval == pytest.approx([share / 0.8 for share in sure.interval])
    assert got.rate == pytest.approx(2 / 80 / 0.8)
    assert judge_counts(look_up_plan(1000), 80, 80, miss_rate=0.5).interval == (1.0, 1.0)
    # Then even a batch that was inspected in full is not known.
    whole = judge_counts(look_up_plan(8, "II", 1.0), 0, 8, miss_rate=0.1).interval
    assert whole is not None
    assert whole.low == 0.0 < whole.high


def test_acceptance_is_not_an_estimate() -> None:
    assert "Acceptance does not show that it is 1 % or less." in str(judge_counts(look_up_plan(1000), 0, 80))
    assert "Acceptance" not in str(judge_counts(look_up_plan(1000), 3, 80))
    assert "Acceptance" not in str(judge_counts(look_up_plan(8, "II", 1.0), 0, 8))
    assert "Acceptance" not in str(judge_counts(compute_isolated_plan(1000, 5, 1), 0, 75))
    assert str(judge_counts(look_up_plan(1000), 2, 80)) == (
        "accepted: 2 of 80 images nonconforming, Ac 2; the share of nonconforming images in the batch lies"
        " between 0.30 and 8.74 % (95 %). Acceptance does not show that it is 1 % or less."
    )


def test_what_is_overlooked_is_reported() -> None:
    assert str(judge_counts(look_up_plan(1000), 2, 80, miss_rate=0.1)) == (
        "accepted: 2 of 80 images nonconforming, Ac 2; the share of nonconforming images in the batch lies"
        " between 0.34 and 9.71 % (95 %), if reviewers overlook 10 % of them."
        " Acceptance does not show that it is 1 % or less."
    )


WORST = pl.DataFrame({"image_id": list("abcde"), "worst": ["critical", "major", None, "major", "minor"]})


def test_classes_are_judged_by_the_first_images_drawn() -> None:
    plans = {
        "critical": look_up_plan(12, "II", 6.5),
        "major": look_up_plan(12, "II", 10.0),
    }  # 2 images, Ac 0; 5, Ac 1
    drawn = list("edcba")
    combined = judge_sample(plans, drawn, WORST)
    assert [(one.inspected, one.defects) for one in combined.verdicts.values()] == [(2, 0), (5, 2)]
    assert str(combined) == "not accepted: critical accepted, major not accepted, minor not judged, 1 found."
    half = judge_sample(plans, drawn, WORST.filter(pl.col("image_id") == "e"))
    assert (half.accepted, half.verdicts["critical"].missing, half.verdicts["major"].missing) == (None, 1, 4)
    assert str(half).startswith("undecided: critical undecided, major undecided")
    # Refused by one, whatever the others still wait for.
    assert judge_sample(plans, list("abcde"), WORST.filter(pl.col("image_id") == "a")).accepted is False


def test_one_aql_for_all_classes_is_as_ever() -> None:
    of = look_up_plan(12, "II", 10.0)
    combined = judge_sample({ALL_CLASSES: of}, list("abcde"), WORST, miss_rate=0.1)
    assert combined.verdicts[ALL_CLASSES] == judge_counts(of, 4, 5, miss_rate=0.1)
    assert str(combined) == str(combined.verdicts[ALL_CLASSES])
    assert combined.unjudged == {}


@pytest.mark.parametrize(("defects", "inspected"), [(-1, 80), (3, 2), (0, 81)])
def test_counts_that_cannot_be(defects: int, inspected: int) -> None:
    with pytest.raises(UsageError, match="do not fit a sample of 80"):
        judge_counts(look_up_plan(1000), defects, inspected)


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_a_miss_rate_that_cannot_be(rate: float) -> None:
    with pytest.raises(UsageError, match="miss rate"):
        judge_counts(look_up_plan(1000), 0, 80, miss_rate=rate)
