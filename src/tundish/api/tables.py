"""What a dataset's tables say of its images, read once and looked up image by image."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from tundish.storage.shards import read_blobs
from tundish.storage.tables import ANNOTATIONS, CONSENSUS, COVERAGE, IMAGES, LINKS, SPLITS, STANDING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tundish.storage.dataset import DatasetFolder

__all__ = ["Curated"]


class Curated:
    """The tables of a dataset as they were when it was opened, and the shard that was read last.

    Args:
        dataset: Where the dataset lies.
        classes: Classes of the recipe; labels of no class are left out.
        max_pixels: Limit that the recipe sets; larger images are not decoded.
    """

    def __init__(self, dataset: DatasetFolder, classes: Sequence[str], max_pixels: int) -> None:
        self.dataset = dataset
        self.classes = tuple(classes)
        self.max_pixels = max_pixels
        self._open: tuple[str, dict[str, bytes]] = ("", {})

    def __getstate__(self) -> dict[str, Any]:
        """Without the shard: a data loader sends samples to other processes."""
        return self.__dict__ | {"_open": ("", {})}

    @cached_property
    def images(self) -> pl.DataFrame:
        """The valid images with their split and state, in the order in which they are stored.

        Raises:
            MissingStepError: They have not been validated yet.
        """
        states = self.dataset.read_if_there(STANDING if self.dataset.has(STANDING) else COVERAGE)
        splits = self.dataset.read_if_there(SPLITS)
        chosen = splits.select("image_id", "split", split_source="source", split_path="path")
        images = self.dataset.read(IMAGES).filter("valid")
        # Of files with the same bytes the one that dedup kept represents the image.
        images = images.join(chosen, on="image_id", how="left").with_columns(
            source=pl.coalesce("split_source", "source"), path=pl.coalesce("split_path", "path")
        )
        states = states.select("source", "path", "state")
        return (
            images.drop("split_source", "split_path")
            .join(states, on=["source", "path"], how="left")
            .sort("shard", "source", "path")
        )

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The columns that the recipe's keys made."""
        own = {*IMAGES.schema.names, "split", "state"}
        return tuple(name for name in self.images.columns if name not in own)

    @cached_property
    def labels(self) -> pl.DataFrame:
        """The labels that count, by file; before the stage consensus those that came with the files."""
        table = CONSENSUS if self.dataset.has(CONSENSUS) else ANNOTATIONS
        found = self.dataset.read(table).filter("valid", pl.col("label").is_in(list(self.classes)))
        if table is ANNOTATIONS:
            found = found.with_columns(decided_by=pl.lit(None, pl.String))
        return found.sort("source", "path", maintain_order=True)

    @cached_property
    def _places(self) -> dict[tuple[str, str], tuple[int, int]]:
        return _runs(self.labels, ["source", "path"])

    def labels_of(self, source: str, path: str) -> Iterable[dict[str, Any]]:
        """The labels of one file, as rows."""
        start, count = self._places.get((source, path), (0, 0))
        return self.labels.slice(start, count).iter_rows(named=True) if count else ()

    @cached_property
    def _links(self) -> dict[str, tuple[pl.DataFrame, dict[tuple[str], tuple[int, int]]]]:
        """By table of records: the records that images have, sorted by image, and where each image's are."""
        links = self.dataset.read_if_there(LINKS).filter(pl.col("record_id").is_not_null())
        found = {}
        for (name,), group in links.group_by("table", maintain_order=True):
            path = self.dataset.table(str(name), self.dataset.records)
            mine = group.drop("table", "reason")
            records = (
                pl.scan_parquet(path, glob=False)
                .join(mine.lazy().select("record_id").unique(), on="record_id", how="semi")
                .collect(engine="streaming")
            )
            how = mine.rename({one: f"link_{one}" for one in mine.columns if one in records.columns[1:]})
            rows = how.join(records, on="record_id", how="left", maintain_order="left")
            order = [*records.columns, *(one for one in how.columns if one != "record_id")]
            rows = rows.select(order).sort("image_id", maintain_order=True)
            found[str(name)] = rows, _runs(rows, ["image_id"])
        return found

    def records_of(self, image_id: str) -> dict[str, pl.DataFrame]:
        """The records of one image, by table; tables without one are left out."""
        found = {}
        for name, (rows, places) in self._links.items():
            start, count = places.get((image_id,), (0, 0))
            if count:
                found[name] = rows.slice(start, count)
        return found

    def data(self, shard: str, image_id: str) -> bytes:
        """The bytes of an image file.

        Raises:
            OutsideError: The shard is damaged or gone.
        """
        name, blobs = self._open
        if name != shard:
            path = self.dataset.image_shards / f"{shard}.parquet"
            blobs = {blob.id: blob.data for blob in read_blobs(path)}
            self._open = shard, blobs
        return blobs[image_id]


def _runs(frame: pl.DataFrame, by: list[str]) -> dict[Any, tuple[int, int]]:
    """Where the rows of each value begin in a sorted frame, and how many there are."""
    runs = (
        frame.with_row_index("_row").group_by(by, maintain_order=True).agg(pl.col("_row").first(), pl.len())
    )
    return {row[:-2]: (row[-2], row[-1]) for row in runs.iter_rows()}
