"""Make names from outside harmless where they are shown or written.

A class or a file may have any name: a name that moves the cursor, closes a tag or begins a formula must have
no effect where it is read. Tables keep names unchanged.
"""

from __future__ import annotations

import html
import re

__all__ = ["for_csv", "for_file", "for_markdown", "for_terminal"]

# C0 and C1 controls except tab and newline, and the marks that change the direction of text.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARKDOWN = re.compile(r"([\[|])")


def for_terminal(text: str) -> str:
    r"""Write control characters as ``\x1b`` and the like; newlines and tabs stay."""
    return _CONTROLS.sub(lambda found: _escaped(found[0]), text)


def for_csv(text: str) -> str:
    """Make a cell that a spreadsheet reads as text: the start of a formula gets an apostrophe."""
    plain = for_terminal(text)
    return f"'{plain}" if plain.startswith(_FORMULA) else plain


def for_markdown(text: str) -> str:
    """Make a cell of a Markdown table, which browsers show: no HTML, no link, on one line."""
    plain = for_terminal(text).replace("\n", " ").replace("\t", " ")
    return _MARKDOWN.sub(r"\\\1", html.escape(plain, quote=False))


def for_file(name: str) -> str:
    """Make a file name without control characters: each becomes ``_``."""
    return _CONTROLS.sub("_", name).replace("\n", "_").replace("\t", "_")


def _escaped(sign: str) -> str:
    code = ord(sign)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
