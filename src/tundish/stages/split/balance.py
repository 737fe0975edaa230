"""Assign groups to splits so that every class, and the images themselves, follow the ratios.

The cost of a state is, over splits s and columns c (images, negatives, one per class), the sum of
``(have[s, c] - ratio[s] * total[c])² / (ratio[s] * total[c]²)``: shares count, so a rare class weighs as
much as a common one. Groups are assigned one by one in the given order, each to the split of the least cost;
then single groups change splits as long as that lowers the cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["assign", "deviations"]

_PASSES = 4
"""Rounds of changing splits; on real sets nothing moves after the second."""


def assign(
    weights: NDArray[np.float64],
    ratios: NDArray[np.float64],
    fixed: NDArray[np.int64],
    order: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Assign each group to a split.

    Args:
        weights: (groups, columns), how much of each column a group contributes.
        ratios: (splits,), shares that add up to 1; a split with none gets no group but those fixed to it.
        fixed: (groups,), the split a group has already, or -1. These never change.
        order: The groups with -1 in the order in which they are assigned.

    Returns:
        (groups,), the number of the split of each group.
    """
    total = weights.sum(axis=0)
    shares = weights[:, total > 0] / total[total > 0]
    have = np.zeros((len(ratios), shares.shape[1]))
    chosen = fixed.copy()
    for split in range(len(ratios)):
        have[split] = shares[chosen == split].sum(axis=0)
    for group in order:
        chosen[group] = int(np.argmin(_cost_of_adding(shares[group], have, ratios)))
        have[chosen[group]] += shares[group]
    for _ in range(_PASSES):
        if not _change_sides(shares, ratios, order, chosen, have):
            break
    return chosen


def _cost_of_adding(
    share: NDArray[np.float64], have: NDArray[np.float64], ratios: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(splits,), the increase of the cost; terms that are the same for all splits are omitted."""
    added = (share * (share + 2 * have)).sum(axis=1)
    cost: NDArray[np.float64] = np.divide(added, ratios, out=np.full_like(added, np.inf), where=ratios > 0)
    return cost


def _change_sides(
    shares: NDArray[np.float64],
    ratios: NDArray[np.float64],
    order: NDArray[np.int64],
    chosen: NDArray[np.int64],
    have: NDArray[np.float64],
) -> bool:
    moved = False
    for group in order:
        share, before = shares[group], chosen[group]
        have[before] -= share
        cost = _cost_of_adding(share, have, ratios)
        best = int(np.argmin(cost))
        # Equal within rounding is equal: a group must not move back and forth.
        if cost[best] < cost[before] - 1e-12:
            chosen[group] = best
            moved = True
        have[chosen[group]] += share
    return moved


def deviations(
    weights: NDArray[np.float64], ratios: NDArray[np.float64], chosen: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(splits, columns), the share of each column in a split minus its ratio; 0 for empty columns."""
    total = weights.sum(axis=0)
    have = np.stack([weights[chosen == split].sum(axis=0) for split in range(len(ratios))])
    shares = np.divide(have, total, out=np.zeros_like(have), where=total > 0)
    result: NDArray[np.float64] = np.where(total > 0, shares - ratios[:, None], 0.0)
    return result
