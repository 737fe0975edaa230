"""``tundish run`` and one command a stage."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from tundish.cli._common import (
    find_project,
    json_option,
    no_dataset,
    show,
    show_json,
    watching,
)
from tundish.cli._formats import WrittenFormat
from tundish.errors import UsageError
from tundish.stages import ABOUT, between

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS"]

_scheduler = click.option(
    "--scheduler", metavar="ADDRESS", help="Do pixel work on a Dask cluster, such as tcp://10.0.0.5:8786."
)


def _run_stages(
    names: Sequence[str],
    stages: Sequence[str],
    scheduler: str | None,
    *,
    as_json: bool,
    named: bool,
    accept_losses: bool = False,
) -> dict[str, dict[str, Any]]:
    """Run stages and show what each did as soon as it is done.

    Returns:
        What each did as plain values, by dataset and stage.
    """
    from tundish.api.pipeline import run_each

    answers: dict[str, dict[str, Any]] = {name: {} for name in names}
    with watching() as progress:
        steps = run_each(
            names,
            stages,
            accept_losses=accept_losses,
            scheduler=scheduler,
            project=find_project(),
            progress=progress,
        )
        began = time.monotonic()
        for name, stage, outcome in steps:
            answers[name][stage] = asdict(outcome)
            if not as_json:
                show(stage, outcome, name if named else "", seconds=time.monotonic() - began)
            began = time.monotonic()
    return answers


@click.command("run")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Run every dataset that has a recipe.")
@click.option("--from", "first", type=click.Choice(list(ABOUT)), help="Begin with this stage.")
@click.option("--to", "last", type=click.Choice(list(ABOUT)), help="End with this stage.")
@click.option(
    "--accept-losses", is_flag=True, help="Go on where more is lost than the recipe's guard allows."
)
@_scheduler
@json_option
def run(
    names: tuple[str, ...],
    everything: bool,
    first: str | None,
    last: str | None,
    accept_losses: bool,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Run the stages of the datasets NAME one after the other, without DVC.

    A run that would lose more labels or images than the recipe's guard allows stops before the splits with
    exit code 1, and says which check took them.

    \b
    Example:
      tundish run steel-surface
      tundish run steel-surface coal-belt --from split --to export
      tundish run --all
    """
    from tundish.api.pipeline import datasets

    if everything and names:
        raise UsageError("both names and --all are given", fix="choose one of them")
    chosen = datasets(project=find_project()) if everything else tuple(dict.fromkeys(names))
    if not chosen:
        raise _nothing_to_run(everything=everything)
    several = len(chosen) > 1
    answers = _run_stages(
        chosen,
        between(first, last),
        scheduler,
        as_json=as_json,
        named=several,
        accept_losses=accept_losses,
    )
    if as_json:
        show_json(answers if several else answers[chosen[0]])


def _nothing_to_run(*, everything: bool) -> UsageError:
    from tundish.api.pipeline import datasets

    existing = datasets(project=find_project())
    if everything or not existing:
        return no_dataset(find_project())
    return UsageError("no dataset is named", fix=f"name one of {', '.join(existing)}, or use --all")


def _stage_command(stage: str, about: str) -> click.Command:
    @click.command(stage, short_help=about)
    @click.argument("name")
    @_scheduler
    @json_option
    def command(name: str, scheduler: str | None, as_json: bool) -> None:
        # DVC calls the stages one by one, of all datasets by turns.
        answers = _run_stages([name], [stage], scheduler, as_json=as_json, named=True)
        if as_json:
            show_json(answers[name])

    command.help = f"{about}\n\nThis is what dvc.yaml calls.\n\n\b\nExample:\n  tundish {stage} steel-surface"
    return command


@click.command("export", short_help=ABOUT["export"])
@click.argument("name")
@click.option("--format", type=WrittenFormat(), help="Write this format only.")
@json_option
def export(name: str, format: str | None, as_json: bool) -> None:  # noqa: A002  (named as the option)
    """Write what trainers read: the recipe's formats, or one more at once.

    \b
    Example:
      tundish export steel-surface
      tundish export steel-surface --format yolo
    """
    from tundish.api.pipeline import export

    with watching() as progress:
        outcome = export(name, format=format, project=find_project(), progress=progress)
    if as_json:
        show_json({"export": asdict(outcome)})
    else:
        show("export", outcome, name)


@click.command("dedup", short_help=ABOUT["dedup"])
@click.argument("name")
@click.option(
    "--pairs",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write the pairs of files to this CSV file as well: a, b, their relation and their scores.",
)
@_scheduler
@json_option
def dedup(name: str, pairs: str | None, scheduler: str | None, as_json: bool) -> None:
    """Find images that show the same in whole or in part, and decide which copy is kept.

    This is what dvc.yaml calls.

    \b
    Example:
      tundish dedup steel-surface
      tundish dedup steel-surface --pairs pairs.csv
    """
    from tundish.api.pipeline import dedup as find

    with watching() as progress:
        outcome = find(name, pairs=pairs, scheduler=scheduler, project=find_project(), progress=progress)
    if as_json:
        show_json({"dedup": asdict(outcome)})
    else:
        show("dedup", outcome, name)


COMMANDS = {stage: _stage_command(stage, about) for stage, about in ABOUT.items()} | {
    "run": run,
    "export": export,
    "dedup": dedup,
}
