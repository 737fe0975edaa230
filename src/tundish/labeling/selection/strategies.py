"""The strategies that rank images to have labelled next, with a reason for each image.

Each takes candidates (`selection.candidates` says which images these are) and gives the best first. Ties
are broken by a hash of seed and image_id, so that the order of the rows means nothing.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Choice", "Scores", "conflicts", "diverse", "stratified", "tie_order", "uncertain"]

_CHUNK = 1024
_FAR = 4.0
"""Deviations from the mean at which a measured value is clipped: one odd value must not decide alone."""

_KINDS = ("class", "state", "count", "geometry")
"""Kinds of conflict between labels of copies, the gravest first."""


class Choice(NamedTuple):
    """An image to be labelled, and why."""

    image_id: str
    reason: str


@dataclass(frozen=True)
class Scores:
    """A model's scores of images.

    Args:
        image_ids: The image of each row, once each.
        classes: Names of the columns of `values`.
        values: (images, classes), the model's best score for the class, 0 to 1.
        doubts: (images,), from 0 for sure to 1 for a toss-up.
        measure: How `doubts` are measured, in words.
    """

    image_ids: tuple[str, ...]
    classes: tuple[str, ...]
    values: NDArray[np.float64]
    doubts: NDArray[np.float64]
    measure: str


def tie_order(image_ids: Sequence[str], seed: int) -> list[str]:
    """Images in an order that looks random, and depends on nothing but their ids and the seed."""
    return sorted(image_ids, key=lambda image_id: hashlib.sha256(f"{seed}/{image_id}".encode()).digest())


def uncertain(image_ids: Sequence[str], scores: Scores, budget: int, *, seed: int = 0) -> list[Choice]:
    """The images that the model doubts most; those without scores come last.

    Args:
        image_ids: The candidates.
        scores: The model's scores, of other images, too.
        budget: How many at most.
        seed: Orders images of equal doubt.
    """
    rows = {image_id: row for row, image_id in enumerate(scores.image_ids)}
    ordered = sorted(
        tie_order(image_ids, seed),
        key=lambda image_id: -scores.doubts[rows[image_id]] if image_id in rows else 1.0,
    )

    def reason(image_id: str) -> str:
        if image_id not in rows:
            return "the model has no scores for it"
        values = scores.values[rows[image_id]]
        best = [at for at in np.argsort(-values, kind="stable")[:2] if values[at] > 0]
        classes = ", ".join(f"{scores.classes[at]} {values[at]:.2f}" for at in best)
        return f"doubt {scores.doubts[rows[image_id]]:.2f}" + (f" ({classes})" if classes else "")

    return [Choice(image_id, reason(image_id)) for image_id in ordered[:budget]]


def diverse(
    image_ids: Sequence[str],
    features: NDArray[np.float32],
    known: NDArray[np.float32],
    budget: int,
    *,
    seed: int = 0,
) -> list[Choice]:
    """Each the furthest from all that is labelled or chosen before it (greedy k-centre, farthest first).

    Where nothing is labelled it begins with the picture nearest to the mean. It costs candidates times
    (labelled + budget) distances, and holds no more than the features.

    Source:
        Gonzalez, Clustering to minimize the maximum intercluster distance (1985): at most twice the radius
        of the best choice.

    Args:
        image_ids: The candidates.
        features: (candidates, d), a row each.
        known: (labelled, d), a row for each image that is labelled already.
        budget: How many at most.
        seed: Orders images at equal distances.
    """
    if not len(image_ids):
        return []
    place = {image_id: row for row, image_id in enumerate(image_ids)}
    ordered = tie_order(image_ids, seed)
    points, labelled = _scaled(features[[place[image_id] for image_id in ordered]], known)
    nearest, own = _nearest(points, labelled), (points * points).sum(1)
    chosen: list[Choice] = []
    at = int(np.argmax(nearest)) if len(labelled) else int(np.argmin(own))
    for _ in range(min(budget, len(ordered))):
        reason = f"{np.sqrt(nearest[at]):.2f} from the nearest image that is labelled or chosen"
        chosen.append(Choice(ordered[at], reason if np.isfinite(nearest[at]) else "typical: a first picture"))
        nearest = np.minimum(nearest, np.maximum(own - 2 * (points @ points[at]) + own[at], 0))
        nearest[at] = -1.0
        at = int(np.argmax(nearest))
    return chosen


def _scaled(
    features: NDArray[np.float32], known: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both with mean 0 and deviation 1 in the candidates, far values cut; a constant column says nothing."""
    mean, deviation = features.mean(0), features.std(0)
    scale = np.where(deviation > 1e-6, deviation, np.inf)
    parts = ((part - mean) / scale for part in (features, known))
    first, second = (np.clip(part, -_FAR, _FAR).astype(np.float32) for part in parts)
    return first, second


def _nearest(points: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared distance of each point to the next of the known, infinite where there is none."""
    nearest = np.full(len(points), np.inf, np.float32)
    own = (points * points).sum(1)
    for start in range(0, len(known), _CHUNK):
        some = known[start : start + _CHUNK]
        squares = (some * some).sum(1)
        for first in range(0, len(points), _CHUNK):
            part = slice(first, first + _CHUNK)
            least = (squares - 2 * (points[part] @ some.T)).min(1) + own[part]
            nearest[part] = np.minimum(nearest[part], np.maximum(least, 0))
    return nearest


def stratified(
    groups: Mapping[str, str],
    scores: Scores | None,
    class_counts: Mapping[str, int],
    group_counts: Mapping[str, int],
    budget: int,
    *,
    seed: int = 0,
) -> list[Choice]:
    """By turns for the class, and within it the group, of which least is labelled or chosen.

    An image's class is the one with the score highest above its mean over all candidates: a model that has
    seen few images of a rare class seldom gives it the best score. Of a class and group the highest score
    goes first. Images without a class come last.

    Args:
        groups: Group of each candidate, such as its coil; empty where there are none.
        scores: The model's scores; without them groups alone count.
        class_counts: Labelled images by class.
        group_counts: Labelled images by group.
        budget: How many at most.
        seed: Orders images that are equal.
    """
    ordered = tie_order(list(groups), seed)
    guesses = dict.fromkeys(ordered, ("", 0.0)) | _guesses(ordered, scores)
    strata = _Strata(groups, group_counts)
    for image_id in sorted(ordered, key=lambda one: -guesses[one][1]):
        strata.add(guesses[image_id][0], image_id)
    counts = Counter({name: class_counts.get(name, 0) for name in strata.classes})
    chosen: list[Choice] = []
    while len(chosen) < budget and strata.classes:
        name = min(strata.classes, key=lambda one: (not one, counts[one], one))
        image_id = strata.take(name)
        group = groups[image_id]
        reasons = [f"{name} {guesses[image_id][1]:.2f} ({counts[name]} so far)"] if name else []
        reasons += [f"{group} ({strata.group_counts[group]} so far)"] if group else []
        counts[name] += 1
        strata.group_counts[group] += 1
        chosen.append(Choice(image_id, ", ".join(reasons) or "no class or group is known"))
    return chosen


class _Strata:
    """Candidates by class and group; of a class the next comes from the group with the fewest images."""

    def __init__(self, groups: Mapping[str, str], group_counts: Mapping[str, int]) -> None:
        self.group_counts = Counter(dict(group_counts))
        self.classes: dict[str, list[tuple[int, int, str]]] = {}
        self._groups = groups
        self._waiting: dict[tuple[str, str], deque[str]] = {}

    def add(self, name: str, image_id: str) -> None:
        """Put an image behind those of its class and group."""
        group = self._groups[image_id]
        waiting = self._waiting.setdefault((name, group), deque())
        waiting.append(image_id)
        if len(waiting) == 1:
            heap = self.classes.setdefault(name, [])
            heapq.heappush(heap, (self.group_counts[group], len(heap), group))

    def take(self, name: str) -> str:
        """Remove and return the next image of a class."""
        heap = self.classes[name]
        count, place, group = heap[0]
        while count != self.group_counts[group]:  # counts of groups grow by other classes' turns, too
            heapq.heapreplace(heap, (self.group_counts[group], place, group))
            count, place, group = heap[0]
        waiting = self._waiting[name, group]
        image_id = waiting.popleft()
        if not waiting:
            heapq.heappop(heap)
        if not heap:
            del self.classes[name]
        return image_id


def _guesses(image_ids: Sequence[str], scores: Scores | None) -> dict[str, tuple[str, float]]:
    if scores is None or not scores.classes:
        return {}
    known = {image_id: row for row, image_id in enumerate(scores.image_ids)}
    rows = [known[image_id] for image_id in image_ids if image_id in known]
    values = scores.values[rows]
    lift = values / np.maximum(values.mean(0), 1e-9) if rows else values
    found = {}
    for row, best in zip(rows, lift.argmax(1), strict=True):
        if (score := float(scores.values[row, best])) > 0:
            found[scores.image_ids[row]] = (scores.classes[best], score)
    return found


def conflicts(
    images: pl.DataFrame,
    duplicates: pl.DataFrame,
    answered: Sequence[str],
    budget: int,
    *,
    seed: int = 0,
) -> list[Choice]:
    """Pictures whose copies are labelled differently.

    Of a cluster of copies the representative is chosen, and it counts as settled once that was answered. The
    gravest kind goes first: class, state, count, geometry; then where more copies are at odds.

    Args:
        images: Rows of the images table that may be pushed.
        duplicates: The duplicates table.
        answered: Images that annotators answered.
        budget: How many at most.
        seed: Orders conflicts of equal gravity.
    """
    open_copies = duplicates.filter(
        pl.col("label_conflict").is_not_null() & ~pl.col("representative_id").is_in(list(answered))
    )
    found: dict[str, Counter[str]] = {}
    for image_id, kind in open_copies.select("representative_id", "label_conflict").iter_rows():
        found.setdefault(image_id, Counter())[kind] += 1
    ours = [image_id for image_id in tie_order(images["image_id"].to_list(), seed) if image_id in found]
    ours.sort(key=lambda one: _gravity(found[one]))
    reasons = {one: ", ".join(sorted(found[one], key=_KINDS.index)) for one in ours[:budget]}
    return [Choice(one, f"copies are labelled differently ({kinds})") for one, kinds in reasons.items()]


def _gravity(kinds: Counter[str]) -> tuple[int, ...]:
    return (min(_KINDS.index(kind) for kind in kinds), -sum(kinds.values()))
