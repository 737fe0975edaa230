"""How many pictures a file holds: pages of a TIFF, frames of an animated GIF, WebP or PNG."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tundish.imaging.files.tiff import TIFF_MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["count_pages", "tiff_pages"]

_MOST = 10_000
_SUBFILE, _WIDTH, _HEIGHT = 254, 256, 257
"""Tags of a TIFF's directory."""
_SHORT = 3
_NO_PAGE = 1 | 4
"""Bits of a TIFF's NewSubfileType: a smaller copy of another page, or its mask."""


def count_pages(data: bytes) -> int:
    """Pictures in a file, without decoding any; 1 where it holds one or cannot be followed."""
    try:
        if data[:4] in TIFF_MAGIC:
            return max(1, _count_tiff(data))
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return max(1, _gif(data))
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return max(1, _webp(data))
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            return max(1, _png(data))
    except (IndexError, struct.error):
        return 1
    return 1


def _count_tiff(data: bytes) -> int:
    """Pages of a TIFF; where the list of its pages leaves the file, there was at least one more."""
    count = 0
    try:
        for _ in tiff_pages(data):
            count += 1
    except struct.error:
        return count + 1
    return count


def tiff_pages(data: bytes) -> Iterator[tuple[int, tuple[int, int]]]:
    """The directories of a TIFF that are pages: their numbers from 0, with width and height (px).

    Raises:
        struct.error: The list of directories leaves the file.
    """
    order, big = "<" if data[:1] == b"I" else ">", data[2:4] in (b"+\0", b"\0+")
    word, head, entry = ("Q", 8, 20) if big else ("I", 2, 12)
    offset = struct.unpack_from(order + word, data, 8 if big else 4)[0]
    seen = set[int]()
    while offset and offset not in seen and len(seen) < _MOST:
        seen.add(offset)
        entries = struct.unpack_from(order + ("Q" if big else "H"), data, offset)[0]
        found = {_SUBFILE: 0, _WIDTH: 0, _HEIGHT: 0}
        for at in range(offset + head, offset + head + entries * entry, entry):
            tag, kind = struct.unpack_from(order + "HH", data, at)
            if tag in found:
                size = "H" if kind == _SHORT else "I"
                found[tag] = struct.unpack_from(order + size, data, at + (12 if big else 8))[0]
        offset = struct.unpack_from(order + word, data, offset + head + entries * entry)[0]
        if not found[_SUBFILE] & _NO_PAGE:
            yield len(seen) - 1, (found[_WIDTH], found[_HEIGHT])


def _gif(data: bytes) -> int:
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    frames = 0
    while at < len(data) and data[at] in (0x21, 0x2C):
        if data[at] == 0x2C:
            frames += 1
            flags = data[at + 9]
            at += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        else:
            at += 2
        while data[at]:
            at += data[at] + 1
        at += 1
    return frames


def _webp(data: bytes) -> int:
    at, frames = 12, 0
    while at + 8 <= len(data):
        frames += data[at : at + 4] == b"ANMF"
        size = struct.unpack_from("<I", data, at + 4)[0]
        at += 8 + size + size % 2
    return frames


def _png(data: bytes) -> int:
    """An animated PNG names its frames before the first of them."""
    at = 8
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"acTL":
            return int(struct.unpack_from(">I", data, at + 8)[0])
        if kind == b"IDAT":
            break
        at += 12 + size
    return 1
