"""Bring the annotators' and adjudicators' answers of a dataset from the server into its ``labels/``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tundish.labeling.assignment import projects_to_pull
from tundish.labeling.label_studio import pull as answers
from tundish.storage.tables import IMAGES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import polars as pl

    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.pull import Pull
    from tundish.labeling.workflow.session import Session

__all__ = ["pull_dataset", "pull_projects"]


def pull_dataset(session: Session) -> Pull:
    """Pull the answers of all projects of a dataset; only what changed is asked for.

    Args:
        session: The dataset and the server.

    Raises:
        MissingStepError: The dataset was not validated yet.
        OutsideError: The server fails or has none of the projects, or another process writes the dataset.
    """
    dataset = session.dataset
    images = dataset.read(IMAGES)
    with session.connect() as client, dataset.lock(f"tundish label pull {dataset.name}"):
        titles = projects_to_pull(client, session.recipe)
        done = pull_projects(client, session, titles, images, dataset.labels)
    if done.answers or done.changed:
        return done
    begun = f"; begun and not submitted: {done.drafts:,}" if done.drafts else ""
    return replace(done, notes=(*done.notes, f"nobody has submitted an answer yet{begun}"))


def pull_projects(
    client: Client, session: Session, titles: Iterable[str], images: pl.DataFrame, folder: Path
) -> Pull:
    """Pull the answers of some projects into a folder.

    Args:
        client: The server.
        session: The dataset and how it is labelled.
        titles: Titles of the projects.
        images: Rows of the images table.
        folder: Where the tables of answers go.

    Raises:
        OutsideError: The server fails, or has none of the projects.
    """
    configs = dict.fromkeys(titles, session.config)
    return answers.pull(
        client, configs, images, session.recipe.annotations, folder, progress=session.step("pull")
    )
