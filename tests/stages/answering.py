"""What annotators answered, written as `tundish label pull` and validate would leave it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import yaml

from tundish.labeling.tables import ANSWERS, answers_fingerprint
from tundish.storage.tables import ANNOTATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.stages.curated import Picture

    from tundish.stages.base import Context


def answer(
    context: Context,
    pictures: Sequence[Picture],
    said: Mapping[str, Mapping[str, list[dict[str, Any]] | str]],
    ruled: Sequence[tuple[str, str, int, list[dict[str, Any]] | str]] = (),
) -> None:
    """Write what was answered: the boxes drawn, or 'cancelled', or 'refused'.

    `said` has it by image and annotator, who answer at the first hour; `ruled` are path, adjudicator, hour
    and what they drew.
    """
    by_path = {picture.path: picture for picture in pictures}
    answers, drawn = [], []
    everything = [(path, name, 1, boxes) for path, names in said.items() for name, boxes in names.items()]
    for number, (path, author, hour, labels) in enumerate([*everything, *ruled]):
        place = {"image_id": by_path[path].image_id, "path": path, "source": by_path[path].source}
        told = {
            "role": "annotator" if number < len(everything) else "adjudicator",
            "task_id": number,
            "answer_id": number,
            "parent_prediction": 1,
            "updated_at": datetime(2026, 1, 1, hour, tzinfo=UTC),
        }
        boxes = labels if isinstance(labels, list) else []
        kind = "cancelled" if labels == "cancelled" else "labelled" if labels else "empty"
        refused = int(labels == "refused")
        answers.append(
            {"author": author, "answer": kind, "labels": len(boxes), "refused": refused} | told | place
        )
        for row, label in enumerate(boxes):
            mine = {
                "annotation_id": f"{path}-{author}-{row}"
                + (f"-{number}" if told["role"] != "annotator" else ""),
                "author": author,
                "origin": "annotator",
                "raw_label": label["label"],
                "is_crowd": False,
                "valid": True,
                "label_path": f"task-{number}/annotation-{number}",
                "label_row": row,
            }
            drawn.append(place | mine | label)
    ANSWERS.write(ANSWERS.frame(answers), context.dataset.labels / "answers.parquet")
    before = context.dataset.read(ANNOTATIONS).filter(pl.col("origin").ne_missing("annotator"))
    rows = pl.concat([before, ANNOTATIONS.frame(drawn)])
    ANNOTATIONS.write(
        rows, context.dataset.table("annotations"), metadata=answers_fingerprint(context.dataset.labels)
    )


def write_recipe(context: Context) -> None:
    """Put the recipe where the command line finds it."""
    path = context.project / "pipelines" / f"{context.recipe.dataset}.yaml"
    path.parent.mkdir(exist_ok=True)
    text = yaml.safe_dump(context.recipe.model_dump(mode="json", by_alias=True), allow_unicode=True)
    path.write_text(text, "utf-8")
