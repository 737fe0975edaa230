"""What a sheet of an .xls or .et holds beside its values [MS-XLS]: BIFF8, and BIFF5 of Excel 95."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from tundish.tabular.files.number_formats import BUILT_IN, NumberFormat, parse_format
from tundish.tabular.files.parts.base import ERRORS, BookParts, CellTexts, FormattedCells, SheetPart
from tundish.tabular.files.parts.compound import read_stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["xls_parts"]

_BOF, _EOF, _SHEET, _FORMAT, _XF, _DATES, _CODEPAGE = 0x0809, 0x000A, 0x0085, 0x041E, 0x00E0, 0x0022, 0x0042
_NUMBER, _RK, _MANY_RK, _FORMULA, _ERROR, _ROW = 0x0203, 0x027E, 0x00BD, 0x0006, 0x0205, 0x0208
_BIFF8 = 0x0600
_HIDDEN = 0x20


class _Book(NamedTuple):
    """The start of a workbook: where its sheets begin, by name, its formats, and its origin of dates."""

    sheets: Mapping[str, int]
    formats: Mapping[int, NumberFormat]
    date1904: bool


def xls_parts(path: Path) -> BookParts:
    """Read the parts of an undamaged .xls.

    Raises:
        ValueError: The file is damaged, or of a version before Excel 5.
    """
    data = read_stream(path.read_bytes(), ("Workbook", "Book", "WORKBOOK", "BOOK"))
    if data is None:
        raise ValueError("it holds no workbook")
    try:
        book = _book(data)
        sheets = {name: _in_sheet(data, at, book.formats) for name, at in book.sheets.items()}
    except struct.error as error:
        raise ValueError(f"a record is damaged: {error}") from None
    return BookParts(sheets, book.formats, book.date1904)


def _records(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a substream, down to its end; those of charts within it are not."""
    depth = 0
    while at + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, at)
        depth += (kind == _BOF) - (kind == _EOF)
        if depth == 0:
            return
        if depth == 1:
            yield kind, data[at + 4 : at + 4 + length]
        at += 4 + length


def _book(data: bytes) -> _Book:
    sheets: dict[str, int] = {}
    codes, styles = dict(BUILT_IN), list[int]()
    wide, first, codepage = True, False, "cp1252"
    for kind, body in _records(data, 0):
        if kind == _BOF:
            wide = struct.unpack_from("<H", body)[0] >= _BIFF8
        elif kind == _CODEPAGE:
            number = struct.unpack_from("<H", body)[0]
            codepage = f"cp{number}" if number not in {0x8000, 0x8001, 1200} else "cp1252"
        elif kind == _DATES:
            first = struct.unpack_from("<H", body)[0] == 1
        elif kind == _SHEET:
            sheets[_short_text(body[6:], codepage, wide=wide)] = struct.unpack_from("<I", body)[0]
        elif kind == _FORMAT:
            text = _text(body[2:]) if wide else _short_text(body[2:], codepage, wide=False)
            codes[struct.unpack_from("<H", body)[0]] = text
        elif kind == _XF:
            styles.append(struct.unpack_from("<H", body, 2)[0])
    parsed = {number: parse_format(code) for number, code in codes.items()}
    formats = {place: parsed.get(number) for place, number in enumerate(styles)}
    return _Book(sheets, {place: found for place, found in formats.items() if found is not None}, first)


def _text(body: bytes) -> str:
    count, flags = struct.unpack_from("<HB", body)
    return _characters(body[3:], count, flags)


def _short_text(body: bytes, codepage: str, *, wide: bool) -> str:
    """A text of up to 255 characters; that of BIFF5 is in the code page of the workbook."""
    if wide:
        return _characters(body[2:], body[0], body[1])
    try:
        return body[1 : 1 + body[0]].decode(codepage, "replace")
    except LookupError:
        return body[1 : 1 + body[0]].decode("latin-1")


def _characters(body: bytes, count: int, flags: int) -> str:
    return body[: 2 * count].decode("utf-16-le", "replace") if flags & 1 else body[:count].decode("latin-1")


def _in_sheet(data: bytes, at: int, formats: Mapping[int, NumberFormat]) -> SheetPart:
    texts: CellTexts = {}
    formatted, hidden = FormattedCells(), set[int]()
    for kind, body in _records(data, at):
        if kind == _ROW:
            row, flags = struct.unpack_from("<H10xB", body)
            if flags & _HIDDEN:
                hidden.add(row)
        elif kind == _MANY_RK:
            row, column = struct.unpack_from("<HH", body)
            for number, place in enumerate(range(4, len(body) - 2, 6)):
                style = struct.unpack_from("<H", body, place)[0]
                if style in formats:
                    formatted.add(row, column + number, style)
        elif kind in {_NUMBER, _RK, _FORMULA, _ERROR}:
            row, column, style = struct.unpack_from("<HHH", body)
            error = _error(kind, body)
            if error is not None:
                texts.setdefault(row, []).append((column, error))
            elif style in formats:
                formatted.add(row, column, style)
    return SheetPart(texts, formatted=formatted, hidden=frozenset(hidden))


def _error(kind: int, body: bytes) -> str | None:
    """The error that a cell or the result of its formula is."""
    if kind == _ERROR and body[7]:
        return ERRORS.get(body[6], "#N/A")
    if kind == _FORMULA and body[6] == 2 and body[12:14] == b"\xff\xff":
        return ERRORS.get(body[8], "#N/A")
    return None
