"""Find which of many 256-bit hashes are near each other: exactly up to a size, by sorted bands above it.

Exact search compares two of four words first: two unrelated pictures differ in 64 of these 128 bits, so
nearly all pairs end there. Blocks stay in the second-level cache, which gives half a billion comparisons per
second and core.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EXACT_LIMIT", "RADIUS", "NearPairs", "near_pairs"]

RADIUS = 40
"""Largest Hamming distance of two candidates; re-saved, re-exposed and rescaled copies are within it."""

EXACT_LIMIT = 100_000
"""Number of hashes up to which all pairs are compared: 10 s per core. Bands find 96 % at 40, all at 20."""

_MOST = 32
_ROWS, _COLUMNS = 64, 1024
_BANDS, _NEIGHBOURS, _SEED = 48, 8, 20240229


class NearPairs(NamedTuple):
    """Rows of near hashes, `first` < `second`, sorted, with their Hamming distance."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    distance: NDArray[np.uint8]


def near_pairs(
    hashes: NDArray[np.uint8], *, radius: int = RADIUS, exact_limit: int = EXACT_LIMIT, threads: int = 1
) -> NearPairs:
    """Find the pairs of hashes within `radius` of each other.

    Each row is paired with its 32 nearest later rows at most, so that thousands of frames of one still scene
    need no more memory than other images.

    Args:
        hashes: (n, 32), uint8.
        radius: Largest Hamming distance, up to 127.
        exact_limit: With more rows than this, some far pairs may be missed.
        threads: The number of threads.
    """
    words = np.ascontiguousarray(hashes).view(np.uint64)
    if len(words) > exact_limit:
        return _search_bands(words, radius)
    columns = [np.ascontiguousarray(words[:, k]) for k in range(4)]
    with ThreadPoolExecutor(threads) as pool:
        starts = range(0, len(words), _ROWS)
        parts = list(pool.map(lambda start: _search_exactly(columns, start, radius), starts))
    return _join(parts)


class _Scratch:
    """Buffers of one block, reused for the next: new ones would cost more than the counting."""

    def __init__(self, height: int, width: int) -> None:
        self.mixed = np.empty((height, width), np.uint64)
        self.count = np.empty((height, width), np.uint8)
        self.more = np.empty((height, width), np.uint8)
        self.near = np.empty((height, width), np.bool_)


def _search_exactly(columns: list[NDArray[np.uint64]], start: int, radius: int) -> NearPairs:
    """Near pairs whose first row is one of `_ROWS` from `start`."""
    total = len(columns[0])
    rows = slice(start, min(start + _ROWS, total))
    scratch = _Scratch(rows.stop - start, _COLUMNS)
    blocks = [slice(left, min(left + _COLUMNS, total)) for left in range(start, total, _COLUMNS)]
    return _nearest(_join([_block(columns, rows, across, radius, scratch) for across in blocks]), _MOST)


def _block(
    columns: list[NDArray[np.uint64]], rows: slice, across: slice, radius: int, scratch: _Scratch
) -> NearPairs:
    width = slice(across.stop - across.start)
    mixed, count, near = scratch.mixed[:, width], scratch.count[:, width], scratch.near[:, width]
    for target, column in ((count, columns[0]), (scratch.more[:, width], columns[1])):
        np.bitwise_xor(column[rows, None], column[None, across], out=mixed)
        np.bitwise_count(mixed, out=target)
    np.add(count, scratch.more[:, width], out=count)
    np.less_equal(count, radius, out=near)
    first, second = np.nonzero(near)
    first, second = first + rows.start, second + across.start
    keep = second > first
    return _measure(columns, first[keep], second[keep], radius)


def _measure(
    columns: list[NDArray[np.uint64]], first: NDArray[np.int64], second: NDArray[np.int64], radius: int
) -> NearPairs:
    """Those of the pairs that are within the radius in all four words."""
    distance = np.zeros(len(first), np.uint16)
    for column in columns:
        distance += np.bitwise_count(column[first] ^ column[second])
    keep = distance <= radius
    return NearPairs(first[keep], second[keep], distance[keep].astype(np.uint8))


def _search_bands(words: NDArray[np.uint64], radius: int) -> NearPairs:
    """Sort by 64 random bits repeatedly, and compare each row with the next few."""
    columns = [np.ascontiguousarray(words[:, k]) for k in range(4)]
    rng = np.random.default_rng(_SEED)
    pairs = _join([])
    for _ in range(_BANDS):
        order = np.argsort(_shuffle_bits(words, rng.choice(256, 64, replace=False)), kind="stable")
        parts = [pairs]
        for step in range(1, _NEIGHBOURS + 1):
            low, high = np.minimum(order[:-step], order[step:]), np.maximum(order[:-step], order[step:])
            parts.append(_measure(columns, low, high, radius))
        pairs = _nearest(_join(parts), _MOST)
    return pairs


def _shuffle_bits(words: NDArray[np.uint64], bits: NDArray[np.int64]) -> NDArray[np.uint64]:
    key = np.zeros(len(words), np.uint64)
    for bit in bits:
        key = key << np.uint64(1) | (words[:, bit // 64] >> np.uint64(bit % 64)) & np.uint64(1)
    return key


def _join(parts: list[NearPairs]) -> NearPairs:
    if not parts:
        empty = np.empty(0, np.int64)
        return NearPairs(empty, empty, np.empty(0, np.uint8))
    return NearPairs(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _nearest(pairs: NearPairs, most: int) -> NearPairs:
    """Without repeats, the nearest `most` of each first row, sorted by first and second."""
    order = np.lexsort((pairs.second, pairs.distance, pairs.first))
    first, second, distance = (column[order] for column in pairs)
    fresh = np.ones(len(first), np.bool_)
    fresh[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    first, second, distance = first[fresh], second[fresh], distance[fresh]
    begins = np.searchsorted(first, first, side="left")
    keep = np.arange(len(first)) - begins < most
    first, second, distance = first[keep], second[keep], distance[keep]
    order = np.lexsort((second, first))
    return NearPairs(first[order], second[order], distance[order])
