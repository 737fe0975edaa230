"""``tundish label``: images to annotators in Label Studio, and their answers back."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tundish.cli._common import echo, find_project, json_option, warn, watching
from tundish.cli.label.accept import accept
from tundish.cli.label.adjudicate import adjudicate
from tundish.cli.label.agree import agree
from tundish.cli.label.options import annotator_options, select_options, server_options
from tundish.cli.label.output import next_step, print_counts, print_push
from tundish.storage.dataset import recipe_file

if TYPE_CHECKING:
    from collections.abc import Callable

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
@click.option("--push", multiple=True, metavar="NAME", help="Push this dataset once it is up.")
def start(port: int | None, push: tuple[str, ...]) -> None:
    """Start a Label Studio for this project, on this machine alone, until Ctrl-C.

    Its data lie in .label-studio/. It must be installed in an environment of its own, such as
    .venv-label-studio/; TUNDISH_LABEL_STUDIO may name another.

    \b
    Example:
      tundish label start
      tundish label start --port 8080 --push steel-surface
    """
    from tundish.api.labels import label_start

    _stop_on_signals()
    project = find_project()
    try:
        with watching() as progress:
            server = label_start(
                port=port,
                push=[recipe_file(project, name).stem for name in push],
                project=project,
                progress=_announcing(progress),
            )
        with server:
            echo(f"Label Studio  {server.url}")
            echo(f"user          {server.user}, password in {server.password_file}")
            echo(f"token         in {server.token_file}")
            for name, done in server.pushed.items():
                print_push(name, done, as_json=False)
            echo("Ctrl-C stops it.")
            server.wait()
    except KeyboardInterrupt:
        warn("stopped")


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
    from tundish.api.labels import label_images

    _stop_on_signals()
    project = find_project()
    with label_images(recipe_file(project, name).stem, project=project) as server:
        echo(f"pictures of {server.dataset} at {server.url}; Ctrl-C stops it.")
        try:
            server.wait()
        except KeyboardInterrupt:
            warn("stopped")


@label.command("push", short_help="Send a dataset's images to the annotators.")
@click.argument("name")
@click.option(
    "--images",
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
@annotator_options
@select_options
@server_options
@json_option
def push(name: str, as_json: bool, **options: Any) -> None:
    """Send the images of the dataset NAME to the annotators, with known labels drawn.

    Pushing again adds what is new and nothing twice; a push that was cut off goes on. Images that
    are there and unanswered get the predictions of another model, too.

    --select takes the images that are worth most, of those that nobody labelled yet and never two
    copies of one picture: those a model doubts (uncertain), those furthest from all that is labelled
    (diverse), those of rare classes and groups (stratified); or those with contradicting labels
    (conflicts).

    \b
    Example:
      tundish label push steel-surface
      tundish label push steel-surface --annotators li,wu,zhao --overlap 0.2
      tundish label push steel-surface --predictions model-7.parquet --images next.txt
      tundish label push steel-surface --select uncertain --scores model-7.parquet --budget 500
    """
    from tundish.api.labels import label_push

    project = find_project()
    name = recipe_file(project, name).stem
    with watching() as progress:
        done = label_push(name, project=project, progress=progress, **options)
    print_push(name, done, as_json=as_json)


@label.command("pull", short_help="Bring the annotators' answers into labels/.")
@click.argument("name")
@server_options
@json_option
def pull(name: str, server: str | None, token_file: Path | None, as_json: bool) -> None:
    """Bring the annotators' answers into datasets/NAME/labels/; only what changed is asked for.

    What adjudicators said of disputes comes with them, once 'tundish label adjudicate' has asked.

    \b
    Example:
      tundish label pull steel-surface
      tundish label pull steel-surface --server http://10.0.0.5:8080 --token-file ~/.ls-token
    """
    from tundish.api.labels import label_pull

    project = find_project()
    name = recipe_file(project, name).stem
    with watching() as progress:
        done = label_pull(name, server=server, token_file=token_file, project=project, progress=progress)
    counts = {
        "changed tasks": done.changed_tasks,
        "unchanged": done.unchanged_tasks,
        "answers": done.answers,
        "labels": done.labels,
        "not submitted": done.drafts,
        "problems": len(done.problems),
    }
    print_counts("pull", counts, done.notes, done.problems, as_json=as_json)
    if done.missing is not None:
        raise done.missing
    if not as_json:
        nobody = not (done.answers or done.changed_tasks)
        again = f"Next: annotators answer there, then 'tundish label pull {name}' again."
        echo(again if nobody else next_step(project, name))


def _announcing(progress: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
    """Say that a server starts, and how long it may take; leave the other steps to `progress`."""

    def report(step: str, done: int, total: int) -> None:
        if step != "start":
            progress(step, done, total)
        elif not done:
            warn("Label Studio starts; the first time it takes half a minute.")

    return report


def _stop_on_signals() -> None:
    """Let a process manager stop a command as Ctrl-C does: what it started must not stay behind."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)


label.add_command(adjudicate)
label.add_command(agree)
label.add_command(accept)

COMMANDS = {"label": label}
