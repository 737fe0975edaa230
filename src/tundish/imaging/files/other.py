"""Headers and completeness of the rarer kinds of image files: PNM (PBM, PGM, PPM), JPEG 2000 and AVIF."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.exif import Exif

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "AVIF_BRANDS",
    "JP2_MAGIC",
    "check_avif",
    "check_jp2",
    "check_pnm",
    "is_pnm",
    "parse_avif",
    "parse_jp2",
    "parse_pnm",
]

JP2_MAGIC = (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")
"""Beginnings of a JPEG 2000 file and of a bare codestream."""

AVIF_BRANDS = frozenset({b"avif", b"avis"})
"""Brands of AVIF behind ``ftyp``."""

_Fields = tuple[int, int, int, int, Exif]

_PNM = re.compile(
    rb"P([1-6])(?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})(?:(?:\s|#[^\n]*\n)+(\d{1,6}))?\s"
)
_BITMAP = re.compile(rb"P([14])(?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})\s")
_PNM_BITMAPS = (1, 4)
_COLOURS = 3
_SOC = b"\xff\x4f\xff\x51"
_EOC = b"\xff\xd9"
_NESTED = frozenset({b"meta", b"iprp", b"ipco"})


def is_pnm(data: bytes) -> bool:
    """Whether a file begins as PBM, PGM or PPM do."""
    return data[:1] == b"P" and data[1:2] in (b"1", b"2", b"3", b"4", b"5", b"6") and data[2:3].isspace()


def _pnm(data: bytes) -> tuple[int, int, int, int, int]:
    """Kind, width, height, largest value and where the pixels begin."""
    head = data[:4096]
    bitmap = head[1:2] in (b"1", b"4")
    pattern = _BITMAP if bitmap else _PNM
    match = pattern.match(head)
    if match is None:
        raise BadImage("corrupt", "the PNM has no readable header")
    most = 1 if bitmap else int(match[4] or 0)
    return int(match[1]), int(match[2]), int(match[3]), most, match.end()


def parse_pnm(data: bytes) -> _Fields:
    """Width, height (px), channels, bits and EXIF of a PBM, PGM or PPM.

    Raises:
        BadImage: The header is not readable, or its largest value is one that decoders scale.
    """
    kind, width, height, most, _ = _pnm(data)
    if not width or not height or not 0 < most < 1 << 16:
        raise BadImage("corrupt", f"the PNM states {width} x {height} px with values up to {most}")
    if kind not in _PNM_BITMAPS and most < 255:
        raise BadImage("unsupported", f"a PNM with values up to {most} only")
    return width, height, 3 if kind in (3, 6) else 1, 8 if most < 256 else 16, Exif()


def check_pnm(data: bytes) -> None:
    """Check that all pixels are in the file.

    Raises:
        BadImage: 'truncated'.
    """
    kind, width, height, most, start = _pnm(data)
    count = width * height * (_COLOURS if kind in (3, 6) else 1)
    if kind == 1:
        there, wanted = len(re.findall(rb"[01]", data[start:])), count
    elif kind < 4:
        there, wanted = len(data[start:].split()), count
    elif kind == 4:
        there, wanted = len(data) - start, (width + 7) // 8 * height
    else:
        there, wanted = len(data) - start, count * (2 if most > 255 else 1)
    if there < wanted:
        raise BadImage("truncated", f"the PNM has {there} of the {wanted} values of its pixels")


def parse_jp2(data: bytes) -> _Fields:
    """Width, height (px), channels, bits and EXIF of a JPEG 2000.

    Raises:
        BadImage: The codestream has no readable beginning, or pixels of a kind that is not read.
    """
    start = data.find(_SOC)
    if start < 0 or len(data) < start + 42:
        raise BadImage("truncated", "the JPEG 2000 ends inside its header")
    right, lower, left, top = struct.unpack_from(">4I", data, start + 8)
    channels = struct.unpack_from(">H", data, start + 40)[0]
    depth = data[start + 42] if len(data) > start + 42 else 7
    if right <= left or lower <= top or not 1 <= channels <= 4:
        raise BadImage("corrupt", f"the JPEG 2000 states {channels} channels between {left} and {right} px")
    if depth & 0x80 or depth & 0x7F > 15:
        raise BadImage("unsupported", f"a JPEG 2000 of {(depth & 0x7F) + 1} bits, signed or too deep")
    return right - left, lower - top, channels, 8 if depth < 8 else 16, Exif()


def check_jp2(data: bytes) -> None:
    """Check that the codestream ends with its end marker: decoders fill what is missing.

    Raises:
        BadImage: 'truncated'.
    """
    if not data.rstrip(b"\0\r\n").endswith(_EOC):
        raise BadImage("truncated", "the JPEG 2000 ends before its end marker")


def parse_avif(data: bytes) -> _Fields:
    """Width, height (px), channels, bits and EXIF of an AVIF.

    Raises:
        BadImage: It states no size, is animated, or is turned or mirrored, which is not read.
    """
    boxes = list(_boxes(data, 0, len(data)))
    kinds = {kind for kind, _ in boxes}
    if data[8:12] == b"avis" or b"moov" in kinds:
        raise BadImage("unsupported", "an animated AVIF")
    if kinds & {b"irot", b"imir"}:
        raise BadImage("unsupported", "an AVIF that is to be turned or mirrored when it is shown")
    try:
        sizes = [struct.unpack_from(">II", data, at + 4) for kind, at in boxes if kind == b"ispe"]
        configs = [data[at + 2] for kind, at in boxes if kind == b"av1C"]
    except (IndexError, struct.error):
        sizes, configs = [], []
    if not sizes or not configs or not all(max(sizes)):
        raise BadImage("corrupt", "the AVIF does not state its size")
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    alpha = data.find(b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha") > 0
    return width, height, 4 if alpha else 3, 16 if configs[0] & 0x40 else 8, Exif()


def check_avif(data: bytes) -> None:
    """Check that the boxes of the file are inside it.

    Raises:
        BadImage: 'truncated'.
    """
    at = 0
    while at < len(data):
        size = _size_of(data, at)
        if size < 8 or at + size > len(data):
            raise BadImage("truncated", f"the AVIF has {len(data)} bytes, and a box that ends at {at + size}")
        at += size


def _size_of(data: bytes, at: int) -> int:
    """The length of the box at a place; 0 where it has no whole head."""
    if at + 8 > len(data):
        return 0
    size = int(struct.unpack_from(">I", data, at)[0])
    if size == 1:
        return int(struct.unpack_from(">Q", data, at + 8)[0]) if at + 16 <= len(data) else 0
    return size or len(data) - at


def _boxes(data: bytes, at: int, end: int, depth: int = 0) -> Iterator[tuple[bytes, int]]:
    """Boxes with the place of their content, those inside others too."""
    while at + 8 <= end and depth < 5:
        size, kind = _size_of(data, at), data[at + 4 : at + 8]
        if size < 8 or at + size > end:
            return
        yield kind, at + 8
        if kind in _NESTED:
            yield from _boxes(data, at + (12 if kind == b"meta" else 8), at + size, depth + 1)
        at += size
