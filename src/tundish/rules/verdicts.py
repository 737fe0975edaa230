"""The conditions that a Pandera schema sets for the rows of a table, and which rows fail them.

The verdicts are those of Pandera: its checks are called one by one. Only its report is not used, which turns
every failing value into text, and for checks over several columns the whole failing row into JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pandera.polars as pa
import polars as pl
from pandera.config import ValidationDepth, config_context

from tundish.errors import SchemaError
from tundish.rules.across import spec_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pandera.api.polars.types import PolarsData

__all__ = ["Bounds", "Condition", "bounds_of", "breaches", "conditions", "fitting", "surely_sound"]

# What the plant's own checks can raise; errors of Polars wrap what is raised inside an expression.
_FAULTS = (
    pl.exceptions.PolarsError,
    ArithmeticError,
    AttributeError,
    LookupError,
    NameError,
    TypeError,
    ValueError,
)


_OF_ONE_COLUMN = frozenset(
    {
        *("greater_than_or_equal_to", "greater_than", "less_than_or_equal_to", "less_than", "equal_to"),
        *("not_equal_to", "isin", "notin", "str_matches", "str_contains", "str_startswith", "str_endswith"),
        *("str_length", "field_uniqueness", "not_nullable"),
    }
)
"""Names of checks that need nothing but their column."""


class Bounds(NamedTuple):
    """The least and the greatest value of a column of numbers without NaN, and how many are empty."""

    least: float | None
    most: float | None
    empty: int


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition that a schema sets for every row.

    Attributes:
        check: The Pandera check.
        columns: The columns it reads; empty for a check over the row that does not name them.
        column: The column it applies to, or a pattern of names; None for the row as a whole.
        regex: Whether the column is a pattern.
        whole: Whether it needs the whole table and cannot be checked piece by piece.
    """

    check: pa.Check
    columns: tuple[str, ...] = ()
    column: str | None = None
    regex: bool = False
    whole: bool = False

    def keys(self, names: Mapping[str, object]) -> Sequence[str | None]:
        """The columns it applies to, of a table with these columns; none where an optional one is missing."""
        if self.column is None:
            return [None]
        if self.regex:
            return [name for name in names if re.fullmatch(self.column, name)]
        return [self.column] if self.column in names else []


def conditions(schema: pa.DataFrameSchema) -> Iterator[Condition]:
    """List all conditions of a schema, in its order; a range as its lower and its upper limit."""
    for name, column in schema.columns.items():
        checks = [limit for check in column.checks for limit in _limits(check)]
        if not column.nullable:
            checks.insert(0, pa.Check(_is_filled, name="not_nullable"))
        for check in checks:
            yield Condition(check, (name,), name, column.regex)
        if column.unique:
            once = pa.Check(_is_distinct, name="field_uniqueness")
            yield Condition(once, (name,), name, column.regex, whole=True)
    unique = schema.unique or []
    for columns in [unique] if unique and isinstance(unique[0], str) else unique:
        once = pa.Check(_are_distinct, name="multiple_fields_uniqueness", columns=columns)
        yield Condition(once, tuple(columns), whole=True)
    for check in schema.checks:
        spec = spec_of(check)
        yield Condition(check, spec.columns, whole=spec.whole) if spec else Condition(check)


def _limits(check: pa.Check) -> list[pa.Check]:
    limits = check.statistics
    if check.name != "in_range" or not limits:
        return [check]
    lower = pa.Check.ge if limits["include_min"] else pa.Check.gt
    upper = pa.Check.le if limits["include_max"] else pa.Check.lt
    how = {"ignore_na": check.ignore_na, "raise_warning": check.raise_warning}
    return [lower(limits["min_value"], **how), upper(limits["max_value"], **how)]


def _is_filled(data: PolarsData) -> pl.LazyFrame:
    """Whether a value is filled; like Pandera, a NaN counts as empty."""
    value = pl.col(data.key)
    real = data.lazyframe.collect_schema()[data.key].is_float()
    return data.lazyframe.select(value.is_not_null() & value.is_not_nan() if real else value.is_not_null())


def _is_distinct(data: PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(data.key).is_unique())


def _are_distinct(data: PolarsData, columns: Sequence[str]) -> pl.LazyFrame | bool:
    present = [name for name in columns if name in data.lazyframe.collect_schema().names()]
    return data.lazyframe.select(pl.struct(present).is_unique()) if present else True


def fitting(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of `frame` that the schema names, as it parses them (coerced, defaults filled in).

    Raises:
        SchemaError: The schema requires a column or a type that the table does not have.
    """
    patterns = [re.compile(name) for name, column in schema.columns.items() if column.regex]
    named = {name for name, column in schema.columns.items() if not column.regex}
    wanted = frame.select(
        name
        for name in frame.columns
        if name in named or any(pattern.fullmatch(name) for pattern in patterns)
    )
    if _fits_already(schema, wanted):
        return wanted
    try:
        with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_ONLY):
            parsed: pl.LazyFrame = schema.validate(wanted.lazy(), lazy=True)
        return parsed.collect()
    except pa.errors.SchemaErrors as problem:
        first = problem.failure_cases.row(0, named=True)
        reason = f"{first['check']}, column {first['column']}: {first['failure_case']}"
    except (pa.errors.SchemaError, pl.exceptions.PolarsError) as problem:
        reason = str(problem)
    raise SchemaError(
        f"the table does not fit the model: {reason}",
        where=str(schema.name),
        fix="fix the column names and types of the model",
    )


def _fits_already(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> bool:
    """Whether there is nothing to parse: each column has its type, and those that are missing may be."""
    if schema.parsers or schema.strict or schema.ordered or schema.dtype or schema.add_missing_columns:
        return False
    kinds = dict(frame.schema)
    return all(
        not column.regex
        and not column.parsers
        and column.default is None
        and (
            not column.required
            if name not in kinds
            else column.dtype is not None and column.dtype.type == kinds[name]
        )
        for name, column in schema.columns.items()
    )


def bounds_of(frame: pl.DataFrame) -> dict[str, Bounds]:
    """The bounds of all columns of numbers, in one pass."""
    kinds = dict(frame.schema)
    names = [name for name, kind in kinds.items() if kind.is_float() or kind.is_integer()]
    wanted = []
    for name in names:
        value = pl.col(name)
        wanted += [value.min().alias(f"{name} <"), value.max().alias(f"{name} >")]
        wanted.append(value.null_count().alias(f"{name} 0"))
        if kinds[name].is_float():
            wanted.append(value.is_nan().any().alias(f"{name} nan"))
    found = frame.select(wanted).row(0, named=True) if wanted else {}
    return {
        name: Bounds(found[f"{name} <"], found[f"{name} >"], found[f"{name} 0"])
        for name in names
        if not found.get(f"{name} nan")
    }


def surely_sound(check: pa.Check, bounds: Bounds | None) -> bool:
    """Whether the bounds of a column leave no row that could fail: then Pandera need not be called."""
    if bounds is None:
        return False
    if check.name == "not_nullable":
        return not bounds.empty
    limits = check.statistics or {}
    if check.name not in _LIMITS or not check.ignore_na or not set(limits) <= {"min_value", "max_value"}:
        return False
    limit = next(iter(limits.values()), None)
    if isinstance(limit, bool) or not isinstance(limit, int | float):
        return False
    if bounds.least is None or bounds.most is None:
        return True
    return _LIMITS[check.name](bounds, limit)


_LIMITS: dict[str, Callable[[Bounds, float], bool]] = {
    "greater_than_or_equal_to": lambda bounds, limit: bounds.least is not None and bounds.least >= limit,
    "greater_than": lambda bounds, limit: bounds.least is not None and bounds.least > limit,
    "less_than_or_equal_to": lambda bounds, limit: bounds.most is not None and bounds.most <= limit,
    "less_than": lambda bounds, limit: bounds.most is not None and bounds.most < limit,
}


def breaches(schema: pa.DataFrameSchema, check: pa.Check, frame: pl.DataFrame, key: str | None) -> pl.Series:
    """Find the positions of the rows that fail a check, ascending; `frame` is a result of `fitting`.

    The option `n_failure_cases` of a check is ignored: a row that is not named would pass.

    Raises:
        SchemaError: The check does not run, or fails without naming rows.
    """
    # A check of one column gets that column: to hand on a wide table costs more than to check it.
    one = key is not None and check.name in _OF_ONE_COLUMN
    read = frame.get_column(str(key)).to_frame() if one else frame
    try:
        sound: pl.Series = check(read.lazy(), key).check_output.collect().to_series()
    except _FAULTS as problem:
        raise SchemaError(
            f"the check '{check.name}' does not run: {problem}", where=str(schema.name)
        ) from problem
    if sound.all():
        return pl.Series(dtype=pl.get_index_type())
    if sound.len() != frame.height:
        raise SchemaError(
            f"the check '{check.name}' rejects the table and names no row",
            where=str(schema.name),
            fix="let it return one truth value per row",
        )
    return (~sound).arg_true()
