"""Find corners that look alike among millions: inverted lists around centres, all in whole numbers.

The vectors are whole numbers of 8 bits, so that their products are exact in float32 whatever the order of the
sums: the library of the products may use any number of threads and any machine, the answer is the same.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tundish.imaging.overlaps.features import FEATURE_SCALE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Alike", "find_alike"]

_FARTHEST = round(0.25 * FEATURE_SCALE**2)
"""Squared distance below which two corners are alike."""

_NEIGHBOURS = 8
_EXACT, _PROBES, _ROUNDS, _SAMPLE, _SEED = 16_384, 8, 6, 32, 20240229
_ROWS, _CELLS, _MOST_KEYS = 4096, 1 << 22, 1 << 23
_MEMBER, _QUERY = 25, 37
"""A key is a query, from this bit, the squared distance, and a member of this many bits: keys sort fast."""


class Alike(NamedTuple):
    """Pairs of corners that look alike, `first` < `second`, of different owners, sorted."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]


def find_alike(
    numbers: NDArray[np.int8], owners: NDArray[np.int64], *, exact: int = _EXACT, threads: int = 1
) -> Alike:
    """Find for each corner its eight nearest of other pictures, those that are near enough.

    Args:
        numbers: (n, 25), the vectors of the corners.
        owners: (n,), the picture of each corner.
        exact: Up to this number all pairs are compared; above, those of near lists.
        threads: The number of threads; the result does not depend on it.
    """
    vectors = numbers.astype(np.float32)
    jobs = _whole(len(vectors)) if len(vectors) <= exact else _lists(vectors, threads)
    # With two more numbers the product of two vectors is minus half of their squared distance.
    halves = (vectors * vectors).sum(axis=1, keepdims=True) / -2
    wide = np.concatenate([vectors, halves, np.ones_like(halves)], axis=1)

    def work(job: tuple[NDArray[np.int64], NDArray[np.int64]]) -> NDArray[np.int64]:
        return _near(wide, owners, *job)

    keys: NDArray[np.int64] = np.empty(0, np.int64)
    with ThreadPoolExecutor(threads) as pool:
        parts: list[NDArray[np.int64]] = []
        for part in pool.map(work, jobs):
            parts.append(part)
            # Of each query the nearest of some lists at a time: those of all would need a gigabyte.
            if sum(map(len, parts)) > _MOST_KEYS:
                keys, parts = _nearest(np.concatenate([keys, *parts])), []
    keys = _nearest(np.concatenate([keys, *parts]))
    one, other = keys >> _QUERY, keys & (1 << _MEMBER) - 1
    pairs = np.unique(np.minimum(one, other) << _MEMBER | np.maximum(one, other))
    return Alike(pairs >> _MEMBER, pairs & (1 << _MEMBER) - 1)


def _whole(count: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """All corners against all, in blocks."""
    every = np.arange(count)
    rows = max(1, _CELLS // max(1, count))
    return [(every[start : start + rows], every) for start in range(0, count, rows)]


def _lists(
    vectors: NDArray[np.float32], threads: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Queries and members of each list, in blocks."""
    centres = _centres(vectors, threads)
    probes = _assign(vectors, centres, _PROBES, threads)
    homes = probes[:, 0]
    order = np.argsort(homes, kind="stable")
    bounds = np.searchsorted(homes[order], np.arange(len(centres) + 1))
    visits = np.argsort(probes.ravel(), kind="stable")
    begins = np.searchsorted(probes.ravel()[visits], np.arange(len(centres) + 1))
    for centre in range(len(centres)):
        members = order[bounds[centre] : bounds[centre + 1]]
        queries = visits[begins[centre] : begins[centre + 1]] // probes.shape[1]
        rows = max(1, _CELLS // max(1, len(members)))
        for start in range(0, len(queries) if len(members) else 0, rows):
            yield queries[start : start + rows], members


def _centres(vectors: NDArray[np.float32], threads: int) -> NDArray[np.float32]:
    """Centres of the lists, of whole numbers, by a few rounds of k-means on a sample."""
    rng = np.random.default_rng(_SEED)
    count = max(1, round(np.sqrt(len(vectors))))
    sample = vectors[np.sort(rng.permutation(len(vectors))[: _SAMPLE * count])]
    centres = sample[np.sort(rng.permutation(len(sample))[:count])]
    for _ in range(_ROUNDS):
        homes = _assign(sample, centres, 1, threads)[:, 0]
        order = np.argsort(homes, kind="stable")
        present, starts, sizes = np.unique(homes[order], return_index=True, return_counts=True)
        centres = centres.copy()
        # Sums of whole numbers below 2^24 are exact.
        centres[present] = np.rint(np.add.reduceat(sample[order], starts, axis=0) / sizes[:, None])
    return centres


def _assign(
    vectors: NDArray[np.float32], centres: NDArray[np.float32], count: int, threads: int
) -> NDArray[np.int64]:
    """The nearest `count` centres of each vector, nearest first."""
    half = (centres * centres).sum(axis=1) / 2
    turned = np.ascontiguousarray(centres.T)
    count = min(count, len(centres))

    def work(start: int) -> NDArray[np.int64]:
        distance = half - vectors[start : start + _ROWS] @ turned
        if count == 1:
            nearest: NDArray[np.int64] = np.argmin(distance, axis=1, keepdims=True)
            return nearest
        near = np.argpartition(distance, count - 1, axis=1)[:, :count]
        # By distance, then by number: the order inside a partition is no one's promise.
        key = np.take_along_axis(distance, near, axis=1)
        order = np.lexsort((near, key), axis=1)
        return np.take_along_axis(near, order, axis=1)

    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(work, range(0, len(vectors), _ROWS))))


def _near(
    vectors: NDArray[np.float32],
    owners: NDArray[np.int64],
    queries: NDArray[np.int64],
    members: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The nearest members of each query that are near enough, as keys."""
    turned = vectors[members]
    turned[:, -2:] = turned[:, :-3:-1]
    halves = vectors[queries] @ turned.T  # minus half of the squared distances
    places = np.flatnonzero(halves > -_FARTHEST / 2)
    distance = (-2 * halves.ravel()[places]).astype(np.int64)
    one, other = queries[places // len(members)], members[places % len(members)]
    fresh = owners[one] != owners[other]
    return _nearest((one << _QUERY | distance << _MEMBER | other)[fresh])


def _nearest(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The nearest keys of each query."""
    keys = np.sort(keys)
    query = keys >> _QUERY
    starts = np.flatnonzero(np.concatenate([[True], query[1:] != query[:-1]])) if len(keys) else keys
    sizes = np.diff(np.append(starts, len(keys)))
    return keys[np.arange(len(keys)) - np.repeat(starts, sizes) < _NEIGHBOURS]
