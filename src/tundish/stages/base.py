"""A stage declares what it reads, what it writes and which sections of the recipe it depends on.

A stage module has one `STAGE`. It adds tables of decisions and never rewrites what an earlier stage wrote.
`tundish run`, `tundish STAGE` and `dvc repro` all call `Stage.run`; a test compares dvc.yaml with `reads`,
`writes` and `depends`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tundish.results import Result
from tundish.storage.dataset import DatasetFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tundish.engine import Engine
    from tundish.recipe.load import Recipe

__all__ = ["Context", "Outcome", "Stage", "no_progress"]


def no_progress(_done: int, _total: int) -> None:
    """Show nothing. A progress function is called as (done, total) while a stage works; total may be 0."""


@dataclass(frozen=True)
class Context:
    """All that a stage may know: the recipe, the project, the engine.

    Args:
        recipe: The recipe of the dataset.
        project: Folder of the project.
        engine: Who does the work on shards.
        progress: Called as (done, total) while a stage works.
        accept_losses: Go on where the recipe's guard would stop.
    """

    recipe: Recipe
    project: Path
    engine: Engine
    progress: Callable[[int, int], None] = no_progress
    accept_losses: bool = False

    @property
    def dataset(self) -> DatasetFolder:
        """The folder of the dataset."""
        return DatasetFolder(self.recipe.dataset, self.project)


@dataclass(frozen=True)
class Outcome(Result):
    """What a stage did, for people.

    Attributes:
        counts: What it counted, in the order in which a person wants to read it.
        notes: Sentences worth reading.
    """

    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Stage:
    """One step of the pipeline.

    Args:
        name: The name on the command line and in dvc.yaml.
        reads: Paths in the folder of the dataset that it depends on.
        writes: Paths in the folder of the dataset that it makes.
        depends: Sections of the recipe that change its result.
        run: The function that runs it.
        persist: Those of `writes` that it continues, so that DVC must not delete them before a run.
        schemas: Whether the project's Pandera models change its result.
    """

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    depends: tuple[str, ...]
    run: Callable[[Context], Outcome]
    persist: tuple[str, ...] = ()
    schemas: bool = False
