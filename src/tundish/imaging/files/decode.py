"""Decode and encode images: native depth, upright, silent, never a wrong picture for a damaged file.

JPEG goes through simplejpeg (libjpeg-turbo): the pixels are those of cv2.imdecode, but a stream libjpeg only
*warns* about is an error here, and nothing is written to stderr. Everything else goes through OpenCV after
the structural checks of `header`. The caller sets cv2.setNumThreads(0) where it decodes in threads of its
own.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.header import Header, check_complete, read_header
from tundish.imaging.files.png import pixels_only
from tundish.imaging.files.tiff import is_cmyk
from tundish.imaging.framehash import halve

__all__ = [
    "MAX_PIXELS",
    "Image",
    "decode",
    "decode_gray",
    "decode_with_header",
    "encode",
    "to_gray8",
    "turn_upright",
]

MAX_PIXELS = 200_000_000
"""Default limit of width x height; a line-scan frame of 16384 x 12000 px still fits."""

Image = NDArray[Any]
"""Gray (h, w), BGR (h, w, 3) or BGRA (h, w, 4) pixels of 8 or 16 bits."""

_PADDING = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
_MOST_PADDING = 16


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Decode an image file at its native depth and turn it upright by its EXIF orientation.

    Args:
        data: Bytes of a file that `read_header` knows; of several pages or frames the first is used.
        max_pixels: Larger images are refused by their header, before any pixel is decoded.

    Returns:
        Gray (h, w), BGR (h, w, 3) or BGRA (h, w, 4), uint8 or uint16. CMYK becomes BGR.

    Raises:
        BadImage: The bytes are not an image that can be read correctly; see `BadImage.reason`.
    """
    return decode_with_header(data, max_pixels=max_pixels)[1]


def decode_with_header(data: bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[Header, Image]:
    """Decode as `decode` does; the header comes first."""
    header = _check_header(data, max_pixels)
    return header, _upright(data, header)


def _upright(data: bytes, header: Header) -> Image:
    if header.format == "jpeg":
        return turn_upright(_jpeg(data, header), header.orientation)
    image = _opencv(pixels_only(data) if header.format == "png" else data)
    if header.format == "tiff":  # OpenCV has turned it already, and adds an opaque alpha channel to CMYK
        return np.ascontiguousarray(image[..., :3]) if is_cmyk(data) else image
    return turn_upright(image, header.orientation)


def decode_gray(
    data: bytes, *, max_pixels: int = MAX_PIXELS, longest: int = 0, shortest: int = 0
) -> tuple[Header, NDArray[np.uint8]]:
    """Decode the header and the upright gray (h, w) picture, uint8, at 1, 1/2, 1/4 or 1/8 of its size.

    A JPEG is reduced while it is decoded, which saves most of the work that is not reading the stream; other
    images are halved by areas afterwards. A colour JPEG gives its luminance as stored, at most one gray
    level from the result of `to_gray8`. The whole stream is read, so that damage is found as by `decode`.

    Args:
        data: Bytes of the file.
        max_pixels: Larger images are refused before any decoding.
        longest: The longer side keeps at least this many px; with 0 the picture is not reduced.
        shortest: The shorter side keeps at least this many px.

    Raises:
        BadImage: As for `decode`.
    """
    header = _check_header(data, max_pixels)
    scale = _scale(header, longest, shortest) if longest else 1
    if header.format == "jpeg" and header.channels < 4:
        return header, turn_upright(_jpeg_pixels(data, "GRAY", header, scale)[..., 0], header.orientation)
    gray = to_gray8(_upright(data, header))
    for _ in range(scale.bit_length() - 1):
        gray = halve(gray)
    return header, gray


def _scale(header: Header, longest: int, shortest: int) -> int:
    """The largest of 1, 2, 4 and 8 that leaves both sides long enough."""
    sides = sorted((header.width, header.height))
    scale = 1
    while scale < 8 and sides[0] // (2 * scale) >= shortest and sides[1] // (2 * scale) >= longest:
        scale *= 2
    return scale


def turn_upright(image: Image, orientation: int) -> Image:
    """Turn the stored frame of an image into the upright one, by EXIF orientation 1 to 8."""
    if orientation == 1:
        return image
    if orientation in (5, 7):
        image = cv2.transpose(image)
    if orientation in (6, 8):
        return cv2.rotate(
            image, cv2.ROTATE_90_CLOCKWISE if orientation == 6 else cv2.ROTATE_90_COUNTERCLOCKWISE
        )
    flip = {2: 1, 3: -1, 4: 0, 7: -1}.get(orientation)
    return image if flip is None else cv2.flip(image, flip)


def to_gray8(image: Image) -> NDArray[np.uint8]:
    """Convert an image to gray (h, w), uint8. Alpha is ignored.

    16-bit values are divided by 256, or by 16 where none reaches 4096: industrial cameras put 12 bits into
    16. The divisor depends on nothing else, so that dark and bright frames of one camera stay comparable.
    """
    if image.dtype == np.uint16:
        image = (image >> (8 if int(image.max(initial=0)) > 4095 else 4)).astype(np.uint8)
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY if image.shape[2] == 3 else cv2.COLOR_BGRA2GRAY)
    return image


def encode(image: Image, kind: Literal["jpeg", "png", "webp"], quality: int = 95) -> bytes:
    """Encode pixels; the same pixels give the same bytes.

    Args:
        image: The pixels, as from `decode`; JPEG and WebP take 8 bits, and JPEG no alpha.
        kind: The format to write.
        quality: 1 to 100 for JPEG and WebP; PNG is always lossless.
    """
    options = {
        "jpeg": [cv2.IMWRITE_JPEG_QUALITY, quality],
        "png": [cv2.IMWRITE_PNG_COMPRESSION, 3],
        "webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
    }[kind]
    alpha = image.ndim == 3 and image.shape[2] == 4
    if (kind != "png" and image.dtype != np.uint8) or (kind == "jpeg" and alpha):
        raise ValueError(f"{kind} cannot store {image.dtype} pixels of shape {image.shape}")
    return cv2.imencode(f".{kind}", image, options)[1].tobytes()


def _check_header(data: bytes, max_pixels: int) -> Header:
    header = read_header(data)
    if header.width * header.height > max_pixels:
        raise BadImage(
            "too_large", f"{header.width} x {header.height} px are more than the {max_pixels} px allowed"
        )
    check_complete(data, header.format)
    return header


def _jpeg(data: bytes, header: Header) -> Image:
    image = _jpeg_pixels(data, {1: "GRAY", 3: "BGR", 4: "CMYK"}[header.channels], header)
    if header.channels == 4:
        return _cmyk_to_bgr(image)
    return image[..., 0] if header.channels == 1 else image


def _jpeg_pixels(data: bytes, space: str, header: Header, scale: int = 1) -> Image:
    least = {
        "min_width": -(-header.width // scale),
        "min_height": -(-header.height // scale),
        "min_factor": scale,
    }
    try:
        image: Image = simplejpeg.decode_jpeg(data, space, **least)
    except ValueError as error:
        image = _decode_padded(data, space, least, str(error))
    return image


def _decode_padded(data: bytes, space: str, least: dict[str, int], complaint: str) -> NDArray[np.uint8]:
    """Some cameras pad the scan with a few bytes; that, and only that, is not damage."""
    padding = _PADDING.search(complaint)
    if padding and int(padding[1]) <= _MOST_PADDING:
        try:
            padded: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, space, strict=False, **least)
        except ValueError as error:
            raise BadImage("corrupt", str(error)) from None
        return padded
    raise BadImage("truncated" if "Premature end of JPEG" in complaint else "corrupt", complaint)


def _cmyk_to_bgr(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Adobe stores CMYK inverted, as light: the colour is the product of ink light and key light."""
    light = image[..., :3].astype(np.uint16) * image[..., 3:]
    return np.ascontiguousarray(((light + 127) // 255)[..., ::-1].astype(np.uint8))


def _opencv(data: bytes) -> Image:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise BadImage("corrupt", f"OpenCV cannot decode it: {error.err}") from None
    if image is None:
        raise BadImage("corrupt", "OpenCV cannot decode it")
    if image.dtype not in (np.uint8, np.uint16):
        raise BadImage("unsupported", f"pixels of type {image.dtype}")
    return image
