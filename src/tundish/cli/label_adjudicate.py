"""``tundish label adjudicate``: what annotators dispute, in front of somebody who settles it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tundish.cli._common import json_option
from tundish.cli._label import (
    client_of,
    push_apart,
    recipe_of,
    server_option,
    tell_outcome,
    token_option,
)
from tundish.cli._projects import adjudication_of

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from tundish.label_section import Label
    from tundish.labeling.adjudication import Cases
    from tundish.labeling.config import Shape
    from tundish.recipe import Recipe

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
    pull' brings the answers; an answer decides its image alone. Calling it again adds what is new.

    \b
    Example:
      tundish label adjudicate steel-surface
      tundish label adjudicate steel-surface --server http://10.0.0.5:8080 --token-file ~/.ls-token
    """
    from tundish.label_section import ADJUDICATION
    from tundish.labeling.lots import check_consensus
    from tundish.labeling.push import Prelabels
    from tundish.tables import IMAGES

    project, recipe = recipe_of(name)
    dataset = project / "datasets" / recipe.dataset
    check_consensus(dataset)
    curated = dataset / "curated"
    images = IMAGES.read(curated / "images.parquet").filter("valid")
    found = _cases(recipe, curated, images)
    counts = {"in dispute": found.images.height, "new tasks": 0, "there already": 0}
    notes = ["nothing is in dispute"]
    if found.images.height:
        wanted = found.images.join(images, on="image_id", maintain_order="left")
        drawn = Prelabels(found.regions, "disputes")
        with client_of(project, recipe, server, token_file) as client:
            what = (client, project, recipe, adjudication_of(recipe), wanted, drawn, _config(recipe))
            done = push_apart(*what, purpose=ADJUDICATION)
            notes = [*done.notes, f"{client.address}/projects/{done.project}/data"]
        counts |= {"new tasks": done.added, "there already": done.known}
    counts["labels not shown"] = len(found.problems)
    if found.problems:
        notes.append(
            "an image with a label that cannot be shown was not pushed: name its shape in the recipe"
        )
    tell_outcome("adjudicate", counts, notes, found.problems, as_json=as_json)
    if found.images.height and not as_json:
        click.echo(f"Next: an adjudicator answers there, then 'tundish label pull {name}'.")


def _cases(recipe: Recipe, curated: Path, images: pl.DataFrame) -> Cases:
    import polars as pl

    from tundish.labeling.adjudication import cases
    from tundish.tables import ANNOTATIONS, CONSENSUS, DISPUTES

    consensus = CONSENSUS.read(curated / "consensus.parquet")
    agreed = consensus.filter(pl.col("decided_by") != "import").select(ANNOTATIONS.schema.names)
    labels = ANNOTATIONS.read(curated / "annotations.parquet")
    sizes = {key: (width, height) for key, width, height in images["image_id", "width", "height"].iter_rows()}
    disputes = DISPUTES.read(curated / "disputes.parquet")
    return cases(disputes, agreed, labels, sizes, _shapes(recipe.label))


def _shapes(section: Label) -> tuple[Shape, ...]:
    """What the adjudicator can draw: where shapes differ, annotators agree on a mask."""
    drawn = set(section.shapes) - {"class"}
    return (*section.shapes, "mask") if drawn and "mask" not in drawn else section.shapes


def _config(recipe: Recipe) -> str:
    from tundish.labeling.adjudication import TASK
    from tundish.labeling.config import label_config

    section = recipe.label
    told = (TASK, "$why")
    return label_config(recipe.annotations.classes, _shapes(section), section.severities, told)
