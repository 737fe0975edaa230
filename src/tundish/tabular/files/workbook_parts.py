"""What the reader of workbooks does not report of an xlsx: cells with an error, and cells far out.

The reader takes an error (#DIV/0!) for an empty cell, and allocates all cells between the first and the last:
for one forgotten in the last corner of a sheet, more memory than there is.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import fromstring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

__all__ = ["ErrorCells", "SheetPart", "sheet_parts"]

ErrorCells = dict[int, list[tuple[int, str]]]
"""By row from 0: the columns from 0 and their errors."""

_CHUNK = 1 << 20
_AREA = 100_000_000

_DIMENSION = re.compile(rb"<(?:\w+:)?dimension\s[^>]*\bref=[\"'](?:[A-Z]+\d+:)?([A-Z]+)(\d+)[\"']")
_FILLED = re.compile(rb"<(?:\w+:)?c\s(?:[^>]*?\s)?r=[\"']([A-Z]+)(\d+)[\"'][^>]*(?<!/)>")
_ERROR = re.compile(
    rb"<(?:\w+:)?c\s(?=[^>]*\bt=[\"']e[\"'])[^>]*\br=[\"']([A-Z]+)(\d+)[\"'][^>]*>"
    rb"(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>(#[^<]+)</",
    re.DOTALL,
)


@dataclass(frozen=True)
class SheetPart:
    """The errors of a sheet; `too_large`: its extent, where that is 100 million cells or more."""

    errors: ErrorCells = field(default_factory=dict)
    too_large: str = ""


def sheet_parts(path: Path) -> dict[str, SheetPart]:
    """Read the parts of an undamaged file by the names of the sheets. Empty where it is not an xlsx."""
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as archive:
        try:
            parts = _parts(archive)
        except (KeyError, ParseError):
            return {}
        found = {}
        for sheet, part in parts.items():
            with archive.open(part) as stream:
                found[sheet] = _in_sheet(stream)
    return found


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """The part of the archive that holds each sheet."""
    targets = {
        relation.get("Id"): relation.get("Target", "")
        for relation in fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    }
    parts = {}
    for sheet in fromstring(archive.read("xl/workbook.xml")).findall("{*}sheets/{*}sheet"):
        key = next((value for name, value in sheet.items() if name.endswith("}id")), None)
        target = targets.get(key, "")
        part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        if part in archive.namelist():
            parts[sheet.get("name", "")] = part
    return parts


def _in_sheet(stream: IO[bytes]) -> SheetPart:
    errors: ErrorCells = {}
    rows = columns = 0
    measured: bool | None = None
    for data in _pieces(stream):
        if measured is None:
            told = _DIMENSION.search(data)
            measured = told is None or _column(told[1]) * int(told[2]) > _AREA
        if measured:
            for letters, row in _FILLED.findall(data):
                rows, columns = max(rows, int(row)), max(columns, _column(letters))
        if b'e"' in data or b"e'" in data:
            for letters, row, text in _ERROR.findall(data):
                errors.setdefault(int(row) - 1, []).append((_column(letters) - 1, text.decode()))
    return SheetPart(errors, f"{columns} columns and {rows} rows" if rows * columns > _AREA else "")


def _column(letters: bytes) -> int:
    """The number of a column, from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """The stream, cut where a row ends."""
    rest = b""
    while data := stream.read(_CHUNK):
        rest += data
        end = rest.rfind(b"</row>") + 1
        if end:
            yield rest[:end]
            rest = rest[end:]
    yield rest
