"""YOLO: one text file an image, one row a label, in shares of the upright image's width and height.

==============================  =======================================================================
row                             read as
==============================  =======================================================================
class x y w h                   box by its centre
class x y w h c                 the same with a confidence c from 0 to 1, as Ultralytics' ``save_conf``
                                writes it; reported as a warning: it is a model's answer, not a label
class x y w h [c] id            the same with the number of a track, as a tracker's ``save_txt`` writes it;
                                what six and seven numbers mean is settled over all files: see `rows`;
                                so is what the four numbers of boxes are: see `places`
class x1 y1 x2 y2 x3 y3 ...     polygon (also oriented boxes: four corners)
class x y w h (px py [v]) ...   box with key points, where data.yaml has ``kpt_shape``
==============================  =======================================================================

Ultralytics (images/, labels/), split folders (train/images, train/labels) and Darknet (labels beside images)
are one to the reader: see `match`. `yolo_names` finds the class names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.formats.base import (
    NO_ATTRIBUTES,
    Evidence,
    ImageRef,
    Label,
    Options,
    Problem,
    Reading,
    suffix_of,
)
from tundish.formats.reading.match import Miss, find_beside
from tundish.formats.reading.sniffing import counted, is_image
from tundish.formats.reading.text import fault_of_number, real
from tundish.formats.yolo.lines import holds_labels, is_list, reads_as_label, reads_as_labels, rows_of
from tundish.formats.yolo.look import look_for_yolo
from tundish.formats.yolo.names import ClassNames, is_classes_file
from tundish.formats.yolo.places import Places, places_of
from tundish.formats.yolo.rows import Meaning, settle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tundish.formats.base import Catalog, Listing, Role
    from tundish.formats.yolo.names import NameList

__all__ = ["Yolo"]


@dataclass(frozen=True)
class Yolo:
    """YOLO detection and segmentation."""

    def role(self, path: str, options: Options) -> Role:  # noqa: ARG002
        """Text files are labels but for class lists; what they hold shows which are lists or readmes."""
        if is_image(path):
            return "image"
        if is_classes_file(path):
            return "classes"
        return "annotation" if suffix_of(path) == ".txt" else "other"

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:
        """Read label files; the class lists may come in any order among them."""
        reading = Reading()
        lists: list[tuple[str, bytes]] = []
        labels: list[tuple[str, bytes]] = []
        for path, data in files:
            listed = is_classes_file(path) and not holds_labels(path, data, catalog)
            (lists if listed else labels).append((path, data))
        names = ClassNames(lists, options.names, reading.problems)
        meaning = settle((rows_of(data) for _, data in labels), options.extra.get("rows", ""))
        settled = meaning, places_of(options.extra)
        for path, data in labels:
            _read_file(path, data, catalog, names.of(path), settled, reading)
        nameless = next((path for path, _ in labels if names.of(path) is None), None)
        if nameless is not None and reading.labels:
            message = "no list of classes is at or above it: the numbers were taken as names"
            reading.problems.append(Problem(nameless, None, "no_classes", "class", "", message, "warning"))
        return reading

    def reads_labels_in(self, path: str, data: bytes, catalog: Catalog) -> bool:
        """Whether a file that is called like a list of classes is a label file to `read`."""
        return is_classes_file(path) and holds_labels(path, data, catalog)

    def recognises(self, path: str, data: bytes) -> bool:
        """Whether most rows are a class and numbers, or there is none; a list of classes is."""
        rows = [] if is_classes_file(path) else rows_of(data)
        return sum(reads_as_label(tokens) for _, tokens in rows) * 2 >= len(rows)

    def sniff(self, listing: Listing) -> Evidence | None:
        """Text files whose rows are numbers and whose names are those of images."""
        return look_for_yolo(listing, {path: self.role(path, Options()) for path in listing.paths})


def _read_file(
    path: str,
    data: bytes,
    catalog: Catalog,
    names: NameList | None,
    settled: tuple[Meaning, Places],
    reading: Reading,
) -> None:
    image = find_beside(catalog, path)
    rows = rows_of(data)
    called_list = is_list(path)
    if (isinstance(image, Miss) or (rows and called_list)) and not reads_as_labels(rows):
        if called_list and isinstance(image, Miss):
            return  # a list or a readme, by its name and by what it holds
        if rows:
            message = "none of its lines reads as a label: taken for a list or a text"
            reading.problems.append(Problem(path, None, "not_labels", "", "", message, "warning"))
            return
    if isinstance(image, Miss):
        message = f"{image.message}; {counted(len(rows), 'label')} not taken"
        reading.problems.append(Problem(path, None, image.check, "", "", message, labels=len(rows)))
        return
    if image.path in reading.covered:
        message = f"another label file is about {image.path} too; the labels of both were taken"
        reading.problems.append(Problem(path, None, "image_labelled_twice", "", "", message, "warning"))
    reader = _Rows(path, image, names, *settled, reading)
    taken = sum([reader.take(row, tokens) for row, tokens in rows])
    if taken or not rows:
        reading.covered.add(image.path)
    if taken < len(rows):
        reading.refused.add(image.path)


@dataclass(slots=True)
class _Rows:
    """The rows of one label file on their way into a reading."""

    path: str
    image: ImageRef
    names: NameList | None
    meaning: Meaning
    places: Places
    reading: Reading

    def take(self, row: int, tokens: list[str]) -> bool:
        """Read one row; False, and a problem, where it is not a label."""
        numbers = self._numbers(row, tokens)
        raw_label = self._class(row, tokens[0]) if numbers is not None else None
        return numbers is not None and raw_label is not None and self._shape(row, tokens, raw_label, numbers)

    def _shape(self, row: int, tokens: list[str], raw_label: str, numbers: list[float]) -> bool:
        shape = self.names.key_point_shape if self.names is not None else None
        if shape is not None and len(numbers) == 4 + shape[0] * shape[1]:
            points = self._key_points(numbers[4:], shape[1])
            return self._box(row, raw_label, numbers[:4], attributes={"keypoints": points})
        if len(numbers) == 4:
            return self._box(row, raw_label, numbers)
        if len(numbers) == 5 and self.meaning.six == "confidence":
            return self._scored(row, raw_label, numbers)
        if len(numbers) == 5 or (len(numbers) == 6 and self.meaning.seven != "polygon"):
            return self._tracked(row, raw_label, numbers)
        if len(numbers) >= 6 and len(numbers) % 2 == 0:
            return self._polygon(row, raw_label, numbers)
        message = f"{len(tokens)} numbers; a box has 5, a polygon an odd number from 7"
        return self._refuse(row, "number_count", "", " ".join(tokens), message)

    def _numbers(self, row: int, tokens: list[str]) -> list[float] | None:
        try:
            numbers = [float(token) for token in tokens[1:]]
        except ValueError:
            numbers = [math.nan]
        if math.isfinite(sum(numbers)):
            return numbers
        bad = next((token for token in tokens[1:] if real(token) is None), None)
        if bad is None:
            self._refuse(row, "not_finite", "", " ".join(tokens), "the numbers are too large to add up")
        else:
            check, message = fault_of_number(bad)
            self._refuse(row, check, "", " ".join(tokens), message)
        return None

    def _class(self, row: int, token: str) -> str | None:
        number = real(token)
        if number is None or number < 0 or number != int(number):
            self._refuse(row, "not_a_class", "class", token, f"'{token[:40]}' is not the number of a class")
            return None
        index = int(number)
        if self.names is None:
            return str(index)
        if index >= len(self.names.names):
            message = (
                f"class {index} is beyond the {counted(len(self.names.names), 'name')} of {self.names.path}"
            )
            self._refuse(row, "unknown_class", "class", token, message)
            return None
        return self.names.names[index] or str(index)

    def _box(
        self,
        row: int,
        raw_label: str,
        shares: list[float],
        score: float | None = None,
        attributes: dict[str, object] | None = None,
    ) -> bool:
        image = self.image
        x, y, width, height = self.places.box_of(shares, (image.width, image.height))
        if width < 0 or height < 0:
            value = " ".join(f"{share:g}" for share in shares[2:])
            return self._refuse(row, "negative_size", "width, height", value, "the size is negative")
        self.reading.labels.append(
            Label(
                image,
                raw_label,
                "box",
                x,
                y,
                width,
                height,
                self.path,
                row,
                score=score,
                attributes=attributes or NO_ATTRIBUTES,
            )
        )
        return True

    def _scored(self, row: int, raw_label: str, numbers: list[float]) -> bool:
        score = numbers[4]
        if not 0 <= score <= 1:
            message = f"6 numbers, and the last is not a confidence from 0 to 1: {score:g}"
            return self._refuse(row, "number_count", "", f"{score:g}", message)
        taken = self._box(row, raw_label, numbers[:4], score)
        if taken:
            message = "6 numbers: the last was taken as a model's confidence"
            self.reading.problems.append(
                Problem(self.path, row, "confidence", "score", f"{score:g}", message, "warning")
            )
        return taken

    def _tracked(self, row: int, raw_label: str, numbers: list[float]) -> bool:
        """A box with the number of its track, and a confidence before it where there are two numbers."""
        track, scores = numbers[-1], numbers[4:-1]
        if len(numbers) == 6 and self.meaning.seven == "unsettled":
            message = (
                "7 numbers may be a triangle, or a box with a confidence and a track;"
                " the source's options say which: {rows: polygon} or {rows: track}"
            )
            return self._refuse(row, "number_count", "", " ".join(map("{:g}".format, numbers)), message)
        if track < 0 or track != int(track) or not all(0 <= score <= 1 for score in scores):
            message = f"{len(numbers) + 1} numbers, but they do not end in the number of a track"
            return self._refuse(row, "number_count", "", f"{track:g}", message)
        score = scores[0] if scores else None
        taken = self._box(row, raw_label, numbers[:4], score, {"track_id": int(track)})
        if taken:
            message = f"{len(numbers) + 1} numbers: the last was taken as the number of a track"
            self.reading.problems.append(
                Problem(self.path, row, "track", "track_id", f"{track:g}", message, "warning")
            )
        return taken

    def _polygon(self, row: int, raw_label: str, shares: list[float]) -> bool:
        across, down = self.places.scale((self.image.width, self.image.height))
        xs = [share * across for share in shares[::2]]
        ys = [share * down for share in shares[1::2]]
        ring = [value for point in zip(xs, ys, strict=True) for value in point]
        x, y = min(xs), min(ys)
        self.reading.labels.append(
            Label(
                self.image,
                raw_label,
                "polygon",
                x,
                y,
                max(xs) - x,
                max(ys) - y,
                self.path,
                row,
                segmentation=[ring],
            )
        )
        return True

    def _key_points(self, shares: list[float], size: int) -> list[float]:
        """COCO key points x, y, v in pixels; v is 2 (visible) where the file gives none."""
        points: list[float] = []
        across, down = self.places.scale((self.image.width, self.image.height))
        for place in range(0, len(shares), size):
            x, y, *seen = shares[place : place + size]
            points += [x * across, y * down, seen[0] if seen else 2]
        return points

    def _refuse(self, row: int, check: str, column: str, value: str, message: str) -> bool:
        self.reading.problems.append(Problem(self.path, row, check, column, value[:200], message, labels=1))
        return False
