"""Read one number as people and laboratory systems write it."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.tabular.text import clean
from tundish.tabular.units import canonical_unit
from tundish.tabular.values.marks import Fault, missing_reason, same_marker

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["THOUSANDS", "Number", "parse_number", "sentinels"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number, or the reason why there is none.

    Attributes:
        value: The number; None where it is missing.
        note: What the value cannot express: '<', '<=', '>', '>=' of a censored one, 'remark', or the reason.
        raw: The cell as written.
    """

    value: float | None
    note: str | None
    raw: str


_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?", re.ASCII)
THOUSANDS = r"^\s*[+-]?[1-9]\d{0,2},\d{3}\s*$"
"""A number that has another value in a column with decimal commas: 1,234."""

_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_TWO = re.compile(r"[+-]?\d+(?:\.\d+)?\s*[\s/;、~|-]\s*[+-]?\d+(?:\.\d+)?", re.ASCII)
_REMARK = re.compile(r"(?P<number>[^*#†()\[\]]+?)\s*(?:[*#†]+|[(\[](?P<words>[^()\[\]]*)[)\]])", re.DOTALL)
_WITH_UNIT = re.compile(
    r"(?P<number>[+-]?(?:\d[\d.,]*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>[^\d\s+.,*-].*)", re.ASCII
)
_SIGNS = {
    "<=": "<=",
    "≤": "<=",
    "⩽": "<=",
    "≦": "<=",
    ">=": ">=",
    "≥": ">=",
    "⩾": ">=",
    "≧": ">=",
    "<": "<",
    ">": ">",
}
_SIGN = re.compile(r"(<=|>=|[≤⩽≦≥⩾≧<>])\s*(.+)", re.DOTALL)
_WORDS = (
    (re.compile(r"(?:小于|低于)(.+)"), "<"),
    (re.compile(r"(?:大于|高于)(.+)"), ">"),
    (re.compile(r"(.+?)(?:以上)"), ">="),
    (re.compile(r"(.+?)(?:以下)"), "<="),
)
_SHIFTED = ("<super>", "<sub>", "<fraction>", "<circle>")


def parse_number(text: str, unit: str | None = None, missing: Collection[str] = ()) -> Number | Fault:
    """Read one cell of a column of numbers.

    Args:
        text: The cell as written.
        unit: The unit of the column; a cell may name this unit, another unit is a fault.
        missing: The plant's own markers for a missing value.
    """
    written = clean(text)
    if not written:
        return Number(None, None, text)
    if same_marker(written, missing):
        return Number(None, "missing", text)
    reason = missing_reason(written)
    if reason is not None:
        return Number(None, reason, text)
    if any(unicodedata.decomposition(sign).startswith(_SHIFTED) for sign in text):
        # NFKC turns 1½ into 11/2 and 10² into 102.
        return Fault("fraction", f"'{text}' contains a fraction or a raised digit; write a decimal number")
    note, rest = _sign(written)
    found = _plain(rest, unit)
    if isinstance(found, Fault) and note is None:
        remark = _REMARK.fullmatch(written)
        inner = _plain(remark["number"], unit) if remark else found
        if remark and not isinstance(inner, Fault):
            return _with_remark(remark["words"] or "", inner, unit, text)
    return found if isinstance(found, Fault) else Number(found, note, text)


def _sign(text: str) -> tuple[str | None, str]:
    """Split the note of a censored value from the rest."""
    sign = _SIGN.fullmatch(text)
    if sign:
        return _SIGNS[sign[1]], sign[2]
    for pattern, note in _WORDS:
        words = pattern.fullmatch(text)
        if words:
            return note, words[1].strip()
    return None, text


def _plain(text: str, unit: str | None) -> float | Fault:
    if _NUMBER.fullmatch(text):
        return _finite(text)
    if _THOUSANDS.fullmatch(text):
        return _finite(text.replace(",", ""))
    named = _WITH_UNIT.fullmatch(text)
    other = canonical_unit(named["unit"]) if named else None
    if named is None or other is None or _TWO.fullmatch(text):
        return _no_number(text)
    if other == unit or (other == "t" and unit == "tf"):
        return _plain(named["number"], None)
    column = f"its column is in {unit}" if unit else "its column has no unit"
    return Fault("unit_in_cell", f"'{text}' names the unit {other}, {column}; put the unit into the header")


def _no_number(text: str) -> Fault:
    if _COMMA.fullmatch(text):
        point = text.replace(",", ".")
        return Fault("decimal_comma", f"'{text}' has a decimal comma; write it with a point, '{point}'")
    if _TWO.fullmatch(text):
        return Fault(
            "two_values", f"'{text}' contains two values; give each its own row, or state which one counts"
        )
    return Fault("not_a_number", f"'{text}' is not a number")


def _finite(text: str) -> float | Fault:
    value = float(text)
    if math.isfinite(value):
        return value
    return Fault("not_a_number", f"'{text}' is too large for a number")


def _with_remark(words: str, value: float, unit: str | None, text: str) -> Number | Fault:
    if _NUMBER.fullmatch(words.strip()):
        return Fault(
            "two_values", f"'{text}' contains two values; give each its own row, or state which one counts"
        )
    other = canonical_unit(words) if words else None
    if other is not None:
        if other == unit:
            return Number(value, None, text)
        return Fault("unit_in_cell", f"'{text}' names the unit {other}; put the unit into the header")
    return Number(value, "remark", text)


def sentinels(missing: Sequence[str]) -> list[float]:
    """The markers for a missing value that are numbers, such as 9999."""
    found = (parse_number(marker) for marker in missing)
    return [one.value for one in found if isinstance(one, Number) and one.value is not None]
