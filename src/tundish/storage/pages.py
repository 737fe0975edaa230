"""What the pages of a file are called that came in as images of their own."""

from __future__ import annotations

import re

__all__ = ["file_of_page", "page_path"]

_PAGE = re.compile(r"(.+)\.page-\d{4,}\.png")


def page_path(path: str, number: int) -> str:
    """The path of a page, numbered from 1: beside its file, so that folders keep their meaning."""
    return f"{path}.page-{number:04}.png"


def file_of_page(path: str) -> str:
    """The file that a page is of, by the page's path; any other path is its own."""
    match = _PAGE.fullmatch(path)
    return match[1] if match else path
