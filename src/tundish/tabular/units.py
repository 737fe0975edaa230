"""Units of plant tables: their spellings, their conversion, and which unit values suggest."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "OwnUnits",
    "UnitError",
    "canonical_unit",
    "convert",
    "known_units",
    "spelled",
    "unit_by_magnitude",
]

OwnUnits = Mapping[str, tuple[float, str]]
"""Units that an alias file defines, by their spelling: how many of which unit one is. One that is not a
multiple of another is (1, itself)."""

_F = Fraction
_POUND = _F("0.45359237")
_GRAVITY = _F("9.80665")

_UNITS: dict[str, dict[str, Fraction]] = {
    "share": {"1": _F(1), "%": _F(1, 100), "‰": _F(1, 1000), "ppm": _F(1, 10**6)},
    # In MJ/kg. The joules in a calorie are an argument of `convert`; the Btu is that of the international
    # table.
    "calorific value": {
        "MJ/kg": _F(1),
        "kJ/kg": _F(1, 1000),
        "J/g": _F(1, 1000),
        "kcal/kg": _F(1, 1000),
        "cal/g": _F(1, 1000),
        "Btu/lb": _F("0.002326"),
    },
    "mass": {"kg": _F(1), "g": _F(1, 1000), "t": _F(1000), "lb": _POUND, "万t": _F(10**7)},
    "length": {
        "m": _F(1),
        "dm": _F(1, 10),
        "cm": _F(1, 100),
        "mm": _F(1, 1000),
        "μm": _F(1, 10**6),
        "km": _F(1000),
        "in": _F("0.0254"),
        "ft": _F("0.3048"),
    },
    "speed": {"m/s": _F(1), "m/min": _F(1, 60), "mm/s": _F(1, 1000), "km/h": _F(1000, 3600)},
    "force": {"kN": _F(1), "N": _F(1, 1000), "MN": _F(1000), "tf": _GRAVITY, "kgf": _GRAVITY / 1000},
    "stress": {
        "MPa": _F(1),
        "Pa": _F(1, 10**6),
        "kPa": _F(1, 1000),
        "GPa": _F(1000),
        "bar": _F(1, 10),
        "kgf/mm2": _GRAVITY,
        "kgf/cm2": _GRAVITY / 100,
        "psi": _POUND * _GRAVITY / _F("0.0254") ** 2 / 10**6,
        "ksi": _POUND * _GRAVITY / _F("0.0254") ** 2 / 1000,
    },
    "temperature": {"°C": _F(1), "K": _F(1), "°F": _F(5, 9)},
    "time": {"s": _F(1), "ms": _F(1, 1000), "min": _F(60), "h": _F(3600), "d": _F(86400)},
    "mass on an area": {"g/m2": _F(1), "kg/m2": _F(1000)},
    "density": {"kg/m3": _F(1), "t/m3": _F(1000), "g/cm3": _F(1000)},
    "area": {"m2": _F(1), "cm2": _F(1, 10**4), "mm2": _F(1, 10**6)},
    "volume": {"m3": _F(1), "L": _F(1, 1000), "mL": _F(1, 10**6)},
    "flow": {"m3/h": _F(1), "L/min": _F(60, 1000), "m3/min": _F(60)},
    "power": {"kW": _F(1), "W": _F(1, 1000), "MW": _F(1000)},
    "current": {"A": _F(1), "kA": _F(1000)},
    "voltage": {"V": _F(1), "kV": _F(1000)},
    "angle": {"°": _F(1)},
    "turning": {"r/min": _F(1)},
    "frequency": {"Hz": _F(1), "kHz": _F(1000)},
    "energy": {"J": _F(1), "kJ": _F(1000)},
    "pixels": {"px": _F(1), "px2": _F(1)},
    "moisture of gas": {"mg/m3": _F(1), "g/m3": _F(1000)},
    "fluidity": {"ddpm": _F(1)},
}
"""Unit by quantity, with its size in the quantity's first unit."""

_ZERO = {"°C": _F(0), "K": _F("-273.15"), "°F": _F(-160, 9)}
"""The zero of each temperature scale, in °C."""

_QUANTITY = {unit: quantity for quantity, units in _UNITS.items() for unit in units}

_EXACT = {
    # Lower case would confuse these with others: Mn is manganese.
    "KN": "kN",
    "Kn": "kN",
    "kn": "kN",
    "MPA": "MPa",
    "Mpa": "MPa",
    "mpa": "MPa",
    "mPa": "MPa",
    "GPA": "GPa",
    "Gpa": "GPa",
    "KPa": "kPa",
    "Kpa": "kPa",
    "kpa": "kPa",
    "N/mm2": "MPa",
    "n/mm2": "MPa",
    "KW": "kW",
    "Kw": "kW",
    "kw": "kW",
    "KA": "kA",
    "KV": "kV",
    "卡": "cal/g",
    "卡/克": "cal/g",
    "大卡": "kcal/kg",
    "千卡": "kcal/kg",
    "大卡/千克": "kcal/kg",
    "大卡/公斤": "kcal/kg",
    "千卡/千克": "kcal/kg",
    "千卡/公斤": "kcal/kg",
    "焦/克": "J/g",
    "焦耳/克": "J/g",
    "千焦/千克": "kJ/kg",
    "千焦/公斤": "kJ/kg",
    "兆焦": "MJ/kg",
    "兆焦/千克": "MJ/kg",
    "兆焦/公斤": "MJ/kg",
    "MJ": "MJ/kg",
    "质量分数": "%",
    "百分比": "%",
    "百分数": "%",
    "百万分之一": "ppm",
    "摄氏度": "°C",
    "华氏度": "°F",
    "开尔文": "K",
    "oC": "°C",
    "oF": "°F",
    "毫米": "mm",
    "厘米": "cm",
    "米": "m",
    "千米": "km",
    "公里": "km",
    "微米": "μm",
    "英寸": "in",
    "吨": "t",
    "万吨": "万t",
    "公斤": "kg",
    "千克": "kg",
    "克": "g",
    "克/平方米": "g/m2",
    "兆帕": "MPa",
    "千帕": "kPa",
    "帕": "Pa",
    "牛": "N",
    "千牛": "kN",
    "兆牛": "MN",
    "吨力": "tf",
    "米/分": "m/min",
    "米/分钟": "m/min",
    "米/秒": "m/s",
    "秒": "s",
    "毫秒": "ms",
    "分钟": "min",
    "分": "min",
    "小时": "h",
    "天": "d",
    "转/分": "r/min",
    "安": "A",
    "安培": "A",
    "伏": "V",
    "伏特": "V",
    "度": "°",
    "像素": "px",
}
_LOOSE = {
    "kcal": "kcal/kg",
    "btu": "Btu/lb",
    "wt%": "%",
    "wt.%": "%",
    "mass%": "%",
    "%(m/m)": "%",
    "%m/m": "%",
    "pct": "%",
    "percent": "%",
    "ppmw": "ppm",
    "mg/kg": "ppm",
    "g/t": "ppm",
    "g/kg": "‰",
    "degc": "°C",
    "deg.c": "°C",
    "celsius": "°C",
    "degf": "°F",
    "kelvin": "K",
    "um": "μm",
    "micron": "μm",
    "inch": "in",
    "ton": "t",
    "tons": "t",
    "tonne": "t",
    "tonnes": "t",
    "mpm": "m/min",
    "mps": "m/s",
    "m/sec": "m/s",
    "sec": "s",
    "mins": "min",
    "hour": "h",
    "rpm": "r/min",
    "kg/mm2": "kgf/mm2",
    "kg/cm2": "kgf/cm2",
    "deg": "°",
    "pixel": "px",
    "pixels": "px",
    **{
        unit.lower(): unit
        for unit in _QUANTITY
        # A single letter, and what Mn, MS or PA may be: only as written.
        if len(unit) > 1 and unit not in {"MN", "Pa", "kN", "MW", "ms", "°"}
    },
}


class UnitError(ValueError):
    """An unknown unit, or two units that do not measure the same quantity."""


def known_units() -> tuple[str, ...]:
    """All units in their canonical spelling."""
    return tuple(_QUANTITY)


def spelled(text: str) -> str:
    """A unit without blanks, brackets and '^', in the form that units are compared in."""
    bare = unicodedata.normalize("NFKC", text.replace("˚", "°"))
    return re.sub(r"\s+|\^|\*\*", "", bare).strip("()[]【】")


def canonical_unit(text: str, own: OwnUnits | None = None) -> str | None:
    """The canonical spelling of a unit ('MJ/Kg' is MJ/kg, '卡/克' cal/g, '㎜' mm), or None.

    Args:
        text: The unit as written.
        own: More units, which an alias file defines; they come first.
    """
    written = spelled(text)
    if own and written in own:
        return written
    written = re.sub(r"^质量分数[/,(]?(?=.)", "", written).rstrip(")")
    if written in _QUANTITY:
        return written
    return _EXACT.get(written) or _LOOSE.get(written.lower())


def convert(
    unit_from: str, unit_to: str, calorie: float = 4.1868, own: OwnUnits | None = None
) -> tuple[float, float]:
    """The factor and offset: a value in `unit_to` is the value in `unit_from` times factor plus offset.

    Args:
        unit_from: The unit to convert from, in any spelling.
        unit_to: The unit to convert to, in any spelling.
        calorie: Joules in one calorie: 4.1868 of the international table, 4.1816 at 20 degrees.
        own: More units, which an alias file defines.

    Raises:
        UnitError: A unit is unknown, or the two measure different quantities. A force may be given in
            tonnes and kilograms, as rolling forces are.
    """
    if own:
        (more, one), (fewer, other) = _in_known(unit_from, own), _in_known(unit_to, own)
        if one == other:
            return more / fewer, 0.0
        if {one, other} & set(own):
            raise UnitError(f"{unit_from} cannot become {unit_to}")
        scale, shift = convert(one, other, calorie)
        return scale * more / fewer, shift / fewer
    source, target = _known(unit_from), _known(unit_to)
    if _QUANTITY[target] == "force" and source in {"t", "kg"}:
        source += "f"
    if _QUANTITY[source] != _QUANTITY[target]:
        raise UnitError(f"{unit_from} is a {_QUANTITY[source]}, {unit_to} is a {_QUANTITY[target]}")
    size = _size(target, calorie)
    offset = (_ZERO.get(source, _F(0)) - _ZERO.get(target, _F(0))) / size
    return float(_size(source, calorie) / size), float(offset)


def _in_known(unit: str, own: OwnUnits) -> tuple[float, str]:
    """How many of which unit one is that is not a multiple of another; in the canonical spelling."""
    name = canonical_unit(unit, own)
    if name is None:
        raise UnitError(f"'{unit}' is an unknown unit")
    return own.get(name, (1.0, name))


def _known(unit: str) -> str:
    name = canonical_unit(unit)
    if name is None:
        raise UnitError(f"'{unit}' is an unknown unit")
    return name


def _size(unit: str, calorie: float) -> Fraction:
    size = _UNITS[_QUANTITY[unit]][unit]
    return size * Fraction(str(calorie)) if "cal/" in unit else size


def unit_by_magnitude(values: pl.Series, magnitudes: Mapping[str, tuple[float, float]]) -> str | None:
    """Infer the unit of the values; None where that is not certain.

    A unit is certain if its range contains 95 of 100 values while no other range contains half of them. Empty
    values and zeros are not counted.
    """
    nonzero = values.drop_nulls()
    nonzero = nonzero.filter(nonzero != 0)
    if nonzero.is_empty():
        return None
    shares = {unit: _share(nonzero, *limits) for unit, limits in magnitudes.items()}
    best = max(shares, key=lambda unit: shares[unit], default=None)
    if best is None or shares[best] < 0.95:
        return None
    return best if sum(share >= 0.5 for share in shares.values()) == 1 else None


def _share(values: pl.Series, low: float, high: float) -> float:
    return float(values.is_between(low, high).mean() or 0)  # type: ignore[arg-type]
