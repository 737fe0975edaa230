"""The pairs of files that show the same, in a CSV file for people and for other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tundish.storage.table import write_atomically
from tundish.storage.tables import COVERAGE, DUPLICATES, PAIRS

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.storage.dataset import DatasetFolder

__all__ = ["file_pairs", "represented_files", "write_pairs"]

_FILE = ("source", "path")


def file_pairs(dataset: DatasetFolder) -> pl.DataFrame:
    """Every pair of files that show the same in whole or in part.

    A cluster of copies is given as all of its pairs. A copy that is excluded overlaps whatever the image
    overlaps that is kept in its place.

    Returns:
        a and b (paths as ingested), source_a and source_b, relation, share, score and worst; sorted.
    """
    clusters = dataset.read(DUPLICATES)
    members = clusters.select("cluster_id", "relation", *_FILE, pl.col("score").alias("worst"))
    same = members.join(members, on="cluster_id", suffix="_b").filter(
        _before(pl.col("source"), pl.col("path"))
    )
    first = pl.col("relation") == "representative"
    second = pl.col("relation_b") == "representative"
    same = same.with_columns(
        relation=pl.when(first).then("relation_b").when(second).then("relation").otherwise(
            pl.lit("copies of one picture")
        ),
        worst=pl.when(first).then("worst_b").when(second).then("worst"),
        share=pl.lit(1.0),
    )  # fmt: skip
    files = represented_files(dataset).select(*_FILE, image_id="representative")
    overlaps = (
        dataset.read(PAIRS)
        .filter(pl.col("verified") == "blocks")
        .join(files, on="image_id")
        .join(files, left_on="other_id", right_on="image_id", suffix="_b")
    )
    wanted = ["source", "path", "source_b", "path_b", "relation", "share", "score", "worst"]
    found = pl.concat([same, overlaps], how="diagonal").select(wanted)
    return found.select(
        pl.col("path").alias("a"), pl.col("path_b").alias("b"), *wanted[4:],
        source_a="source", source_b="source_b",
    ).sort("source_a", "a", "source_b", "b")  # fmt: skip


def represented_files(dataset: DatasetFolder) -> pl.DataFrame:
    """Every valid image file with the image that is kept for it.

    Returns:
        source, path, image_id, and representative: the image itself, unless it is a copy that is left out.
    """
    excluded = dataset.read(DUPLICATES).filter(~pl.col("kept")).select("image_id", "representative_id")
    return (
        dataset.read(COVERAGE)
        .select(*_FILE, "image_id")
        .join(excluded.unique("image_id", keep="first", maintain_order=True), on="image_id", how="left")
        .select(*_FILE, "image_id", representative=pl.coalesce("representative_id", "image_id"))
    )


def _before(source: pl.Expr, path: pl.Expr) -> pl.Expr:
    other, behind = pl.col("source_b"), pl.col("path_b")
    return (source < other) | ((source == other) & (path < behind))


def write_pairs(dataset: DatasetFolder, file: Path) -> None:
    """Write `file_pairs` to a CSV file.

    Args:
        dataset: The folder of the dataset.
        file: The file to write; one that exists is replaced.
    """
    write_atomically(file, file_pairs(dataset).write_csv(float_precision=4).encode())
