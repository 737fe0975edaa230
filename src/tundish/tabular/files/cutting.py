"""Cut lines of separated text into records: whole ones for the CSV reader, broken ones as faults.

The rules are those of RFC 4180. All lines are examined together, with masks; only an odd line (its quotes do
not pair, or it has too many or too few fields) is examined alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Broken", "Cut", "Dialect", "cut"]

QUOTE, CR = ord('"'), ord("\r")
_LONGEST = 1 << 20
_SHOWN = 200
_MANY = 8


class Broken(NamedTuple):
    """A record that could not be cut, as in BROKEN; row and line count from 0 within the block."""

    row: int
    line: int
    check: str
    value: str
    message: str


@dataclass(frozen=True)
class Dialect:
    """How a file separates: `separator` between fields, `newline` after records, `width` fields in each.

    A table of one column has a separator too, one that does not occur in it.
    """

    separator: bytes
    newline: bytes
    width: int

    @cached_property
    def _field(self) -> bytes:
        blank = rb"[ \t]*+" if self.separator != b"\t" else rb"[ ]*+"
        end = re.escape(self.separator) + re.escape(self.newline)
        return rb'(?:%(blank)b"(?:[^"]++|"")*+"%(blank)b|(?!%(blank)b")[^%(end)b]*+)' % {
            b"blank": blank,
            b"end": end,
        }

    @cached_property
    def _record(self) -> re.Pattern[bytes]:
        parts = {b"f": self._field, b"s": re.escape(self.separator), b"n": re.escape(self.newline)}
        return re.compile(rb"%(f)b(?>(?:%(s)b%(f)b)*)(?:\r(?=%(n)b))?(?=%(n)b|\Z)" % parts)

    @cached_property
    def _one(self) -> re.Pattern[bytes]:
        return re.compile(rb"(%b)(%b|\Z)" % (self._field, re.escape(self.separator)))

    @cached_property
    def _unclosed(self) -> re.Pattern[bytes]:
        # An atomic group: in Python 3.11.2, as in Debian 12, a possessive one never matches here.
        fields = rb"(?>(?:%b%b)*)" % (self._field, re.escape(self.separator))
        return re.compile(fields + rb'[ \t]*+"(?:[^"]++|"")*+\Z')

    def record(self, data: bytes, start: int) -> int | None:
        """Where the record that starts here ends (at its newline), or None if its quotes do not close."""
        found = self._record.match(data, start, start + _LONGEST)
        return found.end() if found else None

    def is_unclosed(self, data: bytes, start: int) -> bool:
        """Whether the data that follows may still close the record that starts here."""
        return len(data) - start < _LONGEST and self._unclosed.match(data, start) is not None

    def fields(self, record: bytes) -> list[bytes] | None:
        """The fields of one record without its newline; None where quotes do not pair."""
        record, found, at = record.removesuffix(b"\r"), [], 0
        while match := self._one.match(record, at):
            field = match[1]
            bare = field.strip(b" \t")
            if bare.startswith(b'"'):
                field = bare[1:-1].replace(b'""', b'"')
            elif field.count(b'"') % 2:
                return None
            found.append(field)
            if not match[2]:
                return found
            at = match.end()
        return None

    def joined(self, fields: list[bytes]) -> bytes:
        """One record in the form of RFC 4180, with its newline. An empty field has no quotes: it is null."""
        return self.separator.join(_quote(field) for field in fields) + self.newline

    def unwrapped(self, fields: list[bytes]) -> list[bytes]:
        """The fields of a line that is wrapped in quotes as a whole."""
        if len(fields) == 1 and self.separator in fields[0]:
            return self.fields(fields[0]) or fields
        return fields


def _quote(field: bytes) -> bytes:
    return b'"' + field.replace(b'"', b'""') + b'"' if field else b""


@dataclass(frozen=True)
class Cut:
    """The records of a block.

    Attributes:
        data: The whole records, each with as many fields as there are columns.
        rows: The number of each whole record among all records of the block, from 0.
        lines: The line on which each whole record begins, from 0.
        broken: The records that could not be cut.
        records: The number of records, whole or broken.
        used: The number of lines that were cut.
        rest: The lines after them, to be put before the next block.
    """

    data: bytes
    rows: NDArray[np.int64]
    lines: NDArray[np.int64]
    broken: list[Broken]
    records: int
    used: int
    rest: bytes


@dataclass(frozen=True)
class _Lines:
    """The lines of a block by masks: where they are, what they contain, which are plain records."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    separators: NDArray[np.int64]
    odd: NDArray[np.bool_]
    plain: NDArray[np.bool_]
    blank: NDArray[np.bool_]


def cut(data: bytes, dialect: Dialect, faults: Mapping[int, tuple[str, str]], *, final: bool) -> Cut:
    """Cut whole lines, each ended by the newline, into records.

    Blank lines at the end, and a record whose quotes may close later, are left for the next block; where
    this is the `final` one, blank lines are dropped and the record is broken.
    """
    lines, data = _look(data, dialect)
    faults = {**_nul_bytes(data, lines), **faults}
    filled = np.flatnonzero(~lines.blank)
    used = int(filled[-1]) + 1 if len(filled) else 0
    usual = (lines.plain | lines.blank)[:used]
    usual[[number for number in faults if number < used]] = False
    walk = _Walk(data, dialect, lines, faults, final=final)
    stop = walk.over(np.flatnonzero(~usual).tolist(), used)
    starts = np.ones(stop, np.bool_)
    for first, after in walk.spans:
        starts[first + 1 : after] = False
    numbers = np.cumsum(starts) - 1
    whole = starts.copy()
    whole[[fault.line for fault in walk.broken]] = False
    at = np.flatnonzero(whole)
    return Cut(
        data=walk.collected(stop),
        rows=numbers[at],
        lines=at,
        broken=[fault._replace(row=int(numbers[fault.line])) for fault in walk.broken],
        records=int(numbers[-1]) + 1 if stop else 0,
        used=len(lines.ends) if final else stop,
        rest=b"" if final else data[int(lines.ends[stop - 1]) + 1 if stop else 0 :],
    )


class _Walk:
    """Walks over the lines that are not plain, and collects what the CSV reader gets."""

    def __init__(
        self,
        data: bytes,
        dialect: Dialect,
        lines: _Lines,
        faults: Mapping[int, tuple[str, str]],
        *,
        final: bool,
    ) -> None:
        self.data, self.dialect, self.lines, self.faults, self.final = data, dialect, lines, faults, final
        self.broken: list[Broken] = []
        self.spans: list[tuple[int, int]] = []
        self._kept: list[bytes] = []
        self._from = 0

    def over(self, numbers: list[int], used: int) -> int:
        """Examine these lines; return the line where cutting stops."""
        after = 0
        for number in numbers:
            if number < after:
                continue
            start = int(self.lines.starts[number])
            after, end = number + 1, int(self.lines.ends[number])
            self._keep(start)
            if self.lines.odd[number]:
                found = self._many_lines(number, start)
                if found is not None:
                    end, after = found
                    self.spans.append((number, after))
                elif not self.final and self.dialect.is_unclosed(self.data, start):
                    self._from = len(self.data)
                    return number
            self._from = end + 1
            self._judge(number, after, self.data[start:end])
        return max(used, after)

    def collected(self, stop: int) -> bytes:
        """The records for the CSV reader, from the lines before `stop`."""
        end = int(self.lines.ends[stop - 1]) + 1 if stop else 0
        if not self._kept:
            return self.data if end == len(self.data) else self.data[:end]
        self._keep(end)
        return b"".join(self._kept)

    def _keep(self, end: int) -> None:
        if end > self._from or not self._kept:
            self._kept.append(self.data[self._from : end])

    def _many_lines(self, number: int, start: int) -> tuple[int, int] | None:
        """The end of a record of several lines, and the line after it; None where a quote is misplaced."""
        end = self.dialect.record(self.data, start)
        if end is None:
            return None
        after = int(np.searchsorted(self.lines.ends, end)) + 1
        inside = self.lines.separators[number + 1 : after - 1]
        if len(inside) > _MANY and self.dialect.width > 1 and bool((inside == self.dialect.width - 1).all()):
            return None  # so many whole records are not one field: two quotes are misplaced
        fields = self.dialect.fields(self.data[start:end])
        return (end, after) if fields is not None and len(fields) == self.dialect.width else None

    def _judge(self, number: int, after: int, record: bytes) -> None:
        fault = next((self.faults[line] for line in range(number, after) if line in self.faults), None)
        if fault is None and not record.strip():
            self._kept.append(self.dialect.newline)
            return
        width = self.dialect.width
        fields = (
            None if fault or (after == number + 1 and self.lines.odd[number]) else self.dialect.fields(record)
        )
        if fields is not None:
            fields = self.dialect.unwrapped(fields) if width > 1 else fields
            if len(fields) == width:
                self._kept.append(self.dialect.joined(fields))
                return
            fault = "field_count", f"{len(fields)} fields where the table has {width} columns"
        check, message = fault or ("broken_quote", "a quotation mark is not closed, or is misplaced")
        text = record.decode("utf-8", errors="replace").rstrip("\r")
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
        self.broken.append(Broken(0, number, check, shown, message))


def _nul_bytes(data: bytes, lines: _Lines) -> dict[int, tuple[str, str]]:
    if b"\0" not in data:
        return {}
    at = np.flatnonzero(np.frombuffer(data, np.uint8) == 0)
    fault = "nul_byte", "the line contains NUL bytes, which a write that was cut off leaves behind"
    return dict.fromkeys(np.unique(np.searchsorted(lines.ends, at)).tolist(), fault)


def _look(data: bytes, dialect: Dialect) -> tuple[_Lines, bytes]:
    """The lines of a block, and the block with lines unwrapped that are wrapped in quotes as a whole."""
    array = np.frombuffer(data, np.uint8)
    if b'"' not in data:
        return _without_quotes(array, dialect), data
    lines, wrapped = _with_quotes(array, dialect)
    if lines.odd.any() or not wrapped.any():
        return lines, data  # a line of a field of several lines may look like a wrapped one
    keep = np.ones(len(array), np.bool_)
    keep[lines.starts[wrapped]] = False
    keep[_last(array, lines.starts, lines.ends)[wrapped]] = False
    return _look(array[keep].tobytes(), dialect)


def _last(array: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the last byte of each line is, not counting its newline and carriage return."""
    last = np.maximum(ends - 1, starts)
    found: NDArray[np.int64] = np.maximum(last - (array[last] == CR), starts)
    return found


def _bounds(ends: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends


def _blank(array: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    length = ends - starts
    blank: NDArray[np.bool_] = (length == 0) | ((length == 1) & (array[starts] == CR))
    return blank


def _without_quotes(array: NDArray[np.uint8], dialect: Dialect) -> _Lines:
    ends = np.flatnonzero(array == dialect.newline[0])
    starts = _bounds(ends)
    inside = array == dialect.separator[0]
    separators = np.add.reduceat(inside.view(np.int8), starts, dtype=np.int32) if len(ends) else ends
    plain = separators == dialect.width - 1
    odd = np.zeros(len(ends), np.bool_)
    return _Lines(starts, ends, separators, odd, plain, _blank(array, starts, ends))


def _with_quotes(array: NDArray[np.uint8], dialect: Dialect) -> tuple[_Lines, NDArray[np.bool_]]:
    """The lines, and which of them lie within one pair of quotes that encloses all separators."""
    newline, separator = dialect.newline[0], dialect.separator[0]
    at = np.flatnonzero((array == newline) | (array == QUOTE) | (array == separator))
    kinds = array[at]
    line_ends = np.flatnonzero(kinds == newline)
    ends = at[line_ends]
    starts = _bounds(ends)
    is_quote = kinds == QUOTE
    before = np.cumsum(is_quote, dtype=np.int32)
    quotes = np.diff(before[line_ends], prepend=0)
    length = np.diff(line_ends, prepend=-1)
    odd = (quotes & 1).astype(np.bool_)
    if odd.any():  # each line is examined as if it began outside quotes
        before -= np.repeat(before[line_ends] - quotes, length)
    inside = (before & 1).astype(np.bool_)
    separators = length - 1 - quotes
    hidden = np.add.reduceat((kinds == separator) & inside, _bounds(line_ends), dtype=np.int32)
    dirty = np.zeros(len(ends), np.bool_)
    dirty[np.searchsorted(ends, _misplaced(array, at, is_quote, inside))] = True
    last = _last(array, starts, ends)
    wrapped = (quotes == 2) & (array[starts] == QUOTE) & (array[last] == QUOTE) & (last > starts)
    wrapped &= (separators == dialect.width - 1) & (hidden == separators) & (dialect.width > 1)
    plain = (separators - hidden == dialect.width - 1) & ~odd & ~dirty
    return _Lines(starts, ends, separators, odd, plain, _blank(array, starts, ends)), wrapped


def _misplaced(
    array: NDArray[np.uint8], at: NDArray[np.int64], is_quote: NDArray[np.bool_], inside: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Where quotes open after something other than a separator, or close before something else."""
    touching = np.diff(at) == 1
    opens, closes = is_quote & inside, is_quote & ~inside
    wrong = at[1:][opens[1:] & ~touching]
    if opens[:1].any() and at[0]:
        wrong = np.append(wrong, at[0])
    loose = at[:-1][closes[:-1] & ~touching]
    loose = loose[(array[loose + 1] != CR) | (array[loose + 2] != array[-1])]
    found: NDArray[np.int64] = np.concatenate((wrong, loose))
    return found
