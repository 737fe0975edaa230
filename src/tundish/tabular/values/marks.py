"""What a cell without a value says: why it is missing, or what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.tabular.text import clean

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Fault", "missing_reason", "same_marker"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell that cannot be read: the name of the check and the fault in a sentence."""

    check: str
    message: str


_REASONS = {
    "missing": ("/", "//", "\\", "*", "**", "null", "none", "nil", "na", "n/a", "nan", "缺", "空", "缺失"),
    "not tested": ("未检", "未测", "未化验", "待检", "待测", "待化验", "未检测", "未检验", "未做", "nt"),
    "below detection": ("未检出", "nd", "n.d.", "bdl", "<lod", "<loq", "<dl", "<mdl", "低于检出限"),
    "error": ("err", "error", "错误", "#n/a", "#n/a n/a", "#name?", "#getting_data"),
}
_REASON = {marker: reason for reason, markers in _REASONS.items() for marker in markers}
_SAYS_NONE = frozenset({"无", "没有"})
_WORDS = frozenset({"nt", "nd", "n.d.", "bdl", "na", "nil", "未检出", "低于检出限", "err", "error", "错误"})
"""Markers that may be ordinary words in a column of text."""

_LINE = re.compile(r"-+|_+|\.{2,}|…")
_SPREADSHEET = re.compile(r"#+|#(?:n/a|div/0|value|ref|name|num|null|spill|calc)[!?]?", re.IGNORECASE)


def missing_reason(text: str, *, words: bool = False) -> str | None:
    """Why there is no value: missing, not tested, below detection, error; None where there may be a value.

    Args:
        text: The cell as written.
        words: Whether the column contains words, so that '无' (none) and 'ND' are values.
    """
    marker = clean(text).casefold()
    if _LINE.fullmatch(marker):
        return "missing"
    if _SPREADSHEET.fullmatch(marker):
        return "error"
    if marker in _SAYS_NONE:
        return None if words else "missing"
    if words and marker in _WORDS:
        return None
    return _REASON.get(marker)


def same_marker(text: str, markers: Collection[str]) -> bool:
    """Whether the cell is one of the plant's own markers for a missing value; '9999' is also '9999.0'."""
    if not markers:
        return False
    written = clean(text)
    return any(written == clean(marker) or _equal_numbers(written, marker) for marker in markers)


def _equal_numbers(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False
