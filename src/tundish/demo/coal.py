"""A raw folder from a coal belt: YOLO labels in the Ultralytics layout, and the faults such folders have."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from tundish.demo.belt import SIDE, Box, belt_look, paint_belt
from tundish.demo.coal_records import sequence_start, write_lab
from tundish.demo.paint import jpeg
from tundish.demo.truth import Recorder, Truth

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["COAL_CLASSES", "make_coal_belt"]

SOURCE = "raw/belt-2"
SEQUENCES, FRAMES = 12, 10
VAL_SEQUENCES = (3, 8, 11)
COAL_CLASSES = {"anchor_rod": "锚杆", "wood": "木料"}
"""Classes in the order of their numbers, with their Chinese names."""


@dataclass(frozen=True)
class _Frame:
    """One picture with its label lines; None where nobody labelled it."""

    split: str
    stem: str
    data: bytes
    lines: tuple[str, ...] | None

    @property
    def image(self) -> str:
        return f"images/{self.split}/{self.stem}.jpg"

    @property
    def label(self) -> str:
        return f"labels/{self.split}/{self.stem}.txt"


def make_coal_belt(folder: Path, seed: int = 2026) -> Truth:
    """Write ``raw/belt-2`` (images, labels, data.yaml), ``raw/lab.csv`` and ``truth.json`` into a folder.

    File names contain the sequence and the frame, such as ``belt2_seq04_f0031.jpg``; whole sequences are in
    train or val, apart from a few frames that were copied across. The same seed makes the same files.
    """
    books = Recorder(folder / SOURCE)
    with ThreadPoolExecutor() as pool:
        sequences = pool.map(partial(_sequence, seed), range(SEQUENCES))
        frames = [frame for sequence in sequences for frame in sequence]
    unlabelled = {frames[place].image for place in (7, 64)}
    frames = [replace(frame, lines=None) if frame.image in unlabelled else frame for frame in frames]
    frames = _with_line_faults(books, frames)
    frames += _copies(books, frames)
    for frame in frames:
        books.image(frame.image, frame.data)
        if frame.lines is not None:
            text = "".join(f"{line}\n" for line in frame.lines)
            books.label(frame.label, text, [line.split()[0] for line in frame.lines])
    for image in sorted(unlabelled):
        books.plant("unlabelled", image)
    _class_lists(books)
    return books.close("coal-belt", SOURCE, seed, folder / "truth.json", (write_lab(folder, seed),))


def _sequence(seed: int, number: int) -> list[_Frame]:
    rng = np.random.default_rng([seed, number])
    look = belt_look(rng)
    start = sequence_start(seed, number)
    split = "val" if number in VAL_SEQUENCES else "train"
    frames = []
    for place in range(FRAMES):
        objects = int(rng.choice([0, 1, 2], p=[0.15, 0.6, 0.25]))
        wanted = [int(each) for each in rng.choice(2, objects, p=[0.65, 0.35])]
        picture, boxes = paint_belt(rng, look, wanted)
        frame = 10 * place + int(rng.integers(0, 9))
        stem = f"belt2_seq{number + 1:02d}_f{frame:04d}"
        # One frame per second.
        data = jpeg(picture, start + timedelta(seconds=frame))
        frames.append(_Frame(split, stem, data, tuple(_line(box) for box in boxes)))
    return frames


def _line(box: Box) -> str:
    number, x, y, width, height = box
    centre = (x + width / 2, y + height / 2, width, height)
    return " ".join([str(number), *(f"{value / SIDE:.6f}" for value in centre)])


def _with_line_faults(books: Recorder, frames: list[_Frame]) -> list[_Frame]:
    """Plant one fault in the label lines of each of these frames."""
    changed = list(frames)
    places = iter([place for place in range(3, len(frames), 4) if len(frames[place].lines or ()) == 1])
    extras = {
        "class_beyond_list": "7 0.512000 0.430000 0.081000 0.112000",
        "not_a_number": "0 nan 0.430000 0.081000 0.112000",
        "four_numbers": "1 0.512000 0.430000 0.081000",
        "decimal_commas": "0 0,512 0,430 0,081 0,112",
        "rounding_overshoot": "1 0.970001 0.250000 0.060000 0.140000",
        "outside": "0 1.200000 0.250000 0.060000 0.140000",
    }
    for fault, line in extras.items():
        place = next(places)
        frame = changed[place]
        changed[place] = replace(frame, lines=(*(frame.lines or ()), line))
        books.plant(fault, frame.label, row=1)
    return changed


def _copies(books: Recorder, frames: list[_Frame]) -> list[_Frame]:
    """Copy frames between train and val: one with the same labels, three with others."""
    single = [frame for frame in frames[24:] if frame.split == "train" and len(frame.lines or ()) == 1]
    chosen = single[:: len(single) // 4][:4]
    copies = []
    for place, frame in enumerate(chosen):
        [line] = frame.lines or ()
        number, *numbers = line.split()
        lines = (
            (line,),
            (f"{1 - int(number)} {' '.join(numbers)}",),
            (),
            (line, "1 0.250000 0.300000 0.050000 0.090000"),
        )[place]
        copy = replace(frame, split="val", lines=lines)
        copies.append(copy)
        fault = "copy_across_splits" if place == 0 else "copy_across_splits_with_other_labels"
        books.plant(fault, copy.image, of=frame.image)
    return copies


def _class_lists(books: Recorder) -> None:
    names = list(COAL_CLASSES)
    for split in ("train", "val"):
        books.other(f"labels/{split}/classes.txt", "".join(f"{name}\n" for name in names))
    numbered = "".join(f"  {number}: {name}\n" for number, name in enumerate(names))
    books.other("data.yaml", f"path: .\ntrain: images/train\nval: images/val\nnames:\n{numbered}")
