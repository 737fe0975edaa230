"""Measure everything the pipeline needs from the pixels of an image, decoding it once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import xxhash

from tundish.imaging.files.decode import MAX_PIXELS, Image, decode_gray
from tundish.imaging.framehash import THUMBNAIL_SIDE, frame_hashes, halve, reduce_area
from tundish.imaging.geometry import oriented_size
from tundish.imaging.overlaps.features import describe_corners, pack_features
from tundish.imaging.overlaps.verify import detail_size

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from tundish.imaging.files.header import ImageFormat

__all__ = ["SHARPNESS_SIDE", "Measurement", "measure", "pixel_hash"]

SHARPNESS_SIDE = 512
"""Longest side, px, to which an image is reduced before its sharpness is measured."""

_DARK, _BRIGHT = 5, 250


@dataclass(frozen=True, slots=True)
class Measurement:
    """The measurements of an image; `channels` to `captured_at` are those of `Header`.

    Attributes:
        format: The format of the bytes.
        width: Width of the upright image, px.
        height: Height of the upright image, px.
        channels: The number of channels in the file.
        bit_depth: Bits per channel.
        orientation: EXIF orientation of the file.
        captured_at: EXIF time by the clock of the camera, without zone.
        gray_hash: 16 bytes, of the upright 8-bit gray pixels as measured and their shape. Images of equal
            pixels have equal ones where both are JPEG or neither is; `pixel_hash` of whole pixels proves it.
        frame_hash: 32 bytes, 256 DCT signs in canonical orientation (`framehash`).
        frame_code: 0 to 7, the orientation that made it canonical.
        other_hashes: Hashes of the orientations that nearly tie with the canonical one.
        other_codes: The codes of these orientations.
        sharpness: Mean square of the Laplacian of the gray image (its variance, as its mean is 0) where the
            longest side is `SHARPNESS_SIDE` px; smaller images are measured as they are. Gray levels squared.
        brightness: Mean gray, 0 black to 1 white.
        contrast: Standard deviation of gray, 0 to 0.5.
        clipped_dark: Share of pixels of gray 5 and less of 255.
        clipped_bright: Share of pixels of gray 250 and more of 255.
        thumbnail: 96 x 96 gray values, row by row, 9216 bytes; the whole frame whatever its shape.
        corners: Local features (`overlaps.features.pack_features`), 30 bytes each, at most 64.
        detail: Gray values of the frame in its own shape, reduced to `overlaps.verify.detail_size`.
    """

    format: ImageFormat
    width: int
    height: int
    channels: int
    bit_depth: int
    orientation: int
    captured_at: datetime | None
    gray_hash: bytes
    frame_hash: bytes
    frame_code: int
    other_hashes: tuple[bytes, ...]
    other_codes: tuple[int, ...]
    sharpness: float
    brightness: float
    contrast: float
    clipped_dark: float
    clipped_bright: float
    thumbnail: bytes
    corners: bytes
    detail: bytes


def measure(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Measurement:
    """Measure an image file, decoding it once.

    Quality is measured where the longer side has 512 to 1023 px, or less where the image has: a defect has
    the same weight whatever the resolution of the camera, and large images cost less.

    Args:
        data: Bytes of the file.
        max_pixels: Larger images are refused before any decoding.

    Raises:
        BadImage: The bytes are not an image that can be read correctly.
    """
    header, gray = decode_gray(data, max_pixels=max_pixels, longest=SHARPNESS_SIDE, shortest=THUMBNAIL_SIDE)
    thumbnail = reduce_area(gray, THUMBNAIL_SIDE)
    (frame_hash, frame_code), *others = frame_hashes(thumbnail)
    mean, deviation = cv2.meanStdDev(gray)
    width, height = oriented_size(header.orientation, header.width, header.height)
    return Measurement(
        format=header.format,
        width=width,
        height=height,
        channels=header.channels,
        bit_depth=header.bit_depth,
        orientation=header.orientation,
        captured_at=header.captured_at,
        gray_hash=pixel_hash(gray),
        frame_hash=frame_hash,
        frame_code=frame_code,
        other_hashes=tuple(found for found, _ in others),
        other_codes=tuple(code for _, code in others),
        sharpness=_sharpness(gray),
        brightness=float(mean[0, 0]) / 255,
        contrast=float(deviation[0, 0]) / 255,
        clipped_dark=np.count_nonzero(gray <= _DARK) / gray.size,
        clipped_bright=np.count_nonzero(gray >= _BRIGHT) / gray.size,
        thumbnail=thumbnail.tobytes(),
        corners=pack_features(describe_corners(gray)),
        detail=cv2.resize(gray, detail_size(width, height), interpolation=cv2.INTER_AREA).tobytes(),
    )


def pixel_hash(image: Image) -> bytes:
    """Compute a 16-byte digest of pixels, shape and type.

    XXH3-128 reads 20 GB/s where SHA-256 reads 2: on a 1600 x 256 px JPEG that is 1 % of the decoding,
    against 50 %. Nobody forges images here, and among 10^9 of them a chance collision has a probability
    of 10^-21.
    """
    digest = xxhash.xxh3_128(f"{image.dtype.str}{image.shape}".encode())
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()


def _sharpness(gray: NDArray[np.uint8]) -> float:
    """Mean square of the Laplacian; halving and one linear step approximate area reduction cheaply."""
    while max(gray.shape) >= 2 * SHARPNESS_SIDE and min(gray.shape) >= 2:
        gray = halve(gray)
    if (longest := max(gray.shape)) > SHARPNESS_SIDE:
        height, width = (max(1, round(side * SHARPNESS_SIDE / longest)) for side in gray.shape)
        gray = cv2.resize(gray, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    edges = cv2.Laplacian(gray, cv2.CV_16S)
    return float(cv2.norm(edges, cv2.NORM_L2SQR)) / edges.size
