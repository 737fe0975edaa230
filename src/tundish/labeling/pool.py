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
    """The valid images that dedup has not taken out, in the order of their paths.

    Raises:
        MissingStepError: The dataset was not validated yet.
    """
    images = dataset.read(IMAGES).filter("valid").sort("source", "path")
    if not dataset.has(DUPLICATES):
        return images
    duplicates = dataset.read(DUPLICATES)
    kept = duplicates.filter("kept")["image_id"]
    out = duplicates.filter(~pl.col("image_id").is_in(kept.implode()))["image_id"]
    return images.filter(~pl.col("image_id").is_in(out.implode()))


def listed_images(images: pl.DataFrame, file: Path) -> pl.DataFrame:
    """The images that a text file names by image_id, one a line, in its order.

    Raises:
        SourceError: The file cannot be read, or names an image that is not among them.
    """
    try:
        names = [line.strip() for line in file.read_text("utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise SourceError(f"the list of images cannot be read ({reason})", where=str(file)) from error
    wanted = pl.DataFrame({"image_id": list(dict.fromkeys(names))}, schema={"image_id": pl.String})
    strange = wanted.join(images, on="image_id", how="anti")["image_id"]
    if len(strange):
        raise SourceError(
            f"{len(strange):,} of its lines name no valid image of the dataset, such as '{strange[0]}'",
            where=str(file),
            fix="name images by their image_id, one a line",
        )
    return wanted.join(images, on="image_id", how="left", maintain_order="left")


def files_of(dataset: DatasetFolder, images: pl.DataFrame) -> pl.DataFrame:
    """image_id, source and path of the file that stands for each image: of equal ones that dedup's choice."""
    places = images.select("image_id", "source", "path")
    if dataset.has(DUPLICATES):
        kept = dataset.read(DUPLICATES).filter("kept").select(places.columns)
        places = pl.concat([kept, places]).unique("image_id", keep="first", maintain_order=True)
    return places
