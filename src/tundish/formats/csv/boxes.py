"""Boxes in CSV files: RetinaNet, Kaggle, TensorFlow, VoTT, and others with or without a header.

Columns are found by their names, else by what they hold: the one whose values name images, four of numbers,
one of classes. A row without box and class says that the image shows nothing: a negative.

What the four numbers are (two corners, a corner with width and height, a centre with width and height) and
their unit (pixels, or shares of the picture) is settled once for all files of a source: by the names of the
columns, and by how many boxes would leave their picture or end before they begin. `tundish add` writes it
into the recipe as the options ``box`` and ``unit``. What is not clear is refused with the option that
settles it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tundish.formats.base import NO_ATTRIBUTES, Evidence, Format, ImageRef, Label, Options, Reading
from tundish.formats.csv.columns import BoxColumns, box_columns
from tundish.formats.csv.evidence import READINGS, UNITS, Settled, corners_of, settle
from tundish.formats.csv.source import (
    FILES,
    RowImages,
    csv_role,
    look_at_tables,
    one_of,
    read_tables,
    sized,
)
from tundish.formats.reading.collector import collector_paused
from tundish.formats.reading.fault import Fault, Notes
from tundish.formats.reading.match import find_named
from tundish.formats.reading.sniffing import counted, unlabelled_note
from tundish.formats.reading.text import real
from tundish.formats.reading.upright import frame_of_stated_size, turn_box

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tundish.formats.base import Catalog, Listing, Role
    from tundish.formats.csv.source import Seen
    from tundish.formats.csv.table import Row, Table

__all__ = ["FORMAT", "BoxesCsv"]

_NOTHING = Options()
"""What a recipe says before there is one."""

_ONLY = "object"
"""The class where no column names one and the recipe does not say."""


class _Box(NamedTuple):
    """A row with a box."""

    row: Row
    name: str
    numbers: tuple[float, ...]


@dataclass
class _Sheet:
    """A file with its columns, and its rows as boxes, rows without a box, and faults."""

    table: Table
    columns: BoxColumns
    boxes: list[_Box] = field(default_factory=list)
    empty: list[tuple[Row, str]] = field(default_factory=list)
    bad: list[tuple[Row, str, Fault]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for row in self.table.rows:
            name = row.field(self.columns.image)
            try:
                numbers = self._numbers(row)
            except Fault as fault:
                self.bad.append((row, name, fault))
                continue
            if numbers is None:
                self.empty.append((row, name))
            else:
                self.boxes.append(_Box(row, name, numbers))

    def _numbers(self, row: Row) -> tuple[float, ...] | None:
        if row.fault is not None:
            raise row.fault
        numbers = self.columns.numbers(row, self.table)
        if numbers is None and row.field(self.columns.label):
            raise Fault("missing_box", "the row has a class but no box")
        return numbers

    def sizes(self, catalog: Catalog) -> list[tuple[float, float]]:
        """Width and height of the picture of each box, px; NaN where it is not known."""
        known: dict[str, tuple[float, float]] = {}
        for box in self.boxes:
            if box.name not in known:
                found = find_named(catalog, self.table.path, box.name)
                here = isinstance(found, ImageRef) and found.width
                known[box.name] = (found.width, found.height) if here else (np.nan, np.nan)  # type: ignore[union-attr]
        return [known[box.name] for box in self.boxes]


def _settle(sheets: list[_Sheet], catalog: Catalog, options: Options) -> dict[tuple[str, ...], Settled]:
    """What the boxes of files are, by what the names of their columns allow."""
    asked = one_of(options, "boxes-csv", "box", READINGS), one_of(options, "boxes-csv", "unit", UNITS)
    settled = {}
    for readings in dict.fromkeys(sheet.columns.readings for sheet in sheets):
        mine = [sheet for sheet in sheets if sheet.columns.readings == readings]
        boxes = np.array([box.numbers for sheet in mine for box in sheet.boxes], np.float64).reshape(-1, 4)
        sizes = np.array([size for sheet in mine for size in sheet.sizes(catalog)], np.float64).reshape(-1, 2)
        settled[readings] = settle(readings, boxes, sizes, *asked)
    return settled


@dataclass(frozen=True)
class BoxesCsv:
    """Boxes in CSV files. Options: ``files``, ``columns``, ``box``, ``unit``, ``label``."""

    def role(self, path: str, options: Options) -> Role:
        """CSV files are labels, or those that the option ``files`` names."""
        return csv_role(path, options)

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:
        """Read the boxes; what they are is settled over all files together."""
        with collector_paused():
            return self._read(files, catalog, options)

    def _read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:
        reading = Reading()
        sheets = []
        for table in read_tables(files, catalog, reading):
            columns = box_columns(table, catalog, options.extra.get("columns", ""))
            if isinstance(columns, str):
                labels = len(table.rows) if columns.startswith("!") else 0
                fault = Fault("not_labels", f"the file is not read: {columns.removeprefix('!')}")
                Notes(table.path, reading).refuse(fault, labels=labels)
            else:
                sheets.append(_Sheet(table, columns))
        settled = _settle(sheets, catalog, options)
        for sheet in sheets:
            found = settled[sheet.columns.readings]
            if found.doubt:
                _refuse_all(sheet, catalog, reading, Fault("ambiguous_boxes", found.doubt))
            else:
                _File(sheet, found, RowImages(sheet.table.path, catalog, reading), options).read()
        return reading

    def sniff(self, listing: Listing) -> Evidence | None:
        """CSV files with boxes, and what was counted under each reading of their numbers."""
        seen = look_at_tables(listing)
        if seen is None:
            return None
        sheets, facts, doubts = [], [], 0
        for table in seen.tables:
            columns = box_columns(table, seen.catalog)
            if isinstance(columns, str):
                if columns.startswith("!"):
                    facts.append(f"{table.path}: {columns[1:]}")
                    doubts += len(table.rows)
            elif columns.matched:
                sheets.append(_Sheet(table, columns))
        if not any(sheet.boxes for sheet in sheets):
            return Evidence(doubts, facts, [], doubt=facts[0]) if doubts else None
        return _evidence(seen, sheets, facts, listing)


def _evidence(seen: Seen, sheets: list[_Sheet], facts: list[str], listing: Listing) -> Evidence:
    here: set[str] = set()
    classes: set[str] = set()
    for sheet in sheets:
        classes |= {text for box in sheet.boxes if (text := box.row.field(sheet.columns.label))}
        names = {box.name for box in sheet.boxes} | {name for _, name in sheet.empty}
        found = [find_named(seen.catalog, sheet.table.path, name) for name in sorted(names)]
        here |= {image.path for image in found if isinstance(image, ImageRef)}
        bad = f", {counted(len(sheet.bad), 'row')} not readable" if sheet.bad else ""
        what = _described(sheet)
        boxes = f"{counted(len(sheet.boxes), 'box')} on {counted(len(names), 'image')}{bad}"
        facts.append(f"{sheet.table.path}: {boxes}; {what}")
    settled = _settle(sheets, sized(listing, here), _NOTHING)
    extra: dict[str, str] = {}
    clear = [one for one in settled.values() if not one.doubt]
    for one in settled.values():
        facts += [*one.facts, *([one.doubt] if one.doubt else [])]
    doubt = next((one.doubt for one in settled.values() if one.doubt), "")
    if len({(one.box, one.unit) for one in clear}) == 1 and len(clear) == len(settled):
        extra |= {"box": clear[0].box, "unit": clear[0].unit}
    if any(sheet.columns.label is None for sheet in sheets):
        extra["label"] = _ONLY
        facts.append(f"no column names a class: all are '{_ONLY}' (option label)")
        classes.add(_ONLY)
    facts += unlabelled_note(len(seen.images), len(here))
    if len(sheets) < len(seen.paths):
        chosen = [sheet.table.path for sheet in sheets]
        extra["files"] = ";".join(chosen)
        facts.append(f"of {len(seen.paths)} CSV files these are read: {', '.join(chosen)}")
    return Evidence(len(here), facts, sorted(classes), extra=extra, doubt=doubt)


def _described(sheet: _Sheet) -> str:
    columns, table = sheet.columns, sheet.table

    def name(column: int) -> str:
        return f"'{table.names[column]}'" if table.names else f"column {column + 1}"

    label = "none" if columns.label is None else name(columns.label)
    return f"image: {name(columns.image)}, box: {' '.join(map(name, columns.box))}, class: {label}"


def _refuse_all(sheet: _Sheet, catalog: Catalog, reading: Reading, fault: Fault) -> None:
    """Refuse all labels of a file, for one reason."""
    Notes(sheet.table.path, reading).refuse(fault, labels=len(sheet.boxes))
    names = {box.name for box in sheet.boxes} | {name for _, name, _ in sheet.bad}
    found = [find_named(catalog, sheet.table.path, name) for name in names]
    reading.refused |= {image.path for image in found if isinstance(image, ImageRef)}


@dataclass
class _File:
    """One file on its way into a reading."""

    sheet: _Sheet
    settled: Settled
    images: RowImages
    options: Options
    _told: set[str] = field(default_factory=set)

    def read(self) -> None:
        for row, name in self.sheet.empty:
            self.images.find(name, row.line)
        for row, name, fault in self.sheet.bad:
            self.images.refuse(name, row.line, fault)
        numbers = np.array([box.numbers for box in self.sheet.boxes], np.float64).reshape(-1, 4)
        corners = corners_of(numbers, self.settled.box).tolist()
        labels = self.images.reading.labels
        for box, own in zip(self.sheet.boxes, corners, strict=True):
            image = self.images.find(box.name, box.row.line)
            if image is None:
                self.images.refuse(box.name, box.row.line)
                continue
            try:
                labels.append(self._label(image, box, own))
            except Fault as fault:
                self.images.refuse(box.name, box.row.line, fault)
            else:
                self.images.take(box.name)
        self.images.finish()

    def _label(self, image: ImageRef, box: _Box, corners: list[float]) -> Label:
        column = self.sheet.columns.label
        name = self.options.extra.get("label", _ONLY) if column is None else box.row.field(column)
        if not name:
            raise Fault("missing_name", "the row has a box but no class", "class")
        place = self._placed(image, box, corners)
        score = self._score(box.row)
        return Label(
            image,
            name,
            "box",
            *place,
            self.sheet.table.path,
            box.row.line,
            score=score,
            attributes=self._attributes(box.row) or NO_ATTRIBUTES,
        )

    def _placed(self, image: ImageRef, box: _Box, corners: list[float]) -> tuple[float, float, float, float]:
        x0, y0, x1, y1 = corners
        if x1 < x0 or y1 < y0:
            value = _shown(box)
            if self.settled.box != "corners":
                raise Fault("negative_size", "the size of the box is negative", "box", value)
            message = "the corners were reversed and have been swapped"
            self.images.notes.warn(Fault("reversed_corners", message, "box", value), box.row.line)
            x0, x1, y0, y1 = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
        stored = self.sheet.columns.size is not None and self._drawn_on_stored(image, box)
        if self.settled.unit == "share":
            width, height = (image.height, image.width) if stored else (image.width, image.height)
            x0, x1, y0, y1 = x0 * width, x1 * width, y0 * height, y1 * height
        place = x0, y0, x1 - x0, y1 - y0
        if not math.isfinite(sum(map(abs, place))):
            raise Fault("not_finite", "the numbers are too large to add up", "box", _shown(box))
        return turn_box(image, place) if stored else place

    def _drawn_on_stored(self, image: ImageRef, box: _Box) -> bool:
        """Whether the box is drawn on the stored image; report where the stated size is not the image's."""
        if self.sheet.columns.size is None:
            return False
        texts = [box.row.field(column) for column in self.sheet.columns.size]
        try:
            width, height = (float(text) for text in texts)
        except ValueError:
            return False
        stored, fault = frame_of_stated_size(image, width, height, f"'{image.path}'", "size")
        if fault is not None and image.path not in self._told:
            self._told.add(image.path)
            self.images.notes.warn(fault, box.row.line)
        return stored

    def _score(self, row: Row) -> float | None:
        return None if self.sheet.columns.score is None else real(row.field(self.sheet.columns.score))

    def _attributes(self, row: Row) -> dict[str, object]:
        """What the other columns say, where the file names them."""
        return {name: text for column, name in self._others if (text := row.field(column))}

    @cached_property
    def _others(self) -> list[tuple[int, str]]:
        """The other columns, with their names."""
        columns, names = self.sheet.columns, self.sheet.table.names
        used = {columns.image, columns.label, columns.score, *columns.box, *(columns.size or ())}
        return [(column, name) for column, name in enumerate(names) if column not in used and name]


def _shown(box: _Box) -> str:
    return " ".join(f"{number:g}" for number in box.numbers)


FORMAT = Format(
    "boxes-csv",
    "boxes in CSV files: RetinaNet, Kaggle, TensorFlow, VoTT, and others with or without a header",
    reader=BoxesCsv(),
    options={
        "files": FILES,
        "columns": "names of the columns in order, separated by ','",
        "box": "`corners`, `xywh` or `centre`",
        "unit": "`px` or `share`",
        "label": "the class, where no column names one",
    },
    evidence="CSV with a column that names images, four of numbers, one of classes; how many boxes leave "
    "their picture under each reading",
    reads="boxes; a row with an image alone is a negative; other columns as attributes",
    reports="what the numbers mean, or that it must be settled; reversed corners; broken rows",
)
