"""The step of the tutorial that needs a Label Studio, with one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.docs.pages import Reader, fits, said, steps

if TYPE_CHECKING:
    from tundish.labeling.label_studio.server import LabelStudio

pytestmark = [pytest.mark.label_studio, pytest.mark.slow]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"


def test_images_are_pushed_as_the_tutorial_shows(label_studio: LabelStudio, tmp_path: Path) -> None:
    reader = Reader(
        tmp_path,
        {"label_studio"},
        {"LABEL_STUDIO_URL": label_studio.url, "LABEL_STUDIO_TOKEN": label_studio.account.token},
    )
    pushed = False
    for step in steps(PAGE.read_text(encoding="utf-8")):
        if step.target == "label_studio":
            # The pictures must lie where this server may show them; 'tundish label start' knows it.
            recipe = reader.folder / "pipelines" / "line1.yaml"
            text = recipe.read_text(encoding="utf-8")
            section = f"label: {{files: '{label_studio.files}'}}\n"
            recipe.write_text(text.replace("label: {}\n", section), encoding="utf-8")
            printed = reader.follow(step)
            assert printed is not None
            assert fits(step.shown, printed), said(PAGE, step, printed)
            pushed = True
        elif pushed:
            return
        else:
            reader.follow(step)
    raise AssertionError("the tutorial has no step with a Label Studio")
