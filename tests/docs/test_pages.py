"""Whoever follows the pages sees what the pages show."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docs.pages import Reader, differences, fits, patched, said, shortened, steps

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.slow
def test_every_command_of_tutorial_and_questions_prints_what_the_page_shows(tmp_path: Path) -> None:
    """The questions continue where the tutorial ends."""
    reader = Reader(tmp_path)
    found = [
        said(page, step, printed)
        for page in (DOCS / "tutorial.md", DOCS / "faq.md")
        for step, printed in differences(page, reader)
    ]
    assert not found, "\n".join(found)


@pytest.mark.slow
def test_every_command_of_a_table_of_your_own_prints_what_the_page_shows(tmp_path: Path) -> None:
    page, reader = DOCS / "your-own-table.md", Reader(tmp_path)
    found = [said(page, step, printed) for step, printed in differences(page, reader)]
    assert not found, "\n".join(found)


def test_the_tutorial_has_ten_steps_and_each_shows_a_command() -> None:
    parts = (DOCS / "tutorial.md").read_text(encoding="utf-8").split("\n## ")[1:]
    numbered = [part for part in parts if part[0].isdigit()]
    assert [int(part.split(".")[0]) for part in numbered] == list(range(1, 11))
    assert all(list(steps(part)) for part in numbered)


def test_dots_are_any_text_and_alone_any_number_of_lines() -> None:
    assert fits(("a 1, ...", "...", "z"), ["a 1, b 2", "c", "d", "z"])
    assert fits(("a", "..."), ["a"])
    assert not fits(("a",), ["a", "b"])
    assert not fits(("a 1", "..."), ["a 2", "b"])


def test_a_block_of_changes_must_find_its_lines_once() -> None:
    assert patched("a\nb\nc\n", " a\n-b\n+d\n") == "a\nd\nc\n"
    with pytest.raises(AssertionError, match="not in the file"):
        patched("a\nb\n", "-c\n+d\n")


def test_a_page_that_is_written_again_stays_short_where_it_was() -> None:
    assert shortened(("a 1, ...", "...", "z"), ["a 2, b", "c", "z"]) == ["a 2, b", "...", "z"]
    assert shortened(("a 1, ...", "..."), ["a 1, b", "c"]) == ["a 1, ...", "..."]
    assert shortened((), ["word " * 40]) == ["word " * 19 + "word ..."]
