"""Verdicts: `check` names the rows that Pandera itself names, for every kind of check."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tundish.errors import SchemaError
from tundish.rules.across import across, over_table
from tundish.rules.check import check, table_columns
from tundish.rules.rule import error, rules, warning
from tundish.rules.verdicts import bounds_of, breaches, conditions, surely_sound

if TYPE_CHECKING:
    from pandera.api.polars.types import PolarsData

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


class Kinds(pa.DataFrameModel):
    """A column for each kind of check."""

    at_least: float = pa.Field(ge=0, nullable=True)
    above: float = pa.Field(gt=0, nullable=True)
    at_most: float = pa.Field(le=2, nullable=True)
    under: pl.Float32 = pa.Field(lt=2, nullable=True)
    between: float = pa.Field(in_range=(0, 2), nullable=True)
    inside: float = pa.Field(in_range=(0, 2, False, False), nullable=True)
    strict: float = pa.Field(ge=0, nullable=True, ignore_na=False)
    exactly: pl.Int64 = pa.Field(eq=1, nullable=True)
    other_than: pl.Int64 = pa.Field(ne=1, nullable=True)
    one_of: str = pa.Field(isin=["a", "ab"], nullable=True)
    none_of: str = pa.Field(notin=["a", "ab"], nullable=True)
    length: str = pa.Field(str_length=(1, 2), nullable=True)
    begins_like: str = pa.Field(str_matches="a+$", nullable=True)
    contains: str = pa.Field(str_contains="b", nullable=True)
    begins: str = pa.Field(str_startswith="a", nullable=True)
    ends: str = pa.Field(str_endswith="b", nullable=True)
    there: float
    named: str
    once: float = pa.Field(unique=True, nullable=True)
    since: pl.Datetime("us", "UTC") = pa.Field(ge=NEW_YEAR, nullable=True)  # type: ignore[valid-type]
    flag: bool = pa.Field(eq=True, nullable=True)

    class Config:
        unique = ["exactly", "one_of"]  # noqa: RUF012  (Pandera's own way)

    @across(error("ordered", "the two are not in order"), "at_least", "at_most", by=0.5)
    def _ordered(cls, by: float) -> pl.Expr:
        return pl.col("at_most") - pl.col("at_least") <= by

    @over_table(error("rising", "it falls"), "exactly", "there")
    def _rising(cls, frame: pl.DataFrame) -> pl.Series:
        return frame["exactly"].diff() >= 0

    @pa.check("other_than", "exactly")
    @classmethod
    def even(cls, data: PolarsData) -> pl.LazyFrame:
        """The number is even.

        Nobody reads this.
        """
        return data.lazyframe.select(pl.col(data.key) % 2 == 0)

    @pa.check("once", element_wise=True)
    @classmethod
    def not_three(cls, value: float) -> bool:
        return value != 3

    @pa.dataframe_check
    @classmethod
    def longer_than_exactly(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col("length").str.len_chars() >= pl.col("exactly"))


REALS = st.sampled_from([None, float("nan"), float("inf"), float("-inf"), -1.0, -0.0, 0.0, 0.5, 2.0, 3.0])
TEXTS = st.sampled_from([None, "", "a", "ab", "b", "灰分", "abab"])
WHOLES = st.sampled_from([None, -1, 0, 1, 2])
TIMES = st.sampled_from([None, NEW_YEAR, datetime(2025, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)])
VALUES = {pl.Float64: REALS, pl.Float32: REALS, pl.String: TEXTS, pl.Int64: WHOLES, pl.Datetime: TIMES}
SCHEMA = {name: column.dtype.type for name, column in Kinds.to_schema().columns.items()}
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            name: VALUES.get(dtype.base_type(), st.sampled_from([None, True, False]))
            for name, dtype in SCHEMA.items()
        }
    ),
    max_size=6,
)
SIDES = {
    "greater_than_or_equal_to": "below",
    "greater_than": "below",
    "less_than_or_equal_to": "above",
    "less_than": "above",
    "not_nullable": "missing",
}


def pandera_says(frame: pl.DataFrame) -> Counter[tuple[int, str]]:
    """Row and name of every failure in Pandera's own report; the two ends of a range have one name there."""
    try:
        Kinds.to_schema().validate(frame, lazy=True)
    except pa.errors.SchemaErrors as problem:
        cases = problem.failure_cases
    else:
        return Counter()
    found: Counter[tuple[int, str]] = Counter()
    for context, column, text, row in cases.select("schema_context", "column", "check", "index").iter_rows():
        kind = str(text).partition("(")[0]
        if kind in {"even", "not_three"} or (
            context == "DataFrameSchema" and kind != "multiple_fields_uniqueness"
        ):
            name = kind
        elif context == "DataFrameSchema":
            name = f"exactly_one_of_{kind}"
        else:
            name = f"{column}_{SIDES.get(kind, kind)}"
        found[row, name] += 1
    return found


@settings(max_examples=60)
@given(ROWS)
def test_check__names_the_rows_that_pandera_names(rows: list[dict[str, Any]]) -> None:
    frame = pl.DataFrame(rows, schema=SCHEMA)
    ranges = ("between", "inside")
    ends = {f"{name}_{side}": f"{name}_in_range" for name in ranges for side in ("below", "above")}
    found = check(Kinds, frame)
    ours = Counter((row, ends.get(name, name)) for row, name in found.select("row", "check").iter_rows())
    assert ours == pandera_says(frame)
    assert found["row"].is_sorted()
    assert found["message"].null_count() == 0
    in_two = pl.concat([check(Kinds, frame, "row"), check(Kinds, frame, "table")])
    assert in_two.sort(found.columns).equals(found.sort(found.columns))


def test_check__a_plants_own_check_bears_its_methods_name() -> None:
    row = dict.fromkeys(SCHEMA) | {"there": 1.0, "named": "x", "strict": 0.0, "other_than": 3, "once": 3.0}
    found = check(Kinds, pl.DataFrame([row | {"length": "", "exactly": 1}], schema=SCHEMA))
    told = {
        name: (column, message)
        for name, column, message in found.select("check", "column", "message").iter_rows()
    }
    assert told["even"] in {
        ("other_than", "The number is even: other_than is 3"),
        ("exactly", "The number is even: exactly is 1"),
    }
    assert told["not_three"] == ("once", "not three: once is 3.0")
    assert told["longer_than_exactly"] == ("", "longer than exactly")
    assert set(found["severity"]) == {"error"}


def numbers(*checks: pa.Check, whole: tuple[pa.Check, ...] = ()) -> type[pa.DataFrameModel]:
    """A model whose schema was given checks by hand."""

    class Numbers(pa.DataFrameModel):
        number: pl.Int64 = pa.Field(nullable=True)

    schema = Numbers.to_schema()
    schema.columns["number"].checks.extend(checks)
    schema.checks.extend(whole)
    return Numbers


def test_check__a_lambda_has_a_name_too() -> None:
    even = pa.Check(lambda data: data.lazyframe.select(pl.col(data.key) % 2 == 0))
    small = pa.Check(lambda data: data.lazyframe.select(pl.col("number") < 3), error="too large a number")
    found = check(numbers(even, whole=(small,)), pl.DataFrame({"number": [1, 2, 3, None]}))
    assert found.select("row", "check", "column", "value", "message").rows() == [
        (0, "number_check", "number", "1", "number check: number is 1"),
        (2, "number_check", "number", "3", "number check: number is 3"),
        (2, "row_check", "", "", "too large a number"),
    ]


def test_check__a_check_that_only_warns_is_a_warning() -> None:
    found = check(numbers(pa.Check.ge(0, raise_warning=True)), pl.DataFrame({"number": [-1]}))
    assert found.select("check", "severity").rows() == [("number_below", "warning")]


def test_check__every_row_is_named_even_where_pandera_stops_counting() -> None:
    found = check(numbers(pa.Check.ge(0, n_failure_cases=1)), pl.DataFrame({"number": [-1, -2]}))
    assert found["row"].to_list() == [0, 1]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (lambda _data: False, "rejects the table and names no row"),
        (
            lambda data: data.lazyframe.select(pl.col("number").mean() > 2),
            "rejects the table and names no row",
        ),
        (lambda data: data.lazyframe.select(pl.col("numbre") > 2), "does not run.*numbre"),
        (lambda data: data.lazyframe.select(pl.col(data.kye) > 2), "does not run.*kye"),
    ],
)
def test_check__a_check_that_names_no_row_is_reported(body: Any, told: str) -> None:
    frame = pl.DataFrame({"number": [1, 2]})
    with pytest.raises(SchemaError, match=f"Numbers: the check 'own' {told}"):
        check(numbers(pa.Check(body, name="own")), frame)
    with pytest.raises(SchemaError, match=told):
        check(numbers(whole=(pa.Check(body, name="own"),)), frame)


def test_check__a_check_may_accept_the_table_as_a_whole() -> None:
    fine = pa.Check(lambda data: data.lazyframe.select(pl.col("number").mean() > 2))
    assert check(numbers(fine, whole=(fine,)), pl.DataFrame({"number": [1, 5]})).is_empty()


def test_check__a_wrong_type_is_reported() -> None:
    with pytest.raises(
        SchemaError, match=r"Numbers: the table does not fit the model: dtype\('Int64'\).*String"
    ):
        check(numbers(), pl.DataFrame({"number": ["1"]}))


class Coerced(pa.DataFrameModel):
    number: pl.Int64 = pa.Field(ge=2)

    class Config:
        coerce = True


def test_check__values_are_checked_as_the_model_coerces_them() -> None:
    assert check(Coerced, pl.DataFrame({"number": ["1", "2"]}))["row"].to_list() == [0]
    with pytest.raises(SchemaError, match="does not fit the model"):
        check(Coerced, pl.DataFrame({"number": ["1", "one"]}))


class Pattern(pa.DataFrameModel):
    heats: float = pa.Field(
        alias="^T_.*$", regex=True, ge=0, metadata=rules(below=warning("cold", "it is cold"))
    )


def test_check__columns_may_be_named_by_a_pattern() -> None:
    found = check(Pattern, pl.DataFrame({"T_1": [-1.0, 1.0], "T_2": [1.0, -1.0], "U": [-1.0, -1.0]}))
    assert found.select("row", "check", "column").rows() == [(0, "cold", "T_1"), (1, "cold", "T_2")]


def test_check__messages_say_value_and_limit() -> None:
    row = dict.fromkeys(SCHEMA) | {"there": 1.0, "named": "x", "strict": 0.0}
    bad = {"between": 2.123456789, "one_of": "c", "length": "abab", "begins_like": "b", "once": float("nan")}
    found = check(Kinds, pl.DataFrame([row | bad], schema=SCHEMA))
    assert found["message"].to_list() == [
        "begins_like breaks a rule: begins_like is b, allowed is text that begins like a+$",
        "between breaks a rule: between is 2.12346, allowed is at most 2",
        "length breaks a rule: length is abab, allowed is at least 1 and at most 2 characters",
        "one_of breaks a rule: one_of is c, allowed is one of 'a', 'ab'",
    ]
    assert found.filter(column="between")["value"].to_list() == ["2.123456789"]


def test_table_columns__are_those_of_rules_over_the_whole_table() -> None:
    assert table_columns(Kinds) == {"once", "exactly", "one_of", "there"}
    frame = pl.DataFrame({"exactly": [2, 1], "there": [1.0, 1.0]})
    assert check(Kinds, frame, "table").select("row", "check").rows() == [(1, "rising")]


@given(
    st.one_of(
        st.lists(st.none() | st.floats(width=32), max_size=8).map(lambda cells: (pl.Float64, cells)),
        st.lists(st.none() | st.integers(-5, 5), max_size=8).map(lambda cells: (pl.Int64, cells)),
    ),
    st.sampled_from(["ge", "gt", "le", "lt"]),
    st.integers(-3, 3) | st.floats(-3, 3),
    st.booleans(),
)
def test_what_the_bounds_call_sound_pandera_does_too(
    column: tuple[pl.DataType, list[float | None]], side: str, limit: float, filled: bool
) -> None:
    kind, cells = column
    frame = pl.DataFrame({"x": cells}, {"x": kind})
    schema = pa.DataFrameSchema({"x": pa.Column(kind, getattr(pa.Check, side)(limit), nullable=not filled)})
    bounds = bounds_of(frame).get("x")
    for condition in conditions(schema):
        if surely_sound(condition.check, bounds):
            assert breaches(schema, condition.check, frame, "x").is_empty()
