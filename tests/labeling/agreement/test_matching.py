"""Matching the labels of two authors: IoU of all kinds of shapes, and the best assignment."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import polars as pl
import pycocotools.mask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.labeling.frames import HEIGHT, WIDTH, answers, box, labels, mask, polygon, sizes, whole

from tundish.errors import UsageError
from tundish.imaging.geometry import counts_of_mask, mask_of_counts, mask_of_polygon
from tundish.imaging.overlap import (
    counts_of_polygon,
    iou_of_counts,
    iou_of_pairs,
    majority_of_counts,
)
from tundish.labeling.agreement.clusters import cluster_labels
from tundish.labeling.agreement.matching import MATCHES, match_labels, mirror_matches
from tundish.labeling.agreement.overlaps import covered_shares, find_overlaps

Row = dict[str, Any]
Array = NDArray[Any]

boxes = st.tuples(st.integers(0, 40), st.integers(0, 25), st.integers(1, 20), st.integers(1, 15))
masks = st.lists(st.booleans(), min_size=48, max_size=48).map(
    lambda bits: np.array(bits, np.uint8).reshape(6, 8)
)


def iou_of(*rows: Row) -> float:
    found = find_overlaps(labels(*rows), sizes())
    return float(found.iou[0]) if len(found.iou) else 0.0


def iou_matrix(one: Array, other: Array) -> Array:
    """Of boxes (n, 4) with boxes (m, 4), as COCO's own tool has it."""
    # It reads columns as rows where the memory is laid out that way.
    sides = np.ascontiguousarray(one), np.ascontiguousarray(other)
    found = pycocotools.mask.iou(*sides, [0] * len(other)) if len(one) and len(other) else []
    return np.asarray(found, np.float64).reshape(len(one), len(other))


def matched(*rows: Row, iou: float = 0.5) -> list[tuple[object, ...]]:
    """annotation_id of both sides, and their IoU."""
    frame = match_labels(find_overlaps(labels(*rows), sizes()), iou=iou)
    return frame.select("annotation_id", "other_annotation_id", "iou").rows()


def pixels_of(place: tuple[int, int, int, int]) -> Array:
    x, y, width, height = place
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    pixels[y : y + height, x : x + width] = 1
    return pixels


@given(boxes, boxes, st.booleans(), st.booleans())
def test_share_of_the_smaller__boxes_and_masks_alike(
    one: tuple[int, int, int, int], other: tuple[int, int, int, int], first: bool, second: bool
) -> None:
    rows = [
        mask(author, pixels_of(place)) if masked else box(author, *place)
        for author, place, masked in (("a", one, first), ("b", other, second))
    ]
    found = find_overlaps(labels(*rows), sizes())
    both, left, right = pixels_of(one) & pixels_of(other), pixels_of(one), pixels_of(other)
    share = both.sum() / min(left.sum(), right.sum())
    assert covered_shares(found, sizes()).tolist() == (pytest.approx([share]) if share else [])


def test_share_of_the_smaller__crowd_and_whole_images() -> None:
    crowd = find_overlaps(labels(box("a", 0, 0, 40, 40, is_crowd=True), box("b", 30, 0, 20, 10)), sizes())
    assert covered_shares(crowd, sizes()).tolist() == [0.5], "of the one that is no crowd"
    assert covered_shares(
        find_overlaps(labels(whole("a", "x"), whole("b", "y")), sizes()), sizes()
    ).tolist() == [1.0]
    assert covered_shares(find_overlaps(labels(), sizes()), sizes()).tolist() == []


# Vectors of shared/domain.md, section 6.


def test_boxes_that_share_a_quarter_of_each_have_iou_one_seventh() -> None:
    assert iou_of(box("a", 0, 0, 10, 10), box("b", 5, 5, 10, 10)) == pytest.approx(1 / 7, abs=1e-12)


def test_a_box_in_one_four_times_its_area_has_iou_one_quarter() -> None:
    assert iou_of(box("a", 0, 0, 10, 10), box("b", 0, 0, 20, 20)) == 0.25


def test_a_box_within_a_crowd_region_has_iou_one() -> None:
    assert iou_of(box("a", 0, 0, 10, 10), box("b", 0, 0, 20, 20, is_crowd=True)) == 1.0
    assert iou_of(box("a", 0, 0, 20, 20, is_crowd=True), box("b", 0, 0, 10, 10)) == 1.0
    both = box("a", 0, 0, 20, 20, is_crowd=True), box("b", 0, 0, 10, 10, is_crowd=True)
    assert iou_of(*both) == 0.25


def test_touching_boxes_have_no_overlap() -> None:
    assert iou_of(box("a", 0, 0, 10, 10), box("b", 10, 0, 10, 10)) == 0.0


def test_two_empty_masks_are_alike_and_an_empty_one_is_like_no_other() -> None:
    none, some = np.zeros((6, 8), np.uint8), np.eye(6, 8, dtype=np.uint8)
    codes = [counts_of_mask(none), counts_of_mask(some)]
    assert iou_of_counts(codes, codes, 8, 6).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_lines_of_two_pixels_displaced_by_one_have_iou_one_third() -> None:
    lines = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    lines[0, 10:12, 5:50] = lines[1, 11:13, 5:50] = 1
    drawn = mask("a", lines[0]), mask("b", lines[1])
    assert iou_of(*drawn) == pytest.approx(1 / 3)
    assert iou_of(box("a", 5, 10, 45, 2), box("b", 5, 11, 45, 2)) == pytest.approx(1 / 3)


def test_the_optimal_assignment_pairs_both_where_a_greedy_one_pairs_one() -> None:
    # a0-b2 overlaps most, and would leave a1 and b3 without a partner.
    one, other = box("a", 0, 0, 10, 10), box("a", 3, 0, 10, 10)
    near, far = box("b", 1.4, 0, 10, 10), box("b", -3, 0, 10, 10)
    assert [pair[:2] for pair in matched(one, other, near, far)] == [("a0", "b3"), ("a1", "b2")]


# The rest.


@given(boxes, boxes)
def test_iou_of_pairs_is_that_of_coco(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    one, other = np.array([first], np.float64), np.array([second], np.float64)
    assert iou_of_pairs(one, other) == pytest.approx(iou_matrix(one, other)[0])


@given(st.lists(masks, min_size=1, max_size=5))
def test_run_length_masks_overlap_as_their_pixels_do(drawn: list[Array]) -> None:
    codes = [counts_of_mask(one) for one in drawn]
    found = iou_of_counts(codes, codes, 8, 6)
    for i, one in enumerate(drawn):
        for j, other in enumerate(drawn):
            union = (one | other).sum()
            assert found[i, j] == pytest.approx((one & other).sum() / union if union else 1.0)
    majority = mask_of_counts(majority_of_counts(codes, 8, 6), 8, 6)
    assert (majority == (np.sum(drawn, axis=0) * 2 > len(drawn))).all()


def test_polygons_are_compared_as_coco_rasterises_them() -> None:
    slanted, other = [10, 5, 40, 12, 38, 20, 8, 13], [12, 6, 42, 13, 40, 21, 10, 14]
    one, two = (mask_of_polygon([ring], WIDTH, HEIGHT) for ring in (slanted, other))
    truth = (one & two).sum() / (one | two).sum()
    assert iou_of(polygon("a", slanted), polygon("b", other)) == pytest.approx(truth, abs=1e-15)
    assert iou_of(polygon("a", slanted), mask("b", two)) == pytest.approx(truth, abs=1e-15)
    assert counts_of_polygon([slanted], WIDTH, HEIGHT) == counts_of_mask(one)
    square = mask_of_polygon([[8, 5, 42, 5, 42, 21, 8, 21]], WIDTH, HEIGHT)
    truth = (one & square).sum() / square.sum()
    assert iou_of(polygon("a", slanted), box("b", 8, 5, 34, 16)) == pytest.approx(truth, abs=1e-15)


def test_labels_of_the_whole_image_go_together_and_by_class_first() -> None:
    pairs = matched(whole("a", "pit"), whole("a", "crack"), whole("b", "crack"))
    assert pairs == [("a0", None, None), ("a1", "b2", 1.0)]
    assert matched(whole("a", "pit"), box("b", 0, 0, WIDTH, HEIGHT)) == [
        ("a0", None, None),
        (None, "b1", None),
    ]


def test_labels_of_two_classes_are_a_pair() -> None:
    rows = box("a", 0, 0, 10, 10, "pit"), box("b", 0, 0, 10, 10, "crack")
    assert matched(*rows) == [("a0", "b1", 1.0)]


def test_the_threshold_itself_is_enough() -> None:
    rows = box("a", 0, 0, 10, 10), box("b", 0, 0, 20, 10)
    assert matched(*rows, iou=0.5) == [("a0", "b1", 0.5)]
    assert len(matched(*rows, iou=0.5000001)) == 2


@pytest.mark.parametrize("iou", [0.0, -0.5, 1.1])
def test_a_threshold_must_be_a_share(iou: float) -> None:
    with pytest.raises(UsageError, match="IoU threshold"):
        match_labels(find_overlaps(labels(), sizes()), iou=iou)


def test_a_crowd_region_holds_any_number_of_single_labels() -> None:
    crowd = box("a", 0, 0, 30, 30, is_crowd=True)
    assert matched(crowd, box("b", 1, 1, 5, 5), box("b", 9, 9, 5, 5)) == [
        ("a0", "b1", 1.0),
        ("a0", "b2", 1.0),
    ]
    # A single label with a partner of its own is none of the crowd's.
    assert matched(crowd, box("a", 1, 1, 5, 5), box("b", 1, 1, 5, 5)) == [
        ("a0", None, None),
        ("a1", "b2", 1.0),
    ]


def test_who_has_seen_an_image_and_drew_nothing_missed_what_the_others_drew() -> None:
    found = find_overlaps(labels(box("b", 0, 0, 10, 10)), sizes())
    assert match_labels(found).is_empty()
    missed = match_labels(found, answers(("i", "a"), ("i", "b"), ("j", "a")))
    assert missed.select("author", "other", "label", "other_label").rows() == [("a", "b", None, "scratch")]


def test_labels_that_are_not_valid_say_neither_something_nor_nothing() -> None:
    rows = labels(box("a", 0, 0, 10, 10), box("b", 0, 0, 10, 10, valid=False))
    assert match_labels(find_overlaps(rows, sizes()), answers(("i", "a"), ("i", "b"))).is_empty()


def test_a_raw_label_without_class_counts_as_what_it_says() -> None:
    rows = box("a", 0, 0, 9, 9, label=None, raw_label="pit"), box("b", 0, 0, 9, 9, "pit")
    frame = match_labels(find_overlaps(labels(*rows), sizes()))
    assert frame.select("label", "other_label").rows() == [("pit", "pit")]


def test_no_label_at_all_gives_an_empty_table() -> None:
    assert match_labels(find_overlaps(labels(), sizes())).schema == pl.Schema(MATCHES)
    assert match_labels(find_overlaps(labels(box("a", 0, 0, 9, 9)), sizes())).is_empty()


def test_a_label_without_author_is_refused() -> None:
    with pytest.raises(UsageError, match="1 labels have no author"):
        find_overlaps(labels(box("a", 0, 0, 9, 9)).with_columns(author=pl.lit(None, pl.String)), sizes())


def test_an_answer_without_author_is_refused() -> None:
    found = find_overlaps(labels(), sizes())
    with pytest.raises(UsageError, match="names no image or no author"):
        match_labels(found, answers(("i", "a")).with_columns(author=pl.lit(None, pl.String)))


def test_the_size_of_an_image_with_masks_must_be_known() -> None:
    rows = labels(polygon("a", [0, 0, 9, 0, 9, 9]), box("b", 0, 0, 9, 9))
    with pytest.raises(UsageError, match="size of image 'i' is not known"):
        find_overlaps(rows, sizes("j"))


def test_many_images_at_once_are_as_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    rows = [
        box("ab"[int(n % 2)], *rng.integers(0, 12, 2), *rng.integers(6, 12, 2), image_id=f"{n % 7}")
        for n in range(150)
    ]
    frame = labels(*rows)
    together = match_labels(find_overlaps(frame, sizes()), iou=0.3)
    alone = [match_labels(find_overlaps(part, sizes()), iou=0.3) for part in frame.partition_by("image_id")]
    assert together.equals(pl.concat(alone).sort("image_id", maintain_order=True))
    monkeypatch.setattr("tundish.labeling.agreement.overlaps._AT_ONCE", 7)
    assert match_labels(find_overlaps(frame, sizes()), iou=0.3).equals(together)


def drawn(authors: str, names: tuple[str, ...] = ("pit", "crack")) -> st.SearchStrategy[list[Row]]:
    one = st.builds(
        lambda author, place, name: box(author, place[0], place[1], place[2], place[3], name),
        st.sampled_from(authors), boxes, st.sampled_from(names),
    )  # fmt: skip
    return st.lists(one, max_size=9)


@given(drawn("abc"), st.integers(0, 2**31))
def test_the_order_of_labels_does_not_matter(rows: list[Row], seed: int) -> None:
    frame = labels(*rows)
    mixed = frame.sample(fraction=1, shuffle=True, seed=seed)
    assert match_labels(find_overlaps(frame, sizes()), iou=0.2).equals(
        match_labels(find_overlaps(mixed, sizes()), iou=0.2)
    )


@given(drawn("ab"), st.floats(0.05, 0.95))
def test_the_assignment_is_the_best_one_there_is(rows: list[Row], iou: float) -> None:
    frame = labels(*rows)
    found = match_labels(find_overlaps(frame, sizes()), iou=iou).filter(pl.col("iou").is_not_null())
    assert found["iou"].min() is None or found["iou"].min() >= iou  # type: ignore[operator]
    assert found["annotation_id"].is_unique().all()
    assert found["other_annotation_id"].is_unique().all()
    one, other = (
        frame.filter(author=author).select("x", "y", "width", "height").to_numpy() for author in "ab"
    )
    if len(one) > len(other):
        one, other = other, one
    if len(one) > 4:
        return
    worth = iou_matrix(one, other)
    worth[worth < iou] = 0
    ways = permutations(range(len(other)), len(one))
    best = max(sum(worth[row, column] for row, column in enumerate(way)) for way in ways)
    assert float(found["iou"].sum()) == pytest.approx(best, abs=1e-5)


@given(drawn("ab"))
def test_two_who_change_their_names_match_as_before(rows: list[Row]) -> None:
    frame = labels(*rows)
    swapped = frame.with_columns(author=pl.col("author").replace({"a": "b", "b": "a"}))
    before = match_labels(find_overlaps(frame, sizes()), iou=0.3)
    after = mirror_matches(match_labels(find_overlaps(swapped, sizes()), iou=0.3))
    # Between assignments that are equally good the names may decide.
    assert float(before["iou"].sum()) == pytest.approx(float(after.filter(author="b")["iou"].sum()), abs=1e-5)


@given(drawn("abcd"))
def test_nobody_is_twice_in_a_cluster_and_two_authors_cluster_as_they_match(rows: list[Row]) -> None:
    found = find_overlaps(labels(*rows), sizes())
    groups = cluster_labels(found, 0.3)
    members = found.labels.select("author").with_columns(group=pl.Series(groups))
    assert members.is_unique().all()
    two = find_overlaps(found.labels.filter(pl.col("author").is_in(["a", "b"])), sizes())
    pairs = match_labels(two, iou=0.3).filter(pl.col("iou").is_not_null())
    together = pl.Series(cluster_labels(two, 0.3)).value_counts().filter(pl.col("count") == 2)
    assert together.height == pairs.height


def test_a_chain_of_three_authors_is_cut_where_the_mean_falls_below_the_threshold() -> None:
    # Neighbours overlap by 0.6, the ends by 0.33: the mean of the ends' label with the pair is below 0.5.
    rows = labels(box("a", 0, 0, 20, 9), box("b", 5, 0, 20, 9), box("c", 10, 0, 20, 9))
    found = find_overlaps(rows, sizes())
    assert len(set(cluster_labels(found, 0.5).tolist())) == 2
    assert set(cluster_labels(found, 0.4).tolist()) == {0}
