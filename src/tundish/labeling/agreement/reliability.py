"""How reliable each annotator is, where nobody knows the truth: Dawid and Skene's model, by EM.

Each thing has a true class; each annotator says k where the truth is j with a probability of its own,
independently of the others. Both are estimated together. A. P. Dawid, A. M. Skene (1979), Applied
Statistics 28, 20-28. With two annotators the data do not say which of them errs: from three on they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from scipy.special import logsumexp

from tundish.errors import UsageError
from tundish.labeling.agreement.resampling import sum_by_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scipy.sparse import csr_array

    from tundish.imaging.geometry import Floats

__all__ = ["Reliability", "annotator_quality", "fit_dawid_skene", "weights"]


class Reliability(NamedTuple):
    """What the model found.

    Attributes:
        names: The k classes.
        authors: The m annotators, sorted.
        prevalence: (k,) shares of the true classes.
        said: (m, k, k): [author, truth, answer], rows sum to 1. NaN where the author judged nothing that is
            taken to be of the class.
        votes: (m, k): things of each class that the author judged, by what the model takes them to be.
        units: The n things, in the order of their first rows.
        posterior: (n, k) probability of each class.
        agreed: (m,) share of the author's votes that name the model's likeliest class.
        history: Logarithm of the likelihood after each round (with smoothing, of the posterior density up to
            a constant); it never falls.
        converged: It stood still before the rounds were over.
        note: What limits the estimate, or empty.
    """

    names: list[str]
    authors: list[str]
    prevalence: Floats
    said: Floats
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
    """Estimate truth and annotators from their votes; it starts from the shares of votes, without chance.

    Args:
        votes: unit, author, label: one row for each judgement, as `units` gives them.
        names: The classes; those that occur, sorted, where they are not given.
        smoothing: Votes added to each cell of each author's table. Without, what an author never said at
            first is held impossible for good.
        rounds: At most.
        tolerance: Gain of the logarithm, by vote, below which it stands still.

    Raises:
        UsageError: There are no votes, a vote has no author or label, or names a class that `names` lacks.
    """
    known = sorted(votes["label"].drop_nulls().unique()) if names is None else list(names)
    _checked(votes, known)
    units = votes["unit"].unique(maintain_order=True)
    authors = votes["author"].unique().sort().to_list()
    said = _counted(votes, units, authors, known)
    model = _Model(said, len(authors), len(known), smoothing)
    posterior = model.start()
    history: list[float] = []
    while True:
        prevalence, table = model.parameters(posterior)
        posterior, value = model.posterior(prevalence, table)
        history.append(value)
        converged = len(history) > 1 and history[-1] - history[-2] <= tolerance * float(said.sum())
        if converged or len(history) >= rounds:
            break
    prevalence, table = model.parameters(posterior)
    judged = model.judged(posterior)
    table[judged == 0] = np.nan
    return Reliability(
        names=known,
        authors=authors,
        prevalence=prevalence,
        said=table,
        votes=judged,
        units=units,
        posterior=posterior,
        agreed=model.agreed(posterior),
        history=np.array(history),
        converged=converged,
        note=_note(votes, converged),
    )


def annotator_quality(found: Reliability) -> pl.DataFrame:
    """The annotators, one a row, sorted by name.

    Returns:
        author; votes; accuracy: chance of the right class, over the classes as often as they occur; agreed:
        share of votes for the likeliest class; informed: 0 for answers that do not depend on the truth, 1 for
        answers that tell each class from each (Raykar and Yu's score of spammers); what goes wrong most often
        of a class: worst_truth, worst_answer, worst_rate, null where nothing does.
    """
    rows = []
    for place, author in enumerate(found.authors):
        table = found.said[place]
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


def weights(found: Reliability) -> dict[str, float]:
    """What each author's vote should weigh: logarithm of the odds of being right against chance, 0 or more.

    An accuracy above 0.999 weighs no more than that: no estimate is so sure.
    """
    others = max(len(found.names) - 1, 1)
    accuracy = [min(_accuracy(found, place), 0.999) for place in range(len(found.authors))]
    odds = [max(share * others / (1 - share), 1.0) for share in accuracy]
    return {author: float(np.log(one)) for author, one in zip(found.authors, odds, strict=True)}


class _Model:
    """The two steps; votes as counts (units, authors * classes)."""

    def __init__(self, said: csr_array, authors: int, classes: int, smoothing: float) -> None:
        self.said = said
        self.by_answer = said.T.tocsr()
        self.authors = authors
        self.classes = classes
        self.smoothing = smoothing

    def start(self) -> Floats:
        """Shares of the votes for each class."""
        counts = self.said @ np.tile(np.eye(self.classes), (self.authors, 1))
        return np.asarray(counts / counts.sum(axis=1, keepdims=True), dtype=np.float64)

    def tables(self, posterior: Floats) -> Floats:
        """Expected counts (authors, truth, answer)."""
        tables = (self.by_answer @ posterior).reshape(self.authors, self.classes, self.classes)
        return np.asarray(tables.transpose(0, 2, 1), dtype=np.float64)

    def judged(self, posterior: Floats) -> Floats:
        return np.asarray(self.tables(posterior).sum(axis=2), dtype=np.float64)

    def parameters(self, posterior: Floats) -> tuple[Floats, Floats]:
        """The prevalence and tables that fit best; a row without any vote says all alike."""
        tables = self.tables(posterior) + self.smoothing
        totals = tables.sum(axis=2, keepdims=True)
        alike = np.full_like(tables, 1 / self.classes)
        return posterior.mean(axis=0), np.divide(tables, totals, out=alike, where=totals > 0)

    def posterior(self, prevalence: Floats, tables: Floats) -> tuple[Floats, float]:
        """Probability (n, k) of each class, and the logarithm that EM raises."""
        with np.errstate(divide="ignore"):  # what never occurs has a logarithm of minus infinity
            chances, ahead = np.log(tables), np.log(prevalence)
        joint = self.said @ chances.transpose(0, 2, 1).reshape(-1, self.classes) + ahead
        likelihood = logsumexp(joint, axis=1, keepdims=True)
        value = float(likelihood.sum())
        if self.smoothing:
            value += self.smoothing * float(chances.sum())
        return np.asarray(np.exp(joint - likelihood), dtype=np.float64), value

    def agreed(self, posterior: Floats) -> Floats:
        likeliest = np.eye(self.classes)[posterior.argmax(axis=1)]
        tables = self.tables(likeliest)
        right = np.trace(tables, axis1=1, axis2=2)
        return np.asarray(right / tables.sum(axis=(1, 2)), dtype=np.float64)


def _counted(votes: pl.DataFrame, units: pl.Series, authors: list[str], names: list[str]) -> csr_array:
    places = [
        votes.select("unit").join(pl.DataFrame({"unit": units}).with_row_index("at"), on="unit", how="left",
                                  maintain_order="left")["at"],
        votes["author"].cast(pl.Enum(authors)).to_physical(),
        votes["label"].cast(pl.Enum(names)).to_physical(),
    ]  # fmt: skip
    unit, author, label = (place.cast(pl.Int64).to_numpy() for place in places)
    shape = (len(units), len(authors) * len(names))
    return sum_by_image(unit, author * len(names) + label, np.ones(len(unit)), shape)


def _checked(votes: pl.DataFrame, names: list[str]) -> None:
    if votes.is_empty():
        raise UsageError("there are no votes", where="votes", fix="label some images by several people")
    for column in ("unit", "author", "label"):
        if votes[column].null_count():
            raise UsageError(f"a vote has no {column}", where="votes", fix="leave it out, or name it")
    strange = votes.filter(~pl.col("label").is_in(names))["label"]
    if len(strange):
        raise UsageError(
            f"a vote for '{strange[0]}', which is no class", where="votes", fix="name all classes"
        )


def _note(votes: pl.DataFrame, converged: bool) -> str:
    most = votes.group_by("unit").agg(pl.col("author").n_unique())["author"].max()
    if isinstance(most, int) and most < 3:
        return "no thing was judged by three: two who differ do not say who errs"
    return "" if converged else "the rounds were over before it stood still"


def _accuracy(found: Reliability, place: int) -> float:
    right = np.diagonal(found.said[place])
    known = ~np.isnan(right)
    return float((right[known] * found.prevalence[known]).sum() / found.prevalence[known].sum())


def _informed(table: Floats) -> float:
    known = table[~np.isnan(table).any(axis=1)]
    if len(known) < 2:
        return float("nan")
    squares = ((known[:, None] - known[None]) ** 2).sum(axis=2)
    return float(squares.sum() / 2 / (len(known) * (len(known) - 1)))
