from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tundish.errors import SourceError
from tundish.tabular.base import FileOptions
from tundish.tabular.files.header_rows import Header, find_header

if TYPE_CHECKING:
    from collections.abc import Sequence

NUMBERS = [("S1", "1.5", "2", "<0.01"), ("S2", "2.5", "-3", "-"), ("S3", "3", ".7", "2024-03-01")]
NAMES = ("样品编号", "Aad", "Vad", "日期")


def find(
    rows: Sequence[tuple[str | None, ...]], asked: FileOptions | None = None, **merged: object
) -> Header:
    spans = merged.get("merged", ())
    assert isinstance(spans, (tuple, list))
    return find_header(rows, max(map(len, rows)), asked or FileOptions(), "table.csv", spans)


def test_one_row_of_text_over_numbers() -> None:
    assert find([NAMES, *NUMBERS]) == Header(1, 0, NAMES)


def test_numbers_from_the_first_row_on_have_no_header() -> None:
    rows: list[tuple[str | None, ...]] = [("42", "50", "0.5"), ("645", "651", "0.7"), ("8", "9", "1")]
    assert find(rows) == Header(0, 0, ("column 1", "column 2", "column 3"))


def test_codes_of_one_pattern_have_no_header() -> None:
    rows: list[tuple[str | None, ...]] = [("A001", "Q235B"), ("A002", "Q345B"), ("A003", "Q235B")]
    assert find(rows).rows == 0


def test_text_over_text_has_a_header() -> None:
    rows: list[tuple[str | None, ...]] = [("卷号", "判定"), ("A001", "合格"), ("A002", "不合格")]
    assert find(rows) == Header(1, 0, ("卷号", "判定"))


@pytest.mark.parametrize(
    "title",
    [
        ("2024年3月化验报表", None, None, None),
        ("# exported", None, None, None),
        (None, None, None, None),
        ("送样单位\uff1a一厂", None, None, "日期"),
    ],
)
def test_titles_above_the_header_are_left_out(title: tuple[str | None, ...]) -> None:
    assert find([title, NAMES, *NUMBERS]) == Header(2, 1, NAMES)


def test_groups_of_merged_cells_are_joined_to_the_names_below() -> None:
    rows = [
        ("炉号", "化学成分", None, "性能", None),
        (None, "C", "Si", "ReL", "Rm"),
        ("H1", "0.1", "0.2", "235", "400"),
    ]
    merged = [(0, 0, 1, 0), (0, 1, 0, 2), (0, 3, 0, 4)]
    names = ("炉号", "化学成分_C", "化学成分_Si", "性能_ReL", "性能_Rm")
    assert find(rows, merged=merged) == Header(2, 0, names)
    assert find(rows) == Header(2, 0, names), "as a CSV holds it, whose merged cells are gone"


def test_a_title_merged_over_the_width_is_not_a_group() -> None:
    rows = [
        ("2024年3月化验报表", None, None, None),
        ("样品", "工业分析", None, "备注"),
        (None, "Aad", "Vad", None),
        ("S1", "10.1", "30", "好"),
    ]
    merged = [(0, 0, 0, 3), (1, 0, 2, 0), (1, 1, 1, 2), (1, 3, 2, 3)]
    assert find(rows, merged=merged) == Header(3, 1, ("样品", "工业分析_Aad", "工业分析_Vad", "备注"))


def test_three_rows_of_header() -> None:
    rows = [
        ("炉号", "成分", None, None),
        (None, "主要", None, "残余"),
        (None, "C", "Si", "Cu"),
        ("H1", "0.1", "0.2", "0.01"),
    ]
    merged = [(0, 0, 2, 0), (0, 1, 0, 3), (1, 1, 1, 2)]
    names = ("炉号", "成分_主要_C", "成分_主要_Si", "成分_残余_Cu")
    assert find(rows, merged=merged) == Header(3, 0, names)


def test_a_row_of_units_belongs_to_the_header() -> None:
    rows = [("炉号", "C", "温度"), (None, "%", "℃"), ("H1", "0.1", "1250"), ("H2", "0.2", "1260")]
    assert find(rows) == Header(2, 0, ("炉号", "C_%", "温度_℃"))


def test_an_empty_name_is_numbered_and_a_double_one_is_kept() -> None:
    rows = [("a", None, "a"), ("1", "2", "3"), ("4", "5", "6")]
    assert find(rows).names == ("a", "column 2", "a")


def test_a_column_of_text_without_name_is_not_a_second_row() -> None:
    rows = [(None, "name", "x"), ("A", "foo", "bar"), ("B", "foo", "baz")]
    assert find(rows).rows == 1


def test_known_names_tell_the_header_where_shape_does_not() -> None:
    rows = [("甲厂", "三月", "化验"), ("炉 号", "\uff21ad", "备注"), ("H1", "x", "y"), ("H2", "x", "y")]
    assert find(rows, FileOptions(known=("炉号", "aad"))) == Header(2, 1, ("炉 号", "\uff21ad", "备注"))
    assert find(rows).rows == 1


def test_known_names_tell_a_header_of_numbers() -> None:
    rows = [("炉号", "2023", "2024"), ("H1", "1", "2"), ("H2", "3", "4")]
    assert find(rows, FileOptions(known=("炉号", "2023", "2024"))).rows == 1


def test_a_value_spelled_as_a_name_makes_no_header() -> None:
    rows = [("炉号", "级别", "厚度", "宽度"), ("H1", "C", "3", "4"), ("H2", "C", "3", "4")]
    assert find(rows, FileOptions(known=("C",))).rows == 1


def test_names_from_the_recipe_replace_a_missing_header() -> None:
    rows = [("42", "50"), ("645", "651")]
    assert find(rows, FileOptions(names=("x", "y"))) == Header(0, 0, ("x", "y"))


def test_a_header_that_has_the_names_is_the_header() -> None:
    rows = [("X", "y ", "zz"), ("42", "50", "1"), ("645", "651", "1")]
    assert find(rows, FileOptions(names=("x", "y", "z"))) == Header(1, 0, ("X", "y", "zz"))


def test_too_few_names_are_an_error() -> None:
    with pytest.raises(SourceError, match=r"table.csv: the recipe names 1 columns, but the table has 2"):
        find([("42", "50")], FileOptions(names=("x",)))


@pytest.mark.parametrize(("asked", "wanted"), [(0, 0), (1, 1), (2, 2)])
def test_what_is_asked_for_is_obeyed(asked: int, wanted: int) -> None:
    assert find([NAMES, *NUMBERS], FileOptions(header_rows=asked)).rows == wanted


def test_rows_asked_for_count_titles() -> None:
    rows = [("报表", None, None, None), NAMES, *NUMBERS]
    assert find(rows, FileOptions(header_rows=2)) == Header(2, 1, NAMES)
