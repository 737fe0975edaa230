"""Options of ``tundish label push`` that say who labels, in place of what the recipe says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tundish.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tundish.recipe.load import Recipe

__all__ = ["deal_options", "dealt_as_asked"]


def deal_options(command: Callable[..., None]) -> Callable[..., None]:
    """--annotators and --overlap."""
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


def dealt_as_asked(recipe: Recipe, annotators: str | None, overlap: float | None) -> Recipe:
    """The recipe, with what was asked for in its place.

    Raises:
        UsageError: A name cannot be an annotator's, or there are too few for an overlap.
    """
    from pydantic import ValidationError

    from tundish.recipe.labelling import Label
    from tundish.recipe.load import sentence

    asked: dict[str, Any] = {}
    if annotators is not None:
        asked["annotators"] = tuple(filter(None, map(str.strip, annotators.split(","))))
        if not asked["annotators"]:
            raise UsageError("nobody is named", where="--annotators", fix="name them, as in li,wu")
    if overlap is not None:
        asked["overlap"] = overlap
    if not asked:
        return recipe
    try:
        label = Label.model_validate(dict(recipe.label) | asked)
    except ValidationError as error:
        first = error.errors()[0]
        option = first["loc"][0] if first["loc"] else "annotators"
        what, fix = sentence(first, f"--{option}")
        raise UsageError(what, fix=fix) from None
    return recipe.model_copy(update={"label": label})
