"""The class names of a YOLO source: data.yaml, obj.names, classes.txt, and which of them a label file means.

A label file is read with the list in its own folder or the nearest one above it; within a folder a data.yaml
comes before ``*.names``, and that before ``classes.txt``. Empty lists are passed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from tundish.formats.base import Problem, parts_of, suffix_of
from tundish.formats.reading.fault import shown
from tundish.formats.reading.text import decode_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["ClassNames", "NameList", "is_classes_file"]

_LISTS = frozenset(
    {"classes.txt", "labels.txt", "names.txt", "class_names.txt", "predefined_classes.txt", "_darknet.labels"}
)
_SUFFIXES = {".yaml": 0, ".yml": 0, ".names": 1, ".data": 3}
_LIST_RANK = 2


def is_classes_file(path: str) -> bool:
    """Whether a file names the classes, by its path: it may lie among the label files."""
    return parts_of(path)[1].lower() in _LISTS or suffix_of(path) in _SUFFIXES


@dataclass(frozen=True)
class NameList:
    """Class names by number, from one file. `key_point_shape` is a data.yaml's ``kpt_shape``."""

    path: str
    names: tuple[str, ...]
    key_point_shape: tuple[int, int] | None = None

    @property
    def rank(self) -> int:
        """Which of several lists in a folder counts: the lowest."""
        return _SUFFIXES.get(suffix_of(self.path), _LIST_RANK)


class ClassNames:
    """The class lists of a source; `stated` names (the recipe's) come before all of them."""

    def __init__(
        self, files: Iterable[tuple[str, bytes]], stated: Sequence[str], problems: list[Problem]
    ) -> None:
        self._stated = NameList("the recipe", tuple(stated)) if stated else None
        self._problems = problems
        self._told: set[tuple[str, str]] = set()
        self._by_folder: dict[str, list[NameList]] = {}
        self._nearest: dict[str, NameList | None] = {}
        for path, data in files:
            found = _read_list(path, data, problems)
            if found is not None and found.names:
                self._by_folder.setdefault(parts_of(path)[0], []).append(found)
        for lists in self._by_folder.values():
            lists.sort(key=lambda found: (found.rank, found.path))

    @property
    def lists(self) -> list[NameList]:
        """All lists that name a class, by path."""
        return sorted(
            (found for lists in self._by_folder.values() for found in lists), key=lambda it: it.path
        )

    def of(self, label_path: str) -> NameList | None:
        """The list for a label file, or None where there is none, or several that fit."""
        folder = parts_of(label_path)[0]
        if folder not in self._nearest:
            self._nearest[folder] = self._find(folder)
        return self._nearest[folder]

    def _find(self, folder: str) -> NameList | None:
        above = [found for place in _upwards(folder) for found in self._by_folder.get(place, ())]
        shape = next((found.key_point_shape for found in above if found.key_point_shape), None)
        if self._stated is not None:
            return NameList(self._stated.path, self._stated.names, shape)
        if not above:
            # A list beside the labels' own folder tree, as in lists/obj.names; only if there is no doubt.
            return self.lists[0] if len({found.names for found in self.lists}) == 1 else None
        chosen = above[0]
        for other in above[1:]:
            if other.names != chosen.names and (chosen.path, other.path) not in self._told:
                self._told.add((chosen.path, other.path))
                message = (
                    f"the class names differ from those of {chosen.path}, which were taken as the nearer"
                )
                value = ", ".join(other.names)[:200]
                self._problems.append(
                    Problem(other.path, None, "classes_disagree", "names", value, message, "warning")
                )
        return NameList(chosen.path, chosen.names, shape)


def _upwards(folder: str) -> Iterable[str]:
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


def _read_list(path: str, data: bytes, problems: list[Problem]) -> NameList | None:
    text, encoding = decode_text(data)
    if suffix_of(path) == ".data":
        return None  # it only says where obj.names lies
    if encoding in ("gb18030", "latin-1"):
        message = f"the class names are not UTF-8; they were read as {encoding}"
        problems.append(Problem(path, None, "not_utf8", "names", encoding, message, "warning"))
    if suffix_of(path) in (".yaml", ".yml"):
        return _read_yaml(path, text, problems)
    names = [line.strip() for line in text.replace("\r", "\n" if "\n" not in text else "").split("\n")]
    while names and not names[-1]:
        names.pop()
    if not names:
        problems.append(
            Problem(path, None, "empty_classes", "names", "", "the list of classes is empty", "warning")
        )
    return NameList(path, tuple(names))


class _AsWritten(yaml.BaseLoader):
    """Makes texts of all values; a bare ~ says that there is none, and '~' is a text."""

    def construct_scalar(self, node: yaml.ScalarNode) -> str:
        bare = node.style is None and node.value == "~"
        return "" if bare else str(super().construct_scalar(node))


def _read_yaml(path: str, text: str, problems: list[Problem]) -> NameList | None:
    """A data.yaml; other YAML files, which say nothing of names, are passed over."""
    try:
        # Every value stays the text that was written: 02146, no and 12:30 are names, not 1126, False and 750.
        # And not the loader in C: deep nesting makes it crash.
        content = yaml.load(text, Loader=_AsWritten)  # noqa: S506  (makes texts, lists and dicts only)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        message = f"not readable as YAML: {' '.join(str(error).split())[:200]}"
        problems.append(Problem(path, None, "broken_file", "", "", message))
        return None
    if not isinstance(content, dict) or "names" not in content:
        return None
    names = _names_of(content["names"])
    if names is None:
        value = shown(content["names"])
        message = "'names' is neither a list nor a dictionary by number from 0"
        problems.append(Problem(path, None, "wrong_type", "names", value, message))
        return None
    count = _whole(content.get("nc"))
    if count is not None and count != len(names):
        message = f"nc is {count} but there are {len(names)} names"
        problems.append(Problem(path, None, "class_count", "nc", str(count), message, "warning"))
    return NameList(path, names, _shape_of(content.get("kpt_shape")))


def _names_of(names: object) -> tuple[str, ...] | None:
    if isinstance(names, dict):
        numbers = [_whole(key) for key in names]
        if any(number is None or number >= 100_000 for number in numbers):
            return None
        by_number = dict(zip(numbers, names.values(), strict=True))
        names = [by_number.get(number, "") for number in range(max(map(int, names), default=-1) + 1)]
    if not isinstance(names, list) or any(isinstance(name, (dict, list)) for name in names):
        return None
    return tuple(str(name).strip() for name in names)


def _whole(text: object) -> int | None:
    """A whole number from 0 on that is written in digits alone."""
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 10 else None


def _shape_of(shape: object) -> tuple[int, int] | None:
    if isinstance(shape, list) and len(shape) == 2:
        count, size = map(_whole, shape)
        if count and size in (2, 3):
            return count, size
    return None
