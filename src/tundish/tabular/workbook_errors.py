"""The cells of an xlsx that hold an error (#DIV/0!): the reader of workbooks takes them for empty ones."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import fromstring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

__all__ = ["ErrorCells", "error_cells"]

ErrorCells = dict[int, list[tuple[int, str]]]
"""Row from 0 -> columns from 0 and the error."""

_CHUNK = 1 << 20
_CELL = re.compile(
    rb"<(?:\w+:)?c\s(?=[^>]*\bt=[\"']e[\"'])[^>]*\br=[\"']([A-Z]+)(\d+)[\"'][^>]*>"
    rb"(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>(#[^<]+)</",
    re.DOTALL,
)


def error_cells(path: Path) -> dict[str, ErrorCells]:
    """By the name of the sheet, in a file that is whole. Empty where it is no xlsx."""
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


def _in_sheet(stream: IO[bytes]) -> ErrorCells:
    found: ErrorCells = {}
    for data in _pieces(stream):
        if b'e"' not in data and b"e'" not in data:
            continue
        for letters, row, text in _CELL.findall(data):
            column = 0
            for letter in letters:
                column = column * 26 + letter - 64
            found.setdefault(int(row) - 1, []).append((column - 1, text.decode()))
    return found


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
