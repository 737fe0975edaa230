"""``tundish label push --select``: which images to have labelled next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec

import click

from tundish.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from tundish.labeling.selection.strategies import Choice, Scores
    from tundish.recipe.load import Recipe
    from tundish.stages.base import Context

__all__ = ["Asked", "Chosen", "choose", "select_options"]

_P = ParamSpec("_P")
_HOW = ("uncertain", "diverse", "stratified", "conflicts")


@dataclass(frozen=True)
class Asked:
    """How images are chosen, and how many at most."""

    how: str
    budget: int
    scores: Path | None
    seed: int


@dataclass(frozen=True)
class Chosen:
    """Rows of the images table in the order of work, those chosen with `why`, and what is to be told."""

    images: pl.DataFrame
    notes: tuple[str, ...]


def select_options(command: Callable[Concatenate[Asked | None, _P], None]) -> Callable[..., None]:
    """Options of a command that takes what they ask for as its first argument."""

    @click.option("--select", "how", type=click.Choice(_HOW), help="Only those worth most; the best first.")
    @click.option("--budget", type=click.IntRange(1), help="How many images --select takes at most.")
    @click.option(
        "--scores",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="A model's scores for --select (Parquet): image_id and a column a class, or image_id, "
        "label and score, a row a prediction.",
    )
    @click.option("--seed", type=int, default=0, show_default=True, help="Orders what is worth the same.")
    @wraps(command)
    def with_options(
        how: str | None,
        budget: int | None,
        scores: Path | None,
        seed: int,
        *args: _P.args,
        **others: _P.kwargs,
    ) -> None:
        if how is None and (budget is not None or scores is not None):
            raise UsageError("--budget and --scores go with --select", fix=f"add --select {'|'.join(_HOW)}")
        if how is not None and budget is None:
            raise UsageError("--select needs --budget", fix="say how many images are to be labelled")
        if scores is not None and how in ("diverse", "conflicts"):
            raise UsageError(f"--select {how} asks no model", fix="leave --scores out")
        asked = None if how is None or budget is None else Asked(how, budget, scores, seed)
        command(asked, *args, **others)

    return with_options


def choose(project: Path, recipe: Recipe, images: pl.DataFrame, asked: Asked) -> Chosen:
    """The images to be labelled next.

    Args:
        project: Where the dataset lies.
        recipe: Of the dataset.
        images: Rows of the images table that may be pushed.
        asked: How, and how many.

    Raises:
        UsageError: The strategy lacks what it goes by.
        MissingStepError: A stage has not run.
    """
    from tundish.engine import LocalEngine
    from tundish.labeling.selection import strategies as selection
    from tundish.labeling.selection.candidates import candidates, features_of, read_scores
    from tundish.stages.base import Context
    from tundish.storage.features import feature_parts

    context = Context(recipe, project, LocalEngine())
    scores = read_scores(asked.scores) if asked.scores else None
    answered, known, duplicates = _known(context)
    pool = candidates(images, known, duplicates)
    ids, budget = pool["image_id"].to_list(), asked.budget
    if asked.how == "conflicts":
        chosen = selection.conflicts(images, duplicates, answered, budget, seed=asked.seed)
    elif asked.how == "diverse":
        features = features_of(
            feature_parts(context.dataset, context.recipe.images.max_pixels),
            ids + sorted(set(images["image_id"]) & known),
        )
        own, labelled = features[: len(ids)], features[len(ids) :]
        chosen = selection.diverse(ids, own, labelled, budget, seed=asked.seed)
    elif asked.how == "uncertain":
        if scores is None:
            raise UsageError("--select uncertain needs a model's scores", fix="name them with --scores FILE")
        chosen = selection.uncertain(ids, scores, budget, seed=asked.seed)
    else:
        chosen = _stratified(context, images, (ids, known), scores, asked)
    found = _told(images, chosen, len(ids), scores, asked)
    return Chosen(found.images, (*found.notes, *_disputed(context))) if asked.how == "conflicts" else found


def _known(context: Context) -> tuple[list[str], set[str], pl.DataFrame]:
    """Images that annotators answered; those whose labels are known, these among them; and all copies."""
    import polars as pl

    from tundish.labeling.tables import ANSWERS
    from tundish.storage.tables import COVERAGE, DUPLICATES, STANDING

    path = context.dataset.labels / "answers.parquet"
    answers = ANSWERS.read_if_there(path)
    settled = context.dataset.has(STANDING)
    states = context.dataset.read(STANDING) if settled else context.dataset.read(COVERAGE)
    answered = answers["image_id"].drop_nulls().unique().to_list()
    labelled = states.filter(pl.col("state").is_in(["labelled", "negative", "disputed"]))["image_id"]
    return answered, {*labelled, *answered}, context.dataset.read(DUPLICATES)


def _disputed(context: Context) -> list[str]:
    """Where to go with what annotators dispute."""
    from tundish.storage.tables import DISPUTES

    path = context.dataset.table("disputes")
    disputes = DISPUTES.read_if_there(path)
    count = disputes.filter(disputes["settled_by"].is_null())["image_id"].n_unique()
    name = context.recipe.dataset
    return [f"{count:,} images in dispute go to 'tundish label adjudicate {name}'"] if count else []


def _stratified(
    context: Context,
    images: pl.DataFrame,
    ids_and_known: tuple[list[str], set[str]],
    scores: Scores | None,
    asked: Asked,
) -> list[Choice]:
    import polars as pl

    from tundish.labeling.selection.strategies import stratified
    from tundish.storage.tables import ANNOTATIONS, CONSENSUS

    keys = list(context.recipe.split.group_by)
    if scores is None and not keys:
        raise UsageError(
            "--select stratified knows neither classes nor groups of what is not labelled",
            fix="name a model's scores with --scores FILE, or keys in the recipe's split.group_by",
        )
    group = pl.concat_str([pl.col(key).fill_null("") for key in keys], separator=" ") if keys else pl.lit("")
    grouped = images.select("image_id", group=group)
    ids, known = ids_and_known
    groups = dict(grouped.filter(pl.col("image_id").is_in(ids)).iter_rows())
    settled = context.dataset.has(CONSENSUS)
    labels = context.dataset.read(CONSENSUS) if settled else context.dataset.read(ANNOTATIONS).filter("valid")
    labelled = labels.select("image_id", "label").drop_nulls().unique()
    class_counts = dict(labelled["label"].value_counts().iter_rows())
    counted = grouped.filter(pl.col("image_id").is_in(list(known)))["group"].value_counts()
    group_counts = dict(counted.iter_rows())
    return stratified(groups, scores, class_counts, group_counts, asked.budget, seed=asked.seed)


def _told(
    images: pl.DataFrame, chosen: list[Choice], left: int, scores: Scores | None, asked: Asked
) -> Chosen:
    import polars as pl

    reasons = dict(chosen)
    schema = {"image_id": pl.String, "why": pl.String}
    order = pl.DataFrame(list(reasons.items()), schema=schema, orient="row")
    notes = [f"{len(chosen):,} of {left:,} images without labels were chosen"]
    if asked.how == "conflicts":
        notes = [f"{len(chosen):,} images whose labels contradict each other were chosen"]
    if asked.how == "uncertain" and scores is not None:
        notes[0] += f" by {scores.measure}"
        silent = len(set(reasons) - set(scores.image_ids))
        notes += [f"the model says nothing of {silent:,} of them; they come last"] if silent else []
    if len(chosen) < asked.budget:
        notes.append(f"fewer than the budget of {asked.budget:,}: no more are left")
    if chosen:
        notes.append(f"the first, {chosen[0].image_id}: {chosen[0].reason}")
    return Chosen(order.join(images, on="image_id", how="left", maintain_order="left"), tuple(notes))
