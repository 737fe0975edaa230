"""Read one number as people and laboratory systems write it."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.tabular.text import clean
from tundish.tabular.units import canonical_unit
from tundish.tabular.values.marks import Fault, is_pattern, missing_reason, same_marker

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["Marks", "Number", "as_number", "parse_number", "sentinels"]


@dataclass(frozen=True, slots=True)
class Marks:
    """How a file separates decimals and thousands.

    Attributes:
        decimal: The decimal mark, "." or ",".
        thousands: The mark between groups of three digits; None is the other one of "." and ",".
        unclear: The marks that may separate decimals as well as thousands in this file.
        typed: Whether texts with a point are numbers whatever the decimal mark, as in a workbook.
    """

    decimal: str = "."
    thousands: str | None = None
    unclear: str = ""
    typed: bool = False

    @property
    def groups(self) -> str:
        """The mark between groups of three digits."""
        return self.thousands or ("." if self.decimal == "," else ",")


_POINT = Marks()


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
_OPEN = {mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}\{mark}\d{{3}}", re.ASCII) for mark in ".,"}
"""Numbers that have another value where the mark in them is the other one: 1,234."""

_HARD_GROUP = re.compile(r"(?<=\d)[\u00a0\u202f\u2009'\u2019](?=\d{3}(?!\d))", re.ASCII)
"""Marks between groups of three digits that mean nothing else: blanks that do not break, apostrophes."""

_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_TWO = re.compile(r"[+-]?\d+(?:\.\d+)?\s*[\s/;、~|-]\s*[+-]?\d+(?:\.\d+)?", re.ASCII)
_REMARK = re.compile(r"(?P<number>[^*#†()\[\]]+?)\s*(?:[*#†]+|[(\[](?P<words>[^()\[\]]*)[)\]])", re.DOTALL)
_WITH_UNIT = re.compile(
    r"(?P<number>[+-]?(?:\d[\d.,]*|[.,]\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>[^\d\s+.,*-].*)", re.ASCII
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
_FORMULA = re.compile(r'="([^"]*)"')
"""How a CSV file keeps a spreadsheet from reading a text as a number."""

_SHIFTED = ("<super>", "<sub>", "<fraction>", "<circle>")


def parse_number(
    text: str, unit: str | None = None, missing: Collection[str] = (), marks: Marks = _POINT
) -> Number | Fault:
    """Read one cell of a column of numbers.

    Args:
        text: The cell as written.
        unit: The unit of the column; a cell may name this unit, another unit is a fault.
        missing: The plant's own markers for a missing value.
        marks: How the file separates decimals and thousands.
    """
    written = clean(_HARD_GROUP.sub("", text)).removeprefix("'")
    formula = _FORMULA.fullmatch(written)
    written = formula[1] if formula else written
    if not written:
        return Number(None, None, text)
    reason = "missing" if same_marker(written, missing) else missing_reason(written)
    if reason is not None:
        return Number(None, reason, text)
    if any(unicodedata.decomposition(sign).startswith(_SHIFTED) for sign in text):
        # NFKC turns 1½ into 11/2 and 10² into 102.
        return Fault("fraction", f"'{text}' contains a fraction or a raised digit; write a decimal number")
    note, rest = _sign(written)
    found = _plain(rest, unit, marks)
    if isinstance(found, Fault) and note is None:
        return _marked(written, unit, marks, text) or found
    return found if isinstance(found, Fault) else Number(found, note, text)


def _marked(written: str, unit: str | None, marks: Marks, text: str) -> Number | Fault | None:
    """A number with a mark or a remark behind it: '876.0?' of a historian, '12.3(复检)'; None for others."""
    if written.endswith("?"):
        sure = _plain(written.rstrip("? "), unit, marks)
        return None if isinstance(sure, Fault) else Number(sure, "questionable", text)
    remark = _REMARK.fullmatch(written)
    inner = _plain(remark["number"], unit, marks) if remark else None
    if remark is None or inner is None or isinstance(inner, Fault):
        return None
    return _with_remark(remark["words"] or "", inner, unit, text)


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


def as_number(text: str, marks: Marks) -> str | None:
    """A number with its marks in the form that float() takes; None where the text is not one."""
    if marks.thousands == " ":
        text = re.sub(r"(?<=\d) (?=\d{3}(?!\d))", "", text)
    if marks.typed and _NUMBER.fullmatch(text):
        return text
    decimal, groups = re.escape(marks.decimal), re.escape(marks.groups)
    if re.fullmatch(rf"[+-]?(?:\d+{decimal}?\d*|{decimal}\d+)(?:[eE][+-]?\d+)?", text, re.ASCII):
        return text.replace(marks.decimal, ".")
    if re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}(?:{groups}\d{{3}})+(?:{decimal}\d*)?", text, re.ASCII):
        return text.replace(marks.groups, "").replace(marks.decimal, ".")
    return None


def _plain(text: str, unit: str | None, marks: Marks) -> float | Fault:
    if any(_OPEN[mark].fullmatch(text) for mark in marks.unclear):
        one, other = text.replace(",", "").replace(".", ""), text.replace(",", ".")
        return Fault(
            "ambiguous_number",
            f"'{text}' may be {one} or {other}; say which mark is the decimal one: decimal",
        )
    number = as_number(text, marks)
    if number is not None:
        return _finite(number)
    named = _WITH_UNIT.fullmatch(text)
    other_unit = canonical_unit(named["unit"]) if named else None
    if named is None or other_unit is None or _TWO.fullmatch(text):
        return _no_number(text, marks)
    if other_unit == unit or (other_unit == "t" and unit == "tf"):
        return _plain(named["number"], None, marks)
    column = f"its column is in {unit}" if unit else "its column has no unit"
    return Fault(
        "unit_in_cell", f"'{text}' names the unit {other_unit}, {column}; put the unit into the header"
    )


def _no_number(text: str, marks: Marks) -> Fault:
    if _COMMA.fullmatch(text):
        point = text.replace(",", ".")
        return Fault("decimal_comma", f"'{text}' has a decimal comma; write it with a point, '{point}'")
    if marks.decimal == "," and _NUMBER.fullmatch(text):
        return Fault("decimal_point", f"'{text}' has a decimal point in a file with decimal commas")
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
    found = (parse_number(marker) for marker in missing if not is_pattern(marker))
    return [one.value for one in found if isinstance(one, Number) and one.value is not None]
