"""Small seeded pictures and image files for the tests of imaging."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray


def texture(seed: int = 0, height: int = 120, width: int = 200) -> NDArray[np.uint8]:
    """A gray surface with structure at several scales, (height, width)."""
    rng = np.random.default_rng(seed)
    total = np.full((height, width), 120.0)
    for sigma, strength in ((1.0, 20.0), (4.0, 120.0), (20.0, 600.0)):
        total += strength * cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), sigma)
    return np.clip(total, 20, 235).astype(np.uint8)


def colours(seed: int = 0, height: int = 120, width: int = 200) -> NDArray[np.uint8]:
    """A BGR surface whose channels differ, (height, width, 3)."""
    return np.dstack([texture(seed + step, height, width) for step in range(3)])


def jpeg(image: NDArray[Any], quality: int = 95) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def png(image: NDArray[Any]) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def pillow(image: NDArray[Any], kind: str, mode: str | None = None, **options: Any) -> bytes:
    """A file Pillow writes of an RGB or gray array."""
    picture = Image.fromarray(image)
    buffer = io.BytesIO()
    (picture.convert(mode) if mode else picture).save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int | None = None, taken: str | None = None) -> bytes:
    block = Image.Exif()
    if orientation is not None:
        block[0x0112] = orientation
    if taken is not None:
        block[0x0132] = taken
    return block.tobytes()
