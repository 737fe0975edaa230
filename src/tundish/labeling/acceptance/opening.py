"""Describe a batch when it is opened: which images it holds, why, and whether it continues a series.

The switching rules apply to one series: batches of one producer under one AQL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.labeling.acceptance.gate import latest_batches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tundish.labeling.acceptance.batch import Batch

__all__ = ["describe_opening", "last_in_series"]


def describe_opening(batch: Batch, batches: Sequence[Batch]) -> str:
    """Say why a batch was opened and how it is inspected, in a sentence.

    Args:
        batch: The batch.
        batches: All batches of the dataset, in their order.
    """
    earlier = [one for one in batches if one.number < batch.number]
    before = next((one for one in earlier if one.number == batch.resubmits), None)
    if before is None and batch.plan.aql is not None:
        before = last_in_series(earlier, batch.producer)
    return f"opens batch {batch.name}: {_images(batch, earlier)}; {_inspected(batch, before)}"


def last_in_series(batches: Sequence[Batch], producer: str) -> Batch | None:
    """Find the producer's last batch with an AQL; an isolated batch (by an LQ) is not part of a series."""
    mine = [one for one in batches if one.producer == producer and one.plan.aql is not None]
    return mine[-1] if mine else None


def _images(batch: Batch, earlier: Sequence[Batch]) -> str:
    size = batch.images.height
    images = f"{size:,} image{'s' if size > 1 else ''}"
    if batch.resubmits is not None:
        return f"{images} resubmitted after batch {batch.resubmits}"
    known = latest_batches(earlier).join(batch.images, on="image_id", how="semi")
    left = known["accepted"].null_count()
    why = {
        "not in a batch before": size - known.height,
        "left out when their batch was resubmitted": left,
        "labelled again since acceptance": known.height - left,
    }
    return ", ".join([images, *(f"{count:,} {words}" for words, count in why.items() if count)])


def _inspected(batch: Batch, before: Batch | None) -> str:
    """How a batch is inspected, compared with the one before it."""
    how = _manner(batch)
    if before is None:
        return how
    then = _manner(before)
    if how == then:
        return f"{how}, as batch {before.number}"
    other = "" if _limits(batch) == _limits(before) else ": another series"
    return f"{how}; batch {before.number} had {then}{other}"


def _manner(batch: Batch) -> str:
    how = ", ".join(f"{name} {limit}".lstrip() for name, limit in _limits(batch).items())
    return f"{how}, level {batch.plan.level}" if batch.plan.level else f"{how}, Ac {batch.plan.ac}"


def _limits(batch: Batch) -> dict[str, str]:
    return {name: one.limit for name, one in batch.plans.items()}
