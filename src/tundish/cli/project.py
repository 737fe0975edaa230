"""``tundish init`` and ``tundish sample``."""

from __future__ import annotations

from pathlib import Path

import click

from tundish.cli._common import find_project
from tundish.errors import OutsideError, UsageError

__all__ = ["COMMANDS"]

_GITIGNORE = """\
# landing zone, local caches and what is rebuilt from the store: in neither git nor DVC
/datasets/*/raw/
/datasets/*/.seen.json
/datasets/*/exports/
__pycache__/
"""
_PARAMS = """\
# The datasets that `dvc repro` runs, by the names of their recipes in pipelines/.
pipelines: []
"""


def _template() -> Path:
    """The files that a project starts from: in the wheel, or the repository itself."""
    package = Path(__file__).parents[1]
    carried = package / "_template"
    return carried if carried.is_dir() else package.parents[1]


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Lay out a new project in DIR: dvc.yaml, params.yaml, pipelines/, schemas/, datasets/, with Git and DVC.

    \b
    Example:
      tundish init plant && cd plant && tundish sample && dvc repro
    """
    if (folder / "dvc.yaml").exists() or (folder / "pipelines").exists():
        raise UsageError("there is a project already", where=str(folder), fix="choose another folder")
    template = _template()
    for room in ("pipelines", "schemas", "datasets"):
        (folder / room).mkdir(parents=True, exist_ok=True)
    schemas = template / "schemas"
    # The models, and beside them the names that their columns have in plants.
    for source in (*sorted(schemas.glob("*.py")), *sorted(schemas.glob("*.yaml"))):
        (folder / "schemas" / source.name).write_bytes(source.read_bytes())
    (folder / "dvc.yaml").write_bytes((template / "dvc.yaml").read_bytes())
    (folder / "params.yaml").write_text(_PARAMS, encoding="utf-8")
    _add_lines(folder / ".gitignore", _GITIGNORE)
    _version_control(folder)
    click.echo(f"Laid out {folder}: next, 'cd {folder}' and 'tundish add NAME SOURCE' or 'tundish sample'.")


def _add_lines(path: Path, text: str) -> None:
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(before + text, encoding="utf-8")


def _version_control(folder: Path) -> None:
    """Git where it is installed and the folder is in no repository yet; DVC in any case."""
    import logging
    import shutil
    import subprocess

    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    git = shutil.which("git")
    inside = any((parent / ".git").exists() for parent in (folder.resolve(), *folder.resolve().parents))
    if git and not inside:
        subprocess.run([git, "init", "--quiet", str(folder)], check=True)  # noqa: S603  (fixed words, a folder)
        inside = True
    try:
        # A project may be a part of a larger repository.
        subdirectory = inside and not (folder / ".git").exists()
        # DVC greets through its log; what comes next is ours to say.
        logging.getLogger("dvc").setLevel(logging.WARNING)
        repo = Repo.init(str(folder), no_scm=not inside, subdir=subdirectory)
        with repo, repo.config.edit() as config:
            config["core"]["analytics"] = False
    except DvcException as problem:
        raise OutsideError(f"DVC could not start here ({problem})", where=str(folder)) from problem
    _add_lines(
        folder / ".dvcignore", "# what Python leaves beside the schemas is no change of them\n__pycache__\n"
    )


@click.command("sample")
@click.option("--seed", default=2026, show_default=True, help="Another seed makes other pictures.")
def sample(seed: int) -> None:
    """Make two realistic sample datasets, dirty on purpose, with a truth.json that says what was planted.

    Images with labels, and the tables that go with them: heats, coils, genealogy, a coal laboratory's file.
    Writes datasets/steel-surface and datasets/coal-belt and, where they are missing, their recipes.

    \b
    Example:
      tundish sample && dvc repro
    """
    from tundish.cli.add import list_pipeline
    from tundish.sample import make_coal_belt, make_steel_surface
    from tundish.storage.dataset import DatasetFolder

    project = find_project()
    for name, make in (("steel-surface", make_steel_surface), ("coal-belt", make_coal_belt)):
        truth = make(DatasetFolder(name, project).root, seed)
        recipe = project / "pipelines" / f"{name}.yaml"
        if not recipe.exists():
            recipe.write_bytes((_template() / "pipelines" / recipe.name).read_bytes())
        list_pipeline(project / "params.yaml", name)
        rows = sum(table.rows for table in truth.tables)
        odd = len(truth.planted) + sum(len(table.planted) for table in truth.tables)
        click.echo(
            f"{name}: {truth.image_files} image files, {truth.label_files} label files, {rows} records, "
            f"{odd} faults and oddities planted (datasets/{name}/truth.json)"
        )
    click.echo("Next: 'dvc repro', or 'tundish run steel-surface'.")


COMMANDS = {"init": init, "sample": sample}
