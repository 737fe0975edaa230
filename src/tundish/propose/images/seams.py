"""Whether pictures whose names have two numbers are tiles of one picture: tiles join at their edges."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.decode import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Grid", "join_at_edges"]

_PAIRS = 24
"""Neighbours that are compared."""

_LEAST = 4
"""Neighbours that must be there to tell."""

_JOINS = 0.5
"""A seam differs by less than this share of what two edges that do not meet differ by."""

_MAX_PIXELS = 50_000_000
_SMALLEST_STEP = 16
"""px; smaller steps are numbers of tiles, not their places."""

_GRAY = 2


@dataclass(frozen=True)
class Grid:
    """Pictures that may be tiles of one: their paths by the two numbers in their names."""

    places: dict[tuple[int, int], str]

    def neighbours(self, axis: int) -> Iterator[tuple[str, str, int]]:
        """Pictures that differ by one step in the number `axis`, and the step."""
        lines: dict[int, list[tuple[int, str]]] = {}
        for place, path in self.places.items():
            lines.setdefault(place[1 - axis], []).append((place[axis], path))
        for line in lines.values():
            for (one, first), (other, second) in pairwise(sorted(line)):
                if other - one == 1 or other - one >= _SMALLEST_STEP:
                    yield first, second, other - one


def join_at_edges(grids: Sequence[Grid], read: Callable[[str], bytes]) -> bool:
    """Whether neighbours continue each other, along one number or the other.

    Args:
        grids: Pictures that may be tiles, those of one picture each.
        read: Reads a file.
    """
    for axis in (0, 1):
        pairs = [pair for grid in grids for pair in grid.neighbours(axis)]
        if len(pairs) < _LEAST:
            continue
        count = min(_PAIRS, len(pairs))
        chosen = [pairs[number * len(pairs) // count] for number in range(count)]
        wanted = {path for one, other, _ in chosen for path in (one, other)}
        pictures = {path: _gray(read(path)) for path in wanted}
        if any(_joins(chosen, pictures, lower=lower) for lower in (False, True)):
            return True
    return False


def _gray(data: bytes) -> NDArray[np.float64] | None:
    try:
        pixels = decode(data, max_pixels=_MAX_PIXELS)
    except BadImage:
        return None
    plain = pixels.astype(np.float64)
    return plain if plain.ndim == _GRAY else plain.mean(axis=2)


def _joins(
    pairs: Sequence[tuple[str, str, int]], pictures: dict[str, NDArray[np.float64] | None], *, lower: bool
) -> bool:
    """Whether the second of each pair continues the first to the right, or below it."""
    edges = []
    for first, second, step in pairs:
        one, other = pictures[first], pictures[second]
        if one is None or other is None:
            continue
        if lower:
            one, other = one.T, other.T
        # Tiles that overlap: the place of the second's first column in the first.
        column = step if _SMALLEST_STEP <= step < one.shape[1] else one.shape[1] - 1
        if one.shape[0] == other.shape[0]:
            edges.append((one[:, column], other[:, 0]))
    if len(edges) < _LEAST:
        return False
    seams = [np.abs(one - other).mean() for one, other in edges]
    # Against edges that do not meet: those of other pairs.
    strange = [
        np.abs(one - other).mean()
        for (one, _), (_, other) in zip(edges, [*edges[1:], edges[0]], strict=True)
        if one.shape == other.shape
    ]
    return bool(strange) and float(np.median(seams)) < _JOINS * float(np.median(strange))
