"""Columns and rules that recur in models of records, each in one line of the model.

The name of a rule is that of its attribute, so that a plant can change its limits with ``but``::

    T_coil: float | None = number("T_coil", "coiling temperature", "卷取温度", ge=0, le=1538)
    T_coil_unusual = usual("T_coil", "coiling temperature", "卷取温度", 500, 750)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pandera.polars as pa
import polars as pl

from tundish.rules.across import across
from tundish.rules.rule import Rule, error, rules, warning

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BITS",
    "adds_up",
    "agrees",
    "at_least",
    "between",
    "choice",
    "expected",
    "keeps",
    "later",
    "name_of",
    "near",
    "number",
    "optional",
    "percent",
    "positive",
    "usual",
    "within",
]

BITS = 1e-9
"""Absorbs rounding: sums of decimals and converted numbers may miss a limit by their last bits."""


def optional() -> Any:
    """A column that may be missing or empty."""
    return pa.Field(nullable=True)


def name_of(column: str, english: str = "", chinese: str = "") -> Any:
    """A column that names the record: it is required and never empty. Rule ``{column}_missing``."""
    rule = error(f"{column}_missing", _says("the {} is missing", english), _says("缺少{}", chinese))
    return pa.Field(metadata=rules(missing=rule))


def number(column: str, english: str = "", chinese: str = "", **limits: Any) -> Any:
    """A number or empty; outside `limits` (ge, gt, le, lt) it is impossible. Rule ``{column}_range``."""
    sentence = _says("the {} cannot have this value", english), _says("{}不可能为此值", chinese)
    rule = error(f"{column}_range", *sentence)
    return pa.Field(nullable=True, metadata=rules(below=rule, above=rule), **limits)


def percent(column: str, english: str = "", chinese: str = "") -> Any:
    """A share of a whole, 0 to 100 %, or empty. Rule ``{column}_range``."""
    return number(column, english, chinese, ge=0, le=100)


def positive(column: str, english: str = "", chinese: str = "") -> Any:
    """A number above 0, or empty. Rule ``{column}_range``."""
    return number(column, english, chinese, gt=0)


def choice(column: str, english: str, chinese: str, values: Sequence[Any]) -> Any:
    """One of some values, or empty. Rule ``{column}_unknown``."""
    sentence = _says("the {} is not an allowed value", english), _says("{}不在允许取值之内", chinese)
    rule = error(f"{column}_unknown", *sentence)
    return pa.Field(nullable=True, isin=list(values), metadata=rules(other=rule))


def expected(
    column: str,
    english: str = "",
    chinese: str = "",
    *,
    filled: bool = False,
    values: Sequence[Any] = (),
    usual: tuple[float | None, float | None] = (None, None),
) -> Any:
    """A column as it was found in a file: what differs is reported, and the record kept.

    Args:
        column: The name of the column.
        english: What it is called in sentences; empty where the sentences are Chinese only.
        chinese: The same in Chinese; empty where they are English only.
        filled: Whether an empty value is reported. Rule ``{column}_missing``.
        values: Where there are any, another value is reported. Rule ``{column}_new``.
        usual: The least and the greatest usual value; one beyond them is reported. Rule ``{column}_unusual``.
    """
    missing = warning(f"{column}_missing", _says("the {} is missing", english), _says("缺少{}", chinese))
    new = warning(f"{column}_new", _says("the {} has a new value", english), _says("{}出现新取值", chinese))
    odd = warning(f"{column}_unusual", _says("the {} is unusual", english), _says("{}超出常见范围", chinese))
    low, high = usual
    metadata = rules(
        below=None if low is None else odd,
        above=None if high is None else odd,
        missing=missing if filled else None,
        other=new if values else None,
    )
    return pa.Field(nullable=not filled, ge=low, le=high, isin=list(values) or None, metadata=metadata)


def _says(sentence: str, name: str) -> str:
    """The sentence about what is called so; none where it has no name in that language."""
    return sentence.format(name) if name else ""


def usual(column: str, english: str, chinese: str, low: float, high: float) -> Any:
    """A warning outside the usual range: the rule ``{column}_unusual`` with the limits low and high."""
    sentence = _says("the {} is unusual", english), _says("{}超出常见范围", chinese)
    return within(warning(f"{column}_unusual", *sentence), pl.col(column), low=low, high=high)


def keeps(rule: Rule, sound: pl.Expr, *columns: str) -> Any:
    """`sound` is true in every row; `columns` are those it reads, where the expression does not name them."""

    @across(rule, *(columns or _read(sound)))
    def kept(_cls: type[pa.DataFrameModel]) -> pl.Expr:
        return sound

    return kept


def within(rule: Rule, value: pl.Expr, low: float, high: float) -> Any:
    """`value` lies between the limits low and high."""

    @across(rule, *_read(value), low=low, high=high)
    def inside(_cls: type[pa.DataFrameModel], low: float, high: float) -> pl.Expr:
        return value.is_between(low, high)

    return inside


def at_least(rule: Rule, larger: str, smaller: str, slack: float = 0.0, called: str = "slack") -> Any:
    """`larger` is at least `smaller`, or falls short of it by no more than the limit slack.

    `called` gives that limit another name.
    """

    @across(rule, larger, smaller, **{called: slack})
    def ordered(_cls: type[pa.DataFrameModel], **limit: float) -> pl.Expr:
        return pl.col(larger) - pl.col(smaller) >= -limit[called] - BITS

    return ordered


def between(rule: Rule, column: str, low: str, high: str) -> Any:
    """The value of `column` lies between those of two others."""
    return keeps(rule, pl.col(column).is_between(pl.col(low), pl.col(high)), low, column, high)


def later(rule: Rule, after: str, before: str, slack: float = 0.0, unit: Literal["s", "h"] = "s") -> Any:
    """The time `after` is not before `before`; the limit slack_s or slack_h allows for differing clocks."""
    called, microseconds = f"slack_{unit}", {"s": 1e6, "h": 3.6e9}[unit]

    @across(rule, after, before, **{called: slack})
    def in_order(_cls: type[pa.DataFrameModel], **limit: float) -> pl.Expr:
        passed = (pl.col(after) - pl.col(before)).dt.total_microseconds()
        return passed >= -microseconds * limit[called]

    return in_order


def agrees(rule: Rule, given: str, computed: pl.Expr, tolerance: float) -> Any:
    """The column `given` equals what is `computed` from others, within the limit tolerance (in its unit)."""
    return _close(rule, pl.col(given) - computed, 1.0, tolerance)


def near(rule: Rule, given: str, computed: pl.Expr, tolerance: float) -> Any:
    """As `agrees`, with a tolerance that is a share of the `computed` value."""
    return _close(rule, pl.col(given) - computed, computed, tolerance)


def adds_up(rule: Rule, total: float, *columns: str, tolerance: float) -> Any:
    """The columns add up to `total`, within the limit tolerance (in their unit)."""
    return _close(rule, pl.sum_horizontal(columns, ignore_nulls=False) - total, 1.0, tolerance)


def _close(rule: Rule, miss: pl.Expr, scale: pl.Expr | float, tolerance: float) -> Any:
    @across(rule, *_read(miss), tolerance=tolerance)
    def close(_cls: type[pa.DataFrameModel], tolerance: float) -> pl.Expr:
        return miss.abs() <= tolerance * scale + BITS

    return close


def _read(expression: pl.Expr) -> tuple[str, ...]:
    """The columns that an expression names, each once."""
    return tuple(dict.fromkeys(expression.meta.root_names()))
