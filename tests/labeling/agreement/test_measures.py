"""Agreement: the coefficients with their published values, and the tables made of labels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.labeling.frames import answers, box, labels, sizes, whole

from tundish.errors import UsageError
from tundish.labeling.agreement.clusters import NOTHING
from tundish.labeling.agreement.coefficients import (
    Level,
    Weights,
    chapman,
    cohen_kappa,
    cohen_kappas,
    fleiss_kappa,
    krippendorff_alpha,
    krippendorff_alphas,
    percent_agreement,
)
from tundish.labeling.agreement.measures import Agreement, measure_agreement
from tundish.labeling.agreement.resampling import bootstrap_intervals, sum_by_image

THREE_CLASSES = [[11, 3, 1], [1, 9, 2], [0, 2, 8]]

FLEISS = """
    0 0 0 0 14 | 0 2 6 4 2 | 0 0 3 5 6 | 0 3 9 2 0 | 2 2 8 1 1
    | 7 7 0 0 0 | 3 2 6 3 0 | 2 5 3 2 2 | 6 5 2 1 0 | 0 2 2 3 7
"""

FOUR_BY_TWELVE = """
    1 2 3 3 2 1 4 1 2 * * * | 1 2 3 3 2 2 4 1 2 5 * 3 | * 3 3 3 2 3 4 2 2 5 1 * | 1 2 3 3 2 4 4 1 2 5 1 *
"""

THREE_BY_FIFTEEN = """
    * * * * * 3 4 1 2 1 1 3 3 * 3 | 1 * 2 1 3 3 4 3 * * * * * * * | * * 2 1 3 4 4 * 2 1 1 3 3 * 4
"""

Array = NDArray[Any]

WEIGHTS: tuple[Weights | None, ...] = (None, "linear", "quadratic")

LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval", "ratio")

tables = st.lists(st.lists(st.integers(0, 20), min_size=3, max_size=3), min_size=3, max_size=3).map(np.array)
ratings = st.lists(
    st.lists(st.sampled_from([math.nan, 1, 2, 3, 5]), min_size=7, max_size=7), min_size=2, max_size=4
).map(np.array)


def read(text: str) -> Array:
    return np.array([[math.nan if v == "*" else float(v) for v in row.split()] for row in text.split("|")])


# Vectors of shared/domain.md, section 6.


@pytest.mark.parametrize(
    ("table", "kappa"),
    [([[20, 5], [10, 15]], 0.4), ([[45, 15], [25, 15]], 0.1304), ([[25, 35], [5, 35]], 0.2593)],
)
def test_cohens_kappa_of_two_classes(table: list[list[int]], kappa: float) -> None:
    assert cohen_kappa(table).value == pytest.approx(kappa, abs=5e-5)


def test_cohens_kappa_of_a_single_class_is_not_one_but_undefined() -> None:
    found = cohen_kappa([[7, 0], [0, 0]])
    assert math.isnan(found.value)
    assert found.items == 7
    assert found.why == "only one value was given, so agreement by chance is complete"


def test_weighted_kappas() -> None:
    assert cohen_kappa(THREE_CLASSES).value == pytest.approx(0.63447, abs=5e-6)
    assert cohen_kappa(THREE_CLASSES, "linear").value == pytest.approx(0.69064, abs=5e-6)
    assert cohen_kappa(THREE_CLASSES, "quadratic").value == pytest.approx(0.74858, abs=5e-6)


def test_fleiss_kappa_of_ten_items_by_fourteen_raters() -> None:
    counts = read(FLEISS)
    assert fleiss_kappa(counts).value == pytest.approx(0.209931, abs=5e-7)
    observed = percent_agreement(counts)
    assert observed.value == pytest.approx(0.378022, abs=5e-7)
    shares = counts.sum(axis=0) / counts.sum()
    assert (shares**2).sum() == pytest.approx(0.212755, abs=5e-7)
    assert observed.items == 10


@pytest.mark.parametrize(
    ("level", "alpha"),
    [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107), ("ratio", 0.797403)],
)
def test_krippendorffs_alpha_of_four_raters_and_twelve_items(level: Level, alpha: float) -> None:
    found = krippendorff_alpha(read(FOUR_BY_TWELVE), level)
    assert found.value == pytest.approx(alpha, abs=5e-7)
    assert found.items == 11


@pytest.mark.parametrize(
    ("level", "alpha"),
    [("nominal", 0.691358), ("ordinal", 0.806721), ("interval", 0.810845), ("ratio", 0.808944)],
)
def test_krippendorffs_alpha_of_three_raters_and_fifteen_items(level: Level, alpha: float) -> None:
    assert krippendorff_alpha(read(THREE_BY_FIFTEEN), level).value == pytest.approx(alpha, abs=5e-7)


def test_capture_and_recapture_of_labels() -> None:
    assert float(chapman(90, 80, 72)) == pytest.approx(99.97, abs=5e-3)
    assert float(chapman(9, 8, 0)) == 89


# The coefficients.


@given(tables)
def test_kappa_does_not_know_who_is_first(table: Array) -> None:
    for weights in WEIGHTS:
        one, other = cohen_kappa(table, weights), cohen_kappa(table.T, weights)
        assert one.value == pytest.approx(other.value, abs=1e-12, nan_ok=True)


@given(tables, st.permutations(range(3)))
def test_kappa_does_not_know_what_classes_are_called(table: Array, order: list[int]) -> None:
    renamed = table[np.ix_(order, order)]
    assert cohen_kappa(table).value == pytest.approx(cohen_kappa(renamed).value, abs=1e-12, nan_ok=True)


@given(st.lists(st.integers(0, 20), min_size=2, max_size=5))
def test_kappa_of_identical_ratings_is_one(counts: list[int]) -> None:
    assume(sum(count > 0 for count in counts) > 1)
    for weights in WEIGHTS:
        assert cohen_kappa(np.diag(counts), weights).value == 1.0


def test_kappas_come_in_stacks() -> None:
    stack = np.array([[[20, 5], [10, 15]], [[45, 15], [25, 15]], [[3, 0], [0, 0]], [[0, 0], [0, 0]]])
    assert cohen_kappas(stack) == pytest.approx([0.4, 0.130435, math.nan, math.nan], abs=1e-6, nan_ok=True)


def test_what_has_no_ratings_has_no_coefficient() -> None:
    for found in (
        cohen_kappa(np.zeros((2, 2))),
        fleiss_kappa(np.zeros((0, 3))),
        fleiss_kappa([[1, 0], [0, 1]]),
        percent_agreement([[1, 0], [0, 1]]),
        krippendorff_alpha(np.array([[1, math.nan], [math.nan, 2]])),
    ):
        assert math.isnan(found.value)
        assert (found.items, found.why) == (0, "no item has two ratings")


def test_a_single_value_has_no_alpha() -> None:
    found = krippendorff_alpha(np.array([[1, 1, 2], [1, 1, math.nan]]))
    assert math.isnan(found.value)
    assert (found.items, found.why) == (2, "only one value was given, so agreement by chance is complete")
    assert math.isnan(fleiss_kappa([[3, 0], [3, 0]]).value)


def test_malformed_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="square"):
        cohen_kappa([[1, 2, 3], [4, 5, 6]])
    with pytest.raises(ValueError, match="from 2 to 3 ratings"):
        fleiss_kappa([[2, 0], [2, 1]])
    with pytest.raises(ValueError, match="no value of -1"):
        krippendorff_alpha([[-1, 2], [1, 2]], "ratio")


@given(ratings, st.permutations([1, 2, 3, 5]))
def test_nominal_alpha_does_not_know_what_values_are_called(given_: Array, names: list[int]) -> None:
    renamed = np.select([given_ == value for value in (1, 2, 3, 5)], names, math.nan)
    one, other = krippendorff_alpha(given_), krippendorff_alpha(renamed)
    assert one.value == pytest.approx(other.value, abs=1e-12, nan_ok=True)


@given(ratings, st.randoms(use_true_random=False))
def test_alpha_does_not_know_the_order_of_raters_and_items(given_: Array, random: Any) -> None:
    raters, items = list(range(len(given_))), list(range(given_.shape[1]))
    random.shuffle(raters)
    random.shuffle(items)
    for level in LEVELS:
        one = krippendorff_alpha(given_, level)
        other = krippendorff_alpha(given_[raters][:, items], level)
        assert one.value == pytest.approx(other.value, abs=1e-12, nan_ok=True)


@given(ratings, st.floats(0.1, 10), st.floats(-5, 5))
def test_alpha_keeps_to_what_its_scale_allows(given_: Array, factor: float, shift: float) -> None:
    moved = {"ordinal": given_**3, "interval": factor * given_ + shift, "ratio": factor * given_}
    for level, values in moved.items():
        one = krippendorff_alpha(given_, level)  # type: ignore[arg-type]
        other = krippendorff_alpha(values, level)  # type: ignore[arg-type]
        assert one.value == pytest.approx(other.value, abs=1e-9, nan_ok=True)


@given(ratings)
def test_alpha_of_identical_ratings_is_one(given_: Array) -> None:
    same = np.vstack([given_[0], given_[0]])
    found = krippendorff_alpha(same)
    assume(found.items and not math.isnan(found.value))
    assert found.value == 1.0


@given(tables)
def test_alpha_of_two_raters_is_close_to_kappa_for_many_items(table: Array) -> None:
    many = table * 1000
    even = many + many.T  # the two use the classes equally often
    one, other = cohen_kappas(even), krippendorff_alphas(even)
    assert float(one) == pytest.approx(float(other), abs=1e-3, nan_ok=True)


# Intervals.


def test_the_interval_of_a_mean_is_the_one_of_theory() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(10, 2, 400)
    places = np.arange(400)
    sums = sum_by_image(
        np.tile(places, 2), np.repeat([0, 1], 400), np.concatenate([values, np.ones(400)]), (400, 2)
    )
    low, high = bootstrap_intervals(
        sums, lambda totals: totals[:, :1] / np.maximum(totals[:, 1:], 1), draws=2000
    )
    half = 1.96 * values.std() / 20
    assert low[0] == pytest.approx(values.mean() - half, abs=0.02)
    assert high[0] == pytest.approx(values.mean() + half, abs=0.02)


def test_there_is_no_interval_without_two_images_or_without_draws() -> None:
    one = sum_by_image(np.array([0]), np.array([0]), np.array([1.0]), (1, 1))
    assert np.isnan(bootstrap_intervals(one, lambda totals: totals)).all()
    two = sum_by_image(np.array([0, 1]), np.array([0, 0]), np.array([1.0, 2.0]), (2, 1))
    assert np.isnan(bootstrap_intervals(two, lambda totals: totals, draws=0)).all()
    assert np.isnan(bootstrap_intervals(two, lambda totals: np.full_like(totals, math.nan))).all()


# Tables of labels.

TWO_IMAGES = (
    box("a", 0, 0, 10, 10, "pit"), box("b", 0, 0, 10, 10, "pit"),
    box("a", 20, 0, 10, 10, "pit"), box("b", 20, 2, 10, 10, "crack"),
    box("a", 40, 0, 10, 10, "crack"),
    box("a", 0, 0, 10, 10, "crack", image_id="j"), box("b", 0, 0, 10, 10, "crack", image_id="j"),
    box("b", 0, 20, 10, 10, "pit", image_id="j"),
)  # fmt: skip

SEEN = answers(*((image, author) for image in "ijk" for author in "ab"))


def judged(*rows: dict[str, Any], seen: pl.DataFrame | None = SEEN, draws: int = 50) -> Agreement:
    return measure_agreement(labels(*rows), sizes("i", "j", "k"), seen, draws=draws)


def test_two_authors_beside_each_other() -> None:
    found = judged(*TWO_IMAGES)
    pair = found.pairs.row(0, named=True)
    assert (pair["author"], pair["other"]) == ("a", "b")
    assert (pair["images"], pair["labels"], pair["other_labels"]) == (3, 4, 4)
    assert pair["f1"] == 6 / 8
    assert pair["f1_class"] == 4 / 8
    assert pair["mean_iou"] == pytest.approx((1 + 1 + 8 / 12) / 3)
    # Things: pit-pit, pit-crack, crack-nothing, crack-crack, nothing-pit.
    table = np.zeros((3, 3))
    for one, other in ((1, 1), (1, 0), (0, 2), (0, 0), (2, 1)):
        table[one, other] += 1
    assert pair["percent"] == 2 / 5
    assert pair["kappa"] == pytest.approx(cohen_kappa(table).value)
    assert pair["presence_kappa"] == 1.0
    assert pair["total"] == pytest.approx(5 * 5 / 4 - 1)
    assert pair["note"] == ""


def test_the_confusion_table_says_what_was_missed_and_what_is_extra() -> None:
    rows = judged(*TWO_IMAGES).confusion.rows()
    assert set(rows) == {
        ("a", "b", "pit", "pit", "same", 1),
        ("a", "b", "crack", "crack", "same", 1),
        ("a", "b", "pit", "crack", "class", 1),
        ("a", "b", "crack", None, "extra", 1),
        ("a", "b", None, "pit", "missed", 1),
    }


def test_annotators_one_by_one() -> None:
    first, second = judged(*TWO_IMAGES).annotators.rows(named=True)
    counts = ("author", "images", "labels", "extra", "confused", "missed")
    assert [first[name] for name in counts] == ["a", 3, 4, 1, 1, 1]
    assert [second[name] for name in counts] == ["b", 3, 4, 1, 1, 1]
    assert first["f1"] == second["f1"] == 6 / 8


def test_classes_one_by_one() -> None:
    found = judged(*TWO_IMAGES).classes
    assert found["label"].to_list() == ["crack", "pit"]
    assert found["labels"].to_list() == [4, 4]
    assert found["f1_class"].to_list() == [0.5, 0.5]
    assert found["mean_iou"].to_list() == [1.0, 1.0]
    said = [[1, 1, 0, 0, 2], [1, 0, 2, 0, 1]]  # crack 0, pit 1, nothing 2
    for place, alpha in enumerate(found["alpha"]):
        against = krippendorff_alpha([[float(value == place) for value in row] for row in said])
        assert alpha == pytest.approx(against.value)


def test_over_all() -> None:
    found = judged(*TWO_IMAGES, draws=200).overall
    by_name = {row["measure"]: row for row in found.rows(named=True)}
    said = krippendorff_alpha([[1, 1, 0, 0, 2], [1, 0, 2, 0, 1]])
    assert by_name["alpha"]["value"] == pytest.approx(said.value)
    assert by_name["alpha"]["items"] == 5
    assert by_name["percent"]["value"] == pytest.approx(2 / 5)
    assert by_name["presence_alpha"]["value"] == 1.0
    assert by_name["presence_percent"]["value"] == 1.0
    assert by_name["prevalence"]["value"] == pytest.approx(4 / 6)
    assert by_name["f1"]["value"] == 6 / 8
    counts = [[0, 2, 0], [1, 1, 0], [1, 0, 1], [2, 0, 0], [0, 1, 1]]
    assert by_name["fleiss"]["value"] == pytest.approx(fleiss_kappa(counts).value)
    for row in found.rows(named=True)[:7]:
        assert row["low"] is None or row["low"] <= row["value"] <= row["high"]


def test_three_authors_who_have_not_all_seen_all() -> None:
    rows = (
        box("a", 0, 0, 10, 10, "pit"), box("b", 0, 0, 10, 10, "pit"), box("c", 0, 1, 10, 10, "crack"),
        box("a", 0, 0, 10, 10, "crack", image_id="j"),
    )  # fmt: skip
    seen = answers(("i", "a"), ("i", "b"), ("i", "c"), ("j", "a"), ("j", "b"), ("k", "c"))
    found = judged(*rows, seen=seen)
    said = np.array([[1, 0], [1, 2], [0, math.nan]])
    overall = {row["measure"]: row for row in found.overall.rows(named=True)}
    assert overall["alpha"]["value"] == pytest.approx(krippendorff_alpha(said).value)
    assert overall["fleiss"]["note"] == "1 objects without exactly 3 ratings are left out"
    assert found.pairs.select("author", "other", "images").rows() == [
        ("a", "b", 2), ("a", "c", 1), ("b", "c", 1),
    ]  # fmt: skip
    assert found.annotators["images"].to_list() == [2, 2, 1]


def test_what_is_not_defined_is_null_with_a_reason() -> None:
    found = judged(box("a", 0, 0, 9, 9), box("b", 0, 0, 9, 9), seen=None)
    overall = {row["measure"]: row for row in found.overall.rows(named=True)}
    assert overall["alpha"]["value"] is None
    assert overall["alpha"]["note"] == "only one value was given, so agreement by chance is complete"
    assert overall["f1"]["value"] == 1.0
    assert found.pairs["kappa"].to_list() == [None]
    assert found.pairs["note"].to_list() == ["only one value was given, so agreement by chance is complete"]


@pytest.mark.parametrize("rows", [(), (box("a", 0, 0, 9, 9),)], ids=["no label", "one author"])
def test_without_two_authors_there_is_nothing_to_compare(rows: tuple[dict[str, Any], ...]) -> None:
    found = judged(*rows, seen=None)
    assert found.pairs.is_empty()
    assert found.annotators.is_empty()
    assert found.confusion.is_empty()
    assert found.overall["value"].null_count() == found.overall.height
    assert set(found.overall["note"]) == {"no item has two ratings"}


def test_two_who_draw_nothing_agree() -> None:
    found = judged(seen=SEEN)
    overall = {row["measure"]: row for row in found.overall.rows(named=True)}
    assert overall["presence_percent"]["value"] == 1.0
    assert overall["prevalence"]["value"] == 0.0
    assert found.pairs["f1"].to_list() == [None]


def test_classes_of_whole_images_agree_like_boxes() -> None:
    rows = [
        whole(author, name, image_id=image)
        for image, names in (("i", "xx"), ("j", "xy"), ("k", "yy"))
        for author, name in zip("ab", names, strict=True)
    ]
    pair = judged(*rows).pairs.row(0, named=True)
    assert pair["kappa"] == pytest.approx(cohen_kappa([[1, 1], [0, 1]]).value)


def test_another_seed_gives_another_interval_and_the_same_seed_the_same() -> None:
    frame = labels(*TWO_IMAGES)
    results = [measure_agreement(frame, sizes(), SEEN, draws=100, seed=seed).overall for seed in (1, 1, 2)]
    assert results[0].equals(results[1])
    assert not results[0].equals(results[2])


def test_a_threshold_outside_its_range_is_refused() -> None:
    with pytest.raises(UsageError, match="IoU threshold"):
        measure_agreement(labels(*TWO_IMAGES), sizes(), iou=0)


some_labels = st.lists(
    st.builds(
        lambda author, image, place, name: box(author, place[0], place[1], 10, 10, name, image_id=image),
        st.sampled_from("abc"), st.sampled_from("ij"),
        st.tuples(st.integers(0, 30), st.integers(0, 20)), st.sampled_from(["pit", "crack"]),
    ),
    max_size=10,
)  # fmt: skip


@settings(max_examples=40)  # polars starts its threads in one of the examples
@given(some_labels, st.integers(0, 2**31))
def test_the_order_of_rows_does_not_matter(rows: list[dict[str, Any]], seed: int) -> None:
    frame = labels(*rows)
    mixed = frame.sample(fraction=1, shuffle=True, seed=seed)
    one, other = (measure_agreement(each, sizes("i", "j"), SEEN, draws=3) for each in (frame, mixed))
    for first, second in zip(one, other, strict=True):
        assert first.equals(second)


@settings(max_examples=40)  # polars starts its threads in one of the examples
@given(some_labels)
def test_who_copies_another_agrees_fully(rows: list[dict[str, Any]]) -> None:
    frame = labels(*(row for row in rows if row["author"] == "a"))
    copied = frame.with_columns(author=pl.lit("z"), annotation_id="z" + pl.col("annotation_id"))
    found = measure_agreement(pl.concat([frame, copied]), sizes("i", "j"), draws=0)
    for row in found.overall.rows(named=True):
        if row["measure"] != "prevalence" and row["value"] is not None:
            assert row["value"] == pytest.approx(1.0, abs=1e-12)
    assert set(found.confusion["kind"]) <= {"same"}
    assert NOTHING not in found.classes["label"].to_list()
