"""Streams of a compound file, the container of .xls and .et [MS-CFB]."""

from __future__ import annotations

import struct
from itertools import chain

__all__ = ["MAGIC", "read_stream"]

MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")

_LAST = 0xFFFFFFFA
"""Numbers of sectors above this one are marks: the end of a chain, a free sector."""

_ENTRY = 128


def read_stream(data: bytes, names: tuple[str, ...]) -> bytes | None:
    """The first stream of a compound file that has one of the names; None without any.

    Args:
        data: The whole file.
        names: Names of streams, the preferred one first.

    Raises:
        ValueError: The file is damaged.
    """
    try:
        return _read(data, names)
    except (struct.error, IndexError) as error:
        raise ValueError(f"the compound file is damaged: {error}") from None


def _read(data: bytes, names: tuple[str, ...]) -> bytes | None:
    size = 1 << struct.unpack_from("<H", data, 30)[0]
    if not data.startswith(MAGIC) or size not in {512, 4096}:
        raise ValueError("it is not a compound file")
    directory, cutoff, small_table, _, more, count = struct.unpack_from("<I4xIIIII", data, 48)
    tables = list(struct.unpack_from("<109I", data, 76))
    while more < _LAST and count:
        further = struct.unpack(f"<{size // 4}I", _sector(data, size, more))
        tables += further[:-1]
        more, count = further[-1], count - 1
    table = _numbers(b"".join(_sector(data, size, one) for one in tables if one < _LAST))
    entries = _chain(data, size, table, directory)
    found: dict[str, tuple[int, int]] = {}
    for at in range(0, len(entries) - _ENTRY + 1, _ENTRY):
        entry = entries[at : at + _ENTRY]
        length, kind = struct.unpack_from("<HB", entry, 64)
        name = entry[: max(0, length - 2)].decode("utf-16-le", "replace")
        if kind in {2, 5}:
            found.setdefault("" if kind == 5 else name, struct.unpack_from("<II", entry, 116))
    start, length = next((found[name] for name in names if name in found), (0, -1))
    if length < 0:
        return None
    if length >= cutoff:
        return _chain(data, size, table, start)[:length]
    small = _numbers(_chain(data, size, table, small_table))
    return _chain(_chain(data, size, table, found[""][0]), 64, small, start, head=0)[:length]


def _sector(data: bytes, size: int, number: int, head: int = 1) -> bytes:
    at = (number + head) * size
    if at >= len(data):
        raise ValueError("the compound file is cut off")
    return data[at : at + size]


def _numbers(data: bytes) -> tuple[int, ...]:
    return tuple(chain.from_iterable(struct.iter_unpack("<I", data[: len(data) // 4 * 4])))


def _chain(data: bytes, size: int, table: tuple[int, ...], number: int, head: int = 1) -> bytes:
    """The sectors that follow each other in a chain; one that is a circle ends."""
    found: list[bytes] = []
    while number < _LAST and len(found) <= len(table):
        found.append(_sector(data, size, number, head))
        number = table[number]
    return b"".join(found)
