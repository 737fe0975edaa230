"""What the reader of workbooks does not report of an xlsx.

It takes an error (#DIV/0!) and a formula without a stored result for an empty cell, knows no number formats
and no hidden rows, and allocates all cells between the first and the last: for one forgotten in the last
corner of a sheet, more memory than there is.
"""

from __future__ import annotations

import codecs
import html
import re
import zipfile
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import fromstring

from tundish.tabular.files.number_formats import BUILT_IN, NumberFormat, parse_format

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import IO

__all__ = ["BookParts", "CellTexts", "FormattedCells", "SheetPart", "book_parts"]

CellTexts = dict[int, list[tuple[int, str]]]
"""By row from 0: the columns from 0, and the text in the place of a value: an error, a formula."""

_CHUNK = 1 << 20
_AREA = 100_000_000

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
_PLACE = re.compile(rb"\br=[\"']([A-Z]+)(\d+)[\"']")
_STYLE = re.compile(rb"\bs=[\"'](\d+)[\"']")
_HIDDEN = re.compile(
    rb"<(?:\w+:)?row\s(?=[^>]*\bhidden=[\"'](?:1|true)[\"'])[^>]*?\br=[\"'](\d+)[\"'][^>]*>", re.IGNORECASE
)


@dataclass
class FormattedCells:
    """Cells with a format that changes what their number means: rows and columns from 0, and the formats."""

    rows: array[int] = field(default_factory=lambda: array("l"))
    columns: array[int] = field(default_factory=lambda: array("l"))
    styles: array[int] = field(default_factory=lambda: array("l"))

    def by_row(self) -> Iterator[tuple[int, int, int]]:
        """Yield row, column and number of the format, in the order of the rows."""
        found = zip(self.rows, self.columns, self.styles, strict=True)
        in_order = all(one <= other for one, other in zip(self.rows, self.rows[1:], strict=False))
        yield from found if in_order else sorted(found)


@dataclass(frozen=True)
class SheetPart:
    """What a sheet holds beside its values.

    Attributes:
        texts: Errors, and formulas without a stored result.
        formulas: How many of these are formulas.
        formatted: Cells with a format that changes what their number means.
        hidden: The hidden rows, from 0.
        too_large: The extent of the sheet, where that is 100 million cells or more.
    """

    texts: CellTexts = field(default_factory=dict)
    formulas: int = 0
    formatted: FormattedCells = field(default_factory=FormattedCells)
    hidden: frozenset[int] = frozenset()
    too_large: str = ""


@dataclass(frozen=True)
class BookParts:
    """The parts of the sheets by name, the formats by number, and whether day numbers count from 1904."""

    sheets: Mapping[str, SheetPart] = field(default_factory=dict)
    formats: Mapping[int, NumberFormat] = field(default_factory=dict)
    date1904: bool = False


def book_parts(path: Path) -> BookParts:
    """Read the parts of an undamaged file. Empty where it is not an xlsx."""
    if not zipfile.is_zipfile(path):
        return BookParts()
    with zipfile.ZipFile(path) as archive:
        names = {name.replace("\\", "/"): name for name in archive.namelist()}
        try:
            parts = _parts(archive, names)
            book = fromstring(archive.read(names["xl/workbook.xml"]))
            formats = _formats(archive, names)
        except (KeyError, ParseError):
            return BookParts()
        found = {}
        for sheet, part in parts.items():
            with archive.open(part) as stream:
                found[sheet] = _in_sheet(stream, formats)
    settings = book.find("{*}workbookPr")
    first = settings is not None and settings.get("date1904", "").lower() in {"1", "true", "on"}
    return BookParts(found, formats, first)


def _parts(archive: zipfile.ZipFile, names: Mapping[str, str]) -> dict[str, str]:
    """The part of the archive that holds each sheet."""
    targets = {
        relation.get("Id"): relation.get("Target", "")
        for relation in fromstring(archive.read(names["xl/_rels/workbook.xml.rels"]))
    }
    parts = {}
    for sheet in fromstring(archive.read(names["xl/workbook.xml"])).findall("{*}sheets/{*}sheet"):
        key = next((value for name, value in sheet.items() if name.endswith("}id")), None)
        target = targets.get(key, "")
        part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        if part in names:
            parts[sheet.get("name", "")] = names[part]
    return parts


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
    extent: _Extent | None = None
    formulas = 0
    styled = _styled(formats)
    for data in _pieces(stream):
        extent = extent or _Extent(data)
        extent.look(data)
        for letters, row, text in _ERROR.findall(data) if b'e"' in data or b"e'" in data else ():
            texts.setdefault(int(row) - 1, []).append((_column(letters) - 1, text.decode()))
        for letters, row, text in _FORMULA.findall(data) if b"<f" in data or b":f" in data else ():
            texts.setdefault(int(row) - 1, []).append((_column(letters) - 1, _formula(text)))
            formulas += 1
        if b"hidden" in data:
            hidden |= {int(row) - 1 for row in _HIDDEN.findall(data)}
        if styled is not None:
            _find_formatted(data, styled, formatted)
    return SheetPart(texts, formulas, formatted, frozenset(hidden), str(extent or ""))


class _Extent:
    """How far a sheet extends, counted only where it does not say so or says that it is large."""

    def __init__(self, start: bytes) -> None:
        stated = _DIMENSION.search(start)
        self.counted = stated is None or _column(stated[1]) * int(stated[2]) > _AREA
        self.rows = self.columns = 0

    def look(self, data: bytes) -> None:
        """Count the cells in a part of the sheet."""
        for letters, row in _FILLED.findall(data) if self.counted else ():
            self.rows, self.columns = max(self.rows, int(row)), max(self.columns, _column(letters))

    def __str__(self) -> str:
        return f"{self.columns} columns and {self.rows} rows" if self.rows * self.columns > _AREA else ""


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
            found.rows.append(int(place[2]) - 1)
            found.columns.append(_column(place[1]) - 1)
            found.styles.append(int(style[1]))


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
