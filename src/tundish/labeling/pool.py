"""The images of a dataset that may be labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import SourceError
from tundish.storage.tables import DUPLICATES, IMAGES

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.storage.dataset import DatasetFolder

__all__ = ["files_of", "images_of", "listed_images"]


def images_of(dataset: DatasetFolder) -> pl.DataFrame:
    """The valid images that dedup has not removed, in the order of their paths.

    Args:
        dataset: The dataset's folder.

    Raises:
        MissingStepError: The dataset was not validated yet.
    """
    images = dataset.read(IMAGES).filter("valid").sort("source", "path")
    if not dataset.has(DUPLICATES):
        return images
    duplicates = dataset.read(DUPLICATES)
    kept = duplicates.filter("kept")["image_id"]
    removed = duplicates.filter(~pl.col("image_id").is_in(kept.implode()))["image_id"]
    return images.filter(~pl.col("image_id").is_in(removed.implode()))


def listed_images(images: pl.DataFrame, file: Path) -> pl.DataFrame:
    """The images that a text file names by image_id, one a line, in its order.

    Args:
        images: Rows of the images table.
        file: The text file.

    Raises:
        SourceError: The file cannot be read, or names an image that is not among them.
    """
    try:
        names = [line.strip() for line in file.read_text("utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise SourceError(f"the list of images cannot be read ({reason})", where=str(file)) from error
    wanted = pl.DataFrame({"image_id": list(dict.fromkeys(names))}, schema={"image_id": pl.String})
    unknown = wanted.join(images, on="image_id", how="anti")["image_id"]
    if len(unknown):
        raise SourceError(
            f"{len(unknown):,} of its lines name unknown or invalid images, such as '{unknown[0]}'",
            where=str(file),
            fix="name images by their image_id, one a line",
        )
    return wanted.join(images, on="image_id", how="left", maintain_order="left")


def files_of(dataset: DatasetFolder, images: pl.DataFrame) -> pl.DataFrame:
    """image_id, source and path of the file that represents each image: of equal files the one dedup chose.

    Args:
        dataset: The dataset's folder.
        images: Rows of the images table.
    """
    places = images.select("image_id", "source", "path")
    if dataset.has(DUPLICATES):
        kept = dataset.read(DUPLICATES).filter("kept").select(places.columns)
        places = pl.concat([kept, places]).unique("image_id", keep="first", maintain_order=True)
    return places
