"""Options that several commands of ``tundish label`` share, or that come in groups."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["annotator_options", "select_options", "server_options"]


_STRATEGIES = ("uncertain", "diverse", "stratified", "conflicts")


def server_options(command: Callable[..., None]) -> Callable[..., None]:
    """--server and --token-file."""
    command = click.option(
        "--token-file",
        type=click.Path(path_type=Path),
        help="File (mode 600) that holds the token; by default LABEL_STUDIO_TOKEN is used.",
    )(command)
    return click.option("--server", metavar="URL", help="Address of Label Studio, instead of the recipe's.")(
        command
    )


def annotator_options(command: Callable[..., None]) -> Callable[..., None]:
    """--annotators and --overlap: who labels, instead of what the recipe says."""
    command = click.option(
        "--overlap",
        type=click.FloatRange(0, 1),
        help="Share of the images that two of them get; by default the recipe's.",
    )(command)
    return click.option(
        "--annotators",
        metavar="A,B,...",
        help="Who labels, each in a project of their own; by default the recipe's.",
    )(command)


def select_options(command: Callable[..., None]) -> Callable[..., None]:
    """--select, --budget, --scores and --seed: which images to have labelled next."""
    command = click.option(
        "--seed", type=int, default=0, show_default=True, help="Orders images of equal worth."
    )(command)
    command = click.option(
        "--scores",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A model's scores for --select (Parquet): image_id and a column a class, or image_id, "
        "label and score, a row a prediction.",
    )(command)
    command = click.option(
        "--budget", type=click.IntRange(1), help="How many images --select chooses at most."
    )(command)
    return click.option(
        "--select", type=click.Choice(_STRATEGIES), help="Only the images worth most; the best first."
    )(command)
