"""What the commands share: finding the project and its datasets, printing an outcome."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tundish.cli._progress import echo, verbosity, watching
from tundish.cli._text import terminal_width, wrap
from tundish.errors import UsageError
from tundish.storage.dataset import dataset_names

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from tundish.stages.base import Outcome

__all__ = [
    "DatasetName",
    "echo",
    "find_project",
    "find_recipe",
    "json_option",
    "no_dataset",
    "quoted",
    "show",
    "show_json",
    "verbosity",
    "watching",
]

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
    raise UsageError("not a Tundish project", where=str(here), fix="make one with 'tundish init DIR'")


def find_recipe(project: Path, name: str) -> Path:
    """The file of the recipe called `name`; the file itself may be named, too."""
    stem = Path(name).stem if name.endswith((".yaml", ".yml")) else name
    return project / "pipelines" / f"{stem}.yaml"


class DatasetName(click.types.StringParamType):
    """The name of a dataset; the shell completes it."""

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The names of the project's datasets that begin so and are not typed yet."""
        from click.shell_completion import CompletionItem

        typed = ctx.params.get(param.name or "") or ()
        try:
            names = dataset_names(find_project())
        except UsageError:
            return []
        return [CompletionItem(name) for name in names if name.startswith(incomplete) and name not in typed]


def no_dataset(project: Path) -> UsageError:
    """That the project has no recipe yet."""
    return UsageError(
        "there is no dataset yet",
        where=str(project),
        fix="write a recipe with 'tundish add', such as 'tundish add line1 ~/photos/line1'",
    )


def show(name: str, outcome: Outcome, dataset: str = "", *, seconds: float | None = None) -> None:
    """Print what a stage did: its counts on one line, its notes below.

    Args:
        name: Name of the stage.
        outcome: What it did.
        dataset: Name of the dataset, where one may ask.
        seconds: How long it took, which --verbose prints.
    """
    counts = ", ".join(f"{key} {value:,}" for key, value in outcome.counts.items())
    of = f"{dataset}: " if dataset else ""
    _show_line(f"{name:>9}  {of}{counts or 'nothing to do'}", 11)
    for note in outcome.notes:
        _show_line(f"{'':>9}  - {note}", 13)
    if seconds is not None and verbosity() > 0:
        echo(f"{'':>9}  {seconds:.1f} s")


def _show_line(line: str, hang: int) -> None:
    echo("\n".join(wrap(line, terminal_width(), hang)))


def show_json(value: Any, *, indent: bool = False) -> None:
    """Print plain values as JSON, also with --quiet."""
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None).decode())


def quoted(text: str) -> str:
    """Text as YAML writes it on one line."""
    import yaml

    return (
        str(yaml.safe_dump(text, allow_unicode=True, default_flow_style=True, width=10_000))
        .removesuffix("\n...\n")
        .strip()
    )
