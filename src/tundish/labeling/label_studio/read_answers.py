"""Read answers: Label Studio's tasks become labels, in pixels of the upright image, and rows of answers.

Regions are in percent of the picture that the browser shows. `tundish label push` serves upright pictures of
the image's own size, so the frames agree. Browsers apply the EXIF orientation themselves, so the frame is
upright in a project made by hand too. A region that was drawn on a picture of another size is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import field as made
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import polars as pl

from tundish.formats.base import ImageRef, Label, Problem, Reading
from tundish.formats.frames import labels_to_frame
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.text import real
from tundish.imaging.geometry import box_of_polygon
from tundish.labeling.label_studio.regions.read import Results, sort_results
from tundish.labeling.label_studio.regions.shapes import clip_to_picture, read_value
from tundish.labeling.tables import ADJUDICATOR, ANSWERS
from tundish.recipe.classes import normalise
from tundish.recipe.labelling import ADJUDICATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tundish.labeling.label_studio.regions.read import DrawnRegion, ImageClass
    from tundish.labeling.label_studio.regions.shapes import Geometry
    from tundish.recipe.sections import Annotations

__all__ = ["ReadAnswers", "read_tasks"]


_ROUNDING = 1e-6
"""px; extending beyond the image by less is floating-point rounding and not reported."""

_PART = re.compile(r"([0-9a-f]{32})(?:-(\d{1,6}))?")
"""Id of a region that was pushed; of a polygon of several rings, each ring but the first adds its number."""


class ReadAnswers(NamedTuple):
    """What was read from tasks; drafts (answers that were not submitted) are not read.

    Attributes:
        annotations: Labels, with the columns and types of the annotations table. Labels of an unknown class
            and regions without a label are rows that are not valid.
        answers: Rows of `ANSWERS`.
        problems: Problems of regions and answers, also of those that could not be read.
    """

    annotations: pl.DataFrame
    answers: pl.DataFrame
    problems: list[Problem]


def read_tasks(
    tasks: Iterable[object],
    images: pl.DataFrame,
    section: Annotations,
) -> ReadAnswers:
    """Read labels and answers from Label Studio's tasks.

    Predictions are not read: they are what was pushed. An `annotation_id` follows from the ids of image,
    annotation and region, so it is the same at every pull; `label_path` and `label_row` say where on the
    server a label is.

    Args:
        tasks: Tasks with their annotations as in the server's JSON export; `data.image_id` names the image.
        images: image_id, source, path, width, height (px, upright), one row an image.
        section: The recipe's section, for the classes.
    """
    columns = images.select("image_id", "source", "path", "width", "height").drop_nulls()
    catalog = {
        image_id: (source, ImageRef(path, image_id, width, height))
        for image_id, source, path, width, height in columns.iter_rows()
    }
    reader = _Reader(section.lookup(), catalog)
    for task in tasks:
        reader.add(task)
    return reader.finish()


@dataclass(slots=True)
class _Reader:
    """Collects labels, answers and problems; `named`: annotation_id, source and class of each label."""

    lookup: Mapping[str, str]
    images: Mapping[str, tuple[str, ImageRef]]
    labels: list[Label] = made(default_factory=list)
    named: list[tuple[str, str, str | None]] = made(default_factory=list)
    answers: list[dict[str, object]] = made(default_factory=list)
    problems: list[Problem] = made(default_factory=list)

    def add(self, task: object) -> None:
        """Read one task."""
        if not isinstance(task, dict):
            self.refuse("task", None, Fault("broken_task", "the task is not a JSON object", "", task), 0)
            return
        place, data = f"task-{task.get('id')}", task.get("data")
        image_id = data.get("image_id") if isinstance(data, dict) else None
        known = self.images.get(image_id) if isinstance(image_id, str) else None
        annotations = task.get("annotations", task.get("completions")) or []
        for annotation in annotations if isinstance(annotations, list) else [annotations]:
            entries = (annotation.get("result") or []) if isinstance(annotation, dict) else None
            if not isinstance(entries, list):
                message = "the annotation is not a JSON object with a list of results"
                self.refuse(place, None, Fault("broken_answer", message, "result", annotation), 1)
            elif known is None:
                message = "the task names no image of this dataset"
                self.refuse(place, None, Fault("unknown_image", message, "image_id", image_id), len(entries))
            else:
                self._answer(place, task, known, annotation, sort_results(entries))

    def refuse(self, where: str, row: int | None, fault: Fault, lost: int, *, warning: bool = False) -> None:
        """Record a problem, with the number of labels lost by it."""
        about = where, row, fault.check, fault.column, fault.value, fault.message
        self.problems.append(Problem(*about, "warning" if warning else "error", lost))

    def finish(self) -> ReadAnswers:
        """Build the frames."""
        frame = labels_to_frame(Reading(labels=self.labels), "")
        columns = zip(*self.named, strict=True) if self.named else ((),) * 3
        names = ("annotation_id", "source", "label")
        series = [
            pl.Series(name, list(values), pl.String) for name, values in zip(names, columns, strict=True)
        ]
        # A prediction that an annotator kept is the annotator's label; its attributes record its origin.
        annotations = frame.with_columns(*series, origin=pl.lit("annotator"), valid=series[2].is_not_null())
        return ReadAnswers(annotations, ANSWERS.frame(self.answers), self.problems)

    def _answer(
        self,
        place: str,
        task: Mapping[str, Any],
        known: tuple[str, ImageRef],
        annotation: Mapping[str, Any],
        results: Results,
    ) -> None:
        where = f"{place}/annotation-{annotation.get('id')}"
        author = _author(annotation.get("completed_by"))
        row = _row(annotation, results)
        answer = _Answer(self, where, *known, str(annotation.get("id")), author)
        if row["answer"] != "cancelled":
            answer.read(results)
        shown = annotation.get("prediction")
        proposed = isinstance(shown, dict) and shown.get("id") is not None
        if row["answer"] == "empty" and proposed and row["parent_prediction"] is None:
            # The editor can be slow to show predictions: submitting at once then gives an empty answer.
            message = (
                "the answer is empty and does not start from the predicted labels: they may not have shown"
            )
            self.refuse(where, None, Fault("empty_unseen", message), 0, warning=True)
        source, image = known
        self.answers.append(
            row
            | {"task_id": _whole(task.get("id")), "image_id": image.image_id}
            | {"path": image.path, "source": source}
            | {"author": author, "role": _role(task.get("data"))}
            | {"labels": answer.taken, "refused": answer.refused}
        )


@dataclass(slots=True)
class _Answer:
    """Turns the regions of one annotation into labels."""

    reader: _Reader
    where: str
    source: str
    image: ImageRef
    id: str
    author: str | None
    taken: int = 0
    refused: int = 0

    def read(self, results: Results) -> None:
        """Read all regions and classes of the whole image."""
        for row, fault, lost in results.faults:
            self._refuse(row, fault, lost)
        drawn: list[tuple[DrawnRegion, Geometry]] = []
        for region in results.regions:
            try:
                drawn.append((region, self._drawn(region)))
            except Fault as fault:
                self._refuse(region.row, fault, max(len(region.labels), 1))
        for region, shape in _whole_polygons(drawn):
            self._region(region, shape)
        for choice in results.choices:
            self._choice(choice)

    def _drawn(self, region: DrawnRegion) -> Geometry:
        width, height = self.image.width, self.image.height
        kind = region.readable_kind
        if kind is None:
            message = f"regions of kind '{region.kind}' are not supported"
            raise Fault("unsupported_region", message, "type", region.value)
        stated = tuple(real(length) for length in region.size)
        if None not in stated and stated != (width, height):
            size = "x".join(f"{length:g}" for length in stated if length is not None)
            message = f"the region was drawn on a picture of {size}, but its image has {width}x{height}"
            raise Fault("size_mismatch", message, "original_width", size)
        return read_value(kind, region.value, width, height)

    def _region(self, region: DrawnRegion, shape: Geometry) -> None:
        try:
            drawn, out = clip_to_picture(shape, self.image.width, self.image.height)
        except Fault as fault:
            self._refuse(region.row, fault, max(len(region.labels), 1))
            return
        if out > _ROUNDING:
            message = f"the region extended {out:.3g} px beyond the image and was clipped"
            self._warn(region.row, Fault("clipped", message, "value", out))
        attributes = region.attributes
        if drawn.rotation is not None:
            attributes = attributes | {"rotation": drawn.rotation[0], "box": list(drawn.rotation[1])}
        proposed = region.origin == "prediction"
        if region.score is not None and not proposed:
            attributes = attributes | {"score": region.score}
        for place, name in enumerate(region.labels or [""]):
            label = Label(
                self.image, name, drawn.shape, *drawn.box, self.where, region.row, drawn.rings, drawn.counts
            )
            score = region.score if proposed else None
            complete = label._replace(score=score, author=self.author, attributes=attributes)
            self._add(complete, f"{region.id or region.row}\0{place}")

    def _choice(self, choice: ImageClass) -> None:
        whole = (0.0, 0.0, float(self.image.width), float(self.image.height))
        attributes: dict[str, object] = {"region": choice.id, "origin": choice.origin}
        if choice.meta:
            attributes["meta"] = choice.meta
        label = Label(self.image, choice.label, "class", *whole, self.where, choice.row)
        complete = label._replace(author=self.author, attributes=attributes)
        self._add(complete, f"{choice.id or choice.row}\0{choice.label}")

    def _add(self, label: Label, key: str) -> None:
        name = self.reader.lookup.get(normalise(label.raw_label))
        if name is None:
            message = (
                f"the recipe has no class '{label.raw_label}'"
                if label.raw_label
                else "the region has no label"
            )
            fault = Fault(
                "unknown_class" if label.raw_label else "no_label", message, "label", label.raw_label
            )
            self.reader.refuse(self.where, label.label_row, fault, 0)
        identity = sha256(f"label-studio\0{self.image.image_id}\0{self.id}\0{key}".encode()).hexdigest()[:32]
        self.reader.named.append((identity, self.source, name))
        self.reader.labels.append(label)
        self.taken += 1

    def _refuse(self, row: int, fault: Fault, lost: int) -> None:
        if not lost:
            self._warn(row, fault)
            return
        self.refused += lost
        self.reader.refuse(self.where, row, fault, lost)

    def _warn(self, row: int, fault: Fault) -> None:
        self.reader.refuse(self.where, row, fault, 0, warning=True)


def _whole_polygons(drawn: list[tuple[DrawnRegion, Geometry]]) -> Iterable[tuple[DrawnRegion, Geometry]]:
    """Regions, with the rings of one pushed polygon joined again as far as they have the same labels."""
    wholes: dict[tuple[object, ...], tuple[DrawnRegion, Geometry]] = {}
    for region, shape in drawn:
        part = _PART.fullmatch(region.id or "") if region.kind == "polygon" else None
        key = (part[1], *region.labels) if part else (region.row,)
        if key not in wholes:
            wholes[key] = region, shape
            continue
        first, known = wholes[key]
        if region.origin != "prediction":
            first.origin = region.origin
        rings = [*(known.rings or []), *(shape.rings or [])]
        wholes[key] = first, known._replace(rings=rings, box=box_of_polygon(rings) or known.box)
    return wholes.values()


def _row(annotation: Mapping[str, Any], results: Results) -> dict[str, object]:
    """The columns of `ANSWERS` that follow from the annotation itself."""
    origins = [region.origin for region in results.regions] + [choice.origin for choice in results.choices]
    drawn = origins or any(lost for _, _, lost in results.faults)
    notes = orjson.dumps(results.notes, option=orjson.OPT_SORT_KEYS).decode() if results.notes else None
    return {
        "answer_id": _whole(annotation.get("id")),
        "answer": "cancelled" if annotation.get("was_cancelled") else "labelled" if drawn else "empty",
        "severity": results.severity,
        "lead_time_s": real(annotation.get("lead_time")),
        "created_at": _time(annotation.get("created_at")),
        "updated_at": _time(annotation.get("updated_at")),
        "manual": origins.count("manual"),
        "prediction": origins.count("prediction"),
        "prediction_changed": origins.count("prediction-changed"),
        "parent_prediction": _whole(annotation.get("parent_prediction")),
        "parent_annotation": _whole(annotation.get("parent_annotation")),
        "ground_truth": annotation.get("ground_truth") is True,
        "notes": notes,
    }


def _role(data: object) -> str:
    """The author's role, from the purpose that the push wrote into the task."""
    purpose = data.get("purpose") if isinstance(data, dict) else None
    return ADJUDICATOR if purpose == ADJUDICATION else "annotator"


def _author(completed_by: object) -> str | None:
    """The author of an annotation: the e-mail address, else the user's number."""
    if isinstance(completed_by, dict):
        named = completed_by.get("email") or completed_by.get("id")
        return str(named) if named else None
    if type(completed_by) is int:
        return str(completed_by)
    return completed_by if isinstance(completed_by, str) and completed_by else None


def _whole(value: object) -> int | None:
    return value if type(value) is int and abs(value) < 2**63 else None


def _time(text: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time.astimezone(UTC) if time is not None and time.tzinfo else None
