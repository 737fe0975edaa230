"""Repeated determinations: limits at the bands' ends, the rule of two to four, invented pairs."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tundish.domain.laboratory.repeatability import (
    LIMITS,
    Settled,
    agree,
    judge_pairs,
    limit,
    limits_of,
    resolution,
    settle,
    verdicts,
)

Column = NDArray[np.float64]
hundredths = st.integers(0, 3000).map(lambda n: n / 100)
some_limits = st.integers(1, 100).map(lambda n: n / 100)


@pytest.mark.parametrize(
    ("item", "standard", "mean", "r"),
    [
        ("Mad", None, 4.99, 0.20),
        ("Mad", None, 5.0, 0.30),
        ("Mad", None, 10.0, 0.30),
        ("Mad", None, 10.01, 0.40),
        ("A_ad", None, 14.99, 0.20),
        ("A_ad", None, 15.0, 0.30),
        ("A_ad", None, 30.0, 0.30),
        ("A_ad", None, 30.01, 0.50),
        ("V_ad", None, 19.99, 0.30),
        ("V_ad", None, 20.0, 0.50),
        ("V_ad", None, 40.0, 0.50),
        ("V_ad", None, 40.01, 0.80),
        ("Mt", None, 9.99, 0.4),
        ("Mt", None, 10.0, 0.5),
        ("S_t_ad", None, 1.5, 0.05),
        ("S_t_ad", None, 1.51, 0.10),
        ("S_t_ad", None, 4.0, 0.10),
        ("S_t_ad", None, 4.01, 0.20),
        ("Q_gr_ad", None, 25.0, 0.120),
        ("Mad", "ASTM D3173", 10.0, 0.19),
        ("Mad", "ASTM D3173", 0.99, None),
        ("Mad", "ASTM D3173", 21.9, 0.309),
        ("Mad", "ASTM D3173", 21.91, None),
        ("A_ad", "ISO 1171", 9.99, 0.2),
        ("A_ad", "ISO 1171", 20.0, 0.4),
        ("G_index", None, 18.0, 3),
        ("G_index", None, 17.9, 1),
        ("T_DT", None, 1300.0, 60),
        ("A_d", None, 20.0, None),
    ],
)
def test_limits_by_band(item: str, standard: str | None, mean: float, r: float | None) -> None:
    limits = limits_of(item, standard)
    assert limits is not None
    assert limits.r(mean) == pytest.approx(r)
    assert pl.select(limits.expression(pl.lit(mean))).item() == pytest.approx(r)
    if standard is None:
        assert pl.select(limit(pl.lit(item), pl.lit(mean))).item() == pytest.approx(r)


def test_reproducibility() -> None:
    expected = {"A_d": (0.30, 0.50, 0.70), "V_d": (0.50, 1.00, 1.50), "Q_gr_d": (0.300,)}
    for item, limits in expected.items():
        of = limits_of(item)
        assert of is not None
        assert tuple(band.R for band in of.bands) == limits


def test_sources_are_marked() -> None:
    assert {one.standard for one in LIMITS if one.general} == {
        "ISO 11722",
        "ISO 1171",
        "ASTM D3174",
        "ISO 562",
        "GB/T 219",
        "GB/T 5447",
    }
    assert {one.item for one in LIMITS if "another source" in one.remark} == {"V_ad", "S_t_ad"}
    assert limits_of("Mad", "DIN 1") is limits_of("colour") is None


@pytest.mark.parametrize(
    ("values", "mean", "used", "needs_more", "rejected"),
    [
        ([10.0], None, (), True, False),
        ([10.0, 10.2], 10.1, (0, 1), False, False),
        ([10.0, 10.21], None, (), True, False),
        ([10.0, 10.21, 10.24], 10.15, (0, 1, 2), False, False),
        ([10.0, 10.21, 10.25], None, (), True, False),
        ([10.0, 10.21, 10.25, 10.26], 10.18, (0, 1, 2, 3), False, False),
        ([10.0, 10.25, 10.28, 10.3], 10.83 / 3 + 20 / 3, (1, 2, 3), False, False),
        ([10.0, 10.3, 10.6, 10.9], None, (), False, True),
        # Both threes are within 1.2 T and equally close: the lower one.
        ([10.0, 10.24, 10.1, 10.34], (10.0 + 10.24 + 10.1) / 3, (0, 1, 2), False, False),
        # What comes after the settling one is not looked at.
        ([10.0, 10.1, 99.0], 10.05, (0, 1), False, False),
    ],
)
def test_two_three_four(
    values: list[float], mean: float | None, used: tuple[int, ...], needs_more: bool, rejected: bool
) -> None:
    got = settle(values, 0.20)
    assert got == Settled(got.mean, used, needs_more, rejected)
    assert got.mean == pytest.approx(mean)
    expected = "rejected" if rejected else str(len(values) + 1) if needs_more else "settled"
    assert verdicts(pl.Series([values]), pl.Series([0.20])).to_list() == [expected]


def test_the_limit_is_met_by_equality_in_decimals() -> None:
    assert 20.5 - 20.2 > 0.3
    assert settle([20.5, 20.2], 0.3).used == (0, 1)
    assert pl.select(agree(pl.lit(20.5), pl.lit(20.2), pl.lit(0.3))).item()
    assert not pl.select(agree(pl.lit(20.51), pl.lit(20.2), pl.lit(0.3))).item()


@given(hundredths, hundredths, some_limits)
def test_the_order_of_a_pair_does_not_matter(first: float, second: float, t: float) -> None:
    one, other = settle([first, second], t), settle([second, first], t)
    assert one == other
    assert pl.select(agree(pl.lit(first), pl.lit(second), pl.lit(t))).item() == (not one.needs_more)


def badness(settled: Settled) -> int:
    return 2 if settled.rejected else 1 if settled.needs_more else 0


@given(st.lists(hundredths, min_size=1, max_size=4), some_limits, some_limits)
def test_a_wider_limit_never_makes_it_worse(values: list[float], one: float, other: float) -> None:
    tight, wide = sorted((one, other))
    assert badness(settle(values, wide)) <= badness(settle(values, tight))


@given(st.lists(st.tuples(st.lists(hundredths, min_size=1, max_size=4), some_limits), max_size=8))
def test_many_at_once_as_one_by_one(samples: list[tuple[list[float], float]]) -> None:
    words = []
    for values, t in samples:
        got = settle(values, t)
        words.append("rejected" if got.rejected else str(len(values) + 1) if got.needs_more else "settled")
    lists = pl.Series([values for values, _ in samples], dtype=pl.List(pl.Float64))
    assert verdicts(lists, pl.Series([t for _, t in samples], dtype=pl.Float64)).to_list() == words


def test_no_limit_no_verdict() -> None:
    got = verdicts(pl.Series([[1.0, 9.0], [1.0, 1.0]]), pl.Series([None, 0.2], dtype=pl.Float64))
    assert got.to_list() == [None, "settled"]


def made(count: int, spread: float, seed: int = 7) -> tuple[Column, Column]:
    """Pairs of ash as a laboratory writes them; `spread` times the standard deviation that T = 0.2 allows."""
    draw = np.random.default_rng(seed)
    truth = draw.uniform(8, 14, count)
    sd = 0.2 / 2.77 * spread
    first, second = (np.round(truth + draw.normal(0, sd, count), 2) for _ in range(2))
    return first, second


def test_honest_pairs_are_left_alone() -> None:
    for spread in (0.5, 1.0):
        for seed in range(20):
            first, second = made(200, spread, seed)
            found = judge_pairs(first, second, np.full(200, 0.2))
            assert not found.too_equal, (spread, seed)
            assert not found.too_close, (spread, seed)
    assert found.sd_ratio == pytest.approx(1.0, abs=0.2)


def test_written_down_twice() -> None:
    first, second = made(200, 1.0)
    second[:60] = first[:60]
    found = judge_pairs(first, second, np.full(200, 0.2))
    assert found.too_equal
    assert not found.too_close
    assert found.equal_share >= 0.3 > found.expected_share


def test_a_hundredth_beside() -> None:
    first, _ = made(200, 1.0)
    found = judge_pairs(first, first + 0.01, np.full(200, 0.2))
    assert found.too_close
    assert not found.too_equal


def test_coarse_values_are_equal_by_rounding() -> None:
    draw = np.random.default_rng(3)
    truth = draw.uniform(1250, 1450, 300)
    first, second = (np.round((truth + draw.normal(0, 40 / 2.77, 300)) / 10) * 10 for _ in range(2))
    found = judge_pairs(first, second, np.full(300, 40.0))
    assert found.equal_share > 0.1
    assert not found.too_equal


def test_few_pairs_say_nothing() -> None:
    same = np.full(19, 10.0)
    assert not judge_pairs(same, same, np.full(19, 0.2)).too_equal
    assert judge_pairs(np.full(20, 10.01), np.full(20, 10.01), np.full(20, 0.2)).too_equal
    assert judge_pairs(same[:0], same[:0], same[:0]).pairs == 0


@pytest.mark.parametrize(("values", "step"), [([1350.0, 1400.0], 10), ([1.0, 2.5], 0.1), ([0.12345], 0.0001)])
def test_resolution(values: list[float], step: float) -> None:
    assert resolution(np.array(values)) == step
