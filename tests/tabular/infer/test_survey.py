"""The kind, unit, key and evidence of each column, from all records of a sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import xlsxwriter

from tundish.tabular.base import FileOptions
from tundish.tabular.files.open import open_table
from tundish.tabular.infer.survey import Surveyed, find_key, survey
from tundish.tabular.plan import ReadOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def columns(tmp_path: Path, header: str, rows: Sequence[str]) -> dict[str, Surveyed]:
    path = tmp_path / "t.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    (sheet,) = open_table(path, path.name, FileOptions())
    return {one.header: one for one in survey(sheet, ReadOptions())}


@pytest.mark.parametrize(
    ("header", "cells", "kind"),
    [
        ("x", ["1.5", "2", "<0.5", "-"], "real"),
        ("x", ["1", "2", "3", "5"], "real"),
        ("件数", ["1", "2", "3", "5"], "integer"),
        ("炉号", ["1001", "1002", "1003", "1004"], "text"),
        ("x", ["0012", "0013", "0014", "0015"], "text"),
        ("x", ["1234567890123456789", "1234567890123456788", "1", "2"], "text"),
        ("x", ["是", "否", "是", "否"], "flag"),
        ("x", ["2026-05-01 08:00", "2026-05-01 09:00", "", "2026/5/2 8:00"], "time"),
        ("x", ["20260501", "20260502", "20260503", "20260504"], "time"),
        ("日期", ["45000", "45001", "45002", "45003.5"], "time"),
        ("时间(min)", ["45000", "45001", "45002", "45003"], "real"),
        ("day", ["1", "2", "3", "4"], "real"),
        ("卷号", ["20260501", "20260502", "20260503", "20260504"], "text"),
        ("x", ["甲", "乙", "1", "2"], "text"),
        ("温度(℃)", ["1", "2", "3", "坏"], "real"),
        ("x", ["", "", "", ""], "text"),
    ],
)
def test_the_kind_of_a_column_is_that_of_its_values_and_its_header(
    tmp_path: Path, header: str, cells: list[str], kind: str
) -> None:
    found = columns(tmp_path, f"key,{header}", [f"A{at},{cell}" for at, cell in enumerate(cells)])
    assert found[header].kind == kind


def test_whole_numbers_in_plenty_are_whole_and_measures_are_not(tmp_path: Path) -> None:
    rows = [f"A{at},{at * 3},{at % 5},{at * 2}" for at in range(150)]
    found = columns(tmp_path, "key,pixels,stand,长度(mm)", rows)
    assert {name: one.kind for name, one in found.items()} == {
        "key": "text",
        "pixels": "integer",
        "stand": "integer",
        "长度(mm)": "real",
    }
    assert found["stand"].evidence.categories == (0, 1, 2, 3, 4)


def test_evidence_counts_and_limits_leave_outliers_outside(tmp_path: Path) -> None:
    rows = [f"A{at},{100 + at % 10 if at != 7 else 9999},{'' if at % 4 == 0 else at}" for at in range(100)]
    found = columns(tmp_path, "key,x,y", rows)
    x, y = found["x"].evidence, found["y"].evidence
    assert (x.filled, x.missing, x.least, x.most, x.examples) == (100, 0, 100, 9999, (100, 101, 102))
    assert x.usual is not None
    low, high = x.usual
    assert 80 < low < 100
    assert 109 < high < 130
    assert (y.filled, y.missing) == (75, 25)


@pytest.mark.parametrize(
    ("header", "row", "key"),
    [
        ("时间,炉号,x", "2026-05-01 {0:02d}:00,H{0},1.5", "炉号"),
        ("时间,x", "2026-05-01 {0:02d}:00,1.5", "时间"),
        ("x,炉号", "{0}.5,H{1}", None),
        ("名,x", "N{0},1", "名"),
        ("x,y,remark", "1,2,R{0}", None),
        ("seq,x", "{0},1.5", "seq"),
    ],
)
def test_find_key__an_identifier_before_a_time_before_nothing(
    tmp_path: Path, header: str, row: str, key: str | None
) -> None:
    found = columns(tmp_path, header, [row.format(at, at // 2) for at in range(24)])
    chosen = find_key(list(found.values()))
    assert (chosen and chosen.header) == key


def test_a_column_that_turns_into_text_further_down_is_text(tmp_path: Path) -> None:
    cells = ["1.5"] * 3000 + ["n o p e"] * 1000
    found = columns(tmp_path, "key,x", [f"A{at},{cell}" for at, cell in enumerate(cells)])
    assert found["x"].kind == "text"
    assert found["x"].evidence.filled == 4000


def test_what_the_first_piece_leaves_open_later_ones_settle(tmp_path: Path) -> None:
    """A piece has 20,000 rows of a workbook or 8 MiB of a text."""
    early = [f"K{at};2,498;03/04/2024;;{'x' * 90}" for at in range(90_000)]
    found = columns(tmp_path, "id;Dicke;Datum;spät;text", [*early, "K;0,5;31/12/2024;12,5;x"])
    assert {name: one.kind for name, one in found.items()} == {
        "id": "text",
        "Dicke": "real",
        "Datum": "time",
        "spät": "real",
        "text": "text",
    }
    assert (found["Dicke"].evidence.least, found["Dicke"].evidence.most) == (0.5, 2.498)
    assert found["Datum"].evidence.unread == 0
    assert str(found["Datum"].evidence.least)[:10] == "2024-04-03"
    assert found["spät"].evidence.examples == (12.5,)


def test_decimal_commas_after_a_first_piece_of_whole_numbers(tmp_path: Path) -> None:
    early = [f"K{at};{at};;{'x' * 100}" for at in range(90_000)]
    found = columns(tmp_path, "id;n;Dicke;text", [*early, "K;1;2,498;x", "L;1;12,5;x"])
    assert found["Dicke"].kind == "real"
    assert found["Dicke"].evidence.examples == (2.498, 12.5)


def test_texts_with_a_decimal_comma_in_a_workbook_of_typed_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("A")
        for row, cells in enumerate([("id", "Dicke"), ("K1", 2.5), ("K2", "2,75"), ("K3", 0.25)]):
            sheet.write_row(row, 0, cells)
    (opened,) = open_table(path, path.name, FileOptions())
    _, dicke = survey(opened, ReadOptions())
    assert (dicke.kind, dicke.evidence.unread, dicke.evidence.examples) == ("real", 0, (2.5, 2.75, 0.25))
