"""What a sample data set holds, and which faults were planted where."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Planted", "PlantedRow", "Recorder", "TableTruth", "Truth"]


@dataclass(frozen=True)
class Planted:
    """One fault, put there on purpose.

    Args:
        fault: Its short name, such as ``truncated_jpeg``.
        path: The file that carries it, relative to the source.
        of: The file it is a copy of, where it is one.
        row: Place of the label in its file, from 0, where the fault is one label's.
    """

    fault: str
    path: str
    of: str | None = None
    row: int | None = None


@dataclass(frozen=True)
class PlantedRow:
    """One row of a table that is not as it should be, or that is sound and only looks odd.

    Args:
        fault: Its short name, such as ``closure_broken``.
        row: The record in its file after the header, from 0.
        line: Its first line as an editor or Excel counts, from 1.
        outcome: What must come of it: accepted, quarantined or skipped.
        check: The check or the reason that tells it; None where a sound row is taken without a word.
        note: The kind of note on it, where it is taken with one.
    """

    fault: str
    row: int
    line: int
    outcome: str
    check: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class TableTruth:
    """The answer sheet of one table.

    Args:
        table: Its name in the recipe.
        path: The file, relative to the dataset's folder.
        sheet: Its sheet in a workbook.
        rows: Rows after the header, blank ones and sub-totals among them.
        accepted: Rows that are sound.
        quarantined: Rows that must be taken out.
        skipped: Rows that are no records of their own: blank, sub-totals, repeats.
        unmatched: Keys of the images that have no sound record here.
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
        """The planted rows of one name."""
        return [planted for planted in self.planted if planted.fault == name]


@dataclass(frozen=True)
class Truth:
    """The answer sheet of a sample data set.

    Args:
        dataset: Its name.
        source: Folder of the raw files, relative to the dataset's folder.
        seed: It was made from this.
        image_files: Files whose name says they are images, good or bad.
        label_files: Files of labels; an image without one is unlabelled.
        negatives: Images whose label file says there is nothing.
        unlabelled: Images without a label file.
        labels: Labels written, by the class as it is written, faulty ones and those of copies among them.
        planted: All faults of images and labels.
        tables: The tables of records, with theirs.
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

    def faults(self, name: str) -> list[Planted]:
        """The planted faults of images and labels of one name."""
        return [planted for planted in self.planted if planted.fault == name]

    def table(self, name: str) -> TableTruth:
        """The answer sheet of one table."""
        return next(table for table in self.tables if table.table == name)

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=2, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8")


@dataclass
class Recorder:
    """Writes the raw files of a sample and keeps the books."""

    folder: Path
    image_files: int = 0
    label_files: int = 0
    negatives: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    planted: list[Planted] = field(default_factory=list)

    def image(self, path: str, data: bytes) -> None:
        """Write an image file, or what calls itself one."""
        self._write(path, data)
        self.image_files += 1

    def label(self, path: str, text: str, classes: list[str]) -> None:
        """Write a label file that holds labels of these classes, as written."""
        self._write(path, text.encode())
        self.label_files += 1
        self.negatives += not classes
        for name in classes:
            self.labels[name] = self.labels.get(name, 0) + 1

    def other(self, path: str, text: str) -> None:
        """Write a file that is neither."""
        self._write(path, text.encode())

    def plant(self, fault: str, path: str, *, of: str | None = None, row: int | None = None) -> None:
        """Note a fault."""
        self.planted.append(Planted(fault, path, of, row))

    def close(
        self, dataset: str, source: str, seed: int, path: Path, tables: tuple[TableTruth, ...]
    ) -> Truth:
        """The answer sheet, written to `path`."""
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
        )
        truth.write(path)
        return truth

    def _write(self, path: str, data: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
