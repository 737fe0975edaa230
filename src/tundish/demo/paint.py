"""Random fields and shapes with which the samples are painted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Field", "cloud", "grain", "jpeg", "line_mask", "png", "slide"]

Field = NDArray[np.float32]
"""A float32 array (height, width)."""

_EXIF_IFD, _DATETIME_ORIGINAL = 0x8769, 0x9003


def cloud(rng: np.random.Generator, height: int, width: int, rows: int, columns: int) -> Field:
    """A smooth field of about unit variance with rows x columns hills and dales."""
    seeds = rng.standard_normal((rows + 3, columns + 3), dtype=np.float32)
    enlarged = cv2.resize(seeds, None, fx=width / columns, fy=height / rows, interpolation=cv2.INTER_CUBIC)
    top, left = (enlarged.shape[0] - height) // 2, (enlarged.shape[1] - width) // 2
    return np.asarray(enlarged[top : top + height, left : left + width] * 1.3, dtype=np.float32)


def grain(rng: np.random.Generator, height: int, width: int, along: float, across: float) -> Field:
    """Noise of unit variance, smeared by these standard deviations (px) along x and across it."""
    noise = rng.standard_normal((height, width), dtype=np.float32)
    smeared = cv2.GaussianBlur(noise, (0, 0), sigmaX=along, sigmaY=across, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(smeared * np.float32(np.sqrt(smeared.size) / cv2.norm(smeared)), dtype=np.float32)


def line_mask(height: int, width: int, points: NDArray[Any], thickness: int, soft: float) -> Field:
    """A polyline through points (n, 2) as a mask from 0 to 1 with soft edges."""
    drawn = np.zeros((height, width), dtype=np.uint8)
    fixed = np.rint(points * 16).astype(np.int32)
    cv2.polylines(
        drawn, [fixed], isClosed=False, color=255, thickness=thickness, lineType=cv2.LINE_AA, shift=4
    )
    mask = drawn.astype(np.float32) / 255
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), soft), dtype=np.float32)


def slide(value: NDArray[Any] | float, low: float, high: float) -> NDArray[np.float32]:
    """0 below `low`, 1 above `high`, and a smooth step between."""
    share = np.clip((np.asarray(value, dtype=np.float32) - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), dtype=np.float32)


def jpeg(picture: NDArray[Any], taken: datetime, quality: int = 92) -> bytes:
    """The picture (levels 0 to 255) as a JPEG file whose EXIF says when it was taken, without zone."""
    data = _encode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    exif = Image.Exif()
    exif.get_ifd(_EXIF_IFD)[_DATETIME_ORIGINAL] = f"{taken:%Y:%m:%d %H:%M:%S}"
    block = exif.tobytes()
    segment = b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block
    # After the JFIF segment, which comes first.
    at = 4 + int.from_bytes(data[4:6], "big")
    return data[:at] + segment + data[at:]


def png(picture: NDArray[Any]) -> bytes:
    """The picture (levels 0 to 255) as a PNG file."""
    return _encode(".png", picture, [])


def _encode(kind: str, picture: NDArray[Any], options: list[int]) -> bytes:
    done, data = cv2.imencode(kind, np.clip(np.rint(picture), 0, 255).astype(np.uint8), options)
    assert done, "an 8-bit picture can always be encoded"
    return bytes(data)
