"""The command line as a newcomer types it, rightly and wrongly."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import cv2
import numpy as np
import orjson
import pytest
import yaml
from click.shell_completion import BashComplete
from click.testing import CliRunner
from tests.plants import make_plant

from tundish.cli import main
from tundish.cli._common import DatasetName
from tundish.stages import ABOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def invoke(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """As `tundish`, in this process: a start of Python costs more than most commands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        done = CliRunner().invoke(main, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return subprocess.CompletedProcess([], done.exit_code, done.stdout, done.stderr)


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
    folder = make_plant(tmp_path / "plant")
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
    commands = ["init", "add", "sample", "run", "status", "completion", *ABOUT]
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
        (["run"], "tundish add line1"),
        (["run", "--all"], "no dataset yet"),
        (["run", "x", "--all"], "both names and --all"),
        (["ingest"], "the name of a dataset is missing"),
        (["completion"], "Choose from: bash, zsh, fish"),
        (["completion", "tcsh"], "bash"),
        (["run", "nope"], "'tundish add nope SOURCE'"),
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
    assert (project / "datasets/parts/exports/parquet/README.md").exists()
    assert "nothing to write for exports/coco: its 12 labels are classes of whole images" in done.stdout
    answer = orjson.loads(tundish("status", "--json", cwd=project).stdout)
    assert answer["parts"]["closes"]
    assert answer["parts"]["files"]["accepted"] == 12
    assert sum(answer["parts"]["splits"].values()) == 12
    assert tundish("status", cwd=project).stdout.splitlines() == [
        "parts",
        "          input  accepted  quarantined  skipped",
        "  files      12        12            0        0",
        "  labels     12        12            0        0",
        "  image files",
        "     12  labelled  has labels",
        "  images: train 10, val 1, test 1",
        "  in datasets/parts/: curated/splits.parquet, exports/parquet",
    ]


def test_run__several_names_and_all(project: Path, tmp_path: Path) -> None:
    for name in ("left", "right"):
        photos(tmp_path / name, 3)
        invoke("add", name, str(tmp_path / name), cwd=project)
    assert "name one of left, right, or use --all" in refusal(invoke("run", cwd=project))
    assert "did you mean 'left'? there are: left, right" in refusal(invoke("run", "lef", cwd=project))
    # All names are looked at before the first dataset runs.
    assert "did you mean 'right'?" in refusal(invoke("run", "left", "rihgt", cwd=project))
    assert not (project / "datasets/left/store").exists()
    done = invoke("run", "left", "right", "left", "--to", "measure", cwd=project)
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["ingest", "left:"],
        ["measure", "left:"],
        ["ingest", "right:"],
        ["measure", "right:"],
    ]
    answer = orjson.loads(invoke("run", "--all", "--to", "ingest", "--json", cwd=project).stdout)
    assert {name: one["ingest"]["counts"]["unchanged"] for name, one in answer.items()} == {
        "left": 3,
        "right": 3,
    }
    alone = orjson.loads(invoke("run", "left", "--to", "ingest", "--json", cwd=project).stdout)
    assert list(alone) == ["ingest"]


def test_quiet_and_verbose__before_and_after_the_command(project: Path, tmp_path: Path) -> None:
    photos(tmp_path / "in", 3)
    invoke("add", "parts", str(tmp_path / "in"), cwd=project)
    for line in ("-q ingest parts", "ingest parts --quiet", "measure -q parts"):
        done = invoke(*line.split(), cwd=project)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "add parts" not in refusal(invoke("ingest", "-q", "prats", cwd=project))
    assert orjson.loads(invoke("measure", "parts", "-q", "--json", cwd=project).stdout)
    lines = invoke("measure", "parts", "-v", cwd=project).stdout.splitlines()
    assert lines[-1].strip().endswith(" s")


def test_export__one_format_now(project: Path, tmp_path: Path) -> None:
    photos(tmp_path / "in")
    invoke("add", "parts", str(tmp_path / "in"), cwd=project)
    invoke("run", "parts", "-q", cwd=project)
    answer = orjson.loads(invoke("export", "parts", "--format", "yolo", "--json", cwd=project).stdout)
    assert answer["export"]["counts"]["train images"] == 10
    assert "nothing to write for exports/yolo" in answer["export"]["notes"][0]  # classes of whole images
    shutil.rmtree(project / "datasets/parts/exports/parquet")
    invoke("export", "parts", "--format", "parquet", cwd=project)
    assert "exports/parquet" in invoke("status", cwd=project).stdout


def test_version_and_help_have_short_names(tmp_path: Path) -> None:
    assert invoke("-V", cwd=tmp_path).stdout == invoke("--version", cwd=tmp_path).stdout
    assert invoke("run", "-h", cwd=tmp_path).stdout == invoke("run", "--help", cwd=tmp_path).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion__prints_a_script_for_the_shell(shell: str, tmp_path: Path) -> None:
    script = invoke("completion", shell, cwd=tmp_path).stdout
    assert f"_TUNDISH_COMPLETE={shell}_complete" in script
    assert "tundish" in script


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("tundish st", ["status"]),
        ("tundish run le", ["left"]),
        ("tundish status left ", ["right"]),
        ("tundish export ", ["left", "right"]),
        ("tundish label push ", ["left", "right"]),
        ("tundish run left --to sp", ["split"]),
        ("tundish label pu", ["pull", "push"]),
    ],
)
def test_completion__knows_commands_and_datasets(
    project: Path, words: str, offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("left", "right"):
        (project / f"pipelines/{name}.yaml").touch()
    typed, _, begun = words.rpartition(" ")
    monkeypatch.chdir(project)
    complete = BashComplete(main, {}, "tundish", "_TUNDISH_COMPLETE")
    assert [one.value for one in complete.get_completions(typed.split()[1:], begun)] == offered


def test_every_command_that_names_a_dataset_completes_its_name() -> None:
    def leaves(group: click.Group) -> Iterator[click.Command]:
        for name in group.list_commands(click.Context(group)):
            command = group.get_command(click.Context(group), name)
            assert command is not None
            yield from leaves(command) if isinstance(command, click.Group) else [command]

    for command in leaves(main):
        for parameter in command.params:
            if isinstance(parameter, click.Argument) and parameter.name in ("name", "names"):
                assert isinstance(parameter.type, DatasetName), command.name


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
    assert "run 'tundish validate parts' first" in refusal(tundish("split", "parts", cwd=project))


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
