"""``exports/certificate.json``: what ties images to each other, that no tie lies across splits, and hashes.

It is counted from the tables once more, not taken from the groups that `split` made: it checks them.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import orjson
import polars as pl

from tundish.audit.pairs import represented_files
from tundish.storage.table import write_atomically
from tundish.storage.tables import DUPLICATES, PAIRS, SPLITS

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.formats.base import Selection
    from tundish.stages.base import Context

__all__ = ["count_ties", "say_ties", "write_certificate"]

_IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".txt"}
"""Suffixes of files of one image each: their names are in the tables, and each image_id is a hash already."""

_MIXED = pl.col("split").n_unique() > 1


def count_ties(context: Context) -> dict[str, dict[str, int]]:
    """Count what ties images that have a split, by kind, and how much of it lies across splits.

    Returns:
        For each key of the recipe's ``split.group_by``, for ``copies`` and for each relation of pairs that
        overlap: ``ties`` (values, clusters or pairs of more than one image) and ``across_splits``.
    """
    files = _files(context)
    found = {key: _count(_keyed(context, files, key)) for key in context.recipe.split.group_by}
    clusters = context.dataset.read(DUPLICATES).select("image_id", "cluster_id").unique()
    tied = files.join(clusters, on="image_id").select("image_id", "split", value="cluster_id")
    found["copies"] = _count(tied)
    pairs = context.dataset.read(PAIRS).filter(verified="blocks").with_row_index("value")
    ends = pl.concat([pairs.select("value", "relation", pl.col(end).alias("image_id")) for end in _ENDS])
    ends = ends.join(files.select("image_id", "split").unique(), on="image_id")
    for relation in ("overlapping", "probably overlapping"):
        found[relation] = _count(ends.filter(relation=relation))
    return found


_ENDS = ("image_id", "other_id")


def say_ties(ties: dict[str, dict[str, int]]) -> str:
    """The counts as a sentence for the card."""
    shown = ", ".join(f"{name} {count['ties']:,}" for name, count in ties.items())
    torn = [f"{name} {count['across_splits']:,}" for name, count in ties.items() if count["across_splits"]]
    across = f"Across splits: {', '.join(torn)}." if torn else "None of them lies across splits."
    return f"What ties images to each other: {shown}. {across} `certificate.json` says the same for programs."


def write_certificate(context: Context, selection: Selection) -> None:
    """Write the certificate of all exports that are there.

    Args:
        context: The recipe, and where the dataset lies.
        selection: What was exported.
    """
    exports = context.dataset.exports
    exports.mkdir(parents=True, exist_ok=True)
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    write_atomically(
        exports / "certificate.json", orjson.dumps(_certificate(context, selection), option=options)
    )


def _certificate(context: Context, selection: Selection) -> dict[str, Any]:
    images = selection.images.select("image_id", "split", "group_id", "parent_id")
    labels = selection.annotations.join(images.select("image_id", "split"), on="image_id")
    counts = {row[:2]: row[2] for row in labels.group_by("split", "label").len().iter_rows()}
    groups = images.filter(pl.col("parent_id").is_null()).group_by("group_id").len().sort("len", "group_id")
    sizes = dict(images.group_by("split").len().iter_rows())
    largest = groups.tail(1).rows()
    return {
        "dataset": selection.dataset,
        "splits": {
            split: {
                "images": sizes.get(split, 0),
                "labels": {name: counts.get((split, name), 0) for name in selection.classes},
            }
            for split in selection.splits
        },
        "groups": {
            "count": groups.height,
            "largest": {"name": largest[0][0], "images": largest[0][1]} if largest else None,
        },
        "ties": count_ties(context),
        "files": _hashes(context.dataset.exports),
    }


def _files(context: Context) -> pl.DataFrame:
    """Every file of an image that has a split, and those of the copies that it represents."""
    splits = context.dataset.read(SPLITS).filter(pl.col("split").is_not_null()).select("image_id", "split")
    files = represented_files(context.dataset)
    return files.join(splits, left_on="representative", right_on="image_id").drop("representative")


def _keyed(context: Context, files: pl.DataFrame, key: str) -> pl.DataFrame:
    values = context.recipe.key_values(key, files.select("source", "path").iter_rows())
    return files.with_columns(value=pl.Series(values, dtype=pl.String)).drop_nulls("value")


def _count(tied: pl.DataFrame) -> dict[str, int]:
    values = tied.group_by("value").agg(pl.col("image_id").n_unique(), mixed=_MIXED)
    values = values.filter(pl.col("image_id") > 1)
    return {"ties": values.height, "across_splits": int(values["mixed"].sum())}


def _hashes(exports: Path) -> dict[str, str]:
    """SHA-256 of the exported files but those of one image each, by path."""
    files = sorted(
        path
        for path in exports.rglob("*")
        if path.is_file()
        and path.suffix.lower() not in _IMAGES
        and not any(part.startswith(".") for part in path.relative_to(exports).parts)
        and path.name != "certificate.json"
    )
    with ThreadPoolExecutor() as pool:
        names = [path.relative_to(exports).as_posix() for path in files]
        return dict(zip(names, pool.map(_hash, files), strict=True))


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
