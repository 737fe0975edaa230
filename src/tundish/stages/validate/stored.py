"""The stored files of a source that validate reads: labels, classes, lists and tables about images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import SourceError
from tundish.formats.base import Catalog, ImageRef
from tundish.storage.shards import image_id_of, read_blobs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tundish.stages.base import Context

__all__ = ["catalog_of_source", "read_facts", "stored_files"]


def catalog_of_source(good: pl.DataFrame, source: str) -> Catalog:
    """The valid images of a source.

    Args:
        good: Valid image files: source, path, image_id, width, height (px, upright), orientation.
        source: The name of the source.
    """
    mine = good.filter(pl.col("source") == source).sort("path")
    columns = mine.select("path", "image_id", "width", "height", "orientation")
    return Catalog(ImageRef(*row) for row in columns.iter_rows())


def read_facts(
    context: Context, files: pl.DataFrame, source: str, wanted: Collection[str], *, named_by: str
) -> Iterator[tuple[str, bytes]]:
    """Path and bytes, as `stored_files`, of files about images that the recipe names.

    Args:
        context: Where the dataset is.
        files: The newest rows of the files table.
        source: The name of the source.
        wanted: Paths of files, relative to the source.
        named_by: What in the recipe names them, for people.

    Raises:
        SourceError: The source does not have one of them.
    """
    stored = files.filter(
        (pl.col("source") == source)
        & pl.col("path").is_in(list(wanted))
        & pl.col("kind").is_in(["annotation", "classes", "facts"])
        & (pl.col("outcome") == "accepted")
    )
    if missing := sorted(set(wanted) - set(stored["path"])):
        raise SourceError(
            f"{named_by} names the file '{missing[0]}', which the source does not have",
            where=source,
            fix="fix its path in the recipe, or put the file into the source and run 'tundish ingest'",
        )
    yield from stored_files(context, stored)


def stored_files(context: Context, wanted: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of files in path order; they are small compared with images, so all are read at once.

    Args:
        context: Where the dataset is.
        wanted: Rows of the files table.
    """
    blobs: dict[str, bytes] = {}
    for shard, group in wanted.group_by("shard"):
        ids = [image_id_of(sha) for sha in group["sha256"]]
        path = context.dataset.label_shards / f"{shard[0]}.parquet"
        blobs |= {blob.id: blob.data for blob in read_blobs(path, ids)}
    for done, (path, sha) in enumerate(wanted.sort("path").select("path", "sha256").iter_rows()):
        context.progress(done, wanted.height)
        yield path, blobs[image_id_of(sha)]
