"""The recipes of a project, by the names of their datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.recipe.load import load
from tundish.storage.dataset import recipe_file

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.recipe.load import Recipe

__all__ = ["load_recipe"]


def load_recipe(project: Path, name: str) -> Recipe:
    """Read and check the recipe of the dataset `name`.

    Raises:
        RecipeError: There is no such recipe, or it says something that a recipe cannot.
    """
    return load(recipe_file(project, name))
