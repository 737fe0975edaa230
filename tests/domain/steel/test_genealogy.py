"""What can be wrong with a genealogy, and what only looks wrong: welding and slitting."""

from __future__ import annotations

import time

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tundish.domain.steel.genealogy import before_parent, beyond_length, on_cycle, over_mass, overlapping


def edges(*pairs: str, **columns: list[float | None]) -> pl.DataFrame:
    """Edges written as 'A>B'."""
    ids = [pair.split(">") for pair in pairs]
    frame = pl.DataFrame(ids, schema={"parent_id": pl.String, "child_id": pl.String}, orient="row")
    return frame.with_columns(pl.Series(name, values, pl.Float64) for name, values in columns.items())


def test_on_cycle__welding_and_slitting_are_none() -> None:
    frame = edges("A>C", "B>C", "C>D", "C>E", "A>E")
    assert not on_cycle(frame).any()


def test_on_cycle__only_the_edges_that_lead_back() -> None:
    frame = edges("X>A", "A>B", "B>C", "C>A", "C>D", "S>S")
    assert on_cycle(frame).to_list() == [False, True, True, True, False, True]


def test_on_cycle__an_edge_without_an_end_closes_nothing() -> None:
    frame = pl.DataFrame({"parent_id": ["A", None], "child_id": [None, "A"]})
    assert on_cycle(frame).to_list() == [False, False]
    assert on_cycle(frame.clear()).to_list() == []


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=25))
def test_on_cycle__as_walking_the_edges_says(pairs: list[tuple[int, int]]) -> None:
    children = {parent: {child for p, child in pairs if p == parent} for parent in range(9)}

    def reached(start: int) -> set[int]:
        seen: set[int] = set()
        todo = [start]
        while todo:
            new = children[todo.pop()] - seen
            seen |= new
            todo += new
        return seen

    frame = edges(*(f"{parent}>{child}" for parent, child in pairs))
    assert on_cycle(frame).to_list() == [
        parent in reached(child) | {child} & {parent} for parent, child in pairs
    ]


def test_overlapping__the_piece_that_begins_too_early_is_named() -> None:
    frame = edges(
        "P>B", "P>A", "P>C", "Q>D", parent_from_m=[400, 0, 600, 0], parent_to_m=[650, 400, 900, 900]
    )
    assert overlapping(frame).to_list() == [False, False, True, False]
    assert not overlapping(frame, tolerance=50.0).any()
    assert overlapping(frame, tolerance=49.0).sum() == 1


def test_overlapping__two_short_pieces_in_a_long_one() -> None:
    frame = edges("P>A", "P>B", "P>C", parent_from_m=[0, 10, 50], parent_to_m=[100, 20, 60])
    assert overlapping(frame).to_list() == [False, True, True]


def test_overlapping__slit_strips_lie_side_by_side() -> None:
    frame = edges("P>A", "P>B", "P>C", parent_from_m=[0, 0, 500], parent_to_m=[500, 500, 900])
    assert not overlapping(frame).any()


def test_overlapping__unknown_places_overlap_with_nothing() -> None:
    frame = edges("P>A", "P>B", parent_from_m=[0, None], parent_to_m=[500, 400])
    assert not overlapping(frame).any()


def test_beyond_length() -> None:
    frame = edges(
        *(f"P>{child}" for child in "ABCDE"),
        parent_from_m=[0, 500, 0, -1, 0],
        parent_to_m=[500, 900, 901, 5, None],
        parent_length_m=[900, 900, 900, 900, 900],
    )
    assert beyond_length(frame).to_list() == [False, False, True, True, False]
    assert beyond_length(frame, tolerance=0.01).to_list() == [False, False, False, True, False]


def test_intervals__decimals_that_add_up() -> None:
    cuts = [0.1 * number for number in range(11)]
    frame = edges(*(f"P>{n}" for n in range(10)), parent_from_m=cuts[:-1], parent_to_m=cuts[1:])  # type: ignore[arg-type]
    assert not beyond_length(frame.with_columns(parent_length_m=pl.lit(1.0))).any()
    assert not overlapping(frame).any()


def test_over_mass__within_the_weighing_and_beyond() -> None:
    frame = edges("P>A", "P>B", "Q>C", parent_mass_t=[20, 20, 20], child_mass_t=[10, 10.09, 20.2])
    assert over_mass(frame).to_list() == [False, False, True]
    assert over_mass(frame, tolerance=0.0).to_list() == [True, True, True]


def test_over_mass__a_welded_coil_weighs_what_its_parents_do() -> None:
    frame = edges("A>C", "B>C", parent_mass_t=[10, 12], child_mass_t=[21.9, 21.9])
    assert not over_mass(frame).any()
    heavier = frame.with_columns(child_mass_t=pl.lit(23.0))
    assert over_mass(heavier).all()


def test_over_mass__own_children_count_alone_beside_a_welded_one() -> None:
    frame = edges("A>X", "A>Y", "A>W", "B>W", parent_mass_t=[10, 10, 10, 30], child_mass_t=[6, 5, 10, 10])
    assert over_mass(frame).to_list() == [True, True, True, False]


def test_over_mass__two_intervals_of_one_parent_are_one_child() -> None:
    frame = edges("A>C", "A>C", parent_mass_t=[20, 20], child_mass_t=[19, 19])
    assert not over_mass(frame).any()


def test_over_mass__a_parent_of_unknown_mass_excuses() -> None:
    frame = edges("A>C", "B>C", "D>E", parent_mass_t=[10, None, None], child_mass_t=[22, 22, 5])
    assert not over_mass(frame).any()


def test_before_parent() -> None:
    frame = edges("S>A", "A>B", "A>C", "B>D", made_at=[10, 20, 5, None])
    assert before_parent(frame).to_list() == [False, False, True, False]


def test_a_million_edges__in_seconds() -> None:
    count = 1_000_000
    number = np.arange(1, count + 1)
    frame = pl.DataFrame({"parent": number // 4, "child": number}).select(
        parent_id=pl.format("C{}", "parent"),
        child_id=pl.format("C{}", "child"),
        parent_from_m=pl.col("child") % 4 * 100.0,
        parent_to_m=pl.col("child") % 4 * 100.0 + 100,
        parent_length_m=pl.lit(400.0),
        parent_mass_t=pl.lit(20.0),
        child_mass_t=pl.lit(5.0),
        made_at="child",
    )
    began = time.perf_counter()
    for rule in (on_cycle, overlapping, beyond_length, over_mass, before_parent):
        assert not rule(frame).any()
    assert time.perf_counter() - began < 60
