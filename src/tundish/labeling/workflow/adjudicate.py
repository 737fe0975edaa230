"""Bring what annotators dispute in front of an adjudicator."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from tundish.formats.label_studio.controls import ADJUDICATION
from tundish.labeling.acceptance.next_batch import check_consensus
from tundish.labeling.assignment import adjudication_title
from tundish.labeling.consensus.disputes import INSTRUCTION, collect_disputes
from tundish.labeling.consensus.renewal import compare_tasks, fingerprint_disputes, remove_tasks
from tundish.labeling.label_studio.config import LabelConfig
from tundish.labeling.label_studio.push import look_up_existing
from tundish.labeling.label_studio.tasks import Existing, Prelabels
from tundish.labeling.tables import TASKS
from tundish.labeling.workflow.push import project_address, push_images
from tundish.storage.tables import ANNOTATIONS, CONSENSUS, DISPUTES, IMAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tundish.formats.base import Problem
    from tundish.formats.label_studio.controls import Shape
    from tundish.labeling.consensus.disputes import Disputes
    from tundish.labeling.consensus.renewal import Renewal
    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.push import Push
    from tundish.labeling.workflow.session import Session
    from tundish.recipe.load import Recipe
    from tundish.storage.dataset import DatasetFolder

__all__ = ["Adjudication", "adjudicate"]


class Adjudication(NamedTuple):
    """What became of the project in which disputes are settled.

    Attributes:
        disputed: Images in dispute.
        added: Tasks that are new.
        existing: Tasks that were there already.
        renewed: Tasks that were replaced, since annotators have changed their answers.
        removed: Tasks that were removed, since their images are no longer in dispute.
        address: Where the project is in the browser; None where nothing is in dispute.
        notes: Sentences worth reading.
        problems: Labels that the project cannot show; their images were not pushed.
    """

    disputed: int
    added: int
    existing: int
    renewed: int
    removed: int
    address: str | None
    notes: list[str]
    problems: list[Problem]


def adjudicate(session: Session) -> Adjudication:
    """Push what is in dispute and not there yet, and replace or remove tasks that are out of date.

    Args:
        session: The dataset and the server.

    Raises:
        MissingStepError: The stage consensus has not run since answers were pulled last.
        OutsideError: The server fails; a repeat goes on where it stopped.
    """
    check_consensus(session.dataset)
    images = session.dataset.read(IMAGES)
    disputes = _disputes(session, images.filter("valid"))
    with session.connect() as client:
        done = _update(client, session, disputes, images)
    if disputes.problems:
        done.notes.append(
            "an image with a label that cannot be shown was not pushed: name its shape in the recipe"
        )
    elif disputes.images.is_empty():
        done.notes.append("nothing is in dispute")
    return done


def _update(client: Client, session: Session, disputes: Disputes, images: pl.DataFrame) -> Adjudication:
    """Push what is missing, and remove what is out of date."""
    title = adjudication_title(session.recipe)
    existing = look_up_existing(client, client.find_project(title))
    marks = fingerprint_disputes(disputes)
    renewal = compare_tasks(client, existing, marks, {*images["image_id"]}, _answered(session.dataset, title))
    notes, renewed = [*renewal.notes], len(renewal.renewed)
    added = known = removed = 0
    address = None
    if disputes.images.height:
        done = _push(client, session, disputes, marks, images, existing, renewal)
        added, known = done.added - renewed, done.known + len(renewal.kept)
        address = project_address(client, done.project)
        notes += [*done.notes, address]
    if existing.project is not None:
        gone = remove_tasks(client, int(existing.project["id"]), renewal.stale)
        removed = max(gone - renewed, 0)
    return Adjudication(
        disputes.images.height, added, known, renewed, removed, address, notes, disputes.problems
    )


def _answered(dataset: DatasetFolder, title: str) -> set[tuple[int, str | None]]:
    """Number and time of creation of a project's tasks whose answers were pulled."""
    tasks = dataset.read_if_there(TASKS, dataset.labels)
    return {*tasks.filter(title=title).select("task_id", "created_at").iter_rows()}


def _push(
    client: Client,
    session: Session,
    disputes: Disputes,
    marks: Mapping[str, str],
    images: pl.DataFrame,
    existing: Existing,
    renewal: Renewal,
) -> Push:
    """Push what is in dispute, except for images whose tasks stay as they are."""
    mark = pl.col("image_id").replace_strict(marks, return_dtype=pl.String)
    wanted = disputes.images.with_columns(fingerprint=mark).filter(~pl.col("image_id").is_in(renewal.kept))
    return push_images(
        client,
        session,
        adjudication_title(session.recipe),
        wanted.join(images.filter("valid"), on="image_id", maintain_order="left"),
        Prelabels(disputes.regions, "disputes"),
        config=_config(session.recipe),
        existing=Existing(
            existing.project, [one for one in existing.tasks if one["id"] not in renewal.stale]
        ),
        purpose=ADJUDICATION,
    )


def _disputes(session: Session, images: pl.DataFrame) -> Disputes:
    dataset = session.dataset
    agreed = dataset.read(CONSENSUS).filter(pl.col("decided_by") != "import").select(ANNOTATIONS.schema.names)
    labels = dataset.read(ANNOTATIONS)
    sizes = {key: (width, height) for key, width, height in images["image_id", "width", "height"].iter_rows()}
    return collect_disputes(dataset.read(DISPUTES), agreed, labels, sizes, _shapes(session.recipe))


def _shapes(recipe: Recipe) -> tuple[Shape, ...]:
    """What the adjudicator can draw: where shapes differ, annotators agree on a mask."""
    shapes = recipe.label.shapes
    drawn = set(shapes) - {"class"}
    return (*shapes, "mask") if drawn and "mask" not in drawn else shapes


def _config(recipe: Recipe) -> LabelConfig:
    severities = recipe.label.severities
    return LabelConfig(recipe.annotations.classes, _shapes(recipe), severities, (INSTRUCTION, "$why"))
