"""``tundish label agree``: how far annotators agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tundish.cli._common import echo, find_project, find_recipe, json_option
from tundish.cli.label.output import print_json

if TYPE_CHECKING:
    import polars as pl

__all__ = ["agree"]

_DIGITS = 3
_CAPTIONS = {
    "overall": "overall (low, high: 95 % interval)",
    "classes": "classes",
    "annotators": "annotators (extra: others drew nothing there; missed: others drew something)",
    "pairs": "pairs",
    "confusion_matrix": "confusion (what one annotator called an object, by what another called it)",
}
_TABLES = ("overall", "classes", "annotators", "pairs", "confusion")
"""In the JSON."""

_FOR_MACHINES = ("votes", "agreed", "informed")
"""Columns that only --json shows."""


@click.command("agree", short_help="Measure how far the annotators agree.")
@click.argument("name")
@json_option
def agree(name: str, as_json: bool) -> None:
    """Measure how far the annotators of the dataset NAME agree, by class, annotator and pair.

    Labels are those of the answers pulled last and validated; images that only one annotator
    answered do not count. `label: {overlap: 0.2}` in the recipe makes two answer a fifth of them.

    \b
    Example:
      tundish label agree steel-surface
      tundish label agree steel-surface --json
    """
    from tundish.api.labels import label_agree

    project = find_project()
    found = label_agree(find_recipe(project, name).stem, project=project)
    if as_json:
        tables = {key: getattr(found, key).to_dicts() for key in _TABLES}
        print_json({"images": found.images, **tables, "notes": found.notes})
        return
    if found.images:
        echo(f"{found.images:,} images that two annotators or more answered")
        for key, title in _CAPTIONS.items():
            _print_table(title, getattr(found, key))
    for note in found.notes:
        echo(f"- {note}")


def _print_table(title: str, frame: pl.DataFrame) -> None:
    """A frame as a table for people; columns without content are omitted."""
    import polars as pl
    from rich.console import Console
    from rich.table import Table

    names = [name for name in frame.columns if name not in _FOR_MACHINES]
    names = [name for name in names if frame[name].null_count() < frame.height]
    names = [
        name for name in names if frame[name].dtype != pl.String or (frame[name].fill_null("") != "").any()
    ]
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, justify="left" if frame[name].dtype == pl.String else "right")
    for row in frame.select(names).iter_rows():
        table.add_row(*map(_cell, row))
    echo(f"\n{title}")
    Console(width=max(80, 14 * len(names))).print(table)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.{_DIGITS}f}" if isinstance(value, float) else str(value)
