"""Realistic sample data, deliberately dirty, with its truth: for a first run and for tests.

Paints pictures and writes tables; knows neither stages nor recipes.
"""

from __future__ import annotations

from tundish.demo.coal import COAL_CLASSES, make_coal_belt
from tundish.demo.steel import STEEL_CLASSES, make_steel_surface
from tundish.demo.truth import Planted, PlantedRow, TableTruth, Truth

__all__ = [
    "COAL_CLASSES",
    "STEEL_CLASSES",
    "Planted",
    "PlantedRow",
    "TableTruth",
    "Truth",
    "make_coal_belt",
    "make_steel_surface",
]
