"""Merge several authors' labels of an image into one set: what a quorum agrees on, and what is in dispute."""

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
"""Columns of agreed labels, `Consensus.agreed`."""

_SLACK = 1e-9
"""Slack for shares: the rounding error of thirds."""


class Consensus(NamedTuple):
    """The labels that authors agree on, and those in dispute.

    Attributes:
        agreed: Columns `AGREED`. Geometry as in the annotations table; `attributes`, where all who voted for
            the class have the same; `votes` for the class; `drawn` and `answered`, the numbers of authors who
            drew the object and who answered the image; `agreement`, the mean IoU of each two labels, null for
            a single one; `decided_by`, who voted for the class, and `members`, the annotation_ids that were
            merged, both sorted. A label with one member keeps its annotation_id; else it follows from theirs.
        disputes: The labels without a quorum, unchanged, with `unit`, the number of their object; `reason`:
            quorum (too few drew it), class (they drew it and disagree about its class) or geometry (no pixel
            is in more than half of their shapes); `message`, the reason in words; `silent`, the authors who
            saw the image and drew nothing there.
        images: image_id; `answered`, the number of authors; `agreed` and `disputed`, numbers of objects;
            `state`: labelled (all objects agreed), negative (nobody drew anything) or disputed.
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
) -> Consensus:
    """Merge labels into one set an image; the order of labels and authors does not matter.

    A single author's labels stay as they are. An object is agreed where a quorum of those who saw the image
    drew it, and a quorum of these agree on its class. Edges of boxes are averaged. Other shapes become a mask
    of the pixels that more than half of the authors set; equal shapes stay as they are.

    Args:
        labels: Rows of the annotations table, each with an author; those that are not valid are omitted.
        sizes: image_id, width, height (px); needed for images with polygons or masks.
        answers: image_id and author of who saw which image; only they show who drew nothing.
        quorum: The least share of the authors, above 0 up to 1.
        iou: The least IoU of labels of one object, above 0 up to 1.

    Raises:
        UsageError: As for `find_overlaps`; or the quorum is out of range.
    """
    if not 0 < quorum <= 1:
        raise UsageError(
            f"a quorum of {quorum:g} is out of range", where="quorum", fix="give a share above 0, up to 1"
        )
    found = find_overlaps(labels, sizes)
    judged = collect_units(found, answers, iou=iou)
    objects = _vote(judged, found, quorum)
    objects = _with_geometry(objects, judged, found, sizes)
    agreed = objects.filter(pl.col("reason").is_null()).select(
        pl.col(name).cast(kind) for name, kind in AGREED.items()
    )
    return Consensus(
        agreed=agreed.sort("image_id", "label", "x", "y", "annotation_id"),
        disputes=_disputes(objects, judged, found),
        images=_images(authors_by_image(found, answers), objects),
    )


def _vote(judged: pl.DataFrame, found: Overlaps, quorum: float) -> pl.DataFrame:
    """A row for each object: who drew it, the class with most votes, the reason where it is in dispute."""
    drawn = judged.filter(pl.col("row").is_not_null())
    ballots = drawn.group_by("unit", "label").agg(votes=pl.len(), decided_by=pl.col("author").sort())
    won = ballots.sort("unit", "votes", "label", descending=[False, True, False]).group_by("unit").agg(
        pl.col("label", "votes", "decided_by").first(),
        share=pl.col("votes").first() / pl.col("votes").sum(),
        tied=(pl.col("votes") == pl.col("votes").first()).sum() > 1,
    )  # fmt: skip
    silent = pl.col("author").filter(pl.col("row").is_null()).sort()
    everybody = judged.group_by("unit").agg(
        pl.col("image_id").first(),
        answered=pl.len(),
        drawn=pl.col("row").is_not_null().sum(),
        silent=silent,
    )
    few = pl.col("drawn") < quorum * pl.col("answered") - _SLACK
    split = pl.col("tied") | (pl.col("share") < quorum - _SLACK)
    reason = pl.when(few).then(pl.lit("quorum")).when(split).then(pl.lit("class"))
    return (
        everybody.join(won, on="unit")
        .with_columns(reason=reason)
        .join(_agreement(judged, found), on="unit")
        .sort("unit")
    )


def _agreement(judged: pl.DataFrame, found: Overlaps) -> pl.DataFrame:
    """Unit and agreement, the mean IoU of each two labels of an object."""
    drawn = judged.filter(pl.col("row").is_not_null()).sort("row")
    unit = drawn["unit"].to_numpy()
    together = (unit[found.first] == unit[found.second]) & ~found.mixed
    pairs = pl.DataFrame({"unit": unit[found.first[together]], "iou": found.iou[together]})
    sums = pairs.group_by("unit").agg(pl.col("iou").sort().sum())
    both = drawn.group_by("unit").agg(count=pl.len().cast(pl.Float64)).join(sums, on="unit", how="left")
    each_two = pl.col("count") * (pl.col("count") - 1) / 2
    return both.select("unit", agreement=pl.when(each_two > 0).then(pl.col("iou").fill_null(0.0) / each_two))


def _with_geometry(
    objects: pl.DataFrame, judged: pl.DataFrame, found: Overlaps, sizes: pl.DataFrame
) -> pl.DataFrame:
    """The objects with one geometry each, and with whatever else their labels have in common."""
    drawn = judged.filter(pl.col("row").is_not_null()).select("unit", "row").sort("row")
    labels = found.labels[drawn["row"].to_numpy()].hstack(drawn)
    voted = labels.join(objects.select("unit", voted="label"), on="unit", maintain_order="left")
    attributes = pl.col("attributes").filter(pl.col("label") == pl.col("voted"))
    common = voted.group_by("unit").agg(
        pl.col("path", "source").min(),
        pl.col("is_crowd").first(),
        members=pl.col("annotation_id").sort(),
        attributes=pl.when(attributes.n_unique() == 1).then(attributes.first()),
    )
    ids = [_id(members) for members in common["members"].to_list()]
    common = common.with_columns(annotation_id=pl.Series(ids, dtype=pl.String))
    shapes = _shapes(labels, objects.filter(pl.col("reason").is_null())["unit"], sizes)
    objects = objects.join(common, on="unit").join(shapes, on="unit", how="left").sort("unit")
    torn = pl.col("reason").is_null() & pl.col("shape").is_null()
    return objects.with_columns(reason=pl.when(torn).then(pl.lit("geometry")).otherwise("reason"))


def _id(members: list[str]) -> str:
    if len(members) == 1:
        return members[0]
    return hashlib.sha256("\0".join(members).encode()).hexdigest()[:32]


def _shapes(labels: pl.DataFrame, wanted: pl.Series, sizes: pl.DataFrame) -> pl.DataFrame:
    """Unit and geometry of the objects in `wanted`; objects without a majority of pixels are missing."""
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
    # Sorted, so that the sum does not depend on the authors' names.
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
    """Unit and geometry: the pixels that more than half of an object's labels set; no row without any."""
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


def _disputes(objects: pl.DataFrame, judged: pl.DataFrame, found: Overlaps) -> pl.DataFrame:
    open_ = objects.filter(pl.col("reason").is_not_null()).select(
        "unit", "reason", "silent", message=_message()
    )
    rows = judged.filter(pl.col("row").is_not_null()).select("unit", "row").join(open_, on="unit").sort("row")
    return found.labels[rows["row"].to_numpy()].hstack(rows.drop("row"))


def _message() -> pl.Expr:
    few = pl.format("{} of {} who saw the image drew it", "drawn", "answered")
    split = pl.format("of {} who drew it, no more than {} call it '{}'", "drawn", "votes", "label")
    empty = pl.lit("no pixel is in more than half of the shapes")
    reason = pl.col("reason")
    return pl.when(reason == "quorum").then(few).when(reason == "class").then(split).otherwise(empty)


def _images(answers: pl.DataFrame, objects: pl.DataFrame) -> pl.DataFrame:
    counts = objects.group_by("image_id").agg(
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
