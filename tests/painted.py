"""The sample data, painted once for a whole run of the tests, and once through the pipeline."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

import tundish
from tundish.demo import Truth, make_coal_belt, make_steel_surface

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).resolve().parents[1]
MAKE = {"steel-surface": make_steel_surface, "coal-belt": make_coal_belt}


class Painted(NamedTuple):
    """A sample dataset as it is before the first stage; read only, for others read it too."""

    folder: Path
    truth: Truth


class Ran(NamedTuple):
    """A sample dataset after the stages up to split; read only."""

    project: Path
    truth: Truth

    def table(self, name: str) -> pl.DataFrame:
        return tundish.read_table(name, self.truth.dataset, project=self.project)

    def records(self, name: str) -> pl.DataFrame:
        folder = self.project / "datasets" / self.truth.dataset / "curated" / "records"
        return pl.read_parquet(folder / f"{name}.parquet", glob=False)


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder of this run that all its workers share."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def paint(name: str, factory: pytest.TempPathFactory) -> Painted:
    """The sample `name`; of workers that run side by side the first paints it, and the others wait."""
    folder = shared_folder(factory) / "painted" / name
    truth = folder.with_name(f"{name}.pickle")
    folder.parent.mkdir(exist_ok=True)
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not truth.exists():
            folder.mkdir()
            truth.write_bytes(pickle.dumps(MAKE[name](folder)))
    return Painted(folder, pickle.loads(truth.read_bytes()))


def run_pipeline(sample: Painted, project: Path) -> Ran:
    """Copy the sample into a new project with the repository's recipe and schemas, and run it up to split."""
    name = sample.truth.dataset
    shutil.copytree(sample.folder, project / "datasets" / name)
    (project / "pipelines").mkdir()
    shutil.copy(ROOT / f"pipelines/{name}.yaml", project / "pipelines")
    (project / "schemas").symlink_to(ROOT / "schemas")
    tundish.run(name, project=project, last="split")
    return Ran(project, sample.truth)
