"""Read adjudicators' answers: each decides its image on its own, unless it was submitted undecided."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
import polars as pl

from tundish.labeling.agreement.overlaps import find_overlaps
from tundish.labeling.consensus.disputes import DISPUTE, OVERLAPS, UNDISPUTED
from tundish.labeling.tables import ADJUDICATOR, last_answers

__all__ = ["Adjudications", "read_adjudications"]


class Adjudications(NamedTuple):
    """The decisions of adjudicators.

    Attributes:
        answers: The answer that settles each image, the last changed one: rows of `ANSWERS`.
        labels: The labels of these answers, rows of the annotations table.
        undecided: Images whose last answer settles nothing, sorted: several labels of one dispute are still
            there, either as they were proposed or overlapping with the same class; or the answer is empty and
            does not start from the proposed labels. An adjudicator who means two objects changes one of the
            labels or draws it again.
        overlapping: Other images, sorted, in which overlapping labels, of two disputes or of a dispute and
            what is agreed, are kept as proposed, perhaps of one object. Their answers count all the same.
    """

    answers: pl.DataFrame
    labels: pl.DataFrame
    undecided: list[str]
    overlapping: list[str]


def read_adjudications(
    labels: pl.DataFrame, answers: pl.DataFrame, sizes: pl.DataFrame, *, iou: float
) -> Adjudications:
    """Read what adjudicators decided; a skipped task decides nothing.

    Args:
        labels: Rows of the annotations table, including those of adjudicators.
        answers: Rows of `ANSWERS`.
        sizes: image_id, width, height (px) of the images.
        iou: The least IoU of two labels of one object.
    """
    theirs = answers.filter((pl.col("role") == ADJUDICATOR) & (pl.col("answer") != "cancelled"))
    last = last_answers(theirs).with_columns(pl.col("author").fill_null(ADJUDICATOR)).sort("image_id")
    drawn = labels.join(last, on=["image_id", "label_path"], how="semi", maintain_order="left")
    attributes = [orjson.loads(text) if text else {} for text in drawn["attributes"]]
    # The class by its name on the server, as it was pushed: the recipe may have renamed it since.
    numbers = [
        _number(one.get("meta"), name) for one, name in zip(attributes, drawn["raw_label"], strict=True)
    ]
    beside = [_others(one.get("meta")) for one in attributes]
    proposed = drawn.with_columns(
        number=pl.Series(numbers, dtype=pl.Int64),
        overlaps=pl.Series(beside, dtype=pl.List(pl.Int64)),
        untouched=pl.Series([one.get("origin") == "prediction" for one in attributes], dtype=pl.Boolean),
    )
    # The editor can be slow to show the proposed labels: submitting at once then gives an empty answer.
    unseen = last.filter((pl.col("answer") == "empty") & pl.col("parent_prediction").is_null())
    undecided = sorted({*_undecided(proposed.drop_nulls("number"), sizes, iou), *unseen["image_id"]})
    open_ = pl.col("image_id").is_in(undecided)
    # Notes that were written for the adjudicator do not belong to the label.
    plain = [
        text if number is None and not others else _without_meta(one)
        for text, one, number, others in zip(drawn["attributes"], attributes, numbers, beside, strict=True)
    ]
    drawn = drawn.with_columns(attributes=pl.Series(plain, dtype=pl.String))
    overlapping = sorted(_overlapping(proposed) - {*undecided})
    answers = last.filter(~open_).drop("label_path")
    return Adjudications(answers, drawn.filter(~open_), undecided, overlapping)


def _undecided(labels: pl.DataFrame, sizes: pl.DataFrame, iou: float) -> set[str]:
    """Images with several labels of one dispute, as they were proposed or overlapping with the same class."""
    several = pl.len().over("image_id", "number") > 1
    found = {*labels.filter("untouched").filter(several)["image_id"]}
    same = labels.filter(pl.len().over("image_id", "number", "label") > 1)
    # Labels of one author are not compared: here each has its own.
    pairs = find_overlaps(same.with_columns(author="annotation_id"), sizes)
    one, other = (pairs.labels[rows[pairs.iou >= iou]] for rows in (pairs.first, pairs.second))
    alike = (one["number"] == other["number"]) & (one["label"] == other["label"])
    return found | {*one.filter(alike)["image_id"]}


def _overlapping(labels: pl.DataFrame) -> set[str]:
    """Images in which overlapping labels that are not of one dispute are kept as they were proposed."""
    number = pl.col("number").fill_null(UNDISPUTED)
    kept = labels.filter("untouched").select("image_id", number, "overlaps").explode("overlaps")
    ours, theirs = ["image_id", "number", "overlaps"], ["image_id", "overlaps", "number"]
    return {*kept.join(kept, left_on=ours, right_on=theirs, how="semi")["image_id"]}


def _without_meta(attributes: dict[str, Any]) -> str:
    kept = {key: value for key, value in attributes.items() if key != "meta"}
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()


def _number(meta: object, label: str | None) -> int | None:
    """The number of the dispute in which a label was proposed; None where it was in none."""
    number = meta.get(DISPUTE) if isinstance(meta, dict) else None
    if isinstance(number, dict):
        number = number.get(label)
    return number if isinstance(number, int) else None


def _others(meta: object) -> list[int]:
    """The numbers of other disputes that a label was noted to overlap."""
    numbers = meta.get(OVERLAPS) if isinstance(meta, dict) else None
    return [one for one in numbers if type(one) is int] if isinstance(numbers, list) else []
