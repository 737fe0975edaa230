"""Open a file of records as what its first bytes say it is, whatever its suffix."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import PurePath
from typing import TYPE_CHECKING

from tundish.errors import SourceError
from tundish.tabular.files.columnar import open_arrow, open_parquet
from tundish.tabular.files.delimited import open_delimited
from tundish.tabular.files.edges import trimmed
from tundish.tabular.files.packed import open_gzip, open_zip
from tundish.tabular.files.pivot import pivoted
from tundish.tabular.files.workbook import open_workbook

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tundish.tabular.base import FileOptions, Sheet

__all__ = ["TABLE_SUFFIXES", "is_table_name", "open_table"]

_LOOK = 8192
_GZIP = b"\x1f\x8b"
_ZIP, _OLE = b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1")
_WORKBOOKS = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".et"}
_COLUMNAR = {".parquet", ".pq", ".arrow", ".feather", ".ipc"}
_TEXTS = {".csv", ".tsv", ".tab", ".txt", ".dat", ".data", ".nna"}
TABLE_SUFFIXES = frozenset(_TEXTS | _WORKBOOKS | _COLUMNAR)
"""Suffixes, in lower case, of files that may hold a table: for `tundish add` and for folders of records."""

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_UTF32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")

_OTHERS = (
    (b"%PDF", "a PDF document", "ask for the table itself, as .xlsx or .csv"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"BZh", "packed with bzip2", "unpack it"),
    (b"\xfd7zXZ", "packed with xz", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", "unpack it"),
    (b"SQLite format 3\0", "an SQLite database", "name it in the recipe with 'sql'"),
    (b"FEA1", "Feather of version 1", "save it as Parquet"),
    (b"\x89PNG", "an image", "remove it from the records' path"),
    (b"\xff\xd8\xff", "an image", "remove it from the records' path"),
)
_MARKUP = re.compile(
    rb"\s*<(?:!doctype|\?xml|!--|html|head|meta|body|table|style|div|workbook)\b|\s*<!--", re.IGNORECASE
)


def is_table_name(name: str) -> bool:
    """Whether a file may hold a table by its name: it may also be packed with gzip."""
    path = PurePath(name.lower())
    return (
        path.with_suffix("").suffix in TABLE_SUFFIXES
        if path.suffix == ".gz"
        else path.suffix in TABLE_SUFFIXES
    )


def open_table(path: Path, name: str, options: FileOptions) -> Sequence[Sheet]:
    """Open the tables of a file that contain records, with the rows that the options name.

    Args:
        path: The file, or a temporary copy of it.
        name: The name of the original file, for messages and for its suffix.
        options: What the recipe states about the file.

    Raises:
        SourceError: The file cannot be read: empty, damaged, locked with a password, not what its name says.
    """
    sheets = [trimmed(sheet, options) for sheet in _open(path, name, options)]
    if options.pivot is not None:
        return [pivoted(sheet, options.pivot, name) for sheet in sheets]
    return sheets


def _open(path: Path, name: str, options: FileOptions) -> Sequence[Sheet]:
    try:
        with path.open("rb") as file:
            start = file.read(_LOOK)
    except OSError as error:
        raise SourceError(
            f"the file cannot be read ({error.strerror})", where=name, fix="check its path and permissions"
        ) from None
    _refuse(start, name)
    if start.startswith(_GZIP):
        return open_gzip(path, name, options, _open)
    if start.startswith((_ZIP, _OLE)):
        if start.startswith(_ZIP) and not _check_archive(path, name):
            return open_zip(path, name, options, _open_member, TABLE_SUFFIXES)
        return open_workbook(path, name, options)
    if options.sheets:
        raise SourceError(
            f"the recipe asks for sheet '{options.sheets[0]}', but the file is not a workbook",
            where=name,
            fix="remove 'sheet' from the recipe",
        )
    if start.startswith(b"PAR1"):
        return [open_parquet(path, name)]
    if start.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return [open_arrow(path, name)]
    _refuse_text(start, name)
    return open_delimited(path, name, options)


def _refuse(start: bytes, name: str) -> None:
    """Refuse files that are not tables, or are packed."""
    if not start:
        raise SourceError("the file is empty", where=name, fix="remove it from the recipe's source")
    for magic, what, fix in _OTHERS:
        if start.startswith(magic):
            raise SourceError(f"the file is {what}, not a table", where=name, fix=fix)


def _open_member(path: Path, name: str, options: FileOptions) -> Sequence[Sheet]:
    """Open a table in a zip; a zip in a zip is not opened."""
    with path.open("rb") as file:
        if file.read(4).startswith(_ZIP) and not _check_archive(path, name):
            raise SourceError("it is a zip archive in a zip archive", where=name, fix="unpack it")
    return _open(path, name, options)


def _check_archive(path: Path, name: str) -> bool:
    """Whether a zip is a workbook.

    Raises:
        SourceError: It is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.replace("\\", "/") for name in archive.namelist()}
            broken = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        broken = str(error)
        members = set()
    if broken is not None:
        raise SourceError(
            f"the workbook is damaged: it was cut off or altered in transfer ({broken.rstrip('.')})",
            where=name,
            fix="copy it again from where it came from",
        )
    return bool(members & {"xl/workbook.xml", "xl/workbook.bin", "content.xml"})


def _refuse_text(start: bytes, name: str) -> None:
    """Refuse text that is not a table, or has a misleading suffix."""
    if start.startswith(_UTF32):
        raise SourceError("the text is in UTF-32", where=name, fix="save it as UTF-8")
    if not start.startswith(_UTF16):
        _refuse_nul(start, name)
    text = start.decode("utf-16", "ignore").encode() if start.startswith(_UTF16) else start
    suffix = PurePath(name).suffix.lower()
    if _MARKUP.match(text.removeprefix(b"\xef\xbb\xbf")):
        raise SourceError(
            f"the file is a web page or XML, though it is called '{suffix}'",
            where=name,
            fix="open it in Excel and save it as .xlsx",
        )
    if suffix in _WORKBOOKS | _COLUMNAR:
        kind = "workbook" if suffix in _WORKBOOKS else "Parquet or Arrow file"
        raise SourceError(
            f"the file is plain text, not a {kind}", where=name, fix="rename it to .csv if it is a table"
        )


def _refuse_nul(start: bytes, name: str) -> None:
    share = start.count(0) / len(start)
    halves = [start[side::2].count(0) / max(1, len(start[side::2])) for side in (0, 1)]
    if max(halves) > 0.3 and min(halves) < 0.05:
        raise SourceError(
            "the text is in UTF-16 without a byte order mark", where=name, fix="save it as UTF-8"
        )
    if share > 0.1 and len(start.strip(b"\0")) > (1 - share) * len(start):
        raise SourceError(
            "the file is binary, not a table", where=name, fix="remove it from the recipe's source"
        )
