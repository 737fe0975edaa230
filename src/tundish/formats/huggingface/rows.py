"""Rows of a table become labels: objects with boxes, polygons or masks, and classes of whole images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tundish.formats.base import NO_ATTRIBUTES, ImageRef, Label
from tundish.formats.coco.boxes import as_xywh
from tundish.formats.coco.shapes import read_shape
from tundish.formats.reading.fault import Fault, Notes
from tundish.formats.reading.match import Miss, find_named
from tundish.formats.reading.sniffing import counted
from tundish.formats.reading.text import real
from tundish.formats.reading.upright import frame_of_stated_size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tundish.formats.base import Catalog, Options, Reading
    from tundish.formats.huggingface.columns import Columns
    from tundish.formats.huggingface.tables import LabelTable

__all__ = ["class_name", "coco_entry", "find_image", "read_table"]


def read_table(path: str, table: LabelTable, catalog: Catalog, options: Options, reading: Reading) -> None:
    """Read the labels of a table into `reading`; a bad row costs itself."""
    taker = _Taker(path, table.columns, options, Notes(path, reading), reading)
    if table.unread:
        names = ", ".join(table.unread)
        message = f"further columns of pictures are not read: {names}"
        taker.notes.warn(Fault("unread_pictures", message, "columns", names))
    for row, stated in zip(table.rows, table.stated, strict=True):
        if isinstance(row, Fault):
            taker.refuse(row, 1)
        else:
            taker.take(row, stated, catalog)


def find_image(catalog: Catalog, path: str, stated: str) -> ImageRef | Miss:
    """The image of a row: exactly where the table says, else by its name."""
    return catalog.by_path(stated) or find_named(catalog, path, stated)


def class_name(value: object, names: Sequence[str]) -> str:
    """The name of a class by its number or its name.

    Raises:
        Fault: There is none.
    """
    if value is None or value == "":
        raise Fault("missing_name", "the label has no class", "category")
    if isinstance(value, str) and not (names and value.isdecimal() and value not in names):
        return value
    number = real(value)
    if number is None or number != int(number) or isinstance(value, bool):
        raise Fault("wrong_type", "the class is neither a name nor a whole number", "category", value)
    place = int(number)
    if not names:
        return str(place)
    if not 0 <= place < len(names):
        message = f"{place} is not the number of one of {len(names)} classes"
        raise Fault("not_a_class", message, "category", value)
    return names[place]


def coco_entry(one: Mapping[str, Any], size: tuple[int, int], extra: Mapping[str, str]) -> dict[str, Any]:
    """An object as COCO has it.

    Args:
        one: The object, under the names of `Columns.parts`.
        size: Width and height of the image that it is drawn on, px.
        extra: The options ``box`` and ``unit``.
    """
    entry: dict[str, Any] = {}
    box = one.get("bbox")
    if isinstance(box, list):
        scale = (*size, *size) if extra.get("unit") == "share" else (1, 1, 1, 1)
        fits = len(box) == 4 and all(type(value) in (int, float) for value in box)
        entry["bbox"] = [value * by for value, by in zip(box, scale, strict=True)] if fits else box
        reading = extra.get("box", "xywh")
        entry = as_xywh(entry, reading) if reading != "xywh" else entry
    elif box is not None:
        entry["bbox"] = box
    rle = one.get("rle")
    if isinstance(rle, str):
        rle = {"size": [size[1], size[0]], "counts": rle}
    shape = rle or one.get("segmentation")
    return entry | ({"segmentation": shape} if shape else {})


@dataclass(slots=True)
class _Taker:
    """Takes the rows of one table; `row` numbers labels and faults in the file."""

    path: str
    columns: Columns
    options: Options
    notes: Notes
    reading: Reading
    row: int = 0

    def refuse(self, fault: Fault, labels: int) -> None:
        self.notes.refuse(fault, self.row, labels=labels)
        self.row += 1

    def take(self, row: Mapping[str, Any], stated: str, catalog: Catalog) -> None:
        """Take one row's labels."""
        fault = None
        try:
            objects = self.columns.objects_of(row)
        except (ValueError, AttributeError) as error:
            objects, fault = [], Fault("broken_row", str(error) or "the objects cannot be read", "objects")
        classes = self.columns.classes_of(row)
        if objects is None and classes is None:
            return
        image = find_image(catalog, self.path, stated)
        count = len(objects or ()) + len(classes or ())
        if isinstance(image, Miss):
            message = f"{image.message}; {counted(count, 'label')} not taken"
            self.refuse(Fault(image.check, message, "image", stated), count)
            return
        if image.path in self.reading.covered:
            message = f"{image.path} is labelled in another place too; the labels of both were taken"
            self.notes.warn(Fault("image_labelled_twice", message, "image", stated))
        refused = int(fault is not None)
        if fault is not None:
            self.refuse(fault, 1)
        stored = self._is_stored(row, image)
        for value in classes or ():
            refused += not self._add_class(image, value)
        for one in objects or ():
            refused += not self._add_object(image, one, stored=stored)
        if refused:
            self.reading.refused.add(image.path)
        if not refused or refused < count:
            self.reading.covered.add(image.path)

    def _is_stored(self, row: Mapping[str, Any], image: ImageRef) -> bool:
        """Whether objects are drawn on the stored image, by the stated size."""
        width = real(row.get("width")) if self.columns.sized else None
        height = real(row.get("height")) if self.columns.sized else None
        if not width or not height:
            return False
        stored, fault = frame_of_stated_size(image, width, height, image.path, "width, height")
        if fault is not None:
            self.notes.warn(fault, self.row)
        return stored

    def _names(self, kind: str) -> Sequence[str]:
        return self.columns.names.get(kind) or self.options.names

    def _add_class(self, image: ImageRef, value: object) -> bool:
        try:
            name = class_name(value, self._names("label"))
        except Fault as fault:
            self.refuse(fault, 1)
            return False
        whole = (0.0, 0.0, float(image.width), float(image.height))
        self._add(Label(image, name, "class", *whole, self.path, self.row))
        return True

    def _add_object(self, image: ImageRef, one: Mapping[str, Any], *, stored: bool) -> bool:
        size = (image.height, image.width) if stored else (image.width, image.height)
        try:
            name = class_name(one.get("name"), self._names("objects"))
            entry = coco_entry(one, size, self.options.extra)
            drawn = read_shape(entry, image, stored=stored, attributes={})
        except Fault as fault:
            self.refuse(fault, 1)
            return False
        label = Label(image, name, drawn.kind, *drawn.box, self.path, self.row, drawn.rings, drawn.counts)
        score = real(one.get("score"))
        self._add(
            label._replace(is_crowd=one.get("crowd") in (True, 1), score=score, attributes=NO_ATTRIBUTES)
        )
        return True

    def _add(self, label: Label) -> None:
        self.reading.labels.append(label)
        self.row += 1
