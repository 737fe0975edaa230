"""Which columns of a table hold labels, and the names that class numbers have there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Columns", "features_of", "find_columns"]

_OBJECTS = ("objects", "object", "annotations", "annotation", "instances")
_BOXES = ("bbox", "bboxes", "box", "boxes")
_NAMES = (
    *("category", "categories", "category_name", "label", "labels", "class", "classes"),
    *("class_label", "class_name", "name", "category_id", "class_id"),
)
_SIZE = ("width", "height")
_CROWD = ("is_crowd", "iscrowd")

_PLAIN = frozenset(
    {
        *("image_id", "id", "file_name", "source", "path", "group_id", "parent_id", "captured_at", "split"),
        *_SIZE,
    }
)
"""Columns about an image that are never labels and need no mention."""


@dataclass(frozen=True)
class Columns:
    """The columns of labels.

    Attributes:
        objects: The column of objects, '' where there is none, or where its parts are columns themselves.
        parts: The name of each part of an object: ``bbox``, ``name``, ``segmentation``, ``rle``, ``crowd``,
            ``score``.
        label: The column with the classes of the whole image, '' where there is none.
        names: Class names by number, of objects and of whole images; empty where numbers have none.
        sized: Whether columns state the width and height of each image.
        others: Columns that hold no labels.
    """

    objects: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    label: str = ""
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sized: bool = False
    others: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether any column holds labels."""
        return bool(self.parts or self.label)

    def objects_of(self, row: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        """The objects of a row under the names of `parts`; None where the row says nothing of objects.

        Raises:
            ValueError: The parts are lists of different lengths, or no lists.
        """
        if not self.parts:
            return None
        given = row.get(self.objects) if self.objects else row
        if isinstance(given, str):
            given = orjson.loads(given) if given.strip() else None
        if given is None or (not self.objects and row.get(self.parts.get("bbox", "")) is None):
            return None
        if isinstance(given, list):
            return [{key: one.get(name) for key, name in self.parts.items()} for one in given]
        members = {key: given.get(name) for key, name in self.parts.items()}
        lists = {key: value for key, value in members.items() if isinstance(value, list)}
        if any(value is not None for key, value in members.items() if key not in lists):
            raise ValueError("the parts of the objects are not lists")
        lengths = sorted({len(value) for value in lists.values()})
        if len(lengths) > 1:
            raise ValueError(f"the parts of the objects have {' and '.join(map(str, lengths))} entries")
        return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]

    def classes_of(self, row: Mapping[str, Any]) -> list[object] | None:
        """The classes of a row's whole image; None where the row says nothing of them, as -1 does."""
        value = row.get(self.label) if self.label else None
        if value is None or value in ("", -1):
            return None
        return list(value) if isinstance(value, list) else [value]


def features_of(metadata: Mapping[bytes, bytes] | None) -> Mapping[str, Any]:
    """The features that `datasets` writes into a file's schema; none where they are not there."""
    try:
        features = orjson.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def find_columns(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]], features: Mapping[str, Any], taken: str = ""
) -> Columns:
    """Find the columns of labels by their names and by what they hold.

    Args:
        columns: Names of all columns.
        rows: Rows to look at.
        features: What `features_of` gave.
        taken: The column with the name of the image.
    """
    known = {name: _example(rows, name) for name in columns if name != taken}
    objects = next((name for name in _OBJECTS if name in known and _holds_objects(known[name])), "")
    parts: dict[str, str] = {}
    inner: Mapping[str, Any] = features
    if objects:
        inner = _inside(features.get(objects))
        parts = _parts(_members([row.get(objects) for row in rows]))
    elif any(name in known for name in _BOXES):
        parts = _parts([name for name in known if isinstance(known[name], list) or known[name] is None])
    used = {*parts.values()} if not objects else {objects}
    label = _label_column({name: value for name, value in known.items() if name not in used}, features)
    names = {
        "objects": _class_names(inner.get(parts.get("name", ""))),
        "label": _class_names(features.get(label)),
    }
    plain = {*_PLAIN, objects, label, *used}
    return Columns(
        objects,
        parts,
        label,
        {key: value for key, value in names.items() if value},
        all(name in known for name in _SIZE),
        tuple(name for name in known if name not in plain),
    )


def _example(rows: Iterable[Mapping[str, Any]], name: str) -> Any:
    """The first value of a column that says something."""
    values = [row.get(name) for row in rows if row.get(name) is not None]
    return next((value for value in values if value not in ("", [], {})), values[0] if values else None)


def _holds_objects(value: object) -> bool:
    return bool(_parts(_members([value])))


def _members(values: Iterable[object]) -> list[str]:
    """Names of the parts of objects, each a struct of lists, a list of structs, or one of these as JSON."""
    names: dict[str, None] = {}
    for value in values:
        given = value
        if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
            with suppress(orjson.JSONDecodeError):
                given = orjson.loads(value)
        for one in given if isinstance(given, list) else [given]:
            if isinstance(one, dict):
                names |= dict.fromkeys(map(str, one))
    return list(names)


def _parts(names: Sequence[str]) -> dict[str, str]:
    wanted = {"bbox": _BOXES, "name": _NAMES, "segmentation": ("segmentation",), "rle": ("rle",)}
    wanted |= {"crowd": _CROWD, "score": ("score",)}
    found = {key: next((name for name in spelt if name in names), "") for key, spelt in wanted.items()}
    drawn = any(found[key] for key in ("bbox", "segmentation", "rle"))
    return {key: name for key, name in found.items() if name} if drawn else {}


def _label_column(known: Mapping[str, Any], features: Mapping[str, Any]) -> str:
    """The column of classes of whole images: by its name, or the only one whose feature has classes."""
    named = [name for name in _NAMES if name in known and _is_class(known[name])]
    if named:
        return named[0]
    classes = [name for name in known if _class_names(features.get(name))]
    return classes[0] if len(classes) == 1 else ""


def _is_class(value: object) -> bool:
    first = value[0] if isinstance(value, list) and value else value
    return isinstance(first, (str, int)) and not isinstance(first, bool)


def _unwrapped(feature: object) -> object:
    """A feature without the lists around it."""
    while True:
        if isinstance(feature, list) and feature:
            feature = feature[0]
        elif isinstance(feature, dict) and feature.get("_type") in ("Sequence", "List", "LargeList"):
            feature = feature.get("feature")
        else:
            return feature


def _inside(feature: object) -> Mapping[str, Any]:
    found = _unwrapped(feature)
    return found if isinstance(found, dict) else {}


def _class_names(feature: object) -> tuple[str, ...]:
    found = _unwrapped(feature)
    names = found.get("names") if isinstance(found, dict) and found.get("_type") == "ClassLabel" else None
    return tuple(map(str, names)) if isinstance(names, list) else ()
