"""Check block by block that one picture shows a part of another.

The first picture is laid on the second; the rectangle where both are is cut into blocks of about 20 px, and
each is searched within 3 px of its place. A block is distinctive where its correlation falls off to all
sides: a scratch fits every scratch, but only along its length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from tundish.imaging.framehash import apply_code

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Laid", "Verdict", "band_pass", "detail_size", "falls_off", "verify", "worst_place"]

_AREA = 96
_SHORTEST = 24
_BLOCK, _MOST_BLOCKS, _REACH = 20, 25, 3
_TEXTURE = 1.0
_FALL = 0.1
_LEAST_SCALE = 0.2
_NEARLY, _FOUND, _ENOUGH = 0.5, 0.6, 4
_LEAST_SIDE = 8
_BOX, _BOX_TEXTURE, _LEAST_USABLE, _WORST = 13, 1.5, 0.05, 0.02
_SIDE = 2 * _REACH + 1
_SHIFTS = _SIDE * _SIDE
_RING = np.flatnonzero(np.pad(np.zeros((_SIDE - 2, _SIDE - 2)), 1, constant_values=1))


class Laid(NamedTuple):
    """How a picture, turned by its code, lies on another.

    Attributes:
        code: The code that turns the first.
        matrix: (2, 3), from shares of the turned first's sides to shares of the second's.
    """

    code: int
    matrix: NDArray[np.float64]


class Verdict(NamedTuple):
    """What the blocks of a pair say.

    Attributes:
        blocks: Blocks with texture.
        distinctive: Those of them whose correlation falls off to all sides.
        score: The correlation that three quarters of the blocks reach; NaN without blocks.
        share: The area that both show, as a share of the smaller picture's area.
        matrix: As of the pair, moved to where the blocks were found.
    """

    blocks: int
    distinctive: int
    score: float
    share: float
    matrix: NDArray[np.float64]


def detail_size(width: int, height: int) -> tuple[int, int]:
    """Width and height, px, of the reduced picture that is checked: about 96 x 96 px, with the same shape."""
    scale = max(_AREA / np.sqrt(width * height), min(1, _SHORTEST / min(width, height)))
    scale = min(scale, 16 * _AREA / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def verify(laid: Laid, one: NDArray[np.uint8], other: NDArray[np.uint8]) -> Verdict:
    """Check a pair of pictures, and once more where the blocks were found if they nearly agree.

    Args:
        laid: How the first lies on the second.
        one: The first, gray, reduced to its `detail_size`, not turned.
        other: The second, likewise.
    """
    one, other, matrix, swapped = _coarser_last(laid, one, other)
    band = band_pass(other)
    found = _compare(one, band, matrix)
    if found.score >= _NEARLY:
        again = _compare(one, band, found.matrix)
        found = (
            again._replace(matrix=found.matrix)
            if again.score >= found.score
            else found._replace(matrix=matrix)
        )
    matrix = found.matrix
    if swapped:
        one, other, matrix = other, one, _inverse(matrix)
    return found._replace(matrix=_in_shares(matrix, one.shape, other.shape))


def worst_place(laid: Laid, one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """How well a pair agrees in the worst place of what both show, as `similarity.worst_local` for copies.

    Args:
        laid: How the first lies on the second, as `verify` found it.
        one: The first, as for `verify`.
        other: The second.

    Returns:
        The 2 % quantile of the local correlation, -1 to 1; NaN where there is not enough texture.
    """
    one, other, matrix, _ = _coarser_last(laid, one, other)
    band = band_pass(other)
    over = _overlay(one, (band.shape[0], band.shape[1]), matrix)
    if over is None:
        return float("nan")
    inside = np.s_[over.top : over.bottom, over.left : over.right]
    mine, theirs = over.laid[inside], band[inside]
    mean, means = _boxes(mine), _boxes(theirs)
    variance, variances = _boxes(mine * mine) - mean * mean, _boxes(theirs * theirs) - means * means
    usable = (variance > _BOX_TEXTURE**2) & (variances > _BOX_TEXTURE**2)
    if usable.sum() < _LEAST_USABLE * usable.size:
        return float("nan")
    covariance = (_boxes(mine * theirs) - mean * means)[usable]
    local = covariance / np.sqrt(variance[usable] * variances[usable])
    return float(np.quantile(local, _WORST))


def falls_off(laid: Laid, one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """How much worse a pair agrees 3 px beside its place, whatever the direction, over all that both show.

    A scratch fits every scratch along its length, block by block; the whole of its grain does not.

    Args:
        laid: How the first lies on the second, as `verify` found it.
        one: The first, as for `verify`.
        other: The second.

    Returns:
        The correlation in place minus the best one 3 px away; 0 where too little is left to shift.
    """
    one, other, matrix, _ = _coarser_last(laid, one, other)
    band = band_pass(other)
    over = _overlay(one, (band.shape[0], band.shape[1]), matrix)
    if over is None or min(over.right - over.left, over.bottom - over.top) < _LEAST_SIDE + 2 * _REACH:
        return 0.0
    inner = over.laid[over.top + _REACH : over.bottom - _REACH, over.left + _REACH : over.right - _REACH]
    around = band[over.top : over.bottom, over.left : over.right]
    scores = cv2.matchTemplate(around, inner, cv2.TM_CCOEFF_NORMED).ravel()
    return float(scores[_SHIFTS // 2] - scores[_RING].max())


def _coarser_last(
    laid: Laid, one: NDArray[np.uint8], other: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float64], bool]:
    """Both pictures, the map of their pixels, and whether they were swapped.

    The finer one is laid on the coarser one: enlarged, it would have less detail than it is compared with.
    """
    one = apply_code(one, laid.code)
    matrix = _in_pixels(laid.matrix, one.shape, other.shape)
    if np.linalg.det(matrix[:, :2]) > 1:
        return other, one, _inverse(matrix), True
    return one, other, matrix, False


def _boxes(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    return cv2.blur(picture, (_BOX, _BOX), borderType=cv2.BORDER_REFLECT_101)[::2, ::2]  # type: ignore[return-value]


class _Overlay(NamedTuple):
    """The first laid on the second, band-passed, and the rectangle inside of both, px of the second."""

    laid: NDArray[np.float32]
    left: int
    top: int
    right: int
    bottom: int
    share: float


def _overlay(one: NDArray[np.uint8], size: tuple[int, int], matrix: NDArray[np.float64]) -> _Overlay | None:
    """Lay a picture on another of this size (height, width); None where they share next to nothing."""
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    left, top, right, bottom = _rectangle(matrix, one.shape, size)
    if min(right - left, bottom - top) < _LEAST_SIDE or scale < _LEAST_SCALE:
        return None
    share = (right - left) * (bottom - top) / min(one.size * scale * scale, size[0] * size[1])
    laid = cv2.warpAffine(
        _softened(one, scale),
        matrix,
        size[::-1],
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return _Overlay(band_pass(laid), left, top, right, bottom, min(share, 1.0))  # type: ignore[arg-type]


def _compare(one: NDArray[np.uint8], band: NDArray[np.float32], matrix: NDArray[np.float64]) -> Verdict:
    """The verdict, with the matrix moved to where the blocks were found."""
    over = _overlay(one, (band.shape[0], band.shape[1]), matrix)
    if over is None:
        return Verdict(0, 0, np.nan, 0.0, matrix)
    grid = _grid(over.left, over.top, over.right, over.bottom)
    peaks, falls, shifts, centres = _search_blocks(over.laid, band, grid)
    if not len(peaks):
        return Verdict(0, 0, np.nan, over.share, matrix)
    return Verdict(
        len(peaks),
        int((falls > _FALL).sum()),
        float(np.quantile(peaks, 0.25)),
        over.share,
        _moved(matrix, centres[peaks >= _FOUND], shifts[peaks >= _FOUND]),
    )


def _moved(
    matrix: NDArray[np.float64], centres: NDArray[np.float64], shifts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The matrix, followed by the similarity that moves the blocks to where they were found."""
    if not len(centres):
        return matrix
    places = centres @ [1, 1j]
    found = places + shifts @ [1, 1j]
    one, other = places - places.mean(), found - found.mean()
    spread = float((np.abs(one) ** 2).sum())
    factor = (np.conj(one) * other).sum() / spread if len(centres) >= _ENOUGH and spread else 1.0 + 0j
    offset = found.mean() - factor * places.mean()
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([turn @ matrix[:, :2], turn @ matrix[:, 2] + [offset.real, offset.imag]])


def _in_pixels(
    matrix: NDArray[np.float64], one: tuple[int, ...], other: tuple[int, ...]
) -> NDArray[np.float64]:
    """A map of shares as a map of pixel centres, as OpenCV counts them."""
    to = np.array([other[1], other[0]], np.float64)
    linear = to[:, None] * matrix[:, :2] / np.array([one[1], one[0]], np.float64)
    shift = to * matrix[:, 2] + linear @ [0.5, 0.5] - 0.5
    return np.column_stack([linear, shift])


def _in_shares(
    matrix: NDArray[np.float64], one: tuple[int, ...], other: tuple[int, ...]
) -> NDArray[np.float64]:
    """The inverse of `_in_pixels`."""
    to = np.array([other[1], other[0]], np.float64)
    shift = (matrix[:, 2] - matrix[:, :2] @ [0.5, 0.5] + 0.5) / to
    return np.column_stack([matrix[:, :2] / to[:, None] * np.array([one[1], one[0]], np.float64), shift])


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def _rectangle(
    matrix: NDArray[np.float64], one: tuple[int, ...], other: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom, px of the other, of the upright rectangle inside of both."""
    height, width = one
    ends = np.array([[0, 0, 1], [width - 1, 0, 1], [0, height - 1, 1], [width - 1, height - 1, 1]])
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = ends @ matrix.T
    left, right = max(x0, x2, 0), min(x1, x3, other[1] - 1)
    top, bottom = max(y0, y1, 0), min(y2, y3, other[0] - 1)
    return int(np.ceil(left)), int(np.ceil(top)), int(np.floor(right)) + 1, int(np.floor(bottom)) + 1


def _softened(picture: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale > 0.9:
        return np.ascontiguousarray(picture)
    return cv2.GaussianBlur(picture, (0, 0), 0.5 * float(np.sqrt(1 / (scale * scale) - 1)))  # type: ignore[return-value]


def band_pass(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a gray picture has of structures of about 3 px."""
    gray = picture.astype(np.float32)
    return np.subtract(cv2.GaussianBlur(gray, (0, 0), 0.8), cv2.GaussianBlur(gray, (0, 0), 3.0), out=gray)


class _Grid(NamedTuple):
    """Blocks of one size that tile a rectangle, px."""

    left: int
    top: int
    across: int
    down: int
    width: int
    height: int


def _grid(left: int, top: int, right: int, bottom: int) -> _Grid:
    """Blocks of about 20 px; what is left over is cut evenly from both sides."""
    across, down = (max(1, round(side / _BLOCK)) for side in (right - left, bottom - top))
    while across * down > _MOST_BLOCKS:
        across, down = (across - 1, down) if across >= down else (across, down - 1)
    width, height = (right - left) // across, (bottom - top) // down
    left += (right - left - across * width) // 2
    top += (bottom - top - down * height) // 2
    return _Grid(left, top, across, down, width, height)


def _search_blocks(
    laid: NDArray[np.float32], other: NDArray[np.float32], grid: _Grid
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]:
    """Of each block with texture the correlation, how much it falls off, the shift (x, y), its centre."""
    high, wide = grid.down * grid.height, grid.across * grid.width
    one = laid[grid.top : grid.top + high, grid.left : grid.left + wide]
    around = np.pad(other, _REACH)[
        grid.top : grid.top + high + 2 * _REACH, grid.left : grid.left + wide + 2 * _REACH
    ]
    windows = np.lib.stride_tricks.sliding_window_view(around, (high, wide)).reshape(_SHIFTS, high, wide)
    cells = (grid.across, grid.down)
    mean, square = _means(one[None], cells), _means((one * one)[None], cells)
    means, squares = _means(windows, cells), _means(windows * windows, cells)
    products = _means(windows * one, cells)
    variance, variances = square - mean * mean, squares - means * means
    textured = (variance[0] >= _TEXTURE**2) & (variances[_SHIFTS // 2] >= _TEXTURE**2)
    scale = np.sqrt(np.maximum(variance * variances, 1e-6))
    maps = ((products - mean * means) / scale)[:, textured].T
    peaks = maps.max(axis=1, initial=-1)
    best = maps.argmax(axis=1)
    shifts = np.stack([best % _SIDE, best // _SIDE], axis=1) - _REACH
    rows, columns = np.nonzero(textured)
    centres = np.stack([
        grid.left + (columns + 0.5) * grid.width - 0.5, grid.top + (rows + 0.5) * grid.height - 0.5
    ], axis=1)  # fmt: skip
    return peaks, peaks - maps[:, _RING].max(axis=1, initial=-1), shifts, centres


def _means(pictures: NDArray[np.float32], cells: tuple[int, int]) -> NDArray[np.float32]:
    """Means of the blocks (n, down, across) of n pictures; OpenCV gets them as one tall picture."""
    count, high, wide = pictures.shape
    across, down = cells
    tall = cv2.resize(
        pictures.reshape(count * high, wide), (across, count * down), interpolation=cv2.INTER_AREA
    )
    return tall.reshape(count, down, across)  # type: ignore[return-value]
