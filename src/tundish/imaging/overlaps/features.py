"""Describe the corners of a picture so that a part of it is found again in another picture.

Up to 64 corners of a pyramid, each with an upright patch of 17 x 17 px as 25 DCT coefficients in canonical
orientation: a corner that is mirrored or turned by 90 degrees has the same numbers and another code
(`framehash.apply_code`), so that one search finds all eight orientations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "FEATURE_BYTES",
    "FEATURE_LENGTH",
    "FEATURE_SCALE",
    "LEVEL_STEP",
    "LocalFeatures",
    "describe_corners",
    "frame_size",
    "pack_features",
    "unpack_features",
]

FEATURE_LENGTH = 25
"""Numbers that describe a corner."""

FEATURE_SCALE = 127
"""Length of the vector of these numbers, which are whole: products of such vectors are exact in float32."""

LEVEL_STEP = 1 / 3
"""Octaves between two levels of the pyramid."""

_MOST = 64
_SIDE, _SHORTEST, _LONGEST = 160, 64, 640
_LEVELS, _LEAST_SIDE = 7, 40
_PATCH = 17  # odd: an even patch has no centre, and its mirror image is another patch
_ORDERS, _HIGHEST = 6, 6
_STEPS = 65535
_RECORD = np.dtype([("numbers", "i1", FEATURE_LENGTH), ("x", "<u2"), ("y", "<u2"), ("kind", "u1")])
FEATURE_BYTES = _RECORD.itemsize
"""Bytes of one corner as `pack_features` writes it; 2 KB for a picture."""


class LocalFeatures(NamedTuple):
    """Corners of one or many pictures.

    Attributes:
        numbers: (n, 25) int8, the vector of each corner, of length 127 up to rounding.
        places: (n, 2) float32, x and y in shares of width and height, 0 to 1.
        levels: (n,) int8, the level of the pyramid; each is smaller by a third of an octave.
        codes: (n,) int8, the orientation, 0 to 7, that made the patch canonical.
    """

    numbers: NDArray[np.int8]
    places: NDArray[np.float32]
    levels: NDArray[np.int8]
    codes: NDArray[np.int8]


def frame_size(width: int, height: int) -> tuple[int, int]:
    """Width and height, px, to which a picture is reduced or enlarged before its corners are found.

    The longer side becomes 160 px; more where the shorter one would have less than 64, as of a long strip.
    """
    longest, shortest = max(width, height), min(width, height)
    scale = max(_SIDE / longest, min(_SHORTEST / shortest, _LONGEST / longest))
    return max(1, round(width * scale)), max(1, round(height * scale))


def describe_corners(gray: NDArray[np.uint8]) -> LocalFeatures:
    """Find and describe the strongest corners of a gray picture (h, w), at most 64."""
    size = frame_size(gray.shape[1], gray.shape[0])
    if min(size) < _LEAST_SIDE:
        return unpack_features(b"")
    smaller = size[0] < gray.shape[1]
    base = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    levels = _pyramid(cv2.createCLAHE(4.0, (4, 4)).apply(base))
    strengths, owners, xs, ys = _corners(levels)
    order = np.argsort(-strengths, kind="stable")[:_MOST]
    owners, xs, ys = owners[order], xs[order], ys[order]
    numbers, codes = _canonical(_patches(levels, owners, xs, ys))
    sizes = np.array([level.shape[::-1] for level in levels], np.float32).reshape(-1, 2)[owners]
    places = ((np.stack([xs, ys], axis=1) + 0.5) / sizes).astype(np.float32)
    return LocalFeatures(numbers, places, owners.astype(np.int8), codes)


def pack_features(features: LocalFeatures) -> bytes:
    """Write the corners of a picture as bytes, `FEATURE_BYTES` each."""
    rows = np.empty(len(features.numbers), _RECORD)
    rows["numbers"] = features.numbers
    rows["x"], rows["y"] = np.rint(features.places * _STEPS).astype(np.uint16).T
    rows["kind"] = features.levels << 3 | features.codes
    return rows.tobytes()


def unpack_features(data: bytes) -> LocalFeatures:
    """Read corners from what `pack_features` wrote, of one picture or of many one after the other."""
    rows = np.frombuffer(data, _RECORD)
    places = np.stack([rows["x"], rows["y"]], axis=1).astype(np.float32) / np.float32(_STEPS)
    kind = rows["kind"].astype(np.int8)
    return LocalFeatures(np.ascontiguousarray(rows["numbers"]), places, kind >> 3, kind & 7)


def _pyramid(base: NDArray[Any]) -> list[NDArray[np.float32]]:
    found = []
    for level in range(_LEVELS):
        size = [round(side * 2 ** (-level * LEVEL_STEP)) for side in base.shape[::-1]]
        if min(size) < _LEAST_SIDE:
            break
        picture = base if level == 0 else cv2.resize(base, size, interpolation=cv2.INTER_AREA)
        found.append(picture.astype(np.float32))
    return found


def _corners(
    levels: list[NDArray[np.float32]],
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Strength, level, x and y of all corners whose patch lies inside their level."""
    margin = _PATCH // 2
    parts = []
    for number, level in enumerate(levels):
        strength = np.sqrt(np.maximum(cv2.cornerMinEigenVal(cv2.GaussianBlur(level, (0, 0), 1.0), 5), 0))
        highest = cv2.dilate(strength, np.ones((5, 5), np.uint8))
        inner = np.s_[margin:-margin, margin:-margin]
        ys, xs = np.nonzero((strength[inner] == highest[inner]) & (strength[inner] > 0))
        parts.append((strength[ys + margin, xs + margin], np.full(len(xs), number), xs + margin, ys + margin))
    if not parts:
        empty = np.empty(0, np.int64)
        return np.empty(0, np.float32), empty, empty, empty
    strengths, owners, xs, ys = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return strengths, owners, xs, ys


def _patches(
    levels: list[NDArray[np.float32]],
    owners: NDArray[np.int64],
    xs: NDArray[np.int64],
    ys: NDArray[np.int64],
) -> NDArray[np.float32]:
    """The (n, 25) coefficients of the patches around corners."""
    if not len(owners):
        return np.empty((0, FEATURE_LENGTH), np.float32)
    flat = np.concatenate([level.ravel() for level in levels])
    starts = np.cumsum([0, *(level.size for level in levels[:-1])])
    widths = np.array([level.shape[1] for level in levels])[owners]
    reach = np.arange(_PATCH) - _PATCH // 2
    rows = (starts[owners] + ys * widths + xs)[:, None] + widths[:, None] * reach
    patches = flat[rows[:, :, None] + reach].reshape(len(owners), -1)
    # OpenCV's product: NumPy's would wake the threads of its library for each picture.
    return cv2.gemm(patches, _WAVES, 1, _NOTHING, 0).astype(np.float32, copy=False)


def _canonical(coefficients: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Unit vectors in canonical orientation, times 127, and the codes that made them so."""
    across = coefficients[:, _PLACE[0, 1]] - coefficients[:, _PLACE[0, 3]]
    down = coefficients[:, _PLACE[1, 0]] - coefficients[:, _PLACE[3, 0]]
    mirror, flip, swap = across < 0, down < 0, np.abs(down) > np.abs(across)
    found = coefficients * np.where(mirror[:, None], _ODD_ACROSS, 1) * np.where(flip[:, None], _ODD_DOWN, 1)
    found = np.where(swap[:, None], found[:, _SWAPPED], found)
    length = np.sqrt((found * found).sum(axis=1, keepdims=True))
    numbers = np.rint(found * (FEATURE_SCALE / np.maximum(length, 1e-6))).astype(np.int8)
    return numbers, (mirror | flip << 1 | swap << 2).astype(np.int8)


def _waves() -> NDArray[np.float32]:
    """(289, 25): window, remove the weighted mean and transform, in one product."""
    place = np.arange(_PATCH)
    curve = np.exp(-((place - _PATCH // 2) ** 2) / (2 * (0.35 * _PATCH) ** 2))
    window = np.outer(curve, curve).ravel()
    cosines = np.cos(np.pi * np.arange(_ORDERS)[:, None] * (2 * place + 1) / (2 * _PATCH))
    cosines[0] /= np.sqrt(2)
    waves = np.stack([np.outer(cosines[down], cosines[across]).ravel() for down, across in _WANTED], axis=1)
    weighted = window[:, None] * waves
    found: NDArray[np.float32] = (weighted - np.outer(window / window.sum(), weighted.sum(axis=0))).astype(
        np.float32
    )
    return found


_WANTED = [
    (down, across) for down in range(_ORDERS) for across in range(_ORDERS) if 0 < down + across <= _HIGHEST
]
_PLACE = {order: place for place, order in enumerate(_WANTED)}
_SWAPPED = np.array([_PLACE[across, down] for down, across in _WANTED])
_ODD_ACROSS = np.array([-1.0 if across % 2 else 1.0 for _, across in _WANTED], np.float32)
_ODD_DOWN = np.array([-1.0 if down % 2 else 1.0 for down, _ in _WANTED], np.float32)
_WAVES = _waves()
_NOTHING = np.empty((0, 0), np.float32)
