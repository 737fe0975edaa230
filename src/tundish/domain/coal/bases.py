"""Bases of a coal analysis: as received (ar), air dried (ad), dry (d), dry ash free (daf).

All shares are mass-%. The factors are for ash, volatile matter, fixed carbon, carbon, nitrogen, sulphur,
oxygen, hydrogen (without that of the moisture) and the gross calorific value. They are **not** for moisture,
which is not part of the dry coal, and **not** for the net calorific value, which has a term for the moisture
(`tundish.domain.coal.calorific`).
"""

from __future__ import annotations

from typing import Literal, TypeVar

import polars as pl

__all__ = ["Basis", "Quantity", "btu_mmmf", "fixed_carbon_dmmf", "rebase", "total_moisture"]

Basis = Literal["ar", "ad", "d", "daf"]

Quantity = TypeVar("Quantity", float, pl.Expr)
"""A number, or a Polars expression: the arithmetic is the same."""


def rebase(
    value: Quantity,
    source: Basis,
    target: Basis,
    *,
    mt: Quantity | None = None,
    mad: Quantity | None = None,
    ash: Quantity | None = None,
) -> Quantity:
    """Convert a share or a gross calorific value to another base; not moisture, nor the net calorific value.

    Args:
        value: The value on the base `source`, in any unit; the result has the same unit.
        source: The base of the value.
        target: The base of the result.
        mt: Total moisture, % ar; needed from or to ar.
        mad: Moisture of the analysis sample, % ad; needed from or to ad.
        ash: Ash on the other base, % of it; needed from or to daf.

    Raises:
        ValueError: A moisture or the ash is needed but not given.
    """
    if source == target:
        return value
    if target == "daf":
        return value * 100 / (_dry(source, mt, mad) - _require(ash, f"the ash on the base {source}"))
    if source == "daf":
        return value * (_dry(target, mt, mad) - _require(ash, f"the ash on the base {target}")) / 100
    return value * _dry(target, mt, mad) / _dry(source, mt, mad)


def _dry(basis: Basis, mt: Quantity | None, mad: Quantity | None) -> Quantity | float:
    """Dry coal in 100 parts of the coal on this base."""
    if basis == "d":
        return 100.0
    if basis == "ar":
        return 100 - _require(mt, "the total moisture")
    return 100 - _require(mad, "the moisture of the analysis sample")


def _require(value: Quantity | None, what: str) -> Quantity:
    if value is None:
        raise ValueError(f"this conversion needs {what}")
    return value


def total_moisture(free: Quantity, inherent: Quantity) -> Quantity:
    """Total moisture, % ar, of two-stage drying (general knowledge of GB/T 211, not checked there).

    Args:
        free: Loss of the first stage, % of the sample as received.
        inherent: Moisture of the air-dried remainder, % of that.
    """
    return free + inherent * (100 - free) / 100


def fixed_carbon_dmmf(
    fixed_carbon: Quantity, moisture: Quantity, ash: Quantity, sulphur: Quantity
) -> Quantity:
    """Fixed carbon, % dry mineral-matter free, after Parr (ASTM D388); all arguments % on one moist base."""
    return 100 * (fixed_carbon - 0.15 * sulphur) / (100 - (moisture + 1.08 * ash + 0.55 * sulphur))


def btu_mmmf(gross: Quantity, ash: Quantity, sulphur: Quantity) -> Quantity:
    """Gross calorific value, Btu/lb moist mineral-matter free, after Parr (ASTM D388).

    Args:
        gross: Btu/lb, on the moist base.
        ash: % on the same base.
        sulphur: % on the same base.
    """
    return 100 * (gross - 50 * sulphur) / (100 - (1.08 * ash + 0.55 * sulphur))
