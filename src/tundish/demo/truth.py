"""The content of a sample dataset, and which faults are planted where."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Planted", "PlantedRow", "Recorder", "TableTruth", "Truth"]


@dataclass(frozen=True)
class Planted:
    """One planted fault.

    Args:
        fault: The short name of the fault, such as ``truncated_jpeg``.
        path: The file with the fault, relative to the source.
        of: The original, where the file is a copy, or shows a part of it.
        row: The place of the label in its file, from 0, where the fault is that of a label.
    """

    fault: str
    path: str
    of: str | None = None
    row: int | None = None


@dataclass(frozen=True)
class PlantedRow:
    """One row of a table that is faulty, or valid but odd.

    Args:
        fault: The short name of the fault, such as ``closure_broken``.
        row: The record in its file after the header, from 0.
        line: The first line of the row as an editor or Excel counts, from 1.
        outcome: The expected outcome: accepted, quarantined or skipped.
        check: The check or reason that reports it; None where a valid row is accepted silently.
        note: The kind of note on it, where it is accepted with one.
    """

    fault: str
    row: int
    line: int
    outcome: str
    check: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class TableTruth:
    """The truth of one table.

    Args:
        table: The name of the table in the recipe.
        path: The file, relative to the folder of the dataset.
        sheet: The sheet of a workbook.
        rows: The number of rows after the header, including blank ones and subtotals.
        accepted: The number of valid rows.
        quarantined: The number of rows that must be quarantined.
        skipped: The number of rows that are not records of their own: blank, subtotals, repeats.
        unmatched: The keys of images without a valid record in this table.
        planted: All odd rows, in the order of the file.
    """

    table: str
    path: str
    sheet: str | None
    rows: int
    accepted: int
    quarantined: int
    skipped: int
    unmatched: tuple[str, ...]
    planted: tuple[PlantedRow, ...]

    def faults(self, name: str) -> list[PlantedRow]:
        """The planted rows with this name."""
        return [planted for planted in self.planted if planted.fault == name]


@dataclass(frozen=True)
class Truth:
    """The truth of a sample dataset.

    Args:
        dataset: The name of the dataset.
        source: The folder of the raw files, relative to the folder of the dataset.
        seed: The seed of all random numbers.
        image_files: The number of image files by name, good or bad.
        label_files: The number of label files; an image without one is unlabelled.
        negatives: The number of images with an empty label file.
        unlabelled: The number of images without a label file.
        labels: The number of labels by class as written, including faulty ones and those of copies.
        planted: All faults of images and labels.
        tables: The tables of records, with their faults.
        unlisted: Tables that no recipe reads until somebody adds them, with theirs.
    """

    dataset: str
    source: str
    seed: int
    image_files: int
    label_files: int
    negatives: int
    unlabelled: int
    labels: dict[str, int]
    planted: tuple[Planted, ...]
    tables: tuple[TableTruth, ...]
    unlisted: tuple[TableTruth, ...] = ()

    def faults(self, name: str) -> list[Planted]:
        """The planted faults of images and labels with this name."""
        return [planted for planted in self.planted if planted.fault == name]

    def table(self, name: str) -> TableTruth:
        """The truth of one table."""
        return next(table for table in self.tables if table.table == name)

    def write(self, path: Path) -> None:
        """Write the truth as JSON."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=2, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8")


@dataclass
class Recorder:
    """Writes the raw files of a sample and records their truth."""

    folder: Path
    image_files: int = 0
    label_files: int = 0
    negatives: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    planted: list[Planted] = field(default_factory=list)

    def image(self, path: str, data: bytes) -> None:
        """Write an image file, or a file that pretends to be one."""
        self._write(path, data)
        self.image_files += 1

    def label(self, path: str, text: str, classes: list[str]) -> None:
        """Write a label file with labels of these classes, as written."""
        self._write(path, text.encode())
        self.label_files += 1
        self.negatives += not classes
        for name in classes:
            self.labels[name] = self.labels.get(name, 0) + 1

    def other(self, path: str, text: str) -> None:
        """Write a file that is neither image nor label file."""
        self._write(path, text.encode())

    def plant(self, fault: str, path: str, *, of: str | None = None, row: int | None = None) -> None:
        """Record a fault."""
        self.planted.append(Planted(fault, path, of, row))

    def close(
        self,
        dataset: str,
        source: str,
        seed: int,
        path: Path,
        tables: tuple[TableTruth, ...],
        unlisted: tuple[TableTruth, ...] = (),
    ) -> Truth:
        """Write the truth to `path` and return it."""
        truth = Truth(
            dataset,
            source,
            seed,
            self.image_files,
            self.label_files,
            self.negatives,
            sum(planted.fault == "unlabelled" for planted in self.planted),
            dict(sorted(self.labels.items())),
            tuple(self.planted),
            tables,
            unlisted,
        )
        truth.write(path)
        return truth

    def _write(self, path: str, data: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
