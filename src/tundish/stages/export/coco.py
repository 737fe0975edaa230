"""Export as COCO: ``annotations/instances_<split>.json`` and the image files beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tundish.formats.coco.write import write_coco
from tundish.stages.export.folder import remove_others, sync_images, write_changed

if TYPE_CHECKING:
    from tundish.stages.base import Context
    from tundish.stages.export.selection import Selection

__all__ = ["export_coco"]


def export_coco(context: Context, selection: Selection) -> dict[str, int]:
    """Bring ``exports/coco`` up to date; returns counts.

    A COCO file cannot tell an image that is not labelled from one that shows nothing. Images that are not
    labelled stand in ``image_info_<split>.json``, which has no annotations, as COCO has it for its test sets.
    """
    folder = context.dataset.exports / "coco"
    synced = sync_images(context, selection.images, folder)
    written = {}
    for split in selection.splits:
        images, labels = selection.of(split)
        unlabelled = pl.col("state") == "unlabelled"
        known, unknown = images.filter(~unlabelled), images.filter(unlabelled)
        written[f"instances_{split}.json"] = _json(selection, known, labels)
        if unknown.height:
            written[f"image_info_{split}.json"] = _json(selection, unknown, labels.clear())
    for name, data in written.items():
        write_changed(folder / "annotations" / name, data)
    remove_others(folder / "annotations", set(written))
    return {
        "COCO images written": synced.written,
        "COCO images left as they were": synced.left,
        "COCO images removed": synced.removed,
    }


def _json(selection: Selection, images: pl.DataFrame, labels: pl.DataFrame) -> bytes:
    names = dict(images.select("image_id", "file_name").iter_rows())
    attributes = (*selection.keys, *selection.carried)
    return write_coco(images, labels, selection.classes, file_names=names, attributes=attributes)
