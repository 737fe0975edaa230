"""Agreement beyond chance: Cohen's, Fleiss' and Krippendorff's coefficients, and why one is not defined.

Ratings are counted first: `table` (k, k) for two raters, `counts` (items, k) for several, `ratings` (raters,
items) with NaN for missing ones. Functions with a name in the plural take stacks of tables, for resampling.

Sources: J. Cohen (1960), Educational and Psychological Measurement 20, 37-46, and (1968), Psychological
Bulletin 70, 213-220 (weights); J. L. Fleiss (1971), Psychological Bulletin 76, 378-382; K. Krippendorff,
Content Analysis (alpha, from its coincidence matrix); D. G. Chapman (1951), University of California
Publications in Statistics 1, 131-160.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from tundish.imaging.geometry import Floats

__all__ = [
    "Coefficient",
    "Level",
    "Weights",
    "chapman",
    "coefficient",
    "cohen_kappa",
    "cohen_kappas",
    "fleiss_kappa",
    "krippendorff_alpha",
    "krippendorff_alphas",
    "percent_agreement",
]

Weights = Literal["linear", "quadratic"]
Level = Literal["nominal", "ordinal", "interval", "ratio"]

_TOO_FEW = "no item has two ratings"
_ONE_VALUE = "only one value was given, so agreement by chance is complete"


class Coefficient(NamedTuple):
    """A coefficient of agreement.

    Attributes:
        value: The coefficient, up to 1; 0 is agreement by chance. NaN where it is not defined.
        items: Number of items that count: those with two ratings or more.
        why: Why it is not defined, or empty.
    """

    value: float
    items: int
    why: str = ""


def coefficient(value: float, items: int) -> Coefficient:
    """Make a `Coefficient`, with the reason where it is not defined (NaN)."""
    if np.isnan(value):
        return Coefficient(value, items, _ONE_VALUE if items else _TOO_FEW)
    return Coefficient(float(value), items)


def cohen_kappa(table: ArrayLike, weights: Weights | None = None) -> Coefficient:
    """Compute Cohen's kappa of two raters.

    Args:
        table: (k, k), how often the first rater said i and the second j; with weights the classes are in
            order.
        weights: 'linear' weighs a disagreement by its distance, as for severities, 'quadratic' by the squared
            distance (to check against a published value); None weighs all alike.

    Returns:
        The coefficient; not defined where both raters used one and the same class throughout.

    Raises:
        ValueError: The table is not square.
    """
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"a table of two raters is square, not {counts.shape}")
    return coefficient(float(cohen_kappas(counts, weights)), round(counts.sum()))


def cohen_kappas(tables: ArrayLike, weights: Weights | None = None) -> Floats:
    """Compute Cohen's kappa (...) of a stack of tables (..., k, k); NaN where it is not defined."""
    tables = np.asarray(tables, dtype=np.float64)
    places = np.arange(tables.shape[-1])
    distance = np.abs(places[:, None] - places).astype(np.float64)
    costs = {None: (distance > 0).astype(np.float64), "linear": distance, "quadratic": distance**2}[weights]
    total = tables.sum(axis=(-2, -1))
    # Both sums are multiplied by the total squared: with a single division at the end, equal sums stay equal.
    observed = (tables * costs).sum(axis=(-2, -1)) * total
    expected = ((tables.sum(axis=-1) @ costs) * tables.sum(axis=-2)).sum(axis=-1)
    return _one_less(observed, expected)


def fleiss_kappa(counts: ArrayLike) -> Coefficient:
    """Compute Fleiss' kappa: each item has the same number of raters, not necessarily the same raters.

    Args:
        counts: (items, k), how many raters gave the item each class.

    Returns:
        The coefficient; not defined where only one class was used, or there is only one rater.

    Raises:
        ValueError: Items have different numbers of ratings; `krippendorff_alpha` allows that.
    """
    counts = np.asarray(counts, dtype=np.float64)
    raters = np.unique(counts.sum(axis=1))
    if len(raters) > 1:
        raise ValueError(f"items have from {raters[0]:g} to {raters[-1]:g} ratings")
    if not len(raters) or raters[0] < 2:
        return Coefficient(float("nan"), 0, _TOO_FEW)
    shares = counts.sum(axis=0) / counts.sum()
    observed = _differing(counts).sum() / _pairs(counts).sum()
    expected = (shares * (1 - shares)).sum()
    return coefficient(float(_one_less(observed, expected)), len(counts))


def krippendorff_alpha(ratings: ArrayLike, level: Level = "nominal") -> Coefficient:
    """Compute Krippendorff's alpha of any number of raters, who need not all rate all items.

    It needs memory for the square of the number of different values.

    Args:
        ratings: (raters, items), NaN where a rater gave none. Nominal values are numbers of classes.
        level: How a difference of two values counts: equally (nominal), by the number of ratings between them
            (ordinal), by its square (interval), by the square of its share in their sum (ratio). Labels are
            nominal and severities ordinal; the others are there to check against published values.

    Returns:
        The coefficient; not defined where all comparable ratings are the same.

    Raises:
        ValueError: A value is below 0 on a ratio scale.
    """
    ratings = np.asarray(ratings, dtype=np.float64)
    given = ~np.isnan(ratings)
    values, codes = np.unique(ratings[given], return_inverse=True)
    counts = np.zeros((ratings.shape[1], len(values)))
    np.add.at(counts, (np.nonzero(given)[1], codes), 1)
    counts = counts[counts.sum(axis=1) > 1]
    if level == "ratio" and (values < 0).any():
        raise ValueError(f"a ratio scale has no value of {values[0]:g}")
    coincidences = counts.T @ (counts / (counts.sum(axis=1, keepdims=True) - 1))
    coincidences -= np.diag((counts / (counts.sum(axis=1, keepdims=True) - 1)).sum(axis=0))
    return coefficient(float(krippendorff_alphas(coincidences, values, level)), len(counts))


def krippendorff_alphas(
    coincidences: ArrayLike, values: ArrayLike | None = None, level: Level = "nominal"
) -> Floats:
    """Compute Krippendorff's alpha of a stack of coincidence matrices.

    Args:
        coincidences: (..., k, k), pairs of ratings of one item, each pair in both orders and weighted by
            1 / (number of the item's ratings - 1).
        values: (k,), the values in rising order; not needed for nominal ones.
        level: As for `krippendorff_alpha`.

    Returns:
        The coefficients (...), NaN where one is not defined.
    """
    tables = np.asarray(coincidences, dtype=np.float64)
    totals = tables.sum(axis=-1)
    numbers = np.asarray(np.arange(tables.shape[-1]) if values is None else values, dtype=np.float64)
    squares = _squares(totals, numbers, level)
    total = totals.sum(axis=-1)
    observed = (tables * squares).sum(axis=(-2, -1)) * (total - 1)
    expected = (totals[..., :, None] * totals[..., None, :] * squares).sum(axis=(-2, -1))
    return _one_less(observed, expected)


def percent_agreement(counts: ArrayLike) -> Coefficient:
    """Compute the share of equal pairs of ratings of one item, 0 to 1, not corrected for chance.

    Args:
        counts: (items, k), how many raters gave the item each class.
    """
    counts = np.asarray(counts, dtype=np.float64)
    pairs = _pairs(counts)
    items = int((pairs > 0).sum())
    if not items:
        return Coefficient(float("nan"), 0, _TOO_FEW)
    return Coefficient(1 - float(_differing(counts).sum() / pairs.sum()), items)


def chapman(first: ArrayLike, second: ArrayLike, both: ArrayLike) -> Floats:
    """Estimate how many objects there are, including those that two independent observers both missed.

    Objects that are hard to see are missed by both more often than independence implies, so that the estimate
    is rather too low.

    Args:
        first: Number of objects that the first observer saw.
        second: Number of objects that the second observer saw.
        both: Number of objects that both saw.
    """
    first, second, both = (np.asarray(count, dtype=np.float64) for count in (first, second, both))
    return np.asarray((first + 1) * (second + 1) / (both + 1) - 1, dtype=np.float64)


def _pairs(counts: Floats) -> Floats:
    given = counts.sum(axis=1)
    return np.asarray(given * (given - 1), dtype=np.float64)


def _differing(counts: Floats) -> Floats:
    return np.asarray(counts.sum(axis=1) ** 2 - (counts**2).sum(axis=1), dtype=np.float64)


def _squares(totals: Floats, values: NDArray[np.float64], level: Level) -> Floats:
    """Squared differences (..., k, k) of values."""
    if level == "nominal":
        return 1.0 - np.eye(totals.shape[-1])
    if level == "ordinal":
        # Ratings below a value and half of those of it: between two values lie those between these places.
        ranks = np.cumsum(totals, axis=-1) - totals / 2
        return np.asarray((ranks[..., :, None] - ranks[..., None, :]) ** 2, dtype=np.float64)
    apart = values[:, None] - values
    if level == "interval":
        return np.asarray(apart**2, dtype=np.float64)
    sums = values[:, None] + values
    ratios = np.divide(apart, sums, out=np.zeros_like(apart), where=sums > 0)
    return np.asarray(ratios**2, dtype=np.float64)


def _one_less(observed: ArrayLike, expected: ArrayLike) -> Floats:
    """1 - observed / expected disagreement; NaN where none is expected."""
    observed, expected = np.asarray(observed, np.float64), np.asarray(expected, np.float64)
    missing = np.full(np.broadcast(observed, expected).shape, np.nan)
    return np.asarray(1 - np.divide(observed, expected, out=missing, where=expected > 0), dtype=np.float64)
