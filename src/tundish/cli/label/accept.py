"""``tundish label accept``: whether a batch of labels is accepted, by the review of a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tundish.cli._common import json_option, progress
from tundish.cli.label.options import (
    client_of,
    config_of,
    next_step,
    push_apart,
    recipe_of,
    server_option,
    token_option,
)
from tundish.errors import GateError, UsageError
from tundish.storage.dataset import DatasetFolder

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.labeling.acceptance.batch import Batch
    from tundish.labeling.acceptance.options import BatchOptions
    from tundish.recipe.load import Recipe

__all__ = ["accept"]

_MOST_TOLD = 10
"""Images that a call names of those that do not conform."""


@click.command("accept", short_help="Accept what annotators labelled, by a sample of it, or not.")
@click.argument("name")
@click.option(
    "--aql",
    type=float,
    help="Percent of nonconforming images of any class; by default the recipe's, else that of the batch"
    " before, or 1.0.",
)
@click.option("--level", help="Inspection level; by default found as the AQL is, or II.")
@click.option(
    "--lq",
    type=click.FloatRange(0, 100, min_open=True),
    metavar="PERCENT",
    help="Limiting quality, instead of an AQL: the batch stands alone and is of no series.",
)
@click.option(
    "--ac",
    type=click.IntRange(0),
    metavar="N",
    help="Nonconforming images that the sample of --lq may show; by default none.",
)
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
    name: str, server: str | None, token_file: Path | None, as_json: bool, annotator: str, **new: Any
) -> None:
    """Accept a batch of the labels of the dataset NAME by a blind review of a sample (ISO 2859-1).

    The first call opens a batch of what annotators decided and pushes its sample into a project of
    its own, with nothing drawn; reviewers label it anew. Later calls pull their answers and tell
    what is missing or what the verdict is. A call after the verdict opens the next batch, where
    anything was decided since, and says so first. The options are those of a new batch, and by
    default what the recipe says of acceptance: an AQL for each class of nonconformity, a batch for
    each annotator. Exit code 1 says that a batch was not accepted.

    \b
    Example:
      tundish label accept steel-surface
      tundish label accept steel-surface --aql 2.5 --level I --seed 7
      tundish label accept steel-surface --lq 5 --ac 1
    """
    from tundish.labeling.acceptance.next_batch import find_open_batch
    from tundish.labeling.acceptance.options import check_options

    project, recipe = recipe_of(name)
    dataset = DatasetFolder(recipe.dataset, project)
    asked = _asked(recipe, annotator, **new)
    check_options(asked)
    opened, notes = "", []
    batch = find_open_batch(dataset, annotator, recipe.annotations.lookup())
    if batch is None:
        batch, opened = _opened(dataset, asked, as_json=as_json)
    else:
        notes = _for_another(batch, new)
    if batch is not None:
        batch, told = _reviewed(project, recipe, batch, server, token_file)
        notes += told
    _tell(dataset, asked, batch, opened, notes, as_json=as_json)


def _asked(
    recipe: Recipe,
    annotator: str,
    *,
    aql: float | None,
    level: str | None,
    lq: float | None,
    ac: int | None,
    **more: Any,
) -> BatchOptions:
    """How the next batch is to be inspected: by the options, and by the recipe where it says anything."""
    from tundish.labeling.acceptance.options import BatchOptions
    from tundish.recipe.labelling import Acceptance

    if lq is not None and aql is not None:
        raise UsageError("an AQL and an LQ do not go together", where="--lq", fix="name one of them")
    if lq is None and ac is not None:
        raise UsageError("an AQL has its Ac from the standard", where="--ac", fix="name it with --lq alone")
    section = recipe.label.acceptance
    rules = section or Acceptance()
    asks = section is not None and lq is None
    return BatchOptions(
        recipe.label_title,
        rules.aql if asks and aql is None else aql,
        rules.level if asks and level is None else level,
        reduced=rules.reduced,
        per_annotator=rules.per == "annotator",
        annotator=annotator,
        miss_rate=rules.miss_rate,
        misplaced=rules.misplaced,
        loose=rules.loose,
        lq=lq,
        ac=ac or 0,
        class_of=recipe.annotations.lookup(),
        **more,
    )


def _opened(dataset: DatasetFolder, asked: BatchOptions, *, as_json: bool) -> tuple[Batch | None, str]:
    """The next batch, and the sentence that says why it was opened: told before a server is asked."""
    from tundish.labeling.acceptance.batch import read_batches
    from tundish.labeling.acceptance.next_batch import create_next_batch
    from tundish.labeling.acceptance.opening import describe_opening

    batch = create_next_batch(dataset, asked)
    if batch is None:
        return None, ""
    said = describe_opening(batch, read_batches(dataset.labels))
    click.echo(said, err=as_json)
    return batch, said


def _for_another(batch: Batch, new: dict[str, Any]) -> list[str]:
    """A sentence where options were given that are those of a new batch."""
    given = [f"--{name}" for name, value in new.items() if value not in (None, "", "auto", 0)]
    if not given:
        return []
    return [f"{', '.join(given)}: of a new batch; batch {batch.name} is reviewed as it was opened"]


def _reviewed(
    project: Path, recipe: Recipe, batch: Batch, server: str | None, token_file: Path | None
) -> tuple[Batch, list[str]]:
    """Bring the sample of a batch in front of its reviewers, and judge it by their answers so far."""
    import polars as pl

    from tundish.labeling.acceptance import review
    from tundish.labeling.label_studio.pull import pull
    from tundish.storage.tables import IMAGES

    dataset = DatasetFolder(recipe.dataset, project)
    images = dataset.read(IMAGES)
    # Where somebody deleted the project, what was reviewed in it is not asked for twice.
    drawn = pl.DataFrame({"image_id": review.unreviewed_images(batch)}, schema={"image_id": pl.String})
    sample = drawn.join(images, on="image_id", how="inner", maintain_order="left")
    with client_of(project, recipe, server, token_file) as client:
        pushed = push_apart(client, project, recipe, batch.title, sample)
        with progress("pull") as tell:
            configs = {batch.title: config_of(recipe)}
            folder = batch.folder / "review"
            done = pull(client, configs, images, recipe.annotations, folder, progress=tell)
        address = f"{client.address}/projects/{pushed.project}/data"
    judged = review.judge_batch(batch, dataset, recipe.annotations.lookup())
    notes = [
        *dict.fromkeys([*pushed.notes, *done.notes]),
        *(f"{one.path}: {one.message}" for one in done.problems),
    ]
    return judged.batch, [*notes, *judged.notes, *([] if judged.batch.complete else [address])]


def _tell(
    dataset: DatasetFolder,
    asked: BatchOptions,
    batch: Batch | None,
    opened: str,
    notes: list[str],
    *,
    as_json: bool,
) -> None:
    from tundish.labeling.acceptance.batch import plan_fields, read_batches, read_verdict
    from tundish.labeling.acceptance.next_batch import count_waiting_images

    if batch is None:
        who = asked.annotator or "annotators"
        mine = [one for one in read_batches(dataset.labels) if asked.annotator in ("", one.producer)]
        batch = mine[-1] if mine else None
        nothing = f"all that {who} decided is in batches that have a verdict"
        notes = [nothing if batch else f"{who} decided nothing yet"]
    said = read_verdict(batch) if batch else None
    decided = said is not None and said["accepted"] is not None
    if decided and (more := count_waiting_images(dataset, asked._replace(annotator=""))):
        notes.append(f"waiting for the next batch, which another call opens: {more:,} images")
    if as_json:
        import orjson

        about = {"batch": batch.number, "producer": batch.producer} | plan_fields(batch) if batch else {}
        answer = {"batch": None, **about, "opened": opened, "verdict": said, "notes": notes}
        click.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    else:
        if batch and said:
            _tell_verdict(batch, said)
        for note in notes:
            click.echo(f"- {note}")
        if batch and said:
            _tell_next(dataset, batch, said)
    _raise_if_refused(dataset)


def _raise_if_refused(dataset: DatasetFolder) -> None:
    from tundish.labeling.acceptance.next_batch import refused_batches

    open_ = refused_batches(dataset)
    if open_:
        numbers = ", ".join(one.name for one in open_)
        raise GateError(
            f"batch {numbers} was not accepted",
            where=dataset.name,
            fix=f"correct the images in {_place(dataset, open_[0])}/findings.parquet, then pull,"
            f" 'tundish run {dataset.name} --to consensus' and accept again",
        )


def _tell_next(dataset: DatasetFolder, batch: Batch, said: dict[str, Any]) -> None:
    name, project = dataset.name, dataset.project
    if said["accepted"] is None:
        click.echo(f"Next: reviewers answer there, then 'tundish label accept {name}' again.")
        return
    kept = _place(dataset, batch)
    click.echo(f"- what was found, and the operating characteristic: {kept}/findings.parquet, {kept}/oc.svg")
    click.echo(next_step(project, name, name))


def _place(dataset: DatasetFolder, batch: Batch) -> str:
    """The folder of a batch, from the project's."""
    return batch.folder.relative_to(dataset.project).as_posix()


def _tell_verdict(batch: Batch, said: dict[str, Any]) -> None:
    plans = [
        f"{name and name + ': '}{plan.terms}" + ("" if plan.severity else f", Ac {plan.ac}")
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
    if said["accepted"] is not None:
        _tell_found(batch)


def _tell_found(batch: Batch) -> None:
    """The images that do not conform, and what is wrong with them."""
    from tundish.labeling.acceptance.batch import read_findings

    found = read_findings(batch).drop_nulls("worst").sort("source", "path", "image_id")
    for image_id, path, details in found.head(_MOST_TOLD).select("image_id", "path", "details").iter_rows():
        click.echo(f"  {path or image_id}: {details or 'see findings.parquet'}")
    if found.height > _MOST_TOLD:
        click.echo(f"  and {found.height - _MOST_TOLD:,} more")
