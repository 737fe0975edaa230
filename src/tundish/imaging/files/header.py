"""Read the header of an image file from its bytes, in microseconds and without decoding."""

from __future__ import annotations

import struct
from collections.abc import Callable  # noqa: TC003  (the table of kinds is annotated with it)
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.exif import Exif, read_exif
from tundish.imaging.files.jpeg import check_jpeg, parse_jpeg
from tundish.imaging.files.other import (
    AVIF_BRANDS,
    JP2_MAGIC,
    check_avif,
    check_jp2,
    check_pnm,
    is_pnm,
    parse_avif,
    parse_jp2,
    parse_pnm,
)
from tundish.imaging.files.png import check_png, parse_png
from tundish.imaging.files.tiff import TIFF_MAGIC, check_tiff, parse_tiff

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Header", "ImageFormat", "check_complete", "read_header"]

ImageFormat = Literal["jpeg", "png", "tiff", "bmp", "gif", "webp", "pnm", "jp2", "avif"]

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc"})

_Fields = tuple[int, int, int, int, Exif]


@dataclass(frozen=True, slots=True)
class Header:
    """The header of the (first) picture of a file.

    Attributes:
        format: The format of the bytes, whatever the name of the file.
        width: Width of the stored frame, px; where `orientation` is 5 or more it becomes the upright height.
        height: Height of the stored frame, px.
        channels: 1 gray, 2 gray with alpha, 3 colour, 4 colour with alpha or CMYK.
        bit_depth: Bits per channel, 8 or 16.
        orientation: EXIF orientation, 1 to 8; 1 when absent.
        captured_at: EXIF DateTimeOriginal, else DateTime, by the camera's clock (no zone).
    """

    format: ImageFormat
    width: int
    height: int
    channels: int
    bit_depth: int
    orientation: int
    captured_at: datetime | None


def read_header(data: bytes) -> Header:
    """Read the header of a JPEG, PNG, TIFF, BMP, GIF, WebP, PNM, JPEG 2000 or AVIF file.

    Raises:
        BadImage: 'empty_file', 'not_an_image', or a header that is 'truncated', 'corrupt' or 'unsupported'.
    """
    kind = _format(data)
    width, height, channels, depth, exif = _PARSERS[kind](data)
    return Header(kind, width, height, channels, depth, exif.orientation, exif.captured_at)


def check_complete(data: bytes, kind: ImageFormat) -> None:
    """Check that a file of format `kind` is structurally complete, without decoding it.

    JPEG has an end marker after its scan, as JPEG 2000 has; PNG chunks have correct CRCs and end with IEND;
    TIFF strips, BMP rows, GIF blocks, WebP chunks, PNM values and AVIF boxes are inside the file.

    Raises:
        BadImage: 'truncated' or 'corrupt'.
    """
    _CHECKS[kind](data)


def _format(data: bytes) -> ImageFormat:
    if not data:
        raise BadImage("empty_file", "the file has no bytes")
    for kind, fits in _KINDS:
        if fits(data):
            return kind
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        raise BadImage("unsupported", "HEIC pictures cannot be decoded here: convert to PNG")
    if not data.strip(b"\0"):
        raise BadImage("not_an_image", "the file contains only zero bytes")
    raise BadImage("not_an_image", f"the file begins with {data[:8]!r}, which no known image format does")


_KINDS: tuple[tuple[ImageFormat, Callable[[bytes], bool]], ...] = (
    ("jpeg", lambda data: data[:3] == b"\xff\xd8\xff"),
    ("png", lambda data: data[:8] == b"\x89PNG\r\n\x1a\n"),
    ("tiff", lambda data: data[:4] in TIFF_MAGIC),
    ("bmp", lambda data: data[:2] == b"BM" and data[6:10] == b"\0\0\0\0"),
    ("gif", lambda data: data[:6] in (b"GIF87a", b"GIF89a")),
    ("webp", lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP"),
    ("pnm", is_pnm),
    ("jp2", lambda data: data.startswith(JP2_MAGIC)),
    ("avif", lambda data: data[4:8] == b"ftyp" and data[8:12] in AVIF_BRANDS),
)
"""How each kind of file begins."""


def _parse_bmp(data: bytes) -> _Fields:
    if len(data) < 30:
        raise BadImage("truncated", "the BMP ends inside its header")
    size = struct.unpack_from("<I", data, 14)[0]
    if size == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
    else:
        width, height, _, bits = struct.unpack_from("<iiHH", data, 18)
    if size not in (12, 40, 52, 56, 64, 108, 124) or width <= 0 or not height:
        raise BadImage("corrupt", f"the BMP header of {size} bytes states {width} x {height} px")
    if bits not in (1, 4, 8, 16, 24, 32):
        raise BadImage("unsupported", f"a BMP of {bits} bits per pixel")
    return width, abs(height), 3, 8, Exif()


def _check_bmp(data: bytes) -> None:
    width, height, _, _, _ = _parse_bmp(data)
    offset, size = struct.unpack_from("<I", data, 10)[0], struct.unpack_from("<I", data, 14)[0]
    bits = struct.unpack_from("<H", data, 24 if size == 12 else 28)[0]
    packed = size != 12 and len(data) >= 34 and struct.unpack_from("<I", data, 30)[0] in (1, 2)
    rows = 0 if packed else (width * bits + 31) // 32 * 4 * height
    if offset + rows > len(data) or offset >= len(data):
        raise BadImage("truncated", f"the BMP has {len(data)} bytes and needs {offset + rows}")


def _parse_gif(data: bytes) -> _Fields:
    if len(data) < 13:
        raise BadImage("truncated", "the GIF ends inside its header")
    width, height = struct.unpack_from("<HH", data, 6)
    if not width or not height:
        raise BadImage("corrupt", f"the GIF header states {width} x {height} px")
    return width, height, 3, 8, Exif()


def _check_gif(data: bytes) -> None:
    """Check the first picture; its blocks must end before the file does."""
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    while at < len(data):
        kind = data[at]
        if kind == 0x2C and at + 10 <= len(data):
            flags = data[at + 9]
            end = _sub_blocks(data, at + 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0))
            if end > len(data):
                break
            return
        if kind != 0x21:
            raise BadImage("corrupt", f"no GIF block where one is expected, at byte {at}")
        at = _sub_blocks(data, at + 2)
    raise BadImage("truncated", "the GIF ends before its first picture does")


def _sub_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1


def _parse_webp(data: bytes) -> _Fields:
    if len(data) < 30:
        raise BadImage("truncated", "the WebP ends inside its header")
    kind, exif = data[12:16], Exif()
    if kind == b"VP8X":
        width, height = int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
        place = data.find(b"EXIF", 30) if data[20] & 8 else -1
        if place > 0:
            exif = read_exif(data[place + 8 :].removeprefix(b"Exif\0\0"))
        return width, height, 4 if data[20] & 16 else 3, 8, exif
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, 4 if bits >> 28 & 1 else 3, 8, exif
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        if width & 0x3FFF and height & 0x3FFF:
            return width & 0x3FFF, height & 0x3FFF, 3, 8, exif
    raise BadImage("corrupt", "the WebP has no readable frame header")


def _check_webp(data: bytes) -> None:
    size = struct.unpack_from("<I", data, 4)[0] + 8
    if size > len(data):
        raise BadImage("truncated", f"the WebP has {len(data)} bytes but states {size}")


_PARSERS = {
    "jpeg": parse_jpeg,
    "png": parse_png,
    "tiff": parse_tiff,
    "bmp": _parse_bmp,
    "gif": _parse_gif,
    "webp": _parse_webp,
    "pnm": parse_pnm,
    "jp2": parse_jp2,
    "avif": parse_avif,
}
_CHECKS = {
    "jpeg": check_jpeg,
    "png": check_png,
    "tiff": check_tiff,
    "bmp": _check_bmp,
    "gif": _check_gif,
    "webp": _check_webp,
    "pnm": check_pnm,
    "jp2": check_jp2,
    "avif": check_avif,
}
