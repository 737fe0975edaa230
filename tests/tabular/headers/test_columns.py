"""The alias table: what a header means, and what is never guessed."""
# ruff: noqa: RUF001  (full-width signs are what is tested)

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tundish.errors import SchemaError
from tundish.tabular.headers.columns import Match, load_columns

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.tabular.headers.columns import ColumnTable

COAL = """
columns:
  sample_id: {names: [化验编号, 样品编号, NO], about: "the laboratory's number"}
  Mt: {unit: '%', names: [全水, 全水分, 'Mt,ar', '全水(Mt)']}
  M_ad: {unit: '%', names: [Mad, 水分Mad]}
  A_ad: {unit: '%', names: [灰分Aad, Aad, 'Aad(%)'], about: 'ash, air dried basis', repeat: 0.3}
  A_ar: {unit: '%', names: [Aar, '收到基灰分(Aar)']}
  A_d: {unit: '%', names: [Ad, 干燥基灰分Ad]}
  V_daf: {unit: '%', names: [Vdaf, '挥发(%Vdaf)']}
  S_t_ad: {unit: '%', names: ['St,ad', '全硫St,ad']}
  S_t_d: {unit: '%', names: ['St,d']}
  Q_net_ar:
    unit: MJ/kg
    names: ['Qnet,ar', 收到基低位热值Qnet,ar, 发热量]
    magnitudes: {MJ/kg: [10, 35], kcal/kg: [2000, 8500], J/g: [10000, 35000]}
  h: {unit: mm, names: [厚度]}
  H_ad: {unit: '%', names: [H, Had]}
  T_finish: {unit: °C, names: [终轧温度]}
ambiguous:
  灰分: [A_ad, A_ar, A_d]
  全硫: [S_t_ad, S_t_d]
  Sad: [S_t_ad]
"""


def table(folder: Path, text: str = COAL) -> ColumnTable:
    path = folder / "coal.yaml"
    path.write_text(text, encoding="utf-8")
    return load_columns(path)


@pytest.mark.parametrize(
    ("header", "column", "unit"),
    [
        ("A_ad", "A_ad", None),
        ("灰分Aad", "A_ad", None),
        ("Aad(%)", "A_ad", "%"),
        ("灰分<br>Aad（％）", "A_ad", "%"),
        ("AAD", "A_ad", None),
        ("全水(Mt)", "Mt", None),
        ("Mt(%)", "Mt", "%"),
        ("挥发(%Vdaf)", "V_daf", "%"),
        ("收到基灰分(Aar)", "A_ar", None),
        ("Qnet,ar（MJ/Kg）", "Q_net_ar", "MJ/kg"),
        ("Qnet,ar(Kcal/kg)", "Q_net_ar", "kcal/kg"),
        ("发热量(卡)", "Q_net_ar", "cal/g"),
        ("终轧温度 [oC]", "T_finish", "°C"),
        ("厚度_mm", "h", "mm"),
        ("no", "sample_id", None),
        ("\ufeff化验编号", "sample_id", None),
    ],
)
def test_a_header_means_its_column(tmp_path: Path, header: str, column: str, unit: str | None) -> None:
    match = table(tmp_path).lookup(header)
    assert (match.column, match.unit) == (column, unit)


@pytest.mark.parametrize("header", ["St,ad", "St，ad", "St.ad", "Stad", "ST AD", "STAD(%)", "S_t,ad"])
def test_mangled_subscripts_that_keep_the_basis(tmp_path: Path, header: str) -> None:
    assert table(tmp_path).lookup(header).column == "S_t_ad"


@pytest.mark.parametrize("header", ["St,d", "St，d", "St.d", "ST D", "S_t_d"])
def test_a_dry_basis_that_is_separated(tmp_path: Path, header: str) -> None:
    assert table(tmp_path).lookup(header).column == "S_t_d"


@pytest.mark.parametrize("header", ["Std", "STD", "全硫(%Std)", "std(%)"])
def test_std_is_never_guessed(tmp_path: Path, header: str) -> None:
    match = table(tmp_path).lookup(header)
    assert match.column is None
    if header != "全硫(%Std)":
        assert match.candidates == ("S_t_d", "S_t_ad")


@pytest.mark.parametrize("header", ["灰分", "灰分(%)", "灰 分", "工业分析_灰分(%)"])
def test_names_in_ambiguous_are_never_guessed(tmp_path: Path, header: str) -> None:
    assert table(tmp_path).lookup(header).candidates == ("A_ad", "A_ar", "A_d")


def test_ambiguous_wins_over_an_alias(tmp_path: Path) -> None:
    text = COAL.replace("names: [Ad, 干燥基灰分Ad]", "names: [Ad, 灰分]")
    assert table(tmp_path, text).lookup("灰分").column is None


def test_case_tells_where_it_must(tmp_path: Path) -> None:
    coal = table(tmp_path)
    assert coal.lookup("H").column == "H_ad"
    assert coal.lookup("h").column == "h"


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("工业分析_灰分Aad(%)", "A_ad"),
        ("工业分析(%)_Aad", "A_ad"),
        ("空干基_灰分", "A_ad"),
        ("干燥无灰基_Vdaf", "V_daf"),
    ],
)
def test_two_rows_of_header(tmp_path: Path, header: str, column: str) -> None:
    assert table(tmp_path).lookup(header).column == column


def test_the_unit_may_be_in_the_first_row(tmp_path: Path) -> None:
    assert table(tmp_path).lookup("工业分析(%)_Aad").unit == "%"


@pytest.mark.parametrize("header", ["目标_终轧温度", "终轧温度上限_终轧温度", "干燥基_Aad", "收到基_Aad"])
def test_the_first_row_may_say_that_it_is_another_thing(tmp_path: Path, header: str) -> None:
    match = table(tmp_path).lookup(header)
    assert match.column is None
    assert len(match.candidates) == 1


def test_a_basis_alone_in_the_second_row_is_not_a_column(tmp_path: Path) -> None:
    assert table(tmp_path).lookup("水分_ad").column is None
    assert table(tmp_path).lookup("水分_ad").candidates == ()


def test_the_last_part_counts_only_where_rows_were_joined(tmp_path: Path) -> None:
    assert table(tmp_path).lookup("x_Aad", joined=False).column is None


def test_a_strange_unit_is_not_overlooked(tmp_path: Path) -> None:
    match = table(tmp_path).lookup("厚度(psig)")
    assert (match.column, match.candidates, match.strange) == (None, ("h",), "psig")


def test_an_unknown_header(tmp_path: Path) -> None:
    match = table(tmp_path).lookup("化验员")
    assert (match.column, match.candidates) == (None, ())


def test_a_model_s_own_columns_alone(tmp_path: Path) -> None:
    narrow = table(tmp_path).only(["A_ad", "h"])
    assert narrow.lookup("H").column == "h"
    assert narrow.lookup("灰分").candidates == ("A_ad",)
    assert narrow.lookup("全硫").candidates == ()


def test_close_headers(tmp_path: Path) -> None:
    assert table(tmp_path).close("T_finish", ["终轧温度均值", "卷取温度", "x"]) == ("终轧温度均值",)


def test_what_a_table_says_of_a_column(tmp_path: Path) -> None:
    coal = table(tmp_path)
    assert coal.columns["A_ad"].repeat == 0.3
    assert (coal.about("A_ad"), coal.unit("A_ad"), coal.unit("sample_id")) == (
        "ash, air dried basis",
        "%",
        None,
    )
    assert coal.columns["Q_net_ar"].magnitudes["J/g"] == (10_000, 35_000)
    assert {"Aad(%)", "NO", "灰分", "h"} <= set(coal.spellings())


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("columns:\n  A: {unit: MJ/kgg}", 2, "MJ/kgg"),
        ("columns:\n  A: {units: mm}", 2, "did you mean 'unit'"),
        ("colums:\n  A: {}", 1, "did you mean 'columns'"),
        ("columns:\n  A: {}\n  A: {}", 3, "twice"),
        ("columns:\n  A: {names: Aad}", 2, "list"),
        ("columns:\n  A: {unit: mm, magnitudes: {kg: [1, 2]}}", 2, "kg"),
        ("columns:\n  A: {unit: mm, magnitudes: {m: [2, 1]}}", 2, "range"),
        ("columns:\n  A: {repeat: often}", 2, "often"),
        ("columns:\n  A: {}\nambiguous:\n  X: [B]", 4, "'B'"),
        ("columns:\n  A: {unit: [", 2, "YAML"),
        ("- A", 1, "mapping"),
    ],
)
def test_what_is_wrong_is_reported_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(SchemaError) as caught:
        table(tmp_path, text)
    assert f"coal.yaml:{line}" in str(caught.value)
    assert words in str(caught.value)


def test_a_known_name_that_ends_like_a_unit(tmp_path: Path) -> None:
    fusion = table(tmp_path, "columns:\n  T_FT: {unit: '°C', names: [灰熔融性FT, 流动温度]}\n")
    assert fusion.lookup("灰熔融性FT") == Match("T_FT")
    assert fusion.lookup("流动温度(K)") == Match("T_FT", unit="K")


def test_a_missing_table(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="no alias table"):
        load_columns(tmp_path / "none.yaml")


@pytest.mark.parametrize("others", [["Mad"], ["St,ad"], ["空干基灰分Aad(%)"], ["Qgr,ad (MJ/kg)"], ["FC ad"]])
def test_ad_is_ash_of_dry_coal_where_the_file_writes_air_dried_in_full(
    tmp_path: Path, others: list[str]
) -> None:
    found = table(tmp_path).beside(["Ad", *others])
    assert found.lookup("Ad").column == found.lookup("Ad(%)").column == "A_d"


@pytest.mark.parametrize("header", ["Ad", "AD", "ad", "Ad(%)", "Ａｄ"])
@pytest.mark.parametrize("others", [[], ["Mt", "Load", "Grad"], ["MAD", "AAD"]])
def test_ad_alone_is_never_guessed(tmp_path: Path, header: str, others: list[str]) -> None:
    match = table(tmp_path).beside([header, *others]).lookup(header)
    assert (match.column, match.candidates) == (None, ("A_d", "A_ad"))


@pytest.mark.parametrize("header", ["d", "D", "ar", "daf", "灰分(d)", "灰分_d", "Sd"])
def test_a_basis_alone_is_not_a_column(tmp_path: Path, header: str) -> None:
    assert table(tmp_path).lookup(header).column is None
