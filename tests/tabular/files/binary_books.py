"""Workbooks that no writer of the environment makes: .xls in BIFF8 and BIFF5, .xlsb and .ods.

They have as few bytes as a workbook needs. Cells are (row, column, value, style), from 0.
"""

from __future__ import annotations

import struct
import zipfile
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["FORMATS", "Cell", "compound", "ods_book", "record", "xls_book", "xlsb_book"]

Cell = tuple[int, int, float | str, int]

FORMATS = ("General", "0.00%", "0000000", '0.0" mm"', '"Q"0000')
"""The formats of styles 0, 1, 2, 3, 4."""

ERROR = "#DIV/0!"
"""A text that is written as an error."""


def record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def compound(path: Path, stream: bytes, name: str = "Workbook") -> Path:
    """A compound file of a header, a directory and one stream [MS-CFB]."""
    last, free, fat_sector, none = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")  # smaller ones lie elsewhere
    sectors = len(stream) // 512
    tables = -(-(2 + sectors) // 127)
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    head += bytes(6) + struct.pack("<9I", 0, tables, tables, 0, 4096, last, 0, last, 0)
    head += struct.pack("<109I", *range(tables), *[free] * (109 - tables))
    first = tables + 1
    chain = [fat_sector] * tables + [last, *range(first + 1, first + sectors), last]
    fat = struct.pack(f"<{128 * tables}I", *chain, *[free] * (128 * tables - len(chain)))

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = (name + "\0").encode("utf-16-le")
        links = struct.pack("<HBBIII", len(text) if name else 0, kind, 1, none, none, child)
        return text.ljust(64, b"\0") + links + bytes(36) + struct.pack("<IQ", start, size)

    entries = entry("Root Entry", 5, 1, last, 0) + entry(name, 2, none, first, len(stream))
    path.write_bytes(head + fat + entries.ljust(512, b"\0") + stream)
    return path


def xls_book(
    path: Path,
    cells: Sequence[Cell],
    *,
    biff: int = 8,
    first: bool = False,
    hidden: Sequence[int] = (),
    formats: Sequence[str] = FORMATS,
) -> Path:
    """A BIFF8 or BIFF5 workbook with one sheet, 'Heat' [MS-XLS]."""
    wide = biff == 8
    begin = struct.pack("<HHHHII", 0x0600 if wide else 0x0500, 5, 0, 0, 0, 0)
    flags = b"\0" if wide else b""
    head = record(0x0809, begin[: 16 if wide else 8]) + record(
        0x0042, struct.pack("<H", 1200 if wide else 1252)
    )
    head += record(0x0022, struct.pack("<H", first))
    for number, code in enumerate(formats, start=164):
        length = struct.pack("<HH", number, len(code)) if wide else struct.pack("<HB", number, len(code))
        head += record(0x041E, length + flags + code.encode("latin-1"))
    for number in range(len(formats)):
        head += record(0x00E0, struct.pack("<HH", 0, 164 + number).ljust(20 if wide else 16, b"\0"))
    name = b"\4" + flags + b"Heat"
    offset = len(head) + 4 + 6 + len(name) + 4
    sheet = record(0x0809, begin[:2] + b"\x10" + begin[3 : 16 if wide else 8])
    sheet += b"".join(
        record(0x0208, struct.pack("<HHHHHHHH", row, 0, 9, 255, 0, 0, 0x20, 0)) for row in hidden
    )
    for row, column, value, style in cells:
        place = struct.pack("<HHH", row, column, style)
        if value == ERROR:
            sheet += record(0x0205, place + b"\x07\x01")
        elif isinstance(value, str):
            data = value.encode("utf-16-le" if wide else "cp1252")
            size = struct.pack("<HB", len(value), 1) if wide else struct.pack("<H", len(data))
            sheet += record(0x0204, place + size + data)
        else:
            sheet += record(0x0203, place + struct.pack("<d", value))
    book = head + record(0x0085, struct.pack("<IBB", offset, 0, 0) + name) + record(0x000A, b"")
    return compound(path, book + sheet + record(0x000A, b""), "Workbook" if wide else "Book")


def _long_record(kind: int, data: bytes = b"") -> bytes:
    """A record of an .xlsb: kind and length with 7 bits in a byte."""
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(data)
    while size > 127:
        head, size = head + bytes([size & 0x7F | 0x80]), size >> 7
    return head + bytes([size]) + data


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb_book(path: Path, cells: Sequence[Cell], *, first: bool = False, hidden: Sequence[int] = ()) -> Path:
    """An .xlsb with one sheet, 'Heat' [MS-XLSB]."""
    sheet = _long_record(129) + _long_record(148, struct.pack("<IIII", 0, 99, 0, 9)) + _long_record(145)
    for row in sorted({cell[0] for cell in cells}):
        flags = 0x10 if row in hidden else 0
        sheet += _long_record(0, struct.pack("<IIHBBBI", row, 0, 300, 0, flags, 0, 0))
        for _, column, value, style in (cell for cell in cells if cell[0] == row):
            place = struct.pack("<II", column, style)
            if value == ERROR:
                sheet += _long_record(3, place + b"\x07")
            elif isinstance(value, str):
                sheet += _long_record(6, place + _wide(value))
            else:
                sheet += _long_record(5, place + struct.pack("<d", value))
    sheet += _long_record(146) + _long_record(130)
    codes = [struct.pack("<H", 164 + number) + _wide(code) for number, code in enumerate(FORMATS)]
    count = struct.pack("<I", len(codes))
    styles = _long_record(615, count) + b"".join(_long_record(44, code) for code in codes) + _long_record(616)
    general = struct.pack("<HH", 0xFFFF, 164 + 1).ljust(16, b"\0")  # a style of styles is not one of cells
    styles += _long_record(626, count[:1] + bytes(3)) + _long_record(47, general) + _long_record(627)
    styles += _long_record(617, count)
    for number in range(len(FORMATS)):
        styles += _long_record(47, struct.pack("<HH", 0, 164 + number).ljust(16, b"\0"))
    styles += _long_record(618)
    book = _long_record(131) + _long_record(153, struct.pack("<III", first, 0, 0)) + _long_record(143)
    book += _long_record(156, struct.pack("<II", 0, 1) + _wide("rId1") + _wide("Heat"))
    book += _long_record(144) + _long_record(157, bytes(26)) + _long_record(132)
    relation = '<Relationship Id="rId1" Type="worksheet" Target="worksheets/sheet1.bin"/>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/_rels/workbook.bin.rels", f"<Relationships>{relation}</Relationships>")
        archive.writestr("xl/workbook.bin", book)
        archive.writestr("xl/styles.bin", styles)
        archive.writestr("xl/worksheets/sheet1.bin", sheet)
    return path


_ODS_STYLES = (
    '<number:number-style style:name="N0"><number:number number:min-integer-digits="1"/>'
    "</number:number-style>"
    '<number:percentage-style style:name="N1"><number:number number:decimal-places="2"'
    ' number:min-integer-digits="1"/><number:text>%</number:text></number:percentage-style>'
    '<number:number-style style:name="N2"><number:number number:decimal-places="0"'
    ' number:min-integer-digits="7"/></number:number-style>'
    '<number:number-style style:name="N3"><number:number number:decimal-places="1"'
    ' number:min-integer-digits="1"/><number:text> mm</number:text></number:number-style>'
    '<number:number-style style:name="N4"><number:text>Q</number:text><number:number'
    ' number:min-integer-digits="4"/></number:number-style>'
    + "".join(
        f'<style:style style:name="p{n}" style:family="table-cell" style:data-style-name="N{n}"/>'
        f'<style:style style:name="c{n}" style:family="table-cell" style:parent-style-name="p{n}"/>'
        for n in range(5)
    )
)


def ods_book(
    path: Path,
    cells: Sequence[Cell],
    *,
    first: bool = False,
    hidden: Sequence[int] = (),
    columns: Sequence[int] = (),
) -> Path:
    """An .ods with one sheet, 'Heat'; cells of style -1 have that of their column."""
    rows = []
    for row in range(1 + max(cell[0] for cell in cells)):
        found = {cell[1]: cell for cell in cells if cell[0] == row}
        shown = ' table:visibility="collapse"' if row in hidden else ""
        rows.append(f"<table:table-row{shown}>{''.join(map(_ods_cell, _filled(found)))}</table:table-row>")
    spaces = {name: name for name in ("office", "table", "text", "style")} | {"number": "datastyle"}
    names = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for short, name in spaces.items()
    )
    names += ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    dates = '<table:null-date table:date-value="1904-01-01"/>'
    dates = f"<table:calculation-settings>{dates}</table:calculation-settings>"
    wide = "".join(f'<table:table-column table:default-cell-style-name="c{style}"/>' for style in columns)
    content = (
        f'<?xml version="1.0"?><office:document-content {names}><office:automatic-styles>{_ODS_STYLES}'
        f"</office:automatic-styles><office:body><office:spreadsheet>{dates if first else ''}"
        f'<table:table table:name="Heat">{wide}{"".join(rows)}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="{manifest}"/>')
    return path


def _filled(found: dict[int, Cell]) -> list[Cell | None]:
    return [found.get(column) for column in range(1 + max(found, default=-1))]


def _ods_cell(cell: Cell | None) -> str:
    if cell is None:
        return "<table:table-cell/>"
    _, _, value, style = cell
    name = f' table:style-name="c{style}"' if style >= 0 else ""
    if value == ERROR:
        kind = 'office:value-type="string" office:string-value="" calcext:value-type="error"'
    elif isinstance(value, str):
        kind = f'office:value-type="string" office:string-value={quoteattr(value)}'
    else:
        kind = f'office:value-type="float" office:value="{value}"'
    return f"<table:table-cell{name} {kind}><text:p>{escape(str(value))}</text:p></table:table-cell>"
