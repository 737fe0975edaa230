"""Rules over several columns: what they let pass, what a plant changes, what they say."""

from __future__ import annotations

from typing import Any, Optional

import pandera.polars as pa
import polars as pl
import pytest

from tundish.rules.across import across, over_table, spec_of
from tundish.rules.check import check, describe
from tundish.rules.rule import error, rules, warning

SUM = error("closure", "the parts do not add up to 100 %", "各项之和不等于100%", standard="GB/T 212-2008")


class Lab(pa.DataFrameModel):
    sample: str
    ash: Optional[float] = pa.Field(nullable=True)  # noqa: UP045  (Pandera's own way)
    rest: Optional[float] = pa.Field(nullable=True)  # noqa: UP045

    @across(SUM, "ash", "rest", total=100, tolerance=0.02)
    def closure(cls, total: float, tolerance: float) -> pl.Expr:
        return (pl.col("ash") + pl.col("rest") - total).abs() <= tolerance

    @over_table(warning("falls", "the ash falls", "灰分下降"), "ash", step=0.0)
    def order(cls, frame: pl.DataFrame, step: float) -> pl.Series:
        assert frame.columns == ["ash"]
        return frame["ash"].diff() >= step


class Plant(Lab):
    closure = Lab.closure.but(tolerance=1)


class Line(Plant):
    closure = Plant.closure.but(warning("closure", "the parts hardly add up"), total=99)
    ash: Optional[float] = pa.Field(ge=1, nullable=True, metadata=rules(below=error("low", "too low")))  # noqa: UP045

    @across(error("more_ash", "there is more ash than rest"), "ash", "rest")
    def balance(cls) -> pl.Expr:
        return pl.col("ash") <= pl.col("rest")


def table(*rows: tuple[float | None, float | None]) -> pl.DataFrame:
    schema = {"ash": pl.Float64, "rest": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(sample=pl.lit("s"))


def broken(model: type[pa.DataFrameModel], frame: pl.DataFrame) -> list[tuple[int, str]]:
    return list(check(model, frame).select("row", "check").iter_rows())


def test_across__a_case_on_each_side_of_the_limit() -> None:
    assert broken(Lab, table((10.0, 90.02), (10.0, 90.03), (11.0, 88.98), (12.0, 87.97))) == [
        (1, "closure"),
        (3, "closure"),
    ]


def test_across__a_row_that_lacks_a_value_passes() -> None:
    assert broken(Lab, table((None, 1.0), (1.0, None), (None, None))) == []


def test_across__a_nan_is_not_a_missing_value() -> None:
    assert broken(Lab, table((float("nan"), 1.0))) == [(0, "closure")]


def test_across__a_table_that_lacks_a_column_passes() -> None:
    assert broken(Lab, table((10.0, 1.0)).drop("rest")) == []


def test_across__the_message_says_both_languages_the_values_and_the_limits() -> None:
    (row,) = check(Lab, table((10.123456789, 1.0))).iter_rows(named=True)
    assert row == {
        "row": 0,
        "check": "closure",
        "column": "ash, rest",
        "value": "ash=10.1235, rest=1.0",
        "message": "the parts do not add up to 100 % / 各项之和不等于100%: "
        "ash=10.1235, rest=1.0, total 100, tolerance 0.02",
        "severity": "error",
    }


def test_over_table__sees_the_whole_table_and_only_its_columns() -> None:
    found = check(Lab, table((2.0, 98.0), (3.0, 97.0), (1.0, 99.0)))
    assert found.select("row", "check", "severity", "message").rows() == [
        (2, "falls", "warning", "the ash falls / 灰分下降: ash=1.0, step 0")
    ]


def test_over_table__is_left_out_where_rows_come_in_pieces() -> None:
    frame = table((2.0, 98.0), (1.0, 1.0))
    assert check(Lab, frame, "row")["check"].to_list() == ["closure"]
    assert check(Lab, frame.select("ash"), "table")["check"].to_list() == ["falls"]


def test_but__another_limit_leaves_the_rest_and_the_parent_as_they_are() -> None:
    frame = table((10.0, 90.5))
    assert broken(Plant, frame) == []
    assert broken(Lab, frame) == [(0, "closure")]
    assert broken(Plant, table((10.0, 91.5))) == [(0, "closure")]


def test_but__over_two_levels_limits_add_up_and_the_rule_may_change() -> None:
    found = check(Line, table((10.0, 88.5), (10.0, 90.5)))
    assert found.select("row", "check", "severity", "message").rows() == [
        (1, "closure", "warning", "the parts hardly add up: ash=10.0, rest=90.5, total 99, tolerance 1"),
    ]
    assert broken(Line, table((0.5, 98.5), (60.0, 39.0))) == [(0, "low"), (1, "more_ash")]


def test_but__a_rule_over_the_table_stays_one() -> None:
    class Steps(Lab):
        order = Lab.order.but(step=2)

    assert broken(Steps, table((2.0, 98.0), (3.0, 97.0))) == [(1, "falls")]


@pytest.mark.parametrize("limits", [{"tolerence": 1}, {"tolerance": 1, "slack": 2}])
def test_but__an_unknown_limit_is_reported(limits: dict[str, Any]) -> None:
    unknown = min(set(limits) - {"tolerance"})
    with pytest.raises(TypeError, match=rf"'closure' has no limit '{unknown}' \(it has: total, tolerance\)"):
        Lab.closure.but(**limits)


def test_but__a_rule_without_limits_says_so() -> None:
    with pytest.raises(TypeError, match=r"'more_ash' has no limit 'by' \(it has: none\)"):
        Line.balance.but(by=1)


def test_across__two_rules_of_one_name_are_both_held() -> None:
    class Twice(pa.DataFrameModel):
        low: float
        high: float

        @across(error("order", "low is above high"), "low", "high")
        def order(cls) -> pl.Expr:
            return pl.col("low") <= pl.col("high")

        @across(error("order", "high is far above low"), "high", "low")
        def far(cls) -> pl.Expr:
            return pl.col("high") - pl.col("low") < 10

    found = check(Twice, pl.DataFrame({"low": [2.0, 0.0], "high": [1.0, 20.0]}))
    assert found.select("row", "check", "column").rows() == [
        (0, "order", "low, high"),
        (1, "order", "high, low"),
    ]


def test_across__the_method_reads_its_own_model() -> None:
    class Wide(pa.DataFrameModel):
        low: float
        high: float
        _factor = 1.0

        @across(error("wide", "too wide"), "low", "high")
        def wide(cls) -> pl.Expr:
            return pl.col("high") <= pl.col("low") * cls._factor

    class Wider(Wide):
        _factor = 3.0

    frame = pl.DataFrame({"low": [1.0], "high": [2.0]})
    assert broken(Wide, frame) == [(0, "wide")]
    assert broken(Wider, frame) == []


def test_spec_of__gives_the_rules_of_a_model_nearest_first() -> None:
    found = filter(None, map(spec_of, Line.to_schema().checks))
    assert [(spec.rule.name, spec.limits, spec.whole) for spec in found] == [
        ("closure", {"total": 99, "tolerance": 1}, False),
        ("more_ash", {}, False),
        ("falls", {"step": 0.0}, True),
    ]


def test_describe__tells_columns_limits_and_standard() -> None:
    told = {rule.name: (rule.standard, columns, limits) for rule, columns, limits in describe(Lab)}
    assert told == {
        "closure": ("GB/T 212-2008", "ash, rest", "total 100, tolerance 0.02"),
        "falls": ("", "ash", "step 0"),
    }
