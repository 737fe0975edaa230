"""Headers as plants write them."""
# ruff: noqa: RUF001  (full-width signs are what is tested)

from __future__ import annotations

import pytest

from tundish.tabular.text import clean, compare, split_unit, squeeze


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("灰分Aad(%)", "灰分Aad", "%"),
        ("Qnet,ar\uff08MJ/Kg\uff09", "Qnet,ar", "MJ/kg"),
        ("Qnet,ar(Kcal/kg)", "Qnet,ar", "kcal/kg"),
        ("Qnet,ar(J/g)", "Qnet,ar", "J/g"),
        ("Qnet,ar/(MJ/kg)", "Qnet,ar", "MJ/kg"),
        ("发热量(卡)", "发热量", "cal/g"),
        ("发热量MJ/kg", "发热量", "MJ/kg"),
        ("GCV (kcal/kg)", "GCV", "kcal/kg"),
        ("终轧温度 [oC]", "终轧温度", "°C"),
        ("终轧温度(℃)", "终轧温度", "°C"),
        ("N/ppm", "N", "ppm"),
        ("[N]ppm", "[N]", "ppm"),
        ("%C", "C", "%"),
        ("挥发(%Vdaf)", "挥发(Vdaf)", "%"),
        ("固定碳<br>(%Fcd)", "固定碳(Fcd)", "%"),
        ("灰分Aad%", "灰分Aad", "%"),
        ("灰分Aad(质量分数, %)", "灰分Aad", "%"),
        ("厚度_mm", "厚度", "mm"),
        ("厚度mm", "厚度", "mm"),
        ("重量(T)", "重量", "t"),
        ("化学成分_C(%)", "化学成分_C", "%"),
    ],
)
def test_a_unit_is_split_from_its_header(header: str, name: str, unit: str) -> None:
    assert split_unit(header) == (name, unit)


@pytest.mark.parametrize(
    "header",
    [
        *("[C]", "Std.Ash", "全水(Mt)", "粘结指数(GRI / GR.I)", "胶质层(Y)", "化学成分_C", "化学成分_Mn"),
        *("S_t", "Qgr,d", "St,ad", "子样数/采样点数", "水分Mad", "Mn", "(%)", "灰分(xx/kg)"),
        *("h_min", "h_bar", "h_in", "FDT_MIN"),
    ],
)
def test_what_is_not_a_unit_stays_in_the_name(header: str) -> None:
    assert split_unit(header) == (header, None)


def test_headers_are_compared_without_breaks_blanks_brackets_and_case() -> None:
    assert compare("\ufeff卷\u3000号<br>") == "卷号"
    assert compare("灰分\uff08Aad\uff09") == compare("灰分 AAD") == "灰分aad"
    assert compare("St\uff0cad") == "st,ad"


def test_dashes_that_nfkc_leaves_become_one() -> None:
    assert clean("a\u2014b\u2013c\u2212d\uff0de") == "a-b-c-d-e"


def test_joints_are_squeezed_out() -> None:
    spellings = ["St,ad", "St\uff0cad", "St.ad", "Stad", "ST AD"]
    assert {squeeze(spelling) for spelling in spellings} == {"stad"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("１２．５", "12.5"),
        ("％", "%"),
        ("－", "-"),
        ("℃", "°C"),
        ("Ⅱ", "II"),
        ("㎜", "mm"),
        ("m²", "m2"),
        ("（）：～", "():~"),
        ("½", "1/2"),
    ],
)
def test_nfkc_does_what_the_domain_notes_say(text: str, result: str) -> None:
    assert clean(text) == result
