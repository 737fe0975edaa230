"""How the results of ``tundish label`` are printed, as text or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tundish.cli._common import echo
from tundish.storage.dataset import DatasetFolder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tundish.api.label_results import LabelPush
    from tundish.formats.base import Problem

__all__ = ["next_step", "print_counts", "print_json", "print_push"]

_MOST_PROBLEMS = 5

_WORDS = {"given other proposals": "proposals updated", "taken out": "removed"}
"""What people read for keys of the JSON."""


def print_push(name: str, done: LabelPush, *, as_json: bool) -> None:
    """Print what a push did."""
    counts = {
        "projects": len(done.projects),
        "new tasks": done.new_tasks,
        "there already": done.existing_tasks,
        "given other proposals": done.updated_proposals,
        "labels not shown": done.labels_not_shown,
    }
    print_counts("push", counts, done.notes, done.problems, as_json=as_json)
    if not as_json and (done.new_tasks or done.existing_tasks):
        echo(f"Next: annotators answer there, then 'tundish label pull {name}'.")


def print_counts(
    what: str,
    counts: Mapping[str, int],
    notes: Sequence[str],
    problems: Sequence[Problem],
    *,
    as_json: bool,
) -> None:
    """Print what a command did: its counts, notes and the first of its problems; as JSON all of them."""
    if as_json:
        import orjson

        click.echo(orjson.dumps({"counts": counts, "notes": notes, "problems": problems}).decode())
        return
    from tundish.cli._common import show
    from tundish.stages.base import Outcome

    lines = [f"{one.path}: {one.message}" for one in problems[:_MOST_PROBLEMS]]
    if len(problems) > _MOST_PROBLEMS:
        lines.append(f"and {len(problems) - _MOST_PROBLEMS:,} more")
    words = {_WORDS.get(key, key): count for key, count in counts.items()}
    show(what, Outcome(words, [*notes, *lines]))


def print_json(answer: Mapping[str, object]) -> None:
    """Print an answer as JSON that people can read, too."""
    import orjson

    click.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())


def next_step(project: Path, name: str) -> str:
    """What to do with answers or a verdict once they are here: by DVC where the project uses it."""
    if any((folder / ".dvc").is_dir() for folder in (project, *project.parents)):
        return f"Next: 'dvc add {DatasetFolder(name).labels.as_posix()}', then 'dvc repro'."
    return f"Next: 'tundish run {name}'."
