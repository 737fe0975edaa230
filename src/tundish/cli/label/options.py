"""What the commands of ``tundish label`` share: finding the server, pushing, telling about it."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tundish.cli._common import find_project, find_recipe, progress
from tundish.cli._deal import dealt_as_asked
from tundish.cli._projects import dealt
from tundish.cli._select import Chosen, choose
from tundish.errors import UsageError
from tundish.storage.dataset import DatasetFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from tundish.cli._select import Asked
    from tundish.formats.base import Problem
    from tundish.gallery.gallery import Gallery
    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.config import LabelConfig
    from tundish.labeling.label_studio.push import Push
    from tundish.labeling.label_studio.tasks import Existing, Item, Prelabels
    from tundish.recipe.load import Recipe

__all__ = [
    "HOME",
    "client_of",
    "config_of",
    "executable_of",
    "gallery_of",
    "next_step",
    "push_apart",
    "push_dataset",
    "recipe_of",
    "server_option",
    "stoppable",
    "tell_outcome",
    "token_option",
]

HOME = ".label-studio"
"""Folder of the server that `tundish label start` starts in a project."""

_MOST_TOLD = 5

server_option = click.option(
    "--server",
    metavar="URL",
    envvar="LABEL_STUDIO_URL",
    help="Address of Label Studio, instead of the recipe's.",
)
token_option = click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="File (mode 600) that holds the token; by default LABEL_STUDIO_TOKEN is used.",
)


def push_dataset(
    project: Path,
    name: str,
    server: str | None,
    token_file: Path | None,
    chosen: Path | None,
    predictions: Path | None,
    *,
    as_json: bool,
    asked: Asked | None = None,
    annotators: str | None = None,
    overlap: float | None = None,
) -> None:
    """Push one dataset, or what is asked for of it, and tell what came of it."""
    from tundish.labeling import pool
    from tundish.labeling.label_studio import push as pushing

    project, recipe = recipe_of(name, project)
    recipe = dealt_as_asked(recipe, annotators, overlap)
    dataset = DatasetFolder(recipe.dataset, project)
    table = pool.images_of(dataset)
    if chosen is not None:
        table = pool.listed_images(table, chosen)
    selected = choose(project, recipe, table, asked) if asked is not None else Chosen(table, ())
    table = selected.images
    prelabels, problems = _prelabels(recipe, dataset, table, predictions)
    with client_of(project, recipe, server, token_file) as client:
        items, pictures = _items(client, project, recipe, table)
        work, notes = dealt(client, recipe, items, dataset.labels)
        done = {}
        for title, mine, there in work:
            with progress("push") as tell:
                what = (client, title, config_of(recipe), mine, pictures.address, prelabels)
                done[title] = pushing.push(*what, existing=there, prepare=pictures.prepare, progress=tell)
    notes = [*selected.notes, *notes]
    notes += [note for one in done.values() for note in one.notes]
    notes += [f"'{title}': {client.address}/projects/{one.project}/data" for title, one in done.items()]
    _tell_push(name, list(done.values()), notes, problems, as_json=as_json)


def _tell_push(
    name: str, pushed: Sequence[Push], notes: Sequence[str], problems: Sequence[Problem], *, as_json: bool
) -> None:
    counts = {
        "projects": len(pushed),
        "new tasks": sum(one.added for one in pushed),
        "there already": sum(one.known for one in pushed),
        "given other proposals": sum(one.proposed for one in pushed),
        "labels not shown": len(problems),
    }
    tell_outcome("push", counts, notes, problems, as_json=as_json)
    if not as_json and any(one.added or one.known for one in pushed):
        click.echo(f"Next: annotators answer there, then 'tundish label pull {name}'.")


def push_apart(
    client: Client,
    project: Path,
    recipe: Recipe,
    title: str,
    images: pl.DataFrame,
    prelabels: Prelabels | None = None,
    config: LabelConfig | None = None,
    there: Existing | None = None,
    **asked: str,
) -> Push:
    """Push some images into a project of their own, in this order; blind where nothing is drawn already.

    Args:
        client: The server.
        project: Where the dataset lies.
        recipe: Of the dataset.
        title: Of the project.
        images: Rows of the images table; columns `why` and `fingerprint`, where there are, as of `Item`.
        prelabels: What is drawn already.
        config: What it should offer; by default what the recipe says.
        there: What was seen of the project just now; by default it is looked at.
        asked: What else each item says, such as its purpose.
    """
    from tundish.labeling.label_studio import push as pushing

    items, pictures = _items(client, project, recipe, images, **asked)
    with progress("push") as tell:
        what = (client, title, config or config_of(recipe), items, pictures.address, prelabels)
        return pushing.push(*what, existing=there, prepare=pictures.prepare, progress=tell)


def _items(
    client: Client, project: Path, recipe: Recipe, images: pl.DataFrame, **asked: str
) -> tuple[list[Item], _Pictures]:
    """What is pushed of rows of the images table, and where its pictures are."""
    from tundish.labeling.label_studio import prelabels

    gallery = gallery_of(DatasetFolder(recipe.dataset, project), images)
    deep = images.filter(images["bit_depth"] > 8)["image_id"]
    items = prelabels.items_of(images, recipe.keys, gallery.levels(deep), **asked)
    return items, _Pictures(project, recipe, client, gallery)


class _Pictures:
    """Where the browser finds the pictures, and what must be done before it does."""

    def __init__(self, project: Path, recipe: Recipe, client: Client, gallery: Gallery) -> None:
        section = recipe.label
        self._served_at = section.served_at.rstrip("/") if section.images == "serve" else None
        root = Path(section.files) if section.files else project / HOME / "files"
        self._folder = (project / root / recipe.dataset).absolute()
        self._client = client
        self._gallery = gallery
        self._names: dict[str, str] = {}

    def prepare(self, number: int, items: Sequence[Item]) -> None:
        """Put the files where Label Studio finds them, and tell it that it may show them."""
        if self._served_at is None:
            with progress("pictures") as tell:
                self._names = self._gallery.write((item.image_id for item in items), self._folder, tell)
            self._client.offer_folder(number, self._folder)

    def address(self, image_id: str) -> str:
        """As a task of Label Studio has it."""
        if self._served_at is not None:
            return f"{self._served_at}/{image_id}"
        return f"/data/local-files/?d={self._folder.name}/{self._names.get(image_id, image_id)}"


def recipe_of(name: str, project: Path | None = None) -> tuple[Path, Recipe]:
    """The project, and the recipe called `name`."""
    from tundish.recipe import load as recipes

    project = project or find_project()
    return project, recipes.load(find_recipe(project, name))


def executable_of(project: Path) -> Path:
    """Where Label Studio is installed."""
    import shutil

    named = os.environ.get("TUNDISH_LABEL_STUDIO")
    if named:
        return Path(named)
    own = project / ".venv-label-studio" / ("Scripts" if os.name == "nt" else "bin") / "label-studio"
    found = str(own) if own.is_file() else shutil.which("label-studio")
    if found is None:
        raise UsageError(
            "Label Studio is not installed",
            where=str(own),
            fix="run 'python -m venv .venv-label-studio && .venv-label-studio/bin/pip install label-studio'",
        )
    return Path(found)


def stoppable() -> None:
    """Let a process manager stop a command as Ctrl-C does: what it started must not stay behind."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)


def client_of(project: Path, recipe: Recipe, server: str | None, token_file: Path | None) -> Client:
    """A client of the server that is meant."""
    from tundish.errors import OutsideError
    from tundish.labeling.label_studio.client import Client
    from tundish.labeling.label_studio.connection import find_token

    home = project / HOME
    started = home / "address"
    address = server or recipe.label.server
    if address is None and started.is_file():
        from tundish.labeling.label_studio.server import running_process

        address = started.read_text("utf-8").strip()
        if running_process(home) is None:
            raise OutsideError(
                "the Label Studio of this project does not run any more",
                where=address,
                fix="start it again with 'tundish label start'",
            )
        if token_file is None:
            token_file = home / "token"
    if address is None:
        raise UsageError(
            "it is not said where Label Studio is",
            fix="start one with 'tundish label start', or name it with --server or in the recipe",
        )
    return Client(address, find_token(token_file))


def gallery_of(dataset: DatasetFolder, table: pl.DataFrame) -> Gallery:
    """The pictures of a dataset."""
    from tundish.gallery.gallery import Gallery

    return Gallery(dataset.image_shards, dict(table.select("image_id", "shard").iter_rows()))


def next_step(project: Path, name: str, dataset: str) -> str:
    """What is done with answers or a verdict once they are here."""
    if any((folder / ".dvc").is_dir() for folder in (project, *project.parents)):
        labels = DatasetFolder(dataset).labels.as_posix()
        return f"Next: 'dvc add {labels}', then 'dvc repro'."
    return f"Next: 'tundish run {name}'."


def config_of(recipe: Recipe) -> LabelConfig:
    """What the projects of a recipe should offer."""
    from tundish.labeling.label_studio.config import LabelConfig

    section = recipe.label
    return LabelConfig(recipe.annotations.classes, section.shapes, section.severities)


def _prelabels(
    recipe: Recipe, dataset: DatasetFolder, table: pl.DataFrame, predictions: Path | None
) -> tuple[Prelabels, list[Problem]]:
    from tundish.labeling.label_studio.prelabels import imported_prelabels, predicted_prelabels

    if predictions is not None:
        drawing = recipe.label.shapes, recipe.annotations.classes
        return predicted_prelabels(predictions, table, *drawing, predictions.stem)
    return imported_prelabels(dataset, table, recipe.label.shapes)


def tell_outcome(
    what: str,
    counts: dict[str, int],
    notes: Sequence[str],
    problems: Sequence[Problem],
    *,
    as_json: bool,
) -> None:
    """Print what was done, as text or as JSON."""
    if as_json:
        import orjson

        click.echo(orjson.dumps({"counts": counts, "notes": list(notes), "problems": problems}).decode())
        return
    from tundish.cli._common import show
    from tundish.stages.base import Outcome

    told = [f"{one.path}: {one.message}" for one in problems[:_MOST_TOLD]]
    if len(problems) > _MOST_TOLD:
        told.append(f"and {len(problems) - _MOST_TOLD:,} more")
    show(what, Outcome(counts, [*notes, *told]))
