"""Convert labels to the regions that Label Studio shows as pre-annotations.

`tundish label push` serves upright pictures of the images' own size, so a region's percentages refer to the
upright image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from tundish.formats.base import Problem
from tundish.formats.label_studio.controls import CONTROLS, IMAGE, Shape
from tundish.formats.label_studio.shapes import (
    Geometry,
    box_value,
    brush_value,
    is_rotated_box,
    polygon_value,
)
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.text import real

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import polars as pl

    from tundish.labeling.label_studio.config import ClassNames

__all__ = ["Proposals", "regions_of", "rename_classes"]

_TYPES = {"box": "rectanglelabels", "polygon": "polygonlabels", "brush": "brushlabels", "choice": "choices"}


class Proposals(NamedTuple):
    """Converted labels.

    Attributes:
        results: The `result` of a prediction, by image_id.
        problems: The labels that could not be converted.
    """

    results: dict[str, list[dict[str, Any]]]
    problems: list[Problem]


def regions_of(
    annotations: pl.DataFrame,
    sizes: Mapping[str, tuple[int, int]],
    shapes: Collection[Shape] = tuple(CONTROLS),
) -> Proposals:
    """Convert labels to results of Label Studio, for pre-annotation.

    A region has the `annotation_id` of its label as id. A polygon of several rings becomes several regions.

    Args:
        annotations: Rows of the annotations table, all of them to be shown.
        sizes: Width and height of the upright images, px, by image_id.
        shapes: The shapes that the project's configuration can draw; a rotated box needs 'box'.
    """
    proposals = Proposals({}, [])
    classes: dict[str, dict[str, Any]] = {}
    for row in annotations.iter_rows(named=True):
        try:
            entries = _entries(row, sizes.get(row["image_id"]), shapes)
        except Fault as fault:
            where = row["label_path"], row["label_row"], fault.check, fault.column, fault.value, fault.message
            proposals.problems.append(Problem(*where, labels=1))
            continue
        for entry in entries:
            if entry["type"] == "choices":
                known = classes.setdefault(row["image_id"], entry)
                if known is not entry:
                    names = known["value"]["choices"]
                    names += [name for name in entry["value"]["choices"] if name not in names]
                    continue
            proposals.results.setdefault(row["image_id"], []).append(entry)
    return proposals


def rename_classes(result: Sequence[dict[str, Any]], names: ClassNames) -> list[dict[str, Any]]:
    """Rename the classes in a result for a project that has them under other names.

    Args:
        result: Entries of a result, under the recipe's class names.
        names: The project's names by control and class; keys by class in an entry's `meta` are renamed too.
    """
    return [_under(entry, names.get(entry["from_name"], {})) for entry in result]


def _under(entry: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    kind = entry["type"]
    value = entry["value"]
    if kind in value:
        value = value | {kind: [names.get(one, one) for one in value[kind]]}
    by_class = {
        key: {names.get(name, name): one for name, one in values.items()}
        for key, values in entry.get("meta", {}).items()
        if isinstance(values, dict)
    }
    return entry | {"value": value} | ({"meta": entry["meta"] | by_class} if by_class else {})


def _entries(
    row: Mapping[str, Any], size: tuple[int, int] | None, shapes: Collection[Shape]
) -> list[dict[str, Any]]:
    """The entries of a result for one row of the annotations table."""
    if size is None:
        raise Fault(
            "unknown_image", "the size of the label's image is not known", "image_id", row["image_id"]
        )
    if row["label"] is None:
        raise Fault("unknown_class", "the label's class is not in the recipe", "raw_label", row["raw_label"])
    width, height = size
    entries = []
    for part, (shape, value) in enumerate(_values(row, width, height)):
        if shape not in shapes:
            raise Fault("no_control", f"the project has no control that draws a {shape}", "shape", shape)
        control = CONTROLS[shape]
        kind = _TYPES[control]
        entry = {
            "id": row["annotation_id"] if part == 0 else f"{row['annotation_id']}-{part}",
            "from_name": control,
            "to_name": IMAGE,
            "type": kind,
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "value": {**value, kind: [row["label"]]},
        }
        entries.append(entry if row["score"] is None else {**entry, "score": row["score"]})
    return entries


def _values(row: Mapping[str, Any], width: int, height: int) -> Iterator[tuple[Shape, dict[str, Any]]]:
    """Shape of the control, and `value`, of each region that shows a row."""
    box = (row["x"], row["y"], row["width"], row["height"])
    rings = row["segmentation"]
    if row["shape"] == "class":
        yield "class", {}
    elif row["shape"] == "mask":
        yield "mask", brush_value(row["rle"] or "", width, height)
    elif is_rotated_box(drawn := Geometry(row["shape"], box, rings, rotation=_rotation(row)), width, height):
        assert drawn.rotation is not None
        yield "box", box_value(drawn.rotation[1], drawn.rotation[0], width, height)
    elif row["shape"] == "box":
        yield "box", box_value(box, 0, width, height)
    elif not rings:
        raise Fault("broken_polygon", "the polygon has no ring", "segmentation")
    else:
        for ring in rings:
            yield "polygon", polygon_value(ring, width, height)


def _rotation(row: Mapping[str, Any]) -> tuple[float, tuple[float, float, float, float]] | None:
    if '"rotation"' not in (row["attributes"] or ""):
        return None
    attributes = orjson.loads(row["attributes"])
    box = attributes.get("box")
    numbers = [real(number) for number in (attributes["rotation"], *(box if isinstance(box, list) else ()))]
    match numbers:
        case [float() as degrees, float() as x, float() as y, float() as width, float() as height]:
            return degrees, (x, y, width, height)
    return None
