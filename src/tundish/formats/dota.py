"""DOTA: one text file an image, one row an oriented box as four corners in pixels.

A row is ``x1 y1 x2 y2 x3 y3 x4 y4 class difficult``; lines such as ``imagesource:GoogleEarth`` and
``gsd:0.15`` may come before. A class may hold blanks; ``difficult`` may be missing. Boxes become polygons of
four points. Oriented boxes in shares, with a number for the class, are YOLO's.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.formats.base import Evidence, Format, ImageRef, Label, Options, Reading, parts_of, suffix_of
from tundish.formats.reading.fault import Fault, Notes
from tundish.formats.reading.match import Miss, find_beside
from tundish.formats.reading.sniffing import (
    catalog_of,
    counted,
    is_image,
    read_note,
    sample,
    unlabelled_note,
)
from tundish.formats.reading.text import decode_text, fault_of_number, real

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tundish.formats.base import Catalog, Listing, Role

__all__ = ["FORMAT", "Dota"]

_HEADER = re.compile(r"\s*(imagesource|gsd)\s*:\s*(.*?)\s*", re.IGNORECASE)
_OTHER = re.compile(
    r"(?:readme|license|licence|notes?|requirements|changelog|classes|labels|names)\b.*\.txt", re.IGNORECASE
)
_MOST_SHARE = 2.0
"""Above it, a coordinate is in pixels: no label leaves its image by more than the image."""
_DIFFICULT = frozenset({"0", "1", "2"})


@dataclass(frozen=True)
class Dota:
    """DOTA's labelTxt."""

    def role(self, path: str, options: Options) -> Role:  # noqa: ARG002
        """Text files are labels but for readmes and lists of classes."""
        if suffix_of(path) == ".txt":
            return "other" if _OTHER.fullmatch(parts_of(path)[1]) else "annotation"
        return "image" if is_image(path) else "other"

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:  # noqa: ARG002
        """Read label files; one without rows makes its image a negative."""
        reading = Reading()
        for path, data in files:
            _read_file(path, data, catalog, reading)
        return reading

    def recognises(self, path: str, data: bytes) -> bool:  # noqa: ARG002
        """Whether most rows are eight numbers and a class, or there is none."""
        rows = _rows(decode_text(data)[0])[1]
        return sum(bool(_class_of(tokens)) for _, tokens in rows) * 2 >= len(rows)

    def sniff(self, listing: Listing) -> Evidence | None:
        """Text files named as images whose rows are eight numbers and a class."""
        labels = [path for path in listing.paths if self.role(path, Options()) == "annotation"]
        images = [path for path in listing.paths if is_image(path)]
        catalog = catalog_of(images)
        found = {path: find_beside(catalog, path) for path in labels}
        matched = [path for path, image in found.items() if isinstance(image, ImageRef)]
        classes: Counter[str] = Counter()
        strange = empty = 0
        chosen = sample(matched)
        for path in chosen:
            rows = _rows(decode_text(listing.read(path))[0])[1]
            empty += not rows
            for _, tokens in rows:
                name = _class_of(tokens)
                classes[name] += bool(name)
                strange += not name
        classes = +classes
        if not classes or classes.total() < strange:
            return None
        with_labels = len({image.path for path in matched if isinstance(image := found[path], ImageRef)})
        facts = [
            f"{len(matched)} of {len(labels)} text files have the name of an image that is here",
            f"{counted(classes.total(), 'oriented box')} of {counted(len(classes), 'class')}: polygons",
        ]
        facts += [f"{counted(empty, 'label file')} without a row: negatives"] if empty else []
        facts += [f"{counted(strange, 'row')} that DOTA does not have"] if strange else []
        facts += unlabelled_note(len(images), with_labels)
        facts += read_note(len(chosen), len(matched), "label files")
        return Evidence(len(matched), facts, sorted(classes))


def _rows(text: str) -> tuple[dict[str, object], list[tuple[int, list[str]]]]:
    """What the header lines say, and the other lines that are not blank, each with its number from 0."""
    header: dict[str, object] = {}
    rows = []
    for line, content in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n")):
        match = _HEADER.fullmatch(content)
        if match:
            header[match[1].lower()] = match[2]
        elif tokens := content.split():
            rows.append((line, tokens))
    return header, rows


def _class_of(tokens: list[str]) -> str:
    """The class of a row; empty where the row is not DOTA's."""
    if len(tokens) < 9 or any(real(token) is None for token in tokens[:8]):
        return ""
    if not _is_numbers(tokens):
        return _tail(tokens[8:])[0]
    return tokens[8] if _has_class(tokens) else ""


def _has_class(tokens: list[str]) -> bool:
    """Whether a row of numbers is corners in pixels and a class, with or without a difficulty."""
    pixels = any(abs(real(token) or 0) > _MOST_SHARE for token in tokens[:8])
    difficult = len(tokens) == 9 or (len(tokens) == 10 and tokens[9] in _DIFFICULT)
    return pixels and difficult and tokens[8].isdecimal()


def _is_numbers(tokens: list[str]) -> bool:
    """Whether a row is only numbers, as YOLO's polygons are, and DOTA's rows with numbers for classes."""
    return all(real(token) is not None for token in tokens)


def _tail(tokens: list[str]) -> tuple[str, int | None]:
    """The class and how difficult it is, from what follows the corners."""
    if len(tokens) > 1 and tokens[-1] in _DIFFICULT:
        return " ".join(tokens[:-1]), int(tokens[-1])
    return " ".join(tokens), None


def _read_file(path: str, data: bytes, catalog: Catalog, reading: Reading) -> None:
    image = find_beside(catalog, path)
    notes = Notes(path, reading)
    header, rows = _rows(decode_text(data)[0] if data else "")
    if isinstance(image, Miss):
        message = f"{image.message}; {counted(len(rows), 'label')} not taken"
        notes.refuse(Fault(image.check, message), labels=len(rows))
        return
    if image.path in reading.covered:
        message = f"another label file is about {image.path} too; the labels of both were taken"
        notes.warn(Fault("image_labelled_twice", message))
    taken = 0
    for line, tokens in rows:
        try:
            reading.labels.append(_label(path, line, tokens, image, header))
            taken += 1
        except Fault as fault:
            notes.refuse(fault, line, labels=1)
    if taken or not rows:
        reading.covered.add(image.path)
    if taken < len(rows):
        reading.refused.add(image.path)


def _label(path: str, line: int, tokens: list[str], image: ImageRef, header: dict[str, object]) -> Label:
    if len(tokens) < 9:
        message = f"the row has {len(tokens)} fields; an oriented box has eight numbers and a class"
        raise Fault("field_count", message, "", " ".join(tokens))
    if _is_numbers(tokens) and not _has_class(tokens):
        message = f"the row is {len(tokens)} numbers and no class"
        raise Fault("number_count", message, "", " ".join(tokens))
    ring = []
    for token in tokens[:8]:
        number = real(token)
        if number is None:
            raise Fault(*fault_of_number(token), "", " ".join(tokens))
        ring.append(number)
    if not math.isfinite(sum(ring)):
        raise Fault("not_finite", "the numbers are too large to add up", "", " ".join(tokens))
    name, difficult = _tail(tokens[8:])
    attributes = header | ({} if difficult is None else {"difficult": difficult})
    x, y = min(ring[::2]), min(ring[1::2])
    width, height = max(ring[::2]) - x, max(ring[1::2]) - y
    return Label(image, name, "polygon", x, y, width, height, path, line, [ring], attributes=attributes)


FORMAT = Format(
    "dota",
    "DOTA text: oriented boxes as four corners in pixels",
    reader=Dota(),
    evidence="text files named as an image, with rows of eight numbers in pixels and a class",
    reads="oriented boxes as polygons; the header lines and `difficult` as attributes",
    reports="rows that are not whole",
)
