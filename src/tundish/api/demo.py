"""Try Tundish with sample data: `sample`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.api.projects import project_folder, recipe_of
from tundish.api.results import Progress, Result

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from tundish.storage.dataset import DatasetFolder

__all__ = ["SampleMade", "sample"]


@dataclass(frozen=True)
class SampleMade(Result):
    """A sample dataset that was made.

    Attributes:
        dataset: Name of the dataset.
        folder: Folder of the project.
        truth: The file that says what was planted where.
        image_files: How many image files it has.
        label_files: How many label files.
        records: How many records, in all its tables.
        planted: How many faults and oddities were planted.
        recipe: Its recipe, which stays as it is where it exists.
    """

    dataset: str
    folder: Path
    truth: Path
    image_files: int
    label_files: int
    records: int
    planted: int
    recipe: Path


def sample(
    *, seed: int = 2026, project: str | os.PathLike[str] = ".", progress: Progress | None = None
) -> tuple[SampleMade, ...]:
    """Make two realistic sample datasets, dirty on purpose, with their recipes; ``tundish sample``.

    Args:
        seed: Another seed makes other pictures.
        project: Folder of the project.
        progress: Called as (dataset, datasets made, datasets in all).

    Raises:
        UsageError: The folder is not a project.
        OutsideError: This installation lacks the recipes.
    """
    from tundish.demo import make_coal_belt, make_steel_surface  # noqa: PLC0415
    from tundish.propose.recipe_text import list_pipeline  # noqa: PLC0415
    from tundish.storage.dataset import DatasetFolder  # noqa: PLC0415

    makers = {"steel-surface": make_steel_surface, "coal-belt": make_coal_belt}
    folder = project_folder(project)
    made = []
    for number, (name, make) in enumerate(makers.items()):
        if progress is not None:
            progress(name, number, len(makers))
        dataset = DatasetFolder(name, folder)
        truth = make(dataset.root, seed)
        _write_sample_recipe(dataset)
        list_pipeline(folder / "params.yaml", name)
        made.append(
            SampleMade(
                dataset=name,
                folder=dataset.root,
                truth=dataset.root / "truth.json",
                image_files=truth.image_files,
                label_files=truth.label_files,
                records=sum(table.rows for table in truth.tables),
                planted=len(truth.planted) + sum(len(table.planted) for table in truth.tables),
                recipe=recipe_of(dataset),
            )
        )
    if progress is not None:
        progress("sample", len(makers), len(makers))
    return tuple(made)


def _write_sample_recipe(dataset: DatasetFolder) -> None:
    """The recipe of a sample dataset, where there is none yet."""
    from tundish.propose.editors import with_schema_line, write_schema  # noqa: PLC0415
    from tundish.propose.layout import template  # noqa: PLC0415

    recipe = recipe_of(dataset)
    if recipe.exists():
        return
    text = (template() / "pipelines" / recipe.name).read_bytes().decode()
    recipe.write_bytes(with_schema_line(text).encode())
    write_schema(dataset.project)
