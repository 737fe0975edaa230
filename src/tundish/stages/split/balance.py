"""Deal groups into splits so that every class, and the images themselves, follow the ratios.

The cost of a state is, over splits s and columns c (images, negatives, one a class), the sum of
``(have[s, c] - ratio[s] * total[c])² / (ratio[s] * total[c]²)``: shares count, so a rare class weighs as
much as a common one. Groups are dealt one by one in the order given, each to where it costs least; then
single
groups change sides as long as that lowers the cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["deal", "deviations"]

_PASSES = 4
"""Rounds of changing sides; on real sets nothing moves after the second."""


def deal(
    weights: NDArray[np.float64],
    ratios: NDArray[np.float64],
    fixed: NDArray[np.int64],
    order: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The split of each group.

    Args:
        weights: (groups, columns): how much of each column a group brings.
        ratios: (splits,): positive shares that add up to 1.
        fixed: (groups,): the split a group has already, or -1. These never change.
        order: The groups with -1 in the order in which they are dealt.

    Returns:
        (groups,): the number of each group's split.
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
    """(splits,): by how much the cost grows; terms that are the same for all splits are left out."""
    cost: NDArray[np.float64] = ((share * (share + 2 * have)).sum(axis=1)) / ratios
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
        # Equal to rounding is equal: a group must not go to and fro.
        if cost[best] < cost[before] - 1e-12:
            chosen[group] = best
            moved = True
        have[chosen[group]] += share
    return moved


def deviations(
    weights: NDArray[np.float64], ratios: NDArray[np.float64], chosen: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(splits, columns): share of each column that a split has, minus its ratio; 0 for empty columns."""
    total = weights.sum(axis=0)
    have = np.stack([weights[chosen == split].sum(axis=0) for split in range(len(ratios))])
    shares = np.divide(have, total, out=np.zeros_like(have), where=total > 0)
    result: NDArray[np.float64] = np.where(total > 0, shares - ratios[:, None], 0.0)
    return result
