"""Make the children of the parents in one shard: each parent is decoded once for all its copies."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal

from tundish.engine import each
from tundish.imaging.augment import Plan, apply, generator, plan
from tundish.imaging.augment_labels import Region, apply_labels
from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.decode import decode, encode
from tundish.storage.quarantine import quarantine_frame, quarantine_row
from tundish.storage.shards import SHARD_BYTES, Blob, image_id_of, read_blobs, write_shard
from tundish.storage.tables import ANNOTATIONS, LINEAGE, QUARANTINE
from tundish.storage.versions import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import polars as pl

    from tundish.imaging.augment_labels import Followed
    from tundish.imaging.operations import Operation

__all__ = ["Job", "make_children", "part_paths"]

_JPEG = b"\xff\xd8\xff"
_QUALITY = 95

Row = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """Everything that determines the children of the parents in one shard.

    Args:
        shard: The shard of the store with the parents.
        folder: The folder for the children.
        parents: image_id, source and path, sorted by image_id.
        labels: Their valid labels in the columns of ANNOTATIONS, in that table's order.
        operations: The operations that may be applied.
        copies: The number of children of each parent.
        seed: The seed of the recipe.
        max_pixels: Larger parents are not decoded.
    """

    shard: Path
    folder: Path
    parents: pl.DataFrame
    labels: pl.DataFrame
    operations: tuple[Operation, ...]
    copies: int
    seed: int
    max_pixels: int

    @cached_property
    def key(self) -> str:
        """The name of the result; it changes with anything that determines the result."""
        operations = [[one.name, one.p, dict(one.options)] for one in self.operations]
        settings = json.dumps([VERSIONS["augment"], operations, self.copies, self.seed], sort_keys=True)
        digest = hashlib.sha256(settings.encode())
        digest.update(self.parents.write_ndjson().encode())
        digest.update(self.labels.write_ndjson().encode())
        return digest.hexdigest()[:16]


@dataclass(frozen=True)
class _Parent:
    """The file of a training image and its labels."""

    image_id: str
    source: str
    path: str
    labels: list[Row]


@dataclass(frozen=True)
class _Child:
    blob: Blob
    lineage: Row
    labels: list[Row]
    dropped: list[Row]


def part_paths(folder: Path, key: str) -> dict[str, Path]:
    """The paths of the tables with the children of one shard, by name."""
    return {
        name: folder / "parts" / f"{key}.{name}.parquet" for name in ("annotations", "dropped", "lineage")
    }


def make_children(job: Job) -> int:
    """Make the children of one shard, unless they exist; return the number of parents."""
    paths = part_paths(job.folder, job.key)
    if paths["lineage"].exists():
        return job.parents.height
    parents = _parents(job)
    children = each(partial(_make_copies, job, parents), read_blobs(job.shard, parents))
    rows = _pack(job, children)
    ANNOTATIONS.write(ANNOTATIONS.frame(rows["annotations"]), paths["annotations"])
    QUARANTINE.write(quarantine_frame(rows["dropped"]), paths["dropped"])
    # Written last: while it is missing, the part is incomplete.
    LINEAGE.write(LINEAGE.frame(rows["lineage"]), paths["lineage"])
    return job.parents.height


def _parents(job: Job) -> dict[str, _Parent]:
    rows = job.parents.select("image_id", "source", "path").iter_rows()
    parents = {image_id: _Parent(image_id, source, path, []) for image_id, source, path in rows}
    for label in job.labels.iter_rows(named=True):
        parents[label["image_id"]].labels.append(label)
    return parents


def _pack(job: Job, made: Iterable[tuple[list[_Child], list[Row]]]) -> dict[str, list[Row]]:
    """Pack the children into shards of the usual size; return the rows of each table."""
    rows: dict[str, list[Row]] = {"annotations": [], "dropped": [], "lineage": []}
    packed: list[Blob] = []
    size = shards = 0
    for children, faults in made:
        rows["dropped"] += faults
        for child in children:
            if packed and size + len(child.blob.data) > SHARD_BYTES:
                write_shard(job.folder, packed, name=f"{job.key}-{shards}")
                packed, size, shards = [], 0, shards + 1
            packed.append(child.blob)
            size += len(child.blob.data)
            rows["lineage"].append(child.lineage | {"shard": f"{job.key}-{shards}"})
            rows["annotations"] += child.labels
            rows["dropped"] += child.dropped
    if packed:
        write_shard(job.folder, packed, name=f"{job.key}-{shards}")
    return rows


def _make_copies(job: Job, parents: dict[str, _Parent], blob: Blob) -> tuple[list[_Child], list[Row]]:
    """Make the copies of one parent; or a row with the fault where it can no longer be decoded."""
    parent, data = parents[blob.id], blob.data
    try:
        image = decode(data, max_pixels=job.max_pixels)
    except BadImage as fault:
        return [], [_image_row(parent, blob.id, fault.reason, fault.message, "error")]
    kind: Literal["jpeg", "png"] = "jpeg" if data[:3] == _JPEG else "png"
    made: dict[str, _Child] = {}
    faults: list[Row] = []
    for copy in range(job.copies):
        drawn = plan(job.operations, image.shape[1], image.shape[0], generator(job.seed, blob.id, copy))
        child_bytes = encode(apply(drawn, image), kind, _QUALITY)
        child_id = image_id_of(hashlib.sha256(child_bytes).hexdigest())
        # With few operations and many copies the same plan may be drawn twice.
        if child_id != blob.id and child_id not in made:
            seed = f"{job.seed}:{blob.id}:{copy}"
            child = _make_child(parent, drawn, Blob(child_id, child_bytes), seed)
            if child.labels or not parent.labels:
                made[child_id] = child
            else:
                faults += [*child.dropped, _left_out(parent, child_id)]
    return list(made.values()), faults


def _left_out(parent: _Parent, child_id: str) -> Row:
    """Report a child that lost all labels: it is not a negative, as a sliver of the defect may still show."""
    message = "no label is left in this derived image, so it was discarded"
    return _image_row(parent, child_id, "augment_no_label_left", message, "warning")


def _image_row(parent: _Parent, image_id: str, check: str, message: str, severity: str) -> Row:
    return quarantine_row(
        "image",
        check,
        message,
        source=parent.source,
        path=parent.path,
        object_id=image_id,
        column=None,
        value=None,
        severity=severity,
        count=None,
    )


def _make_child(parent: _Parent, drawn: Plan, blob: Blob, seed: str) -> _Child:
    followed = apply_labels(drawn, [_region(row) for row in parent.labels])
    labels, dropped = [], []
    for row, answer in zip(parent.labels, followed, strict=True):
        if answer.region is None:
            dropped.append(_dropped_row(row, blob.id, answer))
        else:
            labels.append(_label_row(row, blob.id, answer.region))
    lineage = {
        "image_id": blob.id,
        "parent_id": parent.image_id,
        "operation": drawn.operation,
        "parameters": drawn.to_json(),
        "seed": seed,
        "step_version": VERSIONS["augment"],
        "dropped": len(dropped),
    }
    return _Child(blob, lineage, labels, dropped)


def _region(row: Row) -> Region:
    if row["shape"] == "class":
        return Region()
    box = (row["x"], row["y"], row["width"], row["height"])
    return Region(box, row["segmentation"] or (), row["rle"])


def _label_row(row: Row, child_id: str, region: Region) -> Row:
    name = hashlib.sha256(f"{child_id}:{row['annotation_id']}".encode()).hexdigest()[:32]
    moved = row | {"annotation_id": name, "image_id": child_id}
    if region.box is None:
        return moved
    x, y, width, height = region.box
    polygon = [list(ring) for ring in region.polygon] or None
    return moved | {
        "x": x, "y": y, "width": width, "height": height, "segmentation": polygon, "rle": region.counts
    }  # fmt: skip


def _dropped_row(row: Row, child_id: str, answer: Followed) -> Row:
    return quarantine_row(
        "annotation",
        f"augment_{answer.check}",
        f"in the derived image {child_id} {answer.reason}",
        source=row["source"],
        path=row["path"],
        object_id=row["annotation_id"],
        row=row["label_row"],
        column="visible",
        value=f"{answer.visible:.4f}",
        severity="warning",
        count=None,
    )
