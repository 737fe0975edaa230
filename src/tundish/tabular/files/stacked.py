"""Several tables in one sheet or file: below each other, each with its own header, or side by side."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tundish.tabular.files.header_rows import is_named_header, is_number, name_hits, plain_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tundish.tabular.files.header_rows import Row

__all__ = ["Block", "later_headers", "later_lines", "side_by_side"]

_FEW = 4
"""A row in four that looks like a header is no longer one: such a table lists names."""


class Block(NamedTuple):
    """A later table: where the one before it ends, and its header, as rows from 0."""

    end: int
    header: int


def later_headers(
    rows: Iterable[Sequence[object]], after: int, headers: Sequence[Row], known: frozenset[str]
) -> list[Block]:
    """Find the headers of tables further down.

    A header is a row of texts of which most are names of columns, and which the header before it does not
    hold in the same places. Titles and blank rows above it belong to no table.

    Args:
        rows: All rows; cells that are not texts are numbers or times.
        after: The number of rows down to the first record.
        headers: The rows of the first header.
        known: Names of columns, as plain_name() writes them.
    """
    current = {_texts(row) for row in headers}
    names = known | {plain_name(cell) for row in headers for cell in row if cell}
    found: list[Block] = []
    alone, count = after, 0
    for number, row in enumerate(rows):
        if number < after:
            continue
        count += 1
        filled = [cell for cell in row if cell not in (None, "")]
        if len(filled) < 2:
            continue
        if _is_header(filled, names) and _texts(row) not in current:
            found.append(Block(alone, number))
            current = {_texts(row)}
        alone = number + 1
    return found if _FEW * len(found) <= count else []


def _texts(row: Sequence[object]) -> tuple[tuple[int, str], ...]:
    """The texts of a row with their places."""
    return tuple(
        (place, " ".join(cell.split())) for place, cell in enumerate(row) if isinstance(cell, str) and cell
    )


def _is_header(filled: Sequence[object], names: frozenset[str]) -> bool:
    texts = [cell for cell in filled if isinstance(cell, str)]
    if len(texts) < len(filled) or any(map(is_number, texts)):
        return False
    hits = name_hits(texts, names)
    return hits >= 2 and is_named_header(texts, hits)


def later_lines(text: bytes, separator: bytes, newline: bytes, known: frozenset[str]) -> list[int]:
    """The lines, from 0, on which later tables of a text begin: their titles, or their headers.

    Args:
        text: The whole text.
        separator: What separates fields.
        newline: What ends lines.
        known: Names of columns, as plain_name() writes them.
    """
    if not known:
        return []
    number = rb"[ \t\"]*[-+<>]?[\d.]"
    field = re.escape(separator)
    # Lines with a number at the beginning of a field are records: most lines.
    pattern = re.compile(
        rb"^(?!%b)(?![^\r\n]*%b%b)[^\r\n]*%b[^\r\n]*" % (number, field, number, field), re.MULTILINE
    )
    found: list[tuple[int, tuple[str, ...]]] = []
    line = at = candidates = 0
    for match in pattern.finditer(text):
        cells = [cell.strip(' \t"') for cell in match[0].decode("utf-8", "replace").split(separator.decode())]
        candidates += 1
        if not _is_header([cell for cell in cells if cell], known):
            continue
        line, at = line + text.count(newline, at, match.start()), match.start()
        found.append((line, tuple(map(plain_name, cells))))
    starts: list[int] = []
    current = found[0][1] if found else ()
    for (before, _), (here, names) in pairwise(found):
        if names != current and here > before + 1:
            starts.append(_title_above(text, newline, separator, here))
        current = names
    return starts if _FEW * len(starts) <= text.count(newline) else []


def _title_above(text: bytes, newline: bytes, separator: bytes, line: int) -> int:
    """The first of the blank lines and titles above a line."""
    lines = text.split(newline, line)[:line]
    while line and sum(bool(cell.strip()) for cell in lines[line - 1].split(separator)) < 2:
        line -= 1
    return line


def side_by_side(header: Row, known: frozenset[str]) -> list[tuple[int, int]]:
    """The columns of tables side by side: from, to (not included). One range where there is one table.

    The tables have the same columns: the names of the first occur again in the same order.
    """
    names = [plain_name(cell) if cell and cell.strip() else "" for cell in header]
    first = next((place for place, name in enumerate(names) if name), 0)
    starts = [place for place, name in enumerate(names) if name and name == names[first]]
    ranges = [*zip(starts, [*starts[1:], len(names)], strict=True)]
    parts = [[name for name in names[start:end] if name] for start, end in ranges]
    same = len(parts) > 1 and all(part == parts[0] for part in parts)
    if not same or len(set(parts[0]) & known) < 2 or len(set(parts[0])) < len(parts[0]):
        return [(0, len(names))]
    return ranges
