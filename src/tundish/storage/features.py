"""The features of a dataset's images: one part per shard, named by the version of the code that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow.parquet as pq

from tundish.errors import MissingStepError
from tundish.storage.shards import shard_paths
from tundish.storage.tables import FEATURES
from tundish.storage.versions import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tundish.storage.dataset import DatasetFolder

__all__ = ["feature_part", "feature_parts", "read_features"]

_LARGE = ("thumbnail", "corners", "detail")


def read_features(
    dataset: DatasetFolder, max_pixels: int, columns: Sequence[str] | None = None
) -> pl.DataFrame:
    """Read the features of all images in the store, one row per image.

    Args:
        dataset: The folder of the dataset.
        max_pixels: The limit of the recipe; larger images are not decoded.
        columns: The columns to read; by default all but the thumbnails, corners and details, which are large.

    Raises:
        MissingStepError: A shard has not been measured yet.
    """
    wanted = list(columns or [name for name in FEATURES.schema.names if name not in _LARGE])
    frames = [pl.DataFrame(FEATURES.empty().select(wanted))]
    for part in feature_parts(dataset, max_pixels):
        with pq.ParquetFile(part) as file:
            frame = pl.from_arrow(file.read(columns=wanted))
        assert isinstance(frame, pl.DataFrame)
        frames.append(frame.select(wanted))
    return pl.concat(frames)


def feature_parts(dataset: DatasetFolder, max_pixels: int) -> list[Path]:
    """The files with the features of each shard, in the order of the shards.

    Raises:
        MissingStepError: A shard has not been measured yet.
    """
    parts = []
    for shard in shard_paths(dataset.image_shards):
        part = feature_part(dataset, max_pixels, shard)
        if not part.exists():
            raise MissingStepError(
                "these images have not been measured",
                where=str(shard),
                fix=f"run 'tundish measure {dataset.name}' first",
            )
        parts.append(part)
    return parts


def feature_part(dataset: DatasetFolder, max_pixels: int, shard: Path) -> Path:
    """The path of the features of a shard, whether they exist or not."""
    version = f"{VERSIONS['measure']}-{max_pixels}"
    return dataset.features / f"{shard.stem}-v{version}.parquet"
