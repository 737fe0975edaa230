"""Carbon equivalents and the cast analysis of EN 10130."""

from __future__ import annotations

import math

import polars as pl
import pytest

from tundish.domain.steel.chemistry import CEV, EN_10130_CAST, cet, cev, pcm

VECTOR = {"C": 0.18, "Mn": 1.20, "Cr": 0.20, "Mo": 0.05, "V": 0.0, "Ni": 0.10, "Cu": 0.15}


def test_cev__vector() -> None:
    assert round(cev(VECTOR), 4) == 0.4467


def test_cet_and_pcm__by_hand() -> None:
    assert cet(VECTOR) == pytest.approx(0.18 + 1.25 / 10 + 0.35 / 20 + 0.10 / 40)
    whole = VECTOR | {"Si": 0.30, "B": 0.002}
    assert pcm(whole) == pytest.approx(0.18 + 0.01 + 1.55 / 20 + 0.10 / 60 + 0.05 / 15 + 0.01)


def test_cev__expressions_say_what_numbers_say() -> None:
    frame = pl.DataFrame([VECTOR])
    assert frame.select(cev({name: pl.col(name) for name in CEV})).item() == cev(VECTOR)


def test_cev__missing_propagates_unless_it_is_residual() -> None:
    frame = pl.DataFrame([VECTOR | {"V": None}], schema_overrides={"V": pl.Float64})
    contents = {name: pl.col(name) for name in CEV}
    assert frame.select(cev(contents)).item() is None
    assert round(frame.select(cev(contents, residual=True)).item(), 4) == 0.4467
    assert math.isnan(cev(VECTOR | {"V": math.nan}))
    without = {name: share for name, share in VECTOR.items() if name != "V"}
    assert round(cev(without, residual=True), 4) == 0.4467
    with pytest.raises(KeyError, match="V"):
        cev(without)


def test_en_10130__every_grade_has_its_limits() -> None:
    grades = pl.DataFrame({"grade": ["DC01", "DC06", "DC04", "S235", None]})
    carbon = grades.select(EN_10130_CAST.at_most("C", pl.col("grade"))).to_series()
    titanium = grades.select(EN_10130_CAST.at_most("Ti", pl.col("grade"))).to_series()
    assert carbon.to_list() == [0.12, 0.02, 0.08, None, None]
    assert titanium.to_list() == [None, 0.30, None, None, None]
    assert EN_10130_CAST.name == "EN 10130"
