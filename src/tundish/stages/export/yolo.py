"""Export as YOLO in the layout of Ultralytics: ``data.yaml``, ``images/<split>/`` and ``labels/<split>/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tundish.formats.names import file_names, with_suffix
from tundish.formats.yolo.write import write_yolo
from tundish.stages.export.folder import remove_others, sync_images, write_changed

if TYPE_CHECKING:
    from tundish.stages.base import Context
    from tundish.stages.export.selection import Selection

__all__ = ["export_yolo"]


def export_yolo(context: Context, selection: Selection) -> dict[str, int]:
    """Bring ``exports/yolo`` up to date; returns counts.

    To YOLO an image without labels is a negative, so images that are not labelled stay out. Polygons are
    written to segment where all labels are polygons, else as their boxes to detect.
    """
    folder = context.dataset.exports / "yolo"
    images = _flat(selection.images.filter(pl.col("state") != "unlabelled"))
    synced = sync_images(context, images, folder)
    names = dict(images.select("image_id", pl.format("{}/{}", "split", "file_name")).iter_rows())
    labels = selection.annotations.join(images, on="image_id", how="semi", maintain_order="left")
    segment = labels.height > 0 and (labels["shape"] == "polygon").all()
    files, left_out = write_yolo(
        images, labels, selection.classes, file_names=names, task="segment" if segment else "detect"
    )
    for path, data in files.items():
        write_changed(folder / path, data)
    remove_others(folder / "labels", {path.removeprefix("labels/") for path in files})
    return {
        "YOLO images written": synced.written,
        "YOLO images left as they were": synced.left,
        "YOLO images removed": synced.removed,
        "labels that YOLO cannot say": len(left_out),
    }


def _flat(images: pl.DataFrame) -> pl.DataFrame:
    """`images` with names without folders, whose stems differ.

    Ultralytics finds a label by its image's path: it looks for the last ``/images/``, which may be one of the
    source's folders, and leaves out the suffix.
    """
    flat = [name.replace("/", "_") for name in images["file_name"]]
    wanted = [
        f"{split}/{with_suffix(name, '.txt')}" for split, name in zip(images["split"], flat, strict=True)
    ]
    unique = [name.partition("/")[2] for name in file_names(wanted, images["image_id"].to_list())]
    suffixes = [f".{name.rpartition('.')[2]}" for name in flat]
    names = [with_suffix(name, suffix) for name, suffix in zip(unique, suffixes, strict=True)]
    return images.with_columns(pl.Series("file_name", names, pl.String))
