"""Read the annotators' judgements of a dataset, and summarise how far they agree and how often each errs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from tundish.errors import MissingStepError
from tundish.labeling.agreement.clusters import NOTHING, collect_units
from tundish.labeling.agreement.measures import Agreement, measure_agreement
from tundish.labeling.agreement.overlaps import find_overlaps
from tundish.labeling.agreement.reliability import annotator_quality, fit_dawid_skene
from tundish.labeling.agreement.severities import measure_severities, measure_severities_by_pair
from tundish.labeling.tables import ANSWERS, judgements_of
from tundish.storage.tables import ANNOTATIONS, IMAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tundish.storage.dataset import DatasetFolder

__all__ = ["AgreementSummary", "Judgements", "confusion_table", "read_judgements", "summarise_agreement"]


class Judgements(NamedTuple):
    """The judgements of annotators.

    Attributes:
        labels: Rows of the annotations table, each with its author, including those that are not valid.
        sizes: image_id, width, height (px) of the images.
        answers: image_id and author of who saw which image.
        severities: image_id, author and the severity that the author chose.
    """

    labels: pl.DataFrame
    sizes: pl.DataFrame
    answers: pl.DataFrame
    severities: pl.DataFrame


class AgreementSummary(NamedTuple):
    """How far annotators agree.

    Attributes:
        shared: Number of images that two annotators or more answered.
        agreement: The measures.
        quality: The annotators as `annotator_quality` returns them; empty where no object has three judges.
        notes: Sentences for the user.
    """

    shared: int
    agreement: Agreement
    quality: pl.DataFrame
    notes: list[str]


def read_judgements(dataset: DatasetFolder) -> Judgements:
    """Read the judgements of a dataset's annotators; skipped tasks and adjudicators' answers do not count.

    Args:
        dataset: The dataset's folder.

    Raises:
        MissingStepError: The dataset was not validated since the answers were pulled.
    """
    curated = dataset.curated
    sizes = dataset.read(IMAGES).select("image_id", "width", "height")
    author = pl.col("author").fill_null("annotator")
    labels = dataset.read(ANNOTATIONS).filter(pl.col("origin") == "annotator")
    labels = labels.with_columns(author).unique("annotation_id", maintain_order=True)
    path = dataset.table("answers", dataset.labels)
    answers = ANSWERS.read_if_there(path)
    labels, answers = judgements_of(labels, answers.filter(pl.col("answer") != "cancelled"))
    answers = answers.join(sizes, on="image_id", how="semi").with_columns(author)
    unread = answers.filter(pl.col("labels") > 0).join(labels, on=["image_id", "author"], how="anti")
    if unread.height:
        raise MissingStepError(
            f"the labels of {unread.height:,} answers are not in the annotations table",
            where=str(curated / "annotations.parquet"),
            fix=f"run 'tundish run {dataset.name} --to consensus' after a pull",
        )
    # A region that could not be read was drawn all the same: its image is not empty.
    whole = answers.filter((pl.col("refused") == 0) | (pl.col("labels") > 0))
    seen = whole.select("image_id", "author").unique(maintain_order=True)
    rated = answers.drop_nulls("severity").select("image_id", "author", "severity")
    return Judgements(labels, sizes, seen, rated)


def summarise_agreement(
    judgements: Judgements, *, iou: float, severities: Sequence[str] = ()
) -> AgreementSummary:
    """Measure agreement, and estimate each annotator's reliability.

    Args:
        judgements: The judgements.
        iou: The least IoU of labels of one object.
        severities: The recipe's severities, from the least to the worst. Agreement on them is measured where
            there are any: `severity_alpha` (Krippendorff's, ordinal) and `severity_percent` over all
            annotators, and `severity_kappa` (Cohen's, with linear weights) for pairs.
    """
    found = measure_agreement(judgements.labels, judgements.sizes, judgements.answers, iou=iou)
    if severities:
        rows = measure_severities(judgements.severities, severities)
        found = found._replace(
            overall=pl.concat([found.overall, rows], how="diagonal"),
            pairs=found.pairs.join(
                measure_severities_by_pair(judgements.severities, severities),
                on=["author", "other"],
                how="left",
            ),
        )
    shared = int(found.overall.filter(measure="presence_percent")["items"][0] or 0)
    empty = pl.DataFrame(schema={"author": pl.String})
    if not shared:
        note = "fewer than two annotators answered the same images: there is nothing to compare"
        return AgreementSummary(0, found, empty, [note])
    votes = collect_units(find_overlaps(judgements.labels, judgements.sizes), judgements.answers, iou=iou)
    votes = votes.filter(pl.len().over("unit") > 1)
    if votes.is_empty():
        note = "nobody drew anything in the images that several annotators answered"
        return AgreementSummary(shared, found, empty, [note])
    model = fit_dawid_skene(votes)
    judges = votes.group_by("unit").agg(pl.col("author").n_unique())["author"]
    # Where two differ, nobody knows who errs; figures for each would suggest otherwise.
    reliable = annotator_quality(model) if (judges > 2).any() else empty
    return AgreementSummary(shared, found, reliable, [model.note] if model.note else [])


def confusion_table(found: Agreement) -> pl.DataFrame:
    """Tabulate the labels of one author by those of the other, over all pairs of authors.

    Each pair of authors is counted once, the author who comes first in the alphabet in rows; `NOTHING` where
    an author drew nothing.

    Args:
        found: The measures.

    Returns:
        label, then a column for each other label.
    """
    ends = pl.col("label", "other_label").fill_null(NOTHING)
    counts = found.confusion.with_columns(ends).group_by("label", "other_label").agg(pl.col("count").sum())
    last = pl.col("label") == NOTHING
    names = pl.concat([counts["label"], counts["other_label"]]).unique().sort().to_list()
    names.sort(key=lambda name: (name == NOTHING, name))
    table = counts.pivot("other_label", index="label", values="count", on_columns=names)
    return table.sort(last, "label").with_columns(pl.exclude("label").fill_null(0))
