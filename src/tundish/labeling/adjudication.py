"""What annotators dispute in front of an adjudicator, and what the adjudicator's answer settles.

An adjudicator finds one proposal: the labels that were agreed on, and each label that is in dispute. A region
in dispute says in its `meta` what was said of it, never by whom, and the number of its dispute: so an answer
that was submitted before it was decided is known as such. One thing drawn at two places is two disputes,
and no rule tells it from two things: the regions say that they overlap, and who keeps both is told.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import polars as pl

from tundish.labeling.answers import ADJUDICATOR, PLACE, last_answers
from tundish.labeling.overlaps import covered, overlaps
from tundish.labeling.regions import regions_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tundish.formats.base import Problem
    from tundish.labeling.config import Shape

__all__ = ["TASK", "Cases", "Rulings", "cases", "opinions_of", "rulings"]

TASK = (
    "Of each dispute keep one label, or none, and mend it. A selected region's details name its dispute; one"
    " without a note is agreed."
)
"""What an adjudicator is asked for, above the picture."""

_DISPUTE = "dispute"
"""Key in the `meta` of a region: the number of its dispute; of a choice, the numbers by class."""

_OVERLAPS = "overlaps"
"""Key in the `meta` of a region: the numbers of other disputes of which a label may be of the same thing."""

_SAME = 0.3
"""So much of the smaller of two authors' labels is covered by the other where they may be of one thing.

Not their IoU: it is low by then, or they would be one dispute, and of a part and its whole it is always low.
Boxes of one size that are shifted by up to seven tenths of their length cover as much of each other; labels
of neighbours that were drawn generously cover less.
"""


class Cases(NamedTuple):
    """What is to be adjudicated.

    Attributes:
        images: image_id and `why`, the disputes in words; the image with the most disputes first.
        regions: What is drawn already, by image_id: what is disputed, then what is agreed.
        problems: Labels that the project cannot show; their images are not among `images`, since an answer
            given without them would lose them.
    """

    images: pl.DataFrame
    regions: dict[str, list[dict[str, Any]]]
    problems: list[Problem]


class Rulings(NamedTuple):
    """What adjudicators decided.

    Attributes:
        answers: The answer that settles each image, the one changed last: rows of ANSWERS.
        labels: Its labels, rows of the annotations table.
        hasty: Images whose last answer settles nothing, sorted: labels of one dispute stand in it side by
            side, as they were proposed or one upon the other with the same class; or it is empty, and was not
            begun from what was drawn. Who means two things there changes one of them, or draws it anew.
        doubled: Other images, sorted, in which overlapping labels of two disputes stand as proposed,
            perhaps of one thing. Their answers settle them all the same.
    """

    answers: pl.DataFrame
    labels: pl.DataFrame
    hasty: list[str]
    doubled: list[str]


def cases(
    disputes: pl.DataFrame,
    agreed: pl.DataFrame,
    labels: pl.DataFrame,
    sizes: Mapping[str, tuple[int, int]],
    shapes: Collection[Shape],
) -> Cases:
    """The images in which something is in dispute and nobody has settled it.

    Args:
        disputes: The disputes table.
        agreed: Rows of the annotations table that were agreed on; of other images, too.
        labels: Rows of the annotations table, those in dispute among them; equal files may repeat them.
        sizes: Width and height (px) of the upright images that can be asked for, by image_id.
        shapes: What the project can draw.
    """
    known = pl.Series("image_id", list(sizes), pl.String)
    open_ = disputes.filter(pl.col("settled_by").is_null() & pl.col("image_id").is_in(known.implode()))
    drawn = labels.unique("annotation_id", keep="first", maintain_order=True).join(
        open_.select("annotation_id", "unit", "reason", "message"), on="annotation_id"
    )
    drawn = _numbered(drawn, sizes)
    things = _things(drawn)
    drawn = drawn.join(things, on=["image_id", "number"], maintain_order="left")
    agreed = agreed.unique(["image_id", "annotation_id"], keep="first", maintain_order=True)
    mine, settled = _by_image(drawn.sort("number", "annotation_id")), _by_image(agreed)
    found = Cases(pl.DataFrame(schema={"image_id": pl.String, "why": pl.String}), {}, [])
    asked = []
    for (image_id,), disputed in things.group_by("image_id", maintain_order=True):
        rows = [mine[image_id].select(agreed.columns), settled.get(image_id, agreed.clear())]
        # How sure a model was of its proposal is no argument here.
        shown = regions_of(pl.concat(rows).with_columns(score=pl.lit(None, pl.Float64)), sizes, shapes)
        if shown.problems:
            found.problems.extend(shown.problems)
            continue
        found.regions[image_id] = _with_notes(shown.results[image_id], mine[image_id])
        asked.append((image_id, "\n".join(disputed["note"]), disputed.height))
    asked.sort(key=lambda one: (-one[2], one[0]))
    return found._replace(images=pl.DataFrame([one[:2] for one in asked], found.images.schema, orient="row"))


def _by_image(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {key: group for (key,), group in rows.group_by("image_id", maintain_order=True)}


def _numbered(drawn: pl.DataFrame, sizes: Mapping[str, tuple[int, int]]) -> pl.DataFrame:
    """The labels with the number of their dispute, from 1 in each image, and of others they overlap."""
    drawn = drawn.with_columns(
        pl.col("author").fill_null(""), number=pl.col("unit").rank("dense").over("image_id")
    )
    frame = pl.DataFrame(
        [(key, *size) for key, size in sizes.items()],
        schema={"image_id": pl.String, "width": pl.Int64, "height": pl.Int64},
        orient="row",
    )
    # Of the whole image all labels speak.
    pairs = overlaps(drawn.filter(pl.col("shape") != "class"), frame)
    same = covered(pairs, frame) >= _SAME
    one, other = (pairs.labels[rows[same]] for rows in (pairs.first, pairs.second))
    found = [
        first.select("annotation_id", "number").with_columns(second["number"].alias(_OVERLAPS))
        for first, second in ((one, other), (other, one))
    ]
    others = (
        pl.concat(found)
        .filter(pl.col("number") != pl.col(_OVERLAPS))
        .group_by("annotation_id")
        .agg(pl.col(_OVERLAPS).unique().sort())
    )
    return drawn.join(others, on="annotation_id", how="left", maintain_order="left")


def _things(drawn: pl.DataFrame) -> pl.DataFrame:
    """image_id, number and note (in words) of each thing in dispute."""
    things = (
        drawn.sort("image_id", "number", "annotation_id")
        .group_by("image_id", "number", maintain_order=True)
        .agg(
            "label",
            pl.col("reason", "message").first(),
            pl.col(_OVERLAPS).explode().drop_nulls().unique().sort(),
            whole=pl.col("shape").first() == "class",
        )
    )
    said = [
        f"Dispute {number}{' (whole image)' * whole}: {_sentence(reason, message, names)}{_asked(others)}"
        for number, names, reason, message, others, whole in things.drop("image_id").iter_rows()
    ]
    return things.select("image_id", "number", note=pl.Series(said, dtype=pl.String))


def _asked(others: list[int]) -> str:
    if not others:
        return ""
    if len(others) == 1:
        return f"; overlaps dispute {others[0]}: one thing or two?"
    return f"; overlaps disputes {', '.join(map(str, others))}: one thing or more?"


def _sentence(reason: str, message: str, names: list[str]) -> str:
    counts = sorted(Counter(names).items(), key=lambda one: (-one[1], one[0]))
    if reason == "class":
        return ", ".join(f"{count} call it '{name}'" for name, count in counts)
    return f"{message} ({', '.join(name for name, _ in counts)})"


def _with_notes(regions: list[dict[str, Any]], disputed: pl.DataFrame) -> list[dict[str, Any]]:
    """The regions, with a note and the number of their dispute in the `meta` of those that are in one."""
    notes = {row["annotation_id"]: row for row in disputed.iter_rows(named=True)}
    whole = disputed.filter(pl.col("shape") == "class").select("label", "number", "note")
    told = []
    for region in regions:
        key = region["id"][:32]
        if region["type"] == "choices" and whole.height:
            numbers = dict(whole.select("label", "number").iter_rows())
            texts = whole["note"].unique(maintain_order=True).to_list()
            told.append(region | {"meta": {"text": ["; ".join(texts)], _DISPUTE: numbers}})
        elif key in notes:
            mine = notes[key]
            others = {_OVERLAPS: mine[_OVERLAPS]} if mine[_OVERLAPS] else {}
            told.append(region | {"meta": {"text": [mine["note"]], _DISPUTE: mine["number"], **others}})
        else:
            told.append(region)
    return told


def opinions_of(labels: pl.DataFrame, answers: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Labels and answers without the adjudicators': theirs are no opinions beside others."""
    asked = answers.filter(pl.col("role") == ADJUDICATOR).select(place=PLACE)["place"].drop_nulls()
    return (
        labels.filter(~pl.col("label_path").is_in(asked.implode()).fill_null(value=False)),
        answers.filter(pl.col("role").ne_missing(ADJUDICATOR)),
    )


def rulings(labels: pl.DataFrame, answers: pl.DataFrame, sizes: pl.DataFrame, *, iou: float) -> Rulings:
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
    of_disputes = said.with_columns(
        number=pl.Series(numbers, dtype=pl.Int64),
        overlaps=pl.Series([_others(one.get("meta")) for one in told], dtype=pl.List(pl.Int64)),
        untouched=pl.Series([one.get("origin") == "prediction" for one in told], dtype=pl.Boolean),
    ).drop_nulls("number")
    # The editor can be slow to show what is drawn: who submits at once says that nothing is there.
    unseen = last.filter((pl.col("answer") == "empty") & pl.col("parent_prediction").is_null())
    hasty = sorted({*_undecided(of_disputes, sizes, iou), *unseen["image_id"]})
    late = pl.col("image_id").is_in(hasty)
    # What was written there for the adjudicator to read says nothing of the label.
    plain = [
        text if number is None else _without_meta(one)
        for text, one, number in zip(said["attributes"], told, numbers, strict=True)
    ]
    said = said.with_columns(attributes=pl.Series(plain, dtype=pl.String))
    doubled = sorted(_doubled(of_disputes) - {*hasty})
    return Rulings(last.filter(~late).drop("label_path"), said.filter(~late), hasty, doubled)


def _undecided(labels: pl.DataFrame, sizes: pl.DataFrame, iou: float) -> set[str]:
    """Images in which labels of one dispute stand side by side, as they were proposed or saying the same."""
    several = pl.len().over("image_id", "number") > 1
    found = {*labels.filter("untouched").filter(several)["image_id"]}
    same = labels.filter(pl.len().over("image_id", "number", "label") > 1)
    # Labels of one author are not compared: here each has its own.
    pairs = overlaps(same.with_columns(author="annotation_id"), sizes)
    one, other = (pairs.labels[rows[pairs.iou >= iou]] for rows in (pairs.first, pairs.second))
    alike = (one["number"] == other["number"]) & (one["label"] == other["label"])
    return found | {*one.filter(alike)["image_id"]}


def _doubled(labels: pl.DataFrame) -> set[str]:
    """Images in which labels of two disputes overlap each other and stand as they were proposed."""
    kept = labels.filter("untouched").select("image_id", "number", "overlaps").explode("overlaps")
    ours, theirs = ["image_id", "number", "overlaps"], ["image_id", "overlaps", "number"]
    return {*kept.join(kept, left_on=ours, right_on=theirs, how="semi")["image_id"]}


def _without_meta(attributes: dict[str, Any]) -> str:
    kept = {key: value for key, value in attributes.items() if key != "meta"}
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()


def _number(meta: object, label: str | None) -> int | None:
    """Number of the dispute that a label was proposed in."""
    number = meta.get(_DISPUTE) if isinstance(meta, dict) else None
    if isinstance(number, dict):
        number = number.get(label)
    return number if isinstance(number, int) else None


def _others(meta: object) -> list[int]:
    """Numbers of the other disputes that a label was said to overlap."""
    numbers = meta.get(_OVERLAPS) if isinstance(meta, dict) else None
    return [one for one in numbers if type(one) is int] if isinstance(numbers, list) else []
