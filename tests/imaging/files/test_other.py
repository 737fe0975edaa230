"""PNM, JPEG 2000 and AVIF: by their bytes, right to the last pixel, or refused."""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.decode import decode, decode_with_header

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOSSLESS = {".jp2": [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000]}
KINDS = {".pgm": "pnm", ".ppm": "pnm", ".jp2": "jp2"}


def saved(suffix: str, pixels: NDArray[Any]) -> bytes:
    return cv2.imencode(suffix, pixels, LOSSLESS.get(suffix, []))[1].tobytes()


def noise(shape: tuple[int, ...], most: int) -> NDArray[Any]:
    small = np.random.default_rng(7).integers(0, most + 1, shape)
    return small.astype(np.uint8 if most < 256 else np.uint16)


@pytest.mark.parametrize(("suffix", "most"), list(product(KINDS, (255, 4095, 65535))))
def test_pixels_come_back_at_their_depth(suffix: str, most: int) -> None:
    pixels = noise((37, 53, 3) if suffix == ".ppm" else (37, 53), most)
    header, again = decode_with_header(saved(suffix, pixels))
    assert (header.format, header.width, header.height) == (KINDS[suffix], 53, 37)
    assert (header.channels, header.bit_depth) == (3 if suffix == ".ppm" else 1, 8 if most < 256 else 16)
    assert again.dtype == pixels.dtype
    assert (again == pixels).all() or suffix == ".jp2"


@pytest.mark.parametrize(
    ("data", "pixels"),
    [
        (b"P1\n# a remark\n3 2\n0 1 0\n1 1 0\n", [[255, 0, 255], [0, 0, 255]]),
        (b"P4 8 1 \xf0", [[0, 0, 0, 0, 255, 255, 255, 255]]),
        (b"P2\n3 1\n255\n1 2 3\n", [[1, 2, 3]]),
        (b"P5\n2 1\n4095\n\x0f\xff\x00\x01", [[4095, 1]]),
        (b"P6 1 1 255 \x01\x02\x03", [[[3, 2, 1]]]),
    ],
)
def test_pnm_in_all_its_forms(data: bytes, pixels: list[object]) -> None:
    assert decode(data).tolist() == pixels
    with pytest.raises(BadImage, match="the PNM has"):
        decode(data.rstrip()[:-1])


def test_avif_is_read_where_it_is_neither_turned_nor_animated() -> None:
    smooth = cv2.resize(noise((4, 5, 3), 255), (64, 48), interpolation=cv2.INTER_CUBIC)
    data = saved(".avif", smooth)
    header, again = decode_with_header(data)
    assert (header.format, header.width, header.height, header.channels) == ("avif", 64, 48, 3)
    assert np.abs(again.astype(int) - smooth).mean() < 6
    for change in ((b"ftypavif", b"ftypavis"), (b"pixi", b"irot")):
        with pytest.raises(BadImage, match=r"an animated AVIF|turned or mirrored"):
            decode(data.replace(*change))


@pytest.mark.parametrize("suffix", [".pgm", ".jp2", ".avif"])
def test_no_cut_file_passes(suffix: str) -> None:
    data = saved(suffix, noise((20, 30, 3) if suffix == ".avif" else (40, 60), 255))
    for length in range(0, len(data), max(1, len(data) // 60)):
        with pytest.raises(BadImage):
            decode(data[:length])


def test_heic_is_named_with_what_to_do() -> None:
    with pytest.raises(BadImage, match="HEIC pictures cannot be decoded here: convert to PNG"):
        decode(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))


@pytest.mark.parametrize("data", [b"P5 0 3 255 x", b"P5 2 2 15 abcd", b"P5 x", b"P2 3 1 70000 1 2 3 "])
def test_impossible_pnm_headers_are_refused(data: bytes) -> None:
    with pytest.raises(BadImage):
        decode(data)


@given(
    st.sampled_from([b"P5 ", b"P1\n", b"\xff\x4f\xff\x51", b"\0\0\0\x20ftypavif"]), st.binary(max_size=300)
)
def test_any_bytes_are_an_image_or_a_bad_one(start: bytes, rest: bytes) -> None:
    with suppress(BadImage):
        decode(start + rest)


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_stops_nothing(place: int, value: int) -> None:
    data = bytearray(saved(".avif", noise((20, 30, 3), 255)))
    data[place % len(data)] = value
    with suppress(BadImage):
        decode(bytes(data))
