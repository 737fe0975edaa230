"""dvc.yaml says of every stage what the stage says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tundish.stages import ABOUT, load_stage
from tundish.storage.versions import VERSIONS

ROOT = Path(__file__).resolve().parents[1]
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
HERE = "datasets/${item.pipeline}/"
RECIPE = "pipelines/${item.pipeline}.yaml"
STEPS = HERE + "steps.json"


def names(outs: list[Any]) -> list[str]:
    return [next(iter(out)) if isinstance(out, dict) else out for out in outs]


def flag(outs: list[Any], wanted: str) -> set[str]:
    return {path for out in outs if isinstance(out, dict) for path, flags in out.items() if flags.get(wanted)}


def test_pipeline__has_the_stages_in_their_order() -> None:
    assert list(PIPELINE["stages"]) == list(ABOUT)


def test_pipeline__every_stage_that_does_not_always_run_has_a_version() -> None:
    assert ["ingest", *VERSIONS] == list(ABOUT)


@pytest.mark.parametrize("name", list(ABOUT))
def test_pipeline__agrees_with_the_stage(name: str) -> None:
    stage, said = load_stage(name), PIPELINE["stages"][name]
    assert said["cmd"] == f"tundish {name} ${{item.pipeline}}"
    assert said["matrix"] == {"pipeline": "${pipelines}"}
    schemas = ["schemas"] if stage.schemas else []
    assert sorted(said.get("deps", [])) == sorted([HERE + path for path in stage.reads] + schemas)
    outs = said.get("outs", []) + said.get("metrics", []) + said.get("plots", [])
    assert sorted(names(outs)) == sorted(HERE + path for path in stage.writes)
    assert flag(outs, "persist") == {HERE + path for path in stage.persist}
    if name == "ingest":
        # It looks at the sources whatever DVC thinks, so it needs no parameter to be watched.
        assert said["always_changed"]
        assert "params" not in said
    else:
        assert said["params"] == [{RECIPE: list(stage.depends)}, {STEPS: [name]}]


def test_pipeline__nothing_is_read_that_no_earlier_stage_writes() -> None:
    written = ["labels"]  # what annotators answered comes from outside, by `tundish label pull`
    for name in ABOUT:
        stage = load_stage(name)
        assert stage.name == name
        for path in stage.reads:
            assert any(path == out or path.startswith(f"{out}/") for out in written), (name, path)
        written += stage.writes
