"""A 256-bit hash of the whole frame that finds mirrored and turned copies at no extra cost.

The low 16 x 16 DCT coefficients of a 96 x 96 thumbnail give one sign bit each. Mirroring negates odd
columns or rows, transposing swaps them, so the frame is brought to a canonical orientation (C01 > 0, C10 >
0, |C10| <= |C01|) by its coefficients alone. A code of three bits states how: 1 mirrored left-right, 2 then
top-bottom, 4 then transposed. Where a test nearly ties, the hash of the other orientation is kept as well.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "THUMBNAIL_SIDE",
    "apply_code",
    "frame_hashes",
    "halve",
    "reduce_area",
    "relative_code",
    "turn_box",
]

_T = TypeVar("_T", bound=np.generic)

THUMBNAIL_SIDE = 96

_LOW = 16
_TIE = 0.1
_CORNER = 4


def halve(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mean of each 2 x 2 block; an odd last row or column is dropped. OpenCV does this at memory speed."""
    height, width = gray.shape[0] // 2, gray.shape[1] // 2
    even = gray[: height * 2, : width * 2]
    return cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def reduce_area(gray: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Reduce a gray image (h, w) to (side, side) by areas, whatever its shape.

    Halving, then a step by whole factors, is ten times as fast as one step. The remainder of whole factors,
    under 1 % of the frame, is cut evenly from both borders, so that mirrored images stay mirrored.
    """
    halvings = max(0, (min(gray.shape) // side).bit_length() - 1)
    down, across = (max(1, (length >> halvings) // (2 * side)) for length in gray.shape)
    gray = _centre(gray, down << halvings, across << halvings)
    for _ in range(halvings):
        gray = halve(gray)
    if down > 1 or across > 1:
        whole = (gray.shape[1] // across, gray.shape[0] // down)
        gray = cv2.resize(gray, whole, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return cv2.resize(gray, (side, side), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _centre(gray: NDArray[np.uint8], down: int, across: int) -> NDArray[np.uint8]:
    """The central part whose sides are whole multiples of two factors."""
    height, width = (
        length // factor * factor for length, factor in zip(gray.shape, (down, across), strict=True)
    )
    top, left = (gray.shape[0] - height) // 2, (gray.shape[1] - width) // 2
    return gray[top : top + height, left : left + width]


def frame_hashes(thumbnail: NDArray[np.uint8]) -> list[tuple[bytes, int]]:
    """Hash and code of the canonical orientation, then of those that nearly tie with it.

    Args:
        thumbnail: Gray (96, 96), uint8.

    Returns:
        One to eight pairs of 32 bytes and a code of 0 to 7.
    """
    low = _COSINES @ thumbnail.astype(np.float64) @ _COSINES.T
    across, down = float(low[0, 1]), float(low[1, 0])
    corner = low[:_CORNER, :_CORNER].copy()
    corner[0, 0] = 0
    tie = _TIE * float(np.sqrt((corner * corner).sum()))
    mirrors = _choices(across < 0, abs(across) <= tie)
    flips = _choices(down < 0, abs(down) <= tie)
    swaps = _choices(abs(down) > abs(across), abs(abs(down) - abs(across)) <= tie)
    return [
        (_bits(low, mirror, flip, swap), mirror | flip << 1 | swap << 2)
        for mirror, flip, swap in product(mirrors, flips, swaps)
    ]


def apply_code(image: NDArray[_T], code: int) -> NDArray[_T]:
    """Mirror and turn an image (h, w[, c]) as `code` says; a view."""
    if code & 1:
        image = image[:, ::-1]
    if code & 2:
        image = image[::-1]
    return image.swapaxes(0, 1) if code & 4 else image


def turn_box(box: tuple[float, float, float, float], code: int) -> tuple[float, float, float, float]:
    """Move a box (left, top, right, bottom), in shares of width and height, as `apply_code` the image."""
    left, top, right, bottom = box
    if code & 1:
        left, right = 1 - right, 1 - left
    if code & 2:
        top, bottom = 1 - bottom, 1 - top
    return (top, left, bottom, right) if code & 4 else (left, top, right, bottom)


def relative_code(of: int, to: int) -> int:
    """The code that turns an image whose hash has code `of` into one of the same hash with code `to`.

    `apply_code(a, relative_code(code_a, code_b))` resembles `b`.
    """
    if (of ^ to) & 4 == 0:
        return (of ^ to) & 3
    return (of & 1 ^ to >> 1 & 1) | (of >> 1 & 1 ^ to & 1) << 1 | 4


def _choices(primary: bool, tied: bool) -> tuple[int, ...]:
    return (int(primary), 1 - int(primary)) if tied else (int(primary),)


def _bits(low: NDArray[np.float64], mirror: int, flip: int, swap: int) -> bytes:
    positive = low * _SIGNS[mirror | flip << 1] > 0
    positive[0, 0] = False
    return np.packbits(positive.T if swap else positive).tobytes()


def _cosines() -> NDArray[np.float64]:
    """Whole numbers small enough that every sum of products is exact: every machine gets the same sign."""
    order, place = np.mgrid[0:_LOW, 0:THUMBNAIL_SIDE]
    waves: NDArray[np.float64] = np.cos(np.pi * order * (2 * place + 1) / (2 * THUMBNAIL_SIDE)) * 2**14
    waves[0] /= np.sqrt(2)
    return np.round(waves)


def _sign_patterns() -> NDArray[np.float64]:
    odd = np.where(np.arange(_LOW) % 2, -1.0, 1.0)
    even = np.ones(_LOW)
    return np.stack([np.outer(odd if code & 2 else even, odd if code & 1 else even) for code in range(4)])


_COSINES = _cosines()
_SIGNS = _sign_patterns()
