"""Half-even rounding on the decimal number, not on the float beside it."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.domain.laboratory.rounding import round_half_even, rounded

VECTORS = [
    (10.245, 2, "10.24"),
    (10.255, 2, "10.26"),
    (10.2451, 2, "10.25"),
    (-10.245, 2, "-10.24"),
    (2.675, 2, "2.68"),
    (0.5, 0, "0"),
    (1.5, 0, "2"),
    (1365.0, -1, "1360"),
    (1375.0, -1, "1380"),
    (1375.1, -1, "1380"),
]


@pytest.mark.parametrize(("value", "places", "expected"), VECTORS)
def test_vectors(value: float, places: int, expected: str) -> None:
    assert round_half_even(value, places) == round_half_even(str(value), places) == Decimal(expected)
    assert pl.select(rounded(pl.lit(value), places)).item() == float(expected)


def test_binary_rounding_is_another() -> None:
    assert round(2.675, 2) == 2.67
    assert round_half_even(2.675, 2) == Decimal("2.68")


@given(
    units=st.integers(-(10**9), 10**9),
    decimals=st.integers(0, 5),
    places=st.integers(-2, 4),
)
def test_columns_as_numbers(units: int, decimals: int, places: int) -> None:
    value = float(Decimal(units).scaleb(-decimals))
    column = pl.select(rounded(pl.lit(value), places)).item()
    assert column == float(round_half_even(value, places))


def test_what_is_not_a_decimal_stays() -> None:
    values = pl.Series([None, float("inf"), 1e30, -1e30])
    assert pl.select(rounded(pl.lit(values), 2)).to_series().to_list() == values.to_list()
