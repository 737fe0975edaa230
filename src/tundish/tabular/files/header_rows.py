"""Find the header of a table: which of its first rows it is, and what its columns are called.

It is recognised by the names that columns may have, else by shape: titles fill one cell, a header is text
where the records below are numbers, and a second row of it fills what the first leaves empty.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.errors import SourceError
from tundish.tabular.infer.units import own_unit
from tundish.tabular.units import canonical_unit, spelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tundish.tabular.base import FileOptions

__all__ = [
    "HEAD",
    "Header",
    "Merged",
    "Row",
    "find_header",
    "is_named_header",
    "is_number",
    "name_hits",
    "plain_name",
]

HEAD = 120
"""Rows that suffice to find a header and to see the records below it."""

_ROWS, _PREAMBLE = 10, 40
_DEEPEST = 3

Row = tuple[str | None, ...]
Merged = tuple[int, int, int, int]
"""First row, first column, last row, last column of merged cells, from 0, both ends included."""

_NUMBER = re.compile(
    r"[<>≤≥~]?\s*[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?\s*[%*]?"
    r"|\d{1,3}(?:,\d{3})+(?:\.\d+)?"
    r"|\d{4}([-/.年])\d{1,2}([-/.月])\d{1,2}日?(?:[ T].*)?|\d{1,2}:\d{2}(?::\d{2})?"
)
_LABELS = frozenset({"单位", "unit", "units", "einheit", "uom", "计量单位"})
"""What the first cell of a row of units may say."""

_SINGLE = frozenset("%‰°mtgshJ")
"""Units of one letter, in a row of units."""

_DASHES = frozenset({"-", "—", "\u2013", "/", "--"})


@dataclass(frozen=True)
class Header:
    """The rows above the first record, how many of them are titles, and a name for each column."""

    rows: int
    titles: int
    names: tuple[str, ...]


def find_header(
    rows: Sequence[Row], width: int, options: FileOptions, where: str, merged: Sequence[Merged] = ()
) -> Header:
    """Find the header among the first rows of a table of `width` columns.

    `options.header_rows` counts all rows above the first record, titles and blank ones too.

    Raises:
        SourceError: The number of `options.names` differs from that of the columns, and the file has no
            header.
    """
    rows = [tuple(row[:width]) + (None,) * (width - len(row)) for row in rows]
    known = frozenset(map(plain_name, options.known))
    if options.header is not None:
        count = options.header_rows or 1
        first = max(min(options.header, len(rows)) - count, 0)
    elif options.header_rows is not None:
        first, count = _stated_rows(rows, options.header_rows, merged)
    else:
        first, count = _found_rows(rows, known, frozenset(map(plain_name, options.names)), merged)
    if count:
        return Header(first + count, first, _names(rows[first : first + count], first, width, merged))
    if options.names and len(options.names) != width:
        raise SourceError(
            f"the recipe names {len(options.names)} columns, but the table has {width}",
            where=where,
            fix="name every column, in the order of the file",
        )
    return Header(first, first, options.names or tuple(f"column {number + 1}" for number in range(width)))


def plain_name(name: str) -> str:
    """A name of a column without blanks, width and case."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def _filled_cells(row: Sequence[str | None]) -> list[str]:
    return [cell for cell in row if cell and not cell.isspace()]


def is_number(cell: str | None) -> bool:
    """Whether a text is a number, a date or a clock time."""
    return cell is not None and _NUMBER.fullmatch(unicodedata.normalize("NFKC", cell).strip()) is not None


def _stated_rows(rows: Sequence[Row], count: int, merged: Sequence[Merged]) -> tuple[int, int]:
    first = 0
    while first < count - 1 and first < len(rows) and _is_title(rows, first, merged):
        first += 1
    return (first, count - first) if count else (0, 0)


def _found_rows(
    rows: Sequence[Row], known: frozenset[str], names: frozenset[str], merged: Sequence[Merged]
) -> tuple[int, int]:
    """The first row of the header, and how many there are: 0 where the records begin at once."""
    hits = [_hits(row, known | names) for row in rows[:_PREAMBLE]]
    best = max(range(min(_ROWS, len(hits))), key=lambda at: (hits[at], -at), default=0)
    if hits and not is_named_header(rows[best], hits[best]):  # a long preamble, perhaps
        more = (at for at in range(_ROWS, len(hits)) if hits[at] > 1 and is_named_header(rows[at], hits[at]))
        best = next(more, best)
    if hits and is_named_header(rows[best], hits[best]):
        first = best
        while first and _is_group(rows, first - 1, merged) and not _is_title(rows, first - 1, merged):
            first -= 1
        first = min(first, next(at for at, hit in enumerate(hits) if hit >= 2 or at == best))
        first = max(first, best - _DEEPEST + 1)
        return first, max(best - first + 1, _depth(rows, first, merged, hits))
    first = 0
    while first < min(len(rows), _PREAMBLE) and _is_title(rows, first, merged):
        first += 1
    if first >= min(len(rows), _PREAMBLE):
        first = 0
    if names or not rows or _is_record(rows, first):
        return first, 0
    return first, _depth(rows, first, merged, hits)


def _hits(row: Row, known: frozenset[str]) -> int:
    """How many names of columns a row has; none where it has a number, which no header has.

    A heat may be called like a column: 'H1,C,0.17' is a record.
    """
    cells = _filled_cells(row)
    numbers = any(is_number(cell) and plain_name(cell) not in known for cell in cells)
    return 0 if numbers else name_hits(cells, known)


def name_hits(row: Sequence[str | None], known: frozenset[str]) -> int:
    """How many different names of columns a row has."""
    return len({plain_name(cell) for cell in _filled_cells(row)} & known)


def is_named_header(row: Sequence[str | None], hits: int) -> bool:
    """Whether so many names make a row a header.

    A value may be spelled like a column (a grade 'C'): one name alone does not make a header.
    """
    return hits >= 1 and (hits >= 3 or 2 * hits >= len(_filled_cells(row)))


def _is_title(rows: Sequence[Row], at: int, merged: Sequence[Merged]) -> bool:
    """Whether a row is not part of the table: blank, one cell, a comment, a few cells 'name: value'."""
    row = rows[at]
    cells = _filled_cells(row)
    if not cells or cells[0].startswith("#") or re.fullmatch(r"sep=.?", cells[0]):
        return True
    if len(row) == 1:
        return False
    wide = [right - left + 1 for top, left, _, right in merged if top == at]
    if len(cells) == 1:
        return not wide or 2 * max(wide) > len(row) or _is_wider(rows, at)
    below = len(_filled_cells(rows[at + 1])) if at + 1 < len(rows) else 0
    notes = sum(":" in unicodedata.normalize("NFKC", cell) or is_number(cell) for cell in cells)
    return 2 * len(cells) <= len(row) and below > len(cells) and notes > 0


def _is_wider(rows: Sequence[Row], at: int) -> bool:
    return at + 1 < len(rows) and all(rows[at + 1])


def _is_group(rows: Sequence[Row], at: int, merged: Sequence[Merged]) -> bool:
    """Whether the row names groups of columns, and the next one the columns."""
    if at + 1 >= len(rows):
        return False
    row, below = rows[at], rows[at + 1]
    if any(top == at and (bottom == at + 1 or right > left) for top, left, bottom, right in merged):
        return not any(map(is_number, below))
    opened = [column for column, cell in enumerate(row) if not cell and below[column]]
    if not opened or any(map(is_number, below)) or not _filled_cells(row):
        return False
    if any(cell and not below[column] for column, cell in enumerate(row)):
        return True
    after = rows[at + 2 : at + 12]
    return len(opened) > 1 and any(is_number(row[column]) for row in after for column in opened)


def _depth(rows: Sequence[Row], first: int, merged: Sequence[Merged], hits: Sequence[int]) -> int:
    """The number of header rows from the first one on."""
    count = 1
    while count < _DEEPEST and first + count < len(rows):
        at = first + count
        named = at < len(hits) and hits[at] >= 2 and is_named_header(rows[at], hits[at])
        if not (_is_group(rows, at - 1, merged) or named or _are_units(rows, at)):
            break
        count += 1
    return count


def _are_units(rows: Sequence[Row], at: int) -> bool:
    """Whether a row has units over numbers: all its cells are units or dashes; the first may be 'Unit'."""
    cells = {column: cell for column, cell in enumerate(rows[at]) if cell and not cell.isspace()}
    first = min(cells, default=0)
    if cells and plain_name(cells[first]) in _LABELS:
        del cells[first]
    units = [column for column, cell in cells.items() if spelled(cell) not in _DASHES]
    if not units or not all(_is_unit(spelled(cells[column])) for column in units):
        return False
    if all(canonical_unit(cells[column]) for column in units):
        return True
    below = rows[at + 1 : at + 21]
    measured = [column for column in units if any(is_number(row[column]) for row in below)]
    return not below or 2 * len(measured) >= len(units)


def _is_unit(text: str) -> bool:
    """Whether a text is a unit: a letter alone only where nothing else is called so."""
    if len(text) > 1:
        return canonical_unit(text) is not None or own_unit(text) is not None
    return text in _SINGLE or (not text.isascii() and own_unit(f"{text}/h") is not None)


def _is_record(rows: Sequence[Row], at: int) -> bool:
    """Whether a row is like those below it: numbers over numbers, or codes of one pattern."""
    below = [row for row in rows[at + 1 :] if _filled_cells(row)]
    for column, cell in enumerate(rows[at]):
        if not cell:
            continue
        under = [row[column] for row in below if row[column]]
        if is_number(cell) and (not under or 2 * sum(map(is_number, under)) >= len(under)):
            return True
        pattern = _pattern(cell)
        if "9" in pattern and len(under) > 1 and all(_pattern(other or "") == pattern for other in under):
            return True
    return False


def _pattern(cell: str) -> str:
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", cell))


def _names(block: Sequence[Row], first: int, width: int, merged: Sequence[Merged]) -> tuple[str, ...]:
    """The names of the columns: the rows joined by '_', titles of groups spread over their columns."""
    parts: list[list[str]] = [[] for _ in range(width)]
    spans = [
        (top - first, left, bottom - first, right)
        for top, left, bottom, right in merged
        if bottom >= first and top < first + len(block)
    ]
    for depth, row in enumerate(block):
        for column, cell in enumerate(_spread(row, depth, block, spans)):
            text = " ".join((cell or "").split())
            if depth and plain_name(text) in _LABELS:  # over a row of units
                continue
            if text and (
                not parts[column] or parts[column][-1] != text or not _is_down(spans, depth, column)
            ):
                parts[column].append(text)
    return tuple("_".join(part) or f"column {number + 1}" for number, part in enumerate(parts))


def _is_down(spans: Sequence[Merged], depth: int, column: int) -> bool:
    return any(top < depth <= bottom and left <= column <= right for top, left, bottom, right in spans)


def _spread(row: Row, depth: int, block: Sequence[Row], spans: Sequence[Merged]) -> list[str | None]:
    cells = list(row)
    for top, left, bottom, right in spans:
        if top <= depth <= bottom:
            value = block[max(top, 0)][left] if left < len(row) else None
            cells[left : right + 1] = [value] * (min(right + 1, len(row)) - left)
    if not spans and depth + 1 < len(block):
        title: str | None = None
        for column, cell in enumerate(row):
            below = any(part[column] for part in block[depth + 1 :])
            title = (cell if below else None) if cell else title
            if not cell and below:
                cells[column] = title
    return cells
