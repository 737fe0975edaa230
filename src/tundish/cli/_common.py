"""What the commands share: finding the project and the recipe, showing progress, printing an outcome."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tundish.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tundish.stages.base import Outcome

__all__ = ["find_project", "find_recipe", "json_option", "progress", "quoted", "show", "watching"]

json_option = click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")


def find_project() -> Path:
    """The project that the current folder lies in: the nearest folder upwards with ``pipelines/``.

    Raises:
        UsageError: There is none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "pipelines").is_dir():
            return folder
    raise UsageError("this is no Tundish project", where=str(here), fix="make one with 'tundish init DIR'")


def find_recipe(project: Path, name: str) -> Path:
    """The file of the recipe called `name`; the file itself may be named, too."""
    stem = Path(name).stem if name.endswith((".yaml", ".yml")) else name
    return project / "pipelines" / f"{stem}.yaml"


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """A function to be told (done, total): a bar on a terminal, a plain line now and then elsewhere."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description:>9}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(label, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total or None)
        return
    told = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told > 10:
            told = time.monotonic()
            click.echo(f"{label}: {done:,}" + (f" of {total:,}" if total else ""), err=True)

    yield tell


@contextmanager
def watching() -> Iterator[Callable[[str, int, int], None]]:
    """A function to be called with (step, done, total): shown as by `progress`, step by step."""
    with ExitStack() as steps:
        reports: dict[str, Callable[[int, int], None]] = {}

        def report(step: str, done: int, total: int) -> None:
            if step not in reports:
                reports[step] = steps.enter_context(progress(step))
            reports[step](done, total)

        yield report


def show(name: str, outcome: Outcome, dataset: str = "") -> None:
    """Print what a stage did, of which dataset where one may ask: its counts on one line, its notes below."""
    counts = ", ".join(f"{key} {value:,}" for key, value in outcome.counts.items())
    of = f"{dataset}: " if dataset else ""
    click.echo(f"{name:>9}  {of}{counts or 'nothing to do'}")
    for note in outcome.notes:
        click.echo(f"{'':>9}  - {note}")


def quoted(text: str) -> str:
    """Text as YAML writes it on one line."""
    import yaml

    return (
        str(yaml.safe_dump(text, allow_unicode=True, default_flow_style=True, width=10_000))
        .removesuffix("\n...\n")
        .strip()
    )
