from __future__ import annotations

import io
import struct
import time
import zlib
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.imaging.pictures import colours, exif, jpeg, pillow, png, texture

from tundish.imaging.files.bad import BadImage, Reason
from tundish.imaging.files.header import Header, check_complete, read_header

if TYPE_CHECKING:
    import random

FORMATS = ["JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP"]


def sample(kind: str) -> bytes:
    return pillow(colours(1, 40, 60), kind)


def look(data: bytes) -> Header | str:
    try:
        header = read_header(data)
        check_complete(data, header.format)
    except BadImage as error:
        assert error.reason in get_args(Reason)  # noqa: PT017  (either outcome is right)
        return error.reason
    return header


def saved(kind: str, mode: str) -> bytes | None:
    """What Pillow writes, or None where the format has no such mode."""
    picture = Image.fromarray(texture(2, 33, 47)) if mode != "I;16" else Image.new("I;16", (47, 33), 9)
    buffer = io.BytesIO()
    try:
        (picture if mode == "I;16" else picture.convert(mode)).save(buffer, kind)
    except (OSError, ValueError):
        return None
    return buffer.getvalue()


MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"]
SAVED = {(kind, mode): data for kind in FORMATS for mode in MODES if (data := saved(kind, mode))}


@pytest.mark.parametrize(("kind", "mode"), SAVED)
def test_size_agrees_with_pillow(kind: str, mode: str) -> None:
    header = look(SAVED[kind, mode])
    assert isinstance(header, Header)
    assert (header.format, header.width, header.height) == (kind.lower(), 47, 33)


@pytest.mark.parametrize(
    ("data", "channels", "depth"),
    [
        (jpeg(texture()), 1, 8),
        (jpeg(colours()), 3, 8),
        (pillow(colours(), "JPEG", "CMYK"), 4, 8),
        (png(texture()), 1, 8),
        (png(texture().astype("uint16") * 257), 1, 16),
        (png(colours().astype("uint16") * 257), 3, 16),
        (pillow(colours(), "PNG", "P"), 3, 8),
        (pillow(colours(), "PNG", "RGBA"), 4, 8),
        (pillow(colours(), "PNG", "LA"), 2, 8),
        (pillow(colours(), "TIFF", "CMYK"), 4, 8),
    ],
)
def test_channels_and_depth(data: bytes, channels: int, depth: int) -> None:
    header = read_header(data)
    assert (header.channels, header.bit_depth) == (channels, depth)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_exif_is_read_from_every_format_that_has_it(kind: str) -> None:
    header = read_header(pillow(colours(), kind, exif=exif(6, "2024:02:29 23:59:58")))
    assert header.orientation == 6
    assert header.captured_at == datetime(2024, 2, 29, 23, 59, 58)  # noqa: DTZ001
    assert (header.width, header.height) == (200, 120)


def test_the_time_of_exposure_comes_before_the_time_of_the_file() -> None:
    block = Image.Exif()
    block[0x0132] = "2024:02:29 10:00:00"
    block.get_ifd(0x8769)[0x9003] = "2024:01:01 09:00:00"
    header = read_header(pillow(colours(), "JPEG", exif=block.tobytes()))
    assert header.captured_at == datetime(2024, 1, 1, 9)  # noqa: DTZ001


@pytest.mark.parametrize(
    "taken", ["0000:00:00 00:00:00", "    :  :     :  :  ", "yesterday", "2024-01-01T00:00:00"]
)
def test_a_broken_exif_says_nothing(taken: str) -> None:
    header = read_header(pillow(colours(), "JPEG", exif=exif(9, taken)))
    assert (header.orientation, header.captured_at) == (1, None)


def test_reasons() -> None:
    assert look(b"") == "empty_file"
    assert look(b"just some words about steel") == "not_an_image"
    assert look(bytes(1000)) == "not_an_image"
    assert look(b"%PDF-1.7 and so on") == "not_an_image"
    assert look(pillow(colours(), "TIFF", compression="tiff_lzw")[:200]) == "truncated"


@pytest.mark.parametrize("kind", FORMATS)
def test_every_cut_is_noticed(kind: str) -> None:
    data = sample(kind)
    for size in range(1, len(data) - 2, 7):
        found = look(data[:size])
        assert found in ("truncated", "not_an_image", "corrupt"), size


def test_what_follows_the_end_of_a_jpeg_is_ignored() -> None:
    assert isinstance(look(sample("JPEG") + b"trailer of a phone camera" * 9), Header)


def test_a_flipped_bit_of_a_png_fails_its_crc() -> None:
    data = bytearray(sample("PNG"))
    data[len(data) // 2] ^= 16
    assert look(bytes(data)) == "corrupt"


def test_a_bomb_is_known_by_its_header() -> None:
    body = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    header = read_header(
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    )
    assert (header.width, header.height) == (60_000, 60_000)


@pytest.mark.parametrize(
    ("mode", "options"), [("F", {}), ("I", {}), ("LAB", {}), ("RGB", {"tiffinfo": {284: 2}})]
)
def test_odd_tiffs_are_refused(mode: str, options: dict[str, Any]) -> None:
    assert look(pillow(colours(), "TIFF", mode, **options)) == "unsupported"


@given(st.binary(max_size=400))
def test_any_bytes_give_a_header_or_a_bad_image(data: bytes) -> None:
    look(data)


@given(st.sampled_from(FORMATS), st.binary(max_size=300))
def test_any_bytes_behind_a_magic_give_a_header_or_a_bad_image(kind: str, data: bytes) -> None:
    look(sample(kind)[:12] + data)


@settings(max_examples=200)
@given(st.sampled_from(FORMATS), st.randoms(use_true_random=False))
def test_broken_headers_give_a_header_or_a_bad_image(kind: str, rng: random.Random) -> None:
    options: dict[str, Any] = {"exif": exif(3)} if kind in ("JPEG", "TIFF") else {}
    data = bytearray(pillow(colours(1, 8, 12), kind, **options))
    for _ in range(rng.randrange(1, 6)):
        data[rng.randrange(len(data))] = rng.choice((0, 1, 127, 255, rng.randrange(256)))
    look(bytes(data))


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff\xe0\x00\x02" * 2_000_000,
        b"\xff\xd8" + b"\xff" * 8_000_000,
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0IHDR\0\0\0\0" * 600_000,
        b"GIF89a\1\0\1\0\0\0\0" + b"\x21\xff\0" * 2_000_000,
        b"II*\0\x08\0\0\0\xff\xff" + struct.pack("<HHII", 273, 4, 2_000_000, 0) * 65535 + bytes(8_000_000),
    ],
    ids=["jpeg", "jpeg fill", "png", "gif", "tiff"],
)
def test_nothing_is_quadratic(data: bytes) -> None:
    """Half a second at most on an idle machine; work that grows with the square would take minutes."""
    start = time.process_time()
    look(data)
    assert time.process_time() - start < 20
