"""JPEG without decoding: its frame header, and whether the file is complete (ITU-T T.81, Annex B)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.exif import Exif, read_exif

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_jpeg", "parse_jpeg"]

_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_DECODABLE = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
_SOS, _EOI, _APP1 = 0xDA, 0xD9, 0xE1
_MOST_SEGMENTS = 4096
_MOST_FILL = 256
_GAP = bytes(64)
_USUAL_TABLE = bytes.fromhex("0002010303020403050504040000017d01020300")  # the beginning of T.81 table K.5


def parse_jpeg(data: bytes) -> tuple[int, int, int, int, Exif]:
    """Width, height, channels, bit depth and EXIF of a JPEG stream, from the segments before its first scan.

    Raises:
        BadImage: 'truncated' or 'corrupt' header; 'unsupported' lossless, hierarchical or 12-bit coding.
    """
    frame: tuple[int, int, int, int] | None = None
    exif = Exif()
    for marker, start, end in _segments(data):
        if marker in _FRAMES:
            frame = _frame(marker, data[start:end])
        elif marker == _APP1 and data[start : start + 6] == b"Exif\0\0":
            exif = read_exif(data[start + 6 : end])
        elif marker == _SOS:
            break
    if frame is None:
        raise BadImage("corrupt", "the JPEG has no frame header before its first scan")
    return *frame, exif


def check_jpeg(data: bytes) -> None:
    """Check that the stream has a scan and an end-of-image marker after it; what follows the end is ignored.

    A scan overwritten with zeros (a lost disk sector) often decodes without complaint, but under the usual
    Huffman tables 64 zero bytes would mean blocks whose 63 AC coefficients are all -1, which no camera
    produces.

    Raises:
        BadImage: 'truncated' or 'corrupt'.
    """
    for marker, _, end in _segments(data):
        if marker == _SOS:
            last = data.rfind(b"\xff\xd9")
            if last < end:
                raise BadImage("truncated", "the JPEG has no end-of-image marker")
            gap = data.find(_GAP, end, last)
            if gap >= 0 and data.find(_USUAL_TABLE, 0, end) >= 0:
                raise BadImage("corrupt", f"the JPEG was overwritten with zeros at byte {gap}")
            return
    raise BadImage("truncated", "the JPEG has no picture data")


def _frame(marker: int, body: bytes) -> tuple[int, int, int, int]:
    if len(body) < 6:
        raise BadImage("corrupt", "the frame header of the JPEG is too short")
    depth, channels = body[0], body[5]
    height, width = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
    if marker not in _DECODABLE or depth != 8 or channels not in (1, 3, 4):
        raise BadImage(
            "unsupported", f"a JPEG of coding process {marker:#x}, {depth} bits and {channels} components"
        )
    if not width or not height:
        raise BadImage("corrupt", f"the JPEG header states {width} x {height} px")
    return width, height, channels, depth


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of each segment's body, up to and including the first scan header."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if data[at : at + 1] != b"\xff":
            break
        fill = data[at + 1 : at + _MOST_FILL]
        at += len(fill) - len(fill.lstrip(b"\xff"))
        if at + 4 > len(data):
            raise BadImage("truncated", "the JPEG ends inside its header")
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if marker == _EOI or length < 2:
            break
        at += 2
        if at + length > len(data):
            raise BadImage("truncated", "the JPEG ends inside its header")
        yield marker, at + 2, at + length
        if marker == _SOS:
            return
        at += length
    if at >= len(data):
        raise BadImage("truncated", "the JPEG ends inside its header")
    raise BadImage("corrupt", f"no JPEG marker where one is expected, at byte {at}")
