"""export: what trainers read, made from the tables and the stored bytes alone.

Only images that have a split go in, with the valid labels of exactly that file; to train also the images
derived from training images. The same tables give the same bytes.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tundish.stages.base import Context, Outcome, Stage
from tundish.stages.export.coco import export_coco
from tundish.stages.export.parquet import export_parquet
from tundish.stages.export.records import export_records
from tundish.stages.export.selection import Selection, select
from tundish.stages.export.yolo import export_yolo

if TYPE_CHECKING:
    from collections.abc import Callable

    from tundish.recipe.sections import ExportName

__all__ = ["STAGE", "export_one"]

_WRITERS: dict[ExportName, Callable[[Context, Selection], dict[str, int]]] = {
    "parquet": export_parquet,
    "coco": export_coco,
    "yolo": export_yolo,
}


def export_one(context: Context, form: ExportName) -> Outcome:
    """Write ``exports/<form>`` now, whether or not the recipe names it.

    Raises:
        MissingStepError: A stage before has not run.
    """
    selection = select(context)
    return Outcome(_counts(selection) | _WRITERS[form](context, selection))


def _run(context: Context) -> Outcome:
    selection = select(context)
    counts = _counts(selection)
    for form in context.recipe.export.formats:
        counts |= _WRITERS[form](context, selection)
    notes = []
    for form in sorted(set(_WRITERS) - set(context.recipe.export.formats)):
        folder = context.dataset.exports / form
        if folder.exists():  # it would show the splits of another day
            shutil.rmtree(folder)
            notes.append(f"exports/{form} was removed: the recipe's export.formats does not name it")
    return Outcome(counts | export_records(context), notes)


def _counts(selection: Selection) -> dict[str, int]:
    by_split = dict(selection.images.group_by("split").len().iter_rows())
    counts = {f"{split} images": by_split.get(split, 0) for split in selection.splits}
    return counts | {"labels": selection.annotations.height}


STAGE = Stage(
    name="export",
    reads=(
        "store",
        "curated/images.parquet",
        "curated/consensus.parquet",
        "curated/standing.parquet",
        "curated/quarantine.parquet",
        "curated/records",
        "curated/record_files.parquet",
        "curated/links.parquet",
        "curated/splits.parquet",
        "curated/lineage.parquet",
        "augmented",
    ),
    writes=("exports",),
    depends=("records", "annotations", "link", "split", "export"),
    run=_run,
    persist=("exports",),
)
