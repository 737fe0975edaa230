"""Names that would act on a terminal, in a spreadsheet or in a browser do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.errors import UsageError
from tundish.neutral import for_csv, for_file, for_markdown, for_terminal


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("裂纹 scratch é", "裂纹 scratch é"),
        ("a\x1b]0;owned\x07b", "a\\x1b]0;owned\\x07b"),
        ("\x9b2J", "\\x9b2J"),
        ("gpj.\u202eevil", "gpj.\\u202eevil"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_control_characters_are_written_out(name: str, shown: str) -> None:
    assert for_terminal(name) == shown


@given(st.text())
def test_nothing_that_is_shown_or_names_a_file_controls_anything(text: str) -> None:
    for shown in (for_terminal(text), for_markdown(text), for_csv(text), for_file(text)):
        assert not [sign for sign in shown if ord(sign) < 32 and sign not in "\n\t"]
        assert "\x7f" not in shown
    assert "<" not in for_markdown(text)
    assert not for_csv(text).startswith(("=", "+", "-", "@"))
    assert "\n" not in for_file(text)


@pytest.mark.parametrize("name", ["=cmd|'/C calc'!A0", "@SUM(A1)", "-2+3", "+1"])
def test_a_cell_is_no_formula(name: str) -> None:
    assert for_csv(name) == f"'{name}"


def test_markup_is_text() -> None:
    assert for_markdown("<script>x</script>|[a](b)") == "&lt;script&gt;x&lt;/script&gt;\\|\\[a](b)"


def test_an_error_does_not_carry_out_what_it_names() -> None:
    assert str(UsageError("unknown class '\x1b[2J'", where="a\x07")) == "a\\x07: unknown class '\\x1b[2J'."
