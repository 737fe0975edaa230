"""The split that images came with: by folders, by lists of images, by a column of a table."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from tundish.formats.base import ImageRef, parts_of, plain_folder, suffix_of
from tundish.formats.csv.names import IMAGE_NAMES
from tundish.formats.csv.table import Table, image_column, plain
from tundish.formats.reading.match import find_named, stated_split
from tundish.formats.reading.text import decode_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.formats.base import Catalog

__all__ = ["HELD_OUT", "GivenSplits", "folder_splits", "folder_without_splits", "list_split", "split_column"]

HELD_OUT = ("test", "val", "train")
"""The splits, the most held-out first: what is in several counts for the first of them."""

_LISTS = frozenset({".txt", ".lst", ".json"})
_COLUMNS = frozenset({"split", "set", "subset", "partition", "usage", "fold", "数据集", "划分"})
_SHARD = re.compile(r"-\d{5}-of-\d{5}(?:-[0-9a-f]+)?[.](?:parquet|pq)$|[.](?:parquet|pq)$", re.IGNORECASE)
"""The end of the name of a Parquet file with pictures, which are entries below it."""

_KNOWN = 0.9
"""Share of the values of a column of splits that must name one."""


def folder_splits(path: str) -> list[str]:
    """The splits that the folders of an image state by their whole names, the outermost first."""
    stated = (stated_split(_SHARD.sub("", part)) for part in parts_of(path)[0].split("/"))
    return [split for split in stated if split]


def folder_without_splits(path: str) -> str:
    """The folder of an image without what only says its split or that images are in it: a camera, a class."""
    parts = parts_of(path)[0].split("/")
    return "/".join(part for part in parts if plain_folder(part) and not stated_split(_SHARD.sub("", part)))


def list_split(path: str) -> str:
    """The split whose images a file may list, by its name: ``train.txt``, ``instances_val2017.json``."""
    return stated_split(parts_of(path)[2]) if suffix_of(path) in _LISTS else ""


def split_column(table: Table) -> str | None:
    """The name of the column that states the split of each row; None where there is none."""
    for number, name in enumerate(table.names):
        if plain(name) not in _COLUMNS:
            continue
        values = table.column(number)
        known = [split for value in values if (split := stated_split(value))]
        if len(set(known)) > 1 and len(known) >= _KNOWN * len(values):
            return name
    return None


@dataclass
class GivenSplits:
    """The splits that files state for images, gathered file by file.

    Attributes:
        catalog: The images.
        splits: By the path of an image, the split that counts.
        several: Paths of images for which lists or tables state several splits, with those.
        unknown: By the path of a list or table, names in it that are not those of images here.
    """

    catalog: Catalog
    splits: dict[str, str] = field(default_factory=dict)
    several: dict[str, set[str]] = field(default_factory=dict)
    unknown: dict[str, list[str]] = field(default_factory=dict)

    def take_folders(self) -> None:
        """Take what the folders of the images say.

        Of folders inside each other the outermost counts, as an export has images/test/ around the paths that
        its images came with; where all of these are one split, such as that of test_data/, the nearest does.
        """
        stated = {image.path: folder_splits(image.path) for image in self.catalog.images}
        outermost = len({splits[0] for splits in stated.values() if splits}) > 1
        for path, splits in stated.items():
            if splits:
                self._take(path, splits[0 if outermost else -1])

    def take_list(self, path: str, data: bytes, split: str) -> int:
        """Take a file that lists the images of one split; returns how many of them are here."""
        found = 0
        for names in _listed(path, data):
            image = self._image(path, names)
            if image is not None:
                self._take(image.path, split)
                found += 1
        return found

    def take_table(self, table: Table, column: str) -> int:
        """Take a table with a column of splits; returns how many of its images are here."""
        number, found = image_column(table, self.catalog, IMAGE_NAMES)[0], 0
        if number is None or column not in table.names:
            return 0
        where = table.names.index(column)
        for row in table.rows:
            split = stated_split(row.field(where))
            image = self._image(table.path, (row.field(number),)) if split else None
            if image is not None:
                self._take(image.path, split)
                found += 1
        return found

    def _image(self, path: str, names: tuple[str, ...]) -> ImageRef | None:
        for name in names:
            image = find_named(self.catalog, path, name)
            if isinstance(image, ImageRef):
                return image
        self.unknown.setdefault(path, []).append(names[0])
        return None

    def _take(self, path: str, split: str) -> None:
        before = self.splits.setdefault(path, split)
        if before != split:
            self.several.setdefault(path, {before}).add(split)
            self.splits[path] = min(before, split, key=HELD_OUT.index)


def _listed(path: str, data: bytes) -> Iterator[tuple[str, ...]]:
    """The names in a list, each with the ways to read its line: the line as a whole, and its first word."""
    if suffix_of(path) == ".json":
        yield from _of_coco(data)
        return
    for line in decode_text(data)[0].splitlines():
        text = line.strip().strip("\"'")
        if text and not text.startswith("#"):
            first = text.replace(",", " ").replace(";", " ").split()[0]
            yield (text,) if first == text else (text, first)


def _of_coco(data: bytes) -> Iterator[tuple[str, ...]]:
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError:
        return
    images = content.get("images") if isinstance(content, dict) else None
    for image in images if isinstance(images, list) else ():
        name = image.get("file_name") if isinstance(image, dict) else None
        if isinstance(name, str) and name:
            yield (name,)
