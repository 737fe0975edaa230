"""Tells masks from photographs by their pixels: masks are flat in pieces, photographs have texture.

Measured is the share of neighbouring pixels that are equal: about 1 in a mask, also one with soft edges or
one that was saved as JPEG; a tenth to a half in a photograph, whose sensor is never silent.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

from tundish.formats.masks.values import open_picture
from tundish.imaging.files.decode import MAX_PIXELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Surface", "Verdict", "measure_surface", "verdict"]

Verdict = Literal["mask", "image", "unsure"]

_FLAT = 0.85
"""Share of equal neighbours from which a picture may be a mask."""
_TEXTURE = 0.6
"""Share of equal neighbours below which it is not."""
_LONGEST = 1024
"""px; JPEGs are decoded to about this size."""
_ROWS = 768
"""Rows that are measured of a large picture, in pairs that follow each other."""


@dataclass(frozen=True, slots=True)
class Surface:
    """What was measured of a picture.

    Attributes:
        width: Columns, in px.
        height: Rows, in px.
        flat: Share of pixels that equal their neighbours to the right and below, 0 to 1.
        levels: How many different gray values there are.
    """

    width: int
    height: int
    flat: float
    levels: int


def measure_surface(data: bytes, most_pixels: int = MAX_PIXELS) -> Surface | None:
    """How flat a picture is.

    Args:
        data: An image file.
        most_pixels: Larger pictures are not decoded.

    Returns:
        None where it cannot be read.
    """
    try:
        with open_picture(data) as opened:
            width, height = opened.size
            if width * height > most_pixels:
                return None
            opened.draft(None, (_LONGEST, _LONGEST))  # JPEG alone can be decoded smaller
            deep = opened.mode.startswith("I") or opened.mode in ("P", "F")
            pixels = np.asarray(opened if deep else opened.convert("L"))
    except (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError):
        return None
    return Surface(width, height, *_flatness(_thinned(pixels)))


def _thinned(pixels: NDArray[Any]) -> NDArray[Any]:
    """Some rows of a large picture, two by two, so that neighbours stay neighbours."""
    pairs = pixels.shape[0] // 2
    if pairs * 2 <= _ROWS:
        return pixels
    first = np.linspace(0, pairs - 1, _ROWS // 2).astype(int) * 2
    chosen: NDArray[Any] = pixels[np.stack([first, first + 1], axis=1).ravel()]
    return chosen


def _flatness(pixels: NDArray[Any]) -> tuple[float, int]:
    levels = int(np.unique(pixels).size)
    if min(pixels.shape) < 2:
        return 1.0, levels
    upper, lower = pixels[0::2], pixels[1::2]
    upper = upper[: lower.shape[0]]
    equal = (upper[:, :-1] == upper[:, 1:]) & (upper[:, :-1] == lower[:, :-1])
    return float(equal.mean()), levels


def verdict(candidate: Surface, partner: Surface) -> Verdict:
    """Whether a picture is the mask of its partner, as far as their pixels show."""
    if candidate.flat < _TEXTURE:
        return "image"
    if candidate.flat < _FLAT:
        return "unsure"
    plainer = candidate.levels <= 16 and partner.levels > 4 * candidate.levels
    return "mask" if partner.flat < _FLAT or plainer else "unsure"
