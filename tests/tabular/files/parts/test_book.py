"""Binary workbooks and OpenDocument say what xlsx says: formats, errors, hidden rows, 1904 dates."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tabular.files.binary_books import Cell, compound, ods_book, xls_book, xlsb_book

from tundish.errors import SourceError
from tundish.tabular.base import FileOptions
from tundish.tabular.files.open import open_table
from tundish.tabular.files.parts.book import book_parts
from tundish.tabular.files.parts.compound import read_stream

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tundish.tabular.base import Layout

HEADERS = ("no", "A_ad", "thickness", "heat", "S_t_ad")

CELLS: list[Cell] = [
    *((2, column, name, 0) for column, name in enumerate(HEADERS, start=1)),
    *((3, 1, 12345.0, 2), (3, 2, 0.1234, 1), (3, 3, 2.5, 3), (3, 4, 17.0, 4), (3, 5, 0.35, 0)),
    *((4, 1, "0012346", 2), (4, 2, "9.85 %", 1), (4, 3, "#DIV/0!", 3), (4, 4, 18.0, 4)),
    *((5, 1, 12347.0, 2), (5, 2, 0.35, 1), (5, 3, 3.0, 3), (5, 4, 19.0, 4), (5, 5, 43538.0, 0)),
]

WRITERS: dict[str, Callable[..., Path]] = {
    "book.xls": xls_book,
    "book.et": xls_book,
    "old.xls": lambda path, cells, **options: xls_book(path, cells, biff=5, **options),
    "book.xlsb": xlsb_book,
    "book.ods": ods_book,
}

every_writer = pytest.mark.parametrize("name", WRITERS)


def read(path: Path, **options: str) -> tuple[Layout, list[tuple[object, ...]]]:
    (sheet,) = open_table(path, path.name, FileOptions(**options))  # type: ignore[arg-type]
    return sheet.layout, [row[1:] for piece in sheet.pieces() for row in piece.cells.rows()]


@every_writer
def test_numbers_are_read_as_their_formats_show_them(tmp_path: Path, name: str) -> None:
    layout, rows = read(WRITERS[name](tmp_path / name, CELLS))
    assert layout.headers == HEADERS
    assert not layout.remarks
    assert not layout.date1904
    assert rows == [
        (4, "0012345", "12.34%", "2.5 mm", "Q0017", "0.35"),
        (5, "0012346", "9.85 %", "#DIV/0!", "Q0018", None),
        (6, "0012347", "35%", "3 mm", "Q0019", "43538"),
    ]


@every_writer
def test_hidden_rows_are_reported(tmp_path: Path, name: str) -> None:
    layout, _ = read(WRITERS[name](tmp_path / name, CELLS, hidden=[4]))
    ((check, message),) = layout.remarks
    assert check == "hidden_rows_read"
    assert "(5)" in message


@every_writer
def test_a_book_may_count_days_from_1904(tmp_path: Path, name: str) -> None:
    assert read(WRITERS[name](tmp_path / name, CELLS, first=True))[0].date1904


def test_open_document_cells_have_the_format_of_their_column(tmp_path: Path) -> None:
    cells = [(row, column, value, style if row == 2 else -1) for row, column, value, style in CELLS]
    _, rows = read(ods_book(tmp_path / "book.ods", cells, columns=(0, 2, 1, 3, 4, 0)))
    assert [row[1:3] for row in rows] == [("0012345", "12.34%"), ("0012346", "9.85 %"), ("0012347", "35%")]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30), st.sampled_from(sorted(WRITERS)))
def test_a_share_in_percent_is_what_it_was(
    tmp_path_factory: pytest.TempPathFactory, parts: list[int], name: str
) -> None:
    cells: list[Cell] = [(0, 0, "heat", 0), (0, 1, "ash", 0)]
    for row, part in enumerate(parts, start=1):
        cells += [(row, 0, f"H{row}", 0), (row, 1, part / 10_000, 1)]
    _, rows = read(WRITERS[name](tmp_path_factory.mktemp("book") / name, cells))
    assert [float(str(row[2]).removesuffix("%")) for row in rows] == [part / 100 for part in parts]


def test_a_sheet_whose_formats_cannot_be_read_is_reported(tmp_path: Path) -> None:
    """Never read in silence 100 times too small."""
    path = xlsb_book(tmp_path / "book.xlsb", CELLS)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data + b"\xaf" if name == "xl/styles.bin" else data)
    layout, rows = read(path)
    ((check, message),) = layout.remarks
    assert check == "number_formats_unread"
    assert "the sheet 'Heat'" in message
    assert rows[0][2] == "0.1234"


def test_cells_that_do_not_say_where_they_are_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("A")
        sheet.write_row(0, 0, ("heat", "ash"))
        sheet.write_row(1, 0, ("H1", 0.35), book.add_format({"num_format": "0%"}))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    part = "xl/worksheets/sheet1.xml"
    parts[part] = parts[part].replace(b' r="A1"', b"").replace(b' r="B2"', b"").replace(b' r="B1"', b"")
    parts[part] = parts[part].replace(b' r="A2"', b"")
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    layout, _ = read(path)
    assert [remark.check for remark in layout.remarks] == ["number_formats_unread"]


@pytest.mark.parametrize("name", ["book.xls", "old.xls", "book.xlsb", "book.ods"])
def test_damage_anywhere_ends_in_an_error_or_in_a_table(tmp_path: Path, name: str) -> None:
    whole = WRITERS[name](tmp_path / name, CELLS).read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        (tmp_path / name).write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        book_parts(tmp_path / name)
        (tmp_path / name).write_bytes(whole[:at])
        book_parts(tmp_path / name)


def test_a_chain_that_is_a_circle_ends(tmp_path: Path) -> None:
    path = compound(tmp_path / "book.xls", bytes(range(256)) * 20)
    data = bytearray(path.read_bytes())
    assert (read_stream(bytes(data), ("Workbook",)) or b"")[:256] == bytes(range(256))
    data[512 + 4 * 4 : 512 + 4 * 5] = (2).to_bytes(4, "little")
    assert read_stream(bytes(data), ("Workbook",))
    assert read_stream(bytes(data), ("Nothing",)) is None


def test_a_forgotten_cell_of_an_xlsb_far_out_is_an_error(tmp_path: Path) -> None:
    path = xlsb_book(tmp_path / "book.xlsb", [*CELLS, (1_048_575, 16_383, "x", 0)])
    with pytest.raises(SourceError, match="the sheet extends over 16384 columns and 1048576 rows"):
        open_table(path, path.name, FileOptions())
