"""Columns and rules that recur in models of records, each in one line of the model.

The name of a rule is that of the attribute it stands in, so that a plant can set it anew with ``but``::

    T_coil: float | None = number("T_coil", "coiling temperature", "卷取温度", ge=0, le=1538)
    T_coil_unusual = usual("T_coil", "coiling temperature", "卷取温度", 500, 750)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandera.polars as pa
import polars as pl

from tundish.across import across
from tundish.rules import Rule, error, rules, warning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "agrees",
    "at_least",
    "between",
    "choice",
    "keeps",
    "later",
    "name_of",
    "near",
    "number",
    "optional",
    "usual",
]

_BITS = 1e-9
"""Numbers whose unit was converted miss each other by their last bits."""


def optional() -> Any:
    """A column that may be missing, and empty."""
    return pa.Field(nullable=True)


def name_of(column: str, english: str, chinese: str) -> Any:
    """A column that names the record: it must be there and filled. Rule ``{column}_missing``."""
    rule = error(f"{column}_missing", f"the {english} is missing", f"缺少{chinese}")
    return pa.Field(metadata=rules(missing=rule))


def number(column: str, english: str, chinese: str, **limits: Any) -> Any:
    """A number or nothing; outside of `limits` (ge, gt, le, lt) it is impossible. Rule ``{column}_range``."""
    rule = error(f"{column}_range", f"the {english} cannot have this value", f"{chinese}不可能为此值")
    return pa.Field(nullable=True, metadata=rules(below=rule, above=rule), **limits)


def choice(column: str, english: str, chinese: str, values: Sequence[Any]) -> Any:
    """One of some values or nothing. Rule ``{column}_unknown``."""
    rule = error(
        f"{column}_unknown", f"the {english} is none of those that there are", f"{chinese}不在允许取值之内"
    )
    return pa.Field(nullable=True, isin=list(values), metadata=rules(other=rule))


def usual(column: str, english: str, chinese: str, low: float, high: float) -> Any:
    """A warning outside of what is common, ``{column}_unusual`` with the limits low and high."""
    rule = warning(f"{column}_unusual", f"the {english} is unusual", f"{chinese}超出常见范围")

    @across(rule, column, low=low, high=high)
    def common(_cls: type[pa.DataFrameModel], low: float, high: float) -> pl.Expr:
        return pl.col(column).is_between(low, high)

    return common


def keeps(rule: Rule, sound: pl.Expr, *columns: str) -> Any:
    """`sound` is true in every row; it reads `columns`."""

    @across(rule, *columns)
    def kept(_cls: type[pa.DataFrameModel]) -> pl.Expr:
        return sound

    return kept


def at_least(rule: Rule, larger: str, smaller: str, slack: float = 0.0) -> Any:
    """`larger` is at least `smaller`, or falls short of it by no more than the limit slack."""

    @across(rule, larger, smaller, slack=slack)
    def ordered(_cls: type[pa.DataFrameModel], slack: float) -> pl.Expr:
        return pl.col(larger) - pl.col(smaller) >= -slack - _BITS

    return ordered


def between(rule: Rule, column: str, low: str, high: str) -> Any:
    """The value of `column` lies between those of two others."""
    return keeps(rule, pl.col(column).is_between(pl.col(low), pl.col(high)), low, column, high)


def later(rule: Rule, after: str, before: str) -> Any:
    """The time `after` is not before `before`; the limit slack_s, in seconds, is for clocks that differ."""

    @across(rule, after, before, slack_s=0.0)
    def in_order(_cls: type[pa.DataFrameModel], slack_s: float) -> pl.Expr:
        return (pl.col(after) - pl.col(before)).dt.total_microseconds() >= -1e6 * slack_s

    return in_order


def agrees(rule: Rule, given: str, computed: pl.Expr, *others: str, tolerance: float) -> Any:
    """What the file gives is what `computed` makes of `others`, but for the limit tolerance (in its unit)."""
    return _close(rule, given, others, tolerance, lambda limit: (pl.col(given) - computed).abs() <= limit)


def near(rule: Rule, given: str, computed: pl.Expr, *others: str, tolerance: float) -> Any:
    """As `agrees`, with a tolerance that is a share of what `computed` makes."""
    return _close(
        rule, given, others, tolerance, lambda limit: (pl.col(given) - computed).abs() <= limit * computed
    )


def _close(
    rule: Rule, given: str, others: Sequence[str], tolerance: float, sound: Callable[[float], pl.Expr]
) -> Any:
    @across(rule, given, *others, tolerance=tolerance)
    def close(_cls: type[pa.DataFrameModel], tolerance: float) -> pl.Expr:
        return sound(tolerance)

    return close
