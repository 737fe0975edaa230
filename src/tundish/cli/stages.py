"""``tundish run`` and one command a stage."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tundish.cli._common import find_project, find_recipe, json_option, progress, show
from tundish.cli._formats import WrittenFormat
from tundish.stages import ABOUT, between

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS"]

_scheduler = click.option(
    "--scheduler", metavar="ADDRESS", help="Do pixel work on a Dask cluster, such as tcp://10.0.0.5:8786."
)


def _run_stages(name: str, stages: Sequence[str], scheduler: str | None, *, as_json: bool) -> None:
    from tundish.api.pipeline import run_stages

    project = find_project()
    # DVC calls the stages one by one, of all datasets by turns.
    dataset = name if len(stages) == 1 else ""
    answers = {}
    for stage, outcome in run_stages(
        project, find_recipe(project, name), stages, scheduler=scheduler, watch=progress
    ):
        answers[stage] = asdict(outcome)
        if not as_json:
            show(stage, outcome, dataset)
    if as_json:
        import orjson

        click.echo(orjson.dumps(answers).decode())


@click.command("run")
@click.argument("name")
@click.option("--from", "first", type=click.Choice(list(ABOUT)), help="Begin with this stage.")
@click.option("--to", "last", type=click.Choice(list(ABOUT)), help="End with this stage.")
@_scheduler
@json_option
def run(name: str, first: str | None, last: str | None, scheduler: str | None, as_json: bool) -> None:
    """Run the stages of the dataset NAME one after the other, without DVC.

    \b
    Example:
      tundish run steel-surface
      tundish run steel-surface --from split --to export
    """
    _run_stages(name, between(first, last), scheduler, as_json=as_json)


def _stage_command(stage: str, about: str) -> click.Command:
    @click.command(stage, short_help=about)
    @click.argument("name")
    @_scheduler
    @json_option
    def command(name: str, scheduler: str | None, as_json: bool) -> None:
        _run_stages(name, [stage], scheduler, as_json=as_json)

    command.help = f"{about}\n\nThis is what dvc.yaml calls.\n\n\b\nExample:\n  tundish {stage} steel-surface"
    return command


@click.command("export", short_help=ABOUT["export"])
@click.argument("name")
@click.option("--format", "form", type=WrittenFormat(), help="Write this format only.")
@json_option
def export(name: str, form: str | None, as_json: bool) -> None:
    """Write what trainers read: the recipe's formats, or one more at once.

    \b
    Example:
      tundish export steel-surface
      tundish export steel-surface --format yolo
    """
    if form is None:
        _run_stages(name, ["export"], None, as_json=as_json)
        return
    from tundish.engine import LocalEngine
    from tundish.recipe import load as recipes
    from tundish.stages.base import Context
    from tundish.stages.export.stage import export_one

    project = find_project()
    recipe = recipes.load(find_recipe(project, name))
    with progress("export") as tell:
        outcome = export_one(Context(recipe, project, LocalEngine(), tell), form)
    show("export", outcome)


COMMANDS = {stage: _stage_command(stage, about) for stage, about in ABOUT.items()} | {
    "run": run,
    "export": export,
}
