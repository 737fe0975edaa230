"""The guard before the splits: a run that would lose much stops and says what it would lose, and to what.

A run that passes, or whose losses were accepted, leaves behind what it accepted (the table `accepted`): the
next run is compared with that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import GateError
from tundish.stages.split.losses import Losses, accepted_now, losses_at_first, losses_since
from tundish.storage.accepted import ACCEPTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.stages.base import Context

__all__ = ["guard_against_losses"]

_EXAMPLES = 3
_MOST_CHECKS = 5
"""Checks that a sentence names; the quarantine table has them all."""


def guard_against_losses(context: Context) -> tuple[pl.DataFrame, list[str]]:
    """Judge the losses of this run by the recipe's guard.

    Args:
        context: The recipe, where the dataset lies, and whether losses are accepted.

    Returns:
        What this run accepts, to be kept as the table `accepted`; and a note on losses that were accepted.

    Raises:
        GateError: More would be lost than the guard allows, and it was not accepted.
    """
    now = accepted_now(context).sort(ACCEPTED.order, nulls_last=True)
    first = not context.dataset.has(ACCEPTED)
    if not first and now.equals(context.dataset.read(ACCEPTED)):
        return now, []
    losses = losses_at_first(context) if first else losses_since(context, now)
    found = list(_breaches(context, losses))
    if not found:
        return now, []
    if context.accept_losses:
        return now, [f"accepted by --accept-losses: {one}" for one in found]
    name = context.recipe.dataset
    raise GateError(
        f"the run would lose too much, and stopped before the splits: {'; '.join(found)}",
        where=name,
        fix=f"'tundish status {name}' and the table quarantine say more: correct the cause and run again;"
        f" or go on with 'tundish run {name} --accept-losses', or allow more in the recipe's section guard",
    )


def _breaches(context: Context, losses: Losses) -> Iterator[str]:
    """A clause for each limit of the guard that is passed."""
    guard = context.recipe.guard
    shares = (
        ("labels", guard.lost_labels, losses.labels, losses.label_total),
        ("image files", guard.lost_images, losses.images, losses.image_total),
    )
    for what, limit, rows, total in shares:
        lost = int(rows["count"].sum())
        if lost > limit * total and (lost >= guard.least or not limit or lost == total):
            share = f"{_percent(lost / total)}, where the guard allows {_percent(limit)}"
            yield f"{lost:,} of {total:,} {what} {losses.compared} ({share}), by {_by_check(rows)}"
    if len(losses.classes) > guard.emptied_classes:
        for name, rows in losses.classes.items():
            yield f"all labels of the class '{name}', by {_by_check(rows)}"


def _by_check(rows: pl.DataFrame) -> str:
    """How much each check took, the most first, with examples."""
    groups = (
        rows.sort("source", "path", maintain_order=True)
        .group_by("check", maintain_order=True)
        .agg(pl.col("count").sum(), pl.format("{}/{}", "source", "path").unique(maintain_order=True))
        .sort("count", "check", descending=[True, False])
    )
    told = [
        f"{check} {count:,} ({', '.join(paths[:_EXAMPLES])})"
        for check, count, paths in groups.head(_MOST_CHECKS).select("check", "count", "source").iter_rows()
    ]
    more = groups.height - len(told)
    return ", ".join(told) + (f" and {more} more checks" if more else "")


def _percent(share: float) -> str:
    return f"{share * 100:.3g}%"
