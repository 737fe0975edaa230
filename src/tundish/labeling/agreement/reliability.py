"""Estimate how reliable each annotator is where the truth is not known: Dawid and Skene's model, by EM.

Each object has a true class; each annotator answers k where the truth is j with a probability of their own,
independently of the others. Truth and probabilities are estimated together. A. P. Dawid, A. M. Skene (1979),
Applied Statistics 28, 20-28. Two annotators' answers do not show which of them errs; those of three do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
import scipy

from tundish.errors import UsageError
from tundish.labeling.agreement.resampling import sum_by_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy.sparse import csr_array

    from tundish.imaging.geometry import Floats

__all__ = ["Reliability", "annotator_quality", "fit_dawid_skene"]


class Reliability(NamedTuple):
    """The fitted model.

    Attributes:
        names: The k classes.
        authors: The m annotators, sorted.
        prevalence: (k,), shares of the true classes.
        answer_rates: (m, k, k), probability by [author, truth, answer]; rows sum to 1. NaN where the author
            judged no object that the model assigns to the class.
        votes: (m, k), number of objects of each class that the author judged, by the model's classes.
        units: (n,), the objects in the order of their first rows.
        posterior: (n, k), probability of each class.
        agreed: (m,), share of the author's votes for the model's most likely class.
        history: Logarithm of the likelihood after each round (with smoothing, of the posterior density up to
            a constant); it never falls.
        converged: Whether the gain fell below the tolerance before the last round.
        note: What limits the estimate, or empty.
    """

    names: list[str]
    authors: list[str]
    prevalence: Floats
    answer_rates: Floats
    votes: Floats
    units: pl.Series
    posterior: Floats
    agreed: Floats
    history: Floats
    converged: bool
    note: str


def fit_dawid_skene(
    votes: pl.DataFrame,
    names: Sequence[str] | None = None,
    *,
    smoothing: float = 0.01,
    rounds: int = 1000,
    tolerance: float = 1e-9,
) -> Reliability:
    """Estimate the truth and the annotators' error rates from votes, starting from the shares of votes.

    Nothing is random: the same votes give the same estimate.

    Args:
        votes: unit, author, label: one row a judgement, as `collect_units` returns them.
        names: The classes; by default those that occur, sorted.
        smoothing: Votes added to each cell of each author's table. Without it, an answer that an author never
            gave at first is considered impossible forever.
        rounds: Maximum number of rounds.
        tolerance: Gain of the logarithm of the likelihood per vote below which the rounds end.

    Raises:
        UsageError: There are no votes, a vote has no author or label, or its label is not one of `names`.
    """
    known = sorted(votes["label"].drop_nulls().unique()) if names is None else list(names)
    _check_votes(votes, known)
    units = votes["unit"].unique(maintain_order=True)
    authors = votes["author"].unique().sort().to_list()
    counts = _count_votes(votes, units, authors, known)
    model = _Model(counts, len(authors), len(known), smoothing)
    posterior = model.start()
    history: list[float] = []
    while True:
        prevalence, table = model.parameters(posterior)
        posterior, value = model.posterior(prevalence, table)
        history.append(value)
        converged = len(history) > 1 and history[-1] - history[-2] <= tolerance * float(counts.sum())
        if converged or len(history) >= rounds:
            break
    prevalence, table = model.parameters(posterior)
    judged = model.judged(posterior)
    table[judged == 0] = np.nan
    return Reliability(
        names=known,
        authors=authors,
        prevalence=prevalence,
        answer_rates=table,
        votes=judged,
        units=units,
        posterior=posterior,
        agreed=model.agreed(posterior),
        history=np.array(history),
        converged=converged,
        note=_note(votes, converged),
    )


def annotator_quality(found: Reliability) -> pl.DataFrame:
    """Summarise the reliability of each annotator.

    Args:
        found: The fitted model.

    Returns:
        One row an annotator, sorted by name: author; votes; accuracy, the probability of the right class,
        weighted by the classes' prevalence; agreed, the share of votes for the most likely class; informed, 0
        for answers that do not depend on the truth and 1 for answers that separate all classes (the spammer
        score of V. C. Raykar, S. Yu (2012), Journal of Machine Learning Research 13, 491-518); the most
        frequent error of a class as worst_truth, worst_answer and worst_rate, null without errors.
    """
    rows = []
    for place, author in enumerate(found.authors):
        table = found.answer_rates[place]
        wrong = np.nan_to_num(table * (1 - np.eye(len(table))))
        truth, answer = np.unravel_index(int(wrong.argmax()), wrong.shape)
        rate = float(wrong[truth, answer])
        rows.append(
            {
                "author": author,
                "votes": round(found.votes[place].sum()),
                "accuracy": _accuracy(found, place),
                "agreed": float(found.agreed[place]),
                "informed": _informed(table),
                "worst_truth": found.names[truth] if rate > 0 else None,
                "worst_answer": found.names[answer] if rate > 0 else None,
                "worst_rate": rate if rate > 0 else None,
            }
        )
    return pl.DataFrame(rows, schema=_QUALITY).with_columns(pl.col("informed").fill_nan(None))


_QUALITY = {
    "author": pl.String,
    "votes": pl.Int64,
    "accuracy": pl.Float64,
    "agreed": pl.Float64,
    "informed": pl.Float64,
    "worst_truth": pl.String,
    "worst_answer": pl.String,
    "worst_rate": pl.Float64,
}


class _Model:
    """The two steps of EM; `counts` has the votes, (units, authors * classes)."""

    def __init__(self, counts: csr_array, authors: int, classes: int, smoothing: float) -> None:
        self.counts = counts
        self.by_answer = counts.T.tocsr()
        self.authors = authors
        self.classes = classes
        self.smoothing = smoothing

    def start(self) -> Floats:
        """Shares of the votes for each class, (n, k)."""
        counts = self.counts @ np.tile(np.eye(self.classes), (self.authors, 1))
        return np.asarray(counts / counts.sum(axis=1, keepdims=True), dtype=np.float64)

    def tables(self, posterior: Floats) -> Floats:
        """Expected counts (authors, truth, answer)."""
        tables = (self.by_answer @ posterior).reshape(self.authors, self.classes, self.classes)
        return np.asarray(tables.transpose(0, 2, 1), dtype=np.float64)

    def judged(self, posterior: Floats) -> Floats:
        return np.asarray(self.tables(posterior).sum(axis=2), dtype=np.float64)

    def parameters(self, posterior: Floats) -> tuple[Floats, Floats]:
        """The prevalence and tables that fit best; a row without votes is uniform."""
        tables = self.tables(posterior) + self.smoothing
        totals = tables.sum(axis=2, keepdims=True)
        alike = np.full_like(tables, 1 / self.classes)
        return posterior.mean(axis=0), np.divide(tables, totals, out=alike, where=totals > 0)

    def posterior(self, prevalence: Floats, tables: Floats) -> tuple[Floats, float]:
        """Probability (n, k) of each class, and the logarithm that EM maximises."""
        with np.errstate(divide="ignore"):  # the logarithm of an impossible answer is minus infinity
            chances, ahead = np.log(tables), np.log(prevalence)
        joint = self.counts @ chances.transpose(0, 2, 1).reshape(-1, self.classes) + ahead
        likelihood = scipy.special.logsumexp(joint, axis=1, keepdims=True)
        value = float(likelihood.sum())
        if self.smoothing:
            value += self.smoothing * float(chances.sum())
        return np.asarray(np.exp(joint - likelihood), dtype=np.float64), value

    def agreed(self, posterior: Floats) -> Floats:
        likeliest = np.eye(self.classes)[posterior.argmax(axis=1)]
        tables = self.tables(likeliest)
        right = np.trace(tables, axis1=1, axis2=2)
        return np.asarray(right / tables.sum(axis=(1, 2)), dtype=np.float64)


def _count_votes(votes: pl.DataFrame, units: pl.Series, authors: list[str], names: list[str]) -> csr_array:
    places = [
        votes.select("unit").join(pl.DataFrame({"unit": units}).with_row_index("at"), on="unit", how="left",
                                  maintain_order="left")["at"],
        votes["author"].cast(pl.Enum(authors)).to_physical(),
        votes["label"].cast(pl.Enum(names)).to_physical(),
    ]  # fmt: skip
    unit, author, label = (place.cast(pl.Int64).to_numpy() for place in places)
    shape = (len(units), len(authors) * len(names))
    return sum_by_image(unit, author * len(names) + label, np.ones(len(unit)), shape)


def _check_votes(votes: pl.DataFrame, names: list[str]) -> None:
    if votes.is_empty():
        raise UsageError("there are no votes", where="votes", fix="have several people label some images")
    for column in ("unit", "author", "label"):
        if votes[column].null_count():
            raise UsageError(f"a vote has no {column}", where="votes", fix="omit it, or name it")
    strange = votes.filter(~pl.col("label").is_in(names))["label"]
    if len(strange):
        raise UsageError(
            f"a vote has the unknown class '{strange[0]}'", where="votes", fix="name all classes"
        )


def _note(votes: pl.DataFrame, converged: bool) -> str:
    most = votes.group_by("unit").agg(pl.col("author").n_unique())["author"].max()
    if isinstance(most, int) and most < 3:
        return "no object was judged by three annotators: where two differ, nobody knows who errs"
    return "" if converged else "the estimate had not converged after the last round"


def _accuracy(found: Reliability, place: int) -> float:
    right = np.diagonal(found.answer_rates[place])
    known = ~np.isnan(right)
    return float((right[known] * found.prevalence[known]).sum() / found.prevalence[known].sum())


def _informed(table: Floats) -> float:
    known = table[~np.isnan(table).any(axis=1)]
    if len(known) < 2:
        return float("nan")
    squares = ((known[:, None] - known[None]) ** 2).sum(axis=2)
    return float(squares.sum() / 2 / (len(known) * (len(known) - 1)))
