"""Rolling: reductions, strains, speeds at constant volume, the period of roll marks.

Thicknesses in one unit, speeds in one unit; reductions and elongations as shares (0.3 is 30 %). The width is
taken as constant.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Number",
    "elongation",
    "log_strain",
    "reduction",
    "roll_period",
    "speed_at",
    "stretched",
    "total_reduction",
]

Number = TypeVar("Number", float, pl.Expr)


def reduction(h_in: Number, h_out: Number) -> Number:
    """Share of the thickness that a pass removes."""
    return 1 - h_out / h_in


def total_reduction(reductions: Iterable[Number]) -> Number:
    """Reduction over several passes: 1 - (1 - r1)(1 - r2)..., never their sum. There must be one."""
    first, *rest = reductions
    left = 1 - first
    for share in rest:
        left = left * (1 - share)
    return 1 - left


def log_strain(h_in: Number, h_out: Number) -> Number:
    """Logarithmic thickness strain, ln(h_in / h_out)."""
    ratio = h_in / h_out
    # mypy checks numbers and expressions one at a time, and sees no alternative.
    return ratio.log() if isinstance(ratio, pl.Expr) else math.log(ratio)  # type: ignore[redundant-expr]


def speed_at(h: Number, h_known: Number, speed_known: Number) -> Number:
    """Speed where the strip is `h` thick, from the speed where it is `h_known`: volume stays constant."""
    return speed_known * h_known / h


def elongation(speed_in: Number, speed_out: Number) -> Number:
    """Share by which a pass lengthens the strip."""
    return speed_out / speed_in - 1


def roll_period(diameter: Number, elongation_since: float = 0.0) -> Number:
    """Distance between two marks of one roll on the strip, in the diameter's unit.

    Args:
        diameter: Diameter of the roll.
        elongation_since: Share by which the strip was lengthened after that roll.
    """
    return diameter * (math.pi * (1 + elongation_since))


def stretched(period: Number, reduction_after: Number) -> Number:
    """The period of a roll mark after a later reduction."""
    return period / (1 - reduction_after)
