"""The small sets of docs/formats.md: what `tundish add` writes for them, `tundish run` accepts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tools.format_trees import write_tree

import tundish
from tundish.formats.registry import BUILT_IN, reader_names

ROOT = Path(__file__).resolve().parents[2]
LABELS = {
    "voc": 2,
    "yolo": 3,
    "coco": 2,
    "parquet": 2,
    "labelme": 2,
    "masks": 3,
    "dota": 2,
    "runs-csv": 2,
    "boxes-csv": 2,
    "classes-csv": 3,
    "folders": 3,
    "class-in-name": 8,
    "segment-anything": 2,
    "images": 0,
}
"""Labels that come in; one where none is named."""


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in reader_names() if name in BUILT_IN])
def test_what_add_writes_for_a_format_run_accepts(name: str, tmp_path: Path) -> None:
    (tmp_path / "plant/pipelines").mkdir(parents=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "schemas", tmp_path / "plant/schemas", ignore=ignored)
    (tmp_path / "plant/params.yaml").write_text("pipelines: []\n")
    write_tree(name, tmp_path / "set")
    added = tundish.add("line1", tmp_path / "set", project=tmp_path / "plant")
    assert isinstance(added, tundish.AddedImages)
    assert added.format == name
    tundish.run("line1", project=tmp_path / "plant")
    labels = tundish.read_table("annotations", "line1", project=tmp_path / "plant")
    assert labels.height == LABELS.get(name, 1)
