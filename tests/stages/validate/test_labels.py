"""What validate makes of labels: an answer may say again what came with the file."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from tests.stages.curated import CLASSES, box, recipe

from tundish.rules.models import load_model
from tundish.stages.validate.labels import check_labels
from tundish.storage.tables import ANNOTATIONS

ROOT = Path(__file__).resolve().parents[3]


def said(label_path: str, author: str | None = None, row: int = 0) -> dict[str, object]:
    """One and the same box, as a file or an annotator's answer has it."""
    return {
        **box(CLASSES[0], 4, 4, 20, 20),
        "annotation_id": f"{label_path}-{row}",
        "image_id": "a" * 32,
        "source": "line-1",
        "path": "a.jpg",
        "raw_label": CLASSES[0],
        "author": author,
        "origin": "annotator" if author else "import",
        "label_path": label_path,
        "label_row": row,
        "is_crowd": False,
        "valid": True,
    }


def judged(*labels: dict[str, object]) -> list[bool]:
    rows = ANNOTATIONS.frame(list(labels))
    images = pl.DataFrame({"image_id": ["a" * 32], "width": [64], "height": [48]})
    model = load_model(ROOT, "schemas/annotations.py:Annotations")
    valid, _ = check_labels(rows, images, model, recipe().annotations)
    return valid["valid"].to_list()


def test_check_labels__a_label_twice_in_the_files_of_an_image_is_repeated() -> None:
    assert judged(said("a.xml"), said("a.xml", row=1), said("b.xml")) == [True, False, False]


def test_check_labels__a_proposal_that_annotators_keep_is_what_each_of_them_says() -> None:
    labels = [said("a.xml"), said("task-1/annotation-1", "li"), said("task-2/annotation-2", "wu")]
    assert judged(*labels) == [True, True, True]


def test_check_labels__a_label_twice_in_an_answer_is_repeated() -> None:
    answer = [said("task-1/annotation-1", "li", row) for row in (0, 1)]
    assert judged(said("a.xml"), *answer) == [True, True, False]
