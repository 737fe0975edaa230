"""The heats and coils of the strip pictures: cast, rolled and weighed, with consistent physics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

__all__ = ["ELEMENTS", "SLAB_LENGTH", "Coil", "Heat", "campaign", "photographed"]

ELEMENTS = ("C", "Si", "Mn", "P", "S", "Alt", "Als", "N", "Cr", "Ni", "Cu", "Mo", "V", "Nb", "Ti")
"""Elements in the order of the laboratory; all in percent but N, which is in ppm."""

SLAB_LENGTH = 10.0
HEATS, FIRST_COIL = 16, 981

_START = datetime(2026, 3, 5, 6, 0)  # noqa: DTZ001  (the plant's clock, which tells no zone)
_GRADES = {
    "Q235B": (0.150, 0.150, 0.450, 0.022),
    "SPHC": (0.045, 0.020, 0.220, 0.038),
    "Q355B": (0.165, 0.250, 1.350, 0.030),
    "SS400": (0.160, 0.120, 0.600, 0.025),
}
"""Target contents of C, Si, Mn and Als, percent."""
_DENSITY = 7.85
_YIELD = 0.985
"""Share of the slab that remains after scale and crops."""
_SPEED = 8.0


@dataclass(frozen=True)
class Heat:
    """One heat with its ladle analysis, as in `ELEMENTS`."""

    number: str
    grade: str
    tapped: datetime
    chemistry: dict[str, float]

    @property
    def carbon_equivalent(self) -> float:
        """CEV (IIW) of the analysis, percent."""
        part = self.chemistry
        alloyed = (part["Cr"] + part["Mo"] + part["V"]) / 5
        return part["C"] + part["Mn"] / 6 + alloyed + (part["Ni"] + part["Cu"]) / 15


@dataclass(frozen=True)
class Coil:
    """One coil in front of the camera; `mother` is the hot coil from which it was cut, if it was.

    Thickness and width in mm, lengths in m, mass in t, temperatures in degrees Celsius; `begin` is the metre
    of the mother coil, or of the slab, at which it begins.
    """

    number: str
    heat: Heat
    slab: str
    mother: str | None
    begin: float
    slab_thickness: float
    thickness: float
    width: int
    length: float
    mass: float
    discharge: int
    finish: int
    coiling: int
    discharged: datetime
    coiled: datetime
    inspected: datetime

    def seen(self, metre: float) -> datetime:
        """The time at which this metre passed the camera, in whole seconds."""
        return self.inspected + timedelta(seconds=round(metre / _SPEED))


def campaign(seed: int) -> tuple[list[Heat], list[Coil]]:
    """The heats and coils of one day in the order of rolling; the same seed makes the same campaign.

    A heat gives four slabs. The last coil of every fourth heat was cut in two.
    """
    heats: list[Heat] = []
    coils: list[Coil] = []
    for number in range(HEATS):
        rng = np.random.default_rng([seed, 800, number])
        heat = _heat(rng, number)
        heats.append(heat)
        for slab in range(1, 5):
            parts = 2 if number % 4 == 3 and slab == 4 else 1
            coils += _coils(rng, heat, f"{heat.number}{slab:02d}", len(coils), parts)
    return heats, coils


def photographed(coils: list[Coil]) -> list[Coil]:
    """The coils that the pictures show: A1001 and those that follow it."""
    return [coil for coil in coils if 1001 <= int(coil.number[1:]) <= 1026]


def _heat(rng: np.random.Generator, number: int) -> Heat:
    grade = str(rng.choice(list(_GRADES)))
    carbon, silicon, manganese, aluminium = _GRADES[grade]
    # Acid-soluble aluminium is a part of the total.
    soluble = round(aluminium * rng.uniform(0.85, 1.2), 3)
    drawn = {
        "C": carbon * rng.uniform(0.93, 1.07),
        "Si": silicon * rng.uniform(0.9, 1.15),
        "Mn": manganese * rng.uniform(0.95, 1.05),
        "P": rng.uniform(0.008, 0.022),
        "S": rng.uniform(0.003, 0.014),
        "Alt": soluble + rng.uniform(0.001, 0.005),
        "Als": soluble,
        "Cr": rng.uniform(0.015, 0.06),
        "Ni": rng.uniform(0.008, 0.03),
        "Cu": rng.uniform(0.01, 0.05),
        "Mo": rng.uniform(0.001, 0.006),
        "V": rng.uniform(0.001, 0.004),
        "Nb": rng.uniform(0.001, 0.003),
        "Ti": rng.uniform(0.001, 0.015),
    }
    chemistry = {name: round(float(share), 3) for name, share in drawn.items()}
    chemistry["N"] = float(rng.integers(22, 58))
    # A spreadsheet takes numbers such as 26E0301 for a power of ten.
    tapped = _START + timedelta(minutes=36 * number + int(rng.integers(0, 9)), hours=-9)
    return Heat(f"26E03{number + 1:02d}", grade, tapped, chemistry)


def _coils(rng: np.random.Generator, heat: Heat, slab: str, first: int, parts: int) -> list[Coil]:
    """The coil of one slab, or the parts that it was cut into on the recoiling line."""
    slab_thickness = float(rng.choice([210.0, 230.0]))
    width = 10 * int(rng.integers(105, 151))
    thickness = 2.0 if parts == 2 else float(rng.choice([2.0, 2.3, 2.5, 2.75, 3.0, 3.5, 4.0]))
    whole = _YIELD * SLAB_LENGTH * slab_thickness / thickness
    length = round(whole / parts * rng.uniform(0.995, 1.005), 1)
    coiled = _START + timedelta(minutes=9 * first + int(rng.integers(0, 5)))
    discharge, finish, coiling = (int(rng.normal(middle, 11)) for middle in (1218, 868, 605))
    coils = []
    for part in range(parts):
        # The weighbridge has its own error.
        mass = _DENSITY * length * width / 1000 * thickness / 1000 * rng.uniform(0.992, 1.008)
        later = timedelta(hours=6, minutes=15 * part) if parts == 2 else timedelta()
        coils.append(
            Coil(
                number=f"A{FIRST_COIL + first + part:04d}",
                heat=heat,
                slab=slab,
                mother=f"M{slab}" if parts == 2 else None,
                begin=part * length if parts == 2 else 0.0,
                slab_thickness=slab_thickness,
                thickness=thickness,
                width=width,
                length=length,
                mass=round(mass, 2),
                discharge=discharge,
                finish=finish,
                coiling=coiling,
                discharged=coiled - timedelta(minutes=4),
                coiled=coiled,
                inspected=coiled + later,
            )
        )
    return coils
