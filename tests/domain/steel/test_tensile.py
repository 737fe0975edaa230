"""EN 10130: limits by grade, edition and thickness."""

from __future__ import annotations

import polars as pl
import pytest

from tundish.domain.steel.tensile import (
    EN_10130_1999,
    EN_10130_2006,
    dc_grade,
    least_elongation,
    least_r,
    most_yield,
)

GRADE, THICKNESS = pl.col("grade"), pl.col("h")


@pytest.mark.parametrize(
    ("name", "grade"),
    [
        ("DC04", "DC04"),
        (" dc 04 ", "DC04"),
        ("DC04-A-m", "DC04"),
        ("DC01AM", "DC01"),
        ("DC03B", "DC03"),
        ("DC04EK", None),
        ("DC01+ZE", None),
        ("S235JR", None),
        (None, None),
    ],
)
def test_dc_grade(name: str | None, grade: str | None) -> None:
    frame = pl.DataFrame({"name": [name]}, schema={"name": pl.String})
    assert frame.select(dc_grade(pl.col("name"))).item() == grade


@pytest.mark.parametrize(
    ("grade", "h", "limits"),
    [
        ("DC04", 1.0, (210.0, 38.0, 1.6)),
        ("DC04", 0.71, (210.0, 38.0, 1.6)),
        ("DC04", 0.7, (230.0, 36.0, 1.6)),
        ("DC04", 0.51, (230.0, 36.0, 1.6)),
        ("DC04", 0.5, (250.0, 34.0, 1.6)),
        ("DC04", 2.0, (210.0, 38.0, 1.6)),
        ("DC04", 2.1, (210.0, 38.0, 1.4)),
        ("DC01", 1.0, (280.0, 28.0, None)),
        ("DC04", None, (None, None, None)),
        ("X5", 1.0, (None, None, None)),
    ],
)
def test_limits__by_thickness(grade: str, h: float | None, limits: tuple[float | None, ...]) -> None:
    frame = pl.DataFrame({"grade": [grade], "h": [h]}, schema={"grade": pl.String, "h": pl.Float64})
    told = frame.select(
        most_yield(EN_10130_1999, GRADE, THICKNESS),
        a=least_elongation(EN_10130_1999, GRADE, THICKNESS),
        r=least_r(EN_10130_1999, GRADE, THICKNESS),
    ).row(0)
    assert told == pytest.approx(limits)


def test_editions__differ() -> None:
    frame = pl.DataFrame({"grade": ["DC06"]})
    told = [frame.select(edition.at_most("Re", GRADE)).item() for edition in (EN_10130_1999, EN_10130_2006)]
    assert told == [180.0, 170.0]
    assert (EN_10130_1999.name, EN_10130_2006.name) == ("EN 10130:1999", "EN 10130:2006")
