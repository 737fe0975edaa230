"""The unit that a header names, also one that Tundish does not know: 万m3/h, Nm3/h, kg/t, kWh."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from tundish.tabular.text import clean, split_unit
from tundish.tabular.units import canonical_unit, known_units

__all__ = ["HeaderUnit", "cell_unit", "header_unit", "own_unit", "row_units", "units_by_row"]

_POWERS = {"百": 2, "千": 3, "k": 3, "万": 4, "M": 6, "亿": 8, "G": 9, "m": -3}
_PREFIXES = {sign: Fraction(10) ** power for sign, power in _POWERS.items()}
_WORDS = """
m m2 m3 mm mm2 mm3 cm cm2 cm3 dm km um μm L mL l g kg mg ug t lb s ms min h d a J kJ MJ GJ TJ cal kcal W
kW MW GW Wh kWh MWh GWh var kvar Mvar varh kvarh VA kVA MVA V kV mV A kA mA Ah Ω N kN MN Pa kPa MPa bar
mbar mmHg mmH2O K °C °F % ‰ ppm ppb mol mmol r rpm Hz kHz rad ° Nm3 Nm Nl Sm3 kgce tce cd lx dB pH px 吨
千克 公斤 克 米 毫米 厘米 立方米 方 平方米 秒 分 分钟 小时 时 天 班 炉 次 个 块 支 卷 根 件 台 人 元 万元
度 千瓦时 千瓦 兆瓦 焦 千焦 兆焦 吉焦 卡 千卡 大卡 标准煤 斤 吨铁 吨钢 吨矿 t铁 t钢 tHM tFe tp
"""
_FACTORS = frozenset(_WORDS.split())
_ALONE = frozenset({"a", "d", "s", "h", "l", "r", "K", "N", "V", "A", "W", "J", "g", "t", "m", "L"})
"""Single letters: what they are is left to `canonical_unit`."""

_IN_CELL = r"^\s*[<>≤≥~]?\s*[+\-\u2212]?\d[\d.,' \u00a0]*(?:[eE][+-]?\d+)?\s*([^\d\s.,'+\-eE][^\d]*\d?)\s*$"
_COAL = re.compile(
    r"灰|挥发|硫|水分|固定碳|热值|发热|ash|sul(?:f|ph)ur|volatile|moisture|carbon|calorific", re.IGNORECASE
)
"""Names beside which 'd' is the basis of dry coal, not days."""

_LOOK = 2000
_MANY = 40
"""Units of a column that holds nothing else, at most."""

_MOST = 0.9
"""Of the filled cells of a column of units: the others are slips."""

_UNITED = 0.95
"""Of the cells that are numbers with something behind them."""

_BRACKET = re.compile(r"^(?P<name>.*?)[\s_/,]*[(\[【](?P<unit>[^()\[\]【】]+)[)\]】]\s*$", re.DOTALL)
_AFTER = re.compile(r"^(?P<name>.+?)\s*[_,]\s*(?P<unit>[^_,]+)$", re.DOTALL)
_GLUED = re.compile(
    r"^(?P<name>.*?(?:[\u3400-\u9fff]|\s))(?P<unit>[万千亿]?[A-Za-z%°μΩ][^\u3400-\u9fff\s]*/\S+)$", re.DOTALL
)


@dataclass(frozen=True)
class HeaderUnit:
    """A header without its unit, and the unit.

    Attributes:
        name: The header without the unit.
        unit: The unit in its canonical spelling; None where the header names none.
        own: Where the unit is not one that Tundish knows: its definition in an alias file, such as
            '10000 m3/h', or empty where it is not a multiple of a known unit.
    """

    name: str
    unit: str | None = None
    own: str | None = None


def header_unit(header: str, *, joined: bool = False) -> HeaderUnit:
    """Split a header into its name and its unit, known or not.

    Args:
        header: The header as written.
        joined: Whether it may be two rows joined by '_', the second a unit.
    """
    text = clean(header)
    patterns = (_BRACKET, _AFTER, _GLUED) if joined else (_BRACKET, _GLUED)
    for pattern in patterns:
        found = pattern.match(text)
        if found and found["unit"].strip() == "d" and _COAL.search(found["name"]):
            return HeaderUnit(text)
        if found and found["name"].strip():
            unit = canonical_unit(found["unit"]) if len(found["unit"]) > 1 else None
            own = (unit, None) if unit is not None else own_unit(found["unit"])
            if own is not None:
                return HeaderUnit(found["name"].strip(), *own)
    name, unit = split_unit(header)
    # '灰熔融性FT' names a temperature of the ash, not feet.
    return HeaderUnit(text) if unit == "ft" and text.endswith("FT") else HeaderUnit(name, unit)


def own_unit(text: str) -> tuple[str, str] | None:
    """A unit that is put together from known words, with its definition; None where it is not a unit.

    '万m3/h' is ('万m3/h', '10000 m3/h'), 'kg/t' ('kg/t', ''), and 'coil/day' is not a unit.
    """
    spelled = re.sub(r"\s+|\^|\*\*", "", unicodedata.normalize("NFKC", text)).strip("()[]【】")
    parts = re.split(r"[/·*]|\.(?!\d)", spelled)
    if not 1 <= len(parts) <= 3 or not all(map(_is_factor, parts)):
        return None
    if len(parts) == 1 and (parts[0] in _ALONE or len(parts[0]) < 2):
        return None
    return spelled, _definition(spelled)


def _is_factor(text: str) -> bool:
    bare = re.sub(r"-?[1-4]$", "", text)
    tried = [
        text,
        bare,
        *(text.removeprefix(sign) for sign in ("万", "千", "百", "亿") if text.startswith(sign)),
    ]
    return any(one in _FACTORS or (len(one) > 1 and one in known_units()) for one in tried if one)


def _definition(unit: str) -> str:
    """The unit as a multiple of one that Tundish knows; empty where it is not one."""
    for prefix, factor in _PREFIXES.items():
        rest = canonical_unit(unit.removeprefix(prefix)) if unit.startswith(prefix) else None
        if rest is not None and rest == unit.removeprefix(prefix) and len(unit) > 2:
            return f"{float(factor):g} {rest}" if factor < 1 else f"{int(factor)} {rest}"
    return ""


def cell_unit(cells: pl.Series) -> str | None:
    """The unit that the cells of a column name behind their numbers, all of them the same: 3.1 %, 12.5 mm.

    Args:
        cells: The cells of a column; those that are not texts name none.
    """
    texts = cells.drop_nulls().head(_LOOK) if cells.dtype == pl.String else cells.clear()
    if not len(texts) or not re.search(_IN_CELL, texts[0]):  # most columns, at once
        return None
    behind = texts.str.extract(_IN_CELL, 1).drop_nulls()
    if not len(behind) or len(behind) < _UNITED * int(texts.str.contains(r"\d").sum()):
        return None
    units = {canonical_unit(text) for text in behind.unique().to_list()}
    return units.pop() if len(units) == 1 else None


def _is_letter(text: str) -> bool:
    """Whether a text of one sign may be anything: A, h, t; '%' and '吨' are units."""
    return len(text) == 1 and text.isascii() and text.isalpha()


def row_units(cells: pl.Series, least: int = 2) -> tuple[str, ...]:
    """The units of a column that holds hardly anything else, sorted; empty where it is not one.

    Args:
        cells: The cells of the column.
        least: How many units it must have.
    """
    texts = cells.drop_nulls().head(_LOOK) if cells.dtype == pl.String else cells.clear()
    if not len(texts) or texts[0][:1].isdigit():  # most columns, at once
        return ()
    named = dict(texts.str.strip_chars().value_counts(sort=True).head(_MANY + 1).iter_rows())
    named.pop("", None)
    if len(named) > _MANY:
        return ()
    units = {text: None if _is_letter(text) else canonical_unit(text) for text in sorted(named)}
    good = {text: unit or text for text, unit in units.items() if unit or own_unit(text)}
    most = sum(named[text] for text in good) >= _MOST * sum(named.values())
    found = sorted(set(good.values()))
    return tuple(found) if most and len(found) >= least and any(units.values()) else ()


def units_by_row(header: str, units: tuple[str, ...]) -> str:
    """What a person should know about a column that holds a unit for each row."""
    return (
        f"the column '{header}' has a unit for each row ({', '.join(units)}), and no column of numbers is"
        f" converted by it: say which one it belongs to in the recipe: unit_columns: {{VALUES: '{header}'}}"
    )
