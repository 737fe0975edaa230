"""Twelve pictures, and what reviewers draw in those of a batch, as a pull leaves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.stages.curated import Picture, box

from tundish.labeling.tables import ANSWERS, answers_fingerprint
from tundish.stages.consensus import STAGE
from tundish.storage.tables import ANNOTATIONS

if TYPE_CHECKING:
    from tundish.labeling.acceptance.batch import Batch
    from tundish.stages.base import Context

COUNT = 12
PICTURES = [Picture(f"{number}.jpg", seed=number, state="unlabelled") for number in range(COUNT)]
IDS = {picture.image_id: picture for picture in PICTURES}
DRAWN = [box("scratch", 10, 10, 20, 20)]
"""What annotators draw in each picture."""


def validated(context: Context) -> None:
    """Call the stages after answers were pulled that validate would find as sound as those before."""
    path = context.dataset.table("annotations")
    ANNOTATIONS.write(ANNOTATIONS.read(path), path, metadata=answers_fingerprint(context.dataset.labels))
    STAGE.run(context)


def reviewed(
    batch: Batch,
    *ids: str,
    author: str = "qi",
    severity: str | None = None,
    given: dict[str, Any] | None = None,
) -> None:
    """Write what a reviewer drew: as li did, or by image_id as `said`."""
    folder = batch.folder / "review"
    answers: list[dict[str, object]] = []
    drawn: list[dict[str, object]] = []
    for number, image_id in enumerate(ids):
        picture = IDS[image_id]
        place: dict[str, Any] = {"image_id": image_id, "path": picture.path, "source": picture.source}
        boxes = (given or {}).get(image_id, DRAWN)
        key = {"task_id": int(image_id[:6], 16), "answer_id": number + 1}
        kind = {"answer": "labelled" if boxes else "empty", "labels": len(boxes), "refused": 0}
        answers.append(place | key | kind | {"author": author, "severity": severity})
        drawn += [
            place
            | one
            | {"annotation_id": f"{image_id}-{row}", "author": author, "origin": "annotator", "valid": True}
            | {"is_crowd": False, "label_row": row}
            | {"label_path": f"task-{key['task_id']}/annotation-{key['answer_id']}"}
            for row, one in enumerate(boxes)
        ]
    ANSWERS.write(ANSWERS.frame(answers), folder / "answers.parquet")
    ANNOTATIONS.write(ANNOTATIONS.frame(drawn), folder / "annotations.parquet")
