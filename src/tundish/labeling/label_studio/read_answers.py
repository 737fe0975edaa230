"""Read answers: Label Studio's tasks become labels, in pixels of the upright image, and rows of answers.

Regions are in percent of the picture that the browser shows. `tundish label push` serves upright pictures of
the image's own size, so the frames agree. Browsers apply the EXIF orientation themselves, so the frame is
upright in a project made by hand too. What one annotation says is read by `tundish.formats.label_studio`.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as made
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import polars as pl

from tundish.formats.base import ImageRef, Label, Problem, Reading
from tundish.formats.frames import labels_to_frame
from tundish.formats.label_studio.answers import AnswerLabels, author_of, kind_of_answer, labels_of
from tundish.formats.label_studio.controls import ADJUDICATION
from tundish.formats.label_studio.results import Results, sort_results
from tundish.formats.reading.fault import Fault
from tundish.formats.reading.text import real
from tundish.labeling.tables import ADJUDICATOR, ANSWERS
from tundish.recipe.classes import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tundish.recipe.sections import Annotations

__all__ = ["ReadAnswers", "read_tasks"]


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
        author = author_of(annotation.get("completed_by"))
        row = _row(annotation, results)
        answer = AnswerLabels()
        if row["answer"] != "cancelled":
            answer = labels_of(results, known[1], where, author)
            self._take(answer, where, known, str(annotation.get("id")))
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
            | {"labels": len(answer.labels), "refused": answer.refused}
        )

    def _take(self, answer: AnswerLabels, where: str, known: tuple[str, ImageRef], number: str) -> None:
        """Add the labels of an annotation, and what is wrong with the others."""
        source, image = known
        for trouble in answer.troubles:
            self.refuse(where, trouble.row, trouble.fault, trouble.lost, warning=not trouble.lost)
        for label, key in answer.labels:
            name = self.lookup.get(normalise(label.raw_label))
            if name is None:
                message = (
                    f"the recipe has no class '{label.raw_label}'"
                    if label.raw_label
                    else "the region has no label"
                )
                check = "unknown_class" if label.raw_label else "no_label"
                self.refuse(where, label.label_row, Fault(check, message, "label", label.raw_label), 0)
            identity = sha256(f"label-studio\0{image.image_id}\0{number}\0{key}".encode()).hexdigest()[:32]
            self.named.append((identity, source, name))
            self.labels.append(label)


def _row(annotation: Mapping[str, Any], results: Results) -> dict[str, object]:
    """The columns of `ANSWERS` that follow from the annotation itself."""
    origins = [region.origin for region in results.regions] + [choice.origin for choice in results.choices]
    notes = orjson.dumps(results.notes, option=orjson.OPT_SORT_KEYS).decode() if results.notes else None
    return {
        "answer_id": _whole(annotation.get("id")),
        "answer": kind_of_answer(annotation, results),
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


def _whole(value: object) -> int | None:
    return value if type(value) is int and abs(value) < 2**63 else None


def _time(text: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time.astimezone(UTC) if time is not None and time.tzinfo else None
