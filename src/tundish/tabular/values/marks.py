"""What a cell without a value says: why it is missing, or what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.tabular.text import clean

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["Fault", "is_pattern", "missing_reason", "same_marker"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell that cannot be read: the name of the check and the fault in a sentence."""

    check: str
    message: str


_REASONS = {
    "missing": ("/", "//", "\\", "*", "**", "null", "none", "nil", "na", "n/a", "nan", "缺", "空", "缺失"),
    "not tested": ("未检", "未测", "未化验", "待检", "待测", "待化验", "未检测", "未检验", "未做", "nt"),
    "below detection": ("未检出", "nd", "n.d.", "bdl", "<lod", "<loq", "<dl", "<mdl", "低于检出限"),
    "no data": (
        *(
            "no data",
            "nodata",
            "no result",
            "no sample",
            "no lab data",
            "no_data",
            "pt created",
            "pt_created",
        ),
        *("no value", "not available", "无数据", "archive offline", "arc off-line", "arc offline"),
    ),
    "not running": (
        *("shutdown", "scan off", "scan timeout", "out of serv", "out of service", "unit down", "intf shut"),
        *("not in service", "trace off", "configure", "not configured", "停机", "停用"),
    ),
    "bad value": (
        *(
            "bad",
            "bad input",
            "bad quality",
            "bad_quality",
            "bad value",
            "bad total",
            "bad_total",
            "i/o timeout",
        ),
        *("io timeout", "calc failed", "calc crash", "calc overflow", "comm fail", "comm failure", "failed"),
        *("invalid data", "invalid float", "invalid", "not connect", "not connected", "no connection"),
        *(
            "equip fail",
            "device failure",
            "sensor failure",
            "last known value",
            "set to bad",
            "access denied",
        ),
        *(
            "uncertain",
            "bad output",
            "dcs failed",
            "unknown",
            "wrong type",
            "getlost",
            "digital state",
            "坏值",
        ),
        *(
            "doubtful",
            "error in calc",
            "filter failed",
            "intf down",
            "under range",
            "over range",
            "underrange",
        ),
        *(
            "overrange",
            "out of range",
            "below range",
            "above range",
            "substituted",
            "坏点",
            "通讯中断",
            "通信中断",
        ),
    ),
    "error": ("err", "error", "错误", "#n/a", "#n/a n/a", "#name?", "#getting_data"),
}
_REASON = {marker: reason for reason, markers in _REASONS.items() for marker in markers}
_STATES = frozenset({"no data", "not running", "bad value"})
_SAYS_NONE = frozenset({"无", "没有"})
_WORDS = frozenset({"nt", "nd", "n.d.", "bdl", "na", "nil", "未检出", "低于检出限", "err", "error", "错误"})
"""Markers that may be ordinary words in a column of text."""

_STATE = re.compile(r"\[-?\d{1,6}\]\s*\S.*", re.DOTALL)
"""A state of a historian with its number: '[-11059] No Good Data For Calculation'."""

_FORMULA = re.compile(r"=[\w(+$'\[{@-].*", re.DOTALL)
_LINE = re.compile(r"-+|_+|\.{2,}|…")
_SPREADSHEET = re.compile(r"#+|#(?:n/a|div/0|value|ref|name|num|null|spill|calc)[!?]?", re.IGNORECASE)


_PATTERNS = ((_LINE, "missing"), (_SPREADSHEET, "error"), (_FORMULA, "not calculated"), (_STATE, "bad value"))


def missing_reason(text: str, *, words: bool = False) -> str | None:
    """Why there is no value, in a few words; None where there may be a value.

    A historian writes the state of a point in the place of its value ('Bad Input', 'Shutdown'). In a column
    of words such a text is a value. A formula without its result is one that no program has calculated.

    Args:
        text: The cell as written.
        words: Whether the column contains words, so that '无' (none) and 'ND' are values.
    """
    marker = clean(text).casefold()
    for pattern, reason in _PATTERNS:
        if pattern.fullmatch(marker):
            return None if words and reason in _STATES else reason
    if marker in _SAYS_NONE:
        return None if words else "missing"
    reason_of_word = _REASON.get(marker)
    return None if words and (marker in _WORDS or reason_of_word in _STATES) else reason_of_word


def same_marker(text: str, markers: Collection[str]) -> bool:
    """Whether the cell is one of the plant's own markers for a missing value; '9999' is also '9999.0'.

    A marker between slashes is a regular expression for the whole cell: '/Bad .*/'.
    """
    if not markers:
        return False
    written = clean(text)
    return any(
        re.fullmatch(marker[1:-1], written) is not None
        if is_pattern(marker)
        else written == clean(marker) or _equal_numbers(written, marker)
        for marker in markers
    )


def is_pattern(marker: str) -> bool:
    """Whether a marker for a missing value is a regular expression: one between slashes."""
    return len(marker) > 2 and marker.startswith("/") and marker.endswith("/")


def _equal_numbers(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return False
