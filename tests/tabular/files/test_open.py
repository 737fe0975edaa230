from __future__ import annotations

import gzip
import io
import zipfile
from typing import TYPE_CHECKING

import polars as pl
import pytest
import xlsxwriter

from tundish.errors import SourceError
from tundish.tabular.base import FileOptions
from tundish.tabular.files.open import open_table

if TYPE_CHECKING:
    from pathlib import Path

CSV = "炉号,灰分\nA1,1.5\n"


def workbook() -> bytes:
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ("炉号", "灰分"))
        sheet.write_row(1, 0, ("A1", 1.5))
    return data.getvalue()


def parquet() -> bytes:
    data = io.BytesIO()
    pl.DataFrame({"炉号": ["A1"], "灰分": ["1.5"]}).write_parquet(data)
    return data.getvalue()


def arrow(*, stream: bool) -> bytes:
    data = io.BytesIO()
    frame = pl.DataFrame({"炉号": ["A1"], "灰分": ["1.5"]})
    (frame.write_ipc_stream if stream else frame.write_ipc)(data)
    return data.getvalue()


def archive(**members: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, text in members.items():
            file.writestr(name, text)
    return data.getvalue()


def changed(data: bytes) -> bytes:
    """The workbook with one byte of its sheet changed: the reader of workbooks alone takes it."""
    at = data.index(b"xl/worksheets/sheet1.xml") + 120
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def compound_file(*streams: str) -> bytes:
    """The directory of an OLE compound file, as far as it tells a workbook with a password."""
    names = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in ("Root Entry", *streams))
    return (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + names).ljust(2048, b"\0")


@pytest.mark.parametrize("name", ["table.dat", "table.csv", "table.xlsx"])
@pytest.mark.parametrize(
    "data",
    [workbook(), parquet(), arrow(stream=False), arrow(stream=True)],
    ids=["xlsx", "parquet", "arrow", "stream"],
)
def test_a_file_is_what_its_bytes_say(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / "copy"
    path.write_bytes(data)
    (sheet,) = open_table(path, name, FileOptions())
    assert sheet.layout.headers == ("炉号", "灰分")
    (piece,) = sheet.pieces()
    assert piece.cells.row(0)[2:] == ("A1", "1.5")


@pytest.mark.parametrize("name", ["table.csv", "table.txt", "table.NNA", "table"])
def test_text_is_a_table_whatever_its_suffix(tmp_path: Path, name: str) -> None:
    path = tmp_path / "copy"
    path.write_text(CSV, "utf-8")
    (sheet,) = open_table(path, name, FileOptions())
    assert sheet.layout.headers == ("炉号", "灰分")


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.csv", b"", "a.csv: the file is empty; remove it"),
        ("a.csv", b"\n\n", "a.csv: the file is empty; remove it"),
        ("a.xlsx", CSV.encode(), "a.xlsx: the file is plain text, not a workbook; rename it to .csv"),
        ("a.xls", CSV.encode("gbk"), "a.xls: the file is plain text, not a workbook; rename it to .csv"),
        ("a.xls", CSV.encode("utf-16"), "a.xls: the file is plain text, not a workbook; rename it to .csv"),
        ("a.parquet", CSV.encode(), "the file is plain text, not a Parquet or Arrow file; rename"),
        (
            "a.xls",
            b" <HTML><table><tr><td>1</td></tr></table>",
            "a web page or XML, though it is called '.xls'",
        ),
        ("a.xls", b"\xef\xbb\xbf<?xml version='1.0'?><Workbook/>", "a web page or XML, .*save it as .xlsx"),
        ("a.csv", CSV.encode("utf-16-le"), "UTF-16 without a byte order mark; save it as UTF-8"),
        ("a.csv", CSV.encode("utf-32"), "the text is in UTF-32; save it as UTF-8"),
        ("a.csv", bytes(range(256)) * 8 + bytes(range(0, 64, 3)) + bytes((0, 7)) * 400, "is binary|UTF-16"),
        ("a.csv.gz", gzip.compress(CSV.encode(), mtime=0)[:-9], "the packed file is damaged"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), "the file is empty"),
        ("a.pdf", b"%PDF-1.7", "the file is a PDF document, not a table"),
        ("a.zip", archive(**{"a.jpg": "x"}), "holds no table that can be read: not tables, .*a.jpg"),
        ("a.xlsx", workbook()[:-200], "the workbook is damaged: .* copy it again"),
        ("a.xlsx", changed(workbook()), "the workbook is damaged: .* copy it again"),
        ("a.xlsx", archive(**{"xl/workbook.xml": "<a"}), "the file is a damaged workbook or not a workbook"),
        (
            "a.xlsx",
            compound_file("EncryptionInfo", "EncryptedPackage"),
            "locked with a password; .* save a copy",
        ),
        ("a.xls", compound_file("Nothing"), "the file is a damaged workbook or not a workbook"),
        ("a.parquet", parquet()[:-30], "a.parquet: the file is damaged"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(
    tmp_path: Path, name: str, data: bytes, sentence: str
) -> None:
    path = tmp_path / "copy"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=sentence) as told:
        open_table(path, name, FileOptions())
    assert str(told.value).startswith(name)
    assert "\n" not in str(told.value)
    assert str(tmp_path) not in str(told.value)


def test_a_sheet_of_a_text_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(CSV, "utf-8")
    with pytest.raises(SourceError, match="asks for sheet '一月', but the file is not a workbook"):
        open_table(path, "a.csv", FileOptions(sheets=("一月",)))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"a.csv: the file cannot be read \(No such file or directory\)"):
        open_table(tmp_path / "a.csv", "a.csv", FileOptions())


def test_a_value_below_detection_is_not_markup(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("<0.001,5\n<0.002,6\n", "utf-8")
    (sheet,) = open_table(path, "a.csv", FileOptions())
    assert sheet.layout.header_rows == 0
