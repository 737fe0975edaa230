"""What a Pandera schema asks of the rows of a table, and which rows do not comply.

The verdicts are Pandera's own: its checks are called one by one. Only its report is left out, which turns
every failing value into text, and for checks over several columns the whole failing row into JSON.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandera.polars as pa
import polars as pl
from pandera.config import ValidationDepth, config_context

from tundish.errors import SchemaError
from tundish.rules.across import spec_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pandera.api.polars.types import PolarsData

__all__ = ["Condition", "breaches", "conditions", "fitting"]

# What the plant's own checks can raise; Polars' errors wrap what is raised inside an expression.
_FAULTS = (
    pl.exceptions.PolarsError,
    ArithmeticError,
    AttributeError,
    LookupError,
    NameError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing a schema asks of every row.

    Attributes:
        check: Pandera's check of it.
        columns: What it reads; empty for a check over the row that does not say.
        column: The one column it is asked of, or the pattern of their names; None for the row as a whole.
        regex: The column is a pattern.
        whole: The answer needs the whole table: it cannot be given piece by piece.
    """

    check: pa.Check
    columns: tuple[str, ...] = ()
    column: str | None = None
    regex: bool = False
    whole: bool = False

    def keys(self, frame: pl.DataFrame) -> Sequence[str | None]:
        """The frame's columns it is asked of; none where the frame lacks an optional one."""
        if self.column is None:
            return [None]
        if self.regex:
            return [name for name in frame.columns if re.fullmatch(self.column, name)]
        return [self.column] if self.column in frame.columns else []


def conditions(schema: pa.DataFrameSchema) -> Iterator[Condition]:
    """All that a schema asks of a row, in the schema's order; a range as its lower and its upper limit."""
    for name, column in schema.columns.items():
        checks = [limit for check in column.checks for limit in _limits(check)]
        if not column.nullable:
            checks.insert(0, pa.Check(_there, name="not_nullable"))
        for check in checks:
            yield Condition(check, (name,), name, column.regex)
        if column.unique:
            once = pa.Check(_there_once, name="field_uniqueness")
            yield Condition(once, (name,), name, column.regex, whole=True)
    unique = schema.unique or []
    for columns in [unique] if unique and isinstance(unique[0], str) else unique:
        once = pa.Check(_once_together, name="multiple_fields_uniqueness", columns=columns)
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


def _there(data: PolarsData) -> pl.LazyFrame:
    """Pandera counts a NaN as empty."""
    value = pl.col(data.key)
    real = data.lazyframe.collect_schema()[data.key].is_float()
    return data.lazyframe.select(value.is_not_null() & value.is_not_nan() if real else value.is_not_null())


def _there_once(data: PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(data.key).is_unique())


def _once_together(data: PolarsData, columns: Sequence[str]) -> pl.LazyFrame | bool:
    there = [name for name in columns if name in data.lazyframe.collect_schema().names()]
    return data.lazyframe.select(pl.struct(there).is_unique()) if there else True


def fitting(schema: pa.DataFrameSchema, frame: pl.DataFrame) -> pl.DataFrame:
    """The schema's columns of `frame`, as the schema parses them (coerced, defaults filled in).

    Raises:
        SchemaError: The schema asks for a column, or a type, that the table does not have.
    """
    patterns = [name if column.regex else re.escape(name) for name, column in schema.columns.items()]
    wanted = frame.select(
        name for name in frame.columns if any(re.fullmatch(pattern, name) for pattern in patterns)
    )
    try:
        with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_ONLY):
            parsed: pl.LazyFrame = schema.validate(wanted.lazy(), lazy=True)
        return parsed.collect()
    except pa.errors.SchemaErrors as problem:
        first = problem.failure_cases.row(0, named=True)
        told = f"{first['check']}, column {first['column']}: {first['failure_case']}"
    except (pa.errors.SchemaError, pl.exceptions.PolarsError) as problem:
        told = str(problem)
    raise SchemaError(
        f"the table does not fit the model: {told}",
        where=str(schema.name),
        fix="mend the model's column names and types",
    )


def breaches(schema: pa.DataFrameSchema, check: pa.Check, frame: pl.DataFrame, key: str | None) -> pl.Series:
    """The positions of the rows that fail a check, ascending; `frame` is what `fitting` gave.

    A check's `n_failure_cases` is not heeded: a row that is not named would pass.

    Raises:
        SchemaError: The check does not run, or says no without saying to which rows.
    """
    try:
        sound: pl.Series = check(frame.lazy(), key).check_output.collect().to_series()
    except _FAULTS as problem:
        raise SchemaError(
            f"the check '{check.name}' does not run: {problem}", where=str(schema.name)
        ) from problem
    if sound.all():
        return pl.Series(dtype=pl.get_index_type())
    if sound.len() != frame.height:
        raise SchemaError(
            f"the check '{check.name}' refuses the table and names no row",
            where=str(schema.name),
            fix="let it return one truth value a row",
        )
    return (~sound).arg_true()
