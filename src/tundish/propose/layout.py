"""Lays out a new project: the pipeline, schemas, a README, Git and DVC."""

from __future__ import annotations

import logging
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from tundish.errors import OutsideError, UsageError
from tundish.propose.editors import write_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_free", "lay_out", "project_above", "start_version_control", "template"]

_GITIGNORE = """\
# landing zone, local caches and what is rebuilt from the store: in neither Git nor DVC
/datasets/*/raw/
/datasets/*/.seen.json
/datasets/*/exports/
__pycache__/
"""
_DVCIGNORE = """\
# what Python leaves beside the schemas is not a change of them
__pycache__/
"""
_PARAMS = """\
# The datasets that `dvc repro` runs, by the names of their recipes in pipelines/.
pipelines: []
"""
_README = """\
# {name}

A Tundish project: inspection images, their labels, and tables of process and laboratory records.

## The next commands

```console
$ tundish add line1 ~/photos/line1   # look at a folder, zip, tar or table; write pipelines/line1.yaml
$ dvc repro                          # run what changed, of every dataset; or: tundish run line1
$ tundish status line1               # what came in, what was removed and why, the splits
$ tundish label push line1           # have images labelled; first, elsewhere: tundish label start
$ tundish export line1 --format yolo # write one more format for a trainer
```

No data at hand? `tundish sample` makes two small datasets. `tundish COMMAND --help` shows every option.

## What lies where

| file or folder | what it holds | written by |
| --- | --- | --- |
| `pipelines/*.yaml` | a recipe for each dataset: sources, classes, splits, exports | `tundish add`, and you |
| `schemas/*.py` | what counts as a valid image, label or record (Pandera models) | you |
| `schemas/*.yaml` | what your tables call a column, and in which unit | you |
| `params.yaml` | the datasets that `dvc repro` runs | `tundish add`, and you |
| `dvc.yaml` | the stages, as DVC runs them | Tundish |
| `datasets/*/raw/` | landing zone for new files; in neither Git nor DVC | you |
| `datasets/*/store/` | the files as they were taken in, packed; DVC carries it | `tundish ingest` |
| `datasets/*/labels/` | answers pulled from Label Studio | `tundish label pull` |
| `datasets/*/curated/` | tables of decisions; `quarantine` says what was removed and why | the stages |
| `datasets/*/augmented/` | derived training images; DVC carries it | `tundish augment` |
| `datasets/*/exports/` | what trainers read; made again from the store, so not in DVC | `tundish export` |
| `datasets/*/reports/` | metrics, plots and the quality report | `tundish report` |
| `.tundish/recipe.schema.json` | lets editors check and complete the recipes | Tundish |

Commit everything but what `.gitignore` names; `dvc push` sends the data to the remote that you set for DVC.
"""


def template() -> Path:
    """The folder with the files that a project starts from: in the wheel, or the repository itself.

    Raises:
        OutsideError: This installation does not have them.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_template", package.parents[1]):
        if (folder / "dvc.yaml").is_file() and (folder / "schemas").is_dir():
            return folder
    raise OutsideError(
        "this installation of Tundish lacks the files that a project starts from",
        where=str(package),
        fix="install Tundish again",
    )


def check_free(folder: Path) -> None:
    """Refuse a folder that a project cannot be laid out in.

    Raises:
        UsageError: It is a file, or a project already.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError("this is a file", where=str(folder), fix="name a folder")
    if (folder / "pipelines").is_dir():
        raise UsageError(
            "this is a Tundish project already",
            where=str(folder),
            fix="go on in it with 'tundish add' or 'tundish sample', or choose another folder",
        )
    if (folder / "dvc.yaml").exists():
        raise UsageError(
            "this folder has a dvc.yaml of its own",
            where=str(folder),
            fix="choose another folder, such as one inside it",
        )


def project_above(folder: Path) -> Path | None:
    """The nearest folder above that is a project."""
    return next((one for one in folder.resolve().parents if _is_project(one)), None)


def _is_project(folder: Path) -> bool:
    return (folder / "pipelines").is_dir() and (folder / "dvc.yaml").is_file()


def lay_out(folder: Path) -> tuple[str, ...]:
    """Write the files of a new project; those that are there already stay as they are.

    Args:
        folder: An existing folder.

    Returns:
        Files that were there already and differ from what would have been written, relative to the folder.
    """
    kept = []
    for name, data in _files(folder):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(data)
        elif path.read_bytes() != data:
            kept.append(name)
    params = folder / "params.yaml"
    if params.exists():
        text = params.read_bytes().decode()
        if "pipelines" not in (yaml.safe_load(text) or {}):
            _add_lines(params, _PARAMS)
    else:
        params.write_text(_PARAMS, encoding="utf-8")
    _add_lines(folder / ".gitignore", _GITIGNORE)
    _add_lines(folder / ".dvcignore", _DVCIGNORE)
    write_schema(folder)
    (folder / "datasets").mkdir(exist_ok=True)
    # Last: with it the folder is a project, and an init that was interrupted can be run again until then.
    (folder / "pipelines").mkdir(exist_ok=True)
    return tuple(kept)


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Files of a new project by their names, but for those that it may share with others."""
    source = template()
    yield "dvc.yaml", (source / "dvc.yaml").read_bytes()
    schemas = source / "schemas"
    # The models, and beside them the names that their columns have in plants.
    for path in (*sorted(schemas.glob("*.py")), *sorted(schemas.glob("*.yaml"))):
        yield f"schemas/{path.name}", path.read_bytes()
    yield "README.md", _README.format(name=folder.resolve().name).encode()


def _add_lines(path: Path, text: str) -> None:
    """Add lines to a file that others write, too; once."""
    before = path.read_bytes().decode() if path.exists() else ""
    if text in before:
        return
    gap = "" if not before or before.endswith("\n") else "\n"
    path.write_bytes((before + gap + text).encode())


def start_version_control(folder: Path) -> tuple[str, ...]:
    """Start Git, where it is installed and the folder is in no repository yet, and DVC.

    Args:
        folder: An existing folder.

    Returns:
        What a person should know, a sentence each.

    Raises:
        OutsideError: Git or DVC failed.
    """
    git = shutil.which("git")
    inside = any((parent / ".git").exists() for parent in (folder.resolve(), *folder.resolve().parents))
    notes = []
    if git and not inside:
        # Fixed words and a folder.
        done = subprocess.run(  # noqa: S603
            [git, "init", "--quiet", "--", str(folder)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            problem = " ".join(done.stderr.split())
            raise OutsideError("Git could not start here", where=str(folder), fix=f"Git says: {problem}")
        inside = True
    elif not inside:
        notes.append("Git is not installed: the project has no history, and DVC runs without it")
    if not (folder / ".dvc").exists():
        _start_dvc(folder, inside_git=inside)
    return tuple(notes)


def _start_dvc(folder: Path, *, inside_git: bool) -> None:
    from dvc.exceptions import DvcException  # noqa: PLC0415  (half a second)
    from dvc.repo import Repo  # noqa: PLC0415

    try:
        # A project may be a part of a larger repository.
        subdirectory = inside_git and not (folder / ".git").exists()
        # DVC greets through its log; what comes next is ours to say.
        logging.getLogger("dvc").setLevel(logging.WARNING)
        repo = Repo.init(str(folder), no_scm=not inside_git, subdir=subdirectory)
        with repo, repo.config.edit() as config:
            config["core"]["analytics"] = False
    except DvcException as problem:
        raise OutsideError(f"DVC could not start here ({problem})", where=str(folder)) from problem
