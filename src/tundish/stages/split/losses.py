"""What a run has lost, image files and labels, and the check that took each.

Lost is what the run before accepted and this one does not; in the first run, what came in and was refused.
Decisions do not count: a copy that dedup leaves out, a source that the recipe no longer names, what an
annotator or adjudicator changed. A file that was deleted at its source is still in the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tundish.audit.ledger import judge_annotations, judge_files
from tundish.storage.accepted import ACCEPTED
from tundish.storage.quarantine import OMITTED
from tundish.storage.shards import read_files
from tundish.storage.tables import ANNOTATIONS, CONSENSUS, QUARANTINE, STANDING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.stages.base import Context

__all__ = ["DECISIONS", "Losses", "accepted_now", "losses_at_first", "losses_since"]

DECISIONS = frozenset({"repeated", "same_in_two_formats", OMITTED, "unsupported_shape", "unsupported_region"})
"""Checks that remove labels without a loss: the label is there once, somebody decided to omit it, or it is a
point, a line or a cuboid, which no table of labels has a place for."""

_NO_LABELS = frozenset({"image_not_found", "image_quarantined", "ambiguous_image"})
"""Checks of a label file about its image: where they count no label, the file has none."""

_NOT_LABELS = "not_labels"
"""A table that is not one of labels: a loss only where the source has no other."""

_COLUMNS = ["source", "path", "check", "count"]
_FILE = ["source", "path"]


@dataclass(frozen=True)
class Losses:
    """What is lost, as tables of source, path, check and count.

    Attributes:
        images: Lost image files.
        labels: Lost labels, by image file; by label file where that could not be read.
        classes: Classes without a label that had some: what took theirs.
        image_total: Image files to compare with.
        label_total: Labels to compare with.
        compared: What these are, for people.
    """

    images: pl.DataFrame
    labels: pl.DataFrame
    classes: dict[str, pl.DataFrame]
    image_total: int
    label_total: int
    compared: str


def accepted_now(context: Context) -> pl.DataFrame:
    """What this run accepts, in the columns of the table `accepted`."""
    counts = (
        context.dataset.read(CONSENSUS)
        .group_by(*_FILE, "label_path", "label")
        .agg(labels=pl.len().cast(pl.Int32))
    )
    files = context.dataset.read(STANDING).select(*_FILE, "image_id")
    rows = files.join(counts, on=_FILE, how="left", maintain_order="left")
    return rows.with_columns(pl.col("labels").fill_null(0)).select(ACCEPTED.schema.names)


def losses_at_first(context: Context) -> Losses:
    """The losses of a first run: of all image files and labels that came in."""
    errors = _errors(context)
    files = _of_recipe(context, judge_files(read_files(context.dataset.store), errors)).filter(
        pl.col("outcome") != "skipped"
    )
    images = files.filter(pl.col("kind") == "image")
    out = pl.col("outcome") == "quarantined"
    labels = _of_recipe(context, judge_annotations(context.dataset.read(ANNOTATIONS), errors))
    unread = files.filter((pl.col("kind") == "annotation") & out).select(
        *_FILE,
        "outcome",
        "reason",
        label=pl.lit(None, pl.String),
        count=pl.lit(0, pl.Int32),
        whole=pl.lit(value=True),
    )
    labels = _with_estimates(pl.concat([labels, unread]), files)
    labels = labels.filter(~(out & pl.col("reason").is_in(list(DECISIONS))))
    lost = labels.filter(out & (pl.col("count") > 0))
    kept = set(labels.filter(pl.col("outcome") == "accepted")["label"].drop_nulls())
    classes = [name for name in context.recipe.annotations.classes if name not in kept]
    return Losses(
        images.filter(out).select(*_FILE, check="reason", count=pl.lit(1)),
        lost.select(*_FILE, check="reason", count="count"),
        {
            name: rows.select(*_FILE, check="reason", count="count")
            for name in classes
            if (rows := lost.filter(pl.col("label") == name)).height
        },
        images.height,
        int(labels["count"].sum()),
        "that came in",
    )


def _with_estimates(labels: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """`labels` with a count everywhere, also for label files that could not be read.

    Those have as many as their size suggests, by the labels per byte of the other label files of their
    source, and at least one.
    """
    sizes = files.filter(pl.col("kind") == "annotation").select(*_FILE, "size")
    unknown = (pl.col("outcome") == "quarantined") & (pl.col("count") == 0)
    unread = labels.filter(unknown, "whole").select(_FILE).unique()
    good = sizes.join(unread, on=_FILE, how="anti").group_by("source").agg(bytes=pl.col("size").sum())
    read = labels.filter(pl.col("outcome") == "accepted").group_by("source").agg(read=pl.len())
    per_byte = good.join(read, on="source").select("source", rate=pl.col("read") / pl.col("bytes"))
    estimate = (pl.col("size") * pl.col("rate")).fill_null(1.0).fill_nan(1.0).clip(1.0).round()
    other = (pl.col("reason") == _NOT_LABELS) & pl.col("rate").is_not_null()
    first = ~pl.col("whole") | pl.struct([*_FILE, "whole"]).is_first_distinct()
    return (
        labels.join(sizes, on=_FILE, how="left", maintain_order="left")
        .join(per_byte, on="source", how="left", maintain_order="left")
        .with_columns(
            count=pl.when(~unknown)
            .then("count")
            .when(pl.col("reason").is_in(list(_NO_LABELS)) | other | ~first | pl.col("size").is_null())
            .then(0)
            .when(~pl.col("whole"))
            .then(1)
            .otherwise(estimate)
            .cast(pl.Int32)
        )
        .select(labels.columns)
    )


def losses_since(context: Context, now: pl.DataFrame) -> Losses:
    """The losses since the last run that passed.

    Args:
        context: The recipe, and where the dataset lies.
        now: What this run accepts.
    """
    before = _of_recipe(context, context.dataset.read(ACCEPTED))
    errors = _errors(context)
    files = before.group_by(*_FILE, "image_id", maintain_order=True).agg(
        pl.col("labels").sum(), pl.col("label_path").drop_nulls().unique(maintain_order=True)
    )
    gone = files.join(now, on=_FILE, how="anti", maintain_order="left")
    gone = gone.join(now, on="image_id", how="anti", maintain_order="left")
    judged = judge_files(read_files(context.dataset.store), errors)
    reasons = judged.filter(pl.col("reason") != "superseded").select(*_FILE, check="reason")
    images = gone.join(reasons, on=_FILE, how="left", maintain_order="left").select(
        *_FILE, check=pl.col("check").fill_null("source_gone"), count=pl.lit(1)
    )
    drops = _drops(context, files, now)
    out = set(images.select(_FILE).iter_rows())
    rows = list(_explained(drops, out, _refused(context, errors), _unread(context, errors)))
    schema = {"source": pl.String, "path": pl.String, "check": pl.String, "count": pl.Int64}
    labels = pl.DataFrame(rows, schema=schema, orient="row")
    return Losses(
        images,
        labels.filter(~pl.col("check").is_in(list(DECISIONS))),
        _emptied(context, before, now, labels),
        files.height,
        int(before["labels"].sum()),
        "of the run before",
    )


def _drops(context: Context, files: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """Image files with fewer labels than before, and how many are missing.

    What people decided is theirs: there only the labels that a check refused are missing.
    """
    here = now.group_by(_FILE).agg(here=pl.col("labels").sum())
    of_image = now.group_by(*_FILE, "image_id").agg(pl.col("labels").sum())
    anywhere = of_image.group_by("image_id").agg(anywhere=pl.col("labels").max())
    people = (
        context.dataset.read(STANDING).filter(pl.col("decided_by") != "import").select("image_id").unique()
    )
    answers = context.dataset.read(ANNOTATIONS).filter(~pl.col("valid"), pl.col("origin") == "annotator")
    refused = answers.group_by("image_id").agg(refused=pl.len())
    missing = pl.col("labels") - pl.coalesce("here", "anywhere", pl.lit(0))
    decided = pl.col("image_id").is_in(people["image_id"].implode())
    return (
        files.join(here, on=_FILE, how="left", maintain_order="left")
        .join(anywhere, on="image_id", how="left", maintain_order="left")
        .join(refused, on="image_id", how="left", maintain_order="left")
        .with_columns(
            missing=pl.when(decided)
            .then(pl.min_horizontal(missing, pl.col("refused").fill_null(0)))
            .otherwise(missing)
        )
        .filter(pl.col("missing") > 0)
    )


_Place = tuple[str, str]


def _explained(
    drops: pl.DataFrame,
    out: set[_Place],
    refused: dict[_Place, list[tuple[str, int]]],
    unread: dict[_Place, str],
) -> Iterator[tuple[str, str, str, int]]:
    """Source, path, check and count of all missing labels: what took them, as far as the tables say."""
    rows = drops.select(*_FILE, "label_path", "missing").iter_rows()
    for source, path, label_paths, missing in rows:
        if (source, path) in out:
            yield source, path, "image_quarantined", missing
            continue
        left = missing
        for check, count in refused.get((source, path), ()):
            taken = min(left, count)
            left -= taken
            if taken:
                yield source, path, check, taken
        if left:
            found = (unread[source, one] for one in label_paths if (source, one) in unread)
            answered = "answers_gone" if "label-studio" in label_paths else "labels_gone"
            yield source, path, next(found, answered), left


def _refused(context: Context, errors: pl.DataFrame) -> dict[_Place, list[tuple[str, int]]]:
    """The labels of each image file that were refused, by check."""
    why = errors.filter(pl.col("kind") == "annotation").sort("check").unique("id", maintain_order=True)
    counts = (
        context.dataset.read(ANNOTATIONS)
        .filter(~pl.col("valid"))
        .join(why.select("check", annotation_id="id"), on="annotation_id")
        .group_by(*_FILE, "check")
        .len()
        .sort("len", "check", descending=[True, False])
    )
    found: dict[_Place, list[tuple[str, int]]] = {}
    for source, path, check, count in counts.select(*_FILE, "check", "len").iter_rows():
        found.setdefault((source, path), []).append((check, count))
    return found


def _unread(context: Context, errors: pl.DataFrame) -> dict[_Place, str]:
    """The check that took most of a label file, by source and path of that file."""
    known = context.dataset.read(ANNOTATIONS).select(id="annotation_id")
    rows = (
        errors.filter(pl.col("kind").is_in(["annotation", "file"]), pl.col("check") != _NOT_LABELS)
        .join(known, on="id", how="anti")
        .group_by(*_FILE, "check")
        .agg(pl.col("count").sum())
        .sort("count", "check", descending=[False, True])
    )
    return {(source, path): check for source, path, check in rows.select(*_FILE, "check").iter_rows()}


def _emptied(
    context: Context, before: pl.DataFrame, now: pl.DataFrame, lost: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Classes of the recipe that had labels and have none, with what took them; not where people did."""
    people = context.dataset.read(STANDING).filter(pl.col("decided_by") != "import").select(_FILE)
    had = before.filter(pl.col("labels") > 0).join(people, on=_FILE, how="anti", maintain_order="left")
    have = set(now.filter(pl.col("labels") > 0)["label"])
    found = {}
    for name in context.recipe.annotations.classes:
        mine = had.filter(pl.col("label") == name)
        if name in have or not mine.height:
            continue
        took = lost.join(mine, on=_FILE, how="semi", maintain_order="left")
        other = mine.select(*_FILE, check=pl.lit("other_class"), count=pl.col("labels").cast(pl.Int64))
        found[name] = took if took.height else other
    return found


def _errors(context: Context) -> pl.DataFrame:
    return context.dataset.read(QUARANTINE).filter(pl.col("severity") == "error")


def _of_recipe(context: Context, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of sources that the recipe names: to leave a source out is a decision."""
    return rows.filter(pl.col("source").is_in([source.label for source in context.recipe.sources]))
