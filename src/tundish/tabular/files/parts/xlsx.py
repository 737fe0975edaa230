"""What a sheet of an .xlsx holds beside its values: found in the bytes of its XML, a megabyte at a time."""

from __future__ import annotations

import codecs
import html
import re
import zipfile
from typing import TYPE_CHECKING

from defusedxml.ElementTree import fromstring

from tundish.tabular.files.number_formats import BUILT_IN, NumberFormat, parse_format
from tundish.tabular.files.parts.base import BookParts, CellTexts, Extent, FormattedCells, SheetPart
from tundish.tabular.files.parts.zipped import part_names, related_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import IO

__all__ = ["xlsx_parts"]

_CHUNK = 1 << 20

_DIMENSION = re.compile(rb"<(?:\w+:)?dimension\s[^>]*\bref=[\"'](?:[A-Z]+\d+:)?([A-Z]+)(\d+)[\"']")
_FILLED = re.compile(rb"<(?:\w+:)?c\s(?:[^>]*?\s)?r=[\"']([A-Z]+)(\d+)[\"'][^>]*(?<!/)>")
_ERROR = re.compile(
    rb"<(?:\w+:)?c\s(?=[^>]*\bt=[\"']e[\"'])[^>]*\br=[\"']([A-Z]+)(\d+)[\"'][^>]*>"
    rb"(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>(#[^<]+)</",
    re.DOTALL,
)
_FORMULA = re.compile(
    rb"<(?:\w+:)?c\s(?![^>]*\bt=[\"']str[\"'])[^>]*?\br=[\"']([A-Z]+)(\d+)[\"'][^>]*>\s*"
    rb"<(?:\w+:)?f\b[^>]*?(?:/>|>([^<]*)</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_NO_PLACE = re.compile(rb"<(?:\w+:)?c(?=[\s>])(?![^>]*\br=)")
"""A cell that does not say where it is: it follows the one before it."""

_PLACE = re.compile(rb"\br=[\"']([A-Z]+)(\d+)[\"']")
_STYLE = re.compile(rb"\bs=[\"'](\d+)[\"']")
_HIDDEN = re.compile(
    rb"<(?:\w+:)?row\s(?=[^>]*\bhidden=[\"'](?:1|true)[\"'])[^>]*?\br=[\"'](\d+)[\"'][^>]*>", re.IGNORECASE
)


def xlsx_parts(path: Path) -> BookParts:
    """Read the parts of an undamaged .xlsx or .xlsm.

    Raises:
        KeyError: A part of it is missing.
        ParseError: A part of it is not XML.
    """
    with zipfile.ZipFile(path) as archive:
        names = part_names(archive)
        book = fromstring(archive.read(names["xl/workbook.xml"]))
        parts = related_parts(archive, names, "xl/_rels/workbook.xml.rels")
        formats = _formats(archive, names)
        found = {}
        for sheet in book.findall("{*}sheets/{*}sheet"):
            key = next((value for name, value in sheet.items() if name.endswith("}id")), "")
            if key in parts:
                with archive.open(parts[key]) as stream:
                    found[sheet.get("name", "")] = _in_sheet(stream, formats)
    settings = book.find("{*}workbookPr")
    first = settings is not None and settings.get("date1904", "").lower() in {"1", "true", "on"}
    return BookParts(found, formats, first)


def _formats(archive: zipfile.ZipFile, names: Mapping[str, str]) -> dict[int, NumberFormat]:
    """The formats that change what a number means, by the number that cells name."""
    if "xl/styles.xml" not in names:
        return {}
    root = fromstring(archive.read(names["xl/styles.xml"]))
    codes = dict(BUILT_IN)
    for one in root.findall("{*}numFmts/{*}numFmt"):
        codes[int(one.get("numFmtId", "0"))] = one.get("formatCode", "")
    found = {}
    for number, style in enumerate(root.findall("{*}cellXfs/{*}xf")):
        parsed = parse_format(codes.get(int(style.get("numFmtId", "0")), ""))
        if parsed is not None:
            found[number] = parsed
    return found


def _in_sheet(stream: IO[bytes], formats: Mapping[int, NumberFormat]) -> SheetPart:
    texts: CellTexts = {}
    formatted, hidden = FormattedCells(), set[int]()
    extent: Extent | None = None
    formulas, counted, unread = 0, False, False
    styled = _styled(formats)
    for data in _pieces(stream):
        if extent is None:
            extent, counted = Extent(), _is_counted(data)
            unread = _NO_PLACE.search(data) is not None
        for letters, row in _FILLED.findall(data) if counted else ():
            extent.reach(int(row), _column(letters))
        for letters, row, text in _ERROR.findall(data) if b'e"' in data or b"e'" in data else ():
            texts.setdefault(int(row) - 1, []).append((_column(letters) - 1, text.decode()))
        for letters, row, text in _FORMULA.findall(data) if b"<f" in data or b":f" in data else ():
            texts.setdefault(int(row) - 1, []).append((_column(letters) - 1, _formula(text)))
            formulas += 1
        if b"hidden" in data:
            hidden |= {int(row) - 1 for row in _HIDDEN.findall(data)}
        if styled is not None:
            _find_formatted(data, styled, formatted)
    too_large = extent.too_large if extent else ""
    return SheetPart(texts, formulas, formatted, frozenset(hidden), too_large, unread)


def _is_counted(start: bytes) -> bool:
    """Whether to count the cells of a sheet: it does not state its extent, or states a large one."""
    stated = _DIMENSION.search(start)
    return stated is None or bool(Extent(int(stated[2]), _column(stated[1])).too_large)


def _formula(text: bytes) -> str:
    """A formula as a cell shows it; one that is shared with other cells is not written in each."""
    written = html.unescape(text.decode("utf-8", "replace")).strip() or "(a shared formula)"
    return f"=({written})" if written.startswith('"') else f"={written}"


def _styled(formats: Mapping[int, NumberFormat]) -> re.Pattern[bytes] | None:
    """A pattern for cells with one of the formats; None without any."""
    if not formats:
        return None
    numbers = "|".join(map(str, formats)).encode()
    return re.compile(rb"<(?:\w+:)?c\s([^>]*\bs=[\"'](?:%b)[\"'][^>]*(?<!/))>" % numbers)


def _find_formatted(data: bytes, styled: re.Pattern[bytes], found: FormattedCells) -> None:
    for attributes in styled.findall(data):
        place, style = _PLACE.search(attributes), _STYLE.search(attributes)
        if place is not None and style is not None:
            found.add(int(place[2]) - 1, _column(place[1]) - 1, int(style[1]))


def _column(letters: bytes) -> int:
    """The number of a column, from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """The stream as UTF-8, cut where a row ends."""
    rest = b""
    decoder: codecs.IncrementalDecoder | None = None
    first = True
    while data := stream.read(_CHUNK):
        if first and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            decoder = codecs.getincrementaldecoder("utf-16")()
        first = False
        rest += decoder.decode(data).encode() if decoder else data
        end = max(rest.rfind(b"</row>"), rest.rfind(b":row>")) + 6
        if end > 5:
            yield rest[:end]
            rest = rest[end:]
    yield rest
