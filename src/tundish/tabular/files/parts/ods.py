"""What a sheet of an .ods holds beside its values [OpenDocument 1.3].

Formats belong to styles: of the cell, or else of its column. A style names a data style, or its parent does.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

from defusedxml.ElementTree import iterparse

from tundish.tabular.files.number_formats import NumberFormat, parse_format
from tundish.tabular.files.parts.base import BookParts, CellTexts, Extent, FormattedCells, SheetPart

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

__all__ = ["ods_parts"]

_SPACE = "urn:oasis:names:tc:opendocument:xmlns:"
_TABLE, _STYLE, _NUMBER, _OFFICE = (
    f"{{{_SPACE}{name}:1.0}}" for name in ("table", "style", "datastyle", "office")
)
_TEXT = f"{{{_SPACE}text:1.0}}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type"
_NUMBERS = {"float", "percentage", "currency"}


@dataclass
class _Styles:
    """Styles by name: the codes of data styles, and the data style and the parent of styles of cells."""

    codes: dict[str, str] = field(default_factory=dict)
    cells: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    formats: dict[int, NumberFormat] = field(default_factory=dict)
    numbers: dict[str, int | None] = field(default_factory=dict)

    def number(self, name: str, *, percent: bool) -> int | None:
        """The number of the format of a cell; None where it changes nothing.

        Args:
            name: The style of the cell.
            percent: Whether the cell itself says that it is a share in percent.
        """
        key = "%" if percent else name
        if key not in self.numbers:
            parsed = NumberFormat(percent=True) if percent else parse_format(self._code_of(name))
            self.numbers[key] = None if parsed is None else len(self.formats)
            if parsed is not None:
                self.formats[len(self.formats)] = parsed
        return self.numbers[key]

    def _code_of(self, name: str) -> str:
        seen, data = set[str](), None
        style: str | None = name
        while data is None and style in self.cells and style not in seen:
            seen.add(style)
            data, style = self.cells[style]
        return self.codes.get(data or "", "")


def ods_parts(path: Path) -> BookParts:
    """Read the parts of an undamaged .ods.

    Raises:
        KeyError: A part of it is missing.
        ParseError: It is not XML.
    """
    styles, reader = _Styles(), None
    with zipfile.ZipFile(path) as archive:
        for name in ("styles.xml", "content.xml"):
            if name == "styles.xml" and name not in archive.namelist():
                continue
            reader = _Reader(styles)
            with archive.open(name) as stream:
                for event, element in iterparse(stream, ("start", "end")):
                    reader.take(event, element)
    return BookParts(reader.sheets if reader else {}, styles.formats, reader is not None and reader.date1904)


class _Sheet:
    """The parts of a sheet, while it is read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.row = 0
        self.columns: list[tuple[int, str]] = []
        self.texts: CellTexts = {}
        self.formulas = 0
        self.formatted, self.hidden, self.extent = FormattedCells(), set[int](), Extent()

    def style_of(self, column: int) -> str:
        """The style of a column, from 0."""
        end = 0
        for count, style in self.columns:
            end += count
            if column < end:
                return style
        return ""

    def part(self) -> SheetPart:
        """The sheet as it was read."""
        hidden = frozenset(self.hidden)
        return SheetPart(self.texts, self.formulas, self.formatted, hidden, self.extent.too_large)


class _Reader:
    """What the elements of a document say, one after the other."""

    def __init__(self, styles: _Styles) -> None:
        self.styles = styles
        self.sheets: dict[str, SheetPart] = {}
        self.date1904 = False
        self._sheet: _Sheet | None = None
        self._depth = 0

    def take(self, event: str, element: Element) -> None:
        """Take the start or the end of an element."""
        tag = element.tag
        if tag == f"{_TABLE}table":
            self._depth += 1 if event == "start" else -1
            if event == "start" and self._depth == 1:
                self._sheet = _Sheet(element.get(f"{_TABLE}name", ""))
            elif event == "end" and self._depth == 0 and self._sheet is not None:
                self.sheets[self._sheet.name] = self._sheet.part()
                self._sheet = None
                element.clear()
        elif event == "end" and self._sheet is not None and self._depth == 1:
            if tag == f"{_TABLE}table-column":
                style = element.get(f"{_TABLE}default-cell-style-name", "")
                self._sheet.columns.append((_count(element, "columns"), style))
            elif tag == f"{_TABLE}table-row":
                self._take_row(self._sheet, element)
                element.clear()
        elif event == "end" and self._sheet is None:
            self._take_style(tag, element)

    def _take_style(self, tag: str, element: Element) -> None:
        if tag in {f"{_NUMBER}percentage-style", f"{_NUMBER}number-style"}:
            code = _code(element)
            self.styles.codes[element.get(f"{_STYLE}name", "")] = code
        elif tag == f"{_STYLE}style" and element.get(f"{_STYLE}family") == "table-cell":
            found = element.get(f"{_STYLE}data-style-name"), element.get(f"{_STYLE}parent-style-name")
            self.styles.cells[element.get(f"{_STYLE}name", "")] = found
        elif tag == f"{_TABLE}null-date":
            self.date1904 = element.get(f"{_TABLE}date-value", "").startswith("1904")

    def _take_row(self, sheet: _Sheet, row: Element) -> None:
        repeated, top = _count(row, "rows"), sheet.row
        sheet.row += repeated
        own, column, filled = row.get(f"{_TABLE}default-cell-style-name"), 0, False
        for cell in row:
            if cell.tag not in {f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"}:
                continue
            width, left = _count(cell, "columns"), column
            column += width
            kind, formula = cell.get(f"{_OFFICE}value-type"), cell.get(f"{_TABLE}formula")
            if kind is None and formula is None:
                continue
            filled = True
            sheet.extent.reach(top + repeated, column)
            if sheet.extent.too_large:
                return
            style = cell.get(f"{_TABLE}style-name") or own or sheet.style_of(left)
            self._take_cell(sheet, cell, style, [*product(range(top, top + repeated), range(left, column))])
        if filled and row.get(f"{_TABLE}visibility", "visible") != "visible":
            sheet.hidden.update(range(top, top + repeated))

    def _take_cell(self, sheet: _Sheet, cell: Element, style: str, places: list[tuple[int, int]]) -> None:
        kind, formula = cell.get(f"{_OFFICE}value-type"), cell.get(f"{_TABLE}formula")
        if cell.get(_CALC) == "error":
            text = "".join(cell.itertext()).strip() or "#N/A"
        elif kind is None and not "".join(cell.itertext()).strip():
            text = f"={(formula or '').partition(':=')[2] or formula}"
            sheet.formulas += len(places)
        elif kind in _NUMBERS:
            number = self.styles.number(style, percent=kind == "percentage")
            for row, column in places if number is not None else ():
                sheet.formatted.add(row, column, number or 0)
            return
        else:
            return
        for row, column in places:
            sheet.texts.setdefault(row, []).append((column, text))


def _count(element: Element, what: str) -> int:
    """How often a row, cell or column is repeated."""
    written = element.get(f"{_TABLE}number-{what}-repeated", "1")
    return int(written) if written.isdecimal() else 1


def _code(style: Element) -> str:
    """A data style as a number format of Excel."""
    found = ""
    for part in style:
        if part.tag == f"{_NUMBER}text":
            text = part.text or ""
            found += text if text == "%" else f'"{text}"' if text else ""
        elif part.tag == f"{_NUMBER}number":
            decimals = int(part.get(f"{_NUMBER}decimal-places", "0") or 0)
            zeros = max(int(part.get(f"{_NUMBER}min-integer-digits", "1") or 0), 1)
            found += "0" * zeros + ("." + "0" * decimals if decimals else "")
            factor = part.get(f"{_NUMBER}display-factor", "1")
            found += "," * ((len(factor) - 1) // 3)
        elif part.tag in {f"{_NUMBER}scientific-number", f"{_NUMBER}fraction"}:
            return "General"
    return found
