"""Calorific value: the worked vector, the bands of alpha, hydrogen, calories."""

from __future__ import annotations

import polars as pl
import pytest

from tundish.domain.coal.bases import rebase
from tundish.domain.coal.calorific import alpha, gross_from_bomb, hydrogen, hydrogen_estimate, net, net_ipcc
from tundish.tabular.units import convert

J_PER_G = 0.001  # in MJ/kg
OLD, INTERNATIONAL = 4.1816, 4.1868


def test_the_worked_vector() -> None:
    gross = gross_from_bomb(25.5, 0.80)
    assert gross == pytest.approx(25_383.92 * J_PER_G, abs=0.005 * J_PER_G)
    assert rebase(gross, "ad", "d", mad=2.0) == pytest.approx(25_901.96 * J_PER_G, abs=0.005 * J_PER_G)
    as_received = net(gross, 4.0, mt=10.0, mad=2.0)
    assert as_received == pytest.approx(22_325.03 * J_PER_G, abs=0.005 * J_PER_G)
    assert as_received * convert("MJ/kg", "kcal/kg", OLD)[0] == pytest.approx(5_338.87, abs=0.005)
    assert as_received * convert("MJ/kg", "kcal/kg", INTERNATIONAL)[0] == pytest.approx(5_332.24, abs=0.005)


def test_the_vector_in_columns() -> None:
    frame = pl.DataFrame(
        {"Q": [25.5, None], "S": [0.8, 0.8], "H": [4.0, 4.0], "Mt": [10.0] * 2, "M": [2.0] * 2}
    )
    gross = gross_from_bomb(pl.col("Q"), pl.col("S"))
    got = frame.select(net(gross, pl.col("H"), mt=pl.col("Mt"), mad=pl.col("M"))).to_series()
    assert got[0] == net(gross_from_bomb(25.5, 0.8), 4.0, mt=10.0, mad=2.0)
    assert got[1] is None


@pytest.mark.parametrize(
    ("bomb", "share"),
    [(10.0, 0.0010), (16.70, 0.0010), (16.71, 0.0012), (25.10, 0.0012), (25.11, 0.0016), (30.0, 0.0016)],
)
def test_alpha_by_band(bomb: float, share: float) -> None:
    assert alpha(bomb) == pytest.approx(share, abs=1e-12)
    assert pl.select(alpha(pl.lit(bomb))).item() == pytest.approx(share, abs=1e-12)


def test_air_dried_net_is_the_same_formula() -> None:
    assert net(25.0, 4.0, mt=2.0, mad=2.0) == pytest.approx(25.0 - 0.206 * 4.0 - 0.023 * 2.0)


def test_net_of_ipcc() -> None:
    got = net_ipcc(25.0, hydrogen=4.0, moisture=8.0, oxygen=10.0)
    assert got == pytest.approx(25.0 - 0.848 - 0.196 - 0.008)


def test_hydrogen_says_where_it_comes_from() -> None:
    frame = pl.DataFrame(
        {"H": [4.1, None, None], "V": [30.0, 30.0, None], "M": [2.0] * 3, "A": [20.0] * 3},
        schema=dict.fromkeys("HVMA", pl.Float64),
    )
    h, v, m, a = (pl.col(name) for name in "HVMA")
    value, source = hydrogen(h, v, mad=m, a_ad=a, constant=3.9)
    got = frame.select(value=value, source=source)
    estimate = (0.074 * 30 + 2.16) * (100 - 2 - 20) / 100
    assert got["value"].to_list() == pytest.approx([4.1, estimate, 3.9])
    assert got["source"].to_list() == ["measured", "estimated", "constant"]
    assert hydrogen_estimate(30.0, mad=2.0, a_ad=20.0) == pytest.approx(estimate)
    none, nowhere = hydrogen(h, v, mad=m, a_ad=a)
    assert frame.select(value=none, source=nowhere).row(2) == (None, None)


@pytest.mark.parametrize(
    ("kcal", "old", "international"),
    [(7000, 29.2712, 29.3076), (6000, 25.0896, 25.1208), (5500, 22.9988, 23.0274), (5000, 20.908, 20.934)],
)
def test_calories(kcal: float, old: float, international: float) -> None:
    assert kcal * convert("kcal/kg", "MJ/kg", OLD)[0] == pytest.approx(old, abs=1e-9)
    assert kcal * convert("kcal/kg", "MJ/kg", INTERNATIONAL)[0] == pytest.approx(international, abs=1e-9)


def test_the_calories_differ() -> None:
    ratio, limit = INTERNATIONAL / OLD, 14_000 * convert("Btu/lb", "MJ/kg")[0]
    assert ratio == pytest.approx(1.00124, abs=5e-6)
    assert limit == pytest.approx(32.564)
