"""Search the shift at which a picture continues another of its size: all shifts, by Fourier transform.

Corners need some dozen places to agree; strips that share a narrow margin, or a scratch and little else, do
not have them. The correlation of all pixels needs none, but costs half a millisecond a pair, so that it is
for pictures that are likely to overlap: neighbours in a sequence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy

from tundish.imaging.overlaps.verify import band_pass

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Spectrum", "find_shift", "prepare"]

_LEAST_SHARE, _LEAST_SIDE = 0.06, 12
_FLAT = 1.0
"""Mean square of the band-passed gray values from which an area has texture."""


class Spectrum(NamedTuple):
    """A picture, ready to be correlated with others of its size.

    Attributes:
        shape: Height and width of the picture, px.
        waves: Its Fourier transform, padded with zeros to twice its size.
        energy: For each shift (y, x; negative ones wrap around) the sum of squares of the part that another
            picture, shifted so, covers.
        covered: The same of the part that this picture covers where it is the other, shifted so.
    """

    shape: tuple[int, int]
    waves: NDArray[np.complex64]
    energy: NDArray[np.float32]
    covered: NDArray[np.float32]


def prepare(picture: NDArray[np.uint8]) -> Spectrum:
    """Transform a gray picture (h, w)."""
    band = band_pass(picture)
    height, width = band.shape
    high, wide = _padded(height), _padded(width)
    sums = np.zeros((height + 1, width + 1))
    sums[1:, 1:] = np.square(band, dtype=np.float64).cumsum(axis=0).cumsum(axis=1)
    top, bottom = _bounds(height, high)
    left, right = _bounds(width, wide)
    energy = (
        sums[np.ix_(bottom, right)]
        - sums[np.ix_(top, right)]
        - sums[np.ix_(bottom, left)]
        + sums[np.ix_(top, left)]
    ).astype(np.float32)
    other = np.ix_(-np.arange(high) % high, -np.arange(wide) % wide)
    return Spectrum((height, width), scipy.fft.rfft2(band, (high, wide)), energy, energy[other])


def find_shift(one: Spectrum, other: Spectrum) -> tuple[float, int, int]:
    """The shift at which two pictures of one size correlate best.

    Returns:
        The correlation, -1 to 1, of what both show at this shift, and the place x, y in the other, px, where
        the top left corner of the first lies.
    """
    size = one.energy.shape
    products = scipy.fft.irfft2(np.conj(one.waves) * other.waves, size)
    height, width = one.shape
    down, across = _lengths(height, size[0]), _lengths(width, size[1])
    area = np.outer(down, across).astype(np.float32)
    least = np.maximum(one.energy, 0) * np.maximum(other.covered, 0)
    usable = (area >= _LEAST_SHARE * height * width) & (least > np.square(_FLAT * area))
    usable &= np.minimum.outer(down, across) >= min(_LEAST_SIDE, height, width)
    scores = np.where(usable, products / np.sqrt(np.maximum(least, 1)), -1)
    y, x = divmod(int(scores.argmax()), size[1])
    return float(scores[y, x]), x - size[1] * (x >= width), y - size[0] * (y >= height)


def _padded(side: int) -> int:
    return int(scipy.fft.next_fast_len(2 * side, real=True))


def _shifts(side: int, padded: int) -> NDArray[np.int64]:
    """All shifts of a side in the order of the transform; those that leave nothing in common as such."""
    places = np.arange(padded)
    shifts: NDArray[np.int64] = np.where(places < side, places, places - padded)
    return shifts


def _lengths(side: int, padded: int) -> NDArray[np.int64]:
    lengths: NDArray[np.int64] = np.maximum(side - np.abs(_shifts(side, padded)), 0)
    return lengths


def _bounds(side: int, padded: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last place that another picture covers at each shift."""
    shifts = _shifts(side, padded)
    return np.clip(-shifts, 0, side), np.clip(side - shifts, 0, side)
