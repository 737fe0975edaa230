"""Names of columns from headers: readable, valid in Python, and each one once."""

from __future__ import annotations

import keyword
import re
import unicodedata
from typing import TYPE_CHECKING

from tundish.tabular.infer.glossary import translate
from tundish.tabular.text import clean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["class_name", "identifier", "unique_names"]

_SIGNS = {"%": " percent ", "‰": " permille ", "&": " and ", "+": " plus ", "@": " at ", "Δ": " delta "}
_LONGEST = 48
"""Columns that a name takes at most; a Chinese character takes two."""


def identifier(text: str) -> str:
    """The name of a column from its header without its unit; empty where nothing of the header can be one.

    '炉顶压力' is top_pressure, '1#炉' no_1_furnace, 'Std.Ash' Std_Ash; a Chinese word that the glossary lacks
    keeps the header Chinese.
    """
    written = clean(text)
    for sign, word in _SIGNS.items():
        # '%' alone is the name of a column; beside a name it is its unit.
        written = written.replace(sign, word)
    name = _joined(translate(written) or written)
    if name and not name[0].isidentifier():
        name = f"no_{name}"
    return name if name.isidentifier() else ""


def _joined(text: str) -> str:
    """The words with one '_' between them, in the form to which Python brings an identifier."""
    name = re.sub(r"[\W_]+", "_", unicodedata.normalize("NFKC", re.sub(r"[\W_]+", "_", text))).strip("_")
    width, end = 0, 0
    for char in name:
        width += 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if width > _LONGEST:
            break
        end += 1
    return name[:end].rstrip("_")


def unique_names(names: Iterable[str], reserved: Collection[str]) -> list[str]:
    """Give each column a name that no other has, whatever its case, and that is not reserved.

    Args:
        names: The names of the columns as `identifier` gives them; an empty one becomes column_7.
        reserved: The names that a column must not have.
    """
    taken: set[str] = set()
    found = []
    for number, name in enumerate(names, start=1):
        first = name or f"column_{number}"
        if keyword.iskeyword(first) or first in reserved:
            first = f"{first}_value"
        one, count = first, 2
        while one.casefold() in taken or one in reserved:
            one, count = f"{first}_{count}", count + 1
        taken.add(one.casefold())
        found.append(one)
    return found


def class_name(table: str, reserved: Collection[str]) -> str:
    """The name of a model from that of its table: 'bf-log' is BfLog, '高炉日志' 高炉日志."""
    words = (identifier(table) or "records").split("_")
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return f"{name}Table" if keyword.iskeyword(name) or name in reserved else name
