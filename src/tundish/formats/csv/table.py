"""A CSV file cut into its rows: encoding, separator, header; a broken row costs itself and no other."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from tundish.formats.base import IMAGE_SUFFIXES, ImageRef, suffix_of
from tundish.formats.csv.names import IMAGE_NAMES
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.match import find_named
from tundish.formats.reading.text import decode_text, real
from tundish.tabular.files.cutting import Dialect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tundish.formats.base import Catalog

__all__ = ["Row", "Table", "image_column", "is_code", "number_of", "parse_table", "plain"]

_SEPARATORS = (b"\t", b";", b"|", b",")
_LOOK = 50
"""Rows from which the separator is found."""

_ASKED = 500
"""Rows whose images are looked up to find the column of images."""

_CODE = re.compile(r"/[a-z]+/[0-9a-z_]+")
_NOT_PLAIN = re.compile(r"[\W_]+")


class Row(NamedTuple):
    """A row: the line it begins on, from 0, and its fields, stripped; `fault` where it could not be cut."""

    line: int
    fields: tuple[str, ...]
    fault: Fault | None = None

    def field(self, column: int | None) -> str:
        """The field in a column; empty where the row or the file has none."""
        return "" if column is None or column >= len(self.fields) else self.fields[column]


@dataclass(frozen=True)
class Table:
    """One CSV file.

    Attributes:
        path: Where it is in the source.
        names: The header as written; empty where there is none.
        rows: All other rows that are not blank.
        separator: What separates the fields.
        encoding: What the bytes were taken for.
        width: How many columns most rows have.
    """

    path: str
    names: tuple[str, ...]
    rows: list[Row]
    separator: str
    encoding: str
    width: int

    def column(self, number: int, limit: int | None = None) -> list[str]:
        """What the rows hold in a column, empty fields left out; the first `limit` of them."""
        return list(islice((text for row in self.rows if (text := row.field(number))), limit))


def is_code(text: str) -> bool:
    """Whether a class is a code of Open Images, such as ``/m/0abc``: another table has its name."""
    return _CODE.fullmatch(text) is not None


def plain(name: str) -> str:
    """A column's name without case, blanks and punctuation."""
    return _NOT_PLAIN.sub("", name.casefold())


def number_of(text: str, table: Table) -> float | None:
    """A finite number; with a decimal comma only where the commas of the file separate nothing."""
    number = real(text)
    if number is None and table.separator != "," and text.count(",") == 1:
        return real(text.replace(",", "."))
    return number


def parse_table(path: str, data: bytes, catalog: Catalog) -> Table:
    """Cut a CSV file into rows.

    Args:
        path: Where it is in the source.
        data: Bytes of the file.
        catalog: The images; a first row that names one of them is not a header.

    Raises:
        Fault: The file is empty, or holds no table.
    """
    text, encoding = decode_text(data)
    if not text.strip("\0 \t\r\n"):
        raise Fault("broken_file", "the file is empty")
    if "\0" in text:
        raise Fault("broken_file", "the file holds bytes of 0: it is not text")
    content = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    separator = max(_SEPARATORS, key=lambda one: _evenness(_cut(content, one, _LOOK)))
    rows = list(_cut_whole(content, separator))
    width = _usual_width(rows)[0]
    if width < 2:
        raise Fault("not_a_table", "the rows have one field; nothing separates an image from its label")
    rows = [row if len(row.fields) == width or row.fault else _fitted(row, width) for row in rows]
    names = rows[0].fields if _is_header(rows[0], catalog) else ()
    return Table(path, names, rows[1:] if names else rows, separator.decode(), encoding, width)


@lru_cache(maxsize=2)
def _cut_whole(content: bytes, separator: bytes) -> tuple[Row, ...]:
    """All rows; kept for the next format that looks at the same file."""
    rows = _cut_plain(content, separator)
    return tuple(_cut(content, separator) if rows is None else rows)


def _cut_plain(content: bytes, separator: bytes) -> list[Row] | None:
    """The rows of a file whose records are lines and whose quotes hold whole fields; None of any other."""
    text, between = content.decode(), separator.decode()
    lines = text.split("\n")
    if '"' not in text:
        cut: Iterable[list[str]] = (line.split(between) for line in lines)
    else:
        field = f'(?:"[^"]*"|[^"{re.escape(between)}]*)'
        plain_line = re.compile(f"{field}(?:{re.escape(between)}{field})*")
        if not all(map(plain_line.fullmatch, lines)):
            return None
        cut = csv.reader(lines, delimiter=between, strict=True)
    rows = []
    try:
        for line, fields in enumerate(cut):
            if len(fields) == 1 and between in fields[0]:
                return None  # a line that is wrapped in quotes as a whole
            texts = tuple(map(str.strip, fields))
            if any(texts):
                rows.append(Row(line, texts))
    except csv.Error:
        return None
    return rows


def _cut(content: bytes, separator: bytes, limit: int | None = None) -> list[Row]:
    dialect = Dialect(separator, b"\n", 0)
    rows: list[Row] = []
    at = line = 0
    while at < len(content) and (limit is None or len(rows) < limit):
        end = dialect.record(content, at)
        fields = None if end is None else dialect.fields(content[at:end])
        fault = None
        if end is None or fields is None:
            end = content.find(b"\n", at)
            end = len(content) if end < 0 else end
            fields = content[at:end].split(separator)
            shown = content[at : at + 200].decode("utf-8", "replace").partition("\n")[0]
            fault = Fault("broken_quotes", "the quotes of the row do not close", "", shown)
        texts = tuple(field.decode("utf-8", "replace").strip() for field in dialect.unwrapped(fields))
        if any(texts):
            rows.append(Row(line, texts, fault))
        line += content.count(b"\n", at, end + 1)
        at = end + 1
    return rows


def _usual_width(rows: list[Row]) -> tuple[int, float]:
    widths = Counter(len(row.fields) for row in rows)
    (width, count), *_ = widths.most_common(1) or [(0, 0)]
    return width, count / max(1, len(rows))


def _evenness(rows: list[Row]) -> tuple[bool, float]:
    width, share = _usual_width(rows)
    return width > 1, share


def _fitted(row: Row, width: int) -> Row:
    """A row with too few or too many fields; empty fields at its end are not counted."""
    fields = row.fields
    while len(fields) > width and not fields[-1]:
        fields = fields[:-1]
    if len(fields) == width or not any(fields[1:]):
        return row._replace(fields=fields + ("",) * (width - len(fields)))
    message = f"the row has {len(fields)} fields, most have {width}"
    return Row(row.line, fields, Fault("field_count", message, "", " | ".join(fields)))


def _is_header(row: Row, catalog: Catalog) -> bool:
    if row.fault is not None:
        return False
    if any(plain(text) in IMAGE_NAMES for text in row.fields):
        return True
    for text in row.fields:
        if real(text) is not None or suffix_of(text) in IMAGE_SUFFIXES:
            return False
        if text and isinstance(find_named(catalog, "", text), ImageRef):
            return False
    return True


def image_column(table: Table, catalog: Catalog, names: frozenset[str]) -> tuple[int | None, int]:
    """The column whose values name images that are here, and how many of the first rows it names.

    Args:
        table: The file.
        catalog: The images.
        names: Plain names that such a column has; they decide where no value names an image.
    """
    counts = {}
    for column in range(table.width):
        values = [value for value in table.column(column, _ASKED) if real(value) is None or "." not in value]
        counts[column] = sum(
            isinstance(find_named(catalog, table.path, value), ImageRef) for value in set(values)
        )
    known = [column for column, name in enumerate(table.names) if plain(name) in names]
    best = max(counts, key=lambda column: (counts[column], column in known, -column))
    if counts[best]:
        return best, counts[best]
    return (known[0], 0) if known else (None, 0)
