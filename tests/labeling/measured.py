"""How far an export of the golden corpus is off its truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson
import polars as pl
from tests.labeling.golden import AUTHORS, CLASSES, LATER, Thing, config_of

from tundish.formats.coco.write import write_coco
from tundish.imaging.geometry import mask_of_counts, mask_of_polygon
from tundish.labeling.label_studio.pull import pull
from tundish.recipe.sections import Annotations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.labeling.golden import Box, Case, Mask

    from tundish.labeling.label_studio.client import Client


@dataclass(frozen=True)
class Export:
    """What an export says, each by image_id.

    `images`: how often it lists the image. `named`: how many of these entries have the image_id as a value of
    their own. `states`: what it says of the task.
    """

    images: Mapping[str, int]
    named: Mapping[str, int]
    things: Mapping[str, Sequence[Thing]]
    authors: Mapping[str, set[str]]
    states: Mapping[str, str]


class Measured(NamedTuple):
    """How far an export is off the truth of a case.

    `found`: labels of the right class that touch the true one. `iou`: of the masks, the worst; 0 where a
    label is missing, None where there is none. `error`: largest error of a bound of the labels found, px.
    """

    found: int
    iou: float | None
    error: float | None
    images: int
    named: int
    authors: int
    state: str


def tundish_export(client: Client, title: str, corpus: Sequence[Case], folder: Path) -> Export:
    """Pull, and write as COCO; what has no class is no part of COCO and is read from the table."""
    rows = [(case.image_id, "golden", case.path, *case.size) for case in corpus]
    images = pl.DataFrame(rows, schema=["image_id", "source", "path", "width", "height"], orient="row")
    classes = (*CLASSES, LATER)
    section = Annotations.model_validate({"classes": list(classes)})
    pull(client, {title: config_of(classes)}, images, section, folder)
    labels = pl.read_parquet(folder / "annotations.parquet")
    names = dict(images.select("image_id", "path").iter_rows())
    valid = labels.filter("valid")
    coco = orjson.loads(write_coco(images, valid, classes, file_names=names))
    unnamed = labels.filter(~pl.col("valid")).with_columns(label=pl.lit(""))
    rest = orjson.loads(write_coco(images, unnamed, [""], file_names=names))
    things, more = things_of(coco, corpus), things_of(rest, corpus)
    answers = pl.read_parquet(folder / "answers.parquet")
    states = dict.fromkeys(names, "unanswered") | dict(answers.select("image_id", "answer").iter_rows())
    authors: dict[str, set[str]] = {image_id: set() for image_id in names}
    for image_id, author in answers.select("image_id", "author").iter_rows():
        authors[image_id].add(author)
    every = {image_id: [*things[image_id], *more[image_id]] for image_id in names}
    return Export(*entries_of(coco, corpus), every, authors, states)


def entries_of(coco: dict[str, Any], corpus: Sequence[Case]) -> tuple[Counter[str], Counter[str]]:
    """How many entries each image has, and how many of them say its image_id."""
    entries = [(_image_of(entry, corpus), entry) for entry in coco["images"]]
    named = Counter(image_id for image_id, entry in entries if image_id in entry.values())
    return Counter(image_id for image_id, _ in entries), named


def things_of(coco: dict[str, Any], corpus: Sequence[Case]) -> dict[str, list[Thing]]:
    """The labels of a COCO file by image_id."""
    categories = {one["id"]: one["name"] for one in coco["categories"]}
    images = {entry["id"]: _image_of(entry, corpus) for entry in coco["images"]}
    sizes = {case.image_id: case.size for case in corpus}
    things: dict[str, list[Thing]] = {image_id: [] for image_id in sizes}
    for one in coco["annotations"]:
        image_id = images[one["image_id"]]
        mask = _mask_of(one, *sizes[image_id])
        x, y, width, height = one["bbox"]
        things[image_id].append(Thing(categories[one["category_id"]], mask, (x, y, width, height)))
    return things


def measure(case: Case, export: Export) -> Measured:
    """Compare what an export says of a case with the truth."""
    key = case.image_id
    pairs = list(_matched(case.truth, export.things[key]))
    found = [(truth, other) for truth, other in pairs if other is not None]
    ious = [0.0 if other is None else _iou(truth.mask, other.mask) for truth, other in pairs]
    errors = [_error(truth.box, other.box) for truth, other in found]
    authors = {AUTHORS[said.author] for said in case.answers} & export.authors[key]
    counts = (export.images[key], export.named[key], len(authors))
    return Measured(
        len(found), min(ious, default=None), max(errors, default=None), *counts, export.states[key]
    )


def _image_of(entry: dict[str, Any], corpus: Sequence[Case]) -> str:
    """Whose entry it is: by the image_id anywhere in it, be it in the name of the picture's file."""
    text = orjson.dumps(entry).decode()
    return next(case.image_id for case in corpus if case.image_id in text)


def _mask_of(annotation: dict[str, Any], width: int, height: int) -> Mask:
    shape = annotation["segmentation"]
    if isinstance(shape, dict):
        return mask_of_counts(shape["counts"], width, height)
    x, y, across, down = annotation["bbox"]
    corners = [x, y, x + across, y, x + across, y + down, x, y + down]
    return mask_of_polygon(shape or [corners], width, height)


def _matched(truth: Sequence[Thing], found: Sequence[Thing]) -> Iterator[tuple[Thing, Thing | None]]:
    """Each true label with the one of its class that overlaps it most; each is used once."""
    free = list(enumerate(found))
    for thing in truth:
        rated = [
            (_iou(thing.mask, other.mask), -place, other)
            for place, other in free
            if other.label == thing.label
        ]
        overlap, place, best = max(rated, key=lambda one: one[:2], default=(0.0, 0, None))
        if overlap > 0:
            free = [one for one in free if one[0] != -place]
            yield thing, best
        else:
            yield thing, None


def _iou(first: Mask, second: Mask) -> float:
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 1.0


def _error(truth: Box, found: Box) -> float:
    x, y, width, height = (a - b for a, b in zip(truth, found, strict=True))
    return max(abs(x), abs(y), abs(x + width), abs(y + height))
