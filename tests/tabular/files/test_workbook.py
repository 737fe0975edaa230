from __future__ import annotations

import datetime as dt
import zipfile
from typing import TYPE_CHECKING

import pytest
import xlsxwriter
from tests.tabular.files.binary_books import xls_book

from tundish.errors import SourceError
from tundish.tabular.base import FileOptions
from tundish.tabular.files.workbook import open_workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tundish.tabular.files.workbook import WorkbookSheet

DAY = dt.datetime(2024, 3, 1, 8, 5)  # noqa: DTZ001


def book_of(
    folder: Path, **sheets: Callable[[xlsxwriter.Workbook, xlsxwriter.worksheet.Worksheet], None]
) -> Path:
    path = folder / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, fill in sheets.items():
            fill(book, book.add_worksheet(name))
    return path


def read(sheet: WorkbookSheet) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for piece in sheet.pieces():
        rows += piece.cells.rows()
        assert piece.broken.is_empty()
    return rows


def rows_of(
    *rows: Sequence[object],
) -> Callable[[xlsxwriter.Workbook, xlsxwriter.worksheet.Worksheet], None]:
    def fill(_: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)

    return fill


def xls_of(folder: Path, *cells: tuple[int, int, float | str]) -> Path:
    return xls_book(folder / "book.xls", [(*cell, 0) for cell in cells])


def test_xls__is_read(tmp_path: Path) -> None:
    path = xls_of(tmp_path, (0, 0, "heat"), (0, 1, "C"), (1, 0, "H1"), (1, 1, 0.05))
    (sheet,) = open_workbook(path, "book.xls", FileOptions())
    assert sheet.layout.headers == ("heat", "C")
    assert read(sheet) == [(0, 2, "H1", "0.05")]


def test_xls__a_cell_beyond_all_memory_is_reported(tmp_path: Path) -> None:
    """The reader ends its process there."""
    path = xls_of(tmp_path, (0, 0, "heat"), (1, 0, "H1"), (65_535, 65_535, 0.05))
    with pytest.raises(SourceError, match="requires more memory than a workbook can need"):
        open_workbook(path, "book.xls", FileOptions())


@pytest.mark.parametrize("at", range(512, 4_096, 256))
def test_xls__cut_off_is_reported(tmp_path: Path, at: int) -> None:
    path = xls_of(tmp_path, (0, 0, "heat"), (1, 0, "H1"))
    path.write_bytes(path.read_bytes()[:at])
    with pytest.raises(SourceError, match=r"book\.xls: "):
        open_workbook(path, "book.xls", FileOptions())


def test_every_kind_of_cell_becomes_text(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        forms = ("yyyy-mm-dd hh:mm", "yyyy-mm-dd", "hh:mm", "[h]:mm:ss")
        time, day, clock, hours = (book.add_format({"num_format": form}) for form in forms)
        sheet.write_row(0, 0, ("text", "number", "time", "day", "clock", "hours", "flag", "error", "none"))
        sheet.write_row(1, 0, ("\uff1012 ", 0.05))
        sheet.write_datetime(1, 2, DAY, time)
        sheet.write_datetime(1, 3, DAY.replace(hour=0, minute=0), day)
        sheet.write_number(1, 4, 0.5, clock)
        sheet.write_number(1, 5, 1.5, hours)
        sheet.write_boolean(1, 6, True)
        sheet.write_formula(1, 7, "=1/0", None, "#DIV/0!")
        sheet.write_row(2, 0, ("00123", 12.0))
        sheet.write_row(3, 1, (-1.5e-9,))
        sheet.write_formula(4, 1, "=B2*2", None, 0.1)
        sheet.write_string(5, 8, "x")

    (sheet,) = open_workbook(book_of(tmp_path, A=fill), "book.xlsx", FileOptions())
    rows = read(sheet)
    none = (None,) * 6
    assert rows[0][2:] == (
        *("\uff1012 ", "0.05", "2024-03-01T08:05:00", "2024-03-01T00:00:00"),
        *("12:00:00", "36:00:00", "TRUE", "#DIV/0!", None),
    )
    assert rows[1] == (1, 3, "00123", "12", *none, None)
    assert rows[2][3] == "-1.5e-09"
    assert rows[3][3] == "0.1"
    assert rows[4] == (4, 6, None, None, *none, "x")


def test_titles_and_merged_headers_above_the_records(tmp_path: Path) -> None:
    def fill(_: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.merge_range("A1:D1", "2024年3月化验报表")
        sheet.merge_range("A2:A3", "样品编号")
        sheet.merge_range("B2:C2", "工业分析")
        sheet.write_row("B3", ("Aad", "Vad"))
        sheet.merge_range("D2:D3", "备注")
        sheet.write_row("A4", ("S1", 10.1, 30, "好"))

    (sheet,) = open_workbook(book_of(tmp_path, A=fill), "book.xlsx", FileOptions())
    assert sheet.layout.headers == ("样品编号", "工业分析_Aad", "工业分析_Vad", "备注")
    assert sheet.layout.header_rows == 3
    assert read(sheet) == [(0, 4, "S1", "10.1", "30", "好")]


def test_merged_cells_are_filled_within_their_range_only(tmp_path: Path) -> None:
    def fill(_: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_row("A1", ("炉号", "C", "Si"))
        sheet.merge_range("A2:A3", "H1")
        sheet.write_row("B2", (0.1, 0.2))
        sheet.write_row("B3", (0.3, 0.4))
        sheet.write_row("B4", (0.5, 0.6))
        sheet.merge_range("B5:C5", "未检")

    (sheet,) = open_workbook(book_of(tmp_path, A=fill), "book.xlsx", FileOptions())
    assert read(sheet) == [
        (0, 2, "H1", "0.1", "0.2"),
        (1, 3, "H1", "0.3", "0.4"),
        (2, 4, None, "0.5", "0.6"),
        (3, 5, None, "未检", "未检"),
    ]


def test_a_table_may_begin_anywhere_and_end_in_empty_cells(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_row("C3", ("a", "b", ""))
        sheet.write_row("C4", (1, 2))
        sheet.write_row("C6", (3, 4))
        sheet.write_blank("H20", None, book.add_format({"bold": True}))

    (sheet,) = open_workbook(book_of(tmp_path, A=fill), "book.xlsx", FileOptions())
    assert sheet.layout.headers == ("a", "b")
    assert read(sheet) == [(0, 4, "1", "2"), (1, 5, None, None), (2, 6, "3", "4")]


def test_visible_sheets_with_records_come_in_order_and_double_headers_stay(tmp_path: Path) -> None:
    def hidden(_: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        rows_of(("x", "y"), (5, 6))(_, sheet)
        sheet.hide()

    path = book_of(
        tmp_path,
        一月=rows_of(("a", "a"), (1, 2)),
        header=rows_of(("a", "b")),
        empty=rows_of(),
        hidden=hidden,
        二月=rows_of(("c", None, "d"), (3, 4, 5)),
    )
    sheets = open_workbook(path, "book.xlsx", FileOptions())
    assert [sheet.layout.sheet for sheet in sheets] == ["一月", "二月"]
    assert [sheet.layout.headers for sheet in sheets] == [("a", "a"), ("c", "column 2", "d")]
    (asked,) = open_workbook(path, "book.xlsx", FileOptions(sheets=("hidden",)))
    assert read(asked) == [(0, 2, "5", "6")]


def test_a_sheet_that_is_not_there_or_holds_nothing_is_an_error(tmp_path: Path) -> None:
    path = book_of(tmp_path, 一月=rows_of(("a", "b"), (1, 2)), leer=rows_of(("a", "b")))
    with pytest.raises(SourceError, match=r"there is no sheet '三月'; name one of '一月', 'leer'"):
        open_workbook(path, "book.xlsx", FileOptions(sheets=("三月",)))
    with pytest.raises(SourceError, match=r"book.xlsx, sheet 'leer': it contains no records"):
        open_workbook(path, "book.xlsx", FileOptions(sheets=("leer",)))


def test_long_sheets_come_in_pieces_and_merged_cells_reach_over_them(tmp_path: Path) -> None:
    def fill(_: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_row(0, 0, ("shift", "x"))
        sheet.merge_range(1, 0, 20_005, 0, "甲")
        for number in range(20_010):
            sheet.write_number(number + 1, 1, number)

    (sheet,) = open_workbook(book_of(tmp_path, A=fill), "book.xlsx", FileOptions())
    assert [piece.cells.height for piece in sheet.pieces()] == [20_000, 10]
    rows = read(sheet)
    assert rows[20_004] == (20_004, 20_006, "甲", "20004")
    assert rows[20_005] == (20_005, 20_007, None, "20005")


def test_a_cell_forgotten_in_the_last_corner_is_an_error(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        rows_of(("a", "b"), (1, 2))(book, sheet)
        sheet.write_string(1_048_575, 16_383, "x")

    path = book_of(tmp_path, A=fill)
    with pytest.raises(SourceError, match="sheet 'A': the sheet extends over 16384 columns and 1048576 rows"):
        open_workbook(path, "book.xlsx", FileOptions())


def test_a_format_in_the_last_corner_is_none(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        rows_of(("a", "b"), (1, 2))(book, sheet)
        sheet.write_blank(1_048_575, 16_383, None, book.add_format({"bold": True}))

    (sheet,) = open_workbook(book_of(tmp_path, A=fill), "book.xlsx", FileOptions())
    assert read(sheet) == [(0, 2, "1", "2")]


def test_open_document_sheets_are_read(tmp_path: Path) -> None:
    path = tmp_path / "book.ods"
    cell = (
        '<table:table-cell office:value-type="{}" office:{}value="{}"><text:p>{}</text:p></table:table-cell>'
    )
    rows = (("string", "样品"), ("string", "Aad")), (("string", "S1"), ("float", "1.5"))
    body = "".join(
        "<table:table-row>"
        + "".join(cell.format(kind, "string-" * (kind == "string"), text, text) for kind, text in row)
        + "</table:table-row>"
        for row in rows
    )
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {names}><office:body><office:spreadsheet>'
        f'<table:table table:name="化验">{body}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
        archive.writestr(
            "META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="{manifest}"></manifest:manifest>'
        )
    (sheet,) = open_workbook(path, "book.ods", FileOptions())
    assert (sheet.layout.sheet, sheet.layout.headers) == ("化验", ("样品", "Aad"))
    assert read(sheet) == [(0, 2, "S1", "1.5")]


def test_numbers_are_read_as_their_formats_show_them(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        percent, padded, unit = (
            book.add_format({"num_format": code}) for code in ("0.00%", "0000000", '0.0"mm"')
        )
        sheet.write_row(0, 1, ["编号", "灰分", "厚度"])
        sheet.write_row(1, 1, [12345, 0.1234, 2.5], None)
        sheet.write_number(2, 1, 12345, padded)
        sheet.write_number(2, 2, 0.1234, percent)
        sheet.write_number(2, 3, 2.5, unit)
        sheet.write_string(3, 1, "0012346", padded)
        sheet.write_string(3, 2, "9.85 %", percent)
        sheet.write_blank(3, 3, None, unit)

    (sheet,) = open_workbook(book_of(tmp_path, s=fill), "book.xlsx", FileOptions())
    assert [row[2:] for row in read(sheet)] == [
        ("12345", "0.1234", "2.5"),
        ("0012345", "12.34%", "2.5 mm"),
        ("0012346", "9.85 %", None),
    ]


def test_numbers_of_more_than_15_digits_are_marked_as_rounded(tmp_path: Path) -> None:
    numbers = [2305011234567890123, 230501123456789012, 1e15, 999999999999999, -2e20]
    path = book_of(tmp_path, s=rows_of(["id", "x"], *([number, "a"] for number in numbers)))
    (sheet,) = open_workbook(path, "book.xlsx", FileOptions())
    assert [row[2] for row in read(sheet)] == [
        "2.30501123456789E+18",
        "2.30501123456789E+17",
        "1E+15",
        "999999999999999",
        "-2E+20",
    ]


def test_formulas_without_a_stored_result_are_reported(tmp_path: Path) -> None:
    def fill(_: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_row(0, 0, ["炉号", "C", "S"])
        sheet.write_row(1, 0, ["A1", 0.1, 0.01])
        sheet.write_formula(1, 2, "=B2*2", None, 0.2)
        sheet.write_string(2, 0, "A2")
        sheet.write_formula(2, 1, '=""', None, " ")

    path = book_of(tmp_path, s=fill)
    stored = (b"<f>B2*2</f><v>0.2</v>", b"<f>B2*2</f>")
    changed = replaced(path, "xl/worksheets/sheet1.xml", *stored)
    (sheet,) = open_workbook(changed, "book.xlsx", FileOptions())
    assert [row[2:] for row in read(sheet)] == [("A1", "0.1", "=B2*2"), ("A2", " ", None)]
    ((check, message),) = sheet.layout.remarks
    assert check == "formula_without_result"
    assert "1 formulas of the sheet 's'" in message


def replaced(path: Path, part: str, old: bytes, new: bytes) -> Path:
    """A copy of a workbook with a text of one part replaced."""
    target = path.with_name("changed.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            data = source.read(name)
            assert name != part or old in data
            copy.writestr(name, data.replace(old, new) if name == part else data)
    return target


def test_day_numbers_of_a_workbook_from_1904(tmp_path: Path) -> None:
    path = tmp_path / "old.xlsx"
    with xlsxwriter.Workbook(path, {"date_1904": True}) as book:
        rows_of(["t", "x"], ["a", 1])(book, book.add_worksheet("s"))
    (sheet,) = open_workbook(path, "old.xlsx", FileOptions())
    assert sheet.layout.date1904


def test_hidden_rows_and_sheets_are_reported_and_read_as_asked(tmp_path: Path) -> None:
    def hiding(_: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        rows_of(["炉号", "C", "S"], ["A1", 1, 2], ["A2", 1, 2], ["A3", 1, 2])(_, sheet)
        sheet.set_row(2, None, None, {"hidden": True})

    def hidden(_: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        rows_of(["炉号", "C"], ["B1", 1])(_, sheet)
        sheet.hide()

    path = book_of(tmp_path, now=hiding, old=hidden)
    (sheet,) = open_workbook(path, "book.xlsx", FileOptions())
    assert [check for check, _ in sheet.layout.remarks] == ["hidden_rows_read", "hidden_sheet"]
    assert len(read(sheet)) == 3
    sheets = open_workbook(path, "book.xlsx", FileOptions(hidden="read"))
    assert [(one.layout.sheet, one.layout.remarks, len(read(one))) for one in sheets] == [
        ("now", (), 3),
        ("old", (), 1),
    ]
    (sheet,) = open_workbook(path, "book.xlsx", FileOptions(hidden="skip"))
    (piece,) = sheet.pieces()
    assert piece.skipped.rows() == [(1, "hidden_row")]


KNOWN = FileOptions(known=("炉号", "C", "Si", "Mn", "S", "Rm", "钢卷号"))


def test_tables_under_each_other_have_each_their_own_header(tmp_path: Path) -> None:
    path = book_of(
        tmp_path,
        s=rows_of(
            ["早班"],
            ["炉号", "C", "S", "备注"],
            ["A1", 0.17, 0.01, "正常"],
            ["A2", 0.18, 0.02, None],
            ["炉号", "C", "S", "备注"],
            ["A3", 0.19, 0.02, None],
            [],
            ["中班"],
            ["炉号", "S", "C"],
            ["A4", 0.01, 0.17],
            ["力学性能"],
            ["钢卷号", "Rm"],
            ["MPa", None],
            ["C1", 300],
        ),
    )
    tables = open_workbook(path, "book.xlsx", KNOWN)
    assert [table.layout.headers[:3] for table in tables][:2] == [("炉号", "C", "S"), ("炉号", "S", "C")]
    assert [table.layout.headers[0] for table in tables][2:] == ["钢卷号_MPa"]
    assert [[row[1] for row in read(table)] for table in tables] == [[3, 4, 5, 6], [10], [14]]
    rows = [row[0] for table in tables for row in read(table)]
    assert len(set(rows)) == len(rows)
    assert tables[0].layout.remarks[0].check == "several_tables"


def test_a_table_of_names_is_one_table(tmp_path: Path) -> None:
    path = book_of(tmp_path, s=rows_of(["炉号", "C"], ["S", "Mn"], ["Si", "C"], ["Mn", "S"], ["C", "Rm"]))
    assert len(open_workbook(path, "book.xlsx", KNOWN)) == 1


@pytest.mark.parametrize("gap", [[], [None]])
def test_tables_side_by_side_are_tables_of_their_own(tmp_path: Path, gap: list[None]) -> None:
    def fill(_: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        left = 3 + len(gap)
        sheet.merge_range(0, 0, 0, 2, "1#转炉")
        sheet.merge_range(0, left, 0, left + 2, "2#转炉")
        rows: list[list[object]] = [["炉号", "C", "S"], ["A1", 0.1, 0.01], ["A2", 0.2, 0.02]]
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, row)
            sheet.write_row(number, left, [str(row[0]).replace("A", "B"), *row[1:]])

    one, other = open_workbook(book_of(tmp_path, s=fill), "book.xlsx", KNOWN)
    assert one.layout.headers == ("1#转炉_炉号", "1#转炉_C", "1#转炉_S")
    assert other.layout.headers == ("2#转炉_炉号", "2#转炉_C", "2#转炉_S")
    assert [row[2:] for row in read(other)] == [("B1", "0.1", "0.01"), ("B2", "0.2", "0.02")]
    assert {row[0] for row in read(one)}.isdisjoint(row[0] for row in read(other))


def test_a_header_below_a_long_preamble_or_where_the_options_say(tmp_path: Path) -> None:
    preamble = [[f"line {number}", "note", "text"] for number in range(32)]
    path = book_of(tmp_path, s=rows_of(*preamble, ["炉号", "C", "S"], ["A1", 0.1, 0.01]))
    (sheet,) = open_workbook(path, "book.xlsx", KNOWN)
    assert (sheet.layout.headers, sheet.layout.header_rows) == (("炉号", "C", "S"), 33)
    (sheet,) = open_workbook(path, "book.xlsx", FileOptions(header=33))
    assert (sheet.layout.headers, sheet.layout.header_rows) == (("炉号", "C", "S"), 33)
