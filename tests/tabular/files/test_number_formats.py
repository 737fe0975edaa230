"""What a number format makes of a number, where that changes what it means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.tabular.files.number_formats import parse_format


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("0.00%", 0.1234, "12.34%"),
        ("0%", 0.1411, "14.11%"),
        ("0.0%;[Red]-0.0%", -0.005, "-0.5%"),
        ("0000000", 12345.0, "0012345"),
        ("0000000", 123456789.0, "123456789"),
        ("000-0000", 12345.0, "001-2345"),
        ('"H"00000', 42.0, "H00042"),
        ('"热"0', 42.0, "热42"),
        (r"\L00", 7.0, "L07"),
        ('0.0" mm"', 2.5, "2.5 mm"),
        ('#,##0.0"℃"', 1250.0, "1250 °C"),
        ('0.0,"t"', 12345.0, "12.345 t"),
        ('0.00"%"', 12.34, "12.34 %"),
        ("0000", 12.5, "12.5"),
    ],
)
def test_a_cell_is_read_as_it_shows(code: str, value: float, shown: str) -> None:
    found = parse_format(code)
    assert found is not None
    text = str(int(value)) if value == int(value) else repr(value)
    assert found.shown(value, text) == shown


@pytest.mark.parametrize(
    "code",
    [
        "General",
        "0",
        "0.00",
        "#,##0",
        "0.00E+00",
        "@",
        '0"件"',
        "yyyy/m/d",
        '"共"0.0',
        "_ * #,##0.00_ ",
        "[$€-407]0.00",
        "",
    ],
)
def test_a_format_that_only_rounds_or_decorates_changes_nothing(code: str) -> None:
    assert parse_format(code) is None


@given(st.text(max_size=30))
def test_any_format_is_understood_or_left_alone(code: str) -> None:
    found = parse_format(code)
    if found is not None:
        assert found.shown(12.0, "12")


@given(st.floats(0, 1, allow_subnormal=False).filter(lambda share: share == 0 or share > 1e-9))
def test_a_share_in_percent_is_a_hundred_times_the_number(share: float) -> None:
    found = parse_format("0.00%")
    assert found is not None
    shown = found.shown(share, repr(share))
    assert float(shown.removesuffix("%")) == pytest.approx(share * 100)
