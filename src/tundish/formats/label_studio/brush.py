"""Label Studio's brush regions: masks in the bit stream of thi.ng's rle-pack.

The stream encodes the bytes of an RGBA picture, row by row. Header: number of bytes (32 bits), size of a word
minus one (5 bits), four sizes of a length minus one (4 bits each). Then blocks until all bytes are there: run
or literals (1 bit), which size (2 bits), the length minus one, then one word (run) or as many words as the
length says (literals). The mask is the alpha channel. (Source: thi.ng/umbrella, packages/rle-pack; Label
Studio's editor, utils/canvas.js.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tundish.formats.reading.fault import Fault
from tundish.formats.reading.rle import compressed_counts
from tundish.imaging.geometry import counts_of_mask, mask_of_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Mask = NDArray[np.uint8]

__all__ = ["counts_of_rle", "mask_of_rle", "rle_of_counts", "rle_of_mask"]

_HEAD = 53
_WORD = 8
_SIZES = (3, 4, 8, 16)
_LIMITS = np.array([1 << size for size in _SIZES])


class _Blocks(NamedTuple):
    """Ends (bytes of the picture) and values of all blocks, and (bit, start, length) of literal blocks."""

    ends: list[int]
    values: list[int]
    literals: list[tuple[int, int, int]]
    bits: int


def mask_of_rle(rle: object, width: int, height: int) -> Mask:
    """Decode a brush region to a mask of 0 and 1.

    The editor draws soft edges: a pixel counts as set from half of the strongest alpha on.

    Args:
        rle: The region's list of bytes.
        width: Width of the picture, px.
        height: Height of the picture, px.

    Returns:
        The mask, (height, width) uint8.

    Raises:
        Fault: It is not a list of bytes, is for a picture of another size, or is damaged.
    """
    data = _bytes(rle)
    count = int.from_bytes(data[:4])
    if count != 4 * width * height:
        message = f"the mask is for {count / 4:g} pixels, but its image has {width}x{height}"
        raise Fault("broken_mask", message, "rle", count)
    word = (data[4] >> 3) + 1
    if word > _WORD:
        raise Fault("broken_mask", f"the mask has words of {word} bits instead of 8", "rle", word)
    blocks = _blocks(data, count, word)
    if blocks.bits > 8 * len(data) or blocks.ends[-1] != count or any(data[-(-blocks.bits // 8) :]):
        raise Fault("broken_mask", "the mask's data are too short or too long", "rle", len(data))
    ends = np.array(blocks.ends, dtype=np.int64) // 4  # byte 4 p + 3 is the alpha of pixel p
    alpha = np.repeat(np.array(blocks.values, dtype=np.uint8), np.diff(ends, prepend=0))
    if blocks.literals:
        _put_literals(alpha, data, blocks.literals, word)
    mask: Mask = (alpha > alpha.max(initial=0) // 2).view(np.uint8).reshape(height, width)
    return mask


def rle_of_mask(mask: NDArray[np.uint8] | NDArray[np.bool_]) -> list[int]:
    """Encode a mask (height, width) as the bytes of a brush region: opaque white where it is set."""
    flat = np.asarray(mask).ravel() != 0
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = 4 * np.diff(starts, append=len(flat))
    pieces = -(-lengths // _LIMITS[3])
    values = np.repeat(np.where(flat[starts], 255, 0), pieces)
    whole = np.repeat(lengths, pieces)
    last = np.cumsum(pieces) - 1
    whole[:] = _LIMITS[3]
    whole[last] = lengths - (pieces - 1) * _LIMITS[3]
    kinds = np.searchsorted(_LIMITS, whole)
    sizes = np.array(_SIZES)[kinds]
    widths = 3 + sizes + _WORD
    words = ((4 | kinds) << (sizes + _WORD)) | ((whole - 1) << _WORD) | values
    bits = _bits_of(words << (32 - widths), ">u4")[np.arange(32) < widths[:, None]]
    head = (4 * len(flat) << 21) | ((_WORD - 1) << 16) | 0x237F  # sizes less one: 2, 3, 7, 15
    stream = np.concatenate([_bits_of(np.array([head << 11]), ">u8")[0, :_HEAD], bits])
    packed: list[int] = np.packbits(stream).tolist()
    return packed


def counts_of_rle(rle: object, width: int, height: int) -> str:
    """Convert a brush region to compressed COCO counts; arguments and Fault as for `mask_of_rle`."""
    return counts_of_mask(mask_of_rle(rle, width, height))


def rle_of_counts(counts: str, width: int, height: int) -> list[int]:
    """Convert compressed COCO counts to the bytes of a brush region.

    Args:
        counts: The counts.
        width: Width of the image, px.
        height: Height of the image, px.

    Raises:
        Fault: They are not valid counts, or are for another size.
    """
    checked = compressed_counts({"size": [height, width], "counts": counts})
    return rle_of_mask(mask_of_counts(checked, width, height))


def _bytes(rle: object) -> bytes:
    try:
        data = bytes(rle) if isinstance(rle, list) else b""
    except (TypeError, ValueError):
        data = b""
    if len(data) < 7:
        raise Fault("broken_mask", "the mask is not a list of bytes, or has no header", "rle", rle)
    return data


def _blocks(data: bytes, count: int, word: int) -> _Blocks:
    sizes = [(int.from_bytes(data[4:7]) >> (15 - 4 * i) & 15) + 1 for i in range(4)]
    padded, end, mask = data + bytes(5), 8 * len(data), (1 << word) - 1
    ends: list[int] = []
    values: list[int] = []
    literals: list[tuple[int, int, int]] = []
    at, done = _HEAD, 0
    while done < count and at < end:
        byte = at >> 3
        window = int.from_bytes(padded[byte : byte + 5])  # 7 + 3 + 16 + 8 bits at most
        shift = 37 - (at & 7)
        head = window >> shift
        size = sizes[head & 3]
        shift -= size
        length = (window >> shift & ((1 << size) - 1)) + 1
        at += 3 + size
        if head & 4:
            values.append(window >> (shift - word) & mask)
            at += word
        else:
            values.append(0)
            literals.append((at, done, length))
            at += length * word
        done += length
        ends.append(done)
    return _Blocks(ends or [0], values or [0], literals, at)


def _put_literals(alpha: Mask, data: bytes, literals: Sequence[tuple[int, int, int]], word: int) -> None:
    """Write the literal words, as far as they are alpha values, into `alpha`."""
    bits, starts, lengths = np.array(literals, dtype=np.int64).T
    first = starts // 4
    counts = (starts + lengths) // 4 - first
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    pixels = np.repeat(first, counts) + offsets
    at = np.repeat(bits, counts) + (4 * pixels + 3 - np.repeat(starts, counts)) * word
    padded = np.frombuffer(data + b"\0", np.uint8).astype(np.uint16)
    pairs = padded[at >> 3] << 8 | padded[(at >> 3) + 1]
    alpha[pixels] = pairs >> (16 - word - (at & 7)).astype(np.uint16) & ((1 << word) - 1)


def _bits_of(numbers: NDArray[np.int64], kind: str) -> NDArray[np.uint8]:
    """Bits (n, 32 or 64) of numbers (n,), the highest first."""
    narrowed = numbers.astype(kind)
    return np.unpackbits(narrowed.view(np.uint8).reshape(len(numbers), -1), axis=1)
