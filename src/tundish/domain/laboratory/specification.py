"""Limits that a standard sets, by grade, with its edition: another edition may differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Specification"]


@dataclass(frozen=True, slots=True)
class Specification:
    """Limits of one edition of a standard.

    Attributes:
        standard: The standard, such as "EN 10130".
        edition: The year; empty where the source of the numbers names none.
        least: The smallest allowed value by grade and quantity.
        most: The largest allowed value by grade and quantity.
    """

    standard: str
    edition: str
    least: Mapping[str, Mapping[str, float]]
    most: Mapping[str, Mapping[str, float]]

    @property
    def name(self) -> str:
        """The name in citations: EN 10130:1999."""
        return f"{self.standard}:{self.edition}" if self.edition else self.standard

    def at_least(self, quantity: str, grade: pl.Expr) -> pl.Expr:
        """The smallest allowed value for each row's grade; null where there is none."""
        return _look_up(self.least, quantity, grade)

    def at_most(self, quantity: str, grade: pl.Expr) -> pl.Expr:
        """The largest allowed value for each row's grade; null where there is none."""
        return _look_up(self.most, quantity, grade)


def _look_up(limits: Mapping[str, Mapping[str, float]], quantity: str, grade: pl.Expr) -> pl.Expr:
    values = {name: of_grade[quantity] for name, of_grade in limits.items() if quantity in of_grade}
    return grade.replace_strict(values, default=None, return_dtype=pl.Float64)
