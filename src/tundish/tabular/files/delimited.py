"""Tables of delimited text: CSV and the like, with any separator, encoding and line ends."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from tundish.errors import SourceError
from tundish.tabular.base import BROKEN, Layout, Piece, Remark
from tundish.tabular.files.cutting import Cut, Dialect, cut
from tundish.tabular.files.encoding import BLOCK, Block, blocks, detect, head, is_doubtful
from tundish.tabular.files.header_rows import HEAD, find_header, plain_name
from tundish.tabular.files.stacked import later_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tundish.tabular.base import FileOptions
    from tundish.tabular.files.header_rows import Header, Row

__all__ = ["DelimitedSheet", "open_delimited"]

_SEPARATORS = (b"\t", b";", b"|", b",")
"""A separator listed before the comma wins where both fit: the comma is then a decimal comma."""

_NONE = b"\x1f"
_SEEN = 200
_LOOK = 1 << 20
_BOM = "\ufeff".encode()


@dataclass(frozen=True)
class DelimitedSheet:
    """A table of a text file.

    Attributes:
        layout: How it is laid out.
        path: The file.
        name: Its name, for messages.
        dialect: How it separates fields and records.
        first_line: The line its records begin on, from 0.
        size: Bytes of the file that are read at once.
        end: The line after the last record, from 0; None for the end of the file.
        before: What the numbers of its rows begin with, so that no two rows of a file have one number.
    """

    layout: Layout
    path: Path
    name: str
    dialect: Dialect
    first_line: int
    size: int = BLOCK
    end: int | None = None
    before: int = 0

    def pieces(self) -> Iterator[Piece]:
        """Yield the records, about `size` bytes of the file at a time, and cut the next ones meanwhile."""
        row, line = self.before, self.first_line
        for part in _read_ahead(self._cuts()):
            if part.records:
                yield self._piece(part, row, line)
            row, line = row + part.records, line + part.used

    def _cuts(self) -> Iterator[Cut]:
        """Cut the blocks of the file; what remains of one is put before the next."""
        skip, rest, faults = self.first_line, b"", dict[int, tuple[str, str]]()
        encoding = self.layout.encoding or "utf-8"
        for block in self._blocks(encoding):
            data, shift = block.data, rest.count(self.dialect.newline)
            faults |= {
                number - skip + shift: fault for number, fault in block.faults.items() if number >= skip
            }
            if skip:
                lines = data.count(self.dialect.newline)
                data = _after(data, self.dialect.newline, skip)
                skip = max(0, skip - lines)
            part = cut(rest + data, self.dialect, faults, final=False)
            yield part
            rest = part.rest
            faults = {number - part.used: fault for number, fault in faults.items() if number >= part.used}
        yield cut(rest, self.dialect, faults, final=True)

    def _blocks(self, encoding: str) -> Iterator[Block]:
        """The blocks of the file down to the end of the table."""
        left = self.end
        newline = self.dialect.newline
        for block in blocks(self.path, encoding, newline, self.name, self.size):
            if left is None:
                yield block
                continue
            lines = block.data.count(newline)
            if lines < left:
                yield block
                left -= lines
                continue
            rest = _after(block.data, newline, left)
            data = block.data[: len(block.data) - len(rest)]
            yield Block(data, {number: fault for number, fault in block.faults.items() if number < left})
            return

    def _piece(self, part: Cut, row: int, line: int) -> Piece:
        data = part.data
        if data.startswith(_BOM):
            data = _BOM + data  # the reader removes one as the mark of the file
        if data.startswith((b"\r", b"\n")):
            data = (
                self.dialect.separator * (self.dialect.width - 1) + data
            )  # it counts columns in the first line
        frame = pl.read_csv(
            data,
            has_header=False,
            schema={f"c{number}": pl.String for number in range(self.dialect.width)},
            infer_schema=False,
            separator=self.dialect.separator.decode(),
            eol_char=self.dialect.newline.decode(),
            null_values=[""] if b'"' in data and b'""' in data else None,
        )
        if frame.height != len(part.rows):
            raise SourceError(
                f"{len(part.rows)} records were found from line {line + 1} on, but {frame.height} were read",
                where=self.name,
                fix="report this with the file: it is a bug of the reader",
            )
        frame.insert_column(0, pl.Series("row", part.rows + row))
        frame.insert_column(1, pl.Series("line", part.lines + (line + 1)))
        broken = [fault._replace(row=fault.row + row, line=fault.line + line + 1) for fault in part.broken]
        return Piece(frame, pl.DataFrame(broken, BROKEN, orient="row"))


def _after(data: bytes, newline: bytes, lines: int) -> bytes:
    """The text after this many lines."""
    at = 0
    for _ in range(lines):
        at = data.find(newline, at) + 1
        if not at:
            return b""
    return data[at:]


def _read_ahead(parts: Iterator[Cut]) -> Iterator[Cut]:
    """Yield the same parts; a thread makes the next one while this one is used."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, parts, None)
        while (part := coming.result()) is not None:
            coming = pool.submit(next, parts, None)
            yield part


class _Record(NamedTuple):
    """A record among the first ones: the line it begins on, from 0, and its fields."""

    line: int
    cells: Row


def open_delimited(path: Path, name: str, options: FileOptions) -> list[DelimitedSheet]:
    """Open the tables of a text file; its encoding, separator and header are found from its first lines.

    Raises:
        SourceError: The file is empty, or its header cannot be read.
    """
    encoding = _stated(path, options.encoding) or detect(path)
    if options.encoding is None and encoding == "gb18030" and is_doubtful(path):
        raise SourceError(
            "the encoding of the text is not certain: it is not UTF-8, and as GB 18030 it has few common"
            " characters",
            where=name,
            fix="name it in the recipe's 'encoding', such as big5, cp1251 or shift_jis",
        )
    newline = _newline(head(path, encoding))
    start = next(blocks(path, encoding, newline, name, _LOOK), Block(b""))
    if not start.data.strip():
        raise SourceError("the file is empty", where=name, fix="remove it from the recipe's source")
    separator, records = _sniff(start.data, newline, options)
    later: list[int] = []
    if separator != _NONE and path.stat().st_size <= BLOCK and options.header is None:
        text = next(blocks(path, encoding, newline, name, BLOCK + 1), Block(b"")).data
        later = later_lines(text, separator, newline, frozenset(map(plain_name, options.known)))
    layout = Layout(None, (), 0, encoding, None if separator == _NONE else separator.decode())
    if not later:
        return [_sheet(path, name, layout, start, records, Dialect(separator, newline, 0), options)]
    found: list[DelimitedSheet] = []
    for first, end in zip([0, *later], [*later, None], strict=True):
        part = Block(_after(text, newline, first) if end is None else _lines(text, newline, first, end))
        rows = _first_records(part.data, separator, newline)
        dialect = Dialect(separator, newline, 0)
        sheet = _sheet(path, name, layout, part, rows, dialect, options)
        line = first + sheet.first_line
        moved = replace(sheet.layout, header_rows=line if first else sheet.layout.header_rows)
        before = line - found[0].first_line if found else 0
        found.append(replace(sheet, layout=moved, first_line=line, end=end, before=before))
    at = ", ".join(str(sheet.first_line) for sheet in found)
    told = Remark("several_tables", f"{name} has {len(found)} tables; their headers end in line {at}")
    return [replace(found[0], layout=replace(found[0].layout, remarks=(told,))), *found[1:]]


def _lines(text: bytes, newline: bytes, first: int, end: int) -> bytes:
    start = _after(text, newline, first)
    return start[: len(start) - len(_after(start, newline, end - first))]


def _sheet(
    path: Path,
    name: str,
    layout: Layout,
    start: Block,
    records: Sequence[_Record],
    dialect: Dialect,
    options: FileOptions,
) -> DelimitedSheet:
    """The table that begins with these records."""
    header, width = _header(records, options, name)
    after = len(records) <= header.rows
    first_line = start.data.count(dialect.newline) if after else records[header.rows].line
    top = records[header.titles].line if header.titles < len(records) else first_line
    for line, (_, sentence) in sorted(start.faults.items()):
        if top <= line < first_line:
            raise SourceError(
                f"the header cannot be read: {sentence}",
                where=f"{name}, line {line + 1}",
                fix="save the file in one encoding, such as UTF-8",
            )
    layout = replace(layout, headers=header.names, header_rows=header.rows)
    return DelimitedSheet(layout, path, name, replace(dialect, width=width), first_line)


def _stated(path: Path, encoding: str | None) -> str | None:
    """The encoding that the recipe states; one with a byte order mark where the file has it."""
    if encoding is None or not encoding.startswith(("utf-8", "utf-16", "utf_8", "utf_16")):
        return encoding
    found = detect(path)
    return found if found in {"utf-8-sig", "utf-16"} else encoding.replace("_", "-")


def _newline(start: bytes) -> bytes:
    """The line end: LF, with a CR before it, or CR alone."""
    plain = re.sub(rb'"[^"]*"', b"", start).replace(b"\r\n", b"\n")
    return b"\r" if plain.count(b"\r") > plain.count(b"\n") else b"\n"


def _sniff(start: bytes, newline: bytes, options: FileOptions) -> tuple[bytes, list[_Record]]:
    """Find the separator that cuts the first lines most evenly, and cut these lines by it."""
    stated = re.match(rb'"?sep=([,;|\t])"?\r?(?:\n|\r)', start)
    candidates = (stated[1],) if stated else _SEPARATORS
    found = {separator: _first_records(start, separator, newline) for separator in candidates}
    if stated:
        return stated[1], found[stated[1]]

    def evenness(separator: bytes) -> tuple[bool, float, int]:
        width, count, share = _usual_width(found[separator])
        return (width == len(options.names), share, count) if width > 1 else (False, 0, 0)

    best = max(_SEPARATORS, key=evenness)
    if evenness(best)[1] >= 0.5:
        return best, found[best]
    return _NONE, _first_records(start, _NONE, newline)


def _first_records(start: bytes, separator: bytes, newline: bytes) -> list[_Record]:
    dialect = Dialect(separator, newline, 0)
    records: list[_Record] = []
    at = line = 0
    while at < len(start) and len(records) < _SEEN:
        end = dialect.record(start, at)
        fields = None if end is None else dialect.fields(start[at:end])
        if end is None or fields is None:
            end = start.find(newline, at)
            fields = start[at:end].removesuffix(b"\r").split(separator)
        cells = (field.decode("utf-8", errors="replace") or None for field in dialect.unwrapped(fields))
        records.append(_Record(line, tuple(cells)))
        line += start.count(newline, at, end + 1)
        at = end + 1
    return records


def _usual_width(records: Sequence[_Record]) -> tuple[int, int, float]:
    """The usual number of fields, how many records have it, and their share of those after the titles."""
    widths = [len(record.cells) for record in records if any(record.cells)]
    while widths and widths[0] == 1:
        del widths[0]
    if not widths:
        return 1, 0, 1.0
    width, count = Counter(widths).most_common(1)[0]
    return width, count, count / len(widths)


def _header(records: Sequence[_Record], options: FileOptions, name: str) -> tuple[Header, int]:
    """The header and the number of columns.

    The header determines the number of columns. Only separators at the end of the records, with nothing
    between them, add columns: an extra field elsewhere would shift the others.
    """
    rows = [record.cells for record in records[:HEAD]]
    width = _usual_width(records)[0]
    header = find_header(rows, width, options, name)
    named = max((len(_trim(row)) for row in rows[header.titles : header.rows]), default=width)
    beyond = (any(row[named:]) for row in rows[header.rows :] if len(row) == width)
    if named > width or (named < width and any(beyond)):
        width = named
        header = find_header(rows, width, options, name)
    return header, width


def _trim(row: Row) -> Row:
    filled = [number for number, cell in enumerate(row) if cell]
    return row[: filled[-1] + 1] if filled else ()
