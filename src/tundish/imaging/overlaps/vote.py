"""Let pairs of corners that look alike vote for how one picture lies on another.

Each pair of corners alone predicts scale and offset, as its codes give the orientation. The prediction with
which most other pairs of the same two pictures agree is refined by least squares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tundish.imaging.framehash import relative_code
from tundish.imaging.overlaps.features import LEVEL_STEP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tundish.imaging.overlaps.features import LocalFeatures
    from tundish.imaging.overlaps.search import Alike

__all__ = ["Candidates", "vote"]

_SLACK = 6.0
_OCTAVES = 0.4
_CELL = 3.0
_LEAST, _MATCHES, _MOST = 3, 24, 32
_BLOCK = 1 << 16


class Candidates(NamedTuple):
    """Pairs of pictures, `first` < `second`, and how the first, turned by its code, lies on the second.

    Attributes:
        first: (n,), index of one picture.
        second: (n,), index of the other.
        codes: (n,), the code that turns the first (`framehash.apply_code`).
        factors: (n,) complex, scale and angle: a place z of the turned first is at factor * z + offset in
            the second, both in px of their `features.frame_size`, with x as the real part.
        offsets: (n,) complex.
        votes: (n,), distinct places that agree.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    codes: NDArray[np.int64]
    factors: NDArray[np.complex128]
    offsets: NDArray[np.complex128]
    votes: NDArray[np.int64]

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Candidates:
        """Some of the candidates."""
        return Candidates._make(column[index] for column in self)


class _Matches(NamedTuple):
    """Pairs of corners, those of two pictures with one relative code together; places in px of the frames."""

    group: NDArray[np.int64]
    one: NDArray[np.complex128]
    other: NDArray[np.complex128]
    octaves: NDArray[np.float64]


def vote(
    features: LocalFeatures, owners: NDArray[np.int64], sizes: NDArray[np.int64], alike: Alike
) -> Candidates:
    """Find the pairs of pictures that at least three distinct places tie together.

    Args:
        features: The corners of all pictures.
        owners: (n,), the picture of each corner, ascending.
        sizes: (pictures, 2), width and height of each picture's frame (`features.frame_size`), px.
        alike: Pairs of corners that look alike.

    Returns:
        The candidates, sorted by first, second and code; at most the best 32 of each picture, whichever of
        the two counts them.
    """
    table = np.array([[relative_code(of, to) for to in range(8)] for of in range(8)])
    codes = table[features.codes[alike.first], features.codes[alike.second]]
    first, second = owners[alike.first], owners[alike.second]
    order = np.lexsort((codes, second, first))
    keys = np.stack([first, second, codes], axis=1)[order]
    fresh = np.ones(len(keys), np.bool_)
    fresh[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    group = np.cumsum(fresh) - 1
    rank = np.arange(len(group)) - np.flatnonzero(fresh)[group] if len(group) else group
    enough = (np.bincount(group)[group] >= _LEAST) & (rank < _MATCHES) if len(group) else rank > 0
    order, group = order[enough], group[enough]
    if not len(group):
        return _none()
    present, group = np.unique(group, return_inverse=True)
    named = keys[np.flatnonzero(fresh)[present]]
    matches = _Matches(
        group,
        _turned(features.places[alike.first[order]], sizes[first[order]], codes[order]),
        _complex(features.places[alike.second[order]] * sizes[second[order]]),
        (features.levels[alike.second[order]] - features.levels[alike.first[order]]) * LEVEL_STEP,
    )
    agreeing = _agreeing(matches)
    factors, offsets = _fit(matches, agreeing, len(named))
    votes = _places(matches, agreeing, len(named))
    found = Candidates(named[:, 0], named[:, 1], named[:, 2], factors, offsets, votes)
    return _best(found.take((votes >= _LEAST) & np.isfinite(factors) & (np.abs(factors) > 0)), len(sizes))


def _none() -> Candidates:
    whole, waves = np.empty(0, np.int64), np.empty(0, np.complex128)
    return Candidates(whole, whole, whole, waves, waves, whole)


def _complex(points: NDArray[np.floating]) -> NDArray[np.complex128]:
    return points[:, 0] + 1j * points[:, 1].astype(np.float64)


def _turned(
    places: NDArray[np.float32], sizes: NDArray[np.int64], codes: NDArray[np.int64]
) -> NDArray[np.complex128]:
    """Where places (shares of width and height) are after their picture was turned by its code, px."""
    x = np.where(codes & 1, 1 - places[:, 0], places[:, 0]) * sizes[:, 0]
    y = np.where(codes & 2, 1 - places[:, 1], places[:, 1]) * sizes[:, 1]
    swap = codes & 4 > 0
    return np.where(swap, y, x) + 1j * np.where(swap, x, y)


def _agreeing(matches: _Matches) -> NDArray[np.bool_]:
    """For each match whether the best prediction of its group agrees with it."""
    counts = np.bincount(matches.group)
    starts = np.concatenate([[0], np.cumsum(counts)])
    found = np.zeros(len(matches.group), np.bool_)
    # Whole groups at a time, so that their squares fit into memory.
    bounds = np.unique(np.searchsorted(np.cumsum(counts), np.arange(0, len(matches.group), _BLOCK)))
    for begin, end in zip(bounds, [*bounds[1:], len(counts)], strict=True):
        rows = slice(starts[begin], starts[end])
        found[rows] = _agreeing_block(_Matches._make(column[rows] for column in matches))
    return found


def _agreeing_block(matches: _Matches) -> NDArray[np.bool_]:
    groups, group = np.unique(matches.group, return_inverse=True)
    counts = np.bincount(group)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    per = counts[group]
    leader = np.repeat(np.arange(len(group)), per)
    member = np.arange(len(leader)) - np.repeat(np.cumsum(per) - per, per) + starts[group[leader]]
    scale = 2.0 ** matches.octaves[leader]
    expected = matches.other[leader] + scale * (matches.one[member] - matches.one[leader])
    near = np.abs(expected - matches.other[member]) <= _SLACK
    near &= np.abs(matches.octaves[leader] - matches.octaves[member]) <= _OCTAVES
    support = np.bincount(leader, near, len(group)).astype(np.int64)
    # The first of those with most support.
    order = np.lexsort((np.arange(len(group)), -support, group))
    best = order[np.searchsorted(group[order], np.arange(len(groups)))]
    chosen = np.zeros(len(group), np.bool_)
    mine = (best[group[leader]] == leader) & near
    chosen[member[mine]] = True
    return chosen


def _fit(
    matches: _Matches, agreeing: NDArray[np.bool_], count: int
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """The similarity that maps the agreeing places of each group with the least squares."""
    group, one, other = matches.group[agreeing], matches.one[agreeing], matches.other[agreeing]
    number = np.maximum(np.bincount(group, minlength=count), 1)
    middle_one, middle_other = _sums(group, one, count) / number, _sums(group, other, count) / number
    one, other = one - middle_one[group], other - middle_other[group]
    spread = np.bincount(group, np.abs(one) ** 2, count)
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = _sums(group, np.conj(one) * other, count) / spread
    return factors, middle_other - factors * middle_one


def _sums(group: NDArray[np.int64], values: NDArray[np.complex128], count: int) -> NDArray[np.complex128]:
    return np.bincount(group, values.real, count) + 1j * np.bincount(group, values.imag, count)


def _places(matches: _Matches, agreeing: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """The number of distinct places of the agreeing matches, the smaller of both pictures."""
    group = matches.group[agreeing]
    found = np.full(count, np.iinfo(np.int64).max)
    for points in (matches.one[agreeing], matches.other[agreeing]):
        cells = np.stack([group, points.real // _CELL, points.imag // _CELL], axis=1).astype(np.int64)
        found = np.minimum(found, np.bincount(np.unique(cells, axis=0)[:, 0], minlength=count))
    return found


def _best(found: Candidates, pictures: int) -> Candidates:
    keep = np.zeros(len(found.first), np.bool_)
    for side in (found.first, found.second):
        order = np.lexsort((found.second, found.first, -found.votes, side))
        begins = np.searchsorted(side[order], np.arange(pictures))
        keep[order] |= np.arange(len(order)) - begins[side[order]] < _MOST
    return found.take(keep)
