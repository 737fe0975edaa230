"""split: assign images to train, val and test without leaks.

Images that may leak stay in one split: those that share a group key, those of one duplicate cluster that are
both kept, and those that overlap. The assignment is a versioned table: an image once assigned keeps its
split, together with its whole group; new groups are assigned in salted-hash order so as to balance the
labels. Another salt assigns all again.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tundish.recipe.given import SPLIT_NAMES
from tundish.stages.base import Context, Outcome, Stage
from tundish.stages.split.balance import assign, deviations
from tundish.stages.split.changes import Merged, change_notes, metadata_of, read_before
from tundish.stages.split.given import moved_notes, settle_given
from tundish.stages.split.groups import Groups, group_images
from tundish.stages.split.guard import guard_against_losses
from tundish.stages.split.values import with_values
from tundish.stages.targets import files_with_values
from tundish.storage.accepted import ACCEPTED
from tundish.storage.history import bring_back, keep_copy
from tundish.storage.tables import CONSENSUS, DUPLICATES, IMAGES, SPLITS, STANDING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tundish.recipe.load import Recipe

__all__ = ["STAGE"]

_LARGE_GROUP = 0.05
"""A group with more than this share of the images is reported: it distorts the balance."""


def _run(context: Context) -> Outcome:
    recipe = context.recipe
    images = _candidates(context)
    accepted, accepted_notes = guard_against_losses(context)
    restored = bring_back(context.dataset, SPLITS, existed=context.dataset.has(ACCEPTED))
    files = _files(context, images)
    came = settle_given(context, images, files)
    images, inside = came.images, came.images.filter(pl.col("reason").is_null())
    groups = group_images(inside, files, recipe, came.overlaps)
    given = came.of_groups(groups, inside)
    names = [name for name in SPLIT_NAMES if name in recipe.split.ratios or name in given.values()]
    before = read_before(context.dataset.table("splits"), recipe.split.salt)
    settled, merged, moved = _settle_groups(groups, inside, images, before.splits, names, given)
    weights, columns = _weights(inside, groups, _class_counts(context, inside, recipe))
    weights, columns = with_values(context, inside, groups, weights, columns)
    ratios = np.asarray([recipe.split.ratios.get(name, 0.0) for name in names])
    order = _sort_salted(groups.names, settled, recipe.split.salt)
    chosen = assign(weights, ratios, settled, order)
    how = ["given" if group in given else "dealt" for group in groups.of_image.tolist()]
    table = _table(images, inside, groups, chosen, names, moved, before.splits, how)
    SPLITS.write(table, context.dataset.table("splits"), metadata=metadata_of(recipe.split, before, table))
    keep_copy(context.dataset, SPLITS)
    context.dataset.write(ACCEPTED, accepted)
    notes = [
        *accepted_notes,
        *([restored] if restored else []),
        *came.notes,
        *moved_notes(moved, how, inside),
    ]
    notes += change_notes(recipe.split, before, table, merged)
    assigned = given.keys() < set(range(len(groups.names)))
    balance = (weights, columns, ratios)
    return _outcome(inside, groups, chosen, names, balance, images, notes, assigned=assigned)


def _candidates(context: Context) -> pl.DataFrame:
    """Every image with the file that represents it, and the reason where it is excluded."""
    images = context.dataset.read(IMAGES)
    duplicates = context.dataset.read(DUPLICATES)
    coverage = context.dataset.read(STANDING).select("source", "path", "state")
    coverage = coverage.join(files_with_values(context), on=["source", "path"], how="left")
    copies = (
        duplicates.sort(~pl.col("kept"), "source", "path", maintain_order=True)
        .with_columns(conflict=pl.col("label_conflict").is_not_null().any().over("cluster_id"))
        .unique("image_id", keep="first", maintain_order=True)
        .select(
            "image_id",
            "cluster_id",
            "representative_id",
            "relation",
            "kept",
            "conflict",
            pl.col("source").alias("kept_source"),
            pl.col("path").alias("kept_path"),
        )
    )
    joined = images.join(copies, on="image_id", how="left").with_columns(
        source=pl.coalesce("kept_source", "source"), path=pl.coalesce("kept_path", "path")
    )
    return (
        joined.join(coverage, on=["source", "path"], how="left")
        .with_columns(reason=_reason(context))
        .sort("image_id")
    )


def _reason(context: Context) -> pl.Expr:
    """Why an image is excluded; null where it is not."""
    held = context.recipe.dedup.conflicts == "hold"
    incomplete = context.recipe.split.incomplete == "exclude"
    unlabelled = (pl.col("state") == "unlabelled") & pl.col("value").is_null()
    unlabelled = unlabelled & (context.recipe.split.unlabelled == "exclude")
    return (
        pl.when(~pl.col("valid"))
        .then(pl.lit("quarantined"))
        .when(~pl.col("kept").fill_null(True))
        .then(pl.format("duplicate: {} as {}", "relation", "representative_id"))
        .when(pl.col("conflict").fill_null(False) & held)
        .then(pl.lit("held: its copies are labelled differently"))
        .when(unlabelled)
        .then(pl.lit("unlabelled"))
        .when((pl.col("state") == "incomplete") & incomplete)
        .then(pl.lit("half labelled"))
        .when(pl.col("state") == "rejected")
        .then(pl.lit("all its labels are quarantined"))
        .when(pl.col("state") == "disputed")
        .then(pl.lit("its annotators do not agree"))
        .when(pl.col("state") == "refused")
        .then(pl.lit("its batch was not accepted"))
        .when(pl.col("state") == "unreviewed")
        .then(pl.lit("its labels were not reviewed yet"))
    )


def _files(context: Context, images: pl.DataFrame) -> pl.DataFrame:
    """Every valid image file with the image that represents it."""
    representative = images.select(
        "image_id",
        representative=pl.when(pl.col("kept").fill_null(value=True))
        .then("image_id")
        .otherwise("representative_id"),
    )
    files = context.dataset.read(STANDING).select("source", "path", "image_id")
    return files.join(representative, on="image_id", how="inner")


def _settle_groups(
    groups: Groups,
    inside: pl.DataFrame,
    images: pl.DataFrame,
    before: Mapping[str, str],
    names: Sequence[str],
    given: Mapping[int, str],
) -> tuple[NDArray[np.int64], list[Merged], dict[str, str]]:
    """The split that each group came with, or has by its members, or -1.

    With groups of several splits, and the images that move.
    """
    group_of = _group_of(groups, inside, images)
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    for image, split in before.items():
        if image in group_of and split in names:
            votes[group_of[image]][split] += 1
    settled = np.full(len(groups.names), -1, np.int64)
    merged: list[Merged] = []
    winners: dict[int, str] = {}
    for group, split in given.items():
        settled[group] = names.index(split)
        winners |= {group: split} if set(votes.pop(group, ())) - {split} else {}
    for group, count in sorted(votes.items()):
        winner = max(names, key=lambda name: (count[name], -names.index(name)))
        settled[group] = names.index(winner)
        if len(count) > 1:
            winners[group] = winner
            merged.append(Merged(groups.names[group], winner, {name: count[name] for name in names}))
    moved = {
        image: before[image]
        for image in before
        if group_of.get(image) in winners and before[image] != winners[group_of[image]]
    }
    return settled, merged, moved


def _group_of(groups: Groups, inside: pl.DataFrame, images: pl.DataFrame) -> dict[str, int]:
    """The group of each image; a copy that is excluded passes its split on to the one that is kept."""
    group_of = dict(zip(inside["image_id"], groups.of_image.tolist(), strict=True))
    representative = images.filter(pl.col("representative_id").is_not_null())
    for image, keeper in representative.select("image_id", "representative_id").iter_rows():
        if keeper in group_of:
            group_of.setdefault(image, group_of[keeper])
    return group_of


def _class_counts(context: Context, inside: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """(image row, class), the number of valid labels of the file that represents the image."""
    labels = context.dataset.read(CONSENSUS).select("source", "path", "label")
    numbered = inside.select("source", "path").with_row_index("image")
    classes = {name: number for number, name in enumerate(recipe.annotations.classes)}
    joined = numbered.join(labels, on=["source", "path"], how="inner")
    return (
        joined.group_by("image", "label")
        .len()
        .with_columns(
            pl.col("label").replace_strict(classes, default=-1, return_dtype=pl.Int64).alias("class")
        )
    )


def _weights(
    inside: pl.DataFrame, groups: Groups, counts: pl.DataFrame
) -> tuple[NDArray[np.float64], list[str]]:
    """(groups, columns) and the names of the columns: images, negatives, then the classes that occur."""
    present = counts.sort("class").unique("class", keep="first", maintain_order=True)
    columns = ["images", "negatives", *present["label"].to_list()]
    place = {number: index + 2 for index, number in enumerate(present["class"].to_list())}
    weights = np.zeros((len(groups.names), len(columns)))
    np.add.at(weights[:, 0], groups.of_image, 1)
    np.add.at(
        weights[:, 1], groups.of_image[(inside["state"] == "negative").fill_null(value=False).to_numpy()], 1
    )
    where = groups.of_image[counts["image"].to_numpy()]
    np.add.at(weights, (where, [place[number] for number in counts["class"]]), counts["len"].to_numpy())
    return weights, columns


def _sort_salted(names: Sequence[str], settled: NDArray[np.int64], salt: str) -> NDArray[np.int64]:
    """The new groups in the order of their salted hash, which does not depend on other groups."""
    new = [index for index in range(len(names)) if settled[index] < 0]
    key = {index: hashlib.sha256(f"{salt}\0{names[index]}".encode()).digest() for index in new}
    return np.asarray(sorted(new, key=key.__getitem__), dtype=np.int64)


def _table(
    images: pl.DataFrame,
    inside: pl.DataFrame,
    groups: Groups,
    chosen: NDArray[np.int64],
    names: Sequence[str],
    moved: Mapping[str, str],
    before: Mapping[str, str],
    how: Sequence[str],
) -> pl.DataFrame:
    numbers = groups.of_image
    placed = inside.select("image_id").with_columns(
        pl.Series("split", [names[chosen[group]] for group in numbers], dtype=pl.String),
        pl.Series("group_id", [groups.names[group] for group in numbers], dtype=pl.String),
        pl.Series(
            "how",
            [
                f"moved from {moved[i]}" if i in moved and one != "given" else one
                for i, one in zip(inside["image_id"], how, strict=True)
            ],
            pl.String,
        ),
    )
    return (
        images.select("image_id", "path", "source", "reason")
        .join(placed, on="image_id", how="left")
        .with_columns(
            reason=pl.coalesce("reason", "how"),
            last_split=pl.coalesce(
                "split", pl.col("image_id").replace_strict(before, default=None, return_dtype=pl.String)
            ),
        )
        .select(SPLITS.schema.names)
    )


def _outcome(
    inside: pl.DataFrame,
    groups: Groups,
    chosen: NDArray[np.int64],
    names: Sequence[str],
    balance: tuple[NDArray[np.float64], list[str], NDArray[np.float64]],
    images: pl.DataFrame,
    notes: list[str],
    *,
    assigned: bool,
) -> Outcome:
    weights, columns, ratios = balance
    sizes = Counter(names[chosen[group]] for group in groups.of_image)
    counts = {name: sizes[name] for name in names}
    counts |= {"left out": images.height - inside.height, "groups": len(groups.names)}
    if len(groups.names) and assigned:
        off = deviations(weights, ratios, chosen)
        notes.append(
            f"largest distance of each share from its ratio: {', '.join(_worst(off, columns, names))}"
        )
        largest = int(weights[:, 0].argmax())
        share = weights[largest, 0] / max(inside.height, 1)
        if share > _LARGE_GROUP:
            notes.append(f"the group {groups.names[largest]} contains {share:.0%} of the images")
    return Outcome(counts, notes)


def _worst(off: NDArray[np.float64], columns: Sequence[str], names: Sequence[str]) -> list[str]:
    """The largest deviation of each column; of a target, whose ranges are columns, that of the worst."""
    found: dict[str, tuple[float, str]] = {}
    for column, name in enumerate(columns):
        split = int(np.abs(off[:, column]).argmax())
        if abs(off[split, column]) > abs(found.get(name, (-1.0, ""))[0]) or name not in found:
            found[name] = (float(off[split, column]), names[split])
    return [f"{name} {deviation:+.1%} in {split}" for name, (deviation, split) in found.items()]


STAGE = Stage(
    name="split",
    # store, annotations and quarantine: what was lost, and to which check
    reads=(
        "store",
        "curated/images.parquet",
        "curated/annotations.parquet",
        "curated/quarantine.parquet",
        "curated/coverage.parquet",
        "curated/targets.parquet",
        "curated/consensus.parquet",
        "curated/standing.parquet",
        "curated/duplicates.parquet",
        "curated/pairs.parquet",
    ),
    writes=("curated/splits.parquet", "curated/accepted.parquet"),
    # classes: their order is the order of the columns that are balanced; conflicts: what is held back
    depends=("sources", "annotations", "dedup", "split"),
    run=_run,
    persist=("curated/splits.parquet", "curated/accepted.parquet"),
)
