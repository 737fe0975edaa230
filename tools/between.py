"""Parts of a page that are made from the code, between two marks; the rest is written by hand."""

from __future__ import annotations

__all__ = ["between"]


def between(text: str, name: str, made: str) -> str:
    """A page's text with `made` between the two marks of this name.

    Raises:
        ValueError: The page lacks a mark.
    """
    start, end = f"<!-- {name}: made by make docs -->\n", f"<!-- end of {name} -->"
    head, opened, rest = text.partition(start)
    _, closed, tail = rest.partition(end)
    if not (opened and closed):
        raise ValueError(f"the page has no place for '{name}'; write {start}{end}")
    return f"{head}{start}\n{made}\n\n{end}{tail}"
