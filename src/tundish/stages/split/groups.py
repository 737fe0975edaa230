"""Groups of images that must be in one split, because what one shows may be visible in another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import scipy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tundish.recipe.load import Recipe

__all__ = ["Groups", "group_images"]


@dataclass(frozen=True)
class Groups:
    """Groups by number.

    Attributes:
        names: The name of each group: its least ``key=value``, or its least image_id where no key is known.
        of_image: (images,), the group of each image.
    """

    names: list[str]
    of_image: NDArray[np.int64]


def group_images(inside: pl.DataFrame, files: pl.DataFrame, recipe: Recipe, pairs: pl.DataFrame) -> Groups:
    """Group images: connected components over equal keys, shared clusters and pairs that overlap.

    Args:
        inside: The images to assign: image_id, and cluster_id where they have copies.
        files: Every valid image file with the image that represents it: source, path, representative. A
            copy that is excluded contributes its keys: its picture was seen on its coil, too.
        recipe: The recipe, for the keys and which of them group.
        pairs: Images that show the same surface: image_id, other_id; those not inside tie nothing.
    """
    ties = pl.concat([_ties(inside, files, recipe), _overlapping(inside, pairs)])
    codes = ties.select(pl.concat_str("key", "value", separator="=").rank("dense") - 1).to_series()
    count, width = inside.height, inside.height + codes.n_unique()
    rows = np.concatenate([np.arange(count), ties["image"].to_numpy()])
    columns = np.concatenate([np.arange(count), codes.to_numpy().astype(np.int64) + count])
    graph = scipy.sparse.coo_array((np.ones(len(rows), np.int8), (rows, columns)), shape=(width, width))
    labels = scipy.sparse.csgraph.connected_components(graph, directed=False)[1][:count]
    _, of_image = np.unique(labels, return_inverse=True)
    return Groups(_names(inside, ties, of_image), of_image.astype(np.int64))


def _ties(inside: pl.DataFrame, files: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """(image, key, value): what connects the image with this row number to others."""
    numbered = inside.select("image_id", "cluster_id").with_row_index("image")
    mine = files.join(numbered, left_on="representative", right_on="image_id", how="inner")
    clusters = numbered.filter(pl.col("cluster_id").is_not_null())
    frames = [clusters.select("image", pl.lit("").alias("key"), pl.col("cluster_id").alias("value"))]
    frames += [_values(mine, key, recipe) for key in recipe.split.group_by]
    return pl.concat(frames)


def _overlapping(inside: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Ties like those of `_ties`: a pair is a value that both images have."""
    ends = pairs.select(
        pl.concat_list("image_id", "other_id").alias("image_id"),
        value=pl.format("{} {}", "image_id", "other_id"),
    )
    numbered = inside.select("image_id").with_row_index("image")
    tied = ends.explode("image_id").join(numbered, on="image_id")
    return tied.select("image", pl.lit("").alias("key"), "value")


def _values(files: pl.DataFrame, key: str, recipe: Recipe) -> pl.DataFrame:
    values = recipe.key_values(key, files.select("source", "path").iter_rows())
    found = files.select("image", pl.lit(key).alias("key"), pl.Series("value", values, pl.String))
    return found.drop_nulls("value").unique(maintain_order=True)


def _names(
    inside: pl.DataFrame, ties: pl.DataFrame, of_image: Sequence[int] | NDArray[np.int64]
) -> list[str]:
    keyed = (
        ties.filter(pl.col("key") != "")
        .group_by("image")
        .agg(name=pl.concat_str("key", "value", separator="=").min())
    )
    named = inside.select("image_id").with_row_index("image").join(keyed, on="image", how="left")
    groups = (
        named.with_columns(group=pl.Series(of_image))
        .group_by("group")
        .agg(pl.coalesce(pl.col("name").min(), pl.col("image_id").min()).alias("name"))
    )
    names: list[str] = groups.sort("group")["name"].to_list()
    return names
