"""Sampling: numbers and masses at and beside each limit."""

from __future__ import annotations

import polars as pl
import pytest

from tundish.domain.coal.sampling import SAMPLE_MASS, base_increments, increment_mass, increments, sample_mass


@pytest.mark.parametrize(
    ("ash", "washed", "count"),
    [(20.01, False, 60), (20.0, False, 30), (None, True, 15), (25.0, None, 60), (None, None, None)],
)
def test_increments_of_a_thousand_tonnes(ash: float | None, washed: bool | None, count: int | None) -> None:
    got = pl.select(base_increments(pl.lit(ash, pl.Float64), pl.lit(washed, pl.Boolean))).item()
    assert got == count


@pytest.mark.parametrize(
    ("mass", "count"), [(1000.0, 60), (4000.0, 120), (1210.0, 66), (500.0, 30), (501.0, 31), (100.0, 10)]
)
def test_increments_grow_with_the_root(mass: float, count: int) -> None:
    assert pl.select(increments(pl.lit(mass), pl.lit(60))).item() == count


def test_mass_of_an_increment() -> None:
    frame = pl.DataFrame({"d": [50.0, 10.0, 8.0, 100 / 3, None]})
    assert frame.select(increment_mass(pl.col("d"))).to_series().to_list() == pytest.approx(
        [3.0, 0.6, 0.5, 2.0, None]
    )


@pytest.mark.parametrize(
    ("size", "mass"),
    [(49.9, 100), (25.0, 100), (24.9, 60), (12.9, 15), (5.9, 7.5), (2.9, 3.75), (0.9, 1), (50.0, None)],
)
def test_mass_of_a_sample(size: float, mass: float | None) -> None:
    assert pl.select(sample_mass(pl.lit(size))).item() == mass
    assert sorted(SAMPLE_MASS) == list(SAMPLE_MASS)
