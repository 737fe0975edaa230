"""Hugging Face's imagefolder, and the reader of Parquet: tables with a row an image."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tundish.formats.base import Evidence, Format, Options, Reading, parts_of, suffix_of
from tundish.formats.coco.boxes import BoxDoubt, doubt_of_boxes
from tundish.formats.huggingface.rows import class_name, find_image, read_table
from tundish.formats.huggingface.tables import open_table
from tundish.formats.reading.collector import collector_paused
from tundish.formats.reading.fault import Fault, Notes
from tundish.formats.reading.match import Miss
from tundish.formats.reading.roles import role_of_labels
from tundish.formats.reading.sniffing import (
    catalog_of,
    counted,
    is_image,
    read_note,
    sample,
    unlabelled_note,
)
from tundish.formats.reading.text import real
from tundish.imaging.files.bad import BadImage
from tundish.imaging.files.header import read_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tundish.formats.base import Catalog, Listing, Role
    from tundish.formats.huggingface.tables import LabelTable

__all__ = ["FORMAT", "OPTIONS", "PARQUET", "RowReader"]

OPTIONS = {
    "files": "which label files, as patterns separated by ';'",
    "box": "what a box holds: `xywh` (default), `corners` or `yxhw`",
    "unit": "'share' where boxes are shares of the image's width and height instead of px",
}
_METADATA = ("metadata.jsonl", "metadata.csv", "metadata.parquet")
_SIZED = 200
"""Pictures whose size is looked up where the table does not state it."""

_MOST_NAMES = 20


@dataclass(frozen=True)
class RowReader:
    """Reads tables with a row an image.

    Attributes:
        title: What it is, for people.
        names: Names of label files; any, where there are none.
        suffixes: Suffixes of label files.
    """

    title: str
    names: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()

    def _is_table(self, path: str) -> bool:
        if self.names:
            return parts_of(path)[1].lower() in self.names
        return suffix_of(path) in self.suffixes

    def role(self, path: str, options: Options) -> Role:
        """Label files by their name or suffix, and by the option ``files``."""
        if self._is_table(path):
            return role_of_labels(path, options)
        return "image" if is_image(path) else "other"

    def read(self, files: Iterable[tuple[str, bytes]], catalog: Catalog, options: Options) -> Reading:
        """Read tables; a bad row costs itself, a bad file its labels."""
        reading = Reading()
        for path, data in files:
            with collector_paused():
                try:
                    read_table(path, open_table(path, data), catalog, options, reading)
                except Fault as fault:
                    Notes(path, reading).refuse(fault)
        return reading

    def sniff(self, listing: Listing) -> Evidence | None:
        """Tables with columns of labels, and how many of the images they name are here."""
        paths = [path for path in listing.paths if self._is_table(path)]
        if not paths:
            return None
        images = [path for path in listing.paths if is_image(path)]
        look = _Look(catalog_of(images), listing)
        chosen = sample(paths)
        for path in chosen:
            try:
                with collector_paused():
                    look.take(path, open_table(path, listing.read(path)))
            except Fault as fault:
                look.unread.append(f"{path} is not read as labels: {fault.message}")
        if not look.files:
            return None
        weight = len(look.matched) * len(paths) // len(chosen)
        extra = look.options()
        facts = [*look.facts(self.title), *unlabelled_note(len(images), weight)]
        facts += read_note(len(chosen), len(paths), "tables")
        if len(look.files) < len(paths) == len(chosen) and len(look.files) <= _MOST_NAMES:
            extra["files"] = ";".join(look.files)
        return Evidence(weight, facts, list(look.names), extra=extra)


@dataclass
class _Look:
    """What is counted in tables."""

    catalog: Catalog
    listing: Listing
    files: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    matched: set[str] = field(default_factory=set)
    names: dict[str, None] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    doubt: BoxDoubt = field(default_factory=BoxDoubt)
    rows: int = 0
    empty: int = 0
    numbers: bool = False
    shares: int = 0
    boxes: int = 0
    derived: int = 0
    others: dict[str, None] = field(default_factory=dict)
    pictures: dict[str, None] = field(default_factory=dict)

    def take(self, path: str, table: LabelTable) -> None:
        """Count what a table holds."""
        self.files.append(path)
        columns = table.columns
        self.names |= dict.fromkeys(name for names in columns.names.values() for name in names)
        self.others |= dict.fromkeys(columns.others)
        self.pictures |= dict.fromkeys(table.unread)
        self.derived += table.derived
        content: dict[str, Any] = {"images": [], "annotations": []}
        for row, stated in zip(table.rows, table.stated, strict=True):
            if isinstance(row, Fault):
                self.kinds["row that cannot be read"] += 1
                continue
            self._row(path, row, stated, table, content)
        self.doubt = BoxDoubt.summed([self.doubt, doubt_of_boxes(content)])

    def _row(
        self, path: str, row: Mapping[str, Any], stated: str, table: LabelTable, content: dict[str, Any]
    ) -> None:
        columns = table.columns
        try:
            objects = columns.objects_of(row)
        except (ValueError, AttributeError):
            objects = []
        classes = columns.classes_of(row)
        self.rows += 1
        if objects is None and classes is None:
            return
        self.empty += not objects and not classes
        image = find_image(self.catalog, path, stated)
        if not isinstance(image, Miss):
            self.matched.add(image.path)
        for value in classes or ():
            self._name(value, columns.names.get("label", ()))
            self.kinds["class"] += 1
        number = len(content["images"])
        if objects and not isinstance(image, Miss) and (size := self._size(row, image.path, number)):
            content["images"].append({"id": number, "width": size[0], "height": size[1]})
        for one in objects or ():
            self._name(one.get("name"), columns.names.get("objects", ()))
            self.kinds["mask" if one.get("rle") else "polygon" if one.get("segmentation") else "box"] += 1
            box = one.get("bbox")
            content["annotations"].append({"image_id": number, "bbox": box})
            numbers = [real(value) for value in box] if isinstance(box, list) else []
            self.boxes += 1
            self.shares += bool(numbers) and all(value is not None and 0 <= value <= 1 for value in numbers)

    def _size(self, row: Mapping[str, Any], path: str, looked: int) -> tuple[float, float] | None:
        width, height = real(row.get("width")), real(row.get("height"))
        if width and height:
            return width, height
        if looked >= _SIZED:
            return None
        try:
            header = read_header(self.listing.read(path))
        except BadImage:
            return None
        turned = header.orientation >= 5
        return (header.height, header.width) if turned else (header.width, header.height)

    def _name(self, value: object, names: tuple[str, ...] | Any) -> None:
        self.numbers |= not names and type(value) in (int, float)
        try:
            self.names.setdefault(class_name(value, names))
        except Fault:
            return

    def options(self) -> dict[str, str]:
        """What the boxes show themselves to be."""
        if self.boxes and self.shares == self.boxes:
            return {"unit": "share"}
        reading = self.doubt.reading()
        return {"box": reading} if reading != "xywh" else {}

    def facts(self, title: str) -> list[str]:
        """Sentences on what was counted."""
        where = self.files[0] if len(self.files) == 1 else f"{len(self.files)} tables"
        facts = [f"{len(self.matched)} of {counted(self.rows, 'image')} named in {where} of {title} are here"]
        if self.kinds:
            kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds.most_common())
            facts.append(
                f"{counted(self.kinds.total(), 'label')} of {counted(len(self.names), 'class')}: {kinds}"
            )
        if self.empty:
            facts.append(f"{counted(self.empty, 'image')} without a label: negatives")
        if "unit" in self.options():
            facts.append(f"all {self.boxes} boxes lie between 0 and 1: read as shares of the image")
        elif self.doubt.fact():
            facts.append(self.doubt.fact())
        if self.numbers:
            facts.append("classes are numbers without names: give them names in the source's 'names'")
        if self.derived:
            facts.append(f"{counted(self.derived, 'image')} made from others (parent_id)")
        if self.pictures:
            facts.append(f"further columns of pictures are not read: {', '.join(self.pictures)}")
        if self.others:
            facts.append(f"columns that hold no labels are not read: {', '.join(list(self.others)[:12])}")
        return facts + self.unread


PARQUET = RowReader("Parquet", suffixes=(".parquet", ".pq"))
"""Parquet of Tundish and of Hugging Face; the pictures in it are entries of the source."""

FORMAT = Format(
    "imagefolder",
    "Hugging Face imagefolder: pictures with metadata.jsonl, metadata.csv or metadata.parquet",
    reader=RowReader("imagefolder", names=_METADATA),
    options=OPTIONS,
    evidence="metadata.jsonl, metadata.csv or metadata.parquet whose rows name the pictures beside it",
    reads="boxes, polygons, run lengths, classes of the whole image",
    reports="columns that hold no labels, further columns of pictures",
)
