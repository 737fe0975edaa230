"""Rank: every class, and every limit met exactly."""

from __future__ import annotations

import polars as pl
import pytest

from tundish.domain.coal.bases import btu_mmmf, fixed_carbon_dmmf
from tundish.domain.coal.rank import (
    CHINESE_CLASSES,
    astm_d388,
    ece_rank,
    gbt5751_class,
    gbt5751_code,
    iso11760_rank,
)
from tundish.tabular.units import convert


def chinese(v: float | None, g: float | None, **more: float) -> str | None:
    value = {name: pl.lit(number, pl.Float64) for name, number in more.items()}
    code = gbt5751_code(pl.lit(v, pl.Float64), pl.lit(g, pl.Float64), **value)
    found = pl.select(code=code, symbol=gbt5751_class(code)).row(0)
    return None if found[0] is None else f"{found[0]} {found[1]}"


@pytest.mark.parametrize(
    ("v", "g", "more", "expected"),
    [
        # The limits belong to the lower band.
        (10.0, 90.0, {}, "03 WY"),
        (10.01, 5.0, {}, "11 PM"),
        (20.0, 5.0, {}, "11 PM"),
        (20.01, 5.0, {}, "21 BN"),
        (28.0, 60.0, {}, "24 JM"),
        (28.01, 60.0, {}, "34 QM"),
        (37.0, 70.0, {}, "35 1/3JM"),
        (37.01, 70.0, {}, "45 QM"),
        # Caking, met exactly.
        (15.0, 5.01, {}, "12 PS"),
        (15.0, 20.0, {}, "12 PS"),
        (15.0, 20.01, {}, "13 SM"),
        (15.0, 50.0, {}, "13 SM"),
        (15.0, 65.0, {}, "14 SM"),
        (15.0, 65.01, {}, "15 JM"),
        (25.0, 50.0, {}, "23 1/2ZN"),
        (25.0, 50.01, {}, "24 JM"),
        (25.0, 65.01, {}, "25 JM"),
        (25.0, 30.0, {}, "22 RN"),
        (32.0, 30.01, {}, "33 1/2ZN"),
        (32.0, 5.0, {}, "31 BN"),
        (32.0, 5.01, {}, "32 RN"),
        (40.0, 35.0, {}, "42 CY"),
        (40.0, 35.01, {}, "43 QM"),
        (40.0, 65.0, {}, "44 QM"),
        (40.0, 5.0, {"pm": 60.0}, "41 CY"),
        # Above G 85 the plastic layer decides, or the dilatation.
        (15.0, 90.0, {"y": 25.01}, "16 FM"),
        (25.0, 90.0, {"y": 25.0}, "25 JM"),
        (25.0, 90.0, {"y": 25.01}, "26 FM"),
        (37.0, 90.0, {"y": 26.0}, "36 FM"),
        (37.01, 90.0, {"y": 26.0}, "46 QF"),
        (28.0, 90.0, {"b": 150.0}, "25 JM"),
        (28.0, 90.0, {"b": 151.0}, "26 FM"),
        (28.01, 90.0, {"b": 220.0}, "35 1/3JM"),
        (28.01, 90.0, {"b": 221.0}, "36 FM"),
        (25.0, 90.0, {"y": 24.0, "b": 160.0}, "25 JM"),
        (25.0, 85.0, {}, "25 JM"),
        (25.0, 85.01, {}, None),
        # Lignite, and what is none for its heat.
        (45.0, 0.0, {"pm": 30.0}, "51 HM"),
        (45.0, 0.0, {"pm": 30.01, "gross_maf": 24.0}, "52 HM"),
        (45.0, 0.0, {"pm": 50.0, "gross_maf": 24.01}, "41 CY"),
        (45.0, 0.0, {"pm": 50.0}, None),
        (45.0, 0.0, {"pm": 50.01}, "41 CY"),
        (45.0, 0.0, {}, None),
        (37.0, 0.0, {"pm": 30.0}, "31 BN"),
        # Anthracite needs no caking; nothing else goes without.
        (3.5, None, {}, "01 WY"),
        (6.5, None, {}, "02 WY"),
        (6.51, None, {}, "03 WY"),
        (15.0, None, {}, None),
        (None, 50.0, {}, None),
    ],
)
def test_chinese_classes(
    v: float | None, g: float | None, more: dict[str, float], expected: str | None
) -> None:
    assert chinese(v, g, **more) == expected


def test_fourteen_classes_of_29_codes() -> None:
    codes = [code for _, _, some in CHINESE_CLASSES.values() for code in some]
    assert len(CHINESE_CLASSES) == 14
    assert len(codes) == len(set(codes)) == 29


@pytest.mark.parametrize(
    ("carbon", "btu", "agglomerating", "expected"),
    [
        (98.0, None, None, "meta-anthracite"),
        (97.99, None, None, "anthracite"),
        (92.0, None, None, "anthracite"),
        (91.99, None, None, "semianthracite"),
        (86.0, None, None, "semianthracite"),
        (78.0, None, None, "low volatile bituminous"),
        (69.0, 10_000.0, None, "medium volatile bituminous"),
        (68.99, 14_000.0, None, "high volatile A bituminous"),
        (60.0, 13_999.0, None, "high volatile B bituminous"),
        (60.0, 13_000.0, None, "high volatile B bituminous"),
        (60.0, 11_500.0, False, "high volatile C bituminous"),
        (60.0, 11_499.0, True, "high volatile C bituminous"),
        (60.0, 11_499.0, False, "subbituminous A"),
        (60.0, 10_500.0, False, "subbituminous A"),
        (60.0, 10_500.0, None, None),
        (60.0, 10_499.0, True, "subbituminous B"),
        (60.0, 9_500.0, None, "subbituminous B"),
        (60.0, 8_300.0, None, "subbituminous C"),
        (60.0, 6_300.0, None, "lignite A"),
        (60.0, 6_299.0, None, "lignite B"),
        (60.0, None, None, None),
        (None, 14_500.0, None, None),
    ],
)
def test_american_groups(
    carbon: float | None, btu: float | None, agglomerating: bool | None, expected: str | None
) -> None:
    group = astm_d388(pl.lit(carbon, pl.Float64), pl.lit(btu, pl.Float64), pl.lit(agglomerating, pl.Boolean))
    assert pl.select(group).item() == expected


@pytest.mark.parametrize(
    ("mj", "expected"),
    [
        (32.564, "high volatile A bituminous"),
        (30.238, "high volatile B bituminous"),
        (26.749, "high volatile C bituminous"),
        (24.423, "subbituminous A"),
        (22.097, "subbituminous B"),
        (19.306, "subbituminous C"),
        (14.654, "lignite A"),
    ],
)
def test_american_limits_in_megajoules(mj: float, expected: str) -> None:
    btu, _ = convert("MJ/kg", "Btu/lb")
    group = astm_d388(pl.lit(60.0), pl.lit((mj + 0.0005) * btu), pl.lit(value=False))
    assert pl.select(group).item() == expected


def test_the_vector_of_parr_is_high_volatile_a() -> None:
    carbon, btu = fixed_carbon_dmmf(60.0, 3.0, 7.0, 1.0), btu_mmmf(13_000.0, 7.0, 1.0)
    group = astm_d388(pl.lit(carbon), pl.lit(btu), pl.lit(value=True))
    assert pl.select(group).item() == "high volatile A bituminous"


@pytest.mark.parametrize(
    ("reflectance", "gross", "ece", "iso"),
    [
        (0.39, 20.0, "low", "lignite"),
        (0.4, 20.0, "low", "low"),
        (0.5, 20.0, "low", "medium"),
        (0.59, 24.0, "medium", "medium"),
        (0.59, None, None, "medium"),
        (0.6, None, "medium", "medium"),
        (1.33, 30.0, "medium", "medium"),
        (2.0, 30.0, "medium", "high"),
        (2.01, None, "high", "high"),
        (None, 30.0, None, None),
    ],
)
def test_ranks_by_reflectance(
    reflectance: float | None, gross: float | None, ece: str | None, iso: str | None
) -> None:
    rr, q = pl.lit(reflectance, pl.Float64), pl.lit(gross, pl.Float64)
    assert pl.select(ece=ece_rank(rr, q), iso=iso11760_rank(rr)).row(0) == (ece, iso)
