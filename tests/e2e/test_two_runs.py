"""Two runs of one dataset at once: one works, the other says so; nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from tests.recipes import least

import tundish
from tundish.storage.dataset import DatasetFolder
from tundish.storage.shards import read_files

if TYPE_CHECKING:
    from pathlib import Path

PICTURES = 120


@pytest.fixture
def project(tmp_path: Path) -> Path:
    raw = tmp_path / "datasets" / "line" / "raw"
    raw.mkdir(parents=True)
    rng = np.random.default_rng(7)
    for number in range(PICTURES):
        small = rng.integers(30, 220, (6, 8, 3), dtype=np.uint8)
        cv2.imwrite(str(raw / f"{number:03}.jpg"), cv2.resize(small, (96, 72)))
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "line.yaml").write_text(
        f"dataset: line\nsources:\n  - {{path: raw, format: images}}\n{least()}", encoding="utf-8"
    )
    return tmp_path


@pytest.mark.parametrize("first", ["run", "ingest"])
def test_one_works_and_the_other_learns_who_does(project: Path, first: str) -> None:
    command = [sys.executable, "-m", "tundish"]
    last = ["--to", "measure"]
    runs = [
        subprocess.Popen(
            [*command, *arguments], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for arguments in ([first, "line", *(last if first == "run" else [])], ["run", "line", *last])
    ]
    ends = [(run.communicate(timeout=120)[1], run.returncode) for run in runs]
    assert any(code == 0 for _, code in ends), ends
    for errors, code in ends:
        if code:
            assert code == 3, errors
            assert "the dataset 'line' is being changed by 'tundish " in errors
    files = read_files(DatasetFolder("line", project).store)
    assert (files.height, files["batch"].unique().to_list()) == (PICTURES, [1])
    again = subprocess.run([*command, "run", "line", *last], cwd=project, check=False, capture_output=True)
    assert again.returncode == 0
    assert tundish.status("line", project=project).files.input == PICTURES
