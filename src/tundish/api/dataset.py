"""A dataset for notebooks and training code: its tables, its images with labels, its status."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tundish.api.pipeline import status
from tundish.errors import UsageError
from tundish.results import Result

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import polars as pl

    from tundish.api.samples import Images, Label, Sample
    from tundish.api.tables import Curated
    from tundish.audit.status import Status

__all__ = ["Dataset", "open", "read_table"]

_IN_PARTS = ("files", "features")
"""Tables of many files, which stages read for themselves."""


@dataclass(frozen=True)
class Dataset(Result):
    """A dataset as its tables are when it is opened; open it again after a run.

    Attributes:
        name: Name of the dataset.
        classes: The recipe's classes, in the order that numbers them.
        tables: The tables that exist already, those of records included.
        project: Folder of the project.
    """

    name: str
    classes: tuple[str, ...]
    tables: tuple[str, ...]
    project: Path = field(repr=False)
    _curated: Curated = field(repr=False, compare=False)

    @property
    def status(self) -> Status:
        """What came in, what was removed and why, and the labels of each class in each split."""
        return status(self.name, by="class", project=self.project)

    def read(self, table: str) -> pl.DataFrame:
        """One of its tables, such as ``splits``, or of its records, such as ``coils``.

        Args:
            table: Name of the table; `tables` names those that exist.

        Raises:
            UsageError: There is no such table, or the stage that writes it has not run.
        """
        from tundish.labeling.tables import JUDGEMENTS  # noqa: PLC0415
        from tundish.storage.table import Table  # noqa: PLC0415
        from tundish.storage.tables import RECORD_FIELDS, TABLES  # noqa: PLC0415

        known = {one.name: one for one in (*TABLES, JUDGEMENTS) if one.name not in _IN_PARTS}
        folder = self._curated.dataset
        if table in known:
            return folder.read(known[table])
        records = [path.stem for path in folder.records.glob("*.parquet")]
        if table not in records:
            existing = ", ".join(sorted([*known, *records]))
            raise UsageError(f"unknown table '{table}'", where=self.name, fix=f"choose one of {existing}")
        import pyarrow as pa  # noqa: PLC0415

        return folder.read(Table(table, pa.schema(RECORD_FIELDS), (), "records"), folder.records)

    def images(
        self,
        split: str | Sequence[str] | None = None,
        *,
        label: str | None = None,
        state: str | None = None,
    ) -> Images:
        """Its valid images, in the order in which they are stored.

        Args:
            split: 'train', 'val' or 'test', or several of them; all images by default, also those that are
                left out.
            label: Only images that have a label of this class.
            state: Only images of this state, such as 'negative' or 'unlabelled'.

        Returns:
            A sequence of `Sample`: iterate over it, ask its `len`, take one or a slice.

        Raises:
            MissingStepError: The images have not been validated yet, or not split where a split is asked for.
            UsageError: There is no such split or class.
        """
        import polars as pl  # noqa: PLC0415

        from tundish.api.samples import Images  # noqa: PLC0415

        rows = self._curated.images
        if split is not None:
            rows = rows.filter(pl.col("split").is_in([split] if isinstance(split, str) else list(split)))
            self._known("split", [split] if isinstance(split, str) else split)
        if label is not None:
            self._known("class", [label])
            mine = self._curated.labels.filter(pl.col("label") == label).select("source", "path")
            rows = rows.join(mine, on=["source", "path"], how="semi", maintain_order="left")
        if state is not None:
            rows = rows.filter(pl.col("state") == state)
        return Images(self._curated, rows)

    def image(self, which: str) -> Sample:
        """One image.

        Args:
            which: Its image_id, its path, or source and path with a slash between them.

        Raises:
            UsageError: No valid image of the dataset is called so, or several are.
        """
        import polars as pl  # noqa: PLC0415

        from tundish.api.samples import Images  # noqa: PLC0415

        names = pl.col("image_id"), pl.col("path"), pl.format("{}/{}", "source", "path")
        rows = self._curated.images.filter(pl.any_horizontal(name == which for name in names))
        if rows.height == 1:
            return Images(self._curated, rows)[0]
        if rows.height:
            example = "{}/{}".format(*rows.select("source", "path").row(0))
            fix = f"name the source, too: '{example}'"
            raise UsageError(f"{rows.height} images are called '{which}'", where=self.name, fix=fix)
        raise UsageError(
            f"'{which}' is not a valid image of this dataset",
            where=self.name,
            fix="name it by its image_id or by its path in its source",
        )

    def labels(self, image: Sample | str) -> tuple[Label, ...]:
        """The labels of one image that count.

        Args:
            image: A sample, or what `image` takes.

        Raises:
            UsageError: No valid image of the dataset is called so, or several are.
        """
        return (self.image(image) if isinstance(image, str) else image).labels

    def _known(self, what: str, names: Sequence[str]) -> None:
        """Whether these splits or classes exist; a misspelt one must not pass for an empty one."""
        from tundish.recipe.sections import SPLIT_NAMES  # noqa: PLC0415
        from tundish.storage.tables import SPLITS  # noqa: PLC0415

        if what == "split":
            self._curated.dataset.read(SPLITS)
        known = SPLIT_NAMES if what == "split" else self.classes
        for name in names:
            if name not in known:
                raise UsageError(
                    f"unknown {what} '{name}'", where=self.name, fix=f"choose one of {', '.join(known)}"
                )


def open(  # noqa: A001  (tundish.open, as gzip.open)
    name: str, *, project: str | os.PathLike[str] = "."
) -> Dataset:
    """Open a dataset to look at its tables, images and labels.

    Args:
        name: Name of the dataset.
        project: Folder of the project.

    Raises:
        UsageError: There is no such dataset, or its recipe must change.
    """
    from tundish.api.tables import Curated  # noqa: PLC0415
    from tundish.labeling.tables import JUDGEMENTS  # noqa: PLC0415
    from tundish.recipe.find import load_recipe  # noqa: PLC0415
    from tundish.storage.dataset import DatasetFolder  # noqa: PLC0415
    from tundish.storage.tables import TABLES  # noqa: PLC0415

    recipe = load_recipe(Path(project), name)
    folder = DatasetFolder(recipe.dataset, Path(project))
    classes = tuple(recipe.annotations.classes)
    tables = [one.name for one in (*TABLES, JUDGEMENTS) if one.name not in _IN_PARTS and folder.has(one)]
    records = sorted(path.stem for path in folder.records.glob("*.parquet"))
    return Dataset(
        recipe.dataset,
        classes,
        (*tables, *records),
        Path(project),
        Curated(folder, classes, recipe.images.max_pixels),
    )


def read_table(table: str, name: str, *, project: str | os.PathLike[str] = ".") -> pl.DataFrame:
    """One of a dataset's curated tables, such as ``splits``, or of its records, such as ``coils``.

    Args:
        table: Name of the table.
        name: Name of the dataset.
        project: Folder of the project.

    Raises:
        UsageError: There is no such dataset or table, or the stage that writes it has not run.
    """
    return open(name, project=project).read(table)
