"""``tundish label``: images to annotators in Label Studio, and their answers back."""

from __future__ import annotations

from pathlib import Path

import click

from tundish.cli._common import find_project, json_option, progress
from tundish.cli._deal import deal_options
from tundish.cli._projects import found_titles
from tundish.cli._select import Asked, select_options
from tundish.cli.label.accept import accept
from tundish.cli.label.adjudicate import adjudicate
from tundish.cli.label.agree import agree
from tundish.cli.label.options import (
    HOME,
    client_of,
    config_of,
    executable_of,
    gallery_of,
    next_step,
    push_dataset,
    recipe_of,
    server_option,
    stoppable,
    tell_outcome,
    token_option,
)
from tundish.errors import UsageError
from tundish.storage.dataset import DatasetFolder

__all__ = ["COMMANDS"]


@click.group("label", short_help="Have images labelled in Label Studio.")
def label() -> None:
    """Have images labelled in Label Studio: push images, pull answers.

    \b
    Example:
      tundish label start                   a server of your own, in another terminal
      tundish label push steel-surface
      tundish label pull steel-surface
      tundish label agree steel-surface
      tundish label adjudicate steel-surface
      tundish label accept steel-surface
    """


@label.command("start", short_help="Start a Label Studio for this project.")
@click.option("--port", type=click.IntRange(1, 65535), help="Where it listens; any free port by default.")
@click.option("--push", "names", multiple=True, metavar="NAME", help="Push this dataset once it is up.")
def start(port: int | None, names: tuple[str, ...]) -> None:
    """Start a Label Studio for this project, on this machine alone, until Ctrl-C.

    Its data lie in .label-studio/. It must be installed in an environment of its own, such as
    .venv-label-studio/; TUNDISH_LABEL_STUDIO may name another.

    \b
    Example:
      tundish label start
      tundish label start --port 8080 --push steel-surface
    """
    from tundish.labeling.label_studio.server import LabelStudio
    from tundish.storage.table import write_atomically

    stoppable()
    project = find_project()
    home = project / HOME
    for name in names:
        recipe_of(name, project)  # a misspelt one is told before half a minute has passed
    server = LabelStudio(executable_of(project), home, port=port)
    click.echo("Label Studio starts; the first time it takes half a minute.", err=True)
    address = home / "address"
    with server:
        write_atomically(address, f"{server.url}\n".encode())
        try:
            click.echo(f"Label Studio  {server.url}")
            click.echo(f"user          {server.account.email}, password in {home / 'password'}")
            click.echo(f"token         in {home / 'token'}")
            for name in names:
                push_dataset(project, name, server.url, home / "token", None, None, as_json=False)
            click.echo("Ctrl-C stops it.")
            server.wait()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
        finally:
            address.unlink(missing_ok=True)


@label.command("images", short_help="Serve a dataset's pictures to the annotators' browsers.")
@click.argument("name")
def images(name: str) -> None:
    """Serve the pictures of the dataset NAME to the annotators' browsers, until Ctrl-C.

    Needed where the recipe says `label: {images: serve}`; it listens at the address that
    `served_at` names.

    \b
    Example:
      tundish label images steel-surface
    """
    from urllib.parse import urlsplit

    from tundish.gallery.server import ImageServer
    from tundish.labeling.pool import images_of

    stoppable()
    project, recipe = recipe_of(name)
    address = urlsplit(recipe.label.served_at)
    dataset = DatasetFolder(recipe.dataset, project)
    gallery = gallery_of(dataset, images_of(dataset))
    try:
        port = address.port or (443 if address.scheme == "https" else 80)
    except ValueError:
        raise UsageError(
            f"'{recipe.label.served_at}' is no address that a server can have",
            where="label.served_at",
            fix="write it in the recipe as http://127.0.0.1:8090",
        ) from None
    with ImageServer(gallery, address.hostname or "127.0.0.1", port) as server:
        click.echo(f"pictures of {recipe.dataset} at {server.url}; Ctrl-C stops it.")
        try:
            server.wait()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)


@label.command("push", short_help="Bring a dataset's images in front of the annotators.")
@click.argument("name")
@click.option(
    "--images",
    "chosen",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Only these image_ids, one a line, in the order of work.",
)
@click.option(
    "--predictions",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A model's labels (Parquet, columns of the annotations table) instead of the imported ones.",
)
@deal_options
@select_options
@server_option
@token_option
@json_option
def push(
    asked: Asked | None,
    name: str,
    chosen: Path | None,
    predictions: Path | None,
    annotators: str | None,
    overlap: float | None,
    server: str | None,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Bring the images of the dataset NAME in front of the annotators, with known labels drawn.

    Pushing again adds what is new and nothing twice; a push that was cut off goes on. Images that
    are there and unanswered get the predictions of another model, too.

    --select takes the images that are worth most, of those that nobody labelled yet and never two
    copies of one picture: those a model doubts (uncertain), those furthest from all that is labelled
    (diverse), those of rare classes and groups (stratified); or those whose labels contradict each
    other (conflicts).

    \b
    Example:
      tundish label push steel-surface
      tundish label push steel-surface --annotators li,wu,zhao --overlap 0.2
      tundish label push steel-surface --predictions model-7.parquet --images next.txt
      tundish label push steel-surface --select uncertain --scores model-7.parquet --budget 500
    """
    what = (find_project(), name, server, token_file, chosen, predictions)
    push_dataset(*what, as_json=as_json, asked=asked, annotators=annotators, overlap=overlap)


@label.command("pull", short_help="Bring the annotators' answers into labels/.")
@click.argument("name")
@server_option
@token_option
@json_option
def pull(name: str, server: str | None, token_file: Path | None, as_json: bool) -> None:
    """Bring the annotators' answers into datasets/NAME/labels/; only what changed is asked for.

    What adjudicators said of disputes comes with them, once 'tundish label adjudicate' has asked.

    \b
    Example:
      tundish label pull steel-surface
      tundish label pull steel-surface --server http://10.0.0.5:8080 --token-file ~/.ls-token
    """
    from tundish.labeling.label_studio import pull as pulling
    from tundish.storage.tables import IMAGES

    project, recipe = recipe_of(name)
    dataset = DatasetFolder(recipe.dataset, project)
    table = dataset.read(IMAGES)
    with client_of(project, recipe, server, token_file) as client, progress("pull") as tell:
        configs = dict.fromkeys(found_titles(client, recipe), config_of(recipe))
        done = pulling.pull(client, configs, table, recipe.annotations, dataset.labels, progress=tell)
    counts = {
        "changed tasks": done.changed,
        "unchanged": done.unchanged,
        "answers": done.answers,
        "labels": done.labels,
        "not submitted": done.drafts,
        "problems": len(done.problems),
    }
    nobody = not (done.answers or done.changed)
    begun = f"; begun and not submitted: {done.drafts:,}" if done.drafts else ""
    notes = [*done.notes, *([f"nobody has submitted an answer yet{begun}"] if nobody else [])]
    tell_outcome("pull", counts, notes, done.problems, as_json=as_json)
    if done.missing is not None:
        raise done.missing
    if not as_json:
        answer = f"Next: annotators answer there, then 'tundish label pull {name}' again."
        click.echo(answer if nobody else next_step(project, name, recipe.dataset))


label.add_command(adjudicate)
label.add_command(agree)
label.add_command(accept)

COMMANDS = {"label": label}
