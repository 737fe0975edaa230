"""Calorific value of coal: gross from the bomb, net, and hydrogen where it was not measured.

All calorific values are MJ/kg, all shares mass-%. The formulas of GB/T 213 were taken from the software of
two plants, not from the standard.
"""

from __future__ import annotations

import polars as pl

from tundish.domain.coal.bases import Quantity, rebase

__all__ = [
    "HYDROGEN_SOURCES",
    "alpha",
    "gross_from_bomb",
    "hydrogen",
    "hydrogen_estimate",
    "net",
    "net_ipcc",
]

HYDROGEN_SOURCES = ("measured", "estimated", "constant")
"""The origin of the hydrogen content of a net calorific value."""


def alpha(bomb: Quantity) -> Quantity:
    """Share of the bomb heat that forms nitric acid, from the bomb calorific value in MJ/kg (GB/T 213).

    0.0010 up to 16.70, 0.0012 up to 25.10, 0.0016 above.
    """
    return 0.0010 + (bomb > 16.70) * 0.0002 + (bomb > 25.10) * 0.0004


def gross_from_bomb(bomb: Quantity, sulphur: Quantity) -> Quantity:
    """Qgr,ad in MJ/kg from Qb,ad in MJ/kg and St,ad in % (GB/T 213)."""
    return bomb - (0.0941 * sulphur + alpha(bomb) * bomb)


def net(gross: Quantity, hydrogen: Quantity, *, mt: Quantity, mad: Quantity) -> Quantity:
    """Qnet,ar in MJ/kg (GB/T 213).

    Args:
        gross: Qgr,ad, MJ/kg.
        hydrogen: Had, %.
        mt: Moisture of the coal that burns, % ar; with Mad in its place the result is Qnet,ad.
        mad: Moisture of the analysis sample, %.
    """
    return rebase(gross - 0.206 * hydrogen, "ad", "ar", mt=mt, mad=mad) - 0.023 * mt


def net_ipcc(gross: Quantity, *, hydrogen: Quantity, moisture: Quantity, oxygen: Quantity) -> Quantity:
    """Net calorific value in MJ/kg by IPCC and ISO; all arguments on one base, MJ/kg and %."""
    return gross - 0.212 * hydrogen - 0.0245 * moisture - 0.0008 * oxygen


def hydrogen_estimate(v_daf: Quantity, *, mad: Quantity, a_ad: Quantity) -> Quantity:
    """Had in % from the volatile matter, as one plant computes it where hydrogen is not measured."""
    return rebase(0.074 * v_daf + 2.16, "daf", "ad", mad=mad, ash=a_ad)


def hydrogen(
    measured: pl.Expr, v_daf: pl.Expr, *, mad: pl.Expr, a_ad: pl.Expr, constant: float | None = None
) -> tuple[pl.Expr, pl.Expr]:
    """Had in % and where it comes from: measured, else estimated from Vdaf, else a constant of the plant."""
    estimate = hydrogen_estimate(v_daf, mad=mad, a_ad=a_ad)
    steps = (measured, estimate, pl.lit(constant, pl.Float64))
    names = [
        pl.when(step.is_not_null()).then(pl.lit(name))
        for step, name in zip(steps, HYDROGEN_SOURCES, strict=True)
    ]
    return pl.coalesce(steps), pl.coalesce(names)
