from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tundish.gallery.picture import Levels, shown
from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.decode import decode, encode

Pixels = NDArray[Any]


def gray(low: int, high: int, kind: Any, shape: tuple[int, ...] = (40, 100)) -> Pixels:
    return np.random.default_rng(1).integers(low, high, shape, dtype=kind, endpoint=True)


def tiff(pixels: Pixels) -> bytes:
    return cv2.imencode(".tiff", pixels)[1].tobytes()


def turned(data: bytes, orientation: int) -> bytes:
    """A JPEG with an EXIF segment that turns it."""
    exif = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def pixels_of(data: bytes) -> Pixels:
    """As a browser reads them: 8 bits, no EXIF."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    assert image is not None
    assert image.dtype == np.uint8
    return image


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_what_a_browser_shows_right_stays_byte_for_byte(kind: Any) -> None:
    data = encode(gray(0, 255, np.uint8, (40, 100, 3)), kind)
    assert shown(data) == (data, f"image/{kind}", None)
    plain = turned(encode(gray(0, 255, np.uint8), "jpeg"), 1)
    assert shown(plain).data == plain


def test_tiff_becomes_png_pixel_for_pixel() -> None:
    for shape in ((40, 100), (40, 100, 3)):
        pixels = gray(0, 255, np.uint8, shape)
        picture = shown(tiff(pixels))
        assert (picture.media_type, picture.levels) == ("image/png", None)
        np.testing.assert_array_equal(pixels_of(picture.data), pixels)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_turned_pictures_become_upright(orientation: int) -> None:
    data = turned(encode(gray(0, 255, np.uint8, (40, 100, 3)), "jpeg"), orientation)
    picture = shown(data)
    assert picture.media_type == "image/png"
    np.testing.assert_array_equal(pixels_of(picture.data), decode(data))
    assert pixels_of(picture.data).shape == ((100, 40, 3) if orientation >= 5 else (40, 100, 3))


@pytest.mark.parametrize(("low", "high"), [(0, 4095), (300, 700), (0, 65535), (60000, 65535)])
def test_16_bits_are_spread_over_8_and_the_levels_are_reported(low: int, high: int) -> None:
    pixels = gray(low, high, np.uint16, (100, 400))
    for data in (tiff(pixels), encode(pixels, "png")):
        picture = shown(data)
        levels = picture.levels
        assert levels is not None
        span = high - low
        assert low <= levels.low <= low + 0.002 * span + 1
        assert high - 0.002 * span - 1 <= levels.high <= high
        expected = (pixels.astype(np.float64) - levels.low) * 255 / (levels.high - levels.low)
        np.testing.assert_array_equal(pixels_of(picture.data), np.rint(expected).clip(0, 255))


def test_a_hot_pixel_does_not_darken_the_picture() -> None:
    pixels = gray(100, 400, np.uint16, (100, 400))
    pixels[50, 50] = 65535
    picture = shown(encode(pixels, "png"))
    assert picture.levels is not None
    assert picture.levels.high <= 400
    assert pixels_of(picture.data)[50, 50] == 255


def test_a_small_defect_in_an_even_plane_is_seen() -> None:
    pixels = np.full((100, 400), 1000, np.uint16)
    pixels[3, 3:6], pixels[9, 9] = 900, 1100
    picture = shown(encode(pixels, "png"))
    assert picture.levels == Levels(900, 1100)
    seen = pixels_of(picture.data)
    assert seen[3, 4] < seen[0, 0] < seen[9, 9]
    flat = shown(encode(np.full((9, 9), 65535, np.uint16), "png"))
    assert flat.levels == Levels(65535, 65536)


def test_alpha_is_not_stretched() -> None:
    pixels = gray(100, 400, np.uint16, (40, 100, 4))
    pixels[..., 3] = 65535
    picture = shown(encode(pixels, "png"))
    assert picture.levels is not None
    assert picture.levels.high <= 400
    assert (pixels_of(picture.data)[..., 3] == 255).all()


def test_same_bytes_every_time() -> None:
    data = tiff(gray(0, 4095, np.uint16))
    assert shown(data) == shown(data)


def test_what_is_not_a_picture() -> None:
    with pytest.raises(BadImage):
        shown(b"II*\0 no TIFF")
    with pytest.raises(BadImage):
        shown(tiff(gray(0, 4095, np.uint16)), max_pixels=100)
