"""What a stage is: it says what it reads, what it writes and which part of the recipe it depends on.

A stage module offers one `STAGE`. It adds tables of decisions and never rewrites what an earlier stage wrote.
`tundish run`, `tundish STAGE` and `dvc repro` all go through `Stage.run`; a test holds dvc.yaml against
`reads`, `writes` and `depends`.
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
    """All that a stage may know: the recipe, where the dataset lies, who does the work."""

    recipe: Recipe
    project: Path
    engine: Engine
    progress: Callable[[int, int], None] = no_progress

    @property
    def dataset(self) -> DatasetFolder:
        """Where the dataset lies."""
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
        name: As on the command line and in dvc.yaml.
        reads: Paths in the dataset's folder that it depends on.
        writes: Paths in the dataset's folder that it makes.
        depends: Sections of the recipe that change its result.
        run: Does it.
        persist: Those of `writes` that it builds on, and DVC must not delete before a run.
        schemas: Whether the project's Pandera models change its result.
    """

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    depends: tuple[str, ...]
    run: Callable[[Context], Outcome]
    persist: tuple[str, ...] = ()
    schemas: bool = False
