"""Follow overlaps that were found to others: what lies on what lies on a third, and neighbours in a sequence.

Where pictures are cut from strips, or taken one after the other, they overlap in chains. A chain says how
its ends lie on each other, and how far apart in their sequence pictures still overlap; both only propose
pairs, which are verified like all others.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tundish.imaging.overlaps.shift import find_shift, prepare
from tundish.imaging.overlaps.vote import Candidates

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from tundish.imaging.overlaps.overlap import Overlap

__all__ = ["follow_chains", "follow_sequences"]

_MOST_LINKS = 32
"""Overlaps of a picture that are followed."""

_LEAST_OVERLAPS, _LEAST_SHARE = 3, 0.02
"""A sequence is searched where so many pairs, and so many per picture, overlap in it."""

_FARTHEST, _USUAL = 12, 0.98
_LIKELY = 0.4
"""Correlation at the best shift from which a pair is verified: 99 of 100 pairs that overlap reach it."""

_CHUNK = 64


class _Place(NamedTuple):
    """How a picture lies on another: z, px from its centre, is at factor * z + offset from the other's.

    Where `mirrored`, at factor * conj(z) + offset.
    """

    factor: complex
    mirrored: bool
    offset: complex

    def after(self, first: _Place) -> _Place:
        """The place of what lies like `first` on what lies like this."""
        factor, offset = first.factor, first.offset
        if self.mirrored:
            factor, offset = factor.conjugate(), offset.conjugate()
        return _Place(
            self.factor * factor, self.mirrored != first.mirrored, self.factor * offset + self.offset
        )

    def back(self) -> _Place:
        """How the other lies on the picture."""
        factor, offset = 1 / self.factor, -self.offset / self.factor
        if self.mirrored:
            factor, offset = factor.conjugate(), offset.conjugate()
        return _Place(factor, self.mirrored, offset)


def follow_chains(
    overlaps: Iterable[Overlap],
    known: Collection[tuple[int, int]],
    sizes: NDArray[np.int64],
    frames: NDArray[np.int64],
) -> Candidates:
    """Propose the pairs whose two pictures both overlap a third.

    Args:
        overlaps: Pairs that overlap.
        known: Pairs, first below second, that need not be proposed.
        sizes: (pictures, 2), width and height, px.
        frames: (pictures, 2), as for `vote`.

    Returns:
        For each pair the place that follows from the third picture with which both agree best.
    """
    links: dict[int, list[tuple[float, int, _Place]]] = {}
    for one in overlaps:
        place = _place(one)
        links.setdefault(one.first, []).append((-one.score, one.second, place))
        links.setdefault(one.second, []).append((-one.score, one.first, place.back()))
    best: dict[tuple[int, int], tuple[float, _Place]] = {}
    for middle in sorted(links):
        near = sorted(links[middle], key=lambda link: link[:2])[:_MOST_LINKS]
        for number, (score, first, onto) in enumerate(near):
            for other_score, second, other_onto in near[number + 1 :]:
                pair = (min(first, second), max(first, second))
                if first == second or pair in known:
                    continue
                low, high = (onto, other_onto) if first < second else (other_onto, onto)
                # `onto` lays the middle on its neighbour.
                found = score + other_score, high.after(low.back())
                if pair not in best or found[0] < best[pair][0]:
                    best[pair] = found
    return _candidates({pair: place for pair, (_, place) in sorted(best.items())}, sizes, frames)


def follow_sequences(
    overlaps: Iterable[Overlap],
    sequences: Sequence[NDArray[np.int64]],
    known: Collection[tuple[int, int]],
    frames: NDArray[np.int64],
    detail: Callable[[int], NDArray[np.uint8]],
    *,
    threads: int = 1,
) -> Candidates:
    """Search the shift of neighbours in the sequences in which pictures overlap.

    Args:
        overlaps: Pairs that overlap.
        sequences: Pictures in the order in which they were named or taken.
        known: Pairs, first below second, that need not be proposed.
        frames: (pictures, 2), as for `vote`.
        detail: As for `find_overlaps`.
        threads: The number of threads.
    """
    place = {int(one): (number, at) for number, some in enumerate(sequences) for at, one in enumerate(some)}
    apart: dict[int, list[int]] = {}
    for one in overlaps:
        (sequence, at), (other, behind) = place.get(one.first, (-1, 0)), place.get(one.second, (-2, 0))
        if sequence == other:
            apart.setdefault(sequence, []).append(abs(at - behind))
    jobs = []
    for number, found in sorted(apart.items()):
        close = [distance for distance in found if distance <= _FARTHEST]
        some = sequences[number]
        if len(close) >= max(_LEAST_OVERLAPS, _LEAST_SHARE * len(some)):
            reach = int(np.ceil(np.quantile(close, _USUAL)))
            jobs += [(some[start : start + _CHUNK + reach], reach) for start in range(0, len(some), _CHUNK)]

    def work(job: tuple[NDArray[np.int64], int]) -> list[tuple[int, int, float, float]]:
        return _neighbours(*job, known, detail)

    with ThreadPoolExecutor(threads) as pool:
        rows = sorted({row[:2]: row for rows in pool.map(work, jobs) for row in rows}.values())
    first, second = (np.array([row[end] for row in rows], np.int64) for end in (0, 1))
    shares = np.array([row[2:] for row in rows], np.float64).reshape(-1, 2)
    offsets = (shares * frames[second]) @ np.array([1, 1j])
    none = np.zeros(len(rows), np.int64)
    return Candidates(first, second, none, np.ones(len(rows), np.complex128), offsets, none)


def _neighbours(
    numbers: NDArray[np.int64],
    reach: int,
    known: Collection[tuple[int, int]],
    detail: Callable[[int], NDArray[np.uint8]],
) -> list[tuple[int, int, float, float]]:
    """Pairs of a sequence at most so far apart that correlate at some shift: both, and x and y in shares."""
    spectra = [prepare(detail(int(number))) for number in numbers]
    found = []
    for at in range(min(_CHUNK, len(numbers))):
        for behind in range(at + 1, min(at + reach + 1, len(numbers))):
            low, high = sorted((at, behind), key=lambda place: int(numbers[place]))
            pair = (int(numbers[low]), int(numbers[high]))
            one, other = spectra[low], spectra[high]
            if pair in known or one.shape != other.shape:
                continue
            score, x, y = find_shift(one, other)
            if score >= _LIKELY:
                found.append((*pair, x / one.shape[1], y / one.shape[0]))
    return found


def _place(overlap: Overlap) -> _Place:
    unit, mirrored = _TURNS[overlap.code]
    turn = overlap.scale * np.exp(1j * np.radians(overlap.angle))
    return _Place(complex(turn * unit), mirrored, complex(overlap.dx, overlap.dy))


def _candidates(
    places: Mapping[tuple[int, int], _Place], sizes: NDArray[np.int64], frames: NDArray[np.int64]
) -> Candidates:
    """Places of pixels as candidates, whose factors and offsets are of the frames."""
    first, second = (np.array([pair[end] for pair in places], np.int64) for end in (0, 1))
    codes = np.array([_code(place) for place in places.values()], np.int64)
    units = np.array([unit for unit, _ in _TURNS])[codes]
    turns = np.array([place.factor for place in places.values()], np.complex128) / units
    offsets = np.array([place.offset for place in places.values()], np.complex128)
    scale = (frames / sizes)[:, 0]
    factors = turns * scale[second] / scale[first]
    swapped = (codes & 4 > 0)[:, None]
    middle = np.where(swapped, frames[first][:, ::-1], frames[first]) @ [0.5, 0.5j]
    other = frames[second] @ [0.5, 0.5j]
    offsets = other + offsets * scale[second] - factors * middle
    return Candidates(first, second, codes, factors, offsets, np.zeros(len(first), np.int64))


def _code(place: _Place) -> int:
    """The code whose turn comes nearest to that of a place."""
    fitting = [code for code, (_, mirrored) in enumerate(_TURNS) if mirrored == place.mirrored]
    return min(fitting, key=lambda code: abs(np.angle(place.factor / _TURNS[code][0])))


def _turn(code: int) -> tuple[complex, bool]:
    """What a code does to places from the centre: multiplies them, or their conjugates, by a unit."""
    unit, mirrored = 1 + 0j, False
    for bit, factor in ((1, -1), (2, 1), (4, 1j)):
        if code & bit:
            unit, mirrored = factor * unit.conjugate(), not mirrored
    return unit, mirrored


_TURNS = [_turn(code) for code in range(8)]
