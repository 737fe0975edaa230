"""Masses and lengths of strip, coils and slabs."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.domain.steel.coil import coil_length, coil_mass, strip_length, strip_mass


def test_strip_mass__vectors() -> None:
    assert strip_mass(0.7, 1200.0, 2500.0) == pytest.approx(16.485)
    assert strip_mass(230.0, 1500.0, 10.0) == pytest.approx(27.0825)


def test_coil_mass__vector() -> None:
    assert round(coil_mass(1750.0, 610.0, 1200.0) * 1000, 1) == 19904.8
    assert coil_mass(1750.0, 610.0, 1200.0, fill=0.97) == pytest.approx(0.97 * 19.9048, abs=1e-4)


def test_coil_length__vector() -> None:
    assert round(coil_length(1750.0, 610.0, 0.7), 1) == 3018.6


def test_strip_length__vector() -> None:
    assert round(strip_length(230.0, 1500.0, 10.0, 3.0, 1500.0), 1) == 766.7


def test_expressions__say_what_numbers_say() -> None:
    frame = pl.DataFrame({"od": [1750.0], "id": [610.0], "b": [1200.0], "h": [0.7], "L": [2500.0]})
    od, inner, b, h, length = (pl.col(name) for name in ("od", "id", "b", "h", "L"))
    told = frame.select(
        a=strip_mass(h, b, length), b=coil_mass(od, inner, b), c=coil_length(od, inner, h)
    ).row(0)
    assert told == pytest.approx(
        (
            strip_mass(0.7, 1200.0, 2500.0),
            coil_mass(1750.0, 610.0, 1200.0),
            coil_length(1750.0, 610.0, 0.7),
        )
    )


@given(st.floats(700, 2200), st.floats(400, 690), st.floats(0.2, 20), st.floats(0.9, 1))
def test_coil_mass__is_that_of_the_strip_on_it(outer: float, inner: float, h: float, fill: float) -> None:
    wound = strip_mass(h, 1200.0, coil_length(outer, inner, h, fill))
    assert wound == pytest.approx(coil_mass(outer, inner, 1200.0, fill))
