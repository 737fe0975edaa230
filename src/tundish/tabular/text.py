"""Bring headers and cells as people write them into one form, so that they can be compared."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from tundish.tabular.units import canonical_unit

__all__ = ["base_of", "clean", "compare", "qualified", "separates_d", "split_unit", "squeeze"]

_SEEN = 1 << 15
"""Texts whose forms are kept: every schema of a project looks at every header of a file."""

_MAPPED = {
    **dict.fromkeys("\u2014\u2013\u2212\u2010\u2011", "-"),  # dashes that NFKC does not change
    "\u2044": "/",
    **dict.fromkeys("\ufeff\u200b", ""),
}
_DASHES = str.maketrans(_MAPPED)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_BRACKETS = re.compile(r"[()\[\]{}【】\u3014\u3015《》]")
_JOINTS = re.compile(r"[,._\-/·:、'\"]")
_LAST_BRACKET = re.compile(r"^(?P<name>.*?)[\s_/,]*[(\[【](?P<unit>[^()\[\]【】]+)[)\]】]$", re.DOTALL)
_PERCENT_FIRST = re.compile(r"^(?P<name>.*?)[(\[]?%\s*(?P<symbol>[A-Za-z][A-Za-z,._]*)[)\]]?$", re.DOTALL)
_GLUED = (
    re.compile(r"^(?P<name>.+?)\s*(?P<unit>(?:wt\.?\s*)?%|‰|[pP][pP][mM]|°[CF])$", re.DOTALL),
    re.compile(r"^(?P<name>.*[\u3400-\u9fff)\]】])\s*(?P<unit>[^\u3400-\u9fff()\[\]【】]+)$", re.DOTALL),
)
"""A unit that follows the name directly: '灰分%', '[N]ppm', '厚度mm'."""

_BASES = (
    ("干燥无灰基", "daf"),
    ("可燃基", "daf"),
    ("空气干燥基", "ad"),
    ("空干基", "ad"),
    ("分析基", "ad"),
    ("收到基", "ar"),
    ("应用基", "ar"),
    ("干燥基", "d"),
    ("干基", "d"),
)
"""Words for the basis of a coal analysis (GB/T 483), longer ones before those that they contain."""

_SYMBOLS = frozenset({"ad", "ar", "d", "daf", "dmmf", "maf"})
_QUALIFIERS = re.compile(
    r"目标|设计|设定|计划|计算|上限|下限|最大|最小|平均|偏差|公差|标准"
    r"|(?<![a-z])(?:aim|target|set|setpoint|min|max|minimum|maximum|avg|average|mean|dev|tol|std|calc)(?![a-z])"
)


@lru_cache(_SEEN)
def clean(text: str) -> str:
    """Normalise a text: NFKC, every dash a '-', a fraction's slash a '/', no '<br>', no blanks around it."""
    return unicodedata.normalize("NFKC", _BREAK.sub("", text)).translate(_DASHES).strip()


@lru_cache(_SEEN)
def compare(header: str) -> str:
    """The form in which headers are compared: clean, lower case, without blanks and brackets."""
    return _BRACKETS.sub("", "".join(clean(header).lower().split()))


@lru_cache(_SEEN)
def squeeze(header: str) -> str:
    """As `compare`, without commas, points, dashes and underscores: 'St,ad' and 'ST AD' are both 'stad'."""
    return _JOINTS.sub("", compare(header))


def separates_d(header: str) -> bool:
    """Whether the 'd' of the dry basis is separated, as in 'St,d' or 'ST D'; 'Std' is ambiguous."""
    return re.search(r"[\s,._(\-]d\)?$", clean(header), re.IGNORECASE) is not None


def base_of(header: str) -> str | None:
    """The basis of a coal analysis that a header names or consists of: ar, ad, d, daf."""
    text = compare(header)
    if text in _SYMBOLS:
        return text
    return next((symbol for word, symbol in _BASES if word in text), None)


def qualified(header: str) -> bool:
    """Whether the header means a target, a limit or a mean rather than the value itself."""
    return _QUALIFIERS.search(clean(header).lower()) is not None


@lru_cache(_SEEN)
def split_unit(header: str) -> tuple[str, str | None]:
    """Split a header into its name and its unit; None where it does not name a known unit.

    '灰分Aad(%)' is ('灰分Aad', '%'); '[C]' is a name, carbon, and 'Std.Ash' has no unit.
    """
    text = clean(header)
    bracket = _LAST_BRACKET.match(text)
    if bracket and bracket["name"]:
        unit = _in_brackets(bracket["unit"])
        if unit is not None:
            return bracket["name"].rstrip("/_, "), unit
    for pattern in _GLUED:
        glued = pattern.match(text)
        unit = _after_mark(glued["name"], glued["unit"]) if glued else None
        if glued and unit is not None:
            return glued["name"].rstrip("/_, "), unit
    for mark in re.finditer(r"[/_,]", text):
        name, written = text[: mark.start()].strip(), text[mark.end() :].strip()
        # 'h_min' is a lower limit, 'h_bar' that of the transfer bar, 'h_in' that before the stand.
        word = mark.group() == "_" and written.lower() in {"min", "bar", "in"}
        unit = None if word else _after_mark(name, written)
        if name and unit is not None:
            return name, unit
    percent = _PERCENT_FIRST.match(text)
    if percent:  # '挥发(%Vdaf)', '%C'
        return f"{percent['name']}({percent['symbol']})" if percent["name"] else percent["symbol"], "%"
    return text, None


def _in_brackets(text: str) -> str | None:
    # '(T)' and '(M)' are tonnes and metres in the files of many plants.
    return canonical_unit(text.lower() if text in {"T", "M"} else text)


def _after_mark(name: str, text: str) -> str | None:
    """A unit without brackets. One letter is rather a symbol: '成分_C' carbon, 'S_t' total, 'Qgr,d' dry."""
    short = name.isascii() and len(name) < 3
    if _BRACKETS.search(text):
        return None
    if len(text) == 1 and text.isalpha() and (text.isupper() or text == "d" or short):
        return None
    return canonical_unit(text)
