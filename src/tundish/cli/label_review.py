"""``tundish label agree`` and ``accept``: whether labels can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tundish.cli._common import json_option, progress
from tundish.cli._label import (
    client_of,
    config_of,
    next_step,
    push_apart,
    recipe_of,
    server_option,
    token_option,
)
from tundish.errors import GateError

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from tundish.labeling.batches import Batch
    from tundish.recipe import Recipe

__all__ = ["accept", "agree"]

_DIGITS = 3
_CAPTIONS = {
    "overall": "overall (low, high: 95 % interval)",
    "classes": "classes",
    "annotators": "annotators (extra: others drew nothing there; missed: others drew something)",
    "pairs": "pairs",
    "confusion": "confusion (what one annotator called a thing, by what another called it)",
}
_FOR_MACHINES = ("votes", "agreed", "informed")
"""Columns that only --json shows."""


@click.command("agree", short_help="How far the annotators agree.")
@click.argument("name")
@json_option
def agree(name: str, as_json: bool) -> None:
    """Tell how far the annotators of the dataset NAME agree, by class, annotator and pair.

    Labels are those of the answers pulled last and validated; images that only one annotator
    answered say nothing about agreement. `label: {overlap: 0.2}` in the recipe makes a fifth that
    two answer.

    \b
    Example:
      tundish label agree steel-surface
      tundish label agree steel-surface --json
    """
    from tundish.labeling.opinions import confusions, opinions, said_of

    project, recipe = recipe_of(name)
    found = opinions(said_of(project / "datasets" / recipe.dataset), iou=recipe.label.iou)
    tables = {
        "overall": found.agreement.overall,
        "classes": found.agreement.classes,
        "annotators": found.agreement.annotators.join(found.quality, on="author", how="left"),
        "pairs": found.agreement.pairs,
        "confusion": confusions(found.agreement),
    }
    if as_json:
        tables["confusion"] = found.agreement.confusion
        _dump({"images": found.shared, **{key: of.to_dicts() for key, of in tables.items()}}, found.notes)
        return
    if found.shared:
        click.echo(f"{found.shared:,} images that two annotators or more answered")
        for title, table in tables.items():
            _print_table(_CAPTIONS[title], table)
    for note in found.notes:
        click.echo(f"- {note}")


@click.command("accept", short_help="Accept what annotators labelled, by a sample of it, or not.")
@click.argument("name")
@click.option(
    "--aql", type=float, help="Percent of nonconforming images of any class; by default the recipe's, or 1.0."
)
@click.option("--level", help="Inspection level; by default the recipe's, or II.")
@click.option(
    "--severity",
    default="auto",
    show_default=True,
    help="normal, tightened or reduced; auto: as the batches before it ask for.",
)
@click.option("--seed", type=int, default=0, help="Another seed draws another sample.")
@click.option("--corrected", default="", metavar="TEXT", help="What was done after five batches failed.")
@click.option(
    "--annotator",
    default="",
    metavar="NAME",
    help="Whose work, where a batch holds one annotator's; by default the next who has images.",
)
@server_option
@token_option
@json_option
def accept(
    name: str,
    aql: float | None,
    level: str | None,
    severity: str,
    seed: int,
    corrected: str,
    annotator: str,
    server: str | None,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Accept a batch of the labels of the dataset NAME by a blind review of a sample (ISO 2859-1).

    The first call makes a batch of what annotators decided and pushes its sample into a project of
    its own, with nothing drawn; reviewers label it anew. Later calls pull their answers and tell
    what is missing or what the verdict is. The options are those of a new batch, and by default
    what the recipe says of acceptance: an AQL for each class of nonconformity, a batch for each
    annotator. Exit code 1 says that a batch was not accepted.

    \b
    Example:
      tundish label accept steel-surface
      tundish label accept steel-surface --aql 2.5 --level I --seed 7
    """
    from tundish.label_section import Acceptance
    from tundish.labeling import lots

    project, recipe = recipe_of(name)
    dataset = project / "datasets" / recipe.dataset
    rules = recipe.label.acceptance or Acceptance()
    asked = lots.Asked(
        recipe.label_title,
        rules.aql if aql is None else aql,
        rules.level if level is None else level,
        severity,
        seed,
        rules.reduced,
        corrected,
        rules.per == "annotator",
        annotator,
        rules.miss_rate,
    )
    lots.check(asked)
    batch = lots.open_batch(dataset, annotator) or lots.next_batch(dataset, asked)
    notes: list[str] = []
    if batch is not None:
        batch, notes = _reviewed(project, recipe, batch, server, token_file)
    _tell(dataset, batch, notes, annotator, as_json=as_json)


def _reviewed(
    project: Path, recipe: Recipe, batch: Batch, server: str | None, token_file: Path | None
) -> tuple[Batch, list[str]]:
    """Bring the sample of a batch in front of its reviewers, and judge it by their answers so far."""
    import polars as pl

    from tundish.labeling import review
    from tundish.labeling.pull import pull
    from tundish.tables import IMAGES

    dataset = project / "datasets" / recipe.dataset
    images = IMAGES.read(dataset / "curated" / "images.parquet")
    drawn = pl.DataFrame({"image_id": batch.sample}, schema={"image_id": pl.String})
    sample = drawn.join(images, on="image_id", how="inner", maintain_order="left")
    with client_of(project, recipe, server, token_file) as client:
        pushed = push_apart(client, project, recipe, batch.title, sample)
        with progress("pull") as tell:
            configs = {batch.title: config_of(recipe)}
            folder = batch.folder / "review"
            done = pull(client, configs, images, recipe.annotations, folder, progress=tell)
        address = f"{client.address}/projects/{pushed.project}/data"
    judged = review.judge(batch, dataset)
    notes = [
        *dict.fromkeys([*pushed.notes, *done.notes]),
        *(f"{one.path}: {one.message}" for one in done.problems),
    ]
    return judged.batch, [*notes, *judged.notes, *([] if judged.batch.complete else [address])]


def _tell(dataset: Path, batch: Batch | None, notes: list[str], annotator: str, *, as_json: bool) -> None:
    from tundish.labeling.batches import planned, read_batches, verdict_of
    from tundish.labeling.lots import refused

    open_ = refused(dataset)
    if batch is None:
        mine = [one for one in read_batches(dataset / "labels") if annotator in ("", one.producer)]
        batch = mine[-1] if mine else None
        nothing = f"all that {annotator or 'annotators'} decided is in batches that have a verdict"
        notes = [nothing if batch else f"{annotator or 'annotators'} decided nothing yet"]
    said = verdict_of(batch) if batch else None
    if as_json:
        about = {"batch": batch.number, "producer": batch.producer} | planned(batch) if batch else {}
        _dump({"batch": None, **about, "verdict": said}, notes)
    else:
        if batch and said:
            _tell_verdict(batch, said)
        for note in notes:
            click.echo(f"- {note}")
        if batch and said and not open_:
            _tell_next(dataset, batch, said)
    if open_:
        numbers = ", ".join(one.name for one in open_)
        raise GateError(
            f"batch {numbers} was not accepted",
            where=dataset.name,
            fix=f"correct the images in labels/batches/{open_[0].number}/findings.parquet, then pull,"
            f" 'tundish run {dataset.name} --to consensus' and accept again",
        )


def _tell_next(dataset: Path, batch: Batch, said: dict[str, Any]) -> None:
    name, project = dataset.name, dataset.parent.parent
    if said["accepted"] is None:
        click.echo(f"Next: reviewers answer there, then 'tundish label accept {name}' again.")
        return
    kept = batch.folder.relative_to(project).as_posix()
    click.echo(f"- what was found, and the operating characteristic: {kept}/findings.parquet, {kept}/oc.svg")
    click.echo(next_step(project, name, name))


def _tell_verdict(batch: Batch, said: dict[str, Any]) -> None:
    plans = [
        f"{name and name + ': '}AQL {plan.aql:g} %, level {plan.level}, {plan.severity}"
        for name, plan in batch.plans.items()
    ]
    size, n = batch.plan.lot_size, batch.plan.n
    click.echo(
        f"batch {batch.name}: {size:,} images, sample {n:,} ({'; '.join(plans)}),"
        f" {batch.inspected:,} of {n:,} reviewed"
    )
    if not batch.inspected:
        return
    click.echo(said["sentence"])
    for name, one in said.get("classes", {}).items():
        click.echo(f"  {name}: {one['sentence']}")


def _dump(answer: dict[str, Any], notes: list[str]) -> None:
    import orjson

    click.echo(orjson.dumps(answer | {"notes": notes}, option=orjson.OPT_INDENT_2).decode())


def _print_table(title: str, frame: pl.DataFrame) -> None:
    """A frame as a table for people; columns that say nothing are left out."""
    import polars as pl
    from rich.console import Console
    from rich.table import Table

    told = [name for name in frame.columns if name not in _FOR_MACHINES]
    told = [name for name in told if frame[name].null_count() < frame.height]
    told = [
        name for name in told if frame[name].dtype != pl.String or (frame[name].fill_null("") != "").any()
    ]
    table = Table(box=None, pad_edge=False)
    for name in told:
        table.add_column(name, justify="left" if frame[name].dtype == pl.String else "right")
    for row in frame.select(told).iter_rows():
        table.add_row(*map(_cell, row))
    click.echo(f"\n{title}")
    Console(width=max(80, 14 * len(told))).print(table)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.{_DIGITS}f}" if isinstance(value, float) else str(value)
