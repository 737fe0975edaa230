"""consensus: decide which labels count: those a quorum of annotators agrees on, else the imported ones.

For an image that annotators answered only their answers count: they could keep or delete labels that were
imported or proposed by a model. What they do not agree on is in dispute, and excludes the image from the
splits until an adjudicator settles it, whose answer is final for this image: its labels have no votes and no
agreement. A batch that `tundish label accept` has not accepted is excluded as well.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

from tundish.labeling.acceptance.batch import read_batches
from tundish.labeling.acceptance.gate import hold_back
from tundish.labeling.agreement.severities import agreed_severities
from tundish.labeling.consensus.adjudications import read_adjudications
from tundish.labeling.consensus.merge import Consensus, merge_labels
from tundish.labeling.tables import ADJUDICATOR, ANSWERS, judgements_of, recorded_fingerprint
from tundish.stages.base import Context, Outcome, Stage
from tundish.storage.tables import ANNOTATIONS, CONSENSUS, COVERAGE, DISPUTES, IMAGES, STANDING

if TYPE_CHECKING:
    from tundish.labeling.consensus.adjudications import Adjudications

__all__ = ["STAGE"]

_COUNTED = ("labelled", "incomplete", "negative", "unlabelled", "disputed")

_EXCLUDED = {
    "refused": "are in a batch that was not accepted: correct the labels that were found, then"
    " 'tundish label accept {name}'",
    "unreviewed": "wait for a review: 'tundish label accept {name}'",
}


def _run(context: Context) -> Outcome:
    labels = context.dataset.read(ANNOTATIONS).filter("valid")
    coverage = context.dataset.read(COVERAGE)
    answers = _answers(context, coverage)
    drawn = labels.filter(pl.col("origin") == "annotator").unique("annotation_id", maintain_order=True)
    sizes = context.dataset.read(IMAGES).select("image_id", "width", "height")
    ruled = read_adjudications(drawn, answers, sizes, iou=context.recipe.label.iou)
    own, opinions = judgements_of(drawn, answers.filter(pl.col("answer") != "cancelled"))
    opinions = opinions.with_columns(pl.col("author").fill_null("annotator"))
    settled = _settle(context, own, opinions, sizes)
    heard = pl.concat([opinions.select("image_id"), ruled.answers.select("image_id")]).unique()
    came = labels.filter(pl.col("origin").ne_missing("annotator")).join(heard, on="image_id", how="anti")
    rows = pl.concat([_imported(came), _agreed(settled, ruled, coverage), _ruled(ruled, coverage)])
    label_state = _label_states(coverage, settled, ruled, opinions, own, rows)
    label_state = _gated(context, label_state, rows, agreed_severities(answers))
    context.dataset.write(CONSENSUS, rows)
    # `tundish label accept` checks whether these are the answers pulled last.
    STANDING.write(
        label_state,
        context.dataset.table("standing"),
        metadata=recorded_fingerprint(context.dataset.table("annotations")),
    )
    disputes = _disputes(settled, ruled)
    context.dataset.write(DISPUTES, disputes)
    notes = [
        *_batch_notes(context, label_state),
        *_dispute_notes(context, label_state, disputes),
        *_superseded_notes(answers, opinions),
        *_adjudication_notes(answers, opinions, ruled, disputes),
    ]
    return _outcome(label_state, heard, rows, ruled, notes)


def _answers(context: Context, coverage: pl.DataFrame) -> pl.DataFrame:
    """The answers, skipped ones included, for images that still exist."""
    answers = context.dataset.read_if_there(ANSWERS, context.dataset.labels)
    return answers.join(coverage, on="image_id", how="semi")


def _settle(context: Context, labels: pl.DataFrame, answers: pl.DataFrame, sizes: pl.DataFrame) -> Consensus:
    section = context.recipe.label
    return merge_labels(
        labels.with_columns(pl.col("author").fill_null("annotator")).join(answers, on="image_id", how="semi"),
        sizes,
        answers.select("image_id", "author"),
        quorum=section.quorum,
        iou=section.iou,
    )


def _imported(labels: pl.DataFrame) -> pl.DataFrame:
    return labels.with_columns(
        votes=pl.lit(None, pl.Int32), agreement=pl.lit(None, pl.Float64), decided_by=pl.lit("import")
    ).select(CONSENSUS.schema.names)


def _agreed(settled: Consensus, ruled: Adjudications, coverage: pl.DataFrame) -> pl.DataFrame:
    """What the annotators agree on, where no adjudicator has decided; also on disputed images."""
    agreed = settled.agreed.join(ruled.answers, on="image_id", how="anti", maintain_order="left")
    names = pl.col("decided_by").list.join(", ")
    return _of_files(agreed.with_columns(names, pl.col("votes").cast(pl.Int32)), coverage)


def _ruled(ruled: Adjudications, coverage: pl.DataFrame) -> pl.DataFrame:
    decided_by = pl.col("author").fill_null(ADJUDICATOR)
    alone = {"votes": pl.lit(None, pl.Int32), "agreement": pl.lit(None, pl.Float64)}
    return _of_files(ruled.labels.with_columns(decided_by=decided_by, **alone), coverage)


def _of_files(labels: pl.DataFrame, coverage: pl.DataFrame) -> pl.DataFrame:
    """Labels for every file of their image: whichever of equal files represents it has them."""
    files = coverage.select("image_id", "source", "path")
    return (
        labels.drop("source", "path")
        .join(files, on="image_id", how="inner", maintain_order="left_right")
        .with_columns(
            raw_label=pl.col("label"),
            score=pl.lit(None, pl.Float64),
            author=pl.col("decided_by"),
            origin=pl.lit("annotator"),
            label_path=pl.lit("label-studio"),
            label_row=pl.lit(None, pl.Int32),
            valid=pl.lit(value=True),
        )
        .select(CONSENSUS.schema.names)
    )


def _label_states(
    coverage: pl.DataFrame,
    settled: Consensus,
    ruled: Adjudications,
    opinions: pl.DataFrame,
    drawn: pl.DataFrame,
    rows: pl.DataFrame,
) -> pl.DataFrame:
    counts = rows.group_by("source", "path").agg(count=pl.len().cast(pl.Int32))
    decided = ruled.answers.select(
        "image_id",
        state=pl.when(pl.col("image_id").is_in(ruled.labels["image_id"].implode()))
        .then(pl.lit("labelled"))
        .otherwise(pl.lit("negative")),
    )
    answered = settled.images.join(decided, on="image_id", how="anti").select("image_id", "state")
    answered = pl.concat(
        [answered.with_columns(by=pl.lit("annotators")), decided.with_columns(by=pl.lit(ADJUDICATOR))]
    )
    # A region that was refused was drawn nevertheless: its image is not a negative.
    refused = pl.col("image_id").is_in(_refused(ruled, opinions, drawn).implode())
    heard = (
        pl.when((pl.col("answered") == "negative") & refused).then(pl.lit("rejected")).otherwise("answered")
    )
    return (
        coverage.join(
            answered.rename({"state": "answered"}), on="image_id", how="left", maintain_order="left"
        )
        .join(counts, on=["source", "path"], how="left", maintain_order="left")
        .select(
            *("path", "source", "image_id"),
            state=pl.coalesce(heard, "state"),
            labels=pl.col("count").fill_null(0),
            decided_by=pl.col("by").fill_null("import"),
        )
    )


def _refused(ruled: Adjudications, opinions: pl.DataFrame, drawn: pl.DataFrame) -> pl.Series:
    """Images with a refused region in one of the deciding answers."""
    deciding = pl.concat([opinions.join(ruled.answers, on="image_id", how="anti"), ruled.answers])
    labels = pl.concat([drawn.join(ruled.answers, on="image_id", how="anti"), ruled.labels])
    sound = labels.group_by("image_id").agg(sound=pl.len())
    refused = (pl.col("refused") > 0) | (pl.col("labels") > pl.col("sound").fill_null(0))
    sums = deciding.group_by("image_id").agg(pl.col("refused", "labels").sum())
    return sums.join(sound, on="image_id", how="left").filter(refused)["image_id"]


def _gated(
    context: Context, label_state: pl.DataFrame, rows: pl.DataFrame, severities: pl.DataFrame
) -> pl.DataFrame:
    acceptance = context.recipe.label.acceptance
    batches = read_batches(context.dataset.labels) if acceptance is None or acceptance.gate else []
    required = acceptance is not None and acceptance.gate
    class_of = context.recipe.annotations.lookup()
    if not batches and not required:
        return label_state
    return hold_back(label_state, rows, severities, batches, class_of, required=required)


def _disputes(settled: Consensus, ruled: Adjudications) -> pl.DataFrame:
    by = ruled.answers.select("image_id", settled_by="author")
    return (
        settled.disputes.join(by, on="image_id", how="left", maintain_order="left")
        .with_columns(pl.col("unit").cast(pl.Int32))
        .select(DISPUTES.schema.names)
    )


def _batch_notes(context: Context, label_state: pl.DataFrame) -> list[str]:
    """Notes on images that are excluded because of their batch."""
    name = context.recipe.dataset
    files = {state: label_state.filter(state=state).height for state in _EXCLUDED}
    return [
        f"{files[state]} image files {why.format(name=name)}"
        for state, why in _EXCLUDED.items()
        if files[state]
    ]


def _dispute_notes(context: Context, label_state: pl.DataFrame, disputes: pl.DataFrame) -> list[str]:
    """Notes on disputes that are not settled."""
    files = label_state.filter(state="disputed").height
    reasons = disputes.filter(pl.col("settled_by").is_null())["reason"].value_counts(sort=True)
    text = ", ".join(f"{count} {reason}" for reason, count in reasons.iter_rows())
    name = context.recipe.dataset
    note = f"the annotators do not agree on {files} image files ({text}): 'tundish label adjudicate {name}'"
    return [note] if files else []


def _superseded_notes(answers: pl.DataFrame, opinions: pl.DataFrame) -> list[str]:
    """Notes on answers that no longer count, as their author answered the image again."""
    given = answers.filter((pl.col("answer") != "cancelled") & pl.col("role").ne_missing(ADJUDICATOR))
    count = given.height - opinions.height
    note = f"{count} answers were superseded by later answers of the same annotators"
    return [note] if count else []


def _adjudication_notes(
    answers: pl.DataFrame, opinions: pl.DataFrame, ruled: Adjudications, disputes: pl.DataFrame
) -> list[str]:
    """Notes on the answers of adjudicators."""
    open_ = disputes.filter(pl.col("settled_by").is_null())
    skipped = answers.filter((pl.col("role") == ADJUDICATOR) & (pl.col("answer") == "cancelled"))
    skipped = skipped.join(open_, on="image_id", how="semi").filter(
        ~pl.col("image_id").is_in(ruled.undecided)
    )
    both = opinions.select("image_id", "author", "updated_at").join(
        ruled.answers.select("image_id", by="author", at="updated_at"), on="image_id"
    )
    since = both.filter(pl.col("updated_at") > pl.col("at"))["image_id"].n_unique()
    themselves = both.filter(pl.col("author") == pl.col("by")).unique(["image_id", "author"])
    sentences = {
        "adjudicated images remain in dispute: submitted undecided (competing labels kept as proposed, or"
        " empty and not begun from the labels that were drawn); correct them in the adjudication"
        " project": len(ruled.undecided),
        "adjudicated images keep overlapping labels as they were proposed: where they are the same object,"
        " delete one of them in the adjudication project": len(ruled.overlapping),
        "images in dispute were skipped by their adjudicator": skipped["image_id"].n_unique(),
        "adjudicated images were answered again since and remain as adjudicated: to change them, change"
        " the answer in the adjudication project": since,
    }
    return [
        *(f"{count} {what}" for what, count in sentences.items() if count),
        *(
            f"{author} adjudicated {count} images that they had labelled themselves"
            for author, count in sorted(Counter(themselves["author"]).items())
        ),
    ]


def _outcome(
    label_state: pl.DataFrame, heard: pl.DataFrame, rows: pl.DataFrame, ruled: Adjudications, notes: list[str]
) -> Outcome:
    states = dict(label_state["state"].value_counts().iter_rows())
    counts = {
        "images answered by annotators": heard.height,
        "labels that count": rows.height,
        **{state: states.get(state, 0) for state in _COUNTED},
        "adjudicated": ruled.answers.height,
    }
    return Outcome(counts, notes)


STAGE = Stage(
    name="consensus",
    reads=(
        "labels",
        "curated/images.parquet",
        "curated/annotations.parquet",
        "curated/coverage.parquet",
    ),
    writes=("curated/consensus.parquet", "curated/standing.parquet", "curated/disputes.parquet"),
    depends=("label",),
    run=_run,
)
