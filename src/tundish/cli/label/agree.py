"""``tundish label agree``: how far annotators agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tundish.cli._common import json_option
from tundish.cli.label.options import recipe_of
from tundish.storage.dataset import DatasetFolder

if TYPE_CHECKING:
    import polars as pl

__all__ = ["agree"]

_DIGITS = 3
_CAPTIONS = {
    "overall": "overall (low, high: 95 % interval)",
    "classes": "classes",
    "annotators": "annotators (extra: others drew nothing there; missed: others drew something)",
    "pairs": "pairs",
    "confusion": "confusion (what one annotator called a thing, by what another called it)",
}
_FOR_MACHINES = ("votes", "agreed", "informed")
"""Columns that only --json shows."""


@click.command("agree", short_help="How far the annotators agree.")
@click.argument("name")
@json_option
def agree(name: str, as_json: bool) -> None:
    """Tell how far the annotators of the dataset NAME agree, by class, annotator and pair.

    Labels are those of the answers pulled last and validated; images that only one annotator
    answered say nothing about agreement. `label: {overlap: 0.2}` in the recipe makes a fifth that
    two answer.

    \b
    Example:
      tundish label agree steel-surface
      tundish label agree steel-surface --json
    """
    from tundish.labeling.agreement.summary import confusion_table, read_judgements, summarise_agreement

    project, recipe = recipe_of(name)
    said = read_judgements(DatasetFolder(recipe.dataset, project))
    found = summarise_agreement(said, iou=recipe.label.iou, severities=recipe.label.severities)
    tables = {
        "overall": found.agreement.overall,
        "classes": found.agreement.classes,
        "annotators": found.agreement.annotators.join(found.quality, on="author", how="left"),
        "pairs": found.agreement.pairs,
        "confusion": confusion_table(found.agreement),
    }
    if as_json:
        tables["confusion"] = found.agreement.confusion
        import orjson

        told = {"images": found.shared, **{key: of.to_dicts() for key, of in tables.items()}}
        click.echo(orjson.dumps(told | {"notes": found.notes}, option=orjson.OPT_INDENT_2).decode())
        return
    if found.shared:
        click.echo(f"{found.shared:,} images that two annotators or more answered")
        for title, table in tables.items():
            _print_table(_CAPTIONS[title], table)
    for note in found.notes:
        click.echo(f"- {note}")


def _print_table(title: str, frame: pl.DataFrame) -> None:
    """A frame as a table for people; columns that say nothing are left out."""
    import polars as pl
    from rich.console import Console
    from rich.table import Table

    told = [name for name in frame.columns if name not in _FOR_MACHINES]
    told = [name for name in told if frame[name].null_count() < frame.height]
    told = [
        name for name in told if frame[name].dtype != pl.String or (frame[name].fill_null("") != "").any()
    ]
    table = Table(box=None, pad_edge=False)
    for name in told:
        table.add_column(name, justify="left" if frame[name].dtype == pl.String else "right")
    for row in frame.select(told).iter_rows():
        table.add_row(*map(_cell, row))
    click.echo(f"\n{title}")
    Console(width=max(80, 14 * len(told))).print(table)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.{_DIGITS}f}" if isinstance(value, float) else str(value)
