"""Images that must be in one split, and how many of them are not."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, product
from typing import TYPE_CHECKING, NamedTuple

from tundish.audit.verify.result import Leak, LeakExample

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tundish.audit.verify.pictures import Picture

__all__ = ["Tie", "count_leak"]

_ORDER = ("train", "val", "test")
_EXAMPLES = 3


class Tie(NamedTuple):
    """Images that belong together: each of `first` with each of `second`; where these are equal, all of them.

    Attributes:
        first: Numbers of images.
        second: Numbers of images.
        score: How well their pixels agree; None where names or times tie them.
        note: What they share beside it.
        rank: The closest ties have the lowest.
    """

    first: tuple[int, ...]
    second: tuple[int, ...]
    score: float | None = None
    note: str = ""
    rank: float = 0.0


def count_leak(
    kind: str, ties: Iterable[Tie], pictures: Sequence[Picture], key: str = ""
) -> tuple[Leak, set[int]] | None:
    """Count the pairs of images that are tied and in different splits; images without a split do not count.

    Args:
        kind: The kind of all ties.
        ties: No two of them tie the same pair.
        pictures: The images.
        key: Name of the key that they share.

    Returns:
        The leak and the numbers of its images; None where all that is tied is in one split.
    """
    between: Counter[tuple[str, str]] = Counter()
    touched: set[int] = set()
    torn = []
    for tie in ties:
        first, second = ([n for n in side if pictures[n].split] for side in (tie.first, tie.second))
        pairs = _pairs(first, second, pictures)
        if pairs:
            between.update(pairs)
            touched.update(_touched(first, second, pictures))
            touched.update(_touched(second, first, pictures))
            torn.append((tie, first, second))
    if not torn:
        return None
    torn.sort(key=lambda one: (one[0].rank, pictures[one[1][0]].path, pictures[one[2][0]].path))
    scores = [tie.score for tie, _, _ in torn if tie.score is not None]
    leak = Leak(
        kind,
        key,
        between.total(),
        len(touched),
        {split: count for split in _ORDER if (count := sum(pictures[n].split == split for n in touched))},
        {f"{one} and {other}": between[one, other] for one, other in sorted(between, key=_places)},
        max(scores, default=None),
        tuple(_example(*one, pictures) for one in torn[:_EXAMPLES]),
    )
    return leak, touched


def _places(pair: tuple[str, str]) -> tuple[int, int]:
    return _ORDER.index(pair[0]), _ORDER.index(pair[1])


def _pairs(
    first: Sequence[int], second: Sequence[int], pictures: Sequence[Picture]
) -> Counter[tuple[str, str]]:
    """How many pairs are torn apart, by the two splits."""
    one, other = (Counter(pictures[n].split for n in side) for side in (first, second))
    found: Counter[tuple[str, str]] = Counter()
    for pair in combinations(_ORDER, 2):
        found[pair] += one[pair[0]] * other[pair[1]]
        if first != second:
            found[pair] += one[pair[1]] * other[pair[0]]
    return +found


def _touched(first: Sequence[int], second: Sequence[int], pictures: Sequence[Picture]) -> set[int]:
    """Images of the first that are in another split than one of the second."""
    splits = {pictures[n].split for n in second}
    return {n for n in first if splits - {pictures[n].split}}


def _example(
    tie: Tie, first: Sequence[int], second: Sequence[int], pictures: Sequence[Picture]
) -> LeakExample:
    pair = next((a, b) for a, b in product(first, second) if pictures[a].split != pictures[b].split)
    one, other = sorted((pictures[n] for n in pair), key=lambda picture: _ORDER.index(picture.split))
    return LeakExample(one.path, other.path, (one.split, other.split), tie.score, tie.note)
