"""The questions in SQL have the answers that their page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner
from tests.docs.pages import fits

from tundish.cli import main

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs/questions.md"


def questions() -> list[tuple[str, list[str]]]:
    """The commands of the page, of several lines each, and what it shows of their answers."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        end = block.rindex('"\n') + 1
        found.append((block[:end].removeprefix("$ "), block[end:].strip("\n").splitlines()))
    return found


def test_five_questions_have_the_answers_that_the_page_shows(
    sample_plant: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sample_plant)
    asked = questions()
    assert len(asked) == 5
    for command, shown in asked:
        done = CliRunner().invoke(main, shlex.split(command)[1:])
        assert done.exit_code == 0, done.output
        assert shown, f"{command}\n{done.output}"
        assert fits(shown, [line.rstrip() for line in done.output.splitlines()]), f"{command}\n{done.output}"
