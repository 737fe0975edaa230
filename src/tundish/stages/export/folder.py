"""A folder of exported image files that follows the data: new ones written, stale ones removed, others left.

How it knows: ``images.parquet`` beside the folder lists every file with the image it holds and its size. A
file is left alone where the list and the disk agree. Before anything changes, the list is cut down to those
files, so the next export repairs one that was killed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tundish.formats.base import Placed
from tundish.stages.export.images import Job, write_files
from tundish.storage.table import write_parquet

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.stages.base import Context

__all__ = ["place_images", "remove_others"]

_LIST = pa.schema(
    [
        pa.field("file", pa.string(), metadata={"description": "relative to images/"}),
        pa.field("image_id", pa.string(), metadata={"description": "of the bytes taken in"}),
        pa.field(
            "orientation", pa.int32(), metadata={"description": "EXIF; where not 1, written upright as PNG"}
        ),
        pa.field("size", pa.int64(), metadata={"description": "of the file", "unit": "byte"}),
        pa.field("split", pa.string()),
        pa.field("group_id", pa.string()),
        pa.field("source", pa.string()),
        pa.field("path", pa.string(), metadata={"description": "of the file taken in, or of the parent's"}),
        pa.field(
            "parent_id", pa.string(), metadata={"description": "image_id of the image it was made from"}
        ),
    ]
)


def place_images(context: Context, images: pl.DataFrame, folder: Path) -> Placed:
    """Make ``folder/images/<split>/<file_name>`` hold exactly `images`.

    Args:
        context: Where the dataset lies, and who does the work.
        images: Rows as in `Selection.images`.
        folder: The format's folder in ``exports/``.
    """
    root, listing = folder / "images", folder / "images.parquet"
    wanted = images.with_columns(file=pl.format("{}/{}", "split", "file_name")).sort("file")
    removed = remove_others(root, set(wanted["file"]))
    on_disk = _on_disk(root)
    before = _read(listing)
    same = wanted.join(before, on=["file", "image_id", "orientation"], how="inner", maintain_order="left")
    left = same.filter(
        pl.Series(
            [on_disk.get(file) == size for file, size in same.select("file", "size").iter_rows()],
            dtype=pl.Boolean,
        )
    )
    missing = wanted.join(left, on="file", how="anti", maintain_order="left")
    if removed or missing.height or before.height != left.height:
        _write(left, listing)
    sizes = _write_missing(context, missing, root)
    rows = pl.concat([left, missing.with_columns(_sizes(missing, sizes)).select(left.columns)])
    _write(rows.sort("file"), listing)
    return Placed(missing.height, left.height, removed)


def _sizes(missing: pl.DataFrame, sizes: dict[str, int]) -> pl.Series:
    return pl.Series("size", [sizes[image_id] for image_id in missing["image_id"]], pl.Int64)


def _write_missing(context: Context, missing: pl.DataFrame, root: Path) -> dict[str, int]:
    jobs = [
        Job(
            context.dataset.root / str(shard),
            {row["image_id"]: (root / row["file"], row["orientation"]) for row in rows.iter_rows(named=True)},
        )
        for (shard,), rows in missing.group_by("shard", maintain_order=True)
    ]
    sizes: dict[str, int] = {}
    for written in context.engine.map(write_files, jobs):
        sizes |= written
        context.progress(len(sizes), missing.height)
    return sizes


def _read(listing: Path) -> pl.DataFrame:
    columns = ["file", "image_id", "orientation", "size"]
    try:
        with pq.ParquetFile(listing) as file:
            table = file.read(columns=columns).select(columns)
    except (FileNotFoundError, KeyError, pa.ArrowInvalid):
        table = pa.schema([_LIST.field(name) for name in columns]).empty_table()
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _write(rows: pl.DataFrame, listing: Path) -> None:
    write_parquet(rows.select(_LIST.names).to_arrow().cast(_LIST), listing)


def _on_disk(root: Path) -> dict[str, int]:
    """Size of every file below `root`, by its path relative to it."""
    sizes: dict[str, int] = {}
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        for entry in entries:
            name = f"{folder}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                folders.append(f"{name}/")
            else:
                sizes[name] = entry.stat(follow_symlinks=False).st_size
    return sizes


def remove_others(root: Path, wanted: set[str]) -> int:
    """Remove all files below `root` but the wanted ones, named relative to it, and all empty folders.

    Returns:
        How many files were removed.
    """
    files = set(_on_disk(root)) - wanted
    for file in files:
        (root / file).unlink()
    for folder, _, _ in os.walk(root, topdown=False):
        if not os.listdir(folder):  # noqa: PTH208  (os.walk hands out text)
            os.rmdir(folder)  # noqa: PTH106
    return len(files)
