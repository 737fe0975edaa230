"""TIFF without decoding: its first directory, and whether its strips are inside the file (TIFF 6.0)."""

from __future__ import annotations

import struct

from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.exif import Exif, Tags, exif_from_tags, tag_values

__all__ = ["TIFF_MAGIC", "check_tiff", "is_cmyk", "parse_tiff"]

TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIPS, _SAMPLES, _STRIP_SIZES, _PLANAR, _TILES, _TILE_SIZES = 273, 277, 279, 284, 324, 325
_SAMPLE_FORMAT, _EXIF_IFD = 339, 0x8769
_WANTED = frozenset(
    {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _STRIPS, _SAMPLES, _STRIP_SIZES, _PLANAR}
    | {_TILES, _TILE_SIZES, _SAMPLE_FORMAT, _EXIF_IFD, 0x0112, 0x0132, 0x9003}
)
_COMPRESSIONS = {1, 2, 3, 4, 5, 7, 8, 32773, 32946}
_GRAY, _RGB, _PALETTE, _CMYK, _YCBCR = (0, 1), 2, 3, 5, 6


def parse_tiff(data: bytes) -> tuple[int, int, int, int, Exif]:
    """Width, height, channels, bit depth and EXIF of the first page.

    Raises:
        BadImage: 'truncated' or 'corrupt' directory; 'unsupported' for samples other than unsigned integers
            of 8 or 16 bits, and for colour spaces and compressions that OpenCV does not read correctly.
    """
    tags, exif = _directory(data)
    width, height = _one(tags, _WIDTH, 0), _one(tags, _HEIGHT, 0)
    if not width or not height:
        raise BadImage("corrupt", f"the TIFF header states {width} x {height} px")
    depth, samples, photometric = _one(tags, _BITS, 1), _one(tags, _SAMPLES, 1), _one(tags, _PHOTOMETRIC, 1)
    _refuse_odd(tags, depth, samples, photometric)
    channels = 3 if photometric == _PALETTE else 4 if photometric == _CMYK else min(samples, 4)
    return width, height, channels, max(depth, 8), exif


def check_tiff(data: bytes) -> None:
    """Check that all strips or tiles of the first page are inside the file.

    Raises:
        BadImage: 'truncated' or 'corrupt'.
    """
    tags, _ = _directory(data)
    places, sizes = tags.get(_STRIPS, tags.get(_TILES)), tags.get(_STRIP_SIZES, tags.get(_TILE_SIZES))
    if not isinstance(places, tuple) or not isinstance(sizes, tuple) or len(places) != len(sizes):
        raise BadImage("corrupt", "the TIFF does not state where its picture data is")
    if any(place + size > len(data) for place, size in zip(places, sizes, strict=True)):
        raise BadImage("truncated", "picture data of the TIFF is beyond the end of the file")


def is_cmyk(data: bytes) -> bool:
    """Whether the first page stores inks (photometric 5)."""
    return _one(_directory(data)[0], _PHOTOMETRIC, 1) == _CMYK


def _refuse_odd(tags: Tags, depth: int, samples: int, photometric: int) -> None:
    bits = tags.get(_BITS, (1,))
    plain = (
        (photometric in _GRAY and (samples, depth) in ((1, 1), (1, 8), (1, 16), (2, 8)))
        or (photometric == _RGB and samples in (3, 4) and depth in (8, 16))
        or (photometric == _PALETTE and samples == 1 and depth in (1, 2, 4, 8))
        or (photometric == _CMYK and samples == 4 and depth == 8)
        or (photometric == _YCBCR and samples == 3 and depth == 8)
    )
    planar = samples > 1 and _one(tags, _PLANAR, 1) != 1
    inverted = photometric == 0 and (depth == 16 or samples > 1)
    if not plain or planar or inverted or _one(tags, _SAMPLE_FORMAT, 1) != 1 or len(set(bits)) != 1:
        raise BadImage(
            "unsupported",
            f"a TIFF of {samples} samples, {depth} bits, sample format {_one(tags, _SAMPLE_FORMAT, 1)}, "
            f"photometric {photometric}, planar configuration {_one(tags, _PLANAR, 1)}",
        )
    if _one(tags, _COMPRESSION, 1) not in _COMPRESSIONS:
        raise BadImage("unsupported", f"a TIFF of compression {_one(tags, _COMPRESSION, 1)}")


def _directory(data: bytes) -> tuple[Tags, Exif]:
    order, big = "<" if data[:1] == b"I" else ">", data[2:4] in (b"+\0", b"\0+")
    if len(data) < (16 if big else 8):
        raise BadImage("truncated", "the TIFF ends inside its header")
    offset = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    head, entry = (8, 20) if big else (2, 12)
    entries = int.from_bytes(data[offset : offset + head], "little" if order == "<" else "big")
    if offset + head + entries * entry > len(data) or not entries:
        raise BadImage("truncated", "the directory of the TIFF extends beyond the file")
    tags = tag_values(data, order, offset, _WANTED, big=big)
    if _BITS not in tags and _one(tags, _SAMPLES, 1) > 1:
        raise BadImage("truncated", "the TIFF does not state the depth of its samples")
    pointer = tags.get(_EXIF_IFD)
    inner = (
        tag_values(data, order, pointer[0], _WANTED, big=big)
        if isinstance(pointer, tuple) and pointer
        else {}
    )
    return tags, exif_from_tags(tags, inner)


def _one(tags: Tags, tag: int, default: int) -> int:
    values = tags.get(tag)
    return values[0] if isinstance(values, tuple) and values else default
