"""Reductions, strains, speeds and roll marks."""

from __future__ import annotations

import math
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.domain.steel.rolling import (
    elongation,
    log_strain,
    reduction,
    roll_period,
    speed_at,
    stretched,
    total_reduction,
)

GAUGES = [3.0, 2.1, 1.55, 1.15, 0.88, 0.70]


def test_reduction__vector() -> None:
    each = [reduction(h_in, h_out) for h_in, h_out in pairwise(GAUGES)]
    assert [round(share, 4) for share in each] == [0.3, 0.2619, 0.2581, 0.2348, 0.2045]
    assert round(total_reduction(each), 4) == 0.7667
    assert sum(each) > 1


def test_log_strain__vector() -> None:
    assert round(log_strain(3.0, 0.7), 4) == 1.4553


def test_speed_at__vector() -> None:
    assert round(speed_at(3.0, 0.70, 20.0), 3) == 4.667


def test_roll_period__vector() -> None:
    assert round(roll_period(600.0)) == 1885
    assert stretched(roll_period(600.0), 0.3) == pytest.approx(600 * math.pi / 0.7)


def test_expressions__say_what_numbers_say() -> None:
    frame = pl.DataFrame({"h_in": [3.0], "h_out": [0.7], "v": [20.0]})
    h_in, h_out, v = pl.col("h_in"), pl.col("h_out"), pl.col("v")
    told = frame.select(
        r=reduction(h_in, h_out),
        total=total_reduction([reduction(h_in, h_out), reduction(h_in, h_out)]),
        strain=log_strain(h_in, h_out),
        entry=speed_at(h_in, h_out, v),
        period=stretched(roll_period(pl.lit(600.0)), reduction(h_in, h_out)),
        longer=elongation(speed_at(h_in, h_out, v), v),
    ).row(0)
    r = reduction(3.0, 0.7)
    assert told == pytest.approx(
        (
            r,
            total_reduction([r, r]),
            log_strain(3.0, 0.7),
            speed_at(3.0, 0.7, 20.0),
            stretched(roll_period(600.0), r),
            elongation(speed_at(3.0, 0.7, 20.0), 20.0),
        )
    )


@given(st.lists(st.floats(0.01, 0.6), min_size=1, max_size=8))
def test_total_reduction__is_that_of_the_first_and_last_gauge(shares: list[float]) -> None:
    gauge = 5.0
    for share in shares:
        gauge *= 1 - share
    assert total_reduction(shares) == pytest.approx(reduction(5.0, gauge))


@given(st.floats(0.2, 10), st.floats(0.01, 0.8), st.floats(0.1, 20))
def test_elongation__stretches_as_the_thickness_shrinks(h_in: float, share: float, v_in: float) -> None:
    h_out = h_in * (1 - share)
    v_out = speed_at(h_out, h_in, v_in)
    longer = elongation(v_in, v_out)
    assert roll_period(600.0, longer) == pytest.approx(stretched(roll_period(600.0), share))
