"""What an adjudicator's answer settles: it decides its image alone, unless it was submitted undecided."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
import polars as pl

from tundish.labeling.agreement.overlaps import find_overlaps
from tundish.labeling.consensus.disputes import DISPUTE, OVERLAPS, UNDISPUTED
from tundish.labeling.tables import ADJUDICATOR, last_answers

__all__ = ["Adjudications", "read_adjudications"]


class Adjudications(NamedTuple):
    """What adjudicators decided.

    Attributes:
        answers: The answer that settles each image, the one changed last: rows of ANSWERS.
        labels: Its labels, rows of the annotations table.
        hasty: Images whose last answer settles nothing, sorted: labels of one dispute stand in it side by
            side, as they were proposed or one upon the other with the same class; or it is empty, and was not
            begun from what was drawn. Who means two things there changes one of them, or draws it anew.
        doubled: Other images, sorted, in which overlapping labels, of two disputes or of one and what is
            agreed, stand as proposed, perhaps of one thing. Their answers settle them all the same.
    """

    answers: pl.DataFrame
    labels: pl.DataFrame
    hasty: list[str]
    doubled: list[str]


def read_adjudications(
    labels: pl.DataFrame, answers: pl.DataFrame, sizes: pl.DataFrame, *, iou: float
) -> Adjudications:
    """What adjudicators decided; a task that was skipped decides nothing.

    Args:
        labels: Rows of the annotations table, those of the adjudicators among them.
        answers: Rows of ANSWERS.
        sizes: image_id, width, height (px) of the images.
        iou: The least IoU of two labels of one thing.
    """
    theirs = answers.filter((pl.col("role") == ADJUDICATOR) & (pl.col("answer") != "cancelled"))
    last = last_answers(theirs).with_columns(pl.col("author").fill_null(ADJUDICATOR)).sort("image_id")
    said = labels.join(last, on=["image_id", "label_path"], how="semi", maintain_order="left")
    told = [orjson.loads(text) if text else {} for text in said["attributes"]]
    # What the server calls a class, as it was pushed: the recipe may have renamed it since.
    numbers = [_number(one.get("meta"), name) for one, name in zip(told, said["raw_label"], strict=True)]
    beside = [_others(one.get("meta")) for one in told]
    proposed = said.with_columns(
        number=pl.Series(numbers, dtype=pl.Int64),
        overlaps=pl.Series(beside, dtype=pl.List(pl.Int64)),
        untouched=pl.Series([one.get("origin") == "prediction" for one in told], dtype=pl.Boolean),
    )
    # The editor can be slow to show what is drawn: who submits at once says that nothing is there.
    unseen = last.filter((pl.col("answer") == "empty") & pl.col("parent_prediction").is_null())
    hasty = sorted({*_undecided(proposed.drop_nulls("number"), sizes, iou), *unseen["image_id"]})
    late = pl.col("image_id").is_in(hasty)
    # What was written there for the adjudicator to read says nothing of the label.
    plain = [
        text if number is None and not others else _without_meta(one)
        for text, one, number, others in zip(said["attributes"], told, numbers, beside, strict=True)
    ]
    said = said.with_columns(attributes=pl.Series(plain, dtype=pl.String))
    doubled = sorted(_doubled(proposed) - {*hasty})
    return Adjudications(last.filter(~late).drop("label_path"), said.filter(~late), hasty, doubled)


def _undecided(labels: pl.DataFrame, sizes: pl.DataFrame, iou: float) -> set[str]:
    """Images in which labels of one dispute stand side by side, as they were proposed or saying the same."""
    several = pl.len().over("image_id", "number") > 1
    found = {*labels.filter("untouched").filter(several)["image_id"]}
    same = labels.filter(pl.len().over("image_id", "number", "label") > 1)
    # Labels of one author are not compared: here each has its own.
    pairs = find_overlaps(same.with_columns(author="annotation_id"), sizes)
    one, other = (pairs.labels[rows[pairs.iou >= iou]] for rows in (pairs.first, pairs.second))
    alike = (one["number"] == other["number"]) & (one["label"] == other["label"])
    return found | {*one.filter(alike)["image_id"]}


def _doubled(labels: pl.DataFrame) -> set[str]:
    """Images in which overlapping labels that are not of one dispute stand as they were proposed."""
    number = pl.col("number").fill_null(UNDISPUTED)
    kept = labels.filter("untouched").select("image_id", number, "overlaps").explode("overlaps")
    ours, theirs = ["image_id", "number", "overlaps"], ["image_id", "overlaps", "number"]
    return {*kept.join(kept, left_on=ours, right_on=theirs, how="semi")["image_id"]}


def _without_meta(attributes: dict[str, Any]) -> str:
    kept = {key: value for key, value in attributes.items() if key != "meta"}
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()


def _number(meta: object, label: str | None) -> int | None:
    """Number of the dispute that a label was proposed in."""
    number = meta.get(DISPUTE) if isinstance(meta, dict) else None
    if isinstance(number, dict):
        number = number.get(label)
    return number if isinstance(number, int) else None


def _others(meta: object) -> list[int]:
    """Numbers of the other disputes that a label was said to overlap."""
    numbers = meta.get(OVERLAPS) if isinstance(meta, dict) else None
    return [one for one in numbers if type(one) is int] if isinstance(numbers, list) else []
