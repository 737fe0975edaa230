"""Text on a terminal: how wide it is, how it wraps, columns. Chinese is two cells wide."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["cells", "columns", "pad", "terminal_width", "wrap"]

_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60"
_PIECE = re.compile(rf"\s+|[{_WIDE}][，。；：、）！？]*|[^\s{_WIDE}]+[，。；：、）！？]*")  # noqa: RUF001
"""What stays on one line: a word, or a Chinese character with the punctuation that follows it."""


def terminal_width() -> int | None:
    """Columns of the terminal that is printed to; None where it is a file or a pipe, which wrap nothing."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def cells(text: str) -> int:
    """How many columns a text takes."""
    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)


def pad(text: str, width: int, *, right: bool = False) -> str:
    """A text filled with blanks to `width` columns, on its right side or on its left."""
    blanks = " " * (width - cells(text))
    return blanks + text if right else text + blanks


def wrap(text: str, width: int | None, hang: int = 0) -> list[str]:
    """A text in lines of at most `width` columns; a word that is wider has a line of its own.

    Args:
        text: The text; blanks at its beginning stay.
        width: Columns; None for a single line.
        hang: Blanks before every line but the first.
    """
    if width is None:
        return [text]
    start = text[: len(text) - len(text.lstrip())]
    lines, line, empty = [], start, True
    for piece in _PIECE.findall(text.lstrip()):
        if not empty and cells((line + piece).rstrip()) > width:
            lines.append(line.rstrip())
            line, empty = " " * hang, True
        if not (empty and piece.isspace()):
            line, empty = line + piece, False
    return [*lines, line.rstrip()]


def columns(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table: the first column to the left, the others to the right, two blanks between them."""
    table = [list(heads), *map(list, rows)]
    widths = [max(cells(row[number]) for row in table) for number in range(len(heads))]
    return [
        "  ".join(
            pad(cell, width, right=number > 0)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in table
    ]
