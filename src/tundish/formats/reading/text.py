"""Text and numbers as label files hold them: byte order marks, GBK names, decimal commas, NaN."""

from __future__ import annotations

import codecs
import math
import reprlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["decode_text", "fault_of_number", "real", "reals"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode_text(data: bytes) -> tuple[str, str]:
    """The text of a file and the encoding it was taken for; never fails.

    By its byte order mark, else UTF-8, else GB 18030 (GBK and GB 2312 are parts of it, what Chinese Windows
    writes), else Latin-1, which takes any bytes.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace"), encoding
    for encoding in ("utf-8", "gb18030"):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1"), "latin-1"


_NUMBERS: frozenset[type] = frozenset({str, int, float})


def real(text: object) -> float | None:
    """A finite number from text or a JSON number, or None."""
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        return None
    try:
        number = float(text)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def reals(values: Sequence[object], kinds: frozenset[type] = _NUMBERS) -> tuple[float, ...] | None:
    """All of them as finite numbers, or None: then `real` says which is none, one by one.

    Args:
        values: Text or JSON numbers.
        kinds: The types that may be numbers.
    """
    if not kinds.issuperset(map(type, values)):
        return None
    try:
        found = tuple(map(float, values))  # type: ignore[arg-type]  # their types are known
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(sum(found)) else None


def fault_of_number(text: object) -> tuple[str, str]:
    """The check and the sentence for what `real` did not take."""
    if isinstance(text, str) and text.count(",") == 1 and real(text.replace(",", ".")) is not None:
        return "decimal_comma", f"'{text}' has a decimal comma; write a point"
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        return "not_a_number", f"{reprlib.repr(text)} is not a number"
    try:
        number = float(text)
    except (ValueError, OverflowError):
        return "not_a_number", f"'{str(text)[:40]}' is not a number"
    return "not_finite", f"{number} is not a finite number"
