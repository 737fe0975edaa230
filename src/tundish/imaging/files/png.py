"""PNG without decoding: its header, and whether every chunk is complete (W3C PNG, third edition)."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.exif import Exif, read_exif

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_png", "parse_png", "pixels_only"]

_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_MOST_CHUNKS = 1 << 17


def parse_png(data: bytes) -> tuple[int, int, int, int, Exif]:
    """Width, height, channels, bit depth and EXIF of a PNG; a palette counts as its colours.

    Raises:
        BadImage: 'truncated' or 'corrupt' header.
    """
    if len(data) < 33:
        raise BadImage("truncated", "the PNG ends inside its header")
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    if data[12:16] != b"IHDR" or depth not in _DEPTHS.get(colour, ()) or not width or not height:
        raise BadImage(
            "corrupt", f"the PNG header states {width} x {height} px, {depth} bits, colour type {colour}"
        )
    channels, exif = _CHANNELS[colour], Exif()
    for kind, start, end in _chunks(data):
        if kind == b"eXIf":
            exif = read_exif(data[start:end])
        elif kind == b"tRNS" and colour in (2, 3):
            channels = 4
        elif kind == b"IDAT":
            break
    return width, height, channels, max(depth, 8), exif


def check_png(data: bytes) -> None:
    """Check that all chunks up to IEND are inside the file and have the correct CRC.

    Raises:
        BadImage: 'truncated' or 'corrupt'.
    """
    pixels = False
    for kind, start, end in _chunks(data):
        if end + 4 > len(data):
            break
        if zlib.crc32(data[start - 4 : end]) != int.from_bytes(data[end : end + 4]):
            raise BadImage("corrupt", f"the {kind.decode('latin-1')} chunk at byte {start} fails its CRC")
        pixels |= kind == b"IDAT"
        if kind == b"IEND":
            if not pixels:
                raise BadImage("corrupt", "the PNG has no picture data")
            return
    raise BadImage("truncated", "the PNG ends before its IEND chunk")


def pixels_only(data: bytes) -> bytes:
    """The same PNG without chunks that do not make pixels, about which libpng complains on stderr."""
    chunks = list(_chunks(data))
    if all(kind in _NEEDED for kind, _, _ in chunks):
        return data
    return data[:8] + b"".join(data[start - 8 : end + 4] for kind, start, end in chunks if kind in _NEEDED)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end of each chunk's body up to IEND; the last one may reach beyond the file."""
    at = 8
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, at + 8, at + 8 + length
        if kind == b"IEND":
            return
        at += length + 12
