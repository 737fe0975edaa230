"""Check a table against a Pandera model: which rows breach which rule, with the rule's name and severity."""

from __future__ import annotations

from dataclasses import replace
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, Literal

import pandera.polars as pa
import polars as pl

from tundish.rules.across import spec_of
from tundish.rules.rule import Rule, error
from tundish.rules.verdicts import bounds_of, breaches, conditions, fitting, surely_sound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.rules.verdicts import Condition

__all__ = ["FAILURES", "check", "describe", "table_columns"]


FAILURES = {
    "row": pl.UInt32,
    "check": pl.String,
    "column": pl.String,
    "value": pl.String,
    "message": pl.String,
    "severity": pl.String,
}
"""Columns of what `check` returns; `row` is the position in the frame it was given."""

_LIMITS = {
    "greater_than_or_equal_to": ("below", "at least {min_value}"),
    "greater_than": ("below", "more than {min_value}"),
    "less_than_or_equal_to": ("above", "at most {max_value}"),
    "less_than": ("above", "less than {max_value}"),
    "equal_to": ("other", "exactly {value}"),
    "not_equal_to": ("other", "anything but {value}"),
    "isin": ("other", "one of {allowed_values}"),
    "notin": ("other", "none of {forbidden_values}"),
    "str_matches": ("other", "text that begins like {pattern}"),
    "str_contains": ("other", "text with {pattern}"),
    "str_startswith": ("other", "text that begins with {string}"),
    "str_endswith": ("other", "text that ends with {string}"),
    "str_length": ("other", "{length} characters"),
    "field_uniqueness": ("other", "each value once"),
    "multiple_fields_uniqueness": ("other", "each combination once"),
    "not_nullable": ("missing", "not empty"),
}
"""The side of each Pandera check, as `rules` names it, and its limit in words."""


def check(
    model: type[pa.DataFrameModel], frame: pl.DataFrame, scope: Literal["row", "table"] | None = None
) -> pl.DataFrame:
    """Find the rows of `frame` that breach a rule of `model`: one row per breach, columns as in `FAILURES`.

    Columns that are not in the model are ignored.

    Args:
        model: The Pandera model.
        frame: The rows to check.
        scope: Check only the rules that need a single row, for a table that comes in pieces; or only those
            that need the whole table, for which the columns in `table_columns` suffice.

    Raises:
        SchemaError: The model requires a column or a type that the table does not have; or one of the plant's
            own checks does not run, or rejects the table without naming a row.
    """
    schema = model.to_schema()
    fitted = frame if scope == "table" else fitting(schema, frame)
    found = [pl.DataFrame(schema=FAILURES)]
    bounds, names = {} if scope == "table" else bounds_of(fitted), dict.fromkeys(fitted.columns)
    for condition in conditions(schema):
        if scope is not None and condition.whole != (scope == "table"):
            continue
        for key in condition.keys(names):
            if key is not None and surely_sound(condition.check, bounds.get(key)):
                continue
            rows = breaches(schema, condition.check, fitted, key)
            if rows.len():
                found.append(_failures(condition, *_rule(model, condition), key, fitted, rows))
    return pl.concat(found).sort("row", "check", maintain_order=True)


def table_columns(model: type[pa.DataFrameModel]) -> set[str]:
    """The columns that rules over the whole table read."""
    whole = (condition for condition in conditions(model.to_schema()) if condition.whole)
    return {name for condition in whole for name in condition.columns}


def _failures(
    condition: Condition, rule: Rule, limit: str, key: str | None, frame: pl.DataFrame, rows: pl.Series
) -> pl.DataFrame:
    """Failures of one check; the value of a rule over several columns names each of them."""
    names = [key] if key is not None else [name for name in condition.columns if name in frame.columns]
    bad = frame.select(names)[rows] if names else pl.DataFrame()
    if key is not None:
        value, short = pl.col(key).cast(pl.String), _short(key, bad.schema[key])
        before, after = f"{rule.words}: {key} is ", f", allowed is {limit}" if limit else ""
    else:
        each = [pl.format("{}={}", pl.lit(name), _short(name, bad.schema[name])) for name in names]
        value = short = pl.concat_str(each, separator=", ") if each else pl.lit("")
        before, after = f"{rule.words}: " if each else rule.words, f", {limit}" if limit else ""
    return bad.select(
        rows.alias("row"),
        pl.lit(rule.name).alias("check"),
        pl.lit(", ".join(names)).alias("column"),
        value.alias("value"),
        pl.concat_str(pl.lit(before), short, pl.lit(after)).alias("message"),
        pl.lit(rule.severity).alias("severity"),
    )


def _short(column: str, dtype: pl.DataType) -> pl.Expr:
    """A value as it is written in a sentence: numbers to six digits."""
    value = pl.col(column).round_sig_figs(6) if dtype.is_float() else pl.col(column)
    return value.cast(pl.String).fill_null("nothing")


def describe(model: type[pa.DataFrameModel]) -> Iterator[tuple[Rule, str, str]]:
    """List every rule of a model with its columns and its limit in words.

    That a column must not be empty is listed only where the rule has a name.
    """
    for condition in conditions(model.to_schema()):
        rule, limit = _rule(model, condition)
        column = condition.column
        if condition.check.name == "not_nullable" and _find_rule(model, column, "missing") is None:
            continue
        yield rule, ", ".join(condition.columns), limit


def _rule(model: type[pa.DataFrameModel], condition: Condition) -> tuple[Rule, str]:
    """The rule behind a check, and its limit in words."""
    check, subject = condition.check, "_".join(condition.columns) or "row"
    spec, kind, limits = spec_of(check), check.name or "<check>", check.statistics or {}
    side, words = _LIMITS.get(kind, ("", ""))
    if spec is not None:
        rule = spec.rule
        limit = ", ".join(f"{name} {value:g}" for name, value in spec.limits.items())
    elif side and (limits or "{" not in words):
        name = f"{subject}_{kind if side == 'other' else side}"
        rule = _find_rule(model, condition.column, side) or error(name, f"{subject} breaks a rule")
        limit = words.format(**_limits_in_words(limits))
    else:  # the plant's own
        name = f"{subject}_check" if kind.startswith("<") else kind
        about = cleandoc(check.description or check.error or name.replace("_", " "))
        rule, limit = error(name, " ".join(about.partition("\n\n")[0].split()).rstrip(".")), ""
    return (replace(rule, severity="warning") if check.raise_warning else rule), limit


def _limits_in_words(limits: dict[str, Any]) -> dict[str, str]:
    """The limits of one of Pandera's checks, and those of a text's length as one."""
    least, most, exact = (limits.get(name) for name in ("min_value", "max_value", "exact_value"))
    ends = [f"at least {least}"] * (least is not None) + [f"at most {most}"] * (most is not None)
    length = " and ".join(ends) if exact is None else f"exactly {exact}"
    return {name: _list_values(value) for name, value in limits.items()} | {"length": length}


def _list_values(value: object) -> str:
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    return ", ".join(map(repr, value)) if isinstance(value, list | tuple) else str(value)


def _find_rule(model: type[pa.DataFrameModel], column: str | None, side: str) -> Rule | None:
    """The rule that the model's metadata, or that of a model it inherits, names for a side of a column."""
    if column is None:
        return None
    for metadata in _inherited_metadata(model, column):
        if side in metadata:
            rule: Rule = metadata[side]
            return rule
    return None


def _inherited_metadata(model: type[pa.DataFrameModel], column: str) -> Iterator[dict[str, Any]]:
    for base in model.__mro__:
        if issubclass(base, pa.DataFrameModel) and base is not pa.DataFrameModel:
            field = base.to_schema().columns.get(column)
            if field is not None and field.metadata is not None:
                yield field.metadata
