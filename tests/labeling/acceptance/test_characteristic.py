"""Operating characteristic: known values, and the same numbers by counting samples and by scipy.stats."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tundish.labeling.acceptance.characteristic import (
    acceptance_probability,
    acceptance_probability_in_batch,
    average_outgoing_quality,
    clopper_pearson_interval,
    outgoing_quality_limit,
    quality_at,
)


def counted(defective: int, lot_size: int, n: int, ac: int) -> float:
    """Share of all samples of n that hold ac nonconforming items or fewer, counted one by one."""
    good = sum(comb(defective, d) * comb(lot_size - defective, n - d) for d in range(min(ac, n) + 1))
    return float(Fraction(good, comb(lot_size, n)))


@pytest.mark.parametrize(
    ("n", "ac", "quality", "chance"),
    [
        (80, 2, 0.005, 0.9923),
        (80, 2, 0.01, 0.9534),
        (80, 2, 0.025, 0.6767),
        (80, 2, 0.04, 0.3748),
        (80, 2, 0.065, 0.1009),
        (80, 2, 0.10, 0.0107),
        (125, 7, 0.025, 0.9864),
        (125, 7, 0.04, 0.8709),
        (50, 3, 0.025, 0.9638),
        (200, 10, 0.04, 0.8200),
        (13, 0, 0.01, 0.8775),
        (20, 1, 0.025, 0.9118),
        (32, 2, 0.025, 0.9548),
    ],
)
def test_known_chances(n: int, ac: int, quality: float, chance: float) -> None:
    assert acceptance_probability(quality, n, ac) == pytest.approx(chance, abs=5e-5)


@pytest.mark.parametrize(("defective", "chance"), [(10, 0.9608), (25, 0.6771), (50, 0.2186)])
def test_known_probabilities_in_a_batch(defective: int, chance: float) -> None:
    assert acceptance_probability_in_batch(defective, 1000, 80, 2) == pytest.approx(chance, abs=5e-5)


@pytest.mark.parametrize(
    ("n", "ac", "points"),
    [
        (80, 2, "1.03 3.329 6.516"),
        (125, 3, "1.10 2.93 5.266"),
        (80, 5, "3.317 7.058 11.285"),
        (315, 3, "0.435 1.164 2.109"),
    ],
)
def test_known_risk_points(n: int, ac: int, points: str) -> None:
    for chance, percent in zip((0.95, 0.50, 0.10), points.split(), strict=True):
        digits = len(percent.partition(".")[2])
        assert f"{100 * quality_at(chance, n, ac):.{digits}f}" == percent
        assert acceptance_probability(quality_at(chance, n, ac), n, ac) == pytest.approx(chance, abs=1e-12)


def test_known_outgoing_limit() -> None:
    worst = outgoing_quality_limit(1000, 80, 2)
    assert worst.limit == pytest.approx(0.01574, abs=5e-6)
    assert worst.quality == pytest.approx(0.028, abs=5e-4)
    # p Pa (N - n) / N, with the chance that is known at 2.5 %.
    assert average_outgoing_quality(0.025, 1000, 80, 2) == pytest.approx(0.025 * 0.6767 * 0.92, abs=2e-6)


def test_known_intervals() -> None:
    assert clopper_pearson_interval(3, 80) == pytest.approx((0.0078, 0.1057), abs=5e-5)
    assert clopper_pearson_interval(3, 80, side="upper") == pytest.approx((0.0, 0.0941), abs=5e-5)
    assert clopper_pearson_interval(0, 80).low == 0.0
    assert clopper_pearson_interval(80, 80).high == 1.0
    assert clopper_pearson_interval(0, 0) == (0.0, 1.0)
    # The rule of three, and its exact form.
    assert clopper_pearson_interval(0, 100, side="upper").high == pytest.approx(1 - 0.05 ** (1 / 100))


plans = st.tuples(st.integers(1, 400), st.integers(0, 30)).filter(lambda plan: plan[1] < plan[0])
qualities = st.floats(0.0, 1.0)


@given(plans, qualities)
def test_chances_as_scipy_says(plan: tuple[int, int], quality: float) -> None:
    n, ac = plan
    assert acceptance_probability(quality, n, ac) == pytest.approx(stats.binom.cdf(ac, n, quality), abs=1e-10)


@given(plans, qualities, qualities)
def test_worse_batches_are_accepted_less_often(plan: tuple[int, int], one: float, two: float) -> None:
    n, ac = plan
    better, worse = sorted((one, two))
    assert acceptance_probability(better, n, ac) >= acceptance_probability(worse, n, ac) - 1e-12
    assert acceptance_probability(0.0, n, ac) == 1.0
    assert acceptance_probability(1.0, n, ac) == 0.0


@given(plans, qualities)
def test_a_larger_sample_or_smaller_number_is_sharper(plan: tuple[int, int], quality: float) -> None:
    n, ac = plan
    assert acceptance_probability(quality, n + 1, ac) <= acceptance_probability(quality, n, ac) + 1e-12
    assert acceptance_probability(quality, n, ac) <= acceptance_probability(quality, n, ac + 1) + 1e-12


@st.composite
def batches(draw: st.DrawFn) -> tuple[int, int, int, int]:
    lot_size = draw(st.integers(1, 300))
    return (
        draw(st.integers(0, lot_size)),
        lot_size,
        draw(st.integers(1, lot_size)),
        draw(st.integers(0, 22)),
    )


@given(batches())
def test_probabilities_in_a_batch_by_counting(case: tuple[int, int, int, int]) -> None:
    defective, lot_size, n, ac = case
    chance = acceptance_probability_in_batch(defective, lot_size, n, ac)
    assert chance == pytest.approx(counted(defective, lot_size, n, ac), abs=1e-10)
    if defective < lot_size:
        assert acceptance_probability_in_batch(defective + 1, lot_size, n, ac) <= chance + 1e-10


def test_a_large_batch_is_as_scipy_says_and_near_the_binomial() -> None:
    for defective in (0, 500, 5_000, 20_000, 500_000):
        chance = acceptance_probability_in_batch(defective, 500_000, 800, 14)
        assert chance == pytest.approx(stats.hypergeom.cdf(14, 500_000, defective, 800), abs=1e-8)
        assert chance == pytest.approx(acceptance_probability(defective / 500_000, 800, 14), abs=2e-3)


@given(plans, st.integers(2, 5000))
def test_no_quality_goes_out_worse_than_the_limit(plan: tuple[int, int], lot_size: int) -> None:
    n, ac = plan
    worst = outgoing_quality_limit(lot_size, n, ac)
    if n >= lot_size:
        assert worst == (0.0, 0.0)
        return
    assert average_outgoing_quality(worst.quality, lot_size, n, ac) == worst.limit
    for i in range(101):
        assert average_outgoing_quality(i / 100, lot_size, n, ac) <= worst.limit + 1e-12


@given(st.integers(0, 200), st.integers(1, 200), st.sampled_from((0.8, 0.95, 0.99)))
def test_intervals_as_scipy_says(found: int, inspected: int, confidence: float) -> None:
    found = min(found, inspected)
    test = stats.binomtest(found, inspected)
    expected = test.proportion_ci(confidence, method="exact")
    assert clopper_pearson_interval(found, inspected, confidence) == pytest.approx(
        (expected.low, expected.high)
    )
    upper = stats.binomtest(found, inspected, alternative="less").proportion_ci(confidence, method="exact")
    assert clopper_pearson_interval(found, inspected, confidence, side="upper") == pytest.approx(
        (0.0, upper.high)
    )


@pytest.mark.parametrize(("lot_size", "n"), [(20, 5), (50, 8), (200, 32), (1000, 80)])
def test_an_interval_holds_the_truth_of_a_small_batch(lot_size: int, n: int) -> None:
    intervals = [clopper_pearson_interval(found, n) for found in range(n + 1)]
    for defective in range(lot_size + 1):
        covered = sum(
            float(stats.hypergeom.pmf(found, lot_size, defective, n))
            for found, (low, high) in enumerate(intervals)
            if low - 1e-12 <= defective / lot_size <= high + 1e-12
        )
        assert covered >= 0.95 - 1e-9
