"""Labels of one picture from several formats: equal ones once, nothing lost, what differs is reported."""

from __future__ import annotations

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st
from tests.formats.sources import refs

from tundish.formats.base import Label
from tundish.formats.several.merge import merge

Shape = Literal["box", "polygon", "mask", "class"]
(IMAGE,) = refs("a.jpg")
ROWS = iter(range(10**9))


def label(name: str, *place: float, shape: Shape = "box", path: str = "a.txt") -> Label:
    x, y, width, height = place
    return Label(IMAGE, name, shape, x, y, width, height, path, next(ROWS))


def same(name: str) -> str:
    return name.casefold()


def test_equal_labels_count_once_and_corners_may_be_counted_otherwise() -> None:
    one, other = label("pit", 10, 10, 30, 20), label("PIT", 9, 9, 31, 21)
    merged = merge([("voc", [one]), ("coco", [other])], same)
    assert merged.kept == [one]
    assert merged.repeated == [(other, "voc")]
    assert not merged.disagree


def test_the_finer_of_two_equal_labels_is_kept() -> None:
    box, outline = label("pit", 10, 10, 30, 20), label("pit", 10, 10, 30, 20, shape="polygon")
    for groups in ([("voc", [box]), ("coco", [outline])], [("coco", [outline]), ("voc", [box])]):
        merged = merge(groups, same)
        assert merged.kept == [outline]
        assert merged.repeated == [(box, "coco")]


def test_an_object_that_is_drawn_differently_is_kept_once_and_reported() -> None:
    one, other = label("pit", 10, 10, 100, 40), label("pit", 10, 10, 70, 40)
    merged = merge([("voc", [one]), ("coco", [other])], same)
    assert merged.kept == [one]
    assert merged.sentence() == "1 drawn differently"


def test_labels_that_contradict_each_other_are_kept_and_reported() -> None:
    one, other = label("pit", 10, 10, 30, 20), label("scale", 10, 10, 30, 20)
    third = label("pit", 90, 9, 8, 8)
    merged = merge([("voc", [one]), ("coco", [other, third])], same)
    assert merged.kept == [one, other, third]
    assert merged.sentence() == "2 labels only in coco, 1 label only in voc"


def test_a_picture_without_a_mark_in_one_format_and_with_one_in_the_other_is_reported() -> None:
    merged = merge([("voc", [label("pit", 1, 1, 9, 9)]), ("coco", [])], same)
    assert merged.sentence() == "1 label only in voc"


def test_one_mask_of_several_objects_is_dropped_for_them() -> None:
    several = [label("pit", 10, 10, 20, 20), label("pit", 80, 60, 20, 20)]
    mask = label("pit", 10, 10, 90, 70, shape="mask")
    for groups in ([("voc", several), ("masks", [mask])], [("masks", [mask]), ("voc", several)]):
        merged = merge(groups, same)
        assert merged.kept == several
        assert merged.repeated == [(mask, "voc")]
        assert not merged.disagree


def test_the_class_of_a_picture_agrees_with_what_is_drawn_in_it() -> None:
    whole, box = label("pit", 0, 0, 200, 100, shape="class"), label("pit", 0, 0, 200, 100)
    merged = merge([("classes-csv", [whole]), ("voc", [box])], same)
    assert merged.kept == [whole, box]
    assert not merged.disagree
    good = label("good", 0, 0, 200, 100, shape="class")
    assert merge([("classes-csv", [good]), ("voc", [box])], same).disagree


places = st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(1, 40)] * 2)
Drawn = tuple[str, tuple[int, ...], Shape]

objects = st.lists(st.tuples(st.sampled_from("xy"), places, st.sampled_from(["box", "mask"])), max_size=6)


@given(st.lists(objects, min_size=2, max_size=3))
def test_every_label_is_kept_or_repeated_and_none_is_both(
    groups: list[list[Drawn]],
) -> None:
    said = [
        (f"f{number}", [label(name, *place, shape=shape) for name, place, shape in group])
        for number, group in enumerate(groups)
    ]
    merged = merge(said, same)
    rows = [one.label_row for one in merged.kept] + [one.label_row for one, _ in merged.repeated]
    assert sorted(rows) == sorted(one.label_row for _, labels in said for one in labels)


@given(objects)
def test_two_formats_that_say_the_same_agree(group: list[Drawn]) -> None:
    distinct = [one for number, one in enumerate(group) if one not in group[:number]]
    one, other = ([label(name, *place, shape=shape) for name, place, shape in distinct] for _ in range(2))
    merged = merge([("a", one), ("b", other)], same)
    assert len(merged.kept) == len(distinct)
    assert not merged.alone
