"""Sort the result of one Label Studio annotation into regions and answers about the whole image.

One region may be spread over several entries with the same id: its shape, its labels, and answers about this
region. Each of them repeats the geometry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from tundish.formats.label_studio.controls import CONTROLS, SEVERITY
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.text import real

if TYPE_CHECKING:
    from tundish.formats.label_studio.shapes import Kind

__all__ = ["DrawnRegion", "ImageClass", "Results", "sort_results"]

Origin = Literal["manual", "prediction", "prediction-changed"]

_DRAWN = ("rectangle", "polygon", "brush", "ellipse")
_GEOMETRY = {"rectangle": ("x", "y", "width", "height", "rotation"), "polygon": ("points", "closed")}
_GEOMETRY |= {"brush": ("format", "rle"), "ellipse": ("x", "y", "radiusX", "radiusY", "rotation")}
_ABOUT_THE_IMAGE = frozenset(
    {"choices", "textarea", "rating", "number", "taxonomy", "datetime", "pairwise", "ranker"}
)
_USUAL = frozenset(
    {"id", "type", "value", "from_name", "to_name", "original_width", "original_height", "origin", "score"}
)
_NAMES = frozenset(CONTROLS.values())


@dataclass(slots=True)
class DrawnRegion:
    """One region of an annotation, before its geometry is read.

    Attributes:
        row: Position in the result, from 0.
        id: The region's id in Label Studio.
        kind: The kind; it may be one that cannot be read here ('keypoint', 'vector', ...).
        value: The entry's `value`, with the geometry.
        size: Width and height of the picture that was shown, px; None where not given.
        origin: Whether it was drawn by hand, kept as predicted, or predicted and changed.
        score: Confidence of the model that predicted it, 0 to 1.
        labels: The names of its labels.
        attributes: Everything else about it, for the annotations table.
    """

    row: int
    id: str | None
    kind: str
    value: dict[str, Any]
    size: tuple[object, object]
    origin: Origin
    score: float | None
    labels: list[str] = field(default_factory=list)
    attributes: dict[str, object] = field(default_factory=dict)

    @property
    def readable_kind(self) -> Kind | None:
        """The kind, where its geometry can be read; else None."""
        return cast("Kind", self.kind) if self.kind in _DRAWN else None


class ImageClass(NamedTuple):
    """A class of the whole image, its position in the result (from 0), and its entry's `meta`."""

    row: int
    id: str | None
    label: str
    origin: Origin
    meta: object = None


@dataclass(slots=True)
class Results:
    """The content of one annotation.

    Attributes:
        regions: The regions drawn.
        choices: The classes of the whole image.
        severity: The severity of the image, None where it was not answered.
        notes: Answers of other controls about the whole image, by control.
        faults: Faults of single entries: position in the result, fault, labels lost by it.
    """

    regions: list[DrawnRegion] = field(default_factory=list)
    choices: list[ImageClass] = field(default_factory=list)
    severity: str | None = None
    notes: dict[str, object] = field(default_factory=dict)
    faults: list[tuple[int, Fault, int]] = field(default_factory=list)


def sort_results(entries: list[Any]) -> Results:
    """Sort the entries of an annotation's `result`; entries that cannot be read become faults."""
    results = Results()
    by_id: dict[str, DrawnRegion] = {}
    answers: list[tuple[int, dict[str, Any]]] = []
    for row, entry in enumerate(entries):
        kind = entry.get("type") if isinstance(entry, dict) else None
        if kind == "relation":
            message = "relations between regions are not supported"
            results.faults.append((row, Fault("relation", message, "type", entry.get("from_id")), 0))
        elif not isinstance(kind, str) or not isinstance(entry.get("value"), dict):
            message = "the entry has no type, or no value"
            results.faults.append((row, Fault("broken_region", message, "type", entry), 1))
        elif kind in _ABOUT_THE_IMAGE:
            answers.append((row, entry))
        else:
            _add_region(results, by_id, row, entry)
    for row, entry in answers:
        region = by_id.get(str(entry.get("id")))
        if region is not None:
            region.attributes[str(entry.get("from_name"))] = entry["value"].get(entry["type"])
        else:
            _add_answer(results, row, entry)
    return results


def _add_region(results: Results, by_id: dict[str, DrawnRegion], row: int, entry: dict[str, Any]) -> None:
    value, kind = entry["value"], _kind(entry["type"], entry["value"])
    identity = str(entry["id"]) if entry.get("id") is not None else None
    known = by_id.get(identity) if identity is not None else None
    if known is None:
        region = _region(row, identity, kind, entry)
    elif _same_place(known, kind, value):
        region = known
    else:
        message = "two regions have the same id"
        results.faults.append((row, Fault("repeated_id", message, "id", identity), 0))
        region = _region(row, f"{identity}#{row}", kind, entry)
    if region is not known:
        results.regions.append(region)
        by_id.setdefault(region.id or f"#{row}", region)
    for name in (entry["type"], "labels"):
        given = value.get(name)
        for label in given if isinstance(given, list) else [given] if isinstance(given, str) else []:
            text = label if isinstance(label, str) else str(label)
            if name.endswith("labels") and text not in region.labels:
                region.labels.append(text)


def _region(row: int, identity: str | None, kind: str, entry: dict[str, Any]) -> DrawnRegion:
    size = entry.get("original_width"), entry.get("original_height")
    score = real(entry.get("score"))
    region = DrawnRegion(row, identity, kind, entry["value"], size, _origin(entry), score)
    usual = {*_GEOMETRY.get(kind, ()), entry["type"], "labels"}
    more = {key: value for key, value in entry["value"].items() if key not in usual}
    more |= {key: value for key, value in entry.items() if key not in _USUAL}
    if not more.get("image_rotation"):
        more.pop("image_rotation", None)
    if entry["value"].get("closed") is False:
        more["closed"] = False
    if entry.get("from_name") not in _NAMES:
        more["control"] = entry.get("from_name")
    region.attributes |= {"region": identity, "origin": entry.get("origin"), **more}
    return region


def _origin(entry: dict[str, Any]) -> Origin:
    return entry["origin"] if entry.get("origin") in ("prediction", "prediction-changed") else "manual"


def _kind(name: str, value: dict[str, Any]) -> str:
    """The kind of a region; entries of type 'labels' show it by their geometry only."""
    kind = name.removesuffix("labels")
    if kind:
        return kind
    if "points" in value:
        return "polygon"
    if "rle" in value:
        return "brush"
    if "radiusX" in value:
        return "ellipse"
    return "rectangle" if {"x", "y", "width", "height"} <= value.keys() else "labels"


def _same_place(region: DrawnRegion, kind: str, value: dict[str, Any]) -> bool:
    """Whether another entry with a region's id belongs to it: it repeats the geometry, or has none."""
    keys = _GEOMETRY.get(region.kind, ())
    if kind == "labels" or not any(key in value for key in keys):
        return True
    return all(value.get(key) == region.value.get(key) for key in keys if key in value)


def _add_answer(results: Results, row: int, entry: dict[str, Any]) -> None:
    """Add an answer about the whole image: classes, its severity, or a note."""
    control, answer = str(entry.get("from_name")), entry["value"].get(entry["type"])
    if entry["type"] != "choices":
        results.notes[control] = answer
        return
    names = answer if isinstance(answer, list) else []
    # A nested choice is the list of the names that lead to it.
    texts = ["/".join(map(str, name)) if isinstance(name, list) else str(name) for name in names]
    if control == SEVERITY:
        results.severity = "; ".join(texts) or None
        return
    identity = str(entry["id"]) if entry.get("id") is not None else None
    about = _origin(entry), entry.get("meta")
    results.choices += [ImageClass(row, identity, text, *about) for text in dict.fromkeys(texts)]
