"""Pictures in a form that browsers show: upright, of 8 bits, pixel for pixel those of the image.

Browsers do not show TIFF, and of 16 bits only the upper eight, in which a 12-bit picture is black.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tundish.imaging.files.decode import MAX_PIXELS, decode_with_header, encode
from tundish.imaging.files.header import read_header

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tundish.imaging.files.decode import Image
    from tundish.imaging.files.header import Header

__all__ = ["Levels", "Shown", "shown"]

_BROWSERS = frozenset({"jpeg", "png", "gif", "webp", "bmp"})

_TAIL = 0.001
"""Share of the values at either end that become black or white."""


class Levels(NamedTuple):
    """The gray values shown as black (`low`) and as white (`high`); those between in proportion."""

    low: int
    high: int


class Shown(NamedTuple):
    """A picture for the browser: bytes, media type, and the levels where values were changed."""

    data: bytes
    media_type: str
    levels: Levels | None = None


def shown(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Shown:
    """Make the picture that annotators see of an image file.

    A file that browsers show, that is upright and has 8 bits is used unchanged, byte for byte. Everything
    else becomes a PNG of the upright image. 16-bit values between the lowest and the highest are spread over
    8 bits, all channels alike; a thousandth of the values may be beyond either end.

    Raises:
        BadImage: The bytes cannot be decoded.
    """
    header = read_header(data)
    if _plain(header):
        return Shown(data, f"image/{header.format}")
    _, image = decode_with_header(data, max_pixels=max_pixels)
    if image.dtype != np.uint16:
        return Shown(encode(image, "png"), "image/png")
    levels = _levels(image)
    return Shown(encode(_spread(image, levels), "png"), "image/png", levels)


def _plain(header: Header) -> bool:
    inks = header.format == "jpeg" and header.channels == 4
    return header.format in _BROWSERS and header.orientation == 1 and header.bit_depth == 8 and not inks


def _levels(image: Image) -> Levels:
    """The levels of a 16-bit image, by its values without the alpha channel."""
    colours = image[..., :3] if image.ndim == 3 else image
    counts = np.cumsum(np.bincount(colours.ravel(), minlength=1 << 16))
    low, high = np.searchsorted(counts, [_TAIL * counts[-1], (1 - _TAIL) * counts[-1]]).tolist()
    if low == high:  # a uniform area: the few values that differ are all there is to see
        low, high = np.flatnonzero(counts)[0].item(), counts.searchsorted(counts[-1]).item()
    return Levels(low, max(high, low + 1))


def _spread(image: Image, levels: Levels) -> NDArray[np.uint8]:
    values = np.arange(1 << 16, dtype=np.float64)
    table = np.rint((values - levels.low) * 255 / (levels.high - levels.low)).clip(0, 255)
    picture: NDArray[np.uint8] = table.astype(np.uint8)[image]
    if image.ndim == 3 and image.shape[2] == 4:
        picture[..., 3] = image[..., 3] >> 8
    return picture
