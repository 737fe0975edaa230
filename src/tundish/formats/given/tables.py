"""Tables about images beside them: CSV files, and the ``metadata.jsonl`` of image folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from tundish.formats.base import suffix_of
from tundish.formats.csv.table import Row, Table, parse_table
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.text import decode_text

if TYPE_CHECKING:
    from tundish.formats.base import Catalog

__all__ = ["TABLE_SUFFIXES", "read_table"]

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".jsonl"})
"""Suffixes of files that may be tables about images."""


def read_table(path: str, data: bytes, catalog: Catalog) -> Table:
    """Cut a file into rows, one an image.

    Args:
        path: Where it is in the source.
        data: Bytes of the file.
        catalog: The images; a first row that names one of them is not a header.

    Raises:
        Fault: The file is empty, or holds no table.
    """
    return _of_lines(path, data) if suffix_of(path) == ".jsonl" else parse_table(path, data, catalog)


def _of_lines(path: str, data: bytes) -> Table:
    """A file with a JSON object on each line."""
    text, encoding = decode_text(data)
    entries: list[tuple[int, dict[str, object]]] = []
    for line, content in enumerate(text.splitlines()):
        if not content.strip():
            continue
        try:
            entry = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise Fault("not_a_table", f"line {line + 1} is not JSON ({error})") from error
        if not isinstance(entry, dict):
            raise Fault("not_a_table", f"line {line + 1} is not a JSON object")
        entries.append((line, entry))
    names = tuple(dict.fromkeys(name for _, entry in entries for name in entry))
    if len(names) < 2:
        raise Fault("not_a_table", "its lines have one value; nothing is about an image")
    rows = [Row(line, tuple(_cell(entry.get(name)) for name in names)) for line, entry in entries]
    return Table(path, names, rows, "\n", encoding, len(names))


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else orjson.dumps(value).decode()
