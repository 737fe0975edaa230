"""Mass and length of strip, coils and slabs.

Thickness, width and diameters in mm, lengths in m, masses in t, densities in kg/m3.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tundish.domain.steel.rolling import Number

__all__ = ["DENSITY", "coil_length", "coil_mass", "strip_length", "strip_mass"]

DENSITY = 7850.0
"""Density of carbon steel, kg/m3; 7700 to 8000 by grade."""

_TONNES = 1e-9
"""Factor from kg/m3 x mm x mm x m to t."""


def strip_mass(thickness: Number, width: Number, length: Number, density: float = DENSITY) -> Number:
    """Mass of a strip or slab, t."""
    return thickness * width * length * (density * _TONNES)


def coil_mass(
    outer: Number, inner: Number, width: Number, fill: float = 1.0, density: float = DENSITY
) -> Number:
    """Mass of a coil from its diameters, t; `fill` is the share of steel between them (0.97 to 1)."""
    return (outer * outer - inner * inner) * width * (math.pi / 4 * density * fill * _TONNES / 1000)


def coil_length(outer: Number, inner: Number, thickness: Number, fill: float = 1.0) -> Number:
    """Length of the strip on a coil from its diameters, m."""
    return (outer * outer - inner * inner) / thickness * (math.pi / 4 * fill / 1000)


def strip_length(
    slab_thickness: Number, slab_width: Number, slab_length: Number, thickness: Number, width: Number
) -> Number:
    """Length that a slab is rolled to, m; scale and crops are not deducted."""
    return slab_thickness * slab_width * slab_length / (thickness * width)
