"""Writes a small .xlsb: no library does."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["xlsb"]

_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8"?><Relationships'
    ' xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"'
    ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/>'
    "</Relationships>"
)
_BUNDLE, _BUNDLES, _END_BUNDLES, _END_BOOK, _DIMENSION, _SHEET, _END_SHEET = 156, 143, 144, 132, 148, 145, 146
_ROW, _REAL, _TEXT = 0, 5, 6


def xlsb(rows: Sequence[Sequence[str | float]]) -> bytes:
    """A workbook in the binary format of Excel ([MS-XLSB]), with one sheet."""
    workbook = _record(_BUNDLES) + _record(
        _BUNDLE, struct.pack("<II", 0, 1) + _wide("rId1") + _wide("Sheet1")
    )
    size = struct.pack("<IIII", 0, len(rows) - 1, 0, len(rows[0]) - 1)
    sheet = _record(_DIMENSION, size) + _record(_SHEET)
    for number, row in enumerate(rows):
        sheet += _record(_ROW, struct.pack("<I", number) + bytes(13))
        for column, value in enumerate(row):
            place = struct.pack("<II", column, 0)
            text = isinstance(value, str)
            sheet += _record(
                _TEXT if text else _REAL,
                place + (_wide(value) if isinstance(value, str) else struct.pack("<d", value)),
            )
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("_rels/.rels", _RELATIONS.format(kind="officeDocument", target="xl/workbook.bin"))
        archive.writestr(
            "xl/_rels/workbook.bin.rels", _RELATIONS.format(kind="worksheet", target="worksheets/sheet1.bin")
        )
        archive.writestr("xl/workbook.bin", workbook + _record(_END_BUNDLES) + _record(_END_BOOK))
        archive.writestr("xl/worksheets/sheet1.bin", sheet + _record(_END_SHEET))
    return data.getvalue()


def _record(kind: int, data: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, length = len(data), b""
    while size > 127:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return head + length + bytes([size]) + data


def _wide(text: str) -> bytes:
    raw = text.encode("utf-16-le")
    return struct.pack("<I", len(raw) // 2) + raw
