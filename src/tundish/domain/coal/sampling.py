"""Sampling of coal: how many increments, how heavy.

All of it is general knowledge of GB/T 475 and ISO 13909, or of the old GB 474: suitable for warnings whose
limits a plant adapts, never for an error.
"""

from __future__ import annotations

import polars as pl

__all__ = ["SAMPLE_MASS", "base_increments", "increment_mass", "increments", "sample_mass"]

SAMPLE_MASS = ((1.0, 1.0), (3.0, 3.75), (6.0, 7.5), (13.0, 15.0), (25.0, 60.0), (50.0, 100.0))
"""Top size in mm below which a sample of this many kg suffices (old GB 474; the edition of 2008 differs)."""


def base_increments(ash: pl.Expr, washed: pl.Expr) -> pl.Expr:
    """Increments of a lot of 1000 t: 60 for raw coal above 20 % dry ash, 30 below, 15 for washed coal.

    Args:
        ash: A_d, %.
        washed: True for washed coal; null counts as raw.
    """
    return pl.when(washed).then(15).when(ash > 20).then(60).when(ash <= 20).then(30)


def increments(lot_mass: pl.Expr, base: pl.Expr, *, minimum: int = 10) -> pl.Expr:
    """Increments that a lot needs: by its root above 1000 t, in proportion below, but at least `minimum`.

    Args:
        lot_mass: Mass of the lot, t.
        base: Increments of a lot of 1000 t (`base_increments`).
        minimum: The fewest increments of any lot.
    """
    share = lot_mass / 1000
    wanted = base * pl.when(share > 1).then(share.sqrt()).otherwise(share)
    # 1e-9: a product such as 60 * 1.21 must not give one more increment by its last bit.
    return (wanted - 1e-9).ceil().clip(minimum).cast(pl.Int64)


def increment_mass(top_size: pl.Expr) -> pl.Expr:
    """Least mass of an increment in kg: 0.06 kg for each mm of the top size, and 0.5 kg at least."""
    return (0.06 * top_size).clip(0.5)


def sample_mass(top_size: pl.Expr) -> pl.Expr:
    """Least mass of a sample in kg for a top size in mm (`SAMPLE_MASS`); null from 50 mm on."""
    masses = [pl.when(top_size < size).then(mass) for size, mass in SAMPLE_MASS]
    return pl.coalesce(masses)
