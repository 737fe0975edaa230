"""Tables in Markdown, for cards and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.neutral import for_markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["table"]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table: its headings, and a line for each row."""
    lines = [head, ["---"] * len(head), *rows]
    cells = ([for_markdown(str(cell)) for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
