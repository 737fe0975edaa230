"""``tundish label adjudicate``: what annotators dispute, in front of somebody who settles it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tundish.cli._common import echo, find_project, find_recipe, json_option, watching
from tundish.cli.label.options import server_options
from tundish.cli.label.output import print_counts

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["adjudicate"]


@click.command("adjudicate", short_help="Have what annotators dispute settled.")
@click.argument("name")
@server_options
@json_option
def adjudicate(name: str, server: str | None, token_file: Path | None, as_json: bool) -> None:
    """Bring the images of the dataset NAME that annotators dispute in front of an adjudicator.

    They go to the project '<title> · adjudication', those with the most disputes first. What was
    agreed is drawn there, and each label in dispute, without the names of who drew it. 'tundish label
    pull' brings the answers; an answer decides its image alone. Calling it again adds what is new and,
    where annotators have changed their answers, replaces or removes tasks that nobody has touched.

    \b
    Example:
      tundish label adjudicate steel-surface
      tundish label adjudicate steel-surface --server http://10.0.0.5:8080 --token-file ~/.ls-token
    """
    from tundish.api.labels import label_adjudicate

    project = find_project()
    name = find_recipe(project, name).stem
    with watching() as progress:
        done = label_adjudicate(
            name, server=server, token_file=token_file, project=project, progress=progress
        )
    counts = {
        "in dispute": done.in_dispute,
        "new tasks": done.new_tasks,
        "there already": done.existing_tasks,
        "renewed": done.renewed_tasks,
        "taken out": done.removed_tasks,
        "labels not shown": done.labels_not_shown,
    }
    print_counts("adjudicate", counts, done.notes, done.problems, as_json=as_json)
    if done.in_dispute and not as_json:
        echo(f"Next: an adjudicator answers there, then 'tundish label pull {name}'.")
