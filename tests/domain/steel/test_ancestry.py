from __future__ import annotations

from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.domain.steel.ancestry import DEPTH, EDGES, PIECES, ancestors
from tundish.errors import UsageError


def edge(parent: str, child: str, *spans: float, **more: Any) -> dict[str, Any]:
    names = ("parent_from_m", "parent_to_m", "child_from_m", "child_to_m")
    return {"parent_id": parent, "child_id": child} | dict(zip(names, spans, strict=False)) | more


def genealogy(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=EDGES, orient="row")


def ask(piece: str, position_m: float | None = None, side: str | None = None) -> pl.DataFrame:
    return pl.DataFrame([(0, piece, position_m, side)], schema=PIECES, orient="row")


def found(rows: pl.DataFrame) -> dict[str, tuple[float | None, str | None]]:
    """Position and side by the way to each piece."""
    return {via: (x, side) for via, x, side in rows.select("via", "position_m", "side").iter_rows()}


# A slab of 10 m makes 766.7 m of strip 3 mm thick, 3285.7 m at 0.7 mm.
STRIP, COLD = 766.7, 3285.7
CHAIN = genealogy(
    edge("H77", "S1", turned=False, reversed=False),
    edge("S1", "A1", 0, 10, 0, STRIP, reversed=False),
    edge("A1", "B1", 0, STRIP, 0, COLD),
    edge("B1", "C1", 0, COLD, 0, COLD, turned=True),
)


def test_positions_follow_elongation_and_two_recoilings() -> None:
    rows = ancestors(CHAIN, ask("C1", 100.0, "top"))
    assert rows["via"].to_list()[-1] == "C1 > B1 > A1 > S1 > H77"
    assert rows["depth"].to_list() == [0, 1, 2, 3, 4]
    assert rows["end"].to_list() == [None] * 4 + ["top"]
    on = dict(zip(rows["piece"], rows["position_m"], strict=True))
    assert on["B1"] == pytest.approx(COLD - 100)
    assert on["A1"] == pytest.approx(100 / COLD * STRIP)
    assert on["S1"] == pytest.approx(100 / COLD * 10)
    assert on["H77"] is None  # a heat has no metres
    assert rows["side"].to_list() == ["top", *["bottom"] * 4]


def test_orientation_of_one_recoiling_is_length_less_position() -> None:
    rows = ancestors(genealogy(edge("A", "B", 0, 500, 0, 500)), ask("B", 120.0))
    assert rows["position_m"].to_list() == [120.0, 380.0]


def test_turned_twice_is_not_turned() -> None:
    edges = genealogy(edge("A", "B", turned=True), edge("B", "C", turned=True))
    assert ancestors(edges, ask("C", None, "bottom"))["side"].to_list() == ["bottom", "top", "bottom"]
    assert ancestors(edges, ask("C"))["side"].to_list() == [None] * 3


WELDED = genealogy(edge("A", "W", 0, 800, 0, 800), edge("B", "W", 0, 700, 800, 1500))


@pytest.mark.parametrize(
    ("position", "parent", "there"),
    [(0.0, "A", 800.0), (799.0, "A", 1.0), (800.0, "B", 700.0), (900.0, "B", 600.0), (1500.0, "B", 0.0)],
)
def test_position_tells_which_coil_was_welded_there(position: float, parent: str, there: float) -> None:
    rows = ancestors(WELDED, ask("W", position))
    assert found(rows) == {"W": (position, None), f"W > {parent}": (there, None)}


def test_without_position_all_welded_coils_come_into_question() -> None:
    assert found(ancestors(WELDED, ask("W"))) == {
        "W": (None, None),
        "W > A": (None, None),
        "W > B": (None, None),
    }


def test_an_encoder_may_slip_and_no_more() -> None:
    assert found(ancestors(WELDED, ask("W", 1514.0)))["W > B"] == (0.0, None)
    assert found(ancestors(WELDED, ask("W", -10.0)))["W > A"] == (800.0, None)
    rows = ancestors(WELDED, ask("W", 1516.0))
    assert rows["end"].to_list() == ["outside"]


def test_slit_strips_come_from_the_same_metres() -> None:
    edges = genealogy(edge("A", "L", 100, 300, 0, 200), edge("A", "R", 100, 300, 0, 200))
    for strip in "LR":
        assert found(ancestors(edges, ask(strip, 50.0)))[f"{strip} > A"] == (250.0, None)


def test_cut_to_length() -> None:
    edges = genealogy(
        edge("A", "one", 0, 400, 0, 400, reversed=False), edge("A", "two", 400, 1000, 0, 600, reversed=False)
    )
    assert found(ancestors(edges, ask("two", 10.0)))["two > A"] == (410.0, None)


def test_whole_parent_has_the_length_it_was_made_with() -> None:
    edges = genealogy(
        edge("S", "A", 0, 10, 0, 800), edge("A", "B", child_from_m=0, child_to_m=3200, reversed=True)
    )
    assert found(ancestors(edges, ask("B", 0.0)))["B > A"] == (800.0, None)
    unknown = genealogy(edge("A", "B"))
    assert found(ancestors(unknown, ask("B", 5.0)))["B > A"] == (None, None)


def test_an_ancestor_by_two_ways_is_one() -> None:
    edges = genealogy(edge("A", "L"), edge("A", "R"), edge("L", "W"), edge("R", "W"))
    assert ancestors(edges, ask("W"))["piece"].to_list() == ["W", "L", "R", "A"]


def test_ways_end_at_what_is_wanted() -> None:
    rows = ancestors(CHAIN, ask("C1", 1.0), pl.Series(["A1", "H77"]))
    assert rows.select("piece", "end").rows() == [("A1", "wanted")]
    rows = ancestors(CHAIN, ask("C1", 1.0), pl.Series(["C1", "H77"]))
    assert rows.select("piece", "end").rows() == [("C1", "wanted")]
    rows = ancestors(CHAIN, ask("C1", 1.0), pl.Series(["Z"]))
    assert rows.select("piece", "end").rows() == [("H77", "top")]


def test_a_circle_is_reported_and_ends() -> None:
    edges = genealogy(edge("A", "B"), edge("B", "C"), edge("C", "A"), edge("A", "A"))
    rows = ancestors(edges, ask("C"), pl.Series(["Z"]))
    assert set(rows["end"]) == {"circle"}
    assert set(rows["depth"]) == {DEPTH}


def test_piece_that_nobody_knows() -> None:
    rows = ancestors(CHAIN, ask("Q"))
    assert rows.select("piece", "depth", "end").rows() == [("Q", 0, "top")]
    assert ancestors(genealogy(), ask("Q")).height == 1
    assert ancestors(CHAIN, ask("C1").clear()).is_empty()


def test_only_the_ids_are_needed() -> None:
    edges = pl.DataFrame({"parent_id": ["A", None], "child_id": ["B", "B"]})
    assert ancestors(edges, ask("B", 1.0, "top"))["piece"].to_list() == ["B", "A"]
    with pytest.raises(UsageError, match="needs the column 'child_id'"):
        ancestors(edges.drop("child_id"), ask("B"))


INVERSE = {
    f"{one}_{what}": f"{other}_{what}"
    for one, other in (("parent", "child"), ("child", "parent"))
    for what in ("id", "from_m", "to_m")
}


@st.composite
def chains(draw: st.DrawFn) -> tuple[pl.DataFrame, int, float]:
    """Pieces P0 > P1 > ... each made from part of the one before; and the last one's length."""
    metres = st.floats(1, 5000)
    lengths = draw(st.lists(metres, min_size=2, max_size=6))
    rows = []
    for number, (before, after) in enumerate(pairwise(lengths)):
        start = draw(st.floats(0, 0.4)) * before
        stop = before * draw(st.floats(0.6, 1))
        reverse = draw(st.booleans())
        turned = draw(st.booleans())
        rows.append(
            edge(f"P{number}", f"P{number + 1}", start, stop, 0, after, reversed=reverse, turned=turned)
        )
    return genealogy(*rows), len(lengths) - 1, lengths[-1]


@given(chains(), st.floats(0, 1), st.sampled_from(["top", "bottom"]))
def test_up_the_chain_and_down_again(chain: tuple[pl.DataFrame, int, float], share: float, side: str) -> None:
    edges, last, length = chain
    top = ancestors(edges, ask(f"P{last}", share * length, side)).row(-1, named=True)
    assert top["piece"] == "P0"
    down = edges.rename(INVERSE)
    back = ancestors(down, ask("P0", top["position_m"], top["side"])).row(-1, named=True)
    assert back["piece"] == f"P{last}"
    assert back["position_m"] == pytest.approx(share * length, abs=1e-6 * length)
    assert back["side"] == side


@given(st.floats(10, 5000), st.floats(0, 1))
def test_reversed_twice_is_as_before(length: float, share: float) -> None:
    edges = genealogy(edge("A", "B", 0, length, 0, length), edge("B", "C", 0, length, 0, length))
    rows = ancestors(edges, ask("C", share * length))
    assert rows["position_m"][2] == pytest.approx(share * length, abs=1e-9 * length)
    assert rows["position_m"][1] == pytest.approx((1 - share) * length, abs=1e-9 * length)
