"""Find the pairs of pictures that show in part the same surface, and how one lies on the other."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tundish.imaging.overlaps.features import frame_size
from tundish.imaging.overlaps.follow import follow_chains, follow_sequences
from tundish.imaging.overlaps.overlap import Overlap, better
from tundish.imaging.overlaps.search import find_alike
from tundish.imaging.overlaps.verify import Laid, Verdict, falls_off, verify, worst_place
from tundish.imaging.overlaps.vote import Candidates, vote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from tundish.imaging.overlaps.features import LocalFeatures
    from tundish.imaging.overlaps.overlap import Relation

__all__ = ["find_overlaps"]

SURE = 0.9
"""Score from which a pair overlaps; below, it probably does."""

_STILL = 4.0
_WORST_SURE, _WORST_STILL, _WORST_PROBABLE = 0.4, 0.5, 0.2
"""Correlation in the worst place: true overlaps reach 0.4 in 98 of 100 pairs; of two frames of a camera that
is fixed, or was moved once, 95 of 100 stay below 0.2 (0.36 where it has not moved)."""

_WORST_WHOLE, _FALLS_OFF = 0.6, 0.01
_STEEPEST = 20.0
_NEARLY_WHOLE, _ZOOM, _WORST_SCENE, _SCENE_MATES = 0.8, 0.06, 0.8, 3
_CHUNK = 256
_ROUNDS = 3
"""Rounds in which chains are followed: a chain of eight overlaps is closed in three."""


def find_overlaps(
    features: LocalFeatures,
    owners: NDArray[np.int64],
    sizes: NDArray[np.int64],
    detail: Callable[[int], NDArray[np.uint8]],
    *,
    sequences: Sequence[NDArray[np.int64]] = (),
    threads: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Overlap]:
    """Find pictures that overlap, each pair once, with all its numbers.

    Args:
        features: The corners of all pictures, one picture after the other.
        owners: (n,), the picture of each corner, ascending.
        sizes: (pictures, 2), width and height of each upright picture, px.
        detail: Returns the gray picture of an index, reduced to its `verify.detail_size`.
        sequences: Pictures in the order in which they were named or taken; where neighbours overlap, all of
            them are compared at every shift.
        threads: The number of threads; the result does not depend on it.
        progress: Called as (pairs checked, pairs in all).

    Returns:
        The pairs, sorted by first and second; of several ways to lay a pair the one with the best score.
    """
    frames = np.array([frame_size(int(width), int(height)) for width, height in sizes]).reshape(-1, 2)
    best: dict[tuple[int, int], Overlap] = {}
    checked: set[tuple[int, int]] = set()
    done = 0

    def check(candidates: Candidates) -> bool:
        """Verify candidates; whether there were any."""
        nonlocal done
        for overlaps, count in _checked(candidates, frames, sizes, detail, threads):
            for overlap in overlaps:
                pair = (overlap.first, overlap.second)
                best[pair] = better(best.get(pair, overlap), overlap)
            progress(done := done + count, done + len(candidates.first))
        checked.update(zip(candidates.first.tolist(), candidates.second.tolist(), strict=True))
        return bool(len(candidates.first))

    def sure() -> list[Overlap]:
        return [best[pair] for pair in sorted(best) if best[pair].relation == "overlapping"]

    check(vote(features, owners, frames, find_alike(features.numbers, owners, threads=threads)))
    # A pair that corners placed wrongly may lie right as a chain or a sequence says.
    checked = set(best)
    check(follow_sequences(sure(), sequences, checked, frames, detail, threads=threads))
    for _ in range(_ROUNDS):
        if not check(follow_chains(sure(), checked, sizes, frames)):
            break
    return _without_scenes([best[pair] for pair in sorted(best)], sizes)


def _without_scenes(found: list[Overlap], sizes: NDArray[np.int64]) -> list[Overlap]:
    """Where a picture nearly covers several others and differs from each somewhere, its camera is fixed.

    A camera that was moved a little between two shifts shows the scene in another place, and passes for a
    strip that overlaps; a strip that overlaps nearly whole differs from none or one of its neighbours.
    """
    mates = Counter(number for one in found if _like_scene(one, sizes) for number in (one.first, one.second))
    return [
        replace(one, relation="same scene")
        if _like_scene(one, sizes) and max(mates[one.first], mates[one.second]) >= _SCENE_MATES
        else one
        for one in found
    ]


def _like_scene(one: Overlap, sizes: NDArray[np.int64]) -> bool:
    """Pictures of one size that nearly cover each other, upright, and differ somewhere."""
    same = bool((sizes[one.first] == sizes[one.second]).all()) and one.code == 0
    return same and one.share >= _NEARLY_WHOLE and abs(one.scale - 1) <= _ZOOM and one.worst < _WORST_SCENE


def _checked(
    candidates: Candidates,
    frames: NDArray[np.int64],
    sizes: NDArray[np.int64],
    detail: Callable[[int], NDArray[np.uint8]],
    threads: int,
) -> Iterator[tuple[list[Overlap], int]]:
    """The overlaps of the candidates, chunk by chunk, with the number of candidates of each chunk."""

    def work(start: int) -> tuple[list[Overlap], int]:
        part = candidates.take(np.arange(start, min(start + _CHUNK, len(candidates.first))))
        pictures = {int(k): detail(int(k)) for k in np.unique(np.concatenate([part.first, part.second]))}
        found = []
        for k in range(len(part.first)):
            first, second = int(part.first[k]), int(part.second[k])
            laid = _laid(part, k, frames)
            verdict = verify(laid, pictures[first], pictures[second])
            votes = int(part.votes[k])
            place = Laid(laid.code, verdict.matrix)
            if _hopeless(verdict):
                continue
            worst = worst_place(place, pictures[first], pictures[second])
            if _accepted(verdict, votes) or _accepted_whole(
                verdict, worst, place, pictures[first], pictures[second]
            ):
                found.append(
                    _overlap(first, second, place.code, verdict, worst, votes, sizes, frames[second])
                )
        return [overlap for overlap in found if abs(overlap.angle) <= _STEEPEST], len(part.first)

    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(work, range(0, len(candidates.first), _CHUNK))


def _laid(candidates: Candidates, number: int, frames: NDArray[np.int64]) -> Laid:
    code = int(candidates.codes[number])
    one, other = frames[candidates.first[number]], frames[candidates.second[number]]
    factor, offset = candidates.factors[number], candidates.offsets[number]
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    linear = turn * (one[::-1] if code & 4 else one) / other[:, None]
    return Laid(code, np.column_stack([linear, np.array([offset.real, offset.imag]) / other]))


def _hopeless(verdict: Verdict) -> bool:
    return verdict.blocks < 2 or not verdict.score >= 0.6


def _accepted(verdict: Verdict, votes: int) -> bool:
    """Whether the blocks prove an overlap: many that fit in one place only, or few that fit very well."""
    score, distinctive = verdict.score, verdict.distinctive
    return bool(
        (distinctive >= 4 and score >= 0.6)
        or (distinctive >= 2 and score >= SURE)
        or (verdict.blocks >= 2 and score >= 0.8 and votes >= 8)
    )


def _accepted_whole(
    verdict: Verdict, worst: float, place: Laid, one: NDArray[np.uint8], other: NDArray[np.uint8]
) -> bool:
    """Whether all that both show agrees everywhere, and only there: a scratch with its grain."""
    agrees = verdict.blocks >= 3 and verdict.score >= SURE and worst >= _WORST_WHOLE
    return bool(agrees and falls_off(place, one, other) >= _FALLS_OFF)


def _overlap(
    first: int,
    second: int,
    code: int,
    verdict: Verdict,
    worst: float,
    votes: int,
    sizes: NDArray[np.int64],
    frame: NDArray[np.int64],
) -> Overlap:
    one, other = sizes[first][:: -1 if code & 4 else 1], sizes[second]
    linear = other[:, None] * verdict.matrix[:, :2] / one
    dx, dy = (verdict.matrix @ [0.5, 0.5, 1] - 0.5) * other
    scale = float(np.sqrt(abs(np.linalg.det(linear))))
    angle = float(np.degrees(np.arctan2(linear[1, 0] - linear[0, 1], linear[0, 0] + linear[1, 1])))
    ends = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1]])
    moved = np.abs((ends @ verdict.matrix.T - ends[:, :2]) * frame).max()
    least = _WORST_STILL if code == 0 and moved <= _STILL else _WORST_PROBABLE
    relation: Relation = "overlapping"
    if worst < least:
        relation = "same scene"
    elif verdict.score < SURE or not worst >= _WORST_SURE:
        relation = "probably overlapping"
    return Overlap(
        first, second, relation, code, angle, scale, float(dx), float(dy), verdict.share, verdict.score,
        votes, verdict.blocks, verdict.distinctive, worst,
    )  # fmt: skip
