"""The public Python API: what the command line does, for notebooks and schedulers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tundish.errors import UsageError

if TYPE_CHECKING:
    import os

    import polars as pl

    from tundish.ledger import Ledger
    from tundish.stages.base import Outcome

__all__ = ["read_table", "run", "status"]


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
    from tundish.engine import DaskEngine, LocalEngine  # noqa: PLC0415  (importing the package stays cheap)
    from tundish.recipe import load  # noqa: PLC0415
    from tundish.stages import between, load_stage  # noqa: PLC0415
    from tundish.stages.base import Context  # noqa: PLC0415

    folder = Path(project)
    names = between(first, last)
    recipe = load(folder / "pipelines" / f"{name}.yaml")
    engine = DaskEngine(scheduler) if scheduler else LocalEngine()
    return {stage: load_stage(stage).run(Context(recipe, folder, engine)) for stage in names}


def read_table(table: str, name: str, *, project: str | os.PathLike[str] = ".") -> pl.DataFrame:
    """One of a dataset's curated tables, such as ``splits`` or ``quarantine``.

    Raises:
        UsageError: There is no such table, or the stage that writes it has not run.
    """
    from tundish.tables import TABLES  # noqa: PLC0415

    known = {one.name: one for one in TABLES if one.name not in ("files", "features")}
    if table not in known:
        raise UsageError(f"there is no table '{table}'", fix=f"choose one of {', '.join(sorted(known))}")
    return known[table].read(Path(project) / "datasets" / name / "curated" / f"{table}.parquet")


def status(name: str, *, project: str | os.PathLike[str] = ".") -> Ledger:
    """The ledger of a dataset: what came in, what was taken out and why; ``tundish status``."""
    from tundish.ledger import read_ledger  # noqa: PLC0415

    folder = Path(project) / "datasets" / name
    return read_ledger(folder / "store", folder / "curated")
