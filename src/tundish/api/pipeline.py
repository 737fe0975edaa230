"""The public Python API: what the command line does, for notebooks and schedulers."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from tundish.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    import polars as pl

    from tundish.audit.ledger import Ledger
    from tundish.stages.base import Outcome

__all__ = ["read_table", "run", "run_stages", "status"]


def run(
    name: str,
    *,
    project: str | os.PathLike[str] = ".",
    first: str | None = None,
    last: str | None = None,
    scheduler: str | None = None,
) -> dict[str, Outcome]:
    """Run the stages of a dataset one after the other; ``tundish run``.

    Args:
        name: Of the recipe in ``pipelines/``.
        project: Folder of the project.
        first: Begin with this stage.
        last: End with this stage.
        scheduler: Address of a Dask scheduler for the pixel work; threads of this process by default.

    Returns:
        What each stage did, in their order.

    Raises:
        UsageError: The recipe, its source or a stage's name must change.
        OutsideError: The scheduler or the disk failed.
    """
    from tundish.stages import between  # noqa: PLC0415  (importing the package stays cheap)

    recipe = Path(project) / "pipelines" / f"{name}.yaml"
    return dict(run_stages(Path(project), recipe, between(first, last), scheduler=scheduler))


def run_stages(
    project: Path,
    recipe: Path,
    stages: Sequence[str],
    *,
    scheduler: str | None = None,
    watch: Callable[[str], AbstractContextManager[Callable[[int, int], None]]] | None = None,
) -> Iterator[tuple[str, Outcome]]:
    """Run stages one by one, giving each one's outcome as it is done; what `run` and the commands go through.

    Args:
        project: Folder of the project.
        recipe: Path of the recipe.
        stages: Their names, in order.
        scheduler: As for `run`.
        watch: Given a stage's name, a context whose value is told (done, total) while it works.
    """
    from tundish.engine import open_engine  # noqa: PLC0415
    from tundish.recipe.load import load  # noqa: PLC0415
    from tundish.stages import load_stage  # noqa: PLC0415
    from tundish.stages.base import Context, no_progress  # noqa: PLC0415
    from tundish.storage.dataset import DatasetFolder  # noqa: PLC0415

    loaded = load(recipe)
    dataset = DatasetFolder(loaded.dataset, project)
    what = f"tundish {stages[0] if len(stages) == 1 else 'run'} {loaded.dataset}"
    with dataset.lock(what), open_engine(scheduler) as engine:
        for stage in stages:
            with watch(stage) if watch else nullcontext(no_progress) as tell:
                outcome = load_stage(stage).run(Context(loaded, project, engine, tell))
            yield stage, outcome


def read_table(table: str, name: str, *, project: str | os.PathLike[str] = ".") -> pl.DataFrame:
    """One of a dataset's curated tables, such as ``splits``, or of its records, such as ``coils``.

    Raises:
        UsageError: There is no such table, or the stage that writes it has not run.
    """
    import pyarrow as pa  # noqa: PLC0415

    from tundish.storage.dataset import DatasetFolder  # noqa: PLC0415
    from tundish.storage.table import Table  # noqa: PLC0415
    from tundish.storage.tables import RECORD_FIELDS, TABLES  # noqa: PLC0415

    known = {one.name: one for one in TABLES if one.name not in ("files", "features")}
    dataset = DatasetFolder(name, Path(project))
    if table in known:
        return dataset.read(known[table])
    records = {path.stem: path for path in dataset.records.glob("*.parquet")}
    if table not in records:
        there = ", ".join(sorted([*known, *records]))
        raise UsageError(f"there is no table '{table}'", fix=f"choose one of {there}")
    return Table(table, pa.schema(RECORD_FIELDS), (), "records").read(records[table])


def status(name: str, *, project: str | os.PathLike[str] = ".") -> Ledger:
    """The ledger of a dataset: what came in, what was taken out and why; ``tundish status``."""
    from tundish.audit.ledger import read_ledger  # noqa: PLC0415
    from tundish.storage.dataset import DatasetFolder  # noqa: PLC0415

    return read_ledger(DatasetFolder(name, Path(project)))
