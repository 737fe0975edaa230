"""The public Python API."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.recipes import least

import tundish
from tundish.stages import ABOUT, between, load_stage

ROOT = Path(__file__).resolve().parents[2]


def test_public_names_are_the_intended_ones() -> None:
    assert sorted(tundish.__all__) == tundish.__all__
    for name in set(tundish.__all__) - {"Progress"}:  # an alias, which carries no docstring
        assert getattr(tundish, name).__doc__
    public = {name for name in vars(tundish) if not name.startswith("_")}
    helpers = {"annotations", "importlib", "TYPE_CHECKING", "Any"}
    modules = {name for name in public if type(getattr(tundish, name)).__name__ == "module"}
    assert public - helpers - modules <= set(tundish.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        tundish.nonsense  # noqa: B018


def test_importing_the_package_is_cheap() -> None:
    heavy = "{'cv2', 'polars', 'pyarrow', 'numpy', 'pandera', 'pydantic', 'dvc', 'rich', 'click'}"
    code = f"import sys, tundish; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_errors_say_what_where_and_how_to_fix_it() -> None:
    error = tundish.UsageError("the thing is broken", where="a.yaml:3", fix="fix it")
    assert str(error) == "a.yaml:3: the thing is broken; fix it."
    assert str(tundish.GateError("no")) == "no."
    codes = [error.exit_code for error in (tundish.GateError, tundish.UsageError, tundish.OutsideError)]
    assert codes == [1, 2, 3]


def test_between__stages_by_name() -> None:
    assert between(None, None) == list(ABOUT)
    assert between("dedup", "split") == ["dedup", "consensus", "link", "split"]
    with pytest.raises(tundish.UsageError, match="unknown stage 'nope'"):
        between("nope", None)
    with pytest.raises(tundish.UsageError, match="comes after"):
        between("split", "dedup")


@pytest.mark.parametrize("name", list(ABOUT))
def test_stages__are_called_what_they_are_listed_as(name: str) -> None:
    assert load_stage(name).name == name


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two small datasets, `left` and `right`, that nothing has run on."""
    folder = tmp_path / "plant"
    folder.mkdir()
    (folder / "pipelines").mkdir()
    (folder / "schemas").symlink_to(ROOT / "schemas")
    for name, count in (("left", 6), ("right", 3)):
        for number in range(count):
            seed = np.random.default_rng(10 * count + number)
            pixels = cv2.resize(seed.integers(0, 255, (8, 8, 3), dtype=np.uint8), (96, 64))
            path = folder / f"datasets/{name}/raw/good/{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
        (folder / f"pipelines/{name}.yaml").write_text(
            f"dataset: {name}\nsources: [{{path: raw, format: folders}}]\n"
            "annotations: {classes: {good: []}}\n" + least("annotations")
        )
    return folder


def test_run__one_dataset_or_several_with_progress(project: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    runs = tundish.run(
        ["right", "left"], last="validate", project=project, progress=lambda *step: seen.append(step)
    )
    assert [run.dataset for run in runs] == ["right", "left"]
    assert list(runs[1].outcomes) == ["ingest", "measure", "records", "validate"]
    assert runs[1]["measure"].counts["images decoded"] == 6
    assert runs._repr_html_().count("<caption>Run</caption>") == 2
    assert [step for step in seen if step[0] == "measure"] == [
        *[("measure", 0, 0), ("measure", 0, 3), ("measure", 3, 3)],
        *[("measure", 0, 0), ("measure", 0, 6), ("measure", 6, 6)],
    ]
    assert ("ingest", 6, 6) in seen
    again = tundish.run("left", last="measure", project=project)
    assert isinstance(again, tundish.Run)
    assert again["measure"].counts["known shards"] == 1


def test_run__a_misspelt_name_stops_before_the_first_dataset(project: Path) -> None:
    seen: list[str] = []
    with pytest.raises(tundish.UsageError, match=r"did you mean 'right'\? there are: left, right"):
        tundish.run(
            ["left", "rihgt"], project=project, progress=lambda step, _done, _total: seen.append(step)
        )
    assert seen == []


def test_run_stage_and_export__are_one_stage(project: Path) -> None:
    tundish.run("left", last="split", project=project)
    tundish.run_stage("augment", "left", project=project)
    written = tundish.export("left", project=project)
    assert written.counts["labels"] == 6
    assert tundish.export("left", format="parquet", project=project).counts["labels"] == 6
    assert "exports/parquet" in tundish.status("left", project=project).results
    [note] = tundish.export("left", format="yolo", project=project).notes
    assert note.startswith(
        "there is nothing to write for exports/yolo: its 6 labels are classes of whole images"
    )
    with pytest.raises(tundish.UsageError, match="unknown stage 'ingset'"):
        tundish.run_stage("ingset", "left", project=project)


def test_status__one_several_or_all(project: Path) -> None:
    assert tundish.datasets(project=project) == ("left", "right")
    tundish.run_stage("ingest", "right", project=project)
    everything = tundish.status(project=project)
    assert [one.dataset for one in everything] == ["left", "right"]
    assert [one.dataset for one in tundish.status(["right"], project=project)] == ["right"]
    one = tundish.status("right", by="class", project=project)
    assert one.files.input == 3
    assert one.closes
    with pytest.raises(tundish.UsageError, match="choose 'class'"):
        tundish.status("right", by="coil", project=project)  # type: ignore[call-overload]
    with pytest.raises(tundish.UsageError, match="did you mean 'right'"):
        tundish.status("righ", project=project)
