"""One number in all the ways it is written."""
# ruff: noqa: RUF001  (full-width signs are what is tested)

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.tabular.values.marks import Fault
from tundish.tabular.values.numbers import Number, parse_number


def value(text: str, unit: str | None = None) -> float | None:
    found = parse_number(text, unit)
    assert isinstance(found, Number), found
    return found.value


def note(text: str) -> str | None:
    found = parse_number(text)
    assert isinstance(found, Number), found
    return found.note


def check(text: str, unit: str | None = None) -> str:
    found = parse_number(text, unit)
    assert isinstance(found, Fault), found
    return found.check


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("１２", 12),
        ("１２．５", 12.5),
        (".70", 0.7),
        ("-3.2", -3.2),
        ("\u22123.2", -3.2),
        ("\uff0d3.2", -3.2),
        ("+1.5E-3", 0.0015),
        ("1,234.5", 1234.5),
        ("12,345,678", 12345678),
        (" 12.5\u3000", 12.5),
    ],
)
def test_a_number_is_read(text: str, number: float) -> None:
    assert value(text) == number
    assert note(text) is None


@pytest.mark.parametrize(
    "text", ["1_000", "Infinity", "inf", "-inf", "0x1A", "1e400", "abc", "1.2.3", "1e", "\u0661\u0662"]
)
def test_what_python_takes_for_a_number_is_none(text: str) -> None:
    if text == "\u0661\u0662":
        assert float(text) == 12  # Arabic digits: \d matches them unless the pattern is ASCII
    assert check(text) == "not_a_number"


def test_nan_is_a_missing_value() -> None:
    assert (value("nan"), note("NaN")) == (None, "missing")


@pytest.mark.parametrize("text", ["½", "1½", "10²", "①"])
def test_digits_that_nfkc_would_join_are_faults(text: str) -> None:
    assert check(text) == "fraction"


@pytest.mark.parametrize(
    "text",
    [
        "-",
        "--",
        "\u2014",
        "\u2014\u2014",
        "\u2013",
        "/",
        "\\",
        "*",
        "NULL",
        "null",
        "None",
        "N/A",
        "NaN",
        "无",
        "缺",
        "空",
    ],
)
def test_markers_for_missing(text: str) -> None:
    assert parse_number(text) == Number(None, "missing", text)


@pytest.mark.parametrize("text", ["未检", "未测", "未化验", "待检"])
def test_not_tested_is_another_reason(text: str) -> None:
    assert note(text) == "not tested"


@pytest.mark.parametrize("text", ["未检出", "ND", "<LOD"])
def test_below_detection_is_another_reason(text: str) -> None:
    assert note(text) == "below detection"


@pytest.mark.parametrize("text", ["#N/A", "#DIV/0!", "#VALUE!", "#REF!", "########"])
def test_a_spreadsheet_s_error_is_another_reason(text: str) -> None:
    assert note(text) == "error"


def test_nothing_makes_no_note() -> None:
    assert parse_number("  ") == Number(None, None, "  ")


@pytest.mark.parametrize(
    ("text", "number", "sign"),
    [
        ("<0.001", 0.001, "<"),
        ("\uff1c0.001", 0.001, "<"),
        ("≤3", 3, "<="),
        (">1500", 1500, ">"),
        ("≥ 1500", 1500, ">="),
        ("1500以上", 1500, ">="),
        ("大于1500", 1500, ">"),
    ],
)
def test_a_censored_value_keeps_its_sign(text: str, number: float, sign: str) -> None:
    assert parse_number(text) == Number(number, sign, text)


@pytest.mark.parametrize(
    ("text", "number"), [("1.23*", 1.23), ("12.3(复检)", 12.3), ("12.3\uff08复检\uff09", 12.3)]
)
def test_a_remark_is_kept(text: str, number: float) -> None:
    assert parse_number(text) == Number(number, "remark", text)


@pytest.mark.parametrize("text", ["12.3 12.5", "12.3/12.5", "12.3;12.5", "12.3(12.5)", "12-15"])
def test_two_values_are_not_one(text: str) -> None:
    assert check(text) == "two_values"


@pytest.mark.parametrize("text", ["12,5", "0,123"])
def test_a_decimal_comma_is_a_fault_that_says_how_to_write_it(text: str) -> None:
    found = parse_number(text)
    assert isinstance(found, Fault)
    assert found.check == "decimal_comma"
    assert text.replace(",", ".") in found.message


@pytest.mark.parametrize(
    ("text", "unit"), [("12.5%", "%"), ("12.5％", "%"), ("12.5 mm", "mm"), ("12.5(mm)", "mm")]
)
def test_the_column_s_own_unit_may_be_in_the_cell(text: str, unit: str) -> None:
    assert parse_number(text, unit) == Number(12.5, None, text)
    assert check(text, "kg") == "unit_in_cell"
    assert check(text) == "unit_in_cell"


def test_a_plant_s_own_marker() -> None:
    assert parse_number("9999.0", missing=("9999",)) == Number(None, "missing", "9999.0")
    assert parse_number("停机", missing=("停机",)) == Number(None, "missing", "停机")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_comes_back(number: float) -> None:
    assert value(repr(number)) == number


@given(st.floats(-1e9, 1e9))
def test_thousands_come_back(number: float) -> None:
    written = f"{number:,.3f}"
    assert math.isclose(value(written) or 0.0, float(f"{number:.3f}"))


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_a_fault(text: str) -> None:
    found = parse_number(text)
    assert isinstance(found, Fault) or found.raw == text
