"""Rules over several columns, as Pandera dataframe checks that a plant can inherit and change.

A rule is a method of the model that returns a Polars expression, true where the row is sound::

    class Lab(pa.DataFrameModel):
        M_ad: float = pa.Field(nullable=True)
        ...

        @across(error("closure", "M, A, V and FC do not add up to 100 %"), *COLUMNS, tolerance=0.02)
        def closure(cls, tolerance: float) -> pl.Expr:
            return (pl.sum_horizontal(*COLUMNS) - 100).abs() <= tolerance

A plant inherits the model and says ``closure = Lab.closure.but(tolerance=0.5)``. A row that lacks one of the
values passes, and so does a table that lacks one of the columns: the rule does not apply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pandera.api.dataframe.model_components import DATAFRAME_CHECK_KEY, CheckInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandera.polars as pa
    import polars as pl
    from pandera.api.polars.types import PolarsData

    from tundish.rules.rule import Rule

__all__ = ["Across", "across", "over_table", "spec_of"]

_KEY = "across"


@dataclass(frozen=True)
class Across:
    """A rule over several columns.

    Attributes:
        rule: The name, sentences and severity.
        columns: The columns it reads; it applies only to a table that has them all.
        limits: Numbers that a plant may change.
        whole: Whether it needs the whole table, not only the row.
    """

    rule: Rule
    columns: tuple[str, ...]
    limits: dict[str, Any]
    whole: bool
    expression: Callable[..., pl.Expr | pl.Series]

    def sound(self, model: type[pa.DataFrameModel], data: PolarsData) -> pl.LazyFrame | bool:
        """Check the data for Pandera: one column, true where the row is sound."""
        present = data.lazyframe.collect_schema().names()
        if any(column not in present for column in self.columns):
            return True
        if self.whole:
            frame = data.lazyframe.select(self.columns).collect()
            return frame.select(sound=self.expression(model, frame, **self.limits)).lazy()
        return data.lazyframe.select(sound=self.expression(model, **self.limits))


class _Method(classmethod):  # type: ignore[type-arg]
    """What `across` puts into the model: a class method for Pandera, with `but` for subclasses."""

    def __init__(self, spec: Across) -> None:
        def check(cls: type[pa.DataFrameModel], data: PolarsData) -> pl.LazyFrame | bool:
            return spec.sound(cls, data)

        check.__name__ = spec.rule.name
        check.__doc__ = spec.rule.sentence
        super().__init__(check)
        info = CheckInfo(check, description=spec.rule.sentence, statistics={_KEY: spec})
        setattr(self, DATAFRAME_CHECK_KEY, info)
        # Reached through the bound method, as Model.rule.but(...).
        check.but = lambda rule=None, **limits: _Method(  # type: ignore[attr-defined]
            Across(rule or spec.rule, spec.columns, _change_limits(spec, limits), spec.whole, spec.expression)
        )


def _change_limits(spec: Across, limits: dict[str, Any]) -> dict[str, Any]:
    unknown = set(limits) - set(spec.limits)
    if unknown:
        known = ", ".join(spec.limits) or "none"
        raise TypeError(f"the rule '{spec.rule.name}' has no limit '{min(unknown)}' (it has: {known})")
    return spec.limits | limits


def across(rule: Rule, *columns: str, **limits: float) -> Callable[[Callable[..., pl.Expr]], Any]:
    """Turn a method ``(cls, **limits) -> pl.Expr`` into a rule over `columns`, row by row."""
    return lambda method: _Method(Across(rule, columns, limits, whole=False, expression=method))


def over_table(rule: Rule, *columns: str, **limits: float) -> Callable[[Callable[..., pl.Series]], Any]:
    """Turn a method ``(cls, frame, **limits) -> pl.Series`` of flags into a rule over the whole table.

    `frame` has only the columns of the rule. Such a table is checked in one piece, so it must fit in memory.
    """
    return lambda method: _Method(Across(rule, columns, limits, whole=True, expression=method))


def spec_of(check: pa.Check) -> Across | None:
    """The rule over several columns behind a Pandera check of a model."""
    spec = (check.statistics or {}).get(_KEY)
    return spec if isinstance(spec, Across) else None
