"""Several tables in one sheet or file: below each other, each with its own header, or side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tundish.tabular.files.header_rows import is_named_header, is_number, name_hits, plain_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tundish.tabular.files.header_rows import Row

__all__ = ["Block", "later_headers", "side_by_side"]

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
