from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tundish.errors import SourceError
from tundish.tabular.base import FileOptions
from tundish.tabular.files.delimited import DelimitedSheet, open_delimited
from tundish.tabular.files.open import open_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "gb18030")


def sheet_of(
    folder: Path, data: str | bytes, asked: FileOptions | None = None, size: int = 1 << 20
) -> DelimitedSheet:
    path = folder / "table.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    sheet = open_delimited(path, "table.csv", asked or FileOptions())[0]
    return DelimitedSheet(sheet.layout, path, "table.csv", sheet.dialect, sheet.first_line, size)


def read(sheet: DelimitedSheet) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Cells with their place, and place and check of the broken ones; each record in one of them."""
    cells: list[tuple[object, ...]] = []
    broken: list[tuple[object, ...]] = []
    done = 0
    for piece in sheet.pieces():
        cells += piece.cells.rows()
        broken += piece.broken.select("row", "line", "check").rows()
        seen = sorted([*piece.cells["row"], *piece.broken["row"]])
        assert seen == list(range(done, done + len(seen)))
        done += len(seen)
    return cells, broken


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_every_encoding_newline_and_separator(
    tmp_path: Path, encoding: str, newline: str, separator: str
) -> None:
    lines = ["炉号,灰分,备注", "A1,1.5,好", 'A2,.70,"甲, 乙; 丙| 丁\t戊"', "A3,,"]
    rows = [line.replace(",", separator, 2) for line in lines]
    sheet = sheet_of(tmp_path, newline.join([*rows, ""]).encode(encoding))
    assert sheet.layout.headers == ("炉号", "灰分", "备注")
    assert (sheet.layout.encoding, sheet.layout.separator) == (encoding, separator)
    assert read(sheet) == (
        [
            (0, 2, "A1", "1.5", "好"),
            (1, 3, "A2", ".70", "甲, 乙; 丙| 丁\t戊"),
            (2, 4, "A3", None, None),
        ],
        [],
    )


def test_decimal_commas_do_not_pass_for_separators(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, "a;b\n1,5;2,5\n3,5;4,5\n")
    assert read(sheet)[0] == [(0, 2, "1,5", "2,5"), (1, 3, "3,5", "4,5")]


def test_excel_may_name_the_separator(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, "sep=;\na,b;c\n1;2\n")
    assert sheet.layout.headers == ("a,b", "c")
    assert read(sheet)[0] == [(0, 3, "1", "2")]


def test_a_table_of_one_column_has_no_separator(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, 'remark\nfine\nhello, world\n"two\nlines"\nlast\n')
    assert sheet.layout.separator is None
    assert [row[2] for row in read(sheet)[0]] == ["fine", "hello, world", "two\nlines", "last"]


def test_blank_lines_between_are_records_and_at_the_end_none(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, "a,b\n1,x\n\n  \n2,y\n\n\r\n\n", size=8)
    nothing = (None, None)
    assert read(sheet) == ([(0, 2, "1", "x"), (1, 3, *nothing), (2, 4, *nothing), (3, 5, "2", "y")], [])


def test_an_empty_field_is_null_in_quotes_too(tmp_path: Path) -> None:
    assert read(sheet_of(tmp_path, 'a,b,c\n"",,x\n'))[0] == [(0, 2, None, None, "x")]


@pytest.mark.parametrize(
    "line",
    ['A2,"5', 'A2",5', '"A2,5', 'A2,5"', '"A2"x,5', 'A2,""5"', 'A2"x,5"y', 'A2,"5"6"'],
)
def test_a_stray_quote_breaks_its_line_alone(tmp_path: Path, line: str) -> None:
    data = f'id,value\nA1,1\n{line}\nA3,"3"\nA4,"x\ny"\nA5,5\n'
    assert read(sheet_of(tmp_path, data)) == (
        [(0, 2, "A1", "1"), (2, 4, "A3", "3"), (3, 5, "A4", "x\ny"), (4, 7, "A5", "5")],
        [(1, 3, "broken_quote")],
    )


def test_two_stray_quotes_do_not_swallow_the_lines_between(tmp_path: Path) -> None:
    lines = ["id,value,note", *(f"A{number},{number},x" for number in range(40))]
    lines[11] = 'A10,"10,x'
    lines[31] = 'A30,30",x'
    cells, broken = read(sheet_of(tmp_path, "\n".join(lines) + "\n"))
    assert broken == [(10, 12, "broken_quote"), (30, 32, "broken_quote")]
    assert len(cells) == 38


def test_balanced_quotes_within_a_field_are_text(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, 'a,b\n12"x3",2\n"4""5", "6,7" \n')
    assert read(sheet) == ([(0, 2, '12"x3"', "2"), (1, 3, '4"5', "6,7")], [])


def test_too_many_and_too_few_fields_are_reported(tmp_path: Path) -> None:
    cells, broken = read(sheet_of(tmp_path, 'a,b,c\n1,2,3\n1,2\n1,2,3,4\n"1,2",3\n4,5,6\n'))
    assert [row[0] for row in cells] == [0, 4]
    assert broken == [(row, row + 2, "field_count") for row in (1, 2, 3)]


def test_a_broken_record_shows_its_text_and_says_what_is_wrong(tmp_path: Path) -> None:
    (piece,) = sheet_of(tmp_path, "a,b\n1,2\n1,2,3\n").pieces()
    assert piece.broken.row(0, named=True) == {
        "row": 1,
        "line": 3,
        "check": "field_count",
        "value": "1,2,3",
        "message": "3 fields where the table has 2 columns",
    }


def test_separators_at_the_end_of_all_records_are_a_column_without_name(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, "a,b\n1,2,\n3,4,\n5,6,\n")
    assert sheet.layout.headers == ("a", "b", "column 3")
    assert len(read(sheet)[0]) == 3


def test_a_field_too_many_in_every_record_shifts_nothing(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, "a,b\n1,2,x\n3,4,y\n5,6,z\n")
    assert sheet.layout.headers == ("a", "b")
    assert [check for _, _, check in read(sheet)[1]] == ["field_count"] * 3


def test_a_header_longer_than_all_records_loses_no_name(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, "a,b,c\n1,2\n3,4\n5,6\n")
    assert sheet.layout.headers == ("a", "b", "c")
    assert [check for _, _, check in read(sheet)[1]] == ["field_count"] * 3


def test_mixed_encodings_and_nul_bytes_break_their_lines(tmp_path: Path) -> None:
    gbk = "A1,灰分\n".encode("gbk")
    data = "炉号,项目\n".encode("gbk") + gbk + "A2,灰分\n".encode() + gbk + b"A4,\0\0\n" + gbk
    cells, broken = read(sheet_of(tmp_path, data, size=12))
    assert broken == [(1, 3, "mixed_encoding"), (3, 5, "nul_byte")]
    assert [row[:2] for row in cells] == [(0, 2), (2, 4), (4, 6)]


def test_a_header_in_another_encoding_is_an_error(tmp_path: Path) -> None:
    data = "炉号,项目\n".encode("gbk") + "A1,灰分\n".encode() * 9
    with pytest.raises(SourceError, match=r"table.csv, line 1: the header cannot be read"):
        sheet_of(tmp_path, data)


def test_lines_wrapped_in_quotes_are_unwrapped(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, '"a\tb\tc"\r\n"1\t2\t3"\r\n"4\t\t6"\r\n"7\t""8""\t9"\r\n')
    assert sheet.layout.separator == "\t"
    assert read(sheet) == ([(0, 2, "1", "2", "3"), (1, 3, "4", None, "6"), (2, 4, "7", "8", "9")], [])


def test_a_line_of_a_field_that_looks_wrapped_is_left_alone(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, 'a,b,c\n"x\n",b,"\ny"\n')
    assert read(sheet)[0] == [(0, 2, "x\n", "b", "\ny")]


def test_a_blank_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="empty"):
        sheet_of(tmp_path, "\n\n")


def test_a_header_alone_has_no_records(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, "炉号,灰分\n")
    assert sheet.layout.headers == ("炉号", "灰分")
    assert read(sheet) == ([], [])


def test_a_sheet_can_be_read_twice_and_left_early(tmp_path: Path) -> None:
    sheet = sheet_of(tmp_path, "a,b\n" + "1,2\n" * 1000, size=100)
    next(iter(sheet.pieces()))
    assert len(read(sheet)[0]) == len(read(sheet)[0]) == 1000


TEXT = st.text(
    st.sampled_from("ab1,;|\t\"'\n\r 灰分炉號𠮷€°")
    | st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]),
    max_size=8,
).filter(lambda text: "\ufffd" not in text and "锟斤拷" not in text)


@given(
    rows=st.integers(2, 5).flatmap(
        lambda width: st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1, max_size=12)
    ),
    encoding=st.sampled_from(ENCODINGS),
    separator=st.sampled_from(",;\t|"),
    newline=st.sampled_from(["\n", "\r\n"]),
    quote_all=st.booleans(),
    size=st.integers(1, 200),
)
@example(rows=[["", "\n"]], encoding="utf-8", separator=",", newline="\n", quote_all=False, size=1)
def test_any_table_comes_back_cell_for_cell(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    encoding: str,
    separator: str,
    newline: str,
    quote_all: bool,
    size: int,
) -> None:
    header = [f"名{chr(97 + column)}" for column in range(len(rows[0]))]
    if newline == "\n":  # the writer leaves a carriage return alone then, and it is that of CRLF
        rows = [[cell.replace("\r", "") for cell in row] for row in rows]
    quoting: Literal[0, 1] = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=newline, quoting=quoting).writerows([header, *rows])
    data = text.getvalue().encode(encoding)
    asked = FileOptions(header_rows=1, encoding="gb18030" if encoding == "gb18030" else None)
    sheet = sheet_of(tmp_path_factory.mktemp("table"), data, asked, size)
    assert sheet.layout.headers == tuple(header)
    cells, broken = read(sheet)
    expected = [tuple(cell or None for cell in row) for row in rows]
    told = {row for row, _, _ in broken}
    if encoding != "gb18030":
        assert not broken
    assert [row[2:] for row in cells] == [row for number, row in enumerate(expected) if number not in told]
    lines = header_lines(text.getvalue(), separator)
    assert [row[1] for row in cells] == [line for number, line in enumerate(lines) if number not in told]


def header_lines(text: str, separator: str) -> Sequence[int]:
    """The line each record begins on, from 1, the header's left out."""
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=separator)
    starts, last = [], 0
    for _ in reader:
        starts.append(last + 1)
        last = reader.line_num
    return starts[1:]


@given(
    rows=st.lists(
        st.lists(st.text("abc 12.灰", min_size=1, max_size=5), min_size=3, max_size=3),
        min_size=2,
        max_size=30,
    ),
    line=st.integers(0, 1000),
    column=st.integers(0, 1000),
    size=st.integers(1, 200),
)
def test_a_stray_quote_anywhere_breaks_at_most_its_own_record(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], line: int, column: int, size: int
) -> None:
    line %= len(rows)
    lines = [",".join(row) for row in rows]
    column %= len(lines[line]) + 1
    lines[line] = lines[line][:column] + '"' + lines[line][column:]
    data = "\n".join(["x,y,z", *lines]) + "\n"
    cells, broken = read(sheet_of(tmp_path_factory.mktemp("stray"), data, FileOptions(header_rows=1), size))
    assert {row for row, _, _ in broken} <= {line}
    others = {row[0]: row[2:] for row in cells if row[0] != line}
    blank = [not any(cell.strip() for cell in row) for row in rows]
    assert others == {number: tuple(row) for number, row in enumerate(rows) if number != line} or any(blank)


@pytest.mark.shared
def test_both_steel_files_hold_the_same_table(shared_data: Path) -> None:
    folder = shared_data / "steel_plates_faults"
    frames = []
    for name in ("Faults.NNA", "SteelPlatesFaults_Clean.csv"):
        sheet = open_delimited(folder / name, name, FileOptions())[0]
        pieces = list(sheet.pieces())
        assert all(piece.broken.is_empty() for piece in pieces)
        frames.append(pl.concat(piece.cells for piece in pieces).drop("row", "line").cast(pl.Float64))
    assert frames[0].shape == (1941, 34)
    assert frames[0].equals(frames[1])


@pytest.mark.shared
def test_the_steel_names_fit_both_files(shared_data: Path) -> None:
    folder = shared_data / "steel_plates_faults"
    names = tuple((folder / "Faults27x7_var").read_text().split())
    layouts = [
        open_delimited(folder / name, name, FileOptions(names=names))[0].layout
        for name in ("Faults.NNA", "SteelPlatesFaults_Clean.csv")
    ]
    assert (layouts[0].headers, layouts[0].header_rows) == (names, 0)
    assert (layouts[1].headers[-1], layouts[1].header_rows) == ("Other_Faults", 1)


@pytest.mark.shared
def test_the_coal_file_is_whole(shared_data: Path) -> None:
    sheet = open_delimited(shared_data / "coal_quality" / "coal_all.csv", "coal_all.csv", FileOptions())[0]
    (piece,) = sheet.pieces()
    assert piece.cells.shape == (4540, 12)
    assert sheet.layout.headers[-1] == "GCV"
    assert piece.cells["c8"][0] == ".70"


KNOWN = FileOptions(known=("炉号", "C", "Si", "Mn", "S", "钢卷号", "Rm"))


@pytest.mark.parametrize("size", [5, 1 << 20])
def test_tables_under_each_other_have_each_their_own_header(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.csv"
    lines = [
        "早班,,",
        "炉号,C,Mn",
        "A1,0.1,1.3",
        "炉号,C,Mn",
        "A2,0.2,1.2",
        "",
        "中班,,",
        "炉号,Mn,C",
        "A3,1.3,0.1",
    ]
    lines += ["力学性能", "钢卷号,Rm,Si,S", "C1,300,0,1", "C2,310,0,1"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sheets = [replace(sheet, size=size) for sheet in open_delimited(path, "a.csv", KNOWN)]
    assert [sheet.layout.headers for sheet in sheets] == [
        ("炉号", "C", "Mn"),
        ("炉号", "Mn", "C"),
        ("钢卷号", "Rm", "Si", "S"),
    ]
    found = [[row for piece in sheet.pieces() for row in piece.cells.rows()] for sheet in sheets]
    assert [[row[1:3] for row in rows] for rows in found] == [
        [(3, "A1"), (4, "炉号"), (5, "A2")],
        [(9, "A3")],
        [(12, "C1"), (13, "C2")],
    ]
    numbers = [row[0] for rows in found for row in rows]
    assert len(set(numbers)) == len(numbers)


def test_an_encoding_that_the_recipe_states(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("номер;марка\n1;сталь\n".encode("cp1251"))
    (sheet,) = open_delimited(path, "a.csv", FileOptions(encoding="cp1251"))
    assert sheet.layout.headers == ("номер", "марка")
    assert read(sheet)[0] == [(0, 2, "1", "сталь")]


def test_rows_outside_and_a_footer_are_skipped_even_where_they_cannot_be_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,x,y\n1,2,3\n2,3,4\n3,4,5\n合计 3,\n打印: 张\n", encoding="utf-8")
    (sheet,) = open_table(path, "a.csv", FileOptions(lines=(3, None), footer=2))
    (piece,) = sheet.pieces()
    assert piece.broken.is_empty()
    assert piece.cells["line"].to_list() == [2, 3, 4, 5, 6]
    assert sorted(piece.skipped.rows()) == [(0, "outside_rows"), (3, "outside_rows"), (4, "outside_rows")]
