"""Units, their spellings, and which unit values suggest."""
# ruff: noqa: RUF001  (full-width signs are what is tested)

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.tabular.units import UnitError, canonical_unit, convert, known_units, unit_by_magnitude

CALORIFIC = {"MJ/kg": (10.0, 35.0), "kcal/kg": (2000.0, 8500.0), "J/g": (10_000.0, 35_000.0)}


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        *(
            ("MJ/Kg", "MJ/kg"),
            ("Kcal/kg", "kcal/kg"),
            ("KG", "kg"),
            ("Kg", "kg"),
            ("卡", "cal/g"),
            ("卡/克", "cal/g"),
        ),
        *(("大卡", "kcal/kg"), ("℃", "°C"), ("oC", "°C"), ("º C", "°C"), ("摄氏度", "°C"), ("㎜", "mm")),
        *(
            ("μm", "μm"),
            ("µm", "μm"),
            ("um", "μm"),
            ("吨", "t"),
            ("公斤", "kg"),
            ("兆帕", "MPa"),
            ("N/mm²", "MPa"),
        ),
        *(
            ("wt%", "%"),
            ("质量分数", "%"),
            ("％", "%"),
            ("kgf/mm²", "kgf/mm2"),
            ("g/m²", "g/m2"),
            ("KN", "kN"),
        ),
        *(("MN", "MN"), ("m/min", "m/min"), ("BTU/lb", "Btu/lb"), ("PPM", "ppm")),
    ],
)
def test_spellings(text: str, unit: str) -> None:
    assert canonical_unit(text) == unit


@pytest.mark.parametrize("text", ["C", "Mn", "mn", "S", "Mt", "ad", "", "xx/kg"])
def test_no_units(text: str) -> None:
    assert canonical_unit(text) is None


@pytest.mark.parametrize(
    ("value", "source", "target", "calorie", "result"),
    [
        *((7000, "kcal/kg", "MJ/kg", 4.1816, 29.2712), (7000, "kcal/kg", "MJ/kg", 4.1868, 29.3076)),
        *((6000, "kcal/kg", "MJ/kg", 4.1816, 25.0896), (6000, "kcal/kg", "MJ/kg", 4.1868, 25.1208)),
        *((5500, "kcal/kg", "MJ/kg", 4.1816, 22.9988), (5500, "kcal/kg", "MJ/kg", 4.1868, 23.0274)),
        *((5000, "kcal/kg", "MJ/kg", 4.1816, 20.908), (5000, "kcal/kg", "MJ/kg", 4.1868, 20.934)),
        *((22325.03, "J/g", "kcal/kg", 4.1816, 5338.87), (22325.03, "J/g", "kcal/kg", 4.1868, 5332.24)),
        *((14000, "Btu/lb", "MJ/kg", 4.1868, 32.564), (5000, "cal/g", "kcal/kg", 4.1868, 5000)),
        *(
            (1, "kgf/mm2", "MPa", 4.1868, 9.80665),
            (1, "tf", "kN", 4.1868, 9.80665),
            (1000, "t", "kN", 4.1868, 9806.65),
        ),
        *(
            (1200, "m/min", "m/s", 4.1868, 20),
            (0.7, "m", "mm", 4.1868, 700),
            (45, "ppm", "%", 4.1868, 0.0045),
        ),
        *((0, "°C", "K", 4.1868, 273.15), (212, "°F", "°C", 4.1868, 100), (16485, "kg", "t", 4.1868, 16.485)),
        *((275, "g/m2", "kg/m2", 4.1868, 0.275), (20, "MN", "kN", 4.1868, 20_000)),
    ],
)
def test_vectors(value: float, source: str, target: str, calorie: float, result: float) -> None:
    factor, offset = convert(source, target, calorie)
    # The domain notes round to four and two decimals.
    assert value * factor + offset == pytest.approx(result, abs=6e-5 if result < 1000 else 6e-3)


def test_the_two_calories_differ_by_0_124_percent() -> None:
    ratio = convert("kcal/kg", "MJ/kg", 4.1868)[0] / convert("kcal/kg", "MJ/kg", 4.1816)[0]
    assert ratio - 1 == pytest.approx(0.00124, abs=5e-6)


@pytest.mark.parametrize(
    ("source", "target"), [("mm", "kg"), ("°C", "%"), ("g/m2", "g"), ("xx", "kg"), ("kg", "xx")]
)
def test_what_cannot_be_converted_says_so(source: str, target: str) -> None:
    with pytest.raises(UnitError, match=r"is a|no unit"):
        convert(source, target)


def _commensurable() -> list[tuple[str, str]]:
    pairs = []
    for one in known_units():
        for other in known_units():
            try:
                convert(one, other), convert(other, one)
            except UnitError:
                continue
            pairs.append((one, other))
    return pairs


@given(st.sampled_from(_commensurable()), st.floats(1e-6, 1e6), st.sampled_from([4.1868, 4.1816]))
def test_there_and_back(pair: tuple[str, str], value: float, calorie: float) -> None:
    factor, offset = convert(*pair, calorie)
    back_factor, back_offset = convert(pair[1], pair[0], calorie)
    back = (value * factor + offset) * back_factor + back_offset
    # The offsets of temperatures are of the order of 300, whatever the value.
    assert back == pytest.approx(value, rel=1e-12, abs=1e-12 * (abs(offset) + abs(back_offset)))


@pytest.mark.parametrize(
    ("middle", "unit"), [(22.0, "MJ/kg"), (5200.0, "kcal/kg"), (22_000.0, "J/g"), (500.0, None)]
)
def test_values_suggest_their_unit(middle: float, unit: str | None) -> None:
    values = pl.Series([middle * (0.9 + 0.2 * n / 99) for n in range(100)] + [None, 0.0])
    assert unit_by_magnitude(values, CALORIFIC) == unit


def test_a_unit_that_another_could_be_as_well_is_not_inferred() -> None:
    values = pl.Series([5000.0, 6000.0, 7000.0])
    assert unit_by_magnitude(values, {**CALORIFIC, "Btu/lb": (4500.0, 15_000.0)}) is None


def test_mixed_units_are_not_inferred() -> None:
    assert unit_by_magnitude(pl.Series([22.0] * 90 + [5200.0] * 10), CALORIFIC) is None
    assert unit_by_magnitude(pl.Series([22.0] * 95 + [5200.0] * 5), CALORIFIC) == "MJ/kg"


def test_nothing_tells_nothing() -> None:
    assert unit_by_magnitude(pl.Series([None, 0.0], dtype=pl.Float64), CALORIFIC) is None
