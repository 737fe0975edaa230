"""Numbers for images in tables: which columns hold them, and what their rows say."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tundish.formats.base import ImageRef, parts_of
from tundish.formats.csv.columns import box_columns
from tundish.formats.csv.names import IMAGE_NAMES, LABEL_NAMES
from tundish.formats.csv.runs import run_columns
from tundish.formats.csv.table import Table, image_column, number_of, plain
from tundish.formats.reading.match import find_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.formats.base import Catalog

__all__ = ["NO_VALUES", "Value", "ValueColumn", "read_values", "value_columns"]

NO_VALUES = frozenset({"", "-", "--", "/", "na", "n/a", "nan", "null", "none", "无"})
"""What a cell without a value holds, in lower case."""

_MOST_NAMED = 0.5
"""Share of the rows whose image must be here."""

_NUMBERS = 0.9
"""Share of the cells of a column that must be numbers."""

_FEW = 5
"""Different values up to which numbers are rather classes, flags or grades."""

_LEAST_DIFFERENT = 0.02
"""Share of the rows that must be different, where all values are whole numbers."""

_NOT_VALUES = frozenset(
    {"id", "index", "idx", "no", "number", "nr", "unnamed0", "row", "line", "seed", "fold", "frame", "序号"}
    | {"width", "height", "imagewidth", "imageheight", "size", "filesize", "channels", "depth"}
    | {"year", "month", "day", "hour", "minute", "second", "time", "date", "timestamp", "labelid", "classid"}
    | {"categoryid", "lat", "lon", "latitude", "longitude"}
)
"""Plain names of columns of numbers that measure nothing of what the image shows."""

_UNIT = re.compile(r"^(.+?)\s*(?:[(\[]\s*([^()\[\]]{1,12})\s*[)\]]|[,/]\s*([^,/]{1,12}(?:/[^,/]{1,6})?))\s*$")


@dataclass(frozen=True)
class ValueColumn:
    """A column that gives numbers for images.

    Attributes:
        header: As the file writes it.
        name: The header without its unit.
        unit: The unit in the header; empty where there is none.
        count: How many images that are here have a number.
        least: The least of them.
        most: The greatest of them.
    """

    header: str
    name: str
    unit: str
    count: int
    least: float
    most: float


class Value(NamedTuple):
    """What a table says of one image in one column; `why` is the check that failed, or the empty string."""

    line: int
    named: str
    image: ImageRef | None
    raw: str
    number: float | None
    why: str
    message: str


def value_columns(table: Table, catalog: Catalog) -> list[ValueColumn]:
    """The columns of a table that give numbers for images, by what they hold.

    One column must name images that are here. The others count if they hold numbers of more than a few
    different values, are not those of boxes or runs, and do not count rows or repeat a number in the image's
    name.

    Args:
        table: The file.
        catalog: The images.
    """
    image, _ = image_column(table, catalog, IMAGE_NAMES)
    if image is None or not table.names:
        return []
    boxes = box_columns(table, catalog)
    if (
        not isinstance(boxes, str)
        or boxes.startswith("!")
        or not isinstance(run_columns(table, catalog), str)
    ):
        return []
    rows = [row for row in table.rows if row.fault is None]
    here = [row for row in rows if isinstance(find_named(catalog, table.path, row.field(image)), ImageRef)]
    if not here or len(here) < _MOST_NAMED * len(rows):
        return []
    names = [parts_of(row.field(image).replace("\\", "/"))[2] for row in here]
    found = []
    for number, header in enumerate(table.names):
        if number == image or not header or plain(header) in _NOT_VALUES:
            continue
        cells = [row.field(number) for row in here]
        values = _measured(plain(header), cells, names, table)
        if values:
            name, unit = _split_unit(header)
            found.append(ValueColumn(header, name, unit, len(values), min(values), max(values)))
    return found


def _measured(header: str, cells: list[str], names: list[str], table: Table) -> list[float]:
    """The numbers of a column that measures something; none where it does not."""
    given = [(cell, name) for cell, name in zip(cells, names, strict=True) if cell.lower() not in NO_VALUES]
    numbers = [(number, name) for cell, name in given if (number := number_of(cell, table)) is not None]
    if not numbers or len(numbers) < _NUMBERS * len(given):
        return []
    values = [number for number, _ in numbers]
    different = len(set(values))
    if different <= _FEW:
        return []
    if all(value == int(value) for value in values):
        if header in LABEL_NAMES:
            return []
        steps = {second - first for first, second in pairwise(values)}
        in_name = sum(int(value) in map(int, re.findall(r"\d+", name)) for value, name in numbers)
        if steps == {1.0} or in_name > len(numbers) / 2 or different < _LEAST_DIFFERENT * len(values):
            return []
    return values


def _split_unit(header: str) -> tuple[str, str]:
    match = _UNIT.match(unicodedata.normalize("NFKC", header))
    if match is None:
        return header.strip(), ""
    return match[1].strip(), (match[2] or match[3]).strip()


def read_values(table: Table, column: str, catalog: Catalog) -> Iterator[Value]:
    """What each row of a table says in one column.

    Args:
        table: The file.
        column: The header of the column, one of the table's.
        catalog: The images.

    Yields:
        A value for each row that names an image, with why it cannot be taken where it cannot.
    """
    image, _ = image_column(table, catalog, IMAGE_NAMES)
    where = table.names.index(column)
    for row in table.rows:
        named, raw = row.field(image), row.field(where)
        if row.fault is not None:
            yield Value(row.line, named, None, raw, None, row.fault.check, row.fault.message)
            continue
        found = find_named(catalog, table.path, named)
        if not isinstance(found, ImageRef):
            yield Value(row.line, named, None, raw, None, found.check, found.message)
        elif raw.lower() in NO_VALUES:
            yield Value(row.line, named, found, raw, None, "no_value", "the row has no value for the image")
        elif (number := number_of(raw, table)) is None:
            message = f"'{raw[:40]}' is not a number"
            yield Value(row.line, named, found, raw, None, "not_a_number", message)
        else:
            yield Value(row.line, named, found, raw, number, "", "")
