"""measure: decode every new image once, and store the measurements.

One file of features per shard, named by the shard and the version of the step: a known shard is never decoded
again.
An image that cannot be decoded is a row with its reason, not an exception.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from tundish.engine import each
from tundish.imaging.files.bad import BadImage
from tundish.imaging.measure import measure
from tundish.stages.base import Context, Outcome, Stage
from tundish.storage.features import feature_part
from tundish.storage.shards import Blob, read_blobs, shard_length, shard_paths
from tundish.storage.tables import FEATURES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

__all__ = ["STAGE"]

_GROUP_ROWS = 1024
"""Rows per row group: their thumbnails are 10 MB, and a shard of small images has tens of thousands."""


@dataclass(frozen=True)
class _Job:
    """One shard to measure; picklable, as it may run on another machine."""

    shard: Path
    part: Path
    max_pixels: int


def _run(context: Context) -> Outcome:
    context.dataset.features.mkdir(parents=True, exist_ok=True)
    shards = shard_paths(context.dataset.image_shards)
    parts = {
        feature_part(context.dataset, context.recipe.images.max_pixels, shard): shard for shard in shards
    }
    for stale in set(shard_paths(context.dataset.features)) - set(parts):
        stale.unlink()
    jobs = [
        _Job(shard, part, context.recipe.images.max_pixels)
        for part, shard in parts.items()
        if not part.exists()
    ]
    total = sum(shard_length(job.shard) for job in jobs)
    context.progress(0, total)
    decoded = bad = 0
    for images, faults in context.engine.map(_measure_shard, jobs):
        decoded += images
        bad += faults
        context.progress(decoded, total)
    return Outcome(
        {
            "images decoded": decoded,
            "not decodable": bad,
            "new shards": len(jobs),
            "known shards": len(shards) - len(jobs),
        }
    )


def _measure_shard(job: _Job) -> tuple[int, int]:
    """Measure one shard; return the number of its images and of those that cannot be decoded."""
    images = faults = 0

    def frames() -> Iterator[pl.DataFrame]:
        nonlocal images, faults
        rows = each(partial(_row, max_pixels=job.max_pixels), read_blobs(job.shard), ahead=16, batch=16)
        while some := list(islice(rows, _GROUP_ROWS)):
            images += len(some)
            faults += sum(not row["decodable"] for row in some)
            yield FEATURES.frame(some)

    FEATURES.write_groups(frames(), job.part)
    return images, faults


def _row(blob: Blob, max_pixels: int) -> dict[str, object]:
    try:
        measured = measure(blob.data, max_pixels=max_pixels)
    except BadImage as fault:
        return {"image_id": blob.id, "decodable": False, "reason": fault.reason, "message": fault.message}
    found = {field.name: getattr(measured, field.name) for field in fields(measured)}
    return {"image_id": blob.id, "decodable": True, **found, "gray_hash": measured.gray_hash.hex()}


STAGE = Stage(
    name="measure",
    reads=("store",),
    writes=("curated/features",),
    depends=("images",),
    run=_run,
    persist=("curated/features",),
)
