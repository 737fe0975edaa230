from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING, Any, Literal, get_args

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.imaging.pictures import colours, exif, jpeg, pillow, texture

from tundish.imaging.files.bad import BadImage, Reason
from tundish.imaging.files.decode import decode, decode_with_header, encode, to_gray8, turn_upright
from tundish.imaging.files.header import read_header

if TYPE_CHECKING:
    from pathlib import Path


def reason(data: bytes, **limits: int) -> str:
    with pytest.raises(BadImage) as caught:
        decode(data, **limits)
    return caught.value.reason


def opencv(data: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"progressive": True},
        {"subsampling": 0},
        {"subsampling": 2},
        {"restart_marker_blocks": 5},
        {"optimize": True},
    ],
)
@pytest.mark.parametrize("gray", [False, True])
def test_a_jpeg_has_the_pixels_opencv_gives_it(gray: bool, options: dict[str, Any]) -> None:
    data = pillow(texture(1, 131, 77) if gray else colours(1, 131, 77), "JPEG", quality=80, **options)
    np.testing.assert_array_equal(decode(data), opencv(data))


@pytest.mark.parametrize(
    "image", [texture(), colours(), np.dstack([colours(), texture(9)])], ids=["gray", "bgr", "bgra"]
)
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_lossless_files_keep_depth_and_channels(image: Any, depth: Any, suffix: str) -> None:
    pixels = image.astype(depth) * (257 if depth == np.uint16 else 1)
    found = decode(cv2.imencode(suffix, pixels)[1].tobytes())
    assert found.dtype == depth
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(kind: str, orientation: int) -> None:
    upright = colours(3, 48, 80)
    stored = upright[..., ::-1]
    turns = {1: 0, 2: 0, 3: 2, 4: 2, 5: 3, 6: 1, 7: 1, 8: 3}  # of the upright frame, to the left
    stored = np.rot90(stored, turns[orientation])
    if orientation in (2, 4, 5, 7):
        stored = stored[:, ::-1]
    options: dict[str, Any] = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    options |= {"lossless": True} if kind == "WEBP" else {}
    options |= {"tiffinfo": {0x0112: orientation}} if kind == "TIFF" else {"exif": exif(orientation)}
    header, found = decode_with_header(pillow(np.ascontiguousarray(stored), kind, **options))
    assert header.orientation == orientation
    assert found.shape == upright.shape
    assert np.abs(found.astype(int) - upright).mean() < 2


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_becomes_the_colour_its_inks_make(kind: str) -> None:
    wanted = colours(4)
    data = pillow(wanted[..., ::-1], kind, "CMYK", **({"quality": 98} if kind == "JPEG" else {}))
    found = decode(data)
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).mean() < 3


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "GIF"])
def test_a_palette_becomes_its_colours(kind: str) -> None:
    flat = np.zeros((20, 30, 3), np.uint8)
    flat[:, :15], flat[:, 15:] = (255, 0, 0), (0, 51, 255)  # RGB, both in the web palette
    np.testing.assert_array_equal(decode(pillow(flat, kind, "P"))[..., :3], flat[..., ::-1])


def test_gray_with_alpha_keeps_its_gray() -> None:
    for kind in ("PNG", "TIFF"):
        found = to_gray8(decode(pillow(texture(), kind, "LA")))
        np.testing.assert_array_equal(found, texture())


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits", "jpeg"])
def test_compressed_tiffs(compression: str) -> None:
    found = decode(pillow(colours()[..., ::-1], "TIFF", compression=compression))
    assert np.abs(found.astype(int) - colours()).mean() < 3


def test_white_is_zero() -> None:
    data = pillow(texture(), "TIFF", tiffinfo={262: 0})
    assert read_header(data).channels == 1
    np.testing.assert_array_equal(decode(data), texture())


def test_16_bits_become_gray_by_the_camera_not_by_the_frame() -> None:
    pixels = texture().astype(np.uint16)
    np.testing.assert_array_equal(to_gray8(pixels * 257), texture())
    np.testing.assert_array_equal(to_gray8(pixels * 16), texture())
    assert to_gray8(np.full((4, 4), 1000, np.uint16)).max() == 62


def bomb() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(7501 * 3000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_reasons(capfd: pytest.CaptureFixture[str]) -> None:
    data = jpeg(colours())
    assert reason(b"") == "empty_file"
    assert reason(b"class x y w h") == "not_an_image"
    assert reason(bomb()) == "too_large"
    assert reason(data, max_pixels=200 * 120 - 1) == "too_large"
    assert reason(data[: len(data) // 2]) == "truncated"
    assert reason(pillow(colours(), "TIFF", "F")) == "unsupported"
    assert capfd.readouterr() == ("", "")


def damaged(data: bytes, how: str, rng: np.random.Generator) -> bytes:
    broken = bytearray(data)
    at = int(rng.integers(len(data) // 4, len(data) - 700))
    if how == "zeros":
        broken[at : at + 512] = bytes(512)
    elif how == "noise":
        broken[at : at + 512] = rng.bytes(512)
    elif how == "hole":
        del broken[at : at + 512]
    return bytes(broken)


@pytest.mark.parametrize("how", ["zeros", "noise", "hole"])
def test_damage_inside_a_jpeg_is_found_and_silent(how: str, capfd: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(7)
    data = jpeg(colours(5, 300, 300))
    found = 0
    for _ in range(40):
        try:
            decode(damaged(data, how, rng))
        except BadImage as error:
            found += error.reason == "corrupt"
    assert found >= 36
    assert capfd.readouterr() == ("", "")


def test_a_black_picture_is_not_taken_for_a_gap() -> None:
    black = np.zeros((800, 800), np.uint8)
    several: list[dict[str, Any]] = [{}, {"optimize": True}, {"progressive": True}]
    for options in several:
        assert decode(pillow(black, "JPEG", **options)).max() == 0


def test_padding_before_the_end_marker_is_not_damage() -> None:
    data = jpeg(colours())
    padded = data[:-2] + bytes(8) + data[-2:]
    np.testing.assert_array_equal(decode(padded), decode(data))


def test_a_wrong_colour_profile_of_a_png_is_not_noise(capfd: pytest.CaptureFixture[str]) -> None:
    data = pillow(colours()[..., ::-1], "PNG", icc_profile=b"no profile at all" * 20)
    np.testing.assert_array_equal(decode(data), colours())
    assert capfd.readouterr() == ("", "")


@settings(max_examples=60)
@given(st.data())
def test_no_damage_raises_anything_but_bad_image(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP"]))
    broken = bytearray(pillow(colours(1, 16, 24), kind))
    for place in data.draw(st.lists(st.integers(0, len(broken) - 1), min_size=1, max_size=4)):
        broken[place] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(broken), max_pixels=1_000_000)
    except BadImage as error:
        assert error.reason in get_args(Reason)  # noqa: PT017  (either outcome is right)


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 4]))))
def test_png_keeps_every_pixel(pixels: Any) -> None:
    image = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    np.testing.assert_array_equal(decode(encode(image, "png")), image)


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_encoding_is_deterministic_and_close(kind: Literal["jpeg", "png", "webp"]) -> None:
    data = encode(colours(), kind, 95)
    assert data == encode(colours(), kind, 95)
    assert np.abs(decode(data).astype(int) - colours()).mean() < 3


@pytest.mark.parametrize(
    ("kind", "image"), [("jpeg", texture().astype(np.uint16)), ("jpeg", np.dstack([colours(), texture()]))]
)
def test_encoding_refuses_what_the_format_cannot_hold(kind: Literal["jpeg"], image: Any) -> None:
    with pytest.raises(ValueError, match="cannot store"):
        encode(image, kind)


@given(st.integers(1, 8))
def test_turning_keeps_the_pixels(orientation: int) -> None:
    image = colours(1, 5, 7)
    assert np.array_equal(np.sort(turn_upright(image, orientation), None), np.sort(image, None))


@pytest.mark.shared
def test_all_public_jpegs_decode_as_opencv_decodes_them(shared_data: Path) -> None:
    paths = sorted(shared_data.rglob("*.jpg"))[:: 1 if os.environ.get("TUNDISH_ALL") else 10]
    assert paths
    for path in paths:
        data = path.read_bytes()
        np.testing.assert_array_equal(decode(data), opencv(data))
