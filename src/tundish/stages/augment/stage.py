"""augment: derived training images, made after the split and from training images only.

Children are packed into ``augmented/``, in one part per shard of parents, whose name depends on all that
determines it: parents that did not change are not processed again. Beside the shards are
``annotations.parquet`` (labels that were kept, in the columns of `annotations`) and ``dropped.parquet``
(labels that were not, and why, in the columns of `quarantine`); `lineage` records how to reproduce each
child.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tundish.imaging.operations import parse_operations
from tundish.stages.augment.shard import Job, make_children, part_paths
from tundish.stages.base import Context, Outcome, Stage
from tundish.storage.shards import shard_paths
from tundish.storage.tables import ANNOTATIONS, CONSENSUS, IMAGES, LINEAGE, QUARANTINE, SPLITS

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.storage.table import Table

__all__ = ["STAGE"]

_TABLES = {"annotations": ANNOTATIONS, "dropped": QUARANTINE, "lineage": LINEAGE}


def _run(context: Context) -> Outcome:
    jobs = _jobs(context)
    total = sum(job.parents.height for job in jobs)
    done = 0
    context.progress(done, total)
    for count in context.engine.map(make_children, jobs):
        done += count
        context.progress(done, total)
    keys = [job.key for job in jobs]
    gathered = {
        name: _gather(context.dataset.augmented, keys, name, table) for name, table in _TABLES.items()
    }
    ANNOTATIONS.write(gathered["annotations"], context.dataset.augmented / "annotations.parquet")
    QUARANTINE.write(gathered["dropped"], context.dataset.augmented / "dropped.parquet")
    context.dataset.write(LINEAGE, gathered["lineage"])
    _sweep(context.dataset.augmented, keys)
    return _outcome(total, gathered)


def _jobs(context: Context) -> list[Job]:
    """One job for each shard of the store with training images, shards by name, parents by image_id."""
    section = context.recipe.augment
    operations = parse_operations(section.operations)
    if not section.copies or not operations:
        return []
    splits = context.dataset.read(SPLITS).filter(pl.col("split") == "train")
    shards = context.dataset.read(IMAGES).select("image_id", "shard")
    parents = splits.join(shards, on="image_id", how="left", validate="1:1").sort("shard", "image_id")
    labels = _labels(context, parents).partition_by("shard", as_dict=True)
    return [
        Job(
            shard=context.dataset.image_shards / f"{shard}.parquet",
            folder=context.dataset.augmented,
            parents=group.select("image_id", "source", "path"),
            labels=labels[shard,].drop("shard") if (shard,) in labels else ANNOTATIONS.empty(),
            operations=operations,
            copies=section.copies,
            seed=section.seed,
            max_pixels=context.recipe.images.max_pixels,
        )
        for (shard,), group in parents.group_by("shard", maintain_order=True)
    ]


def _labels(context: Context, parents: pl.DataFrame) -> pl.DataFrame:
    """Valid labels of exactly the files that have the split, with the shard of their image."""
    labels = context.dataset.read(CONSENSUS).select(ANNOTATIONS.schema.names)
    files = parents.select("image_id", "source", "path", "shard")
    return labels.join(files, on=["image_id", "source", "path"], how="inner", maintain_order="left")


def _gather(folder: Path, keys: list[str], name: str, table: Table) -> pl.DataFrame:
    return pl.concat([table.empty(), *(table.read(part_paths(folder, key)[name]) for key in keys)])


def _sweep(folder: Path, keys: list[str]) -> None:
    """Remove the parts of parents, recipes and versions that no longer exist."""
    wanted = set(keys)
    tables = {"annotations", "dropped"}
    for path in shard_paths(folder):
        if path.stem not in tables and path.stem.partition("-")[0] not in wanted:
            path.unlink()
    for path in shard_paths(folder / "parts"):
        if path.name.partition(".")[0] not in wanted:
            path.unlink()


def _outcome(parents: int, gathered: dict[str, pl.DataFrame]) -> Outcome:
    dropped = gathered["dropped"]
    counts = {
        "training images": parents,
        "derived images": gathered["lineage"].height,
        "labels that followed": gathered["annotations"].height,
        "labels dropped": dropped.filter(pl.col("kind") == "annotation").height,
    }
    notes = [
        f"{count} dropped: {check}"
        for check, count in dropped.group_by("check").len().sort("check").iter_rows()
    ]
    return Outcome(counts, notes)


STAGE = Stage(
    name="augment",
    reads=("store", "curated/images.parquet", "curated/consensus.parquet", "curated/splits.parquet"),
    writes=("augmented", "curated/lineage.parquet"),
    depends=("augment",),
    run=_run,
    persist=("augmented",),
)
