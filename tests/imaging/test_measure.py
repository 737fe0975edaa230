from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from tests.imaging.pictures import colours, exif, jpeg, pillow, png, texture

from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.decode import decode, decode_gray, to_gray8
from tundish.imaging.measure import measure, pixel_hash


def test_size_and_time_are_upright() -> None:
    found = measure(pillow(colours(), "JPEG", exif=exif(6, "2024:02:29 10:20:30")))
    assert (found.width, found.height, found.orientation) == (120, 200, 6)
    assert found.captured_at is not None
    assert found.captured_at.minute == 20


def test_a_turned_file_has_the_pixels_of_its_upright_twin() -> None:
    upright = png(texture())
    stored = np.ascontiguousarray(np.rot90(texture(), 1))
    assert measure(pillow(stored, "PNG", exif=exif(6))).gray_hash == measure(upright).gray_hash


def test_pixel_hash_sees_pixels_shape_and_type() -> None:
    gray = texture()
    assert measure(png(gray)).gray_hash == measure(pillow(gray, "BMP")).gray_hash == pixel_hash(gray)
    assert len(pixel_hash(gray)) == 16
    changed = gray.copy()
    changed[-1, -1] ^= 1
    others: list[Any] = [
        changed,
        gray.reshape(200, 120),
        gray.astype(np.uint16),
        gray[..., None],
        gray.T,
        gray[::-1],
    ]
    assert len({pixel_hash(one) for one in [gray, *others]}) == 7


@pytest.mark.parametrize(
    "data",
    [
        png(texture()),
        png(np.dstack([texture()] * 3)),
        png(texture().astype(np.uint16) * 257),
        png(texture().astype(np.uint16) * 16),
        png(np.dstack([texture()] * 3 + [np.full_like(texture(), 9)])),
        pillow(texture(), "PNG", "LA"),
        pillow(texture(), "TIFF"),
        pillow(texture(), "BMP"),
        pillow(np.dstack([texture()] * 3), "TIFF", "CMYK"),
        pillow(np.dstack([texture()] * 3), "JPEG", "CMYK", quality=100),
        jpeg(texture(), 100),
    ],
    ids=["gray", "bgr", "16 bit", "12 bit", "alpha", "LA", "tiff", "bmp", "tiff cmyk", "jpeg cmyk", "jpeg"],
)
def test_every_kind_of_file_is_measured_alike(data: bytes) -> None:
    found, gray = measure(data), texture()
    assert found.brightness == pytest.approx(gray.mean() / 255, abs=0.003)
    assert found.contrast == pytest.approx(gray.std() / 255, abs=0.003)
    assert found.sharpness == pytest.approx(measure(png(gray)).sharpness, rel=0.1)
    thumbnail = np.frombuffer(found.thumbnail, np.uint8).reshape(96, 96).astype(int)
    other = np.frombuffer(measure(png(gray)).thumbnail, np.uint8).reshape(96, 96)
    assert np.abs(thumbnail - other).mean() < 1


def test_clipped_shares() -> None:
    gray = np.full((100, 100), 128, np.uint8)
    gray[:25], gray[90:] = 0, 255
    found = measure(png(gray))
    assert (found.clipped_dark, found.clipped_bright) == (0.25, 0.1)


def test_sharpness_falls_with_blur_and_not_with_size() -> None:
    large = cv2.GaussianBlur(texture(3, 1200, 2400), (0, 0), 2)
    half = cv2.resize(large, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    sharp = measure(png(large)).sharpness
    assert measure(png(half)).sharpness == pytest.approx(sharp, rel=0.1)
    assert measure(png(cv2.GaussianBlur(large, (0, 0), 8))).sharpness < sharp / 3


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    edges = cv2.Laplacian(texture(), cv2.CV_64F)
    assert measure(png(texture())).sharpness == pytest.approx(edges.var(), rel=0.01)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (2, 2), (5000, 7)])
def test_odd_shapes(shape: tuple[int, int]) -> None:
    found = measure(png(np.full(shape, 60, np.uint8)))
    assert (found.height, found.width) == shape
    assert found.sharpness == 0
    assert len(found.thumbnail) == 96 * 96


def test_the_limit_holds() -> None:
    with pytest.raises(BadImage, match="too_large"):
        measure(png(texture()), max_pixels=100)


def test_equal_bytes_give_equal_measurements() -> None:
    data: Any = jpeg(colours(8))
    assert measure(data) == measure(data)


def test_a_colourless_jpeg_has_the_gray_of_its_lossless_twin() -> None:
    for data in (jpeg(texture()), jpeg(np.dstack([texture()] * 3))):
        assert measure(data).gray_hash == measure(png(decode(data))).gray_hash


def test_the_gray_of_a_colour_jpeg_is_that_of_its_colours() -> None:
    for orientation in range(1, 9):
        data = pillow(colours(), "JPEG", exif=exif(orientation), quality=95)
        gray = decode_gray(data)[1]
        assert np.abs(gray.astype(int) - to_gray8(decode(data))).max() <= 2
