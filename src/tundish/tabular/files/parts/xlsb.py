"""What a sheet of an .xlsb holds beside its values [MS-XLSB]."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import TYPE_CHECKING

from tundish.tabular.files.number_formats import BUILT_IN, NumberFormat, parse_format
from tundish.tabular.files.parts.base import (
    ERRORS,
    BookParts,
    CellTexts,
    Extent,
    FormattedCells,
    SheetPart,
)
from tundish.tabular.files.parts.zipped import part_names, related_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import IO

__all__ = ["xlsb_parts"]

_SETTINGS, _SHEET, _FORMAT, _XF, _CELL_XFS, _CELL_XFS_END = 153, 156, 44, 47, 617, 618
_ROW, _RK, _ERROR, _REAL, _FORMULA, _FORMULA_ERROR = 0, 2, 3, 5, 9, 11
_CELLS = frozenset(range(2, 12))
"""Records of cells that are not blank."""

_HIDDEN = 0x10
_CHUNK = 1 << 20


def xlsb_parts(path: Path) -> BookParts:
    """Read the parts of an undamaged .xlsb.

    Raises:
        ValueError: The file is damaged.
        KeyError: A part of it is missing.
        ParseError: Its relations are not XML.
    """
    with zipfile.ZipFile(path) as archive:
        names = part_names(archive)
        parts = related_parts(archive, names, "xl/_rels/workbook.bin.rels")
        try:
            sheets, first = _book(archive.read(names["xl/workbook.bin"]), parts)
            formats = _formats(archive.read(names["xl/styles.bin"])) if "xl/styles.bin" in names else {}
            found = {}
            for name, part in sheets.items():
                with archive.open(part) as stream:
                    found[name] = _in_sheet(stream, formats)
        except (struct.error, IndexError) as error:
            raise ValueError(f"a record is damaged: {error}") from None
    return BookParts(found, formats, first)


def _records(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the records: kind and length have 7 bits in a byte, the last byte without the eighth."""
    data, at, ended = b"", 0, False
    while True:
        while not ended and len(data) - at < _CHUNK // 2:
            more = stream.read(_CHUNK)
            data, at, ended = data[at:] + more, 0, not more
        if at >= len(data):
            return
        kind, at = data[at], at + 1
        if kind & 0x80:
            kind, at = kind & 0x7F | (data[at] & 0x7F) << 7, at + 1
        length = 0
        for shift in (0, 7, 14, 21):
            byte, at = data[at], at + 1
            length |= (byte & 0x7F) << shift
            if not byte & 0x80:
                break
        body = data[at : at + length]
        if len(body) < length:
            body += stream.read(length - len(body))
        yield kind, body
        at += length


def _book(data: bytes, parts: Mapping[str, str]) -> tuple[dict[str, str], bool]:
    """The part of each sheet, by name, and whether day numbers count from 1904."""
    sheets: dict[str, str] = {}
    first = False
    for kind, body in _records(io.BytesIO(data)):
        if kind == _SETTINGS:
            first = bool(body[0] & 1)
        elif kind == _SHEET:
            key, rest = _text(body[8:])
            if key in parts:
                sheets[_text(rest)[0]] = parts[key]
    return sheets, first


def _text(body: bytes) -> tuple[str, bytes]:
    """A text and what follows it; a text that is null has a length of 0xffffffff."""
    (count,) = struct.unpack_from("<I", body)
    end = 4 + 2 * (0 if count == 0xFFFFFFFF else count)
    return body[4:end].decode("utf-16-le", "replace"), body[end:]


def _formats(data: bytes) -> dict[int, NumberFormat]:
    """The formats that change what a number means, by the number that cells name."""
    codes, styles, inside = dict(BUILT_IN), list[int](), False
    for kind, body in _records(io.BytesIO(data)):
        inside = kind == _CELL_XFS or (inside and kind != _CELL_XFS_END)
        if kind == _FORMAT:
            codes[struct.unpack_from("<H", body)[0]] = _text(body[2:])[0]
        elif kind == _XF and inside:
            styles.append(struct.unpack_from("<H", body, 2)[0])
    parsed = {number: parse_format(codes.get(code, "")) for number, code in enumerate(styles)}
    return {number: found for number, found in parsed.items() if found is not None}


def _in_sheet(stream: IO[bytes], formats: Mapping[int, NumberFormat]) -> SheetPart:
    texts: CellTexts = {}
    formatted, hidden, extent = FormattedCells(), set[int](), Extent()
    row = 0
    for kind, body in _records(stream):
        if kind == _ROW:
            (row,) = struct.unpack_from("<I", body)
            if body[11] & _HIDDEN:
                hidden.add(row)
        elif kind in _CELLS:
            column, style = struct.unpack_from("<II", body)
            extent.reach(row + 1, column + 1)
            if kind in {_ERROR, _FORMULA_ERROR}:
                texts.setdefault(row, []).append((column, ERRORS.get(body[8], "#N/A")))
            elif kind in {_RK, _REAL, _FORMULA} and style & 0xFFFFFF in formats:
                formatted.add(row, column, style & 0xFFFFFF)
    return SheetPart(texts, formatted=formatted, hidden=frozenset(hidden), too_large=extent.too_large)
