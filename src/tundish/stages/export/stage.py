"""export: what trainers read, made from the tables and the stored bytes alone.

Only images that have a split go in, with the valid labels of exactly that file; to train also the images
derived from training images. The same tables give the same bytes.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tundish.errors import UsageError
from tundish.formats.registry import check_writer, load_writer, plugin_faults
from tundish.stages.base import Context, Outcome, Stage
from tundish.stages.export.records import FOLDER as RECORDS
from tundish.stages.export.records import export_records
from tundish.stages.export.selection import select
from tundish.stages.export.target import open_target
from tundish.storage.receipts import begin_export, end_export

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tundish.formats.base import Selection

__all__ = ["STAGE", "export_one"]


def export_one(context: Context, form: str) -> Outcome:
    """Write ``exports/<form>`` now, whether or not the recipe names it.

    Args:
        context: The recipe, and where the dataset lies.
        form: Name of a format.

    Raises:
        MissingStepError: An earlier stage has not run.
        UsageError: The format is unknown, or cannot be written.
    """
    check_writer(form)
    selection = select(context)
    counts = _counts(selection) | _write(context, selection, form)
    end_export(context.dataset, [form])
    return Outcome(counts)


def _run(context: Context) -> Outcome:
    selection = select(context)
    counts = _counts(selection)
    for form in context.recipe.export.formats:
        counts |= _write(context, selection, form)
    notes = [*_tidied(context, context.recipe.export.formats), *(str(fault) for fault in plugin_faults())]
    begin_export(context.dataset, RECORDS)
    counts |= export_records(context)
    end_export(context.dataset, [*context.recipe.export.formats, RECORDS])
    return Outcome(counts, notes)


def _write(context: Context, selection: Selection, form: str) -> dict[str, int]:
    begin_export(context.dataset, form)
    with open_target(context, form) as target:
        return dict(load_writer(form).write(selection, target))


def _tidied(context: Context, wanted: Collection[str]) -> Iterator[str]:
    """Remove exports that the recipe no longer names: they would show the splits of another day."""
    for folder in sorted(context.dataset.exports.glob("*")):
        name = folder.name
        if not folder.is_dir() or name.startswith(".") or name in wanted or name == RECORDS:
            continue
        try:
            check_writer(name)
        except UsageError:
            yield f"exports/{name} was left as it is: no format of this name can be written"
        else:
            shutil.rmtree(folder)
            yield f"exports/{name} was removed: the recipe's export.formats does not name it"


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
