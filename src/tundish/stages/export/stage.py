"""export: what trainers read, made from the tables and the stored bytes alone.

Only images that have a split go in, with the valid labels of exactly that file; to train also the images
derived from training images. The same tables give the same bytes.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tundish.errors import UsageError
from tundish.formats.registry import check_writer, load_format, load_writer, plugin_faults
from tundish.stages.base import Context, Outcome, Stage
from tundish.stages.export.certificate import write_certificate
from tundish.stages.export.present import check_pictures, check_tables
from tundish.stages.export.records import FOLDER as RECORDS
from tundish.stages.export.records import export_records
from tundish.stages.export.selection import select
from tundish.stages.export.target import open_target
from tundish.storage.receipts import begin_export, end_export

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

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
    selection = _select(context)
    counts, notes, written = _write(context, selection, [form])
    end_export(context.dataset, written)
    write_certificate(context, selection)
    return Outcome(_counts(selection) | counts, notes)


def _run(context: Context) -> Outcome:
    selection = _select(context)
    counts, notes, written = _write(context, selection, context.recipe.export.formats)
    notes += [*_tidied(context, context.recipe.export.formats), *(str(fault) for fault in plugin_faults())]
    begin_export(context.dataset, RECORDS)
    counts |= export_records(context)
    end_export(context.dataset, [*written, RECORDS])
    write_certificate(context, selection)
    return Outcome(_counts(selection) | counts, notes)


def _select(context: Context) -> Selection:
    """What is exported, once all that it needs is known to be there."""
    selection = select(context)
    check_tables(context)
    check_pictures(context, selection)
    return selection


def _write(
    context: Context, selection: Selection, forms: Iterable[str]
) -> tuple[dict[str, int], list[str], list[str]]:
    """Write the exports in these formats; counts, notes, and the formats that were written."""
    counts: dict[str, int] = {}
    notes, written = [], []
    for form in forms:
        nothing = load_format(form).nothing
        why = None if nothing is None else nothing(selection)
        if why is not None:
            notes.append(_not_written(context, form, why))
            continue
        begin_export(context.dataset, form)
        with open_target(context, form) as target:
            counts |= load_writer(form).write(selection, target)
        written.append(form)
    return counts, notes, written


def _not_written(context: Context, form: str, why: str) -> str:
    note = f"there is nothing to write for exports/{form}: {why}"
    if (context.dataset.exports / form).is_dir():
        note += f"; what exports/{form} holds is of an earlier run"
    return note


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
        "curated/targets.parquet",
        "curated/quarantine.parquet",
        "curated/records",
        "curated/record_files.parquet",
        "curated/links.parquet",
        # coverage, duplicates and pairs: what ties images, for the certificate
        "curated/coverage.parquet",
        "curated/duplicates.parquet",
        "curated/pairs.parquet",
        "curated/splits.parquet",
        "curated/accepted.parquet",
        "curated/lineage.parquet",
        "augmented",
    ),
    writes=("exports",),
    depends=("sources", "records", "annotations", "link", "split", "export"),
    run=_run,
    persist=("exports",),
)
