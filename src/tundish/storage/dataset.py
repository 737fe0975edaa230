"""Where the datasets of a project lie: the one place that knows their folders."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tundish.storage.lock import hold

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from tundish.storage.table import Table

__all__ = ["DatasetFolder", "dataset_names", "recipe_file"]


def dataset_names(project: Path) -> tuple[str, ...]:
    """The names of the datasets that have a recipe in the project, sorted."""
    return tuple(sorted(path.stem for path in (project / "pipelines").glob("*.yaml")))


@dataclass(frozen=True)
class DatasetFolder:
    """The folder of one dataset of a project.

    Args:
        name: Name of the dataset.
        project: Folder of the project.
    """

    name: str
    project: Path = Path()

    @property
    def root(self) -> Path:
        """``datasets/<name>``."""
        return self.project / "datasets" / self.name

    @property
    def store(self) -> Path:
        """What was taken in: ``images/``, ``labels/`` and ``records/`` shards, ``files/`` parts."""
        return self.root / "store"

    @property
    def image_shards(self) -> Path:
        """Shards of image files."""
        return self.store / "images"

    @property
    def label_shards(self) -> Path:
        """Shards of label files."""
        return self.store / "labels"

    @property
    def record_shards(self) -> Path:
        """Files of records, one file in parts each."""
        return self.store / "records"

    @property
    def curated(self) -> Path:
        """The tables of decisions."""
        return self.root / "curated"

    @property
    def features(self) -> Path:
        """One features part a shard."""
        return self.curated / "features"

    @property
    def records(self) -> Path:
        """One table of judged records each."""
        return self.curated / "records"

    @property
    def labels(self) -> Path:
        """Answers pulled from Label Studio."""
        return self.root / "labels"

    @property
    def augmented(self) -> Path:
        """Shards of derived images."""
        return self.root / "augmented"

    @property
    def exports(self) -> Path:
        """What trainers read."""
        return self.root / "exports"

    @property
    def reports(self) -> Path:
        """Metrics, plots and the quality report."""
        return self.root / "reports"

    @property
    def local(self) -> Path:
        """What belongs to this machine alone, in neither Git nor DVC: the lock, copies of history."""
        return self.root / ".local"

    def locate(self, path: str) -> Path:
        """Where a path of the recipe leads: it is relative to the dataset's folder, unless it is absolute."""
        # As text: before the first run the folder of the dataset, which '..' leaves, does not exist.
        return Path(os.path.normpath(self.root / path))

    def make_local(self) -> Path:
        """Make the folder `local`, unless it exists, and return it."""
        self.local.mkdir(parents=True, exist_ok=True)
        ignore = self.local / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
        return self.local

    @contextmanager
    def lock(self, what: str, *, wait_s: float = 0.0) -> Iterator[None]:
        """Be the only writer of the dataset while the block runs; `what` tells others what for.

        Raises:
            OutsideError: Another process is writing.
        """
        with hold(self.make_local() / "lock", what, subject=f"the dataset '{self.name}'", wait_s=wait_s):
            yield

    def table(self, name: str, folder: Path | None = None) -> Path:
        """The file of the table `name`, in ``curated/`` or in another folder of the dataset."""
        return (folder or self.curated) / f"{name}.parquet"

    def has(self, table: Table, folder: Path | None = None) -> bool:
        """Whether the table has been written yet."""
        return self.table(table.name, folder).exists()

    def read(self, table: Table, folder: Path | None = None) -> pl.DataFrame:
        """Read a table, as `Table.read`."""
        return table.read(self.table(table.name, folder), dataset=self.name)

    def read_if_there(self, table: Table, folder: Path | None = None) -> pl.DataFrame:
        """Read a table, as `Table.read_if_there`: no rows where it has not been written yet."""
        return table.read_if_there(self.table(table.name, folder), dataset=self.name)

    def write(self, table: Table, frame: pl.DataFrame, folder: Path | None = None) -> None:
        """Write a table, as `Table.write`."""
        table.write(frame, self.table(table.name, folder))


def recipe_file(project: Path, name: str) -> Path:
    """Where the recipe of the dataset `name` is; the name of the file itself will do, too."""
    stem = Path(name).stem if name.endswith((".yaml", ".yml")) else name
    return project / "pipelines" / f"{stem}.yaml"
