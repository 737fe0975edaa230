"""From several authors' labels of an image to one set: what a quorum agrees on, and what stays in dispute."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from tundish.errors import UsageError
from tundish.imaging.geometry import box_of_counts
from tundish.imaging.overlap import majority_of_counts
from tundish.labeling.agreement.clusters import collect_units
from tundish.labeling.agreement.overlaps import authors_by_image, counts_of_labels, find_overlaps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tundish.labeling.agreement.overlaps import Overlaps

__all__ = ["AGREED", "Consensus", "merge_labels"]

_GEOMETRY: dict[str, pl.DataType | type[pl.DataType]] = {
    "shape": pl.String,
    "x": pl.Float64,
    "y": pl.Float64,
    "width": pl.Float64,
    "height": pl.Float64,
    "segmentation": pl.List(pl.List(pl.Float64)),
    "rle": pl.String,
}

AGREED: dict[str, pl.DataType | type[pl.DataType]] = {
    "annotation_id": pl.String,
    "image_id": pl.String,
    "path": pl.String,
    "source": pl.String,
    "label": pl.String,
    **_GEOMETRY,
    "is_crowd": pl.Boolean,
    "attributes": pl.String,
    "votes": pl.Int64,
    "drawn": pl.Int64,
    "answered": pl.Int64,
    "agreement": pl.Float64,
    "decided_by": pl.List(pl.String),
    "members": pl.List(pl.String),
}
"""Columns of agreed labels."""

_SLACK = 1e-9
"""Of shares and weights: what the arithmetic of thirds leaves."""


class Consensus(NamedTuple):
    """What the authors agree on.

    Attributes:
        agreed: Columns `AGREED`. Geometry as in the annotations table; `attributes` where all who voted for
            the class have the same; votes for the class, authors who have `drawn` it, authors who have
            `authors_by_image` the image; `agreement`: mean IoU of each two, null of a single one; `decided_by`: who
            voted for the class, `members`: the annotation_ids it was made of, both sorted. A label with one
            member keeps its annotation_id, else it follows from theirs.
        disputes: The labels without a quorum as they came, and: unit, number of the thing they speak of;
            reason: quorum (too few drew it), class (they drew it, and call it differently) or geometry (no
            pixel is in more than half of their shapes); message: the reason in words; `silent`: who has seen
            the image and drew nothing there.
        images: image_id; answered: authors; agreed, disputed: things; state: labelled (all things agreed),
            negative (all who answered say: nothing here), or disputed.
    """

    agreed: pl.DataFrame
    disputes: pl.DataFrame
    images: pl.DataFrame


def merge_labels(
    labels: pl.DataFrame,
    sizes: pl.DataFrame,
    answers: pl.DataFrame | None = None,
    *,
    quorum: float = 2 / 3,
    iou: float = 0.5,
    tolerance: float = 0.0,
    weights: Mapping[str, float] | None = None,
) -> Consensus:
    """One set of labels an image, whatever the order of labels and authors.

    One author's labels stay as they are. A thing is agreed where a quorum of those who have seen the image
    drew it, and a quorum of these say what it is. Edges of boxes are averaged. Of other shapes stays what
    more than half of the authors set, as a mask; shapes that are equal stay as they are.

    Args:
        labels: Rows of the annotations table with an author each; those that are not valid are left out.
        sizes: image_id, width, height (px); needed for images with polygons or masks.
        answers: image_id and author of who has seen which image: only so it is known who drew nothing.
        quorum: Least share of the authors, above 0 up to 1.
        iou: The least IoU of labels of one thing, above 0 up to 1.
        tolerance: px by which shapes grow before they are compared, as for `find_overlaps`.
        weights: Of each author's vote for the class, 0 or more, as `reliability.weights` has them. Everybody
            counts alike where it comes to whether there is anything.

    Raises:
        UsageError: As for `find_overlaps`; a quorum or weights outside their range, an author without a weight.
    """
    found = find_overlaps(labels, sizes, tolerance=tolerance)
    _check(found, quorum, weights)
    said = collect_units(found, answers, iou=iou)
    things = _things(said, found, quorum, weights)
    things = _averaged(things, said, found, sizes)
    agreed = things.filter(pl.col("reason").is_null()).select(
        pl.col(name).cast(kind) for name, kind in AGREED.items()
    )
    return Consensus(
        agreed=agreed.sort("image_id", "label", "x", "y", "annotation_id"),
        disputes=_disputes(things, said, found),
        images=_images(authors_by_image(found, answers), things),
    )


def _check(found: Overlaps, quorum: float, weights: Mapping[str, float] | None) -> None:
    if not 0 < quorum <= 1:
        raise UsageError(f"a quorum of {quorum:g}", where="quorum", fix="give a share above 0, up to 1")
    if weights is None:
        return
    unknown = sorted(set(found.labels["author"]) - set(weights))
    if unknown:
        raise UsageError(f"'{unknown[0]}' has no weight", where="weights", fix="give one to each author")
    for author, weight in weights.items():
        if not 0 <= weight < float("inf"):
            raise UsageError(f"a weight of {weight:g} for '{author}'", where="weights", fix="give 0 or more")


def _things(
    said: pl.DataFrame, found: Overlaps, quorum: float, weights: Mapping[str, float] | None
) -> pl.DataFrame:
    """A row for each thing: who drew it, the class that was voted, the reason where it is in dispute."""
    drawn = said.filter(pl.col("row").is_not_null())
    own = (
        pl.lit(1.0)
        if weights is None
        else pl.col("author").replace_strict(dict(weights), default=0.0, return_dtype=pl.Float64)
    )
    ballots = drawn.with_columns(weight=own).group_by("unit", "label").agg(
        # Sorted, so that the sum does not depend on what the authors are called.
        pl.col("weight").sort().sum(), votes=pl.len(), decided_by=pl.col("author").sort()
    )  # fmt: skip
    won = ballots.sort("unit", "weight", "label", descending=[False, True, False]).group_by("unit").agg(
        pl.col("label", "votes", "decided_by").first(),
        share=(pl.col("weight").first() / pl.col("weight").sum()).fill_nan(0.0),
        tied=(pl.col("weight") > pl.col("weight").first() - _SLACK).sum() > 1,
    )  # fmt: skip
    silent = pl.col("author").filter(pl.col("row").is_null()).sort()
    everybody = said.group_by("unit").agg(
        pl.col("image_id").first(),
        answered=pl.len(),
        drawn=pl.col("row").is_not_null().sum(),
        silent=silent,
    )
    few = pl.col("drawn") < quorum * pl.col("answered") - _SLACK
    split = pl.col("tied") | ~(pl.col("share") >= quorum - _SLACK)
    reason = pl.when(few).then(pl.lit("quorum")).when(split).then(pl.lit("class"))
    return (
        everybody.join(won, on="unit")
        .with_columns(reason=reason)
        .join(_agreement(said, found), on="unit")
        .sort("unit")
    )


def _agreement(said: pl.DataFrame, found: Overlaps) -> pl.DataFrame:
    """Unit and agreement: mean IoU of each two labels of a thing."""
    drawn = said.filter(pl.col("row").is_not_null()).sort("row")
    unit = drawn["unit"].to_numpy()
    together = (unit[found.first] == unit[found.second]) & ~found.mixed
    pairs = pl.DataFrame({"unit": unit[found.first[together]], "iou": found.iou[together]})
    sums = pairs.group_by("unit").agg(pl.col("iou").sort().sum())
    both = drawn.group_by("unit").agg(count=pl.len().cast(pl.Float64)).join(sums, on="unit", how="left")
    each_two = pl.col("count") * (pl.col("count") - 1) / 2
    return both.select("unit", agreement=pl.when(each_two > 0).then(pl.col("iou").fill_null(0.0) / each_two))


def _averaged(things: pl.DataFrame, said: pl.DataFrame, found: Overlaps, sizes: pl.DataFrame) -> pl.DataFrame:
    """The things with one geometry each, and what else their labels have in common."""
    drawn = said.filter(pl.col("row").is_not_null()).select("unit", "row").sort("row")
    labels = found.labels[drawn["row"].to_numpy()].hstack(drawn)
    voted = labels.join(things.select("unit", voted="label"), on="unit", maintain_order="left")
    attributes = pl.col("attributes").filter(pl.col("label") == pl.col("voted"))
    common = voted.group_by("unit").agg(
        pl.col("path", "source").min(),
        pl.col("is_crowd").first(),
        members=pl.col("annotation_id").sort(),
        attributes=pl.when(attributes.n_unique() == 1).then(attributes.first()),
    )
    ids = [_id(members) for members in common["members"].to_list()]
    common = common.with_columns(annotation_id=pl.Series(ids, dtype=pl.String))
    shapes = _shapes(labels, things.filter(pl.col("reason").is_null())["unit"], sizes)
    things = things.join(common, on="unit").join(shapes, on="unit", how="left").sort("unit")
    torn = pl.col("reason").is_null() & pl.col("shape").is_null()
    return things.with_columns(reason=pl.when(torn).then(pl.lit("geometry")).otherwise("reason"))


def _id(members: list[str]) -> str:
    if len(members) == 1:
        return members[0]
    return hashlib.sha256("\0".join(members).encode()).hexdigest()[:32]


def _shapes(labels: pl.DataFrame, wanted: pl.Series, sizes: pl.DataFrame) -> pl.DataFrame:
    """Unit and geometry of the things in `wanted`; those whose majority is empty are missing."""
    labels = labels.filter(pl.col("unit").is_in(wanted.implode()))
    right, lower = pl.col("x") + pl.col("width"), pl.col("y") + pl.col("height")
    by_unit = labels.group_by("unit", maintain_order=True)
    first = by_unit.agg(
        pl.col(*_GEOMETRY).first(),
        equal=pl.struct(*_GEOMETRY).n_unique() == 1,
        kind=pl.when(pl.col("shape").n_unique() == 1).then(pl.col("shape").first()),
    )
    kept = first.filter(pl.col("equal") | pl.col("kind").eq_missing("class")).select("unit", *_GEOMETRY)
    open_ = first.join(kept, on="unit", how="anti")
    boxes = pl.col("kind").eq_missing("box")
    # Sorted, so that the sum does not depend on what the authors are called.
    edges = by_unit.agg(
        left=pl.col("x").sort().mean(), top=pl.col("y").sort().mean(),
        right=right.sort().mean(), lower=lower.sort().mean(),
    )  # fmt: skip
    averaged = open_.filter(boxes).join(edges, on="unit").with_columns(
        x="left", y="top", width=pl.col("right") - pl.col("left"), height=pl.col("lower") - pl.col("top")
    )  # fmt: skip
    drawn = labels.join(open_.filter(~boxes), on="unit", how="semi", maintain_order="left")
    parts = [kept, averaged.select("unit", *_GEOMETRY), _masks(drawn, sizes)]
    return pl.concat(
        [part.select(pl.col("unit"), *(pl.col(n).cast(k) for n, k in _GEOMETRY.items())) for part in parts]
    )


def _masks(labels: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """Unit and geometry: the pixels that more than half of the labels of a thing set; none, no row."""
    masks: dict[int, list[tuple[str, int, int]]] = {}
    for unit, coded in zip(labels["unit"], counts_of_labels(labels, sizes), strict=True):
        masks.setdefault(unit, []).append(coded)
    rows = []
    for unit, drawn in masks.items():
        _, width, height = drawn[0]
        counts = majority_of_counts([one for one, _, _ in drawn], width, height)
        box = box_of_counts(counts, width, height)
        if box is not None:
            rows.append((unit, "mask", *box, None, counts))
    return pl.DataFrame(rows, schema={"unit": pl.Int64, **_GEOMETRY}, orient="row")


def _disputes(things: pl.DataFrame, said: pl.DataFrame, found: Overlaps) -> pl.DataFrame:
    open_ = things.filter(pl.col("reason").is_not_null()).select(
        "unit", "reason", "silent", message=_message()
    )
    rows = said.filter(pl.col("row").is_not_null()).select("unit", "row").join(open_, on="unit").sort("row")
    return found.labels[rows["row"].to_numpy()].hstack(rows.drop("row"))


def _message() -> pl.Expr:
    few = pl.format("{} of {} who have seen the image drew it", "drawn", "answered")
    split = pl.format("of {} who drew it, no more than {} say '{}'", "drawn", "votes", "label")
    empty = pl.lit("no pixel is in more than half of the shapes")
    reason = pl.col("reason")
    return pl.when(reason == "quorum").then(few).when(reason == "class").then(split).otherwise(empty)


def _images(answers: pl.DataFrame, things: pl.DataFrame) -> pl.DataFrame:
    counts = things.group_by("image_id").agg(
        agreed=pl.col("reason").is_null().sum().cast(pl.Int64),
        disputed=pl.col("reason").is_not_null().sum().cast(pl.Int64),
    )
    seen = answers.group_by("image_id").agg(answered=pl.len().cast(pl.Int64))
    joined = seen.join(counts, on="image_id", how="left").with_columns(
        pl.col("agreed", "disputed").fill_null(0)
    )
    state = (
        pl.when(pl.col("disputed") > 0)
        .then(pl.lit("disputed"))
        .when(pl.col("agreed") > 0)
        .then(pl.lit("labelled"))
        .otherwise(pl.lit("negative"))
    )
    return joined.with_columns(state=state).sort("image_id")
