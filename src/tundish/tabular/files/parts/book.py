"""The parts of a workbook, whichever container it is in.

The reader of workbooks takes an error (#DIV/0!) and a formula without a stored result for an empty cell,
knows no number formats and no hidden rows, and allocates all cells between the first and the last: for one
forgotten in the last corner of a sheet, more memory than there is.
"""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from tundish.tabular.files.parts.base import BookParts
from tundish.tabular.files.parts.compound import MAGIC
from tundish.tabular.files.parts.ods import ods_parts
from tundish.tabular.files.parts.xls import xls_parts
from tundish.tabular.files.parts.xlsb import xlsb_parts
from tundish.tabular.files.parts.xlsx import xlsx_parts
from tundish.tabular.files.parts.zipped import part_names

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["book_parts"]


def book_parts(path: Path) -> BookParts:
    """Read the parts of a workbook that its reader could open; without any sheet where that fails."""
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                return xls_parts(path)
        with zipfile.ZipFile(path) as archive:
            names = part_names(archive)
        if "xl/workbook.bin" in names:
            return xlsb_parts(path)
        return xlsx_parts(path) if "xl/workbook.xml" in names else ods_parts(path)
    except (KeyError, ValueError, ParseError, OSError, zlib.error, zipfile.BadZipFile):
        return BookParts()
