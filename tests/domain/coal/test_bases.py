"""Bases: the worked table of a coking coal, the conversion matrix, and there and back."""

from __future__ import annotations

from itertools import product
from typing import get_args

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.domain.coal.bases import Basis, btu_mmmf, fixed_carbon_dmmf, rebase, total_moisture

BASES: tuple[Basis, ...] = get_args(Basis)
MT, MAD, ASH = 10.0, 1.0, {"ad": 8.8, "ar": 8.0, "d": 8.8 / 0.99}

COKING_COAL = [
    # item, ad, ar, d, daf, and what the specification was rounded to
    ("A", 8.8, 8.0, 8.9, None, 0.05),
    ("V", 20.0, 18.2, 20.2, 22.2, 0.05),
    ("FC", 70.2, 63.8, 70.9, 77.8, 0.05),
    ("S", 0.36, 0.33, 0.36, 0.40, 0.005),
    ("Q kcal/kg", 7750, 7045, 7830, 8590, 5),
]


@pytest.mark.parametrize(("item", "ad", "ar", "d", "daf", "half"), COKING_COAL)
def test_the_worked_table(item: str, ad: float, ar: float, d: float, daf: float | None, half: float) -> None:
    assert rebase(ad, "ad", "ar", mt=MT, mad=MAD) == pytest.approx(ar, abs=half + 1e-9), item
    assert rebase(ad, "ad", "d", mad=MAD) == pytest.approx(d, abs=half + 1e-9), item
    if daf is not None:
        assert rebase(ad, "ad", "daf", mad=MAD, ash=8.8) == pytest.approx(daf, abs=half + 1e-9), item


def test_the_matrix() -> None:
    mar, mad, aar, aad, ad = 12.0, 2.5, 18.0, 19.9, 20.4
    matrix = {
        ("ar", "ad"): (100 - mad) / (100 - mar),
        ("ar", "d"): 100 / (100 - mar),
        ("ar", "daf"): 100 / (100 - mar - aar),
        ("ad", "ar"): (100 - mar) / (100 - mad),
        ("ad", "d"): 100 / (100 - mad),
        ("ad", "daf"): 100 / (100 - mad - aad),
        ("d", "ar"): (100 - mar) / 100,
        ("d", "ad"): (100 - mad) / 100,
        ("d", "daf"): 100 / (100 - ad),
        ("daf", "ar"): (100 - mar - aar) / 100,
        ("daf", "ad"): (100 - mad - aad) / 100,
        ("daf", "d"): (100 - ad) / 100,
    }
    ash = {"ar": aar, "ad": aad, "d": ad}
    for source, target in product(BASES, BASES):
        other = target if source == "daf" else source
        got = rebase(1.0, source, target, mt=mar, mad=mad, ash=ash.get(other))
        assert got == pytest.approx(matrix.get((source, target), 1.0), abs=1e-12), (source, target)


@given(
    value=st.floats(0.01, 100),
    dry_ash=st.floats(0, 60),
    mt=st.floats(0, 70),
    mad=st.floats(0, 30),
    source=st.sampled_from(BASES),
    target=st.sampled_from(BASES),
)
def test_there_and_back(
    value: float, dry_ash: float, mt: float, mad: float, source: Basis, target: Basis
) -> None:
    ash = {basis: rebase(dry_ash, "d", basis, mt=mt, mad=mad) for basis in ("ar", "ad", "d")}
    # The factor from and to daf takes the ash on the other base.
    other = ash.get(target if source == "daf" else source)
    there = rebase(value, source, target, mt=mt, mad=mad, ash=other)
    back = rebase(there, target, source, mt=mt, mad=mad, ash=other)
    assert back == pytest.approx(value, abs=1e-9)
    by_dry = rebase(
        rebase(value, source, "d", mt=mt, mad=mad, ash=dry_ash), "d", target, mt=mt, mad=mad, ash=dry_ash
    )
    assert by_dry == pytest.approx(there, rel=1e-9)


def test_columns_as_numbers() -> None:
    frame = pl.DataFrame({"V": [20.0, None], "Mad": [1.0, 1.0], "A": [8.8, 8.8]})
    got = frame.select(rebase(pl.col("V"), "ad", "daf", mad=pl.col("Mad"), ash=pl.col("A"))).to_series()
    assert got.to_list() == [rebase(20.0, "ad", "daf", mad=1.0, ash=8.8), None]


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="total moisture"):
        rebase(1.0, "ad", "ar", mad=1.0)
    with pytest.raises(ValueError, match="moisture of the analysis sample"):
        rebase(1.0, "ad", "d")
    with pytest.raises(ValueError, match="ash on the base ar"):
        rebase(1.0, "daf", "ar", mt=10.0)


def test_mineral_matter_free() -> None:
    assert fixed_carbon_dmmf(60.0, 3.0, 7.0, 1.0) == pytest.approx(67.33, abs=0.005)
    assert btu_mmmf(13_000.0, 7.0, 1.0) == pytest.approx(14_092.9, abs=0.05)


def test_moisture_of_two_stages() -> None:
    assert total_moisture(8.0, 2.5) == pytest.approx(8.0 + 2.5 * 0.92)
    assert total_moisture(0.0, 2.5) == 2.5
