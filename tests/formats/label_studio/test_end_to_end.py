"""A folder with a Label Studio export through `tundish add` and `tundish run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import polars as pl
from click.testing import CliRunner
from tests.formats.label_studio.test_format import answer, rectangle, task
from tests.formats.tools.test_end_to_end import photograph

from tundish.cli import main
from tundish.formats.label_studio.controls import CONTROLS
from tundish.labeling.label_studio.prelabels import imported_prelabels
from tundish.storage.dataset import DatasetFolder
from tundish.storage.tables import IMAGES

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *tasks: dict[str, Any]) -> Path:
    """Add and run five pictures and an export; returns the folder of the tables."""
    source = tmp_path / "in"
    source.mkdir(exist_ok=True)
    for number, name in enumerate("abcde"):
        (source / f"{name}.jpg").write_bytes(photograph(number))
    (source / "project-1-at-2026-11-30.json").write_bytes(orjson.dumps(tasks))
    project = tmp_path / "project"
    assert CliRunner().invoke(main, ["init", str(project)]).exit_code == 0
    monkeypatch.chdir(project)
    for command in (["add", "steel", str(source)], ["run", "steel", "--to", "consensus"]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
    return project / "datasets" / "steel" / "curated"


def test_several_peoples_answers_are_merged_by_quorum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed = task(answer(rectangle(), number=1), answer(rectangle(), number=2, by=2), image="a.jpg")
    averaged = task(answer(rectangle(), number=3), answer(rectangle(x=12), number=4, by=2), image="b.jpg")
    disputed = task(answer(rectangle(), number=5), answer(number=6, by=2), image="c.jpg")
    negative = task(answer(number=7), answer(number=8, by=2), image="d.jpg")
    alone = task(answer(rectangle(), number=9), answer(number=10, by=2, was_cancelled=True), image="e.jpg")
    curated = run(tmp_path, monkeypatch, agreed, averaged, disputed, negative, alone)
    annotations = pl.read_parquet(curated / "annotations.parquet")
    assert annotations["valid"].all()
    assert annotations.height == 6
    assert set(annotations["author"]) == {"1", "2"}
    labels = pl.read_parquet(curated / "consensus.parquet").sort("path")
    assert labels.select("path", "x", "votes", "decided_by").rows() == [
        ("a.jpg", 20, 2, "1, 2"),
        ("b.jpg", 22, 2, "1, 2"),
        ("e.jpg", 20, None, "import"),
    ]
    states = pl.read_parquet(curated / "standing.parquet").sort("path")
    assert states["state"].to_list() == ["labelled", "labelled", "disputed", "negative", "labelled"]
    assert states["decided_by"].to_list() == ["annotators"] * 4 + ["import"]
    disputes = pl.read_parquet(curated / "disputes.parquet")
    assert disputes.select("author", "reason").rows() == [("1", "quorum")]
    assert disputes["image_id"][0] == annotations.filter(path="c.jpg")["image_id"][0]
    dataset = DatasetFolder("steel", curated.parents[2])
    proposed, problems = imported_prelabels(dataset, dataset.read(IMAGES), CONTROLS)
    assert not problems
    names = dict(annotations.select("image_id", "path").iter_rows())
    assert {names[key]: len(regions) for key, regions in proposed.regions.items()} == {
        "a.jpg": 1,
        "b.jpg": 1,
        "e.jpg": 1,
    }
    judgements = pl.read_parquet(curated / "judgements.parquet")
    assert judgements["answer"].value_counts().sort("answer").rows() == [
        ("cancelled", 1),
        ("empty", 3),
        ("labelled", 6),
    ]


def test_copies_of_a_picture_that_others_answered_are_judged_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "f.jpg").write_bytes(photograph(0))
    both = task(answer(rectangle(), number=1), answer(rectangle(x=12), number=2, by=2), image="a.jpg")
    one = task(answer(rectangle(x=60), number=3, by=2), image="f.jpg")
    curated = run(tmp_path, monkeypatch, both, one)
    labels = pl.read_parquet(curated / "consensus.parquet").sort("path")
    assert labels.select("path", "x").rows() == [("a.jpg", 22), ("f.jpg", 120)]
