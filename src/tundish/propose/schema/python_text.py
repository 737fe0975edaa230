"""Python as a formatter leaves it: literals, calls and comments that fit on their lines."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from tundish.neutral import for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["assignment", "comment", "literal", "text_width"]

WIDTH = 88
"""Columns of a line, those of Ruff and Black; a longer call has a line for each argument, and stays so."""


def text_width(text: str) -> int:
    """Columns that a text takes: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def literal(value: object) -> str:
    """A value as Python writes it: text in double quotes where that needs no more escapes."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))})"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return repr(int(value))
    if not isinstance(value, str):
        return repr(value)
    quote = "'" if value.count('"') > value.count("'") else '"'
    return quote + "".join(_character(char, quote) for char in value) + quote


def _character(char: str, quote: str) -> str:
    if char in (quote, "\\"):
        return f"\\{char}"
    if char.isprintable():
        return char
    return char.encode("unicode_escape").decode()


def comment(text: str, indent: int) -> Iterator[str]:
    """A text of any length as lines of a comment; what it quotes of a file cannot break out of them."""
    start = " " * indent + "#"
    line = start
    for word in for_terminal(" ".join(text.split())).split():
        if line != start and text_width(f"{line} {word}") > WIDTH:
            yield line
            line = start
        line = f"{line} {word}"
    yield line


def assignment(
    target: str,
    call: str,
    arguments: Sequence[object],
    options: Mapping[str, object] | None = None,
    *,
    indent: int = 4,
) -> Iterator[str]:
    """Lines that assign a call, on one line where it fits, else with a line for each argument.

    Args:
        target: What it is assigned to, its annotation included.
        call: The function's name.
        arguments: The values of its arguments.
        options: Those of its keyword arguments.
        indent: Blanks before the target.
    """
    named = dict(options or {})
    written = [*map(literal, arguments), *(f"{name}={literal(value)}" for name, value in named.items())]
    start = f"{' ' * indent}{target} = {call}("
    line = f"{start}{', '.join(written)})"
    if text_width(line) <= WIDTH:
        yield line
        return
    yield start
    inner = " " * (indent + 4)
    yield from (f"{inner}{literal(value)}," for value in arguments)
    for name, value in named.items():
        line = f"{inner}{name}={literal(value)},"
        if isinstance(value, list) and text_width(line) > WIDTH:
            yield f"{inner}{name}=["
            yield from (f"{inner}    {literal(item)}," for item in value)
            yield f"{inner}],"
        else:
            yield line
    yield f"{' ' * indent})"
