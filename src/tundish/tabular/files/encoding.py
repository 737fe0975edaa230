"""Detect the encoding of a text file, and read its lines as UTF-8, block by block.

The order is: byte order mark, UTF-8, then GB 18030 (GBK and GB 2312 are parts of it) or a western encoding of
one byte a character. A file has one encoding, that of most of its text beyond ASCII; a line in another
encoding is reported, never guessed.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tundish.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["BLOCK", "Block", "blocks", "detect", "head", "is_doubtful"]

BLOCK = 24 << 20
"""Bytes of a file that are held in memory at once: with them records of ten columns stay below 1 GiB."""

_LONGEST = 4 * BLOCK
_LOOK = 1 << 20
_DECIDED = 10_000

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CODECS = {"utf-8-sig": "utf-8", **dict.fromkeys(("utf-16", "utf-16-le", "utf-16-be"), "utf-8")}
"""The codec of the bytes once the mark is removed and UTF-16 is converted to UTF-8; others are their own."""

_WESTERN = 0.5
"""Share of single bytes beyond ASCII from which on a text is western: hanzi have two or four bytes."""

_FOUR = re.compile(rb"[\x81-\xfe][\x30-\x39][\x81-\xfe][\x30-\x39]")
_JUDGED, _COMMON = 20, 0.4
"""Hanzi that suffice to judge a text, and the share of the first level of GB 2312 that it has at least."""

_UNDEFINED = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])
"""Bytes that are no character in Windows-1252."""

_LOST = ("\ufffd".encode(), "锟斤拷".encode())


@dataclass(frozen=True)
class Block:
    r"""Whole lines of a file as UTF-8, the last one ended too; `faults`: line from 0 -> check and sentence.

    A faulty line keeps its place; its bytes beyond ASCII are written as ``\xbb``.
    """

    data: bytes
    faults: dict[int, tuple[str, str]] = field(default_factory=dict)


def detect(path: Path) -> str:
    r"""Detect the encoding of a text file: utf-8, utf-8-sig, utf-16, gb18030, cp1252 or latin-1.

    ASCII is utf-8.

    The evidence is weighed by lines: a line that is not valid UTF-8 counts for GB 18030, one with sequences
    of three bytes (Chinese) for UTF-8. Sequences of two bytes count for neither: hanzi in GB 18030 are often
    valid UTF-8. Where it is not UTF-8, single bytes beyond ASCII are western: '\xb0C' is '°C' in
    Windows-1252, and a rare hanzi in GB 18030.
    """
    with path.open("rb") as file:
        start = file.read(4)
        for mark, encoding in _MARKS:
            if start.startswith(mark):
                return encoding
        file.seek(0)
        utf8 = gb18030 = western = 0
        rest = b""
        while data := file.read(_LOOK):
            rest += data
            cut = max(rest.rfind(b"\n"), rest.rfind(b"\r")) + 1
            lines, rest = (rest[:cut], rest[cut:]) if cut else (rest, b"")
            here = _weigh(lines)
            utf8, gb18030, western = utf8 + here[0], gb18030 + here[1], western + here[2]
            if max(utf8, gb18030) > _DECIDED and max(utf8, gb18030) > 10 * min(utf8, gb18030):
                break
        else:
            here = _weigh(rest)
            utf8, gb18030, western = utf8 + here[0], gb18030 + here[1], western + here[2]
    if western > max(utf8, gb18030):
        return _western(path)
    return "gb18030" if gb18030 > utf8 else "utf-8"


def is_doubtful(path: Path) -> bool:
    """Whether the text of a file in GB 18030 hardly has common hanzi, so that it may be in another encoding.

    Big5, Cyrillic and the like decode as GB 18030 too, into hanzi that nobody writes. Texts of a few
    characters are not judged.
    """
    with path.open("rb") as file:
        array = np.frombuffer(_FOUR.sub(b"", file.read(_LOOK)), np.uint8)
    high = array >= 0x80
    edges = np.flatnonzero(np.diff(high, prepend=False, append=False))
    leads = np.concatenate(
        [np.array([], np.uint8), *(array[start:end:2] for start, end in edges.reshape(-1, 2).tolist())]
    )
    common = ((leads >= 0xB0) & (leads <= 0xD7)) | (leads == 0xA1) | (leads == 0xA3)
    return len(leads) >= _JUDGED and float(common.mean()) < _COMMON


def _western(path: Path) -> str:
    """Windows-1252, or Latin-1 where a byte is no character there."""
    with path.open("rb") as file:
        while data := file.read(_LOOK):
            if data.translate(None, _UNDEFINED) != data:
                return "latin-1"
    return "cp1252"


def _weigh(data: bytes) -> tuple[int, int, int]:
    """Count the characters that indicate UTF-8, GB 18030, and a western encoding."""
    if data.isascii():
        return 0, 0, 0
    if _is_utf8(data):
        return int(np.count_nonzero(np.frombuffer(data, np.uint8) >= 0xE0)), 0, 0
    utf8 = gb18030 = western = 0
    for line in data.splitlines():
        if line.isascii():
            continue
        if _fits(line, "utf-8"):
            utf8 += sum(byte >= 0xE0 for byte in line)
            continue
        count = sum(byte >= 0x80 for byte in line)
        if _single_bytes(line) >= _WESTERN * count:
            western += count
        elif _fits(line, "gb18030"):
            gb18030 += count // 2
    return utf8, gb18030, western


def _single_bytes(line: bytes) -> int:
    """How many bytes beyond ASCII have no other beside them."""
    high = np.frombuffer(_FOUR.sub(b"", line), np.uint8) >= 0x80
    alone = high.copy()
    alone[1:] &= ~high[:-1]
    alone[:-1] &= ~high[1:]
    return int(alone.sum())


def _is_utf8(data: bytes) -> bool:
    """Whether the bytes decode as UTF-8, found without making the text."""
    offsets = np.array([0, len(data)], np.int32)
    text = pa.StringArray.from_buffers(1, pa.py_buffer(offsets), pa.py_buffer(data))
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _fits(data: bytes, codec: str) -> bool:
    try:
        data.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def head(path: Path, encoding: str) -> bytes:
    """Read the first megabyte as UTF-8, cut anywhere; what cannot be decoded is replaced."""
    for data in _without_mark(path, encoding, _LOOK):
        return data.decode(_CODECS.get(encoding, encoding), errors="replace").encode()
    return b""


def blocks(path: Path, encoding: str, newline: bytes, name: str, size: int = BLOCK) -> Iterator[Block]:
    """Yield the lines of a file, about `size` bytes at a time.

    Raises:
        SourceError: A line is longer than 128 MB, so this is not a table.
    """
    codec = _CODECS.get(encoding, encoding)
    rest: list[bytes] = []
    for data in _without_mark(path, encoding, size):
        cut = data.rfind(newline) + 1
        if cut:
            yield _block(b"".join((*rest, memoryview(data)[:cut])), codec, newline)
            rest = [data[cut:]]
        else:
            rest.append(data)
        if sum(map(len, rest)) > _LONGEST:
            raise SourceError(
                "a line is longer than 128 MB, so this is not a table of text",
                where=name,
                fix="look at it with an editor, and exclude it from the source if it is not a table",
            )
    if last := b"".join(rest):
        yield _block(last + newline, codec, newline)


def _without_mark(path: Path, encoding: str, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        if encoding.startswith("utf-16"):
            decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
            while data := file.read(max(size // 2, 2)):
                yield decoder.decode(data).encode("utf-8", errors="replace")
            yield decoder.decode(b"", final=True).encode("utf-8", errors="replace")
            return
        file.seek(len(codecs.BOM_UTF8) if encoding == "utf-8-sig" else 0)
        while data := file.read(size):
            yield data


def _block(data: bytes, codec: str, newline: bytes) -> Block:
    if data.isascii():
        return Block(data)
    faults: dict[int, tuple[str, str]] = {}
    if codec == "gb18030":
        foreign = _utf8_lines(data, newline)
    elif codec != "utf-8" or _is_utf8(data):
        foreign = []
    else:
        foreign = [number for number, line in enumerate(data.split(newline)) if not _fits(line, codec)]
    mixed = "mixed_encoding", f"the line is in another encoding than the file, which is {codec}"
    if codec != "utf-8" and not foreign:
        try:
            data = data.decode(codec).encode()
        except UnicodeDecodeError:
            foreign = [-1]
    if foreign:
        data, faults = _by_line(data, codec, newline, set(foreign), mixed)
    _find_lost(data, newline, faults)
    return Block(data, faults)


def _by_line(
    data: bytes, codec: str, newline: bytes, foreign: set[int], fault: tuple[str, str]
) -> tuple[bytes, dict[int, tuple[str, str]]]:
    lines, faults = data.split(newline), {}
    for number, line in enumerate(lines):
        if line.isascii():
            continue
        if number in foreign or not _fits(line, codec):
            faults[number] = fault
            lines[number] = line.decode("ascii", errors="backslashreplace").encode()
        elif codec != "utf-8":
            lines[number] = line.decode(codec).encode()
    return newline.join(lines), faults


def _utf8_lines(data: bytes, newline: bytes) -> list[int]:
    """Find lines of a GB 18030 file that were written as UTF-8.

    A line is such a line if all of it is valid UTF-8, it has sequences of three bytes or more, and at least
    half of these are characters of GB 2312 or punctuation. Text in GB 18030 does not meet this by chance: it
    would take three hanzi in a row of which the first is rare (first byte E0 or above) and the others match
    to the bit, and the characters read would have to be common ones. A line whose only UTF-8 has two bytes
    (``°``, ``µ``) cannot be told apart from hanzi and is read like the rest of the file.
    """
    array = np.frombuffer(data, np.uint8)
    high = array >= 0x80
    high[1:] &= array[:-1] < 0x80
    runs = np.flatnonzero(high)
    first, second = array[runs], array[runs + 1]
    third = array[np.minimum(runs + 2, len(array) - 1)]
    trail = (second & 0xC0) == 0x80
    fits = (first >= 0xC2) & (first < 0xF5) & trail & ((first < 0xE0) | ((third & 0xC0) == 0x80))
    ends = np.flatnonzero(array == newline[0])
    numbers = np.searchsorted(ends, runs)
    found = []
    for number in np.setdiff1d(numbers, numbers[~fits], assume_unique=False).tolist():
        line = data[int(ends[number - 1]) + 1 if number else 0 : int(ends[number])]
        if _is_chinese_utf8(line):
            found.append(number)
    return found


def _is_chinese_utf8(line: bytes) -> bool:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    wide = [char for char in text if char >= "\u0800"]
    return bool(wide) and 2 * sum(map(_is_common, wide)) >= len(wide)


def _is_common(char: str) -> bool:
    if "\u2000" <= char <= "\u33ff" or "\uff00" <= char <= "\uffef":
        return True
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _find_lost(data: bytes, newline: bytes, faults: dict[int, tuple[str, str]]) -> None:
    """Find lines with U+FFFD, or what two of it become when read as GBK: their text is lost."""
    sentence = "the text was lost in a double conversion: it contains U+FFFD or what that turns into (锟斤拷)"
    for sign in _LOST:
        at = data.find(sign) if sign[:1] in data else -1  # one byte is found much faster than three
        while at >= 0:
            faults.setdefault(data.count(newline, 0, at), ("double_conversion", sentence))
            end = data.find(newline, at)
            at = data.find(sign, end) if end >= 0 else -1
