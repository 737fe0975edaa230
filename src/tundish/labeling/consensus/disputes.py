"""What annotators dispute, as an adjudicator is shown it: nobody's name, every label in dispute or agreed.

A region in dispute says in its `meta` what was said of it and the number of its dispute: so an answer that
was submitted before it was decided is known as such (`adjudication`). One thing drawn at two places is two
disputes, and no rule tells it from two things: the regions say that they overlap.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from tundish.labeling.agreement.overlaps import covered_shares, find_overlaps
from tundish.labeling.label_studio.regions.write import regions_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tundish.formats.base import Problem
    from tundish.labeling.label_studio.config import Shape

__all__ = ["DISPUTE", "INSTRUCTION", "OVERLAPS", "UNDISPUTED", "Disputes", "collect_disputes"]

INSTRUCTION = (
    "Of each dispute keep one label, or none, and mend it. A selected region's details name its dispute; one"
    " that is in none is agreed."
)
"""What an adjudicator is asked for, above the picture."""

DISPUTE = "dispute"
"""Key in the `meta` of a region: the number of its dispute; of a choice, the numbers by class."""

OVERLAPS = "overlaps"
"""Key in the `meta` of a region: the numbers of other disputes of which a label may be of the same thing.

Those of what is agreed are `UNDISPUTED`.
"""

UNDISPUTED = 0
"""Number of what is in no dispute."""

_SAME = 0.3
"""So much of the smaller of two authors' labels is covered by the other where they may be of one thing.

Not their IoU: it is low by then, or they would be one dispute, and of a part and its whole it is always low.
Boxes of one size that are shifted by up to seven tenths of their length cover as much of each other; labels
of neighbours that were drawn generously cover less.
"""


class Disputes(NamedTuple):
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


def collect_disputes(
    disputes: pl.DataFrame,
    agreed: pl.DataFrame,
    labels: pl.DataFrame,
    sizes: Mapping[str, tuple[int, int]],
    shapes: Collection[Shape],
) -> Disputes:
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
    agreed = agreed.unique(["image_id", "annotation_id"], keep="first", maintain_order=True).join(
        drawn, on="image_id", how="semi", maintain_order="left"
    )
    columns = agreed.columns
    drawn, agreed = _numbered(drawn, agreed, sizes)
    things = _things(drawn)
    drawn = drawn.join(things, on=["image_id", "number"], maintain_order="left")
    mine, settled = _by_image(drawn.sort("number", "annotation_id")), _by_image(agreed)
    found = Disputes(pl.DataFrame(schema={"image_id": pl.String, "why": pl.String}), {}, [])
    asked = []
    for (image_id,), disputed in things.group_by("image_id", maintain_order=True):
        undisputed = settled.get(image_id, agreed.clear())
        rows = pl.concat([mine[image_id].select(columns), undisputed.select(columns)])
        # How sure a model was of its proposal is no argument here.
        shown = regions_of(rows.with_columns(score=pl.lit(None, pl.Float64)), sizes, shapes)
        if shown.problems:
            found.problems.extend(shown.problems)
            continue
        found.regions[image_id] = _with_notes(shown.results[image_id], mine[image_id], undisputed)
        asked.append((image_id, "\n".join(disputed["note"]), disputed.height))
    asked.sort(key=lambda one: (-one[2], one[0]))
    return found._replace(images=pl.DataFrame([one[:2] for one in asked], found.images.schema, orient="row"))


def _by_image(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {key: group for (key,), group in rows.group_by("image_id", maintain_order=True)}


def _numbered(
    drawn: pl.DataFrame, agreed: pl.DataFrame, sizes: Mapping[str, tuple[int, int]]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both with the number of their dispute, from 1 in each image, and of others they overlap."""
    rank = pl.col("unit").rank("dense").over("image_id").cast(pl.Int64)
    drawn = drawn.with_columns(pl.col("author").fill_null(""), number=rank)
    agreed = agreed.with_columns(pl.col("author").fill_null(""), number=pl.lit(UNDISPUTED, pl.Int64))
    there = pl.DataFrame(
        [(key, *size) for key, size in sizes.items()],
        schema={"image_id": pl.String, "width": pl.Int64, "height": pl.Int64},
        orient="row",
    )
    # Of the whole image all labels speak.
    placed = pl.concat([drawn.select(agreed.columns), agreed]).filter(pl.col("shape") != "class")
    pairs = find_overlaps(placed, there)
    same = covered_shares(pairs, there) >= _SAME
    one, other = (pairs.labels[rows[same]] for rows in (pairs.first, pairs.second))
    found = [
        first.select("image_id", "annotation_id", "number", "author").with_columns(
            second["number"].alias(OVERLAPS), whose=second["author"]
        )
        for first, second in ((one, other), (other, one))
    ]
    # An agreed label has all who agreed for its author: who drew two labels meant two things.
    both = pl.col("author").str.split(", ").list.set_intersection(pl.col("whose").str.split(", ")).list.len()
    others = (
        pl.concat(found)
        .filter((pl.col("number") != pl.col(OVERLAPS)) & (both == 0))
        .group_by("image_id", "annotation_id")
        .agg(pl.col(OVERLAPS).unique().sort())
    )
    drawn, agreed = (
        frame.join(others, on=["image_id", "annotation_id"], how="left", maintain_order="left")
        for frame in (drawn, agreed)
    )
    return drawn, agreed


def _things(drawn: pl.DataFrame) -> pl.DataFrame:
    """image_id, number and note (in words) of each thing in dispute."""
    things = (
        drawn.sort("image_id", "number", "annotation_id")
        .group_by("image_id", "number", maintain_order=True)
        .agg(
            "label",
            pl.col("reason", "message").first(),
            pl.col(OVERLAPS).explode().drop_nulls().unique().sort(),
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
    numbers = [str(number) for number in others if number != UNDISPUTED]
    told = [f"dispute{'s' * (len(numbers) > 1)} {', '.join(numbers)}"] * bool(numbers)
    told += ["what is agreed"] * (UNDISPUTED in others)
    return f"; overlaps {' and '.join(told)}: one thing or {'two' if len(others) == 1 else 'more'}?"


def _sentence(reason: str, message: str, names: list[str]) -> str:
    counts = sorted(Counter(names).items(), key=lambda one: (-one[1], one[0]))
    if reason == "class":
        return ", ".join(f"{count} call it '{name}'" for name, count in counts)
    return f"{message} ({', '.join(name for name, _ in counts)})"


def _with_notes(
    regions: list[dict[str, Any]], disputed: pl.DataFrame, agreed: pl.DataFrame
) -> list[dict[str, Any]]:
    """The regions, with notes in the `meta` of those that are in a dispute or overlap one, and numbers."""
    notes = {row["annotation_id"]: row for row in disputed.iter_rows(named=True)}
    whole = disputed.filter(pl.col("shape") == "class").select("label", "number", "note")
    beside = dict(agreed.drop_nulls(OVERLAPS).select("annotation_id", OVERLAPS).iter_rows())
    told = []
    for region in regions:
        key = region["id"][:32]
        if region["type"] == "choices" and whole.height:
            numbers = dict(whole.select("label", "number").iter_rows())
            texts = whole["note"].unique(maintain_order=True).to_list()
            told.append(region | {"meta": {"text": ["; ".join(texts)], DISPUTE: numbers}})
        elif key in notes:
            mine = notes[key]
            others = {OVERLAPS: mine[OVERLAPS]} if mine[OVERLAPS] else {}
            told.append(region | {"meta": {"text": [mine["note"]], DISPUTE: mine["number"], **others}})
        elif key in beside:
            told.append(region | {"meta": {"text": [f"Agreed{_asked(beside[key])}"], OVERLAPS: beside[key]}})
        else:
            told.append(region)
    return told
