"""``tundish init`` and ``tundish sample``."""

from __future__ import annotations

from pathlib import Path

import click

from tundish.cli._common import echo, find_project, verbosity, warn
from tundish.cli._shell import pasteable, repro

__all__ = ["COMMANDS"]


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Lay out a new project in DIR: dvc.yaml, params.yaml, schemas/, pipelines/, a README, with Git and DVC.

    DIR may exist, '.' too; files that it has already stay as they are.

    \b
    Example:
      tundish init plant && cd plant && tundish sample && dvc repro
    """
    from tundish.api import projects

    project = projects.init(folder)
    for note in project.notes:
        warn(f"Note: {note}.")
    echo(f"Laid out {project.folder}; its README.md says what lies where. Next:")
    if project.folder.resolve() != Path.cwd():
        echo(f"  {pasteable('cd', str(project.folder))}")
    echo("  tundish add line1 ~/photos/line1   # a name and a folder of your own; or: tundish sample")


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
    from tundish.api import demo

    project = find_project()
    for made in demo.sample(seed=seed, project=project, progress=_begin):
        echo(
            f"{made.dataset}: {made.image_files} image files, {made.label_files} label files, "
            f"{made.records} records, {made.planted} faults and oddities planted "
            f"(datasets/{made.dataset}/truth.json)"
        )
    echo("Next, run one of:\n  tundish run steel-surface")
    echo(f"  {repro(project)}")


def _begin(dataset: str, made: int, total: int) -> None:
    if made < total and verbosity() >= 0:
        warn(f"Making {dataset} ({made + 1} of {total}) ...")


COMMANDS = {"init": init, "sample": sample}
