"""The lines of YOLO's text files: which are rows of a label file, and which files are lists or readmes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tundish.formats.base import ImageRef, parts_of, suffix_of
from tundish.formats.reading.match import find_beside
from tundish.formats.reading.text import decode_text, real

if TYPE_CHECKING:
    from tundish.formats.base import Catalog

__all__ = ["holds_labels", "is_list", "lines_of", "reads_as_label", "reads_as_labels", "rows_of"]

_LISTS = re.compile(
    r"(?:.*[-_])?(?:train|trainval|val|valid|validation|test|testing)\d*(?:[-_].*)?\.txt", re.IGNORECASE
)
_TEXTS = re.compile(r"(?:readme|license|licence|notes?|requirements|changelog)\b.*\.txt", re.IGNORECASE)
_LABEL_FOLDERS = frozenset(
    {"labels", "label", "annotations", "obj_train_data", "obj_valid_data", "obj_test_data"}
)


def is_list(path: str) -> bool:
    """Whether a text file is called as lists of images (train.txt) and readmes are."""
    folder, name, _ = parts_of(path)
    if _TEXTS.fullmatch(name):
        return True
    return bool(_LISTS.fullmatch(name)) and _LABEL_FOLDERS.isdisjoint(folder.lower().split("/"))


def rows_of(data: bytes) -> list[tuple[int, list[str]]]:
    """The rows of a file that are not blank, as tokens, each with its number from 0."""
    text = decode_text(data)[0] if data else ""
    return [(row, tokens) for row, line in enumerate(lines_of(text)) if (tokens := line.split())]


def reads_as_label(tokens: list[str]) -> bool:
    """Whether a row begins with the number of a class, and numbers follow."""
    values = [real(token) for token in tokens]
    return len(values) >= 5 and None not in values and (values[0] or 0) == int(values[0] or 0) >= 0


def reads_as_labels(rows: list[tuple[int, list[str]]]) -> bool:
    """Whether some row is a label's: a class and at least four numbers."""
    return any(len(tokens) >= 5 and all(real(token) is not None for token in tokens) for _, tokens in rows)


def holds_labels(path: str, data: bytes, catalog: Catalog) -> bool:
    """Whether a text file that is called like a list of classes is the label file of a picture.

    Args:
        path: Where it is.
        data: The bytes of the file.
        catalog: The pictures of the source.
    """
    if suffix_of(path) != ".txt" or not all(reads_as_label(tokens) for _, tokens in rows_of(data)):
        return False
    # An empty one says that the picture shows nothing.
    return isinstance(find_beside(catalog, path), ImageRef)


def lines_of(text: str) -> list[str]:
    """Lines that end in whatever way."""
    return (text if "\r" not in text else text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
