"""The command line as a newcomer types it, rightly and wrongly."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import orjson
import pytest
import yaml

from tundish.stages import ABOUT

ROOT = Path(__file__).resolve().parents[2]


def tundish(
    *arguments: str, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tundish", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONWARNINGS": "error"} | (env or {}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def refusal(done: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """The one sentence of a command that refused."""
    assert done.returncode == code, (done.returncode, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("Error: ")
    assert lines[0].endswith((".", "?"))
    return lines[0]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "plant"
    (folder / "pipelines").mkdir(parents=True)
    (folder / "datasets").mkdir()
    (folder / "schemas").symlink_to(ROOT / "schemas")
    (folder / "params.yaml").write_text("# mine\npipelines: []\nother: 1\n")
    return folder


def photos(folder: Path, count: int = 12) -> Path:
    """A folder per class with pictures that do not look alike."""
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 255, (8, 8, 3), dtype=np.uint8)
        path = folder / ("good" if number % 3 else "cracked") / f"p {number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", cv2.resize(pixels, (96, 64)))[1].tobytes())
    return folder


def test_help__names_every_command_and_every_command_has_an_example(tmp_path: Path) -> None:
    text = tundish("--help", cwd=tmp_path).stdout
    commands = ["init", "add", "sample", "run", "status", *ABOUT]
    for command in commands:
        assert command in text
        assert "Example:" in tundish(command, "--help", cwd=tmp_path).stdout


def test_help__imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = "{'cv2', 'polars', 'pyarrow', 'numpy', 'pandera', 'dvc', 'rich'}"
    code = f"import sys, tundish.cli; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["statsu"], "did you mean 'status'?"),
        (["run"], "Missing argument"),
        (["run", "nope"], "tundish add nope SOURCE"),
        (["run", "x", "--from", "export", "--to", "split"], "comes after"),
        (["run", "x", "--to", "nowhere"], "nowhere"),
        (["add", "a b", "."], "cannot be the name of a dataset"),
        (["add", "x", "missing"], "nothing is here"),
        (["status"], "no dataset yet"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_wrong_use__is_one_sentence_and_exit_code_2(project: Path, arguments: list[str], told: str) -> None:
    assert told in refusal(tundish(*arguments, cwd=project))


def test_outside_a_project__is_told_how_to_make_one(tmp_path: Path) -> None:
    assert "tundish init DIR" in refusal(tundish("status", cwd=tmp_path))


def test_add__folder_without_images_and_empty_folder(project: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    assert "no files" in refusal(tundish("add", "x", str(tmp_path / "none"), cwd=project))
    (tmp_path / "none" / "a.docx").write_bytes(b"x")
    assert "image" in refusal(tundish("add", "x", str(tmp_path / "none"), cwd=project))


def test_add__writes_a_recipe_and_lists_it_and_does_not_overwrite(project: Path, tmp_path: Path) -> None:
    photos(tmp_path / "in")
    done = tundish("add", "parts", str(tmp_path / "in"), cwd=project)
    assert done.returncode == 0, done.stderr
    assert "folders" in done.stdout
    assert "cracked, good" in done.stdout
    text = (project / "pipelines/parts.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["annotations"]["classes"] == {"cracked": [], "good": []}
    params = (project / "params.yaml").read_text()
    assert params == "# mine\npipelines:\n  - parts\nother: 1\n"
    assert "--force" in refusal(tundish("add", "parts", str(tmp_path / "in"), cwd=project))


def test_run__from_a_folder_of_photos_to_splits(project: Path, tmp_path: Path) -> None:
    photos(tmp_path / "in")
    tundish("add", "parts", str(tmp_path / "in"), cwd=project)
    done = tundish("run", "parts", cwd=project / "datasets")
    assert done.returncode == 0, done.stderr
    assert (project / "datasets/parts/exports/coco/annotations/instances_train.json").exists()
    answer = orjson.loads(tundish("status", "--json", cwd=project).stdout)
    assert answer["parts"]["closes"]
    assert answer["parts"]["files"]["accepted"] == 12
    assert sum(answer["parts"]["splits"].values()) == 12
    lines = tundish("status", cwd=project).stdout.splitlines()
    assert len(lines) == 5
    assert (
        lines[0] == "parts: 12 files = 12 accepted + 0 quarantined + 0 skipped; "
        "12 labels = 12 accepted + 0 quarantined + 0 skipped"
    )


def test_add__source_beside_the_project_is_found_by_the_next_command(project: Path) -> None:
    photos(project.parent / "in")
    tundish("add", "parts", "../in", cwd=project)
    assert "path: ../../../in\n" in (project / "pipelines/parts.yaml").read_text(encoding="utf-8")
    assert not (project / "datasets/parts").exists()
    done = tundish("ingest", "parts", cwd=project)
    assert done.returncode == 0, done.stderr


def test_run__stage_before_its_time_tells_which_is_missing(project: Path, tmp_path: Path) -> None:
    photos(tmp_path / "in")
    tundish("add", "parts", str(tmp_path / "in"), cwd=project)
    assert "run 'tundish validate NAME' first" in refusal(tundish("split", "parts", cwd=project))


def test_run__read_only_project_is_exit_code_2(project: Path, tmp_path: Path) -> None:
    photos(tmp_path / "in")
    tundish("add", "parts", str(tmp_path / "in"), cwd=project)
    (project / "datasets").chmod(0o555)
    if os.access(project / "datasets", os.W_OK):
        (project / "datasets").chmod(0o755)
        # For root no folder is read-only; a file where the folder should be is refused in the same way.
        (project / "datasets/parts").write_text("in the way")
    assert "datasets" in refusal(tundish("ingest", "parts", cwd=project))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which only Linux has")
def test_run__full_disk_is_exit_code_3(project: Path, tmp_path: Path) -> None:
    photos(tmp_path / "in")
    tundish("add", "parts", str(tmp_path / "in"), cwd=project)
    (project / "datasets/parts").mkdir()
    (project / "datasets/parts/..seen.json.tmp").symlink_to("/dev/full")
    sentence = refusal(tundish("ingest", "parts", cwd=project), code=3)
    assert "no space left on device" in sentence
    assert "free some space" in sentence
    assert tundish("ingest", "parts", cwd=project).returncode in (0, 3)


def test_add__a_second_source_goes_into_the_same_recipe(project: Path, tmp_path: Path) -> None:
    tundish("add", "parts", str(photos(tmp_path / "june")), cwd=project)
    source = str(photos(tmp_path / "my july"))
    dry = orjson.loads(tundish("add", "parts", source, "--dry-run", "--json", cwd=project).stdout)
    assert (dry["action"], dry["written"], dry["format"]) == ("extended", False, "folders")
    assert source in dry["text"]
    done = tundish("add", "parts", source, cwd=project)
    assert done.returncode == 0, done.stderr
    assert "Added it to pipelines/parts.yaml" in done.stdout
    assert done.stdout.endswith("  tundish run parts\n  dvc repro\n")
    inside = tundish("add", "parts", str(photos(tmp_path / "august")), cwd=project / "pipelines")
    assert inside.stdout.endswith(f"  tundish run parts\n  dvc --cd {project} repro\n")
    assert source in refusal(tundish("add", "parts", source, cwd=project))
    answer = orjson.loads(tundish("add", "parts", source, "--force", "--json", cwd=project).stdout)
    assert (answer["action"], answer["classes"]) == ("replaced", ["cracked", "good"])
    assert "text" not in answer


def test_init__what_it_prints_next_can_be_pasted(tmp_path: Path) -> None:
    done = tundish("init", "my 'new' plant", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    steps = [line.strip() for line in done.stdout.splitlines()[1:]]
    assert steps[1].startswith("tundish add line1 ")
    shell = subprocess.run(
        ["bash", "-c", f"{steps[0]} && pwd"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert shell.stdout == f"{tmp_path}/my 'new' plant\n"
    inside = tundish("init", "line 2", cwd=tmp_path / "my 'new' plant")
    assert "inside another project" in inside.stderr
    (tmp_path / "empty").mkdir()
    assert "cd" not in tundish("init", ".", cwd=tmp_path / "empty").stdout.split()


def test_init__lays_out_a_project_once(tmp_path: Path) -> None:
    done = tundish("init", "plant", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    plant = tmp_path / "plant"
    assert {path.name for path in plant.iterdir()} >= {
        "dvc.yaml",
        "params.yaml",
        "pipelines",
        "schemas",
        "datasets",
        ".dvc",
    }
    assert (plant / "dvc.yaml").read_bytes() == (ROOT / "dvc.yaml").read_bytes()
    assert "a Tundish project already; go on in it" in refusal(tundish("init", "plant", cwd=tmp_path))
