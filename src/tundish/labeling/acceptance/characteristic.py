"""Properties of a single sampling plan: probability of acceptance, outgoing quality, risks, intervals.

Qualities are shares of nonconforming items, 0 to 1. `n` is the sample size, `ac` the acceptance number. The
binomial and hypergeometric operating characteristics are those of ISO 2859-1:1999, clause 12, and ISO 2859-2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import scipy

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Interval",
    "OutgoingQualityLimit",
    "acceptance_probability",
    "acceptance_probability_in_batch",
    "average_outgoing_quality",
    "clopper_pearson_interval",
    "outgoing_quality_limit",
    "quality_at",
]


class Interval(NamedTuple):
    """A confidence interval of a share, 0 to 1."""

    low: float
    high: float


class OutgoingQualityLimit(NamedTuple):
    """The worst average outgoing quality (AOQL) and the incoming quality at which it occurs, both 0 to 1."""

    limit: float
    quality: float


def acceptance_probability(quality: float, n: int, ac: int) -> float:
    """Probability of accepting a batch of this quality that is large compared with its sample (binomial).

    Args:
        quality: Share of nonconforming items, 0 to 1.
        n: Sample size.
        ac: Acceptance number.
    """
    return float(scipy.special.bdtr(ac, n, quality))


def acceptance_probability_in_batch(defective: int, lot_size: int, n: int, ac: int) -> float:
    """Probability of accepting a finite batch (hypergeometric).

    Args:
        defective: Number of nonconforming items in the batch.
        lot_size: Number of items in the batch.
        n: Sample size.
        ac: Acceptance number.
    """
    # scipy.stats has this, but takes a second to import; scipy itself loads a subpackage at its first use.
    found = np.arange(max(0, n - (lot_size - defective)), min(ac, defective, n) + 1)
    ways = _log_ways(defective, found) + _log_ways(lot_size - defective, n - found)
    return min(1.0, float(np.exp(ways - _log_ways(lot_size, np.array(n))).sum()))


def _log_ways(items: int, taken: NDArray[np.int64]) -> NDArray[np.float64]:
    """Logarithm of the number of ways to take so many of the items (binomial coefficient)."""
    ways: NDArray[np.float64] = (
        scipy.special.gammaln(items + 1)
        - scipy.special.gammaln(taken + 1)
        - scipy.special.gammaln(items - taken + 1)
    )
    return ways


def quality_at(chance: float, n: int, ac: int) -> float:
    """The quality accepted with this probability: 0.95 is the producer's point, 0.10 the consumer's."""
    return float(scipy.special.betainccinv(ac + 1, n - ac, chance))


def average_outgoing_quality(quality: float, lot_size: int, n: int, ac: int) -> float:
    """Average outgoing quality (AOQ), if rejected batches are inspected in full and corrected."""
    return quality * acceptance_probability(quality, n, ac) * (lot_size - n) / lot_size


def outgoing_quality_limit(lot_size: int, n: int, ac: int) -> OutgoingQualityLimit:
    """Average outgoing quality limit (AOQL): the worst over all incoming qualities; 0 at 100 % inspection."""
    if n >= lot_size:
        return OutgoingQualityLimit(0.0, 0.0)

    def slope(quality: float) -> float:
        # d/dp of p Pa(p); -p dPa/dp is (ac + 1) times the probability of exactly ac + 1 nonconforming items.
        accepted = acceptance_probability(quality, n, ac)
        return accepted - (ac + 1) * (acceptance_probability(quality, n, ac + 1) - accepted)

    worst = float(scipy.optimize.brentq(slope, 0.0, quality_at(1e-6, n, ac), xtol=1e-12))
    return OutgoingQualityLimit(average_outgoing_quality(worst, lot_size, n, ac), worst)


def clopper_pearson_interval(
    found: int, inspected: int, confidence: float = 0.95, side: Literal["both", "upper"] = "both"
) -> Interval:
    """Exact confidence interval for the share of nonconforming items.

    C. J. Clopper, E. S. Pearson (1934), Biometrika 26, 404-413. It assumes a batch that is large compared
    with the sample; for a small batch it is wider than needed.

    Args:
        found: Number of nonconforming items in the sample.
        inspected: Number of items in the sample, 1 or more.
        confidence: Confidence level, 0 to 1.
        side: 'both', or 'upper' for the upper limit alone (the lower limit is then 0).
    """
    tail = (1 - confidence) / (2 if side == "both" else 1)
    low = (
        float(scipy.special.betaincinv(found, inspected - found + 1, tail))
        if found and side == "both"
        else 0.0
    )
    high = float(scipy.special.betainccinv(found + 1, inspected - found, tail)) if found < inspected else 1.0
    return Interval(low, high)
