"""Decide whether two pictures of the same frame are the same picture: does *every* place agree?

The score is the local correlation of band-passed thumbnails in 13 x 13 px boxes; its 2 % quantile is the
worst place, which the mean cannot show. Places without texture, and places that are clipped in either
picture, do not count.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

import cv2
import numpy as np

from tundish.imaging.framehash import THUMBNAIL_SIDE, apply_code, relative_code
from tundish.imaging.near_hashes import EXACT_LIMIT, near_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = [
    "GUARDED",
    "PROBABLY",
    "SAME",
    "TRANSFORMS",
    "Agreement",
    "Copy",
    "Relation",
    "find_copies",
    "worst_local",
]

_T = TypeVar("_T", bound=np.generic)

Relation = Literal["same picture", "probably same picture", "mirrored or turned"]

TRANSFORMS = (
    "none",
    "mirrored left-right",
    "mirrored top-bottom",
    "turned 180",
    "transposed",
    "turned 90 counterclockwise",
    "turned 90 clockwise",
    "transposed and turned 180",
)
"""The effect of `framehash.apply_code` for codes 0 to 7."""

SAME = 0.85
"""Score from which a pair is the same picture."""

PROBABLY = 0.7
"""Score from which a pair probably is the same picture."""

GUARDED = 0.95
"""Score required instead of `SAME` on a fixed camera, where `PROBABLY` is not used."""

_BOX, _TEXTURE, _LEAST_TEXTURED, _MOST_CLIPPED = 13, 1.5, 0.05, 0.05
_DARK, _BRIGHT = 5, 250
_PLACES = slice(7, 89, 3)  # box centres; symmetric, so that mirrored pictures have the same ones
_WORST = 0.02
_NOISE = 2.0
_SCENE_MATES = 2
_CHUNK = 512


class Agreement(NamedTuple):
    """How well pairs of pictures agree, one entry per pair.

    Attributes:
        score: Worst local correlation, -1 to 1; NaN where there is not enough texture.
        residual: Standard deviation, in gray levels, of the remainder after the best common gain in the worst
            place.
    """

    score: NDArray[np.float32]
    residual: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Copy:
    """Two pictures that are the same picture.

    Attributes:
        first: Index of one picture.
        second: Index of the other, larger.
        relation: The relation that follows from the score.
        code: The code with which `framehash.apply_code` turns the first into the second; see `TRANSFORMS`.
        score: Worst local correlation.
    """

    first: int
    second: int
    relation: Relation
    code: int
    score: float


class _Prepared(NamedTuple):
    band: NDArray[np.float32]
    mean: NDArray[np.float32]
    variance: NDArray[np.float32]
    usable: NDArray[np.bool_]

    def take(self, index: NDArray[np.int64], codes: NDArray[np.int64]) -> _Prepared:
        return _Prepared(
            _turn(self.band[index], codes),
            _turn(self.mean[index], codes),
            _turn(self.variance[index], codes),
            _turn(self.usable[index], codes),
        )


def worst_local(
    thumbnails: NDArray[np.uint8],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    codes: NDArray[np.int64],
) -> Agreement:
    """Score pairs of thumbnails.

    Args:
        thumbnails: (n, 96, 96), uint8.
        first: Index of one picture of each pair.
        second: Index of the other picture of each pair.
        codes: The codes that turn the first into the frame of the second (`framehash.apply_code`).
    """
    prepared = _prepare(thumbnails)
    one, other = prepared.take(first, codes), prepared.take(second, np.zeros_like(codes))
    covariance = _boxes(one.band * other.band) - one.mean * other.mean
    valid = one.usable & other.usable
    product = np.sqrt(one.variance * other.variance)
    local = np.where(valid, covariance / np.where(valid, product, 1), 2)
    counts = valid.sum((1, 2))
    enough = counts >= _LEAST_TEXTURED * local[0].size if len(local) else np.zeros(0, np.bool_)
    ranked = np.sort(local.reshape(len(local), -1), axis=1)
    place = (_WORST * np.maximum(counts - 1, 0)).astype(np.int64)
    score = np.where(enough, ranked[np.arange(len(ranked)), place], np.nan)
    power = np.where(valid, one.variance, 0).sum((1, 2))
    gain = (np.where(valid, covariance, 0).sum((1, 2)) / np.maximum(power, 1))[:, None, None]
    left = np.where(valid, other.variance - 2 * gain * covariance + gain * gain * one.variance, 0)
    residual = np.sqrt(np.maximum(left.max((1, 2), initial=0), 0))
    return Agreement(score.astype(np.float32), residual.astype(np.float32))


def find_copies(
    hashes: Sequence[Sequence[tuple[bytes, int]]],
    thumbnails: Callable[[NDArray[np.int64]], NDArray[np.uint8]],
    *,
    exact_limit: int = EXACT_LIMIT,
    threads: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Copy]:
    """Find re-encoded, rescaled, re-exposed, mirrored and turned copies among pictures.

    Pictures of a fixed camera share a background that agrees almost everywhere. Where a picture has several
    candidates in the same frame whose content differs, only a score of 0.95 counts, or a residual no larger
    than noise: a strongly compressed copy differs slightly everywhere, other content differs much somewhere.

    Args:
        hashes: For each picture its hashes and codes, as from `framehash.frame_hashes`.
        thumbnails: Returns the (k, 96, 96) thumbnails of k indices; called for chunks of pictures.
        exact_limit: The number of hashes up to which all pairs are compared.
        threads: The number of threads.
        progress: Called as (pairs compared, pairs in all).

    Returns:
        The copies, sorted by first and second; of several ways to turn a picture the best one.
    """
    first, second, codes = _candidates(hashes, exact_limit, threads)
    starts = range(0, len(first), _CHUNK)
    chunks = [slice(start, start + _CHUNK) for start in starts]
    with ThreadPoolExecutor(threads) as pool:
        scores = pool.map(
            lambda part: _score_chunk(first[part], second[part], codes[part], thumbnails), chunks
        )
        parts = []
        for part, score in zip(chunks, scores, strict=True):
            parts.append(score)
            progress(min(part.stop, len(first)), len(first))
    if not parts:
        return []
    agreement = Agreement(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    return _decide(first, second, codes, agreement, len(hashes))


def _turn(pictures: NDArray[_T], codes: NDArray[np.int64]) -> NDArray[_T]:
    """Turn each picture of a batch (n, h, w) of its own by its code, in place."""
    for code in np.unique(codes[codes > 0]):
        these = codes == code
        # A code applies to the first two axes; the batch is the last axis meanwhile.
        turned = apply_code(np.moveaxis(pictures[these], 0, -1), int(code))
        pictures[these] = np.moveaxis(turned, -1, 0)
    return pictures


def _prepare(thumbnails: NDArray[np.uint8]) -> _Prepared:
    shape = (len(thumbnails), THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    band = np.empty(shape, np.float32)
    for target, gray in zip(band, thumbnails.astype(np.float32), strict=True):
        np.subtract(cv2.GaussianBlur(gray, (0, 0), 0.8), cv2.GaussianBlur(gray, (0, 0), 3.0), out=target)
    mean = _boxes(band)
    variance = np.maximum(_boxes(band * band) - mean * mean, 0)
    clipped = _boxes(((thumbnails <= _DARK) | (thumbnails >= _BRIGHT)).astype(np.float32))
    return _Prepared(band, mean, variance, (variance > _TEXTURE**2) & (clipped <= _MOST_CLIPPED))


def _boxes(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of the boxes around all places, (n, 28, 28); OpenCV gets all pictures as one tall picture."""
    if not len(pictures):
        return np.empty((0, 28, 28), np.float32)
    tall = cv2.blur(pictures.reshape(-1, THUMBNAIL_SIDE), (_BOX, _BOX))
    return tall.reshape(pictures.shape)[:, _PLACES, _PLACES].astype(np.float32)


def _candidates(
    hashes: Sequence[Sequence[tuple[bytes, int]]], exact_limit: int, threads: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """First, second and code of each way to match one picture to another."""
    owners = np.repeat(np.arange(len(hashes)), [len(rows) for rows in hashes])
    codes = np.array([code for rows in hashes for _, code in rows], np.int64)
    flat = np.frombuffer(b"".join(digest for rows in hashes for digest, _ in rows), np.uint8).reshape(-1, 32)
    pairs = near_pairs(flat, exact_limit=exact_limit, threads=threads)
    table = np.array([[relative_code(of, to) for to in range(8)] for of in range(8)])
    turns = table[codes[pairs.first], codes[pairs.second]]
    found = np.stack([owners[pairs.first], owners[pairs.second], turns], axis=1)
    found = np.unique(found[found[:, 0] != found[:, 1]], axis=0)
    return found[:, 0], found[:, 1], found[:, 2]


def _score_chunk(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    codes: NDArray[np.int64],
    thumbnails: Callable[[NDArray[np.int64]], NDArray[np.uint8]],
) -> Agreement:
    needed, place = np.unique(np.concatenate([first, second]), return_inverse=True)
    return worst_local(thumbnails(needed), place[: len(first)], place[len(first) :], codes)


def _decide(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    codes: NDArray[np.int64],
    agreement: Agreement,
    pictures: int,
) -> list[Copy]:
    score, residual = agreement
    known = ~np.isnan(score)
    other_content = known & (codes == 0) & (score < PROBABLY)
    mates = np.bincount(first[other_content], minlength=pictures)
    mates += np.bincount(second[other_content], minlength=pictures)
    guarded = np.maximum(mates[first], mates[second]) >= _SCENE_MATES
    sure = score >= np.where(guarded & (residual > _NOISE), GUARDED, SAME)
    likely = (score >= PROBABLY) & ~guarded & (codes == 0)
    best: dict[tuple[int, int], Copy] = {}
    for at in np.flatnonzero(known & (sure | likely)):
        relation: Relation = (
            "mirrored or turned" if codes[at] else "same picture" if sure[at] else "probably same picture"
        )
        pair = (int(first[at]), int(second[at]))
        copy = Copy(*pair, relation, int(codes[at]), float(score[at]))
        held = best.get(pair)
        if held is None or (held.code != 0 and copy.score > held.score):  # upright comes first
            best[pair] = copy
    return [best[pair] for pair in sorted(best)]
