"""Names as they are compared when their exact spelling finds nothing."""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote

__all__ = ["loose_spelling"]


def loose_spelling(text: str) -> str:
    """Text as it is compared when its exact spelling finds nothing.

    Umlauts composed (Macs write them in two characters), capitals small, and ``%20`` a space.
    """
    # Composed first: the letters of a decomposed name may look like a quoted byte, as in "%9" and "ä".
    text = unicodedata.normalize("NFC", text)
    plain = _unquoted(text)
    while plain != text:  # what was quoted twice, or quoted where the name itself has a %20
        text, plain = plain, _unquoted(plain)
    return unicodedata.normalize("NFC", plain.casefold())


def _unquoted(text: str) -> str:
    return unicodedata.normalize("NFC", unquote(text))
