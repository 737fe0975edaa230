"""The recipes of a project, by the names of their datasets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tundish.recipe.load import load

if TYPE_CHECKING:
    from tundish.recipe.load import Recipe

__all__ = ["load_recipe", "recipe_file"]


def recipe_file(project: Path, name: str) -> Path:
    """Where the recipe of the dataset `name` is; the name of the file itself will do, too."""
    stem = Path(name).stem if name.endswith((".yaml", ".yml")) else name
    return project / "pipelines" / f"{stem}.yaml"


def load_recipe(project: Path, name: str) -> Recipe:
    """Read and check the recipe of the dataset `name`.

    Raises:
        RecipeError: There is no such recipe, or it says something that a recipe cannot.
    """
    return load(recipe_file(project, name))
