"""Names and units from headers: readable identifiers, and units that Tundish does not know."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.tabular.infer.glossary import translate
from tundish.tabular.infer.identifiers import class_name, identifier, unique_names
from tundish.tabular.infer.units import HeaderUnit, header_unit, own_unit
from tundish.tabular.units import canonical_unit

ENGLISH = {
    "炉顶压力": "top_pressure",
    "灰分Aad": "ash_Aad",
    "1#炉": "no_1_furnace",
    "温度 (平均)": "temperature_mean",
    "Std.Ash": "Std_Ash",
    "coil no": "coil_no",
    "S": "S",
    "s": "s",
    "%C": "percent_C",
    "3D": "no_3D",
    "奇怪的词": "奇怪的词",
    "": "",
    "—": "",
    "()": "",
    "ⅳ": "iv",
}


@pytest.mark.parametrize(("text", "name"), ENGLISH.items())
def test_identifier__is_english_where_every_word_is_known(text: str, name: str) -> None:
    assert identifier(text) == name


@given(st.lists(st.text(max_size=30), max_size=8))
def test_unique_names__are_identifiers_and_differ_in_more_than_case(texts: list[str]) -> None:
    names = unique_names(map(identifier, texts), {"Time", "validate", "float"})
    assert len({name.casefold() for name in names}) == len(texts)
    for name in names:
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert name not in {"Time", "validate", "float"}
        assert not name.startswith("_")


def test_unique_names__of_keywords_repeats_and_nothing() -> None:
    assert unique_names(["class", "a", "A", "", "a", "Time"], {"Time"}) == [
        *("class_value", "a", "A_2", "column_4", "a_3", "Time_value")
    ]


def test_class_name__of_any_table() -> None:
    assert class_name("bf-log", ()) == "BfLog"
    assert class_name("2026 五月", ()) == "No2026五月"
    assert class_name("---", ()) == "Records"
    assert class_name("None", ()) == "NoneTable"
    assert class_name("any", {"Any"}) == "AnyTable"


def test_translate__takes_the_fewest_words_or_none() -> None:
    assert translate("高炉煤气流量") == "_bf_gas_flow_"
    assert translate("没听过") is None
    assert translate("plain") == "plain"


@pytest.mark.parametrize(
    ("header", "name", "unit", "own"),
    [
        ("风量(万m3/h)", "风量", "万m3/h", "10000 m3/h"),
        ("煤气(Nm³/h)", "煤气", "Nm3/h", ""),
        ("氧气万m3/h", "氧气", "万m3/h", "10000 m3/h"),
        ("流量 Nm³/h", "流量", "Nm3/h", ""),
        ("产量(t/h)", "产量", "t/h", ""),
        ("焦比[kg/t]", "焦比", "kg/t", ""),
        ("电量(kWh)", "电量", "kWh", ""),
        ("热风温度(℃)", "热风温度", "°C", None),
        ("Rm N/mm2", "Rm", "MPa", None),
        ("灰分Aad(%)", "灰分Aad", "%", None),
        ("灰熔融性FT", "灰熔融性FT", None, None),
        ("班组(甲/乙)", "班组(甲/乙)", None, None),
        ("日期(年/月/日)", "日期(年/月/日)", None, None),
        ("x (max)", "x (max)", None, None),
        ("C/Si", "C/Si", None, None),
        ("FT(2)", "FT(2)", None, None),
    ],
)
def test_header_unit__known_or_not(header: str, name: str, unit: str | None, own: str | None) -> None:
    found = header_unit(header)
    assert (found.name, found.unit, found.own) == (name, unit, own)


def test_header_unit__of_a_row_of_units() -> None:
    assert header_unit("风量_万m3/h", joined=True).unit == "万m3/h"
    assert header_unit("风压_kPa", joined=True).unit == "kPa"


def test_own_unit__is_put_together_from_words_that_are_units() -> None:
    assert own_unit("kWh/t") == ("kWh/t", "")
    assert own_unit("kgce/t") == ("kgce/t", "")
    assert own_unit("coil/day") is None
    assert own_unit("备注") is None
    assert canonical_unit("万m3/h") is None


@pytest.mark.parametrize("header", ["灰分(d)", "Ash (d)", "Volatile matter [d]", "全硫(d)"])
def test_header_unit__dry_coal_is_not_days(header: str) -> None:
    assert header_unit(header) == HeaderUnit(header)
    assert header_unit("停留时间(d)").unit == "d"
