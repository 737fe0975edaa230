"""Confidence intervals by resampling images, because the labels of one image are not independent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from tundish.imaging.geometry import Floats

__all__ = ["bootstrap_intervals", "sum_by_image"]

_AT_ONCE = 8
"""Draws computed at a time: one cache line of weights an image; 64 would take three times as long."""


def sum_by_image(
    images: NDArray[np.int64], cells: NDArray[np.int64], amounts: Floats, shape: tuple[int, int]
) -> csr_array:
    """Sum amounts by image and cell of a table.

    Args:
        images: (n,), rows of the result.
        cells: (n,), columns of the result.
        amounts: (n,), the amounts.
        shape: Shape of the result: (number of images, number of cells).
    """
    return scipy.sparse.coo_array((np.asarray(amounts, np.float64), (images, cells)), shape=shape).tocsr()


def bootstrap_intervals(
    sums: csr_array,
    statistic: Callable[[Floats], Floats],
    *,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[Floats, Floats]:
    """Compute percentile bootstrap intervals (B. Efron (1979), Annals of Statistics 7, 1-26) for m measures.

    Args:
        sums: (images, k), the contribution of each image to the sums from which measures are computed.
        statistic: Computes measures (draws, m) from sums (draws, k), NaN where one is not defined.
        draws: Number of samples; 0 gives no interval.
        seed: Seed of the samples.
        level: Share of the draws inside the interval.

    Returns:
        Lower and upper ends, (m,) each; NaN where there are fewer than two images, or half of the draws or
        fewer define the measure.
    """
    count = sums.shape[0]
    measures = statistic(np.zeros((1, sums.shape[1]))).shape[1]
    if count < 2 or draws < 1:
        return np.full(measures, np.nan), np.full(measures, np.nan)
    generator = np.random.default_rng(seed)
    columns = sums.T.tocsr()
    found = []
    for start in range(0, draws, _AT_ONCE):
        drawn = generator.integers(0, count, (min(_AT_ONCE, draws - start), count))
        weights = np.stack([np.bincount(images, minlength=count) for images in drawn], axis=1)
        found.append(statistic((columns @ weights.astype(np.float64)).T))
    values = np.concatenate(found)
    defined = np.isfinite(values).sum(axis=0) * 2 > draws
    ends = np.full((2, measures), np.nan)
    tail = 50 * (1 - level)
    ends[:, defined] = np.nanpercentile(values[:, defined], [tail, 100 - tail], axis=0)
    return ends[0], ends[1]
