"""The images of a dataset to have labelled next: from its tables to a ranked selection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from tundish.errors import UsageError
from tundish.labeling.selection import strategies
from tundish.labeling.selection.candidates import candidates, features_of, read_scores
from tundish.labeling.tables import ANSWERS
from tundish.storage.features import feature_parts
from tundish.storage.tables import ANNOTATIONS, CONSENSUS, COVERAGE, DISPUTES, DUPLICATES, STANDING

if TYPE_CHECKING:
    from pathlib import Path

    from tundish.labeling.selection.strategies import Choice, Scores
    from tundish.recipe.load import Recipe
    from tundish.storage.dataset import DatasetFolder

__all__ = ["STRATEGIES", "Selection", "SelectionOptions", "choose", "selection_options"]

STRATEGIES = ("uncertain", "diverse", "stratified", "conflicts")
"""Names of the strategies."""

_WITHOUT_MODEL = ("diverse", "conflicts")


@dataclass(frozen=True)
class SelectionOptions:
    """How images are chosen.

    Attributes:
        strategy: One of `STRATEGIES`.
        budget: How many images are chosen at most.
        scores: File of a model's scores; None where there is no model.
        seed: Orders images of equal worth.
    """

    strategy: str
    budget: int
    scores: Path | None = None
    seed: int = 0


@dataclass(frozen=True)
class Selection:
    """The images that were chosen.

    Attributes:
        images: Rows of the images table in the order of work, with the reason for each in the column `why`.
        notes: Sentences worth reading.
    """

    images: pl.DataFrame
    notes: tuple[str, ...]


def selection_options(
    select: str | None, budget: int | None, scores: Path | None, seed: int
) -> SelectionOptions | None:
    """The options of a selection; None where none is asked for.

    Args:
        select: One of `STRATEGIES`; None for all images.
        budget: How many images are chosen at most.
        scores: File of a model's scores.
        seed: Orders images of equal worth.

    Raises:
        UsageError: The options do not go together.
    """
    if select is None:
        if budget is not None or scores is not None:
            raise UsageError(
                "--budget and --scores go with --select", fix=f"add --select {'|'.join(STRATEGIES)}"
            )
        return None
    if select not in STRATEGIES:
        raise UsageError(
            f"unknown strategy '{select}'", where="--select", fix=f"choose one of {', '.join(STRATEGIES)}"
        )
    if budget is None:
        raise UsageError("--select needs --budget", fix="say how many images are to be labelled")
    if budget < 1:
        raise UsageError(f"a budget of {budget:,} images", where="--budget", fix="choose 1 or more")
    if scores is not None and select in _WITHOUT_MODEL:
        raise UsageError(f"--select {select} does not use a model", fix="omit --scores")
    return SelectionOptions(select, budget, scores, seed)


def choose(
    dataset: DatasetFolder, recipe: Recipe, images: pl.DataFrame, options: SelectionOptions
) -> Selection:
    """Choose the images to be labelled next.

    Args:
        dataset: The dataset's folder.
        recipe: The dataset's recipe.
        images: Rows of the images table that may be pushed.
        options: How images are chosen, and how many.

    Raises:
        UsageError: The strategy lacks what it needs.
        MissingStepError: A stage has not run.
    """
    scores = read_scores(options.scores) if options.scores else None
    answered, known, duplicates = _known(dataset)
    ids = candidates(images, known, duplicates)["image_id"].to_list()
    budget, seed = options.budget, options.seed
    if options.strategy == "conflicts":
        chosen = strategies.conflicts(images, duplicates, answered, budget, seed=seed)
    elif options.strategy == "diverse":
        features = features_of(
            feature_parts(dataset, recipe.images.max_pixels), ids + sorted(set(images["image_id"]) & known)
        )
        own, labelled = features[: len(ids)], features[len(ids) :]
        chosen = strategies.diverse(ids, own, labelled, budget, seed=seed)
    elif options.strategy == "uncertain":
        if scores is None:
            raise UsageError("--select uncertain needs a model's scores", fix="name them with --scores FILE")
        chosen = strategies.uncertain(ids, scores, budget, seed=seed)
    else:
        chosen = _stratified(dataset, recipe.split.group_by, images, (ids, known), scores, options)
    notes = _notes(chosen, len(ids), scores, options)
    if options.strategy == "conflicts":
        notes += _disputed(dataset)
    return Selection(_in_order(images, chosen), tuple(notes))


def _known(dataset: DatasetFolder) -> tuple[list[str], set[str], pl.DataFrame]:
    """Images that annotators answered; those with known labels, these among them; and all copies."""
    answers = dataset.read_if_there(ANSWERS, dataset.labels)
    states = dataset.read(STANDING if dataset.has(STANDING) else COVERAGE)
    answered = answers["image_id"].drop_nulls().unique().to_list()
    labelled = states.filter(pl.col("state").is_in(["labelled", "negative", "disputed"]))["image_id"]
    return answered, {*labelled, *answered}, dataset.read(DUPLICATES)


def _disputed(dataset: DatasetFolder) -> list[str]:
    """Where to go with what annotators dispute."""
    disputes = dataset.read_if_there(DISPUTES)
    count = disputes.filter(disputes["settled_by"].is_null())["image_id"].n_unique()
    return [f"{count:,} images in dispute go to 'tundish label adjudicate {dataset.name}'"] if count else []


def _stratified(
    dataset: DatasetFolder,
    keys: tuple[str, ...],
    images: pl.DataFrame,
    ids_and_known: tuple[list[str], set[str]],
    scores: Scores | None,
    options: SelectionOptions,
) -> list[Choice]:
    if scores is None and not keys:
        raise UsageError(
            "--select stratified knows neither classes nor groups of images without labels",
            fix="name a model's scores with --scores FILE, or keys in the recipe's split.group_by",
        )
    group = pl.concat_str([pl.col(key).fill_null("") for key in keys], separator=" ") if keys else pl.lit("")
    grouped = images.select("image_id", group=group)
    ids, known = ids_and_known
    groups = dict(grouped.filter(pl.col("image_id").is_in(ids)).iter_rows())
    settled = dataset.has(CONSENSUS)
    labels = dataset.read(CONSENSUS) if settled else dataset.read(ANNOTATIONS).filter("valid")
    labelled = labels.select("image_id", "label").drop_nulls().unique()
    class_counts = dict(labelled["label"].value_counts().iter_rows())
    counted = grouped.filter(pl.col("image_id").is_in(list(known)))["group"].value_counts()
    group_counts = dict(counted.iter_rows())
    return strategies.stratified(
        groups, scores, class_counts, group_counts, options.budget, seed=options.seed
    )


def _in_order(images: pl.DataFrame, chosen: list[Choice]) -> pl.DataFrame:
    """The chosen rows, the best first, with the reason for each."""
    schema = {"image_id": pl.String, "why": pl.String}
    order = pl.DataFrame(list(dict(chosen).items()), schema=schema, orient="row")
    return order.join(images, on="image_id", how="left", maintain_order="left")


def _notes(
    chosen: list[Choice], candidate_count: int, scores: Scores | None, options: SelectionOptions
) -> list[str]:
    notes = [f"{len(chosen):,} of {candidate_count:,} images without labels were chosen"]
    if options.strategy == "conflicts":
        notes = [f"{len(chosen):,} images with contradicting labels were chosen"]
    if options.strategy == "uncertain" and scores is not None:
        notes[0] += f" by {scores.measure}"
        unscored = len(set(dict(chosen)) - set(scores.image_ids))
        notes += [f"the model has no scores for {unscored:,} of them; they come last"] if unscored else []
    if len(chosen) < options.budget:
        notes.append(f"fewer than the budget of {options.budget:,}: no more are left")
    if chosen:
        notes.append(f"the first, {chosen[0].image_id}: {chosen[0].reason}")
    return notes
