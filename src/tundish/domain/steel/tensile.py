"""Tensile test of strip: the limits of EN 10130 by grade, edition and thickness.

Stresses in MPa, elongations in %, thickness in mm. Transverse specimens.
"""

from __future__ import annotations

import polars as pl

from tundish.domain.laboratory.specification import Specification

__all__ = ["EN_10130_1999", "EN_10130_2006", "dc_grade", "least_elongation", "least_r", "most_yield"]

EN_10130_1999 = Specification(
    standard="EN 10130",
    edition="1999",
    least={
        "DC01": {"Rm": 270, "A80": 28},
        "DC03": {"Rm": 270, "A80": 34, "r90": 1.3},
        "DC04": {"Rm": 270, "A80": 38, "r90": 1.6, "n90": 0.180},
        "DC05": {"Rm": 270, "A80": 40, "r90": 1.9, "n90": 0.210},
        "DC06": {"Rm": 270, "A80": 38, "n90": 0.220},
    },
    most={
        "DC01": {"Re": 280, "Rm": 410},
        "DC03": {"Re": 240, "Rm": 370},
        "DC04": {"Re": 210, "Rm": 350},
        "DC05": {"Re": 180, "Rm": 330},
        "DC06": {"Re": 180, "Rm": 350},
    },
)

EN_10130_2006 = Specification(
    standard="EN 10130",
    edition="2006",
    least={"DC06": {"Rm": 270, "A80": 41, "r90": 2.1, "n90": 0.220}},
    most={"DC06": {"Re": 170, "Rm": 330}},
)
"""Only DC06 was available of this edition."""


def dc_grade(name: pl.Expr) -> pl.Expr:
    """The grade in a name such as 'DC04', 'dc04-A-m' or 'DC 04'; null where it is not a grade of EN 10130.

    'DC04EK' and 'DC01+ZE' belong to other standards.
    """
    plain = name.str.to_uppercase().str.replace_all(r"[\s_-]", "")
    return plain.str.extract(r"^(DC0[1-7])(?:[AB][BGMR]?)?$")


def most_yield(limits: Specification, grade: pl.Expr, thickness: pl.Expr) -> pl.Expr:
    """Largest allowed yield strength: 20 MPa more up to 0.7 mm, 40 MPa more up to 0.5 mm."""
    return limits.at_most("Re", grade) + _thin(thickness, 20, 40)


def least_elongation(limits: Specification, grade: pl.Expr, thickness: pl.Expr) -> pl.Expr:
    """Smallest allowed A80: 2 % less up to 0.7 mm, 4 % less up to 0.5 mm."""
    return limits.at_least("A80", grade) - _thin(thickness, 2, 4)


def least_r(limits: Specification, grade: pl.Expr, thickness: pl.Expr) -> pl.Expr:
    """Smallest allowed r90: 0.2 less over 2 mm."""
    thick = pl.when(thickness > 2.0).then(0.2).when(thickness.is_not_null()).then(0.0)
    # 1.6 - 0.2 is more than 1.4 by its last bits.
    return (limits.at_least("r90", grade) - thick).round(6)


def _thin(thickness: pl.Expr, thin: float, thinnest: float) -> pl.Expr:
    """By thickness; null where it is not known."""
    return (
        pl.when(thickness <= 0.5)
        .then(float(thinnest))
        .when(thickness <= 0.7)
        .then(float(thin))
        .when(thickness.is_not_null())
        .then(0.0)
    )
