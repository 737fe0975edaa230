"""A raw folder from a strip inspection line: Pascal VOC, several pictures per coil, and faults."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import cv2
import numpy as np

from tundish.demo.furnace import write_furnace
from tundish.demo.paint import Field, jpeg, png
from tundish.demo.steel_plan import Coil, campaign, photographed
from tundish.demo.steel_records import write_steel
from tundish.demo.strip import HEIGHT, WIDTH, Box, coil_look, paint_strip
from tundish.demo.truth import Recorder, Truth

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

__all__ = ["STEEL_CLASSES", "make_steel_surface"]

SOURCE = "raw/line-1"
COILS, PICTURES = 24, 10
STEEL_CLASSES = {
    "scratch": "划伤",
    "rolled-in_scale": "氧化铁皮压入",
    "inclusion": "夹杂",
    "patch": "斑块",
}
"""Classes, with the name that one of the two inspectors writes instead."""


@dataclass(frozen=True)
class _Shot:
    """One picture of the strip and its labels; corners are those of VOC, 1-based and inclusive."""

    stem: str
    picture: Field
    taken: datetime
    corners: tuple[tuple[str, float, float, float, float], ...]


def make_steel_surface(folder: Path, seed: int = 2026) -> Truth:
    """Write ``raw/line-1`` (images, annotations), tables, a log and ``truth.json`` into a dataset's folder.

    File names contain the coil, the metre of the strip and its side, such as ``A1003_000120_top.jpg``. The
    same seed makes the same files.
    """
    books = Recorder(folder / SOURCE)
    plan = photographed(campaign(seed)[1])
    with ThreadPoolExecutor() as pool:
        *coils, last = pool.map(partial(_coil, seed), range(COILS + 1), plan[: COILS + 1])
    shots = [shot for coil in coils for shot in coil]
    unlabelled = {shots[place].stem for place in (17, 96, 175)}
    shots = _with_label_faults(books, shots)
    shots = _with_picture_faults(books, shots)
    for shot in shots:
        books.image(f"images/{shot.stem}.jpg", jpeg(shot.picture, shot.taken))
        if shot.stem not in unlabelled:
            _write_label(books, shot)
    for stem in sorted(unlabelled):
        books.plant("unlabelled", f"images/{stem}.jpg")
    _copies(books, shots, plan[COILS + 1])
    _welds(books, shots, seed, plan)
    _broken(books, [shot for shot in last if shot.corners])
    tables, furnace = write_steel(folder, seed), write_furnace(folder, seed)
    return books.close("steel-surface", SOURCE, seed, folder / "truth.json", tables, (furnace,))


def _coil(seed: int, number: int, coil: Coil) -> list[_Shot]:
    rng = np.random.default_rng([seed, number])
    look = coil_look(rng)
    # Every sixth coil was labelled by the colleague who writes Chinese.
    names = STEEL_CLASSES if number % 6 == 5 else {name: name for name in STEEL_CLASSES}
    shots = []
    for picture in range(PICTURES):
        count = int(rng.choice([0, 1, 2, 3], p=[0.12, 0.5, 0.28, 0.1]))
        wanted = [str(name) for name in rng.choice(list(STEEL_CLASSES), count, p=[0.36, 0.27, 0.22, 0.15])]
        field, boxes = paint_strip(rng, look, wanted)
        metre = 40 * picture + int(rng.integers(0, 30))
        stem = f"{coil.number}_{metre:06d}_{'top' if picture % 2 == 0 else 'bottom'}"
        shots.append(_Shot(stem, field, coil.seen(metre), tuple(_corners(box, names) for box in boxes)))
    return shots


def _corners(box: Box, names: dict[str, str]) -> tuple[str, float, float, float, float]:
    name, x, y, width, height = box
    return names[name], x + 1, y + 1, x + width, y + height


def _with_label_faults(books: Recorder, shots: list[_Shot]) -> list[_Shot]:
    """Plant one fault in the labels of each of these pictures."""
    changes = {
        "box_outside": ("scratch", WIDTH + 60, 40, WIDTH + 140, 70),
        "reversed_corners": None,
        "rounding_overshoot": None,
        "unknown_class": ("water stain", 300, 90, 380, 150),
        "repeated_box": None,
    }
    changed = list(shots)
    single = [place for place in range(5, len(shots), 6) if len(shots[place].corners) == 1]
    at_edge = max(single, key=lambda place: shots[place].corners[0][3])
    places = iter([place for place in single if place != at_edge])
    for fault, extra in changes.items():
        place = at_edge if fault == "rounding_overshoot" else next(places)
        shot = changed[place]
        [(name, left, top, right, bottom)] = shot.corners
        if fault == "reversed_corners":
            corners = [(name, right, bottom, left, top)]
        elif fault == "rounding_overshoot":
            corners = [(name, left, top, WIDTH + 0.4, bottom)]
        else:
            corners = [*shot.corners, extra or shot.corners[0]]
        changed[place] = replace(shot, corners=tuple(corners))
        books.plant(fault, f"annotations/{shot.stem}.xml", row=len(corners) - 1)
    return changed


def _with_picture_faults(books: Recorder, shots: list[_Shot]) -> list[_Shot]:
    """A lamp that failed and a lens that lost its focus."""
    changed = list(shots)
    dark, blurred = changed[52], changed[131]
    changed[52] = replace(dark, picture=dark.picture * np.float32(0.025))
    soft = np.asarray(cv2.GaussianBlur(blurred.picture, (0, 0), 7), dtype=np.float32)
    changed[131] = replace(blurred, picture=soft)
    books.plant("too_dark", f"images/{dark.stem}.jpg")
    books.plant("blurred", f"images/{blurred.stem}.jpg")
    return changed


def _copies(books: Recorder, shots: list[_Shot], coil: Coil) -> None:
    """Copy a picture: unchanged, saved again with other labels, and mirrored."""
    faulty = {planted.path for planted in books.planted}
    sound = [shot for shot in shots[60:] if f"annotations/{shot.stem}.xml" not in faulty]
    original, resaved, mirrored = [shot for shot in sound if len(shot.corners) == 2][:3]
    copy = f"{original.stem} - copy"
    books.image(f"images/{copy}.jpg", jpeg(original.picture, original.taken))
    _write_label(books, replace(original, stem=copy))
    books.plant("identical_copy", f"images/{copy}.jpg", of=f"images/{original.stem}.jpg")

    again = f"{coil.number}_000012_top"
    books.image(f"images/{again}.jpg", jpeg(resaved.picture, coil.seen(12), 70))
    other = "patch" if resaved.corners[0][0] != "patch" else "inclusion"
    _write_label(books, replace(resaved, stem=again, corners=((other, *resaved.corners[0][1:]),)))
    books.plant("resaved_copy_with_other_labels", f"images/{again}.jpg", of=f"images/{resaved.stem}.jpg")

    flipped = f"{coil.number}_000055_bottom"
    picture = np.asarray(cv2.flip(mirrored.picture, 1), dtype=np.float32)
    corners = tuple(
        (name, WIDTH + 1 - right, top, WIDTH + 1 - left, bottom)
        for name, left, top, right, bottom in mirrored.corners
    )
    books.image(f"images/{flipped}.jpg", jpeg(picture, coil.seen(55)))
    _write_label(books, replace(mirrored, stem=flipped, corners=corners))
    books.plant("mirrored_copy", f"images/{flipped}.jpg", of=f"images/{mirrored.stem}.jpg")


def _welds(books: Recorder, shots: list[_Shot], seed: int, plan: list[Coil]) -> None:
    """Frames of a line camera that overlap where one coil is welded to the next, each filed under its own."""
    faulty = {planted.path.rsplit("/", 1)[1].rsplit(".", 1)[0] for planted in books.planted}
    cut = WIDTH * 6 // 10
    ends = [(number, shots[(number + 1) * PICTURES - 1]) for number in range(6, COILS - 1)]
    sound = [
        (number, shot)
        for number, shot in ends
        if shot.stem not in faulty and all(right < cut for _, _, _, right, _ in shot.corners)
    ]
    for number, shot in sound[:2]:
        look = coil_look(np.random.default_rng([seed, number]))
        fresh, _ = paint_strip(np.random.default_rng([seed, COILS, number]), look, [])
        picture = np.concatenate([shot.picture[:, cut:], fresh[:, :cut]], axis=1)
        coil = plan[number + 1]
        stem = f"{coil.number}_000000_bottom"
        books.image(f"images/{stem}.jpg", jpeg(picture, coil.seen(0)))
        _write_label(books, _Shot(stem, picture, coil.seen(0), ()))
        books.plant("overlapping_frame", f"images/{stem}.jpg", of=f"images/{shot.stem}.jpg")


def _broken(books: Recorder, shots: list[_Shot]) -> None:
    """Write files whose content does not match the name. They have labels: the inspector saw the pictures."""
    whole = jpeg(shots[0].picture, shots[0].taken)
    faults = {
        "truncated_jpeg": whole[: len(whole) * 2 // 5],
        "text_called_jpg": b"connection to camera 2 lost, frame not written\n",
        "zero_bytes": b"",
        "png_called_jpg": png(shots[3].picture),
    }
    for (fault, data), shot in zip(faults.items(), shots, strict=False):
        books.image(f"images/{shot.stem}.jpg", data)
        _write_label(books, shot)
        books.plant(fault, f"images/{shot.stem}.jpg")


def _write_label(books: Recorder, shot: _Shot) -> None:
    objects = "".join(
        f"""
  <object>
    <name>{escape(name)}</name>
    <pose>Unspecified</pose>
    <truncated>0</truncated>
    <difficult>0</difficult>
    <bndbox><xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox>
  </object>"""
        for name, left, top, right, bottom in shot.corners
    )
    text = f"""<annotation>
  <folder>images</folder>
  <filename>{escape(shot.stem)}.jpg</filename>
  <size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>1</depth></size>
  <segmented>0</segmented>{objects}
</annotation>
"""
    books.label(f"annotations/{shot.stem}.xml", text, [corner[0] for corner in shot.corners])
