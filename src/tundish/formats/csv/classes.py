"""Classes of whole images in CSV files: one column of classes, or one column of 0 and 1 a class.

The first has an image and a class in each row (``filename,label``). The second is what Roboflow writes for
several classes at once: an image with a 1 under each class it shows; a row of zeros is a negative. A CSV file
that gives numbers for images (moisture, ash) has no classes and is not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.formats.base import (
    IMAGE_SUFFIXES,
    NO_ATTRIBUTES,
    Evidence,
    Format,
    ImageRef,
    Label,
    Options,
    Reading,
    suffix_of,
)
from tundish.formats.csv.columns import box_columns
from tundish.formats.csv.names import IMAGE_NAMES, LABEL_NAMES
from tundish.formats.csv.runs import run_columns
from tundish.formats.csv.source import (
    FILES,
    RowImages,
    csv_role,
    look_at_tables,
    read_tables,
)
from tundish.formats.csv.table import Row, Table, image_column, number_of, plain
from tundish.formats.reading.fault import Fault, Notes
from tundish.formats.reading.match import find_named
from tundish.formats.reading.sniffing import counted, unlabelled_note

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tundish.formats.base import Catalog, Listing, Role
    from tundish.formats.csv.source import Seen

__all__ = ["FORMAT", "ClassColumns", "ClassesCsv", "class_columns"]

_SPLITS = frozenset({"split", "set", "subset", "fold", "usage", "partition", "dataset"})


@dataclass(frozen=True)
class ClassColumns:
    """Where a file has what.

    Attributes:
        image: The column of images.
        label: That of classes; None where each class has a column.
        flags: The columns of 0 and 1, one a class.
    """

    image: int
    label: int | None
    flags: tuple[int, ...] = ()


def class_columns(table: Table, catalog: Catalog, asked: str) -> ClassColumns | str:
    """Where a file has its classes, or why it has none.

    Args:
        table: The file.
        catalog: The images.
        asked: The column that the recipe names, or the empty string.

    Returns:
        The columns, or a sentence.
    """
    image, _ = image_column(table, catalog, IMAGE_NAMES)
    if image is None:
        return "no column names images"
    boxes = box_columns(table, catalog)
    if not isinstance(boxes, str) or boxes.startswith("!"):
        return "its columns are those of boxes"
    if not isinstance(run_columns(table, catalog), str):
        return "its columns are those of runs"
    rest = [
        column
        for column in range(table.width)
        if column != image and not (table.names and plain(table.names[column]) in _SPLITS)
    ]
    if asked:
        given = [column for column in rest if table.names and table.names[column] == asked]
        return ClassColumns(image, given[0]) if given else f"it has no column '{asked}'"
    return _found(table, image, rest)


def _found(table: Table, image: int, rest: list[int]) -> ClassColumns | str:
    """Where the classes are among the columns that are left."""
    named = [column for column in rest if table.names and plain(table.names[column]) in LABEL_NAMES]
    texts = [column for column in named if _is_text(table, column)]
    if named:
        label = (texts or named)[0]
        return _fault_of_classes(table, label) or ClassColumns(image, label)
    flags = tuple(column for column in rest if _is_flag(table, column))
    if table.names and flags == tuple(rest) and (len(flags) > 1 or table.path.endswith("_classes.csv")):
        return ClassColumns(image, None, flags)
    if len(rest) == 1 and _is_text(table, rest[0]) and _repeats(table, rest[0]):
        return ClassColumns(image, rest[0])
    if all(not _is_text(table, column) for column in rest):
        names = ", ".join(table.names[column] for column in rest) if table.names else "without header"
        return f"it gives numbers for images ({names}), not labels"
    return "which column holds the class is not clear; say it in the source's options as {column: NAME}"


def _fault_of_classes(table: Table, column: int) -> str:
    """Why a column is not one of classes, whatever its name; empty where it may be."""
    values = table.column(column)
    if sum(suffix_of(value) in IMAGE_SUFFIXES for value in values) * 2 > len(values):
        return f"'{table.names[column]}' names other files, not classes"
    if sum(_is_measured(value, table) for value in values) * 2 > len(values):
        return f"it gives numbers for images ({table.names[column]}), not labels"
    return ""


def _is_text(table: Table, column: int) -> bool:
    values = table.column(column)
    return sum(number_of(value, table) is None for value in values) * 2 > len(values)


def _is_measured(text: str, table: Table) -> bool:
    number = number_of(text, table)
    return number is not None and number != int(number)


def _is_flag(table: Table, column: int) -> bool:
    values = table.column(column)
    return bool(values) and set(values) <= {"0", "1", "0.0", "1.0"}


def _repeats(table: Table, column: int) -> bool:
    """Whether the values are few and come again, as classes do and remarks do not."""
    values = table.column(column)
    return len(set(values)) <= max(2, len(values) // 2) and len(values) > 1


@dataclass(frozen=True)
class ClassesCsv:
    """Classes of whole images in CSV files. Options: ``files``, ``column``."""

    def role(self, path: str, options: Options) -> Role:
        """CSV files are labels, or those that the option ``files`` names."""
        return csv_role(path, options)

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:
        """Read the classes; an image that is named with no class is a negative."""
        reading = Reading()
        for table in read_tables(files, catalog, reading):
            columns = class_columns(table, catalog, options.extra.get("column", ""))
            if isinstance(columns, str):
                fault = Fault("not_labels", f"the file is not read: {columns}")
                Notes(table.path, reading).refuse(fault)
            else:
                _File(table, columns, RowImages(table.path, catalog, reading)).read()
        return reading

    def sniff(self, listing: Listing) -> Evidence | None:
        """CSV files that give images classes, and how many of the images are here."""
        seen = look_at_tables(listing)
        if seen is None:
            return None
        chosen, facts = [], []
        for table in seen.tables:
            columns = class_columns(table, seen.catalog, "")
            if isinstance(columns, str):
                facts.append(f"{table.path} is not read: {columns}")
            else:
                chosen.append((table, columns))
        return _evidence(seen, chosen, facts)


def _evidence(seen: Seen, chosen: list[tuple[Table, ClassColumns]], facts: list[str]) -> Evidence | None:
    here: set[str] = set()
    classes: dict[str, None] = {}
    for table, columns in chosen:
        found = {row.field(columns.image): None for row in table.rows}
        mine = [find_named(seen.catalog, table.path, name) for name in found]
        here |= {image.path for image in mine if isinstance(image, ImageRef)}
        if columns.label is not None:
            named = dict.fromkeys(sorted(set(table.column(columns.label))))
            where = f"'{table.names[columns.label]}'" if table.names else f"column {columns.label + 1}"
            how = f"{counted(len(named), 'class')} in {where}"
        else:
            named = dict.fromkeys(table.names[column] for column in columns.flags)
            how = f"{counted(len(named), 'class')}, a column of 0 and 1 each"
        classes |= named
        facts.append(f"{table.path}: {counted(len(found), 'image')}, {how}; labels of the whole image")
    if not here:
        return None
    facts += unlabelled_note(len(seen.images), len(here))
    extra = {}
    if len(chosen) < len(seen.paths):
        extra["files"] = ";".join(table.path for table, _ in chosen)
        facts.append(f"of {len(seen.paths)} CSV files these are read: {extra['files'].replace(';', ', ')}")
    return Evidence(len(here), facts, list(classes), extra=extra)


@dataclass
class _File:
    """One file on its way into a reading."""

    table: Table
    columns: ClassColumns
    images: RowImages

    def read(self) -> None:
        for row in self.table.rows:
            name = row.field(self.columns.image)
            if row.fault is not None:
                self.images.refuse(name, row.line, row.fault)
                continue
            image = self.images.find(name, row.line)
            try:
                classes = self._classes(row)
            except Fault as fault:
                self.images.refuse(name, row.line, fault)
                continue
            for place, label in classes:
                if image is None:
                    self.images.refuse(name, row.line)
                else:
                    self._take(image, label, place, row)
                    self.images.take(name)
        self.images.finish()

    def _classes(self, row: Row) -> list[tuple[int, str]]:
        """The classes of a row, each with a number of its own in the file."""
        if self.columns.label is not None:
            text = row.field(self.columns.label)
            return [(row.line, text)] if text else []
        found = []
        for number, column in enumerate(self.columns.flags):
            value = number_of(row.field(column), self.table)
            if value not in (0, 1):
                name = self.table.names[column]
                message = f"'{row.field(column)[:40]}' under '{name}' is neither 0 nor 1"
                raise Fault("not_a_flag", message, name, row.field(column))
            if value:
                found.append((row.line * len(self.columns.flags) + number, self.table.names[column]))
        return found

    def _take(self, image: ImageRef, label: str, place: int, row: Row) -> None:
        attributes = {
            name: row.field(column)
            for column, name in enumerate(self.table.names)
            if column not in (self.columns.image, self.columns.label, *self.columns.flags)
            and name
            and row.field(column)
        }
        self.images.reading.labels.append(
            Label(
                image,
                label,
                "class",
                0.0,
                0.0,
                image.width,
                image.height,
                self.table.path,
                place,
                attributes=attributes or NO_ATTRIBUTES,
            )
        )


FORMAT = Format(
    "classes-csv",
    "classes of whole images in CSV files: a column of classes, or a column of 0 and 1 for each class",
    reader=ClassesCsv(),
    options={"files": FILES, "column": "name of the column of classes"},
    evidence="CSV with a column that names images, and one of classes or one of 0 and 1 for each class",
    reads="classes of whole images; a row of zeros is a negative",
    reports="rows that are neither 0 nor 1, tables of other numbers",
)
