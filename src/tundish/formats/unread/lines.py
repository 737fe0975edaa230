"""Text files: rows of numbers and pictures with values may be labels; lists and readmes are not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tundish.formats.base import IMAGE_SUFFIXES, ImageRef, suffix_of
from tundish.formats.reading.match import find_named
from tundish.formats.reading.text import decode_text, real
from tundish.formats.unread.suspect import Suspect

if TYPE_CHECKING:
    from tundish.formats.base import Catalog

__all__ = ["judge_text"]

_LINES = 300
_LEAST = 4
"""Numbers in a row from which it may be a box."""

_SIGNS = frozenset({"-1", "0", "1"})
"""What Pascal VOC's lists of a class write beside each picture."""


def judge_text(data: bytes, catalog: Catalog) -> Suspect | None:
    """Whether a text file may be labels.

    Args:
        data: Bytes of the file.
        catalog: The pictures of the source.
    """
    text = decode_text(data[: 1 << 20])[0]
    lines = [line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip()][:_LINES]
    if not lines:
        return None
    rows = [re.split(r"[\s,;|]+", line.strip(",;|")) for line in lines]
    half = len(rows) / 2
    if sum(sum(real(one) is not None for one in row) >= _LEAST for row in rows) >= half:
        return Suspect("text", "no format reads it, and its rows are numbers, as those of boxes are")
    if sum(_is_labelled(line, row, catalog) for line, row in zip(lines, rows, strict=True)) >= half:
        return Suspect("text", "no format reads it, and its rows name pictures with a value")
    return Suspect("text", "it has the name of a picture, and no format reads it", beside=True)


def _is_labelled(line: str, row: list[str], catalog: Catalog) -> bool:
    """Whether a line names a picture and something else; a picture's path alone is a line of a list."""
    if len(row) < 2 or (suffix_of(line) in IMAGE_SUFFIXES and not re.search(r"[\t,;|]", line)):
        return False
    if any(suffix_of(one) in IMAGE_SUFFIXES for one in row):
        return not all(suffix_of(one) in IMAGE_SUFFIXES for one in row)
    name, *values = row
    return not (len(values) == 1 and values[0] in _SIGNS) and isinstance(
        find_named(catalog, "", name), ImageRef
    )
