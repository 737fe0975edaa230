"""Describe the appearance of a picture in 84 numbers, independent of where in the frame an object is.

Gray values, edges by strength and by direction at three scales, and how unevenly contrast is distributed over
the frame. Mirroring or moving the content changes little; another defect or another surface changes much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DESCRIPTOR_LENGTH", "describe"]

_GRAYS, _STRENGTHS, _DIRECTIONS, _RANKS = 12, 8, 8, 8
_SCALES = (1, 2, 4)
_STRONGEST = 256.0
_CELL = 12
_CHUNK = 128

DESCRIPTOR_LENGTH = _GRAYS + len(_SCALES) * (_STRENGTHS + _DIRECTIONS + _RANKS)
"""Numbers per picture."""


def describe(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Describe thumbnails; some tenths of a millisecond each.

    Args:
        thumbnails: Gray (n, 96, 96), uint8.

    Returns:
        (n, `DESCRIPTOR_LENGTH`), each about 0 to 1.
    """
    found = np.empty((len(thumbnails), DESCRIPTOR_LENGTH), np.float32)
    for start in range(0, len(thumbnails), _CHUNK):
        found[start : start + _CHUNK] = _describe(thumbnails[start : start + _CHUNK])
    return found


def _describe(thumbnails: NDArray[np.uint8]) -> NDArray[np.float32]:
    gray = thumbnails.astype(np.float32)
    level = (thumbnails.reshape(len(gray), -1).astype(np.int64) * _GRAYS) >> 8
    parts = [np.sqrt(_histograms(level, _GRAYS))]
    for scale in _SCALES:
        small = _means(gray, scale)
        across, down = np.diff(small, axis=2)[:, :-1], np.diff(small, axis=1)[:, :, :-1]
        strength, turn = _polar(across, down)
        parts += [_strengths(strength), _directions(strength, turn), _spread(strength, _CELL // scale)]
    return np.concatenate(parts, axis=1)


def _polar(
    across: NDArray[np.float32], down: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lengths and angles (rad, 0 to 2 pi) of vectors; OpenCV is six times as fast here as NumPy."""
    wide = across.shape[2]
    strength, turn = cv2.cartToPolar(across.reshape(-1, wide), down.reshape(-1, wide))
    return strength.reshape(across.shape), turn.reshape(across.shape)  # type: ignore[return-value]


def _strengths(strength: NDArray[np.float32]) -> NDArray[np.float32]:
    """Square roots of the shares of pixels by the strength of their edges, in powers of two."""
    _, powers = np.frexp(np.clip(strength, 1, _STRONGEST - 1).reshape(len(strength), -1))
    return np.sqrt(_histograms(powers.astype(np.int64) - 1, _STRENGTHS))


def _directions(strength: NDArray[np.float32], turn: NDArray[np.float32]) -> NDArray[np.float32]:
    """Square roots of the shares of all edges by their direction, opposite ones together."""
    places = (turn * np.float32(_DIRECTIONS / np.pi) + np.float32(0.5)).astype(np.int64) % _DIRECTIONS
    rows = len(strength)
    shares = _histograms(places.reshape(rows, -1), _DIRECTIONS, strength.reshape(rows, -1))
    found: NDArray[np.float32] = np.sqrt(shares / np.maximum(shares.sum(1, keepdims=True), 1e-9))
    return found


def _spread(strength: NDArray[np.float32], cell: int) -> NDArray[np.float32]:
    """Mean strength of edges in the cells of the frame, from the calmest to the busiest, on a log scale."""
    side = strength.shape[1] // cell
    means = _means(strength[:, : side * cell, : side * cell], cell)
    ranked = np.sort(means.reshape(len(strength), -1), axis=1)
    places = np.linspace(0, side * side - 1, _RANKS).round().astype(np.int64)
    return np.asarray(np.log1p(ranked[:, places]) / np.log(_STRONGEST), np.float32)


def _means(pictures: NDArray[np.float32], block: int) -> NDArray[np.float32]:
    """Means of the square blocks that tile pictures (n, h, w); OpenCV gets them as one tall picture."""
    rows, height, width = pictures.shape
    size = (width // block, rows * height // block)
    tall = cv2.resize(pictures.reshape(-1, width), size, interpolation=cv2.INTER_AREA)
    return tall.reshape(rows, height // block, width // block).astype(np.float32, copy=False)


def _histograms(
    places: NDArray[np.int64], bins: int, weights: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Means over each row, (n, bins), of 1 or the weight where a place belongs to the bin."""
    rows, length = places.shape
    flat = (places + bins * np.arange(rows)[:, None]).ravel()
    counted = np.bincount(flat, None if weights is None else weights.ravel(), rows * bins)
    return (counted.reshape(rows, bins) / length).astype(np.float32)
