"""The two EXIF facts the pipeline needs: the orientation of the picture and when it was taken.

Source: Exif 2.32 (CIPA DC-008), TIFF 6.0. A broken EXIF block is ignored; the image is still good.
"""

from __future__ import annotations

import struct
from datetime import datetime
from typing import NamedTuple

__all__ = ["Exif", "Tags", "exif_from_tags", "read_exif", "tag_values"]

Tags = dict[int, tuple[int, ...] | bytes]

_ORIENTATION, _DATETIME, _EXIF_IFD, _DATETIME_ORIGINAL = 0x0112, 0x0132, 0x8769, 0x9003
_WANTED = frozenset({_ORIENTATION, _DATETIME, _EXIF_IFD, _DATETIME_ORIGINAL})
_MOST_VALUES = 1 << 20
_KINDS = {1: "B", 2: "s", 3: "H", 4: "I", 6: "b", 7: "s", 8: "h", 9: "i", 13: "I", 16: "Q", 18: "Q"}


class Exif(NamedTuple):
    """Orientation 1 to 8 (1 when absent) and the time of exposure by the clock of the camera."""

    orientation: int = 1
    captured_at: datetime | None = None


def read_exif(block: bytes) -> Exif:
    r"""Read a TIFF-structured EXIF block, without its 'Exif\\0\\0' prefix."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None or len(block) < 8:
        return Exif()
    first = tag_values(block, order, struct.unpack_from(order + "I", block, 4)[0], _WANTED)
    inner: Tags = {}
    pointer = first.get(_EXIF_IFD)
    if isinstance(pointer, tuple) and pointer:
        inner = tag_values(block, order, pointer[0], _WANTED)
    return exif_from_tags(first, inner)


def exif_from_tags(first: Tags, inner: Tags) -> Exif:
    """Read orientation and time from the tags of IFD0 and of the Exif IFD."""
    found = first.get(_ORIENTATION)
    orientation = found[0] if isinstance(found, tuple) and found and 1 <= found[0] <= 8 else 1
    return Exif(orientation, _time(inner.get(_DATETIME_ORIGINAL)) or _time(first.get(_DATETIME)))


def tag_values(data: bytes, order: str, offset: int, wanted: frozenset[int], *, big: bool = False) -> Tags:
    """Read integer and text tags of one image file directory; entries that point outside `data` are omitted.

    Args:
        data: The bytes that offsets count from.
        order: The byte order, '<' or '>'.
        offset: Where the directory starts.
        wanted: The tags to read; of a repeated tag the first counts.
        big: Whether it is a BigTIFF, with 8-byte counts and offsets.
    """
    head, entry, inline = (order + "Q", order + "HHQ", 8) if big else (order + "H", order + "HHI", 4)
    start = offset + struct.calcsize(head)
    if start > len(data):
        return {}
    size = struct.calcsize(entry) + inline
    entries = min(struct.unpack_from(head, data, offset)[0], 4096, (len(data) - start) // size)
    tags: Tags = {}
    for place in range(start, start + entries * size, size):
        tag, kind, count = struct.unpack_from(entry, data, place)
        code = _KINDS.get(kind)
        if code is None or tag not in wanted or tag in tags or count > _MOST_VALUES:
            continue
        length = struct.calcsize(code) * count
        at = place + size - inline
        if length > inline:
            at = struct.unpack_from(order + ("Q" if big else "I"), data, at)[0]
        if at + length <= len(data):
            form = f"{order}{count}{code}"
            values = struct.unpack_from(form, data, at)
            tags[tag] = values[0] if code == "s" else values
    return tags


def _time(text: object) -> datetime | None:
    if not isinstance(text, bytes):
        return None
    try:
        return datetime.strptime(text[:19].decode("ascii"), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007  (EXIF has no zone)
    except ValueError:
        return None
