"""What an export needs is there, before anything of an earlier export is touched.

A shard or a table that is missing does not empty an export: it is an error that names it and says how
to bring it back, and the export stays as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.errors import MissingStepError, OutsideError
from tundish.stages.split.guard import guard_against_losses
from tundish.storage.accepted import ACCEPTED
from tundish.storage.shards import is_whole
from tundish.storage.tables import LINEAGE

if TYPE_CHECKING:
    from tundish.formats.base import Selection
    from tundish.stages.base import Context

__all__ = ["check_pictures", "check_tables"]


def check_tables(context: Context) -> None:
    """Check what `select` does not: tables that may be missing where they were never needed.

    Raises:
        MissingStepError: A table is missing.
        GateError: The labels are not those that the splits were made for, and much of them is lost.
    """
    dataset, recipe = context.dataset, context.recipe
    if recipe.augment.copies:
        dataset.read(LINEAGE)
    for name in recipe.records:
        path = dataset.table(name, dataset.records)
        if not path.exists():
            raise MissingStepError(
                f"there is no table of the records '{name}'",
                where=str(path),
                fix=f"bring it back with 'dvc checkout', or run 'tundish records {recipe.dataset}' first",
            )
    if dataset.has(ACCEPTED):
        guard_against_losses(context)


def check_pictures(context: Context, selection: Selection) -> None:
    """Check that the shards of all pictures are there.

    Raises:
        OutsideError: A shard is missing.
    """
    root = context.dataset.root
    wanted = selection.images["shard"].value_counts().sort("shard")
    missing = [row for row in wanted.iter_rows() if row[0] is None or not is_whole(root / row[0])]
    if missing:
        shard, _ = missing[0]
        images = sum(count for _, count in missing)
        raise OutsideError(
            f"{len(missing):,} of {wanted.height:,} shards of pictures are missing or damaged, with"
            f" {images:,} images; nothing was exported, and earlier exports are as they were",
            where=str(root / shard) if shard else str(root),
            fix="bring them back with 'dvc checkout' or 'dvc pull', or put the files back to their source and"
            f" run 'tundish run {context.recipe.dataset}'",
        )
