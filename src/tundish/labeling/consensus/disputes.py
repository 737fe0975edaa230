"""Prepare disputes for an adjudicator: every label in dispute or agreed, without the annotators' names.

The `meta` of a region in dispute has the number of its dispute and the judgements in words, so that an answer
that was submitted undecided is recognised (`adjudications`). One object drawn at two places makes two
disputes, and no rule distinguishes it from two objects: a note in the regions says that they overlap.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from tundish.labeling.agreement.overlaps import covered_shares, find_overlaps
from tundish.labeling.label_studio.regions import regions_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tundish.formats.base import Problem
    from tundish.formats.label_studio.controls import Shape

__all__ = ["DISPUTE", "INSTRUCTION", "OVERLAPS", "UNDISPUTED", "Disputes", "collect_disputes"]

INSTRUCTION = (
    "Of each dispute keep one label, or none, and correct it. A selected region's details name its dispute; a"
    " region without a dispute is agreed."
)
"""The instruction for adjudicators, shown above the picture."""

DISPUTE = "dispute"
"""Key in the `meta` of a region for the number of its dispute; in that of a choice, the numbers by class."""

OVERLAPS = "overlaps"
"""Key in the `meta` of a region for the numbers of other disputes with a label that may mark the same object.

The number of agreed labels is `UNDISPUTED`.
"""

UNDISPUTED = 0
"""The number of labels that are not in dispute."""

_SAME = 0.3
"""The least share of the smaller of two authors' labels that the other covers where they may mark one object.

Their IoU does not serve: it is low here, or they would be one dispute, and it is always low for a part and
its whole. Boxes of one size that are shifted by up to seven tenths of their length cover as much of each
other; generously drawn labels of neighbouring objects cover less.
"""


class Disputes(NamedTuple):
    """The disputes to adjudicate.

    Attributes:
        images: image_id and `why`, the disputes in words; the image with the most disputes first.
        regions: The regions to show, by image_id: disputed labels, then agreed ones.
        problems: Labels that the project cannot show; their images are omitted from `images`, because an
            answer given without these labels would lose them.
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
    """Collect the disputes that nobody has settled, by image.

    Args:
        disputes: The disputes table.
        agreed: Rows of the annotations table that were agreed on; they may include other images.
        labels: Rows of the annotations table, including those in dispute; equal files may repeat them.
        sizes: Width and height (px) of the upright images that can be pushed, by image_id.
        shapes: The shapes that the project can draw.
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
    objects = _objects(drawn)
    drawn = drawn.join(objects, on=["image_id", "number"], maintain_order="left")
    mine, settled = _by_image(drawn.sort("number", "annotation_id")), _by_image(agreed)
    found = Disputes(pl.DataFrame(schema={"image_id": pl.String, "why": pl.String}), {}, [])
    images = []
    for (image_id,), disputed in objects.group_by("image_id", maintain_order=True):
        undisputed = settled.get(image_id, agreed.clear())
        rows = pl.concat([mine[image_id].select(columns), undisputed.select(columns)])
        # A model's confidence in its prediction must not influence the adjudicator.
        shown = regions_of(rows.with_columns(score=pl.lit(None, pl.Float64)), sizes, shapes)
        if shown.problems:
            found.problems.extend(shown.problems)
            continue
        found.regions[image_id] = _with_notes(shown.results[image_id], mine[image_id], undisputed)
        images.append((image_id, "\n".join(disputed["note"]), disputed.height))
    images.sort(key=lambda one: (-one[2], one[0]))
    return found._replace(images=pl.DataFrame([one[:2] for one in images], found.images.schema, orient="row"))


def _by_image(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {key: group for (key,), group in rows.group_by("image_id", maintain_order=True)}


def _numbered(
    drawn: pl.DataFrame, agreed: pl.DataFrame, sizes: Mapping[str, tuple[int, int]]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add to both the number of their dispute, from 1 in each image, and the numbers that they overlap."""
    rank = pl.col("unit").rank("dense").over("image_id").cast(pl.Int64)
    drawn = drawn.with_columns(pl.col("author").fill_null(""), number=rank)
    agreed = agreed.with_columns(pl.col("author").fill_null(""), number=pl.lit(UNDISPUTED, pl.Int64))
    known = pl.DataFrame(
        [(key, *size) for key, size in sizes.items()],
        schema={"image_id": pl.String, "width": pl.Int64, "height": pl.Int64},
        orient="row",
    )
    # Classes of the whole image overlap with every label.
    placed = pl.concat([drawn.select(agreed.columns), agreed]).filter(pl.col("shape") != "class")
    pairs = find_overlaps(placed, known)
    same = covered_shares(pairs, known) >= _SAME
    one, other = (pairs.labels[rows[same]] for rows in (pairs.first, pairs.second))
    found = [
        first.select("image_id", "annotation_id", "number", "author").with_columns(
            second["number"].alias(OVERLAPS), whose=second["author"]
        )
        for first, second in ((one, other), (other, one))
    ]
    # The author of an agreed label is everybody who agreed; one author who drew two labels meant two objects.
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


def _objects(drawn: pl.DataFrame) -> pl.DataFrame:
    """image_id, number and note (in words) of each object in dispute."""
    objects = (
        drawn.sort("image_id", "number", "annotation_id")
        .group_by("image_id", "number", maintain_order=True)
        .agg(
            "label",
            pl.col("reason", "message").first(),
            pl.col(OVERLAPS).explode().drop_nulls().unique().sort(),
            whole=pl.col("shape").first() == "class",
        )
    )
    notes = [
        f"Dispute {number}{' (whole image)' * whole}: {_sentence(reason, message, names)}{_overlap(others)}"
        for number, names, reason, message, others, whole in objects.drop("image_id").iter_rows()
    ]
    return objects.select("image_id", "number", note=pl.Series(notes, dtype=pl.String))


def _overlap(others: list[int]) -> str:
    if not others:
        return ""
    numbers = [str(number) for number in others if number != UNDISPUTED]
    parts = [f"dispute{'s' * (len(numbers) > 1)} {', '.join(numbers)}"] * bool(numbers)
    parts += ["what is agreed"] * (UNDISPUTED in others)
    return f"; overlaps {' and '.join(parts)}: one object or {'two' if len(others) == 1 else 'more'}?"


def _sentence(reason: str, message: str, names: list[str]) -> str:
    counts = sorted(Counter(names).items(), key=lambda one: (-one[1], one[0]))
    if reason == "class":
        return ", ".join(f"{count} call it '{name}'" for name, count in counts)
    return f"{message} ({', '.join(name for name, _ in counts)})"


def _with_notes(
    regions: list[dict[str, Any]], disputed: pl.DataFrame, agreed: pl.DataFrame
) -> list[dict[str, Any]]:
    """Add notes and numbers to the `meta` of regions that are in a dispute or overlap one."""
    notes = {row["annotation_id"]: row for row in disputed.iter_rows(named=True)}
    whole = disputed.filter(pl.col("shape") == "class").select("label", "number", "note")
    beside = dict(agreed.drop_nulls(OVERLAPS).select("annotation_id", OVERLAPS).iter_rows())
    noted = []
    for region in regions:
        key = region["id"][:32]
        if region["type"] == "choices" and whole.height:
            numbers = dict(whole.select("label", "number").iter_rows())
            texts = whole["note"].unique(maintain_order=True).to_list()
            noted.append(region | {"meta": {"text": ["; ".join(texts)], DISPUTE: numbers}})
        elif key in notes:
            mine = notes[key]
            others = {OVERLAPS: mine[OVERLAPS]} if mine[OVERLAPS] else {}
            noted.append(region | {"meta": {"text": [mine["note"]], DISPUTE: mine["number"], **others}})
        elif key in beside:
            noted.append(
                region | {"meta": {"text": [f"Agreed{_overlap(beside[key])}"], OVERLAPS: beside[key]}}
            )
        else:
            noted.append(region)
    return noted
