"""Masks as runs in a CSV file, as Kaggle has them: Severstal's train.csv and its kin.

A row is an image, a class and pairs of start and length. Pixels are counted from 1 down the columns, from the
left column to the right one. Columns are ImageId, ClassId and EncodedPixels; the older form has one column
``ImageId_ClassId`` that holds ``a.jpg_3``, a row for each image and class. A row without runs says that the
image has no defect of that class, so an image without any run is a negative.

A sample of a submission has the same columns, and one run of placeholders in all rows: it is not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tundish.formats.base import Evidence, Format, ImageRef, Label, Reading
from tundish.formats.csv.names import IMAGE_NAMES, LABEL_NAMES
from tundish.formats.csv.source import (
    FILES,
    RowImages,
    csv_role,
    look_at_tables,
    one_of,
    read_tables,
    sized,
)
from tundish.formats.csv.table import Row, Table, image_column, plain
from tundish.formats.reading.fault import Fault, Notes
from tundish.formats.reading.match import find_named
from tundish.formats.reading.rle import compressed_counts
from tundish.formats.reading.sniffing import counted, unlabelled_note
from tundish.imaging.geometry import box_of_counts, counts_of_mask, mask_of_counts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from tundish.formats.base import Catalog, Listing, Options, Role
    from tundish.formats.csv.source import Seen

__all__ = ["FORMAT", "RunColumns", "RunsCsv", "counts_of_runs", "placeholder_of", "run_columns"]

_RUNS = re.compile(r"\d{1,12} +\d{1,12}(?: +\d{1,12} +\d{1,12})*")
_NONE = frozenset({"", "-1", "nan", "NaN", "None", "null"})
_RUN_NAMES = frozenset({"encodedpixels", "rle", "rlemask", "maskrle", "runs", "encodedmask"})
_ONLY = "object"
"""The class where no column names one and the recipe does not say."""

_JOINED = re.compile(r"(.+)_([^_/\\]+)")


def counts_of_runs(text: str, width: int, height: int, *, first: int = 1, order: str = "columns") -> str:
    """The compressed COCO counts of a mask that is written as starts and lengths.

    Args:
        text: Pairs of start and length, separated by blanks.
        width: Width of the mask, px.
        height: Height of the mask, px.
        first: The number of the first pixel.
        order: 'columns', where pixels are counted down the columns, or 'rows'.

    Raises:
        Fault: The text is not pairs of numbers, or a run leaves the mask or has no pixel.
    """
    if not _RUNS.fullmatch(text):
        raise Fault("broken_mask", "the runs are not pairs of start and length", "EncodedPixels", text)
    starts, lengths = np.array(text.split(), np.int64).reshape(-1, 2).T
    starts = starts - first
    ends = starts + lengths
    if starts.min() < 0:
        message = f"a run begins at {starts.min() + first}; pixels are counted from {first}"
        raise Fault("broken_mask", message, "EncodedPixels", text)
    if lengths.min() < 1:
        raise Fault("broken_mask", "a run has no pixel", "EncodedPixels", text)
    if ends.max() > width * height:
        message = f"a run ends at pixel {ends.max()}, the image has {width}x{height} = {width * height}"
        raise Fault("broken_mask", message, "EncodedPixels", text)
    if order == "rows":
        mask = mask_of_counts(_counts(starts, ends, height, width), height, width)
        return counts_of_mask(np.ascontiguousarray(mask.T))
    return _counts(starts, ends, width, height)


def _counts(starts: NDArray[np.int64], ends: NDArray[np.int64], width: int, height: int) -> str:
    """Compressed counts of runs in any order, also of runs that touch or overlap."""
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], np.maximum.accumulate(ends[order])
    apart = np.flatnonzero(starts[1:] > ends[:-1])
    begin = np.concatenate([starts[:1], starts[apart + 1]])
    stop = np.concatenate([ends[apart], ends[-1:]])
    edges = np.stack([begin, stop], axis=1).ravel()
    counts = np.diff(np.concatenate([[0], edges, [width * height]])).tolist()
    counts = counts if counts[-1] else counts[:-1]
    return compressed_counts({"size": [height, width], "counts": counts})


@dataclass(frozen=True)
class RunColumns:
    """Where a file has what.

    Attributes:
        image: The column of images.
        label: That of classes; None where there is none.
        runs: That of starts and lengths.
        joined: Image and class are one column.
    """

    image: int
    label: int | None
    runs: int
    joined: bool = False


def run_columns(table: Table, catalog: Catalog) -> RunColumns | str:
    """Where a file has its runs, or why it has none.

    Args:
        table: The file.
        catalog: The images.

    Returns:
        The columns, or a sentence.
    """
    runs = None
    for column in range(table.width):
        values = table.column(column)
        filled = [value for value in values if value not in _NONE]
        named = bool(table.names) and plain(table.names[column]) in _RUN_NAMES
        fit = sum(_RUNS.fullmatch(value) is not None for value in filled)
        if (named and (fit or not filled)) or (fit and fit >= 0.9 * len(filled)):
            runs = column
            break
    if runs is None:
        return "no column holds pairs of start and length"
    joined = _joined(table, catalog, runs)
    if joined is not None:
        return RunColumns(joined, None, runs, joined=True)
    image, _ = image_column(table, catalog, IMAGE_NAMES)
    if image is None or image == runs:
        return "no column names images"
    rest = [column for column in range(table.width) if column not in (image, runs)]
    named_rest = [one for one in rest if table.names and plain(table.names[one]) in LABEL_NAMES]
    label = named_rest[0] if named_rest else rest[0] if len(rest) == 1 else None
    if rest and label is None:
        return "which column holds the class is not clear"
    return RunColumns(image, label, runs)


def _joined(table: Table, catalog: Catalog, runs: int) -> int | None:
    """The column that holds image and class in one, as ``a.jpg_3``."""
    for column in range(table.width):
        values = table.column(column)[:500]
        if column == runs or not values:
            continue
        if table.names and plain(table.names[column]) == "imageidclassid":
            return column
        halves = [match[1] for value in values if (match := _JOINED.fullmatch(value))]
        whole = sum(isinstance(find_named(catalog, table.path, value), ImageRef) for value in values)
        here = sum(isinstance(find_named(catalog, table.path, half), ImageRef) for half in halves)
        if here and not whole:
            return column
    return None


def placeholder_of(table: Table, columns: RunColumns) -> str:
    """Why the runs are those of a sample of a submission; empty where they are not."""
    runs = [value for value in table.column(columns.runs) if value not in _NONE]
    if runs and all(value.split() == ["1", "1"] for value in runs):
        return "every run is '1 1': a sample of a submission, not labels"
    if len(runs) > 1 and len(set(runs)) == 1 and len(runs[0].split()) == 2:
        return f"every run is '{runs[0]}': a sample of a submission, not labels"
    return ""


@dataclass(frozen=True)
class RunsCsv:
    """Runs in a CSV file. Options: ``files``, ``first``, ``order``, ``label``."""

    def role(self, path: str, options: Options) -> Role:
        """CSV files are labels, or those that the option ``files`` names."""
        return csv_role(path, options)

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:
        """Read the runs; images without any run are negatives."""
        first = int(one_of(options, "runs-csv", "first", ("0", "1")) or "1")
        order = one_of(options, "runs-csv", "order", ("columns", "rows")) or "columns"
        reading = Reading()
        for table in read_tables(files, catalog, reading):
            notes = Notes(table.path, reading)
            columns = run_columns(table, catalog)
            why = columns if isinstance(columns, str) else placeholder_of(table, columns)
            if isinstance(columns, str) or why:
                notes.refuse(Fault("not_labels", f"the file is not read: {why}"))
                continue
            _File(table, columns, RowImages(table.path, catalog, reading), options, first, order).read()
        return reading

    def sniff(self, listing: Listing) -> Evidence | None:
        """CSV files with runs, and how many of the images they name are here."""
        seen = look_at_tables(listing)
        if seen is None:
            return None
        chosen: list[tuple[Table, RunColumns]] = []
        facts: list[str] = []
        for table in seen.tables:
            columns = run_columns(table, seen.catalog)
            if isinstance(columns, str):
                continue
            why = placeholder_of(table, columns)
            if why:
                facts.append(f"{table.path} is not read: {why}")
            else:
                chosen.append((table, columns))
        return _evidence(seen, chosen, facts, listing) if chosen else None


def _evidence(
    seen: Seen, chosen: list[tuple[Table, RunColumns]], facts: list[str], listing: Listing
) -> Evidence | None:
    here: set[str] = set()
    with_runs: set[str] = set()
    classes: set[str] = set()
    begin_at_0 = 0
    for table, columns in chosen:
        named, drawn, labels = _counted(table, columns, seen.catalog)
        here |= named
        with_runs |= drawn
        classes |= labels
        runs = [text for text in table.column(columns.runs) if text not in _NONE]
        begin_at_0 += sum(text.startswith("0 ") for text in runs)
        facts.append(f"{table.path}: {counted(len(runs), 'mask')} as runs of start and length")
    if not here:
        return None
    without = len(here) - len(with_runs)
    facts.append(f"{counted(len(here), 'image')} of them are here, {without} without a run: negatives")
    extra: dict[str, str] = {}
    if begin_at_0:
        extra["first"] = "0"
        facts.append(f"{counted(begin_at_0, 'mask')} begin at 0: pixels are counted from 0")
    facts += _fit(chosen, sized(listing, with_runs), 0 if begin_at_0 else 1)
    if any(columns.label is None and not columns.joined for _, columns in chosen):
        extra["label"] = _ONLY
        facts.append(f"no column names a class: all are '{_ONLY}' (option label)")
        classes.add(_ONLY)
    facts += unlabelled_note(len(seen.images), len(here))
    if len(chosen) < len(seen.paths):
        extra["files"] = ";".join(table.path for table, _ in chosen)
        facts.append(f"of {len(seen.paths)} CSV files these are read: {extra['files'].replace(';', ', ')}")
    return Evidence(len(here), facts, sorted(classes), extra=extra)


def _counted(table: Table, columns: RunColumns, catalog: Catalog) -> tuple[set[str], set[str], set[str]]:
    """The images that a file names and that are here, those of them with runs, and the classes."""
    here: set[str] = set()
    with_runs: set[str] = set()
    classes: set[str] = set()
    for row in table.rows:
        name, label = _names(row, columns)
        found = find_named(catalog, table.path, name)
        classes |= {label} if label else set()
        if isinstance(found, ImageRef):
            here.add(found.path)
            if row.field(columns.runs) not in _NONE:
                with_runs.add(found.path)
    return here, with_runs, classes


def _fit(chosen: list[tuple[Table, RunColumns]], sizes: Catalog, first: int) -> list[str]:
    """How many masks leave their picture, of those whose picture was looked at."""
    outside = looked = 0
    for table, columns in chosen:
        for row in table.rows:
            text = row.field(columns.runs)
            found = find_named(sizes, table.path, _names(row, columns)[0])
            if text in _NONE or not isinstance(found, ImageRef):
                continue
            looked += 1
            try:
                counts_of_runs(text, found.width, found.height, first=first)
            except Fault:
                outside += 1
    return [f"{outside} of {counted(looked, 'mask')} do not fit their picture"] if outside else []


def _names(row: Row, columns: RunColumns) -> tuple[str, str]:
    """The image and the class that a row names."""
    name = row.field(columns.image)
    if columns.joined:
        match = _JOINED.fullmatch(name)
        return (match[1], match[2]) if match else (name, "")
    return name, row.field(columns.label)


@dataclass
class _File:
    """One file on its way into a reading."""

    table: Table
    columns: RunColumns
    images: RowImages
    options: Options
    first: int
    order: str

    def read(self) -> None:
        for row in self.table.rows:
            name, label = _names(row, self.columns)
            if row.fault is not None:
                self.images.refuse(name, row.line, row.fault)
                continue
            image = self.images.find(name, row.line)
            text = row.field(self.columns.runs)
            if text in _NONE:
                continue
            if image is None:
                self.images.refuse(name, row.line)
                continue
            try:
                self.images.reading.labels.append(self._label(image, row, label, text))
            except Fault as fault:
                self.images.refuse(name, row.line, fault)
            else:
                self.images.take(name)
        self.images.finish()

    def _label(self, image: ImageRef, row: Row, label: str, text: str) -> Label:
        if not label:
            label = "" if self.columns.joined or self.columns.label is not None else self._only_label()
        if not label:
            raise Fault("missing_name", "the row has runs but no class", "class")
        counts = counts_of_runs(text, image.width, image.height, first=self.first, order=self.order)
        box = box_of_counts(counts, image.width, image.height)
        assert box is not None
        return Label(image, label, "mask", *box, self.table.path, row.line, rle=counts)

    def _only_label(self) -> str:
        return self.options.extra.get("label", _ONLY)


FORMAT = Format(
    "runs-csv",
    "masks as runs in a CSV file, as Severstal and Kaggle have them",
    reader=RunsCsv(),
    options={
        "files": FILES,
        "first": "number of the first pixel, `1` (default) or `0`",
        "order": "pixels are counted along `columns` (default) or `rows`",
        "label": "the class, where no column names one",
    },
    evidence="CSV with a column that names images, and one of runs",
    reads="masks; an image without any run is a negative",
    reports="overlapping runs, runs beyond the image, samples of a submission",
)
