"""``tundish label adjudicate``: what annotators dispute, in front of somebody who settles it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tundish.cli._common import json_option
from tundish.cli._projects import adjudication_of
from tundish.cli.label.options import (
    client_of,
    push_apart,
    recipe_of,
    server_option,
    tell_outcome,
    token_option,
)
from tundish.storage.dataset import DatasetFolder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

    from tundish.labeling.consensus.disputes import Disputes
    from tundish.labeling.consensus.renewal import Renewal
    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.config import LabelConfig, Shape
    from tundish.labeling.label_studio.push import Push
    from tundish.labeling.label_studio.tasks import Existing
    from tundish.recipe.labelling import Label
    from tundish.recipe.load import Recipe

__all__ = ["adjudicate"]


@click.command("adjudicate", short_help="Have what annotators dispute settled.")
@click.argument("name")
@server_option
@token_option
@json_option
def adjudicate(name: str, server: str | None, token_file: Path | None, as_json: bool) -> None:
    """Bring the images of the dataset NAME that annotators dispute in front of an adjudicator.

    They go to the project '<title> · adjudication', those with the most disputes first. What was
    agreed is drawn there, and each label in dispute, without the names of who drew it. 'tundish label
    pull' brings the answers; an answer decides its image alone. Calling it again adds what is new and,
    where annotators have changed their answers, replaces tasks that nobody has touched or takes them out.

    \b
    Example:
      tundish label adjudicate steel-surface
      tundish label adjudicate steel-surface --server http://10.0.0.5:8080 --token-file ~/.ls-token
    """
    from tundish.labeling.acceptance.next_batch import check_consensus
    from tundish.storage.tables import IMAGES

    project, recipe = recipe_of(name)
    dataset = DatasetFolder(recipe.dataset, project)
    check_consensus(dataset)
    images = dataset.read(IMAGES)
    found = _cases(recipe, dataset, images.filter("valid"))
    with client_of(project, recipe, server, token_file) as client:
        counts, notes = _brought(client, project, recipe, found, images)
    counts["labels not shown"] = len(found.problems)
    if found.problems:
        notes.append(
            "an image with a label that cannot be shown was not pushed: name its shape in the recipe"
        )
    elif found.images.is_empty():
        notes.append("nothing is in dispute")
    tell_outcome("adjudicate", counts, notes, found.problems, as_json=as_json)
    if found.images.height and not as_json:
        click.echo(f"Next: an adjudicator answers there, then 'tundish label pull {name}'.")


def _brought(
    client: Client, project: Path, recipe: Recipe, found: Disputes, images: pl.DataFrame
) -> tuple[dict[str, int], list[str]]:
    """Push what is not there, and take out what says otherwise now; what came of it."""
    from tundish.labeling.consensus.renewal import compare_tasks, fingerprint_disputes, remove_tasks
    from tundish.labeling.label_studio.push import look_up_existing

    there = look_up_existing(client, client.find_project(adjudication_of(recipe)))
    answered = _answered(DatasetFolder(recipe.dataset, project), adjudication_of(recipe))
    made_of = fingerprint_disputes(found)
    renewal = compare_tasks(client, there, made_of, {*images["image_id"]}, answered)
    counts = {"in dispute": found.images.height, "new tasks": 0, "there already": 0}
    counts |= {"renewed": len(renewal.renewed), "taken out": 0}
    notes = [*renewal.notes]
    if found.images.height:
        done = _pushed(client, project, recipe, found, made_of, images, there, renewal)
        counts["new tasks"] = done.added - len(renewal.renewed)
        counts["there already"] = done.known + len(renewal.kept)
        notes += [*done.notes, f"{client.address}/projects/{done.project}/data"]
    if there.project is not None:
        gone = remove_tasks(client, int(there.project["id"]), renewal.stale)
        counts["taken out"] = max(gone - len(renewal.renewed), 0)
    return counts, notes


def _answered(dataset: DatasetFolder, title: str) -> set[tuple[int, str | None]]:
    """Number and time of making of the tasks of a project whose answers were pulled."""
    from tundish.labeling.tables import TASKS

    tasks = dataset.read_if_there(TASKS, dataset.labels)
    return {*tasks.filter(title=title).select("task_id", "created_at").iter_rows()}


def _pushed(
    client: Client,
    project: Path,
    recipe: Recipe,
    found: Disputes,
    made_of: Mapping[str, str],
    images: pl.DataFrame,
    there: Existing,
    renewal: Renewal,
) -> Push:
    """Push what is in dispute, but for the images whose tasks stay as they are."""
    import polars as pl

    from tundish.labeling.label_studio.tasks import Existing, Prelabels
    from tundish.recipe.labelling import ADJUDICATION

    marks = pl.col("image_id").replace_strict(made_of, return_dtype=pl.String)
    wanted = found.images.with_columns(fingerprint=marks).filter(~pl.col("image_id").is_in(renewal.kept))
    rows = wanted.join(images.filter("valid"), on="image_id", maintain_order="left")
    rest = Existing(there.project, [one for one in there.tasks if one["id"] not in renewal.stale])
    drawn = Prelabels(found.regions, "disputes")
    what = (client, project, recipe, adjudication_of(recipe), rows, drawn, _config(recipe))
    return push_apart(*what, there=rest, purpose=ADJUDICATION)


def _cases(recipe: Recipe, dataset: DatasetFolder, images: pl.DataFrame) -> Disputes:
    import polars as pl

    from tundish.labeling.consensus.disputes import collect_disputes
    from tundish.storage.tables import ANNOTATIONS, CONSENSUS, DISPUTES

    consensus = dataset.read(CONSENSUS)
    agreed = consensus.filter(pl.col("decided_by") != "import").select(ANNOTATIONS.schema.names)
    labels = dataset.read(ANNOTATIONS)
    sizes = {key: (width, height) for key, width, height in images["image_id", "width", "height"].iter_rows()}
    disputes = dataset.read(DISPUTES)
    return collect_disputes(disputes, agreed, labels, sizes, _shapes(recipe.label))


def _shapes(section: Label) -> tuple[Shape, ...]:
    """What the adjudicator can draw: where shapes differ, annotators agree on a mask."""
    drawn = set(section.shapes) - {"class"}
    return (*section.shapes, "mask") if drawn and "mask" not in drawn else section.shapes


def _config(recipe: Recipe) -> LabelConfig:
    from tundish.labeling.consensus.disputes import INSTRUCTION
    from tundish.labeling.label_studio.config import LabelConfig

    section = recipe.label
    told = (INSTRUCTION, "$why")
    return LabelConfig(recipe.annotations.classes, _shapes(section), section.severities, told)
