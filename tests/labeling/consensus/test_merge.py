"""Consensus: what a quorum agrees on is one label, and what is left stays in dispute with a reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.labeling.frames import HEIGHT, WIDTH, answers, box, labels, mask, polygon, sizes, whole

from tundish.errors import UsageError
from tundish.imaging.geometry import mask_of_counts, mask_of_polygon
from tundish.labeling.consensus.merge import AGREED, Consensus, merge_labels

Row = dict[str, Any]


def agreed(*rows: Row, seen: pl.DataFrame | None = None, **options: Any) -> Consensus:
    return merge_labels(labels(*rows), sizes("i", "j", "k"), seen, **options)


def by_all(*authors: str) -> pl.DataFrame:
    return answers(*(("i", author) for author in authors))


def reasons(found: Consensus) -> list[tuple[str, str]]:
    return found.disputes.select("annotation_id", "reason").sort("annotation_id").rows()


def states(found: Consensus) -> dict[str, str]:
    return dict(found.images.select("image_id", "state").rows())


def test_edges_of_boxes_are_averaged() -> None:
    found = agreed(box("a", 10, 10, 10, 10), box("b", 11, 10, 11, 10), box("c", 12, 13, 6, 7), iou=0.3)
    row = found.agreed.row(0, named=True)
    assert (row["x"], row["y"]) == (11, 11)
    assert (row["x"] + row["width"], row["y"] + row["height"]) == (20, 20)
    assert (row["shape"], row["label"], row["votes"], row["drawn"], row["answered"]) == (
        "box", "scratch", 3, 3, 3,
    )  # fmt: skip
    assert row["decided_by"] == ["a", "b", "c"]
    assert row["members"] == ["a0", "b1", "c2"]
    assert row["agreement"] == pytest.approx((90 / 120 + 42 / 100 + 42 / 110) / 3)
    assert found.disputes.is_empty()
    assert states(found) == {"i": "labelled"}


def test_the_class_with_a_quorum_wins_and_who_voted_for_it_is_kept() -> None:
    rows = box("a", 0, 0, 9, 9, "pit"), box("b", 0, 0, 9, 9, "pit"), box("c", 0, 0, 9, 9, "crack")
    row = agreed(*rows).agreed.row(0, named=True)
    assert (row["label"], row["votes"], row["drawn"], row["decided_by"]) == ("pit", 2, 3, ["a", "b"])


def test_what_too_few_drew_stays_in_dispute() -> None:
    found = agreed(box("a", 0, 0, 9, 9), seen=by_all("a", "b", "c"))
    assert reasons(found) == [("a0", "quorum")]
    row = found.disputes.row(0, named=True)
    assert row["message"] == "1 of 3 who saw the image drew it"
    assert row["silent"] == ["b", "c"]
    assert (row["x"], row["width"], row["author"]) == (0, 9, "a")
    assert found.agreed.schema == pl.Schema(AGREED)
    assert found.images.row(0) == ("i", 3, 0, 1, "disputed")


def test_what_is_called_differently_stays_in_dispute() -> None:
    found = agreed(box("a", 0, 0, 9, 9, "pit"), box("b", 0, 0, 9, 9, "crack"))
    assert reasons(found) == [("a0", "class"), ("b1", "class")]
    assert set(found.disputes["message"]) == {"of 2 who drew it, no more than 1 call it 'crack'"}
    assert found.disputes["unit"].n_unique() == 1


def test_an_even_vote_is_in_dispute_at_any_quorum() -> None:
    rows = box("a", 0, 0, 9, 9, "pit"), box("b", 0, 0, 9, 9, "crack")
    assert reasons(agreed(*rows, quorum=0.1)) == [("a0", "class"), ("b1", "class")]


@pytest.mark.parametrize(
    ("quorum", "drawn", "answered", "enough"),
    [
        (2 / 3, 2, 3, True), (2 / 3, 1, 2, False), (2 / 3, 4, 6, True), (2 / 3, 3, 5, False),
        (0.5, 1, 2, True), (0.5, 1, 3, False), (1, 2, 3, False), (1, 3, 3, True), (0.6, 3, 5, True),
    ],
)  # fmt: skip
def test_the_quorum_is_a_share_of_those_who_have_seen_the_image(
    quorum: float, drawn: int, answered: int, enough: bool
) -> None:
    names = "abcdef"[:answered]
    rows = [box(name, 0, 0, 9, 9) for name in names[:drawn]]
    assert agreed(*rows, seen=by_all(*names), quorum=quorum).agreed.height == enough


def test_an_image_where_all_say_nothing_is_negative_and_where_some_do_is_decided_by_quorum() -> None:
    rows = box("a", 0, 0, 9, 9), box("b", 0, 0, 9, 9), box("a", 0, 0, 9, 9, image_id="j")
    seen = answers(*((image, author) for image in "ijk" for author in "abc"))
    assert states(agreed(*rows, seen=seen)) == {"i": "labelled", "j": "disputed", "k": "negative"}


def test_who_has_only_labels_that_are_not_valid_does_not_say_nothing() -> None:
    rows = box("a", 0, 0, 9, 9), box("b", 0, 0, 9, 9, valid=False)
    found = agreed(*rows, seen=by_all("a", "b"))
    assert found.images.row(0) == ("i", 1, 1, 0, "labelled")


def test_a_mask_is_what_more_than_half_of_the_authors_set() -> None:
    drawn = np.zeros((3, HEIGHT, WIDTH), np.uint8)
    for place in range(3):
        drawn[place, 10:20, 10 + place : 30 + place] = 1
    found = agreed(*(mask(name, pixels) for name, pixels in zip("abc", drawn, strict=True)))
    row = found.agreed.row(0, named=True)
    assert (mask_of_counts(row["rle"], WIDTH, HEIGHT) == (drawn.sum(axis=0) >= 2)).all()
    assert (row["shape"], row["segmentation"]) == ("mask", None)
    assert (row["x"], row["y"], row["width"], row["height"]) == (11, 10, 20, 10)


def test_polygons_become_a_mask_unless_they_are_equal() -> None:
    first, second = [5, 5, 30, 8, 28, 20, 4, 16], [6, 5, 31, 8, 29, 20, 5, 16]
    row = agreed(polygon("a", first), polygon("b", second)).agreed.row(0, named=True)
    both = mask_of_polygon([first], WIDTH, HEIGHT) & mask_of_polygon([second], WIDTH, HEIGHT)
    assert (mask_of_counts(row["rle"], WIDTH, HEIGHT) == both).all()
    same = agreed(polygon("a", first), polygon("b", first)).agreed.row(0, named=True)
    assert (same["shape"], same["segmentation"], same["rle"]) == ("polygon", [first], None)
    assert same["agreement"] == 1.0


def test_a_box_and_a_mask_become_a_mask() -> None:
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    pixels[10:20, 12:30] = 1
    row = agreed(box("a", 10, 10, 20, 10), mask("b", pixels)).agreed.row(0, named=True)
    assert (mask_of_counts(row["rle"], WIDTH, HEIGHT) == pixels).all()


def test_shapes_without_a_common_pixel_stay_in_dispute() -> None:
    # Neighbours share a third, the ends nothing, and three of four share no pixel.
    drawn = np.zeros((4, HEIGHT, WIDTH), np.uint8)
    for place in range(4):
        drawn[place, 5:9, 10 * place : 10 * place + 20] = 1
    rows = [mask(name, pixels) for name, pixels in zip("abcd", drawn, strict=True)]
    found = agreed(*rows, iou=0.08)
    assert {reason for _, reason in reasons(found)} == {"geometry"}
    assert set(found.disputes["message"]) == {"no pixel is in more than half of the shapes"}


def test_classes_of_the_whole_image_are_voted_on() -> None:
    rows = whole("a", "pit"), whole("b", "pit"), whole("c", "crack")
    row = agreed(*rows).agreed.row(0, named=True)
    assert (row["shape"], row["label"], row["x"], row["votes"]) == ("class", "pit", None, 2)


def test_attributes_stay_where_all_who_voted_for_the_class_have_them() -> None:
    deep, flat = '{"severity":3}', '{"severity":1}'
    rows = [box(name, 0, 0, 9, 9, "pit", attributes=deep) for name in "ab"]
    other = box("c", 0, 0, 9, 9, "crack", attributes=flat)
    assert agreed(*rows, other).agreed["attributes"].to_list() == [deep]
    assert agreed(rows[0], rows[1] | {"attributes": flat}).agreed["attributes"].to_list() == [None]


def test_one_author_keeps_all_as_it_is() -> None:
    drawn = [
        box("a", 0.25, 1, 9, 9.125, "pit", attributes='{"n":1}'),
        polygon("a", [5, 5, 30, 8, 28, 20, 4, 16]),
        whole("a", "dull"),
        mask("a", mask_of_polygon([[40, 20, 50, 20, 50, 30]], WIDTH, HEIGHT), "crack"),
    ]
    frame = labels(*drawn)
    found = merge_labels(frame, sizes())
    kept = ["annotation_id", "image_id", "path", "source", "label", "shape", "x", "y", "width", "height",
            "segmentation", "rle", "is_crowd", "attributes"]  # fmt: skip
    assert found.agreed.select(kept).sort("annotation_id").equals(frame.select(kept))
    assert found.agreed["agreement"].to_list() == [None] * 4
    assert found.disputes.is_empty()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quorum": 0.0}, "a quorum of 0"),
        ({"quorum": 1.5}, "a quorum of 1.5"),
        ({"iou": 0.0}, "IoU threshold"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        agreed(box("a", 0, 0, 9, 9), **options)


def test_without_labels_there_are_only_negatives() -> None:
    found = agreed(seen=by_all("a", "b"))
    assert found.agreed.is_empty()
    assert found.disputes.is_empty()
    assert found.images.row(0) == ("i", 2, 0, 0, "negative")


places = st.tuples(st.integers(0, 35), st.integers(0, 20), st.integers(4, 20), st.integers(4, 15))


def _box(author: str, place: tuple[int, ...], name: str, image: str) -> Row:
    x, y, width, height = place
    return box(author, x, y, width, height, name, image_id=image)


def _polygon(author: str, place: tuple[int, ...], name: str, image: str) -> Row:
    x, y, width, height = place
    return polygon(author, [x, y, x + width, y + 1, x + width - 1, y + height], name, image_id=image)


some_rows = st.lists(
    st.builds(
        lambda author, place, name, image, make: make(author, place, name, image),
        st.sampled_from("abc"), places, st.sampled_from(["pit", "crack"]), st.sampled_from("ij"),
        st.sampled_from([_polygon, _box]),
    ),
    max_size=8,
)  # fmt: skip

SEEN = answers(*((image, author) for image in "ijk" for author in "abc"))


@settings(max_examples=60)  # polars starts its threads in one of the examples
@given(some_rows, st.integers(0, 2**31))
def test_the_order_of_labels_and_answers_does_not_matter(rows: list[Row], seed: int) -> None:
    frame = labels(*rows)
    mixed = frame.sample(fraction=1, shuffle=True, seed=seed)
    seen = SEEN.sample(fraction=1, shuffle=True, seed=seed)
    one = merge_labels(frame, sizes("i", "j"), SEEN, iou=0.2)
    other = merge_labels(mixed, sizes("i", "j"), seen, iou=0.2)
    for first, second in zip(one, other, strict=True):
        assert first.equals(second)


@settings(max_examples=60)  # polars starts its threads in one of the examples
@given(some_rows)
def test_every_label_is_agreed_or_in_dispute_and_once(rows: list[Row]) -> None:
    found = agreed(*rows, seen=SEEN, iou=0.2)
    members = found.agreed["members"].explode(empty_as_null=False).to_list()
    disputed = found.disputes["annotation_id"].to_list()
    assert sorted([*members, *disputed]) == sorted(labels(*rows)["annotation_id"])
    assert set(found.images["image_id"]) == set("ijk")
    assert found.images["agreed"].sum() == found.agreed.height


@settings(max_examples=60)  # polars starts its threads in one of the examples
@given(some_rows)
def test_consensus_of_a_consensus_changes_nothing(rows: list[Row]) -> None:
    first = agreed(*rows, seen=SEEN, iou=0.2).agreed
    columns = [name for name in first.columns if name in labels().columns]
    again = pl.concat([labels(), first.select(columns)], how="diagonal")
    again = again.with_columns(author=pl.lit("consensus"), valid=pl.lit(value=True))
    second = merge_labels(again, sizes("i", "j")).agreed
    assert second.select(columns).equals(first.select(columns))


@settings(max_examples=60)  # polars starts its threads in one of the examples
@given(places, st.permutations(list("abc")))
def test_what_the_authors_are_called_does_not_matter(place: tuple[int, ...], names: list[str]) -> None:
    x, y, width, height = place
    rows = [
        box(author, x + shift, y, width + 0.1 * shift, height, annotation_id=f"{shift}")
        for shift, author in enumerate("abc")
    ]
    frame = labels(*rows)
    renamed = frame.with_columns(author=pl.col("author").replace_strict(dict(zip("abc", names, strict=True))))
    one, other = (merge_labels(each, sizes(), SEEN, iou=0.1) for each in (frame, renamed))
    assert one.agreed.drop("decided_by").equals(other.agreed.drop("decided_by"))
