"""The table of pairs, and what is worth telling of it: the largest component, the weakest edge."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import scipy

from tundish.imaging.similarity import TRANSFORMS
from tundish.storage.tables import PAIRS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tundish.imaging.overlaps.overlap import Overlap
    from tundish.stages.dedup.overlaps import Found

__all__ = ["pair_rows", "summary"]

_LARGE = 0.05
"""A component with more than this share of the pictures is reported: it distorts the balance of a split."""

_USES = {
    "identical pixels": "delete",
    "same picture": "delete",
    "mirrored or turned": "delete",
    "probably same picture": "review",
    "overlapping": "group",
    "probably overlapping": "review",
}
_OVERLAPS = {
    "first": pl.Int64,
    "second": pl.Int64,
    "relation": pl.String,
    "code": pl.Int64,
    **dict.fromkeys(("angle", "scale", "dx", "dy", "share", "score"), pl.Float64),
    **dict.fromkeys(("votes", "blocks", "distinctive"), pl.Int64),
    "worst": pl.Float64,
}


def pair_rows(files: pl.DataFrame, ties: pl.DataFrame, overlaps: Sequence[Overlap]) -> pl.DataFrame:
    """The table of pairs: copies with their representative, and pictures that overlap.

    Args:
        files: picture and image_id, best first.
        ties: Copies (picture) with their representative (leader), likeness, code and score.
        overlaps: Pictures that overlap, by their numbers; those of one scene only are not pairs.
    """
    copies = ties.select(
        pl.col("leader").alias("first"),
        pl.col("picture").alias("second"),
        pl.col("likeness").alias("relation"),
        "code",
        pl.col("score").alias("worst"),
        share=pl.lit(1.0),
        verified=pl.when(pl.col("likeness") == "identical pixels")
        .then(pl.lit("pixels"))
        .otherwise(pl.lit("every place")),
    )
    found = pl.DataFrame([asdict(one) for one in overlaps], schema=_OVERLAPS)
    parts = found.filter(pl.col("relation") != "same scene").with_columns(verified=pl.lit("blocks"))
    pictures = files.unique("picture", keep="first").select("picture", "image_id")
    names = dict(enumerate(TRANSFORMS))
    return (
        pl.concat([copies, parts], how="diagonal")
        .join(pictures, left_on="first", right_on="picture")
        .join(pictures.rename({"image_id": "other_id"}), left_on="second", right_on="picture")
        .with_columns(
            use=pl.col("relation").replace_strict(_USES, return_dtype=pl.String),
            transform=pl.col("code").replace_strict(names, return_dtype=pl.String),
        )
        .select(PAIRS.schema.names)
    )


def summary(found: Found, pictures: int) -> tuple[dict[str, int], list[str]]:
    """Counts and sentences about the overlaps of so many pictures."""
    if not found.level:
        return {}, []
    parts = [one for one in found.overlaps if one.relation != "same scene"]
    counts = {
        "overlapping pairs": sum(one.relation == "overlapping" for one in parts),
        "probably overlapping pairs": sum(one.relation == "probably overlapping" for one in parts),
        "overlapping images": len({number for one in parts for number in (one.first, one.second)}),
    }
    notes = [found.level]
    if scenes := len(found.overlaps) - len(parts):
        notes.append(
            f"{scenes:,} pairs show one scene with other content, as a fixed camera does: not grouped"
        )
    if parts:
        size = max(_component_sizes(parts))
        weakest = min(one.score for one in parts)
        notes.append(
            f"the largest group of overlapping pictures has {size:,} of {pictures:,}; the weakest pair scores"
            f" {weakest:.2f}"
        )
        if size > _LARGE * pictures:
            notes.append(
                "the largest group has more than 5% of the pictures: look at its pairs marked review"
            )
    return counts, notes


def _component_sizes(parts: Sequence[Overlap]) -> list[int]:
    _, places = np.unique([(one.first, one.second) for one in parts], return_inverse=True)
    ends = places.reshape(-1, 2)
    count = int(places.max()) + 1
    graph = scipy.sparse.coo_array((np.ones(len(ends), np.int8), ends.T), shape=(count, count))
    labels = scipy.sparse.csgraph.connected_components(graph, directed=False)[1]
    sizes: list[int] = np.bincount(labels).tolist()
    return sizes
