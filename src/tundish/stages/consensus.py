"""consensus: which labels count. Where annotators answered, what a quorum of them agrees on; else what came.

An image that annotators answered stands by their answers alone: what was imported for it, or proposed by a
model, was theirs to take or to leave. What they do not agree on is in dispute, and keeps its image out of the
splits until somebody settles it. So does a batch that `tundish label accept` did not accept, or not yet.
"""

from __future__ import annotations

import polars as pl

from tundish.labeling.answers import ANSWERS
from tundish.labeling.batches import gated, read_batches
from tundish.labeling.consensus import Consensus, consensus
from tundish.labeling.pull import made_of
from tundish.stages.base import Context, Outcome, Stage
from tundish.tables import ANNOTATIONS, CONSENSUS, COVERAGE, DISPUTES, IMAGES, STANDING

__all__ = ["STAGE"]

_HELD = {
    "refused": "are in a batch that was not accepted: label anew what was found, then 'tundish label accept'",
    "unreviewed": "wait for a review: 'tundish label accept'",
}


def _run(context: Context) -> Outcome:
    labels = ANNOTATIONS.read(context.table("annotations")).filter("valid")
    coverage = COVERAGE.read(context.table("coverage"))
    answers = _answers(context, coverage)
    heard = answers.select("image_id").unique()
    came = labels.filter(pl.col("origin").ne_missing("annotator")).join(heard, on="image_id", how="anti")
    drawn = labels.filter(pl.col("origin") == "annotator")
    settled = _settle(context, drawn, answers)
    agreed = _agreed(settled, coverage)
    rows = pl.concat([_imported(came), agreed])
    standing = _gated(context, _standing(coverage, settled, answers, drawn, rows), rows)
    CONSENSUS.write(rows, context.table("consensus"))
    # `tundish label accept` asks whether these are the answers pulled last.
    STANDING.write(standing, context.table("standing"), metadata=made_of(context.table("annotations")))
    DISPUTES.write(_disputes(settled), context.table("disputes"))
    return _outcome(standing, heard, rows, settled)


def _answers(context: Context, coverage: pl.DataFrame) -> pl.DataFrame:
    """Who answered which image that is still there; a task that was skipped is no answer."""
    path = context.labels / "answers.parquet"
    answers = ANSWERS.read(path) if path.exists() else ANSWERS.empty()
    return (
        answers.filter(pl.col("answer") != "cancelled")
        .join(coverage, on="image_id", how="semi")
        .with_columns(pl.col("author").fill_null("annotator"))
    )


def _settle(context: Context, labels: pl.DataFrame, answers: pl.DataFrame) -> Consensus:
    section = context.recipe.label
    sizes = IMAGES.read(context.table("images")).select("image_id", "width", "height")
    return consensus(
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


def _agreed(settled: Consensus, coverage: pl.DataFrame) -> pl.DataFrame:
    """Agreed labels of every file of their image: whichever of equal files stands for it has them."""
    names = pl.col("decided_by").list.join(", ")
    files = coverage.select("image_id", "source", "path")
    return (
        settled.agreed.drop("source", "path")
        .join(files, on="image_id", how="inner", maintain_order="left_right")
        .with_columns(
            raw_label=pl.col("label"),
            score=pl.lit(None, pl.Float64),
            author=names,
            origin=pl.lit("annotator"),
            label_path=pl.lit("label-studio"),
            label_row=pl.lit(None, pl.Int32),
            valid=pl.lit(value=True),
            votes=pl.col("votes").cast(pl.Int32),
            decided_by=names,
        )
        .select(CONSENSUS.schema.names)
    )


def _standing(
    coverage: pl.DataFrame,
    settled: Consensus,
    answers: pl.DataFrame,
    drawn: pl.DataFrame,
    rows: pl.DataFrame,
) -> pl.DataFrame:
    counts = rows.group_by("source", "path").agg(count=pl.len().cast(pl.Int32))
    sound = drawn.group_by("image_id").agg(sound=pl.len())
    refused = (
        answers.group_by("image_id")
        .agg(refused=pl.col("refused").sum(), labels=pl.col("labels").sum())
        .join(sound, on="image_id", how="left")
        .with_columns(refused=(pl.col("refused") > 0) | (pl.col("labels") > pl.col("sound").fill_null(0)))
        .drop("labels")
        .join(settled.images.select("image_id", said="state"), on="image_id", how="left")
    )
    # A region that could not be taken was drawn all the same: its image is no negative.
    heard = (
        pl.when((pl.col("said") == "negative") & pl.col("refused")).then(pl.lit("rejected")).otherwise("said")
    )
    return (
        coverage.join(refused, on="image_id", how="left", maintain_order="left")
        .join(counts, on=["source", "path"], how="left", maintain_order="left")
        .select(
            *("path", "source", "image_id"),
            state=pl.coalesce(heard, "state"),
            labels=pl.col("count").fill_null(0),
            decided_by=pl.when(pl.col("said").is_null())
            .then(pl.lit("import"))
            .otherwise(pl.lit("annotators")),
        )
    )


def _gated(context: Context, standing: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    acceptance = context.recipe.label.acceptance
    batches = read_batches(context.labels) if acceptance is None or acceptance.gate else []
    required = acceptance is not None and acceptance.gate
    return gated(standing, rows, batches, required=required) if batches or required else standing


def _disputes(settled: Consensus) -> pl.DataFrame:
    return settled.disputes.with_columns(
        pl.col("unit").cast(pl.Int32), settled_by=pl.lit(None, pl.String)
    ).select(DISPUTES.schema.names)


def _outcome(standing: pl.DataFrame, heard: pl.DataFrame, rows: pl.DataFrame, settled: Consensus) -> Outcome:
    states = dict(standing["state"].value_counts().iter_rows())
    counts = {
        "images answered by annotators": heard.height,
        "labels that count": rows.height,
        **{state: states.get(state, 0) for state in ("labelled", "negative", "unlabelled", "disputed")},
    }
    notes = [f"{states[state]} image files {why}" for state, why in _HELD.items() if state in states]
    if states.get("disputed"):
        reasons = ", ".join(
            f"{count} {reason}"
            for reason, count in settled.disputes["reason"].value_counts(sort=True).iter_rows()
        )
        notes.append(f"the annotators do not agree on {states['disputed']} image files ({reasons})")
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
