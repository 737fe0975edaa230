"""Measure how far annotators agree: overall, by pair, by class and by annotator, with intervals.

An object that one author drew and another, who saw the image, did not is a disagreement with `NOTHING`. That
makes chance-corrected measures over objects strict, because what everybody left out is not an object; whether
there is anything in an image is therefore measured separately, by image (`presence`). No measure sees what
everybody missed: `chapman` estimates it for two annotators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
import scipy

from tundish.labeling.agreement.clusters import NOTHING
from tundish.labeling.agreement.coefficients import (
    Coefficient,
    chapman,
    coefficient,
    cohen_kappa,
    cohen_kappas,
    fleiss_kappa,
    krippendorff_alphas,
)
from tundish.labeling.agreement.resampling import bootstrap_intervals, sum_by_image
from tundish.labeling.agreement.tallies import (
    code_of,
    count_coincidences,
    count_tallies,
    one_against_rest,
    share,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from tundish.imaging.geometry import Floats
    from tundish.labeling.agreement.tallies import Tallies

__all__ = ["Agreement", "measure_agreement"]

_MEASURES = ("alpha", "percent", "presence_alpha", "presence_percent", "f1", "f1_class", "mean_iou")

_SHARES = {
    "f1": pl.col("paired").mean(),
    "f1_class": pl.col("same").mean(),
    "mean_iou": pl.col("iou").mean(),
}
"""Measures over the labels in `Tallies.sides`."""

_PAIRS = {
    "author": pl.String,
    "other": pl.String,
    "images": pl.Int64,
    "labels": pl.Int64,
    "other_labels": pl.Int64,
    "f1": pl.Float64,
    "f1_class": pl.Float64,
    "mean_iou": pl.Float64,
    "percent": pl.Float64,
    "kappa": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "presence_kappa": pl.Float64,
    "total": pl.Float64,
    "note": pl.String,
}

_VALUES = {"value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "items": pl.Int64, "note": pl.String}


class Agreement(NamedTuple):
    """How far annotators agree. A measure that is not defined is null, and `note` says why.

    Attributes:
        overall: measure, value, low, high (95 %, by resampling images), items, note. Over objects:
            Krippendorff's nominal `alpha`, the agreement that it corrects for chance (`percent`), and
            `fleiss` over the objects with the most frequent number of ratings. Over images, something or
            nothing: `presence_alpha`, `presence_percent`, and `prevalence`, the share of answers with a
                label. Over
            labels: the share with a partner (`f1`), with a partner of their class (`f1_class`), and the
            `mean_iou` of partners.
        pairs: author, other; images that both saw; labels and other_labels, their numbers; f1, f1_class,
            mean_iou, percent; Cohen's kappa over objects with low and high, presence_kappa over images;
            `total`, Chapman's estimate of the number of objects; note, about kappa.
        classes: label; labels, counted once for each other author; f1_class, mean_iou with partners of the
            class; alpha against the rest with low and high; note, about alpha.
        annotators: author; images that another author saw too; labels, counted once for each other author,
            of those `extra` (without a partner) and `confused` (with a partner of another class); `missed`,
            labels of others without a partner; f1, f1_class, mean_iou.
        confusion: author, other, label, other_label (null: drew nothing there), kind and count. The kind is
            same, class (another class), extra or missed, from the view of the author.
        matches: The paired labels, as `match_labels` returns them.
    """

    overall: pl.DataFrame
    pairs: pl.DataFrame
    classes: pl.DataFrame
    annotators: pl.DataFrame
    confusion: pl.DataFrame
    matches: pl.DataFrame


def measure_agreement(
    labels: pl.DataFrame,
    sizes: pl.DataFrame,
    answers: pl.DataFrame | None = None,
    *,
    iou: float = 0.5,
    draws: int = 1000,
    seed: int = 0,
) -> Agreement:
    """Measure how far the authors of labels agree; the order of rows does not matter.

    Args:
        labels: Rows of the annotations table, each with an author; those that are not valid are omitted.
        sizes: image_id, width, height (px); needed for images with polygons or masks.
        answers: image_id and author of who saw which image; without it only authors who drew something count.
        iou: The least IoU of labels of one object, above 0 up to 1.
        draws: Number of samples of images for the intervals.
        seed: Seed of those samples.

    Raises:
        UsageError: As for `find_overlaps` and `match_labels`.
    """
    counted = count_tallies(labels, sizes, answers, iou=iou)
    values = _values(counted, draws, seed)
    overall = values.head(len(_MEASURES)).insert_column(0, pl.Series("measure", _MEASURES))
    return Agreement(
        overall=pl.concat([overall, _plain(counted)]),
        pairs=_pairs(counted, draws, seed),
        classes=_classes(counted, values[len(_MEASURES) :]),
        annotators=_annotators(counted),
        confusion=_confusion(counted.matches),
        matches=counted.matches,
    )


def _values(counted: Tallies, draws: int, seed: int) -> pl.DataFrame:
    """The measures of `_MEASURES`, then alpha of each class against the rest."""
    size = len(counted.names)

    def measures(totals: Floats) -> Floats:
        objects = totals[:, : size**2].reshape(-1, size, size)
        shown = totals[:, size**2 : -4].reshape(-1, 2, 2)
        compared, paired, same, iou = totals[:, -4:].T
        found = [
            krippendorff_alphas(objects),
            _diagonal_share(objects),
            krippendorff_alphas(shown),
            _diagonal_share(shown),
        ]
        found += [share(paired, compared), share(same, compared), share(iou, paired)]
        found += [krippendorff_alphas(one_against_rest(objects, place)) for place in range(size - 1)]
        return np.stack(found, axis=1)

    sums = _sums(counted)
    values = measures(np.asarray(sums.sum(axis=0), np.float64).reshape(1, -1))[0]
    low, high = bootstrap_intervals(sums, measures, draws=draws, seed=seed)
    units, images, compared = counted.objects["unit"].n_unique(), len(counted.images), counted.sides.height
    items = [units, units, images, images, compared, compared, int(counted.sides["paired"].sum())]
    items += [units] * (size - 1)
    notes = [coefficient(value, item).why for value, item in zip(values.tolist(), items, strict=True)]
    table = {"value": values, "low": low, "high": high, "items": items, "note": notes}
    return pl.DataFrame(table, schema=_VALUES).with_columns(pl.col("value", "low", "high").fill_nan(None))


def _sums(counted: Tallies) -> csr_array:
    """Sums by image: coincidences of objects and presence; numbers of labels, paired and same ones; IoU."""
    images, sides = len(counted.images), counted.sides
    at = sides.select(code_of("image_id", counted.images)).to_series().to_numpy()
    amounts = [sides[name].fill_null(0).cast(pl.Float64).to_numpy() for name in ("paired", "same", "iou")]
    columns = [np.ones(sides.height), *amounts]
    labels = [sum_by_image(at, np.zeros_like(at), column, (images, 1)) for column in columns]
    objects = count_coincidences(counted.objects, images, len(counted.names))
    return scipy.sparse.hstack(
        [objects, count_coincidences(counted.presence, images, 2), *labels], format="csr"
    )


def _diagonal_share(tables: Floats) -> Floats:
    """The share of tables (..., k, k) on their diagonal, (...)."""
    return share(np.trace(tables, axis1=-2, axis2=-1), tables.sum(axis=(-2, -1)))


def _plain(counted: Tallies) -> pl.DataFrame:
    """The measures without an interval."""
    kappa, note = _fleiss(counted)
    prevalence = counted.presence["label"].mean()
    rows = [
        ("fleiss", kappa.value, None, None, kappa.items, note),
        ("prevalence", prevalence, None, None, counted.presence.height, "" if counted.images else kappa.why),
    ]
    schema = {"measure": pl.String} | _VALUES
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("value").fill_nan(None))


def _fleiss(counted: Tallies) -> tuple[Coefficient, str]:
    objects = counted.objects.with_columns(raters=pl.len().over("unit"))
    if objects.is_empty():
        none = fleiss_kappa(np.zeros((0, len(counted.names))))
        return none, none.why
    common = objects.group_by("raters").agg(pl.col("unit").n_unique()).sort("unit", "raters")["raters"][-1]
    chosen = objects.filter(pl.col("raters") == common)
    numbers, unit = np.unique(chosen["unit"].to_numpy(), return_inverse=True)
    shape = (len(numbers), len(counted.names))
    kappa = fleiss_kappa(sum_by_image(unit, chosen["label"].to_numpy(), np.ones(len(unit)), shape).toarray())
    left = objects["unit"].n_unique() - len(numbers)
    return kappa, kappa.why or (
        f"{left} objects without exactly {common} ratings are left out" if left else ""
    )


def _pairs(counted: Tallies, draws: int, seed: int) -> pl.DataFrame:
    rows = []
    matches, sides, seen = (
        frame.partition_by("author", "other", as_dict=True)
        for frame in (counted.matches, counted.sides, counted.seen)
    )
    for author, other in sorted(seen):
        mine = sides.get((author, other), counted.sides.clear())
        theirs = sides.get((other, author), counted.sides.clear())
        pairs = matches.get((author, other), counted.matches.clear())
        rows.append(
            {
                "author": author,
                "other": other,
                "images": seen[author, other].height,
                "labels": mine.height,
                "other_labels": theirs.height,
                **pl.concat([mine, theirs]).select(**_SHARES).row(0, named=True),
                **_kappas(pairs, seen[author, other], counted.names, draws, seed),
                "total": float(chapman(mine.height, theirs.height, int(mine["paired"].sum()))),
            }
        )
    return pl.DataFrame(rows, schema=_PAIRS, orient="row").with_columns(pl.selectors.float().fill_nan(None))


def _kappas(
    matches: pl.DataFrame, seen: pl.DataFrame, names: list[str], draws: int, seed: int
) -> dict[str, float | str]:
    """Agreement of two authors on objects, with an interval, and on images."""
    size, images = len(names), seen["image_id"].to_list()
    ends = pl.col("label", "other_label").fill_null(NOTHING)
    at = matches.with_columns(ends).select(
        image=code_of("image_id", images), cell=code_of("label", names) * size + code_of("other_label", names)
    )
    sums = sum_by_image(
        at["image"].to_numpy(), at["cell"].to_numpy(), np.ones(at.height), (len(images), size**2)
    )

    def kappa(totals: Floats) -> Floats:
        return cohen_kappas(totals.reshape(-1, size, size))[:, None]

    low, high = bootstrap_intervals(sums, kappa, draws=draws, seed=seed)
    table = np.asarray(sums.sum(axis=0), np.float64).reshape(size, size)
    objects = cohen_kappa(table)
    cells = seen.select(2 * pl.col("some").cast(pl.Int64) + pl.col("other_some").cast(pl.Int64)).to_series()
    shown = np.bincount(cells.to_numpy(), minlength=4).reshape(2, 2)
    return {
        "percent": float(_diagonal_share(table)),
        "kappa": objects.value,
        "low": float(low[0]),
        "high": float(high[0]),
        "presence_kappa": cohen_kappa(shown).value,
        "note": objects.why,
    }


def _classes(counted: Tallies, alphas: pl.DataFrame) -> pl.DataFrame:
    """The measures by class; `alphas` has a row for each class, in their order."""
    same = pl.col("same")
    by_class = counted.sides.group_by("label").agg(
        labels=pl.len().cast(pl.Int64), f1_class=same.mean(), mean_iou=pl.col("iou").filter(same).mean()
    )
    classes = alphas.select(alpha="value", low="low", high="high", note="note").insert_column(
        0, pl.Series("label", counted.names[:-1], dtype=pl.String)
    )
    joined = classes.join(by_class, on="label", how="left", maintain_order="left")
    return joined.select(
        "label", pl.col("labels").fill_null(0), "f1_class", "mean_iou", "alpha", "low", "high", "note"
    )


def _annotators(counted: Tallies) -> pl.DataFrame:
    images = pl.concat(
        [counted.seen.select("image_id", "author"), counted.seen.select("image_id", author="other")]
    )
    seen = images.group_by("author").agg(images=pl.col("image_id").n_unique().cast(pl.Int64))
    sides, alone = counted.sides, ~pl.col("paired")
    mine = sides.group_by("author").agg(
        labels=pl.len(), extra=alone.sum(), confused=(pl.col("paired") & ~pl.col("same")).sum()
    )
    theirs = sides.group_by(author="other").agg(missed=alone.sum())
    both = pl.concat([sides, sides.with_columns(author="other")]).group_by("author").agg(**_SHARES)
    for frame in (mine, theirs, both):
        seen = seen.join(frame, on="author", how="left")
    counts = pl.col("labels", "extra", "confused", "missed").fill_null(0).cast(pl.Int64)
    return seen.select("author", "images", counts, "f1", "f1_class", "mean_iou").sort("author")


def _confusion(matches: pl.DataFrame) -> pl.DataFrame:
    ours, theirs = pl.col("label"), pl.col("other_label")
    kind = (
        pl.when(ours.is_null())
        .then(pl.lit("missed"))
        .when(theirs.is_null())
        .then(pl.lit("extra"))
        .when(ours == theirs)
        .then(pl.lit("same"))
        .otherwise(pl.lit("class"))
    )
    keys = ["author", "other", "label", "other_label"]
    counted = matches.group_by(*keys, kind=kind).agg(count=pl.len().cast(pl.Int64))
    return counted.sort(keys, nulls_last=True)
