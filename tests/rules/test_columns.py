"""Columns and rules in one line: which rows they fail, and their names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.rules import columns as limits
from tundish.rules.across import spec_of
from tundish.rules.check import check, describe
from tundish.rules.rule import error

if TYPE_CHECKING:
    from tundish.rules.across import Across

RULE = error("off", "it is off", "不符")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
Time = Annotated[pl.Datetime, "us", "UTC"]

A, B, C = pl.col("a"), pl.col("b"), pl.col("c")
hundredths = st.integers(-10_000, 10_000)


class _Base(pa.DataFrameModel):
    a: float | None = limits.optional()
    b: float | None = limits.optional()
    c: float | None = limits.optional()
    early: Time | None = limits.optional()
    late: Time | None = limits.optional()


def model(rule: Any) -> Any:
    return type("Model", (_Base,), {"off": rule, "__annotations__": {}})


def spec(rule: Any) -> Across:
    (found,) = filter(None, map(spec_of, model(rule).to_schema().checks))
    return found


def broken(rule: Any, **row: Any) -> bool:
    kinds = {"early": pl.Datetime("us", "UTC"), "late": pl.Datetime("us", "UTC")}
    frame = pl.DataFrame([row], schema={name: kinds.get(name, pl.Float64()) for name in row})
    return check(model(rule), frame).height > 0


class Columns(pa.DataFrameModel):
    """One column of each kind."""

    name: str = limits.name_of("name", "number", "编号")
    temperature: float | None = limits.number("temperature", "temperature", "温度", ge=0, lt=1538)
    share: float | None = limits.percent("share", "share", "份额")
    mass: float | None = limits.positive("mass", "mass", "重量")
    side: str | None = limits.choice("side", "side", "表面", ("top", "bottom"))
    mass_unusual = limits.usual("mass", "mass", "重量", 1, 45)


SOUND = {"name": "1", "temperature": 0.0, "share": 100.0, "mass": 45.0, "side": "top"}


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("name", None, "name_missing"),
        ("temperature", -0.1, "temperature_range"),
        ("temperature", 1538.0, "temperature_range"),
        ("share", 100.1, "share_range"),
        ("share", -0.1, "share_range"),
        ("mass", 0.0, "mass_range"),
        ("mass", 45.1, "mass_unusual"),
        ("side", "left", "side_unknown"),
    ],
)
def test_column__its_rule_is_called_after_it(column: str, value: Any, rule: str) -> None:
    schema = {"name": pl.String, "temperature": pl.Float64, "share": pl.Float64, "mass": pl.Float64}
    frame = pl.DataFrame([SOUND, SOUND | {column: value}], schema={**schema, "side": pl.String})
    found = check(Columns, frame)
    assert (1, rule) in set(found.select("row", "check").iter_rows())
    assert found["row"].to_list().count(0) == 0
    told = {each.name: each for each, _, _ in describe(Columns)}
    assert told[rule].chinese
    assert told[rule].severity == ("warning" if rule.endswith("unusual") else "error")


def test_column__may_be_empty_but_for_the_name() -> None:
    frame = pl.DataFrame(
        [{"name": "1"} | dict.fromkeys(["temperature", "share", "mass"])],
        schema={"name": pl.String, "temperature": pl.Float64, "share": pl.Float64, "mass": pl.Float64},
    )
    assert check(Columns, frame).is_empty()


def test_columns_of_a_rule__those_that_its_expression_names() -> None:
    assert spec(limits.keeps(RULE, A < B)).columns == ("a", "b")
    assert spec(limits.keeps(RULE, A < B, "a")).columns == ("a",)
    assert spec(limits.within(RULE, A + B * A, low=0, high=1)).columns == ("a", "b")
    assert spec(limits.agrees(RULE, "a", B + C, tolerance=1)).columns == ("a", "b", "c")
    assert spec(limits.near(RULE, "c", B + B, tolerance=1)).columns == ("c", "b")
    assert spec(limits.adds_up(RULE, 100, "a", "c", tolerance=1)).columns == ("a", "c")


def test_limits__have_the_names_that_a_plant_changes() -> None:
    assert spec(limits.within(RULE, A, low=0, high=1)).limits == {"low": 0, "high": 1}
    assert spec(limits.at_least(RULE, "a", "b")).limits == {"slack": 0}
    assert spec(limits.at_least(RULE, "a", "b", 0.02, called="tolerance")).limits == {"tolerance": 0.02}
    assert spec(limits.later(RULE, "late", "early", 24, unit="h")).limits == {"slack_h": 24}
    loose = model(limits.at_least(RULE, "a", "b", called="tolerance")).off.but(tolerance=5)
    assert not broken(loose, a=1.0, b=6.0)
    assert broken(loose, a=1.0, b=6.1)


def test_missing_value__breaks_nothing() -> None:
    for rule in (
        limits.keeps(RULE, A < B),
        limits.within(RULE, A + B, low=0, high=1),
        limits.at_least(RULE, "a", "b"),
        limits.agrees(RULE, "a", B, tolerance=0),
        limits.near(RULE, "a", B, tolerance=0),
        limits.adds_up(RULE, 100, "a", "b", tolerance=0),
    ):
        assert not broken(rule, a=-5.0, b=None)
        assert not broken(rule, a=-5.0)


def test_between__the_limits_belong_to_it() -> None:
    rule = limits.between(RULE, "b", "a", "c")
    assert spec(rule).columns == ("a", "b", "c")
    assert not broken(rule, a=1.0, b=1.0, c=1.0)
    assert broken(rule, a=1.0, b=0.9, c=2.0)
    assert broken(rule, a=1.0, b=2.1, c=2.0)


@given(a=hundredths, b=hundredths, slack=st.integers(0, 50))
def test_at_least__decimals_meet_their_limit_exactly(a: int, b: int, slack: int) -> None:
    rule = limits.at_least(RULE, "a", "b", slack / 100)
    assert broken(rule, a=a / 100, b=b / 100) == (b - a > slack)


@given(a=hundredths, b=hundredths, tolerance=st.integers(0, 50))
def test_agrees_and_adds_up__decimals_meet_their_limit_exactly(a: int, b: int, tolerance: int) -> None:
    off = abs(a - b) > tolerance
    assert broken(limits.agrees(RULE, "a", B, tolerance=tolerance / 100), a=a / 100, b=b / 100) == off
    closure = limits.adds_up(RULE, 100, "a", "b", tolerance=tolerance / 100)
    assert broken(closure, a=a / 100, b=(10_000 - b) / 100) == off


def test_near__the_tolerance_is_a_share() -> None:
    rule = limits.near(RULE, "a", 2 * B, tolerance=0.03)
    assert not broken(rule, a=206.0, b=100.0)
    assert not broken(rule, a=194.0, b=100.0)
    assert broken(rule, a=206.1, b=100.0)


@given(seconds=st.integers(-100_000, 100_000), slack=st.integers(0, 24))
def test_later__slack_in_its_unit(seconds: int, slack: int) -> None:
    row = {"early": NOON, "late": NOON + timedelta(seconds=seconds)}
    assert broken(limits.later(RULE, "late", "early"), **row) == (seconds < 0)
    assert broken(limits.later(RULE, "late", "early", slack), **row) == (seconds < -slack)
    hours = limits.later(RULE, "late", "early", slack, unit="h")
    assert broken(hours, **row) == (seconds < -3600 * slack)
