"""How many pictures a file holds: pages of a TIFF, frames of an animated GIF, WebP or PNG."""

from __future__ import annotations

import struct

from tundish.imaging.files.tiff import TIFF_MAGIC

__all__ = ["count_pages"]

_MOST = 10_000
_SUBFILE = 254
_NO_PAGE = 1 | 4
"""Bits of a TIFF's NewSubfileType: a smaller copy of another page, or its mask."""


def count_pages(data: bytes) -> int:
    """Pictures in a file, without decoding any; 1 where it holds one or cannot be followed."""
    try:
        if data[:4] in TIFF_MAGIC:
            return max(1, _tiff(data))
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return max(1, _gif(data))
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return max(1, _webp(data))
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            return max(1, _png(data))
    except (IndexError, struct.error):
        return 1
    return 1


def _tiff(data: bytes) -> int:
    order, big = "<" if data[:1] == b"I" else ">", data[2:4] in (b"+\0", b"\0+")
    word, head, entry = ("Q", 8, 20) if big else ("I", 2, 12)
    offset = struct.unpack_from(order + word, data, 8 if big else 4)[0]
    pages, seen = 0, set[int]()
    while offset and offset not in seen and len(seen) < _MOST:
        seen.add(offset)
        entries = struct.unpack_from(order + ("Q" if big else "H"), data, offset)[0]
        if offset + head + entries * entry > len(data):
            break
        kind = 0
        for at in range(offset + head, offset + head + entries * entry, entry):
            if struct.unpack_from(order + "H", data, at)[0] == _SUBFILE:
                kind = struct.unpack_from(order + "I", data, at + (12 if big else 8))[0]
        pages += not kind & _NO_PAGE
        offset = struct.unpack_from(order + word, data, offset + head + entries * entry)[0]
    return pages


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
