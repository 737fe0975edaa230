"""Run the stages of datasets and ask how far they are: ``tundish run``, one stage, ``export``, ``status``."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from tundish.errors import UsageError
from tundish.results import Result, Results

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from tundish.api.results import Progress
    from tundish.audit.status import Status
    from tundish.stages.base import Outcome

__all__ = ["Run", "datasets", "dedup", "export", "run", "run_each", "run_stage", "status"]


@dataclass(frozen=True)
class Run(Result):
    """What a run did with one dataset.

    Attributes:
        dataset: Name of the dataset.
        outcomes: What each stage did, by the stage's name, in the order in which they ran.
    """

    dataset: str
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def __getitem__(self, stage: str) -> Outcome:
        """What the stage of this name did."""
        return self.outcomes[stage]


def datasets(*, project: str | os.PathLike[str] = ".") -> tuple[str, ...]:
    """The names of a project's datasets: those that have a recipe in ``pipelines/``.

    Args:
        project: Folder of the project.
    """
    from tundish.storage.dataset import dataset_names  # noqa: PLC0415  (importing the package stays cheap)

    return dataset_names(Path(project))


@overload
def run(
    name: str,
    *,
    first: str | None = None,
    last: str | None = None,
    accept_losses: bool = False,
    scheduler: str | None = None,
    project: str | os.PathLike[str] = ".",
    progress: Progress | None = None,
) -> Run: ...


@overload
def run(
    name: list[str] | tuple[str, ...],
    *,
    first: str | None = None,
    last: str | None = None,
    accept_losses: bool = False,
    scheduler: str | None = None,
    project: str | os.PathLike[str] = ".",
    progress: Progress | None = None,
) -> Results[Run]: ...


def run(
    name: str | list[str] | tuple[str, ...],
    *,
    first: str | None = None,
    last: str | None = None,
    accept_losses: bool = False,
    scheduler: str | None = None,
    project: str | os.PathLike[str] = ".",
    progress: Progress | None = None,
) -> Run | Results[Run]:
    """Run the stages of a dataset one after the other, or those of several; ``tundish run``.

    Args:
        name: Name of the dataset; or of several, which run in this order. `datasets` names them all.
        first: Begin with this stage.
        last: End with this stage.
        accept_losses: Go on where more is lost than the recipe's section ``guard`` allows.
        scheduler: Address of a Dask scheduler for the pixel work; threads of this process by default.
        project: Folder of the project.
        progress: Called as (stage, done, total) while a stage works.

    Returns:
        What each stage did; for several datasets one `Run` each.

    Raises:
        UsageError: The recipe, its source or a stage's name must change.
        GateError: More would be lost than the recipe's section ``guard`` allows.
        OutsideError: The scheduler or the disk failed.
    """
    from tundish.stages import between  # noqa: PLC0415

    names = [name] if isinstance(name, str) else list(name)
    outcomes: dict[str, dict[str, Outcome]] = {one: {} for one in names}
    steps = run_each(
        names,
        between(first, last),
        accept_losses=accept_losses,
        scheduler=scheduler,
        project=project,
        progress=progress,
    )
    for one, stage, outcome in steps:
        outcomes[one][stage] = outcome
    runs = [Run(one, done) for one, done in outcomes.items()]
    return runs[0] if isinstance(name, str) else Results(runs)


def run_stage(
    stage: str,
    name: str,
    *,
    scheduler: str | None = None,
    project: str | os.PathLike[str] = ".",
    progress: Progress | None = None,
) -> Outcome:
    """Run one stage of a dataset; ``tundish ingest``, ``tundish measure`` and so on.

    Args:
        stage: Name of the stage.
        name: Name of the dataset.
        scheduler: Address of a Dask scheduler for the pixel work; threads of this process by default.
        project: Folder of the project.
        progress: Called as (stage, done, total) while the stage works.

    Returns:
        What the stage did.

    Raises:
        UsageError: The recipe, its source or the stage's name must change, or a stage before has not run.
        OutsideError: The scheduler or the disk failed.
    """
    return run(name, first=stage, last=stage, scheduler=scheduler, project=project, progress=progress)[stage]


def run_each(
    names: Sequence[str],
    stages: Sequence[str],
    *,
    accept_losses: bool = False,
    scheduler: str | None = None,
    project: str | os.PathLike[str] = ".",
    progress: Progress | None = None,
) -> Iterator[tuple[str, str, Outcome]]:
    """Run stages of datasets one by one, giving what each did as soon as it is done.

    All recipes are read before the first stage runs, so a misspelt name stops nothing half way.

    Args:
        names: Names of the datasets.
        stages: Names of the stages, in order.
        accept_losses: As for `run`.
        scheduler: As for `run`.
        project: Folder of the project.
        progress: Called as (stage, done, total) while a stage works.

    Yields:
        The dataset, the stage, and what the stage did.

    Raises:
        UsageError: As `run`.
        GateError: As `run`.
        OutsideError: As `run`.
    """
    from tundish.engine import open_engine  # noqa: PLC0415
    from tundish.recipe.find import load_recipe  # noqa: PLC0415
    from tundish.stages import load_stage  # noqa: PLC0415
    from tundish.stages.base import Context, no_progress  # noqa: PLC0415
    from tundish.storage.dataset import DatasetFolder  # noqa: PLC0415

    recipes = {name: load_recipe(Path(project), name) for name in names}
    with open_engine(scheduler) as engine:
        for name, recipe in recipes.items():
            what = f"tundish {stages[0] if len(stages) == 1 else 'run'} {recipe.dataset}"
            with DatasetFolder(recipe.dataset, Path(project)).lock(what):
                for stage in stages:
                    watch = partial(progress, stage) if progress else no_progress
                    watch(0, 0)
                    context = Context(recipe, Path(project), engine, watch, accept_losses)
                    yield name, stage, load_stage(stage).run(context)


def export(
    name: str,
    *,
    format: str | None = None,  # noqa: A002  (named as the option)
    project: str | os.PathLike[str] = ".",
    progress: Progress | None = None,
) -> Outcome:
    """Write what trainers read into ``exports/``; ``tundish export``.

    Args:
        name: Name of the dataset.
        format: Write this format only, whether or not the recipe names it; the recipe's formats by default.
        project: Folder of the project.
        progress: Called as (stage, done, total) while files are written.

    Returns:
        What was written.

    Raises:
        MissingStepError: A stage before has not run.
        UsageError: The recipe must change, or the format is unknown.
    """
    if format is None:
        return run_stage("export", name, project=project, progress=progress)
    from tundish.engine import LocalEngine  # noqa: PLC0415
    from tundish.recipe.find import load_recipe  # noqa: PLC0415
    from tundish.stages.base import Context, no_progress  # noqa: PLC0415
    from tundish.stages.export.stage import export_one  # noqa: PLC0415

    recipe = load_recipe(Path(project), name)
    watch = partial(progress, "export") if progress else no_progress
    watch(0, 0)
    context = Context(recipe, Path(project), LocalEngine(), watch)
    with context.dataset.lock(f"tundish export {recipe.dataset}"):
        return export_one(context, format)


def dedup(
    name: str,
    *,
    pairs: str | os.PathLike[str] | None = None,
    scheduler: str | None = None,
    project: str | os.PathLike[str] = ".",
    progress: Progress | None = None,
) -> Outcome:
    """Find images that show the same in whole or in part, and which copy is kept; ``tundish dedup``.

    Args:
        name: Name of the dataset.
        pairs: Write the pairs of files to this CSV file as well: a, b, their relation and their scores.
        scheduler: As for `run_stage`.
        project: Folder of the project.
        progress: Called as (stage, done, total) while the stage works.

    Returns:
        What was found.

    Raises:
        UsageError: The recipe must change, a stage before has not run, or the file cannot be written.
    """
    from tundish.audit.pairs import write_pairs  # noqa: PLC0415
    from tundish.recipe.find import load_recipe  # noqa: PLC0415
    from tundish.storage.dataset import DatasetFolder  # noqa: PLC0415

    outcome = run_stage("dedup", name, scheduler=scheduler, project=project, progress=progress)
    if pairs is not None:
        recipe = load_recipe(Path(project), name)
        write_pairs(DatasetFolder(recipe.dataset, Path(project)), Path(pairs))
    return outcome


@overload
def status(
    name: str, *, by: Literal["class"] | None = None, project: str | os.PathLike[str] = "."
) -> Status: ...


@overload
def status(
    name: list[str] | tuple[str, ...] | None = None,
    *,
    by: Literal["class"] | None = None,
    project: str | os.PathLike[str] = ".",
) -> Results[Status]: ...


def status(
    name: str | list[str] | tuple[str, ...] | None = None,
    *,
    by: Literal["class"] | None = None,
    project: str | os.PathLike[str] = ".",
) -> Status | Results[Status]:
    """What came into a dataset, what was removed and why, and how far it is; ``tundish status``.

    Args:
        name: Name of the dataset, or of several; all of the project by default.
        by: 'class' counts the labels of each class in each split, too.
        project: Folder of the project.

    Returns:
        The status of the dataset; for several or all, one each.

    Raises:
        UsageError: There is no such dataset, or its recipe must change.
        OutsideError: A table is damaged.
    """
    from tundish.audit.status import read_status  # noqa: PLC0415
    from tundish.recipe.find import load_recipe  # noqa: PLC0415
    from tundish.storage.dataset import DatasetFolder  # noqa: PLC0415

    if by not in (None, "class"):
        raise UsageError(f"'by' is '{by}'", fix="choose 'class', or omit it")
    root = Path(project)
    names = datasets(project=project) if name is None else [name] if isinstance(name, str) else name
    found = []
    for one in names:
        recipe = load_recipe(root, one)
        classes = tuple(recipe.annotations.classes) if by else None
        found.append(read_status(DatasetFolder(recipe.dataset, root), classes=classes))
    return found[0] if isinstance(name, str) else Results(found)
