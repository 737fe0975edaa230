from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.domain.clocks import Times, offset_of_pairs, offset_of_times

DAY = 86_400.0
START = 1.7e9
EIGHT_H = 8 * 3600.0


def moments(seed: int, count: int, days: float = 10) -> Times:
    return START + np.sort(np.random.default_rng(seed).uniform(0, days * DAY, count))


@pytest.mark.parametrize("count", [6, 50, 5000])
@pytest.mark.parametrize("tolerance", [1.0, 120.0])
@pytest.mark.parametrize("offset", [EIGHT_H, -90.0, 0.0, -13.5 * 3600])
def test_clocks_apart(count: int, tolerance: float, offset: float) -> None:
    there = moments(count, count)
    found = offset_of_times(there + offset, there, tolerance)
    assert found.certain
    assert found.offset_s == pytest.approx(offset, abs=1e-3)
    assert found.share == pytest.approx(1)


@pytest.mark.parametrize("tolerance", [5.0, 120.0, 600.0])
def test_jitter_and_missing_partners(tolerance: float) -> None:
    rng = np.random.default_rng(4)
    there = moments(3, 2000, 60)
    here = there + EIGHT_H + rng.normal(0, tolerance / 4, there.size)
    found = offset_of_times(here[rng.random(2000) < 0.6], there[rng.random(2000) < 0.6], tolerance)
    assert found.certain
    assert found.offset_s == pytest.approx(EIGHT_H, abs=tolerance / 5)
    assert 0.45 < found.share < 0.8
    assert found.background < found.share - 0.2


def test_coils_as_often_as_the_tolerance_is_wide() -> None:
    rng = np.random.default_rng(5)
    there = START + np.cumsum(180 + rng.normal(0, 8, 2000))
    found = offset_of_times(there - 3 * 3600 + rng.normal(0, 1, there.size), there, 120.0)
    assert found.certain
    assert found.offset_s == pytest.approx(-3 * 3600, abs=1)


def test_several_images_of_each_coil() -> None:
    rng = np.random.default_rng(6)
    there = START + np.cumsum(rng.exponential(3600, 300))
    here = np.concatenate([there + EIGHT_H + 10 * k for k in range(10)])
    found = offset_of_times(rng.permutation(here), there, 120.0)
    assert found.certain
    assert abs(found.offset_s - EIGHT_H) < 120


@pytest.mark.parametrize("step", [1.0, 10.0, 3600.0])
def test_a_regular_series_cannot_tell(step: float) -> None:
    there = np.asarray(START + step * np.arange(20_000), np.float64)
    assert not offset_of_times(there[3000:9000] + EIGHT_H, there, 2.0).certain
    assert not offset_of_times(moments(7, 500, 0.2), there, 2.0).certain


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(1, 300), st.sampled_from([1.0, 60.0, 900.0])
)
def test_unrelated_times_are_never_certain(seed: int, one: int, other: int, tolerance: float) -> None:
    rng = np.random.default_rng(seed)
    here = START + rng.uniform(0, rng.uniform(0.1, 20) * DAY, one)
    there = START + rng.uniform(0, rng.uniform(0.1, 20) * DAY, other)
    assert not offset_of_times(here, there, tolerance).certain


def test_unrelated_bursts_are_not_certain() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        here, there = (
            np.concatenate([START + np.cumsum(rng.exponential(3600, 200)) + 15 * k for k in range(10)])
            for _ in range(2)
        )
        assert not offset_of_times(here, there, 120.0).certain


def test_no_times() -> None:
    none = np.array([])
    assert not offset_of_times(none, moments(1, 5), 1.0).certain
    assert not offset_of_times(moments(1, 5), none, 1.0).certain
    assert not offset_of_times(moments(1, 50), moments(1, 50) + 900 * DAY, 1.0).certain
    assert not offset_of_pairs(none, none, 1.0).certain


def test_pairs_by_key() -> None:
    rng = np.random.default_rng(8)
    differences = EIGHT_H + rng.normal(0, 10, 501)
    differences[:60] = rng.uniform(-DAY, DAY, 60)  # keys that were typed wrongly
    found = offset_of_pairs(differences, differences, 60.0)
    assert found.certain
    assert found.offset_s == pytest.approx(EIGHT_H, abs=2)
    assert found.spread_s == pytest.approx(10, rel=0.2)
    assert found.share == pytest.approx(441 / 501, abs=0.02)


def test_pairs_that_scatter_or_are_few_tell_nothing() -> None:
    scattered = np.random.default_rng(9).uniform(0, 3 * DAY, 500)
    assert not offset_of_pairs(scattered, scattered, 60.0).certain
    few = np.full(4, EIGHT_H)
    assert not offset_of_pairs(few, few, 60.0).certain


def test_pairs_with_room() -> None:
    rng = np.random.default_rng(10)
    lowest = EIGHT_H - rng.uniform(0, 600, 400)
    highest = EIGHT_H + rng.uniform(0, 600, 400)
    found = offset_of_pairs(lowest, highest, 10.0)
    assert found.certain
    assert abs(found.offset_s - EIGHT_H) < 10
    wide = offset_of_pairs(lowest - 600, highest + 600, 10.0)
    assert not wide.certain
    assert wide.spread_s > 500
