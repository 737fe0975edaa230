"""Who labels which images."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.errors import UsageError
from tundish.labeling.assignment import adjudication_title, assign, with_annotators
from tundish.recipe.load import Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

IDS = [f"{i:032x}" for i in range(300)]


def test_images_are_assigned_evenly_and_overlaps_as_asked() -> None:
    assigned = assign(IDS, ("a", "b", "c"), 0.2, {}, {})
    counts = [len(mine) for mine in assigned.values()]
    assert sum(counts) - 300 == pytest.approx(60, abs=25)
    assert all(95 < count < 145 for count in counts)
    seen = {image_id for mine in assigned.values() for image_id in mine}
    assert seen == set(IDS)
    assert all(mine == sorted(mine) for mine in assigned.values())


def test_what_is_assigned_stays_when_annotators_come() -> None:
    before = assign(IDS, ("a", "b"), 0.0, {}, {})
    after = assign(IDS, ("a", "b", "c"), 0.0, before, {})
    assert after == before | {"c": []}


def test_one_who_comes_for_two_who_went_gets_what_they_did_not_answer() -> None:
    before = assign(IDS, ("li", "wu"), 0.3, {}, {})
    answered = {name: mine[::2] for name, mine in before.items()}
    done = {image_id for mine in answered.values() for image_id in mine}
    assert assign(IDS, ("qi",), 0.0, {}, answered) == {"qi": [one for one in IDS if one not in done]}


PEOPLE = ("a", "b", "c", "d")
SOME = st.sets(st.sampled_from(IDS[:20]))
HAVE = st.fixed_dictionaries(dict.fromkeys(PEOPLE, SOME))


@st.composite
def pushes(draw: st.DrawFn) -> tuple[Sequence[str], float, dict[str, set[str]], dict[str, set[str]]]:
    """Who is named, the overlap, what the named have, and what those who are not named have answered."""
    named = draw(st.permutations(PEOPLE))[: draw(st.integers(1, 3))]
    overlap = draw(st.sampled_from([0.0, 0.4, 1.0]))
    have = draw(HAVE)
    existing = {name: have[name] for name in named}
    return named, overlap, existing, {name: ids for name, ids in have.items() if name not in named}


@given(pushes())
def test_no_image_is_asked_for_more_often_than_wanted(push: Any) -> None:
    named, overlap, existing, answered = push
    wanted = Counter([*IDS[:20], *twice(overlap)])
    assigned = assign(IDS[:20], named, overlap, existing, answered)
    for image_id in IDS[:20]:
        mine = {name for name in named if image_id in assigned[name]}
        kept = {name for name in named if image_id in existing[name]}
        others = sum(image_id in ids for ids in answered.values())
        assert min(len(kept), wanted[image_id]) == len(mine & kept)
        if mine - kept:
            assert len(mine) + others <= wanted[image_id]
        assert len(mine) + others >= min(wanted[image_id], len(named) + others)


def twice(overlap: float) -> set[str]:
    """The images that two annotators get."""
    assigned = assign(IDS[:20], ("one", "other"), overlap, {}, {})
    return {*assigned["one"]} & {*assigned["other"]}


@given(pushes(), st.integers(0, 20))
def test_what_is_assigned_stays_when_images_come_and_when_it_is_pushed_again(push: Any, count: int) -> None:
    named, overlap, existing, answered = push
    assigned = assign(IDS[:20], named, overlap, existing, answered)
    before = assign(IDS[:count], named, overlap, existing, answered)
    assert all(assigned[name][: len(before[name])] == before[name] for name in named)
    have = {name: existing[name].union(assigned[name]) for name in named}
    assert assign(IDS[:20], named, overlap, have, answered) == assigned


@given(pushes())
def test_where_nobody_is_left_out_it_goes_to_those_who_have_it_first(push: Any) -> None:
    named, overlap, existing, _ = push
    assigned = assign(IDS[:20], named, overlap, existing, {})
    for image_id in IDS[:20]:
        rank = {name: sum(first(image_id, name, other) for other in named) for name in named}
        order = sorted(named, key=lambda name: (image_id not in existing[name], -rank[name]))
        mine = order[: 1 + (image_id in twice(overlap))]
        assert {name for name in named if image_id in assigned[name]} == {*mine}


def first(image_id: str, name: str, other: str) -> bool:
    """Whether one of two annotators gets an image rather than the other."""
    return name != other and assign([image_id], (name, other), 0.0, {}, {})[name] == [image_id]


def test_annotators_are_named_in_one_text_or_one_by_one() -> None:
    recipe = Recipe.model_validate({"dataset": "line", "sources": [{"path": "raw", "format": "folders"}]})
    for names in ("li, wu", ["li", "wu"]):
        label = with_annotators(recipe, names, 0.5).label
        assert (label.annotators, label.overlap) == (("li", "wu"), 0.5)
    assert with_annotators(recipe, None, None) is recipe
    with pytest.raises(UsageError, match="no annotator is named"):
        with_annotators(recipe, [], None)
    assert adjudication_title(recipe) == "line · adjudication"
