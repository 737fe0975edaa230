"""Send images of a dataset to annotators, with known labels drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tundish.labeling import pool
from tundish.labeling.assignment import assign_items
from tundish.labeling.label_studio import push as tasks
from tundish.labeling.label_studio.prelabels import imported_prelabels, predicted_prelabels
from tundish.labeling.selection.choose import Selection, choose
from tundish.labeling.workflow.pictures import Pictures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import polars as pl

    from tundish.formats.base import Problem
    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.config import LabelConfig
    from tundish.labeling.label_studio.push import Push
    from tundish.labeling.label_studio.tasks import Existing, Item, Prelabels
    from tundish.labeling.selection.choose import SelectionOptions
    from tundish.labeling.workflow.session import Session

__all__ = ["DatasetPush", "project_address", "push_dataset", "push_images"]


class DatasetPush(NamedTuple):
    """What a push of a dataset did.

    Attributes:
        pushes: What it did in each project, by title.
        addresses: Where each project is in the browser, by title.
        notes: Sentences worth reading.
        problems: Known labels that the projects cannot show.
    """

    pushes: dict[str, Push]
    addresses: dict[str, str]
    notes: list[str]
    problems: list[Problem]


def push_dataset(
    session: Session,
    *,
    images: Path | None = None,
    predictions: Path | None = None,
    selection: SelectionOptions | None = None,
) -> DatasetPush:
    """Push the images of a dataset, or some of them, to the projects of its annotators.

    Args:
        session: The dataset and the server.
        images: A text file that names the images to push by image_id, one a line; None for all.
        predictions: A model's labels, to be drawn instead of those that came with the images.
        selection: How images are chosen among them; None for all.

    Raises:
        UsageError: A file or an option must change, or a stage has not run.
        OutsideError: The server fails; what it has taken by then stays.
    """
    dataset, recipe = session.dataset, session.recipe
    table = pool.images_of(dataset)
    if images is not None:
        table = pool.listed_images(table, images)
    selected = choose(dataset, recipe, table, selection) if selection is not None else Selection(table, ())
    prelabels, problems = _prelabels(session, selected.images, predictions)
    with session.connect() as client:
        pictures = Pictures(client, session, selected.images)
        assignments, notes = assign_items(client, recipe, pictures.items(), dataset.labels)
        pushes = {
            title: _push_items(client, session, title, items, pictures, prelabels, existing=existing)
            for title, items, existing in assignments
        }
        addresses = {title: project_address(client, one.project) for title, one in pushes.items()}
    notes = [*selected.notes, *notes]
    notes += [note for one in pushes.values() for note in one.notes]
    notes += [f"'{title}': {address}" for title, address in addresses.items()]
    return DatasetPush(pushes, addresses, notes, problems)


def push_images(
    client: Client,
    session: Session,
    title: str,
    images: pl.DataFrame,
    prelabels: Prelabels | None = None,
    *,
    config: LabelConfig | None = None,
    existing: Existing | None = None,
    purpose: str | None = None,
) -> Push:
    """Push some images into one project, in their order; blind where no prelabels are given.

    Args:
        client: The server.
        session: The dataset and how it is labelled.
        title: The project's title.
        images: Rows of the images table; the columns `why` and `fingerprint`, where there are, as of `Item`.
        prelabels: What is drawn already.
        config: What the project offers; by default what the recipe says.
        existing: What was seen of the project just now; by default the server is asked.
        purpose: What the answers are for, where they are not annotators' judgements.

    Raises:
        OutsideError: The server fails; what it has taken by then stays.
    """
    pictures = Pictures(client, session, images)
    items = pictures.items(purpose)
    return _push_items(client, session, title, items, pictures, prelabels, config, existing)


def project_address(client: Client, project: int) -> str:
    """Where a project is in the browser.

    Args:
        client: The server.
        project: Number of the project.
    """
    return f"{client.address}/projects/{project}/data"


def _push_items(
    client: Client,
    session: Session,
    title: str,
    items: Sequence[Item],
    pictures: Pictures,
    prelabels: Prelabels | None,
    config: LabelConfig | None = None,
    existing: Existing | None = None,
) -> Push:
    return tasks.push(
        client,
        title,
        config or session.config,
        items,
        pictures.address,
        prelabels,
        existing=existing,
        prepare=pictures.prepare,
        progress=session.step("push"),
    )


def _prelabels(
    session: Session, images: pl.DataFrame, predictions: Path | None
) -> tuple[Prelabels, list[Problem]]:
    shapes = session.recipe.label.shapes
    if predictions is not None:
        classes = session.recipe.annotations.classes
        return predicted_prelabels(predictions, images, shapes, classes, predictions.stem)
    return imported_prelabels(session.dataset, images, shapes)
