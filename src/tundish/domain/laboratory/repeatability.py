"""Repeated determinations: when two agree, when a third and a fourth are needed, when pairs look invented.

The limits come from the constants of laboratory software and from trade pages, not from the standards
themselves; those marked `general` are general knowledge. They are suitable for warnings; before they gate a
delivery, a plant must check them against its own copy of the standard.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "LIMITS",
    "Band",
    "Limits",
    "Pairs",
    "Settled",
    "agree",
    "judge_pairs",
    "limit",
    "limits_of",
    "resolution",
    "settle",
    "verdicts",
]

_BITS = 1e-9
"""Absorbs rounding: 10.20 - 10.00 is 0.1999999999999993, and 20.50 - 20.20 is more than 0.3."""


@dataclass(frozen=True, slots=True)
class Band:
    """Limits for means below `upto`, or up to and including it.

    Attributes:
        upto: Upper end of the band.
        r: Repeatability, within one laboratory; None where the source has none.
        R: Reproducibility, between laboratories; None where the source has none.
        with_it: Whether the upper end belongs to the band.
        r_share: Share of the mean that is added to `r`.
        R_share: The same for `R`.
    """

    upto: float
    r: float | None
    R: float | None = None
    with_it: bool = False
    r_share: float = 0.0
    R_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one item in one standard, in the item's canonical unit (%, MJ/kg, °C).

    Attributes:
        item: The canonical column, such as ``A_ad``.
        standard: The standard they are attributed to; the first of an item is the default.
        bands: The bands by the **mean** of the determinations (some software uses the smaller), ascending.
        general: Whether they are general knowledge, without a source.
        remark: What other sources say.
    """

    item: str
    standard: str
    bands: tuple[Band, ...]
    general: bool = False
    remark: str = ""

    def band(self, mean: float) -> Band | None:
        """The band of a mean."""
        return next((b for b in self.bands if mean < b.upto or (b.with_it and mean == b.upto)), None)

    def r(self, mean: float) -> float | None:
        """Repeatability: the largest difference of two determinations that agree; None where undefined."""
        band = self.band(mean)
        return None if band is None or band.r is None else band.r + band.r_share * mean

    def expression(self, mean: pl.Expr) -> pl.Expr:
        """The repeatability of a column of means; null where there is none."""
        chosen = pl.lit(None, pl.Float64)
        for band in reversed(self.bands):
            within = mean <= band.upto if band.with_it else mean < band.upto
            limit = pl.lit(None, pl.Float64) if band.r is None else band.r + band.r_share * mean
            chosen = pl.when(within).then(limit).otherwise(chosen)
        return chosen


_ALL = math.inf

LIMITS = (
    Limits("Mt", "GB/T 211", (Band(10, 0.4), Band(_ALL, 0.5))),
    Limits("Mad", "GB/T 212", (Band(5, 0.20), Band(10, 0.30, with_it=True), Band(_ALL, 0.40))),
    Limits(
        "Mad",
        "ASTM D3173",
        (Band(1.0, None), Band(21.9, 0.09, 0.23, with_it=True, r_share=0.01, R_share=0.02)),
    ),
    Limits("Mad", "ISO 11722", (Band(5, 0.10), Band(_ALL, 0.15)), general=True),
    Limits("A_ad", "GB/T 212", (Band(15, 0.20), Band(30, 0.30, with_it=True), Band(_ALL, 0.50))),
    Limits(
        "A_d", "GB/T 212", (Band(15, None, 0.30), Band(30, None, 0.50, with_it=True), Band(_ALL, None, 0.70))
    ),
    Limits(
        "A_ad",
        "ISO 1171",
        (Band(10, 0.2, 0.3), Band(_ALL, 0, 0, r_share=0.02, R_share=0.03)),
        general=True,
    ),
    Limits("A_ad", "ASTM D3174", (Band(_ALL, 0.22, 0.32),), general=True, remark="an older edition"),
    Limits(
        "V_ad",
        "GB/T 212",
        (Band(20, 0.30), Band(40, 0.50, with_it=True), Band(_ALL, 0.80)),
        remark="another source: below 10 0.30, 10 to 45 0.50, above 45 1.00",
    ),
    Limits(
        "V_d",
        "GB/T 212",
        (Band(20, None, 0.50), Band(40, None, 1.00, with_it=True), Band(_ALL, None, 1.50)),
    ),
    Limits(
        "V_ad",
        "ISO 562",
        (Band(10, 0.3, 0.5), Band(_ALL, 0, 0, r_share=0.03, R_share=0.04)),
        general=True,
        remark="R is 4 to 10 % of the mean",
    ),
    Limits(
        "S_t_ad",
        "GB/T 214",
        (Band(1.5, 0.05, with_it=True), Band(4, 0.10, with_it=True), Band(_ALL, 0.20)),
        remark="another source: the first band ends at 1",
    ),
    Limits("Q_gr_ad", "GB/T 213", (Band(_ALL, 0.120),)),
    Limits("Q_gr_d", "GB/T 213", (Band(_ALL, None, 0.300),)),
    Limits("T_DT", "GB/T 219", (Band(_ALL, 60),), general=True),
    Limits("T_ST", "GB/T 219", (Band(_ALL, 40, 80),), general=True),
    Limits("T_HT", "GB/T 219", (Band(_ALL, 40, 80),), general=True),
    Limits("T_FT", "GB/T 219", (Band(_ALL, 40, 80),), general=True),
    Limits("G_index", "GB/T 5447", (Band(18, 1, 2), Band(_ALL, 3, 4)), general=True),
)


def limits_of(item: str, standard: str | None = None) -> Limits | None:
    """The limits of an item, in one standard or the first; None where there are none."""
    return next((s for s in LIMITS if s.item == item and standard in {None, s.standard}), None)


def limit(item: pl.Expr, mean: pl.Expr) -> pl.Expr:
    """Repeatability T of a column of items and their means, each by its first standard; null where none."""
    chosen = pl.lit(None, pl.Float64)
    for name in dict.fromkeys(one.item for one in LIMITS):
        first = limits_of(name)
        assert first is not None
        chosen = pl.when(item == name).then(first.expression(mean)).otherwise(chosen)
    return chosen


def agree(first: pl.Expr, second: pl.Expr, limit: pl.Expr) -> pl.Expr:
    """True where two determinations differ by at most the limit."""
    return (first - second).abs() <= limit + _BITS


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome of the determinations of one item of one sample.

    Attributes:
        mean: The result; None while there is none.
        used: The determinations whose mean it is, numbered from 0.
        needs_more: Whether one more determination decides.
        rejected: Whether four do not agree: all are void, and the sample must be determined again.
    """

    mean: float | None
    used: tuple[int, ...]
    needs_more: bool
    rejected: bool


def settle(values: Sequence[float], limit: float) -> Settled:
    """Apply the rule of two, three and four determinations (after GB/T 483, as in laboratory software).

    Two agree within T; else three within 1.2 T; else four within 1.3 T, or any three of them within 1.2 T
    (the closest three, of equally close ones the lower). Limits are met by equality.

    Args:
        values: The determinations in their order; those after the deciding one are ignored.
        limit: The repeatability T, chosen by the mean of the first two (`Limits.r`).
    """

    def within(which: tuple[int, ...], factor: float) -> bool:
        return _spread(values, which) <= factor * limit + _BITS

    for count, factor in ((2, 1.0), (3, 1.2), (4, 1.3)):
        which = tuple(range(count))
        if len(values) < count:
            return Settled(None, (), needs_more=True, rejected=False)
        if within(which, factor):
            return _mean(values, which)
    closest = min(
        combinations(range(4), 3),
        key=lambda which: (round(_spread(values, which), 9), sum(values[i] for i in which)),
    )
    if within(closest, 1.2):
        return _mean(values, closest)
    return Settled(None, (), needs_more=False, rejected=True)


def _spread(values: Sequence[float], which: tuple[int, ...]) -> float:
    chosen = [values[i] for i in which]
    return max(chosen) - min(chosen)


def _mean(values: Sequence[float], which: tuple[int, ...]) -> Settled:
    mean = math.fsum(values[i] for i in which) / len(which)
    return Settled(mean, which, needs_more=False, rejected=False)


def verdicts(values: pl.Series, limits: pl.Series) -> pl.Series:
    """Settle many samples: "settled", "rejected", or the missing determination, "2" to "4"; null: no limit.

    Args:
        values: Lists of determinations in their order, without nulls.
        limits: The repeatability T of each, null where there is none.
    """
    frame = pl.select(values=values, limit=limits)
    first, second = (pl.col("values").list.get(i, null_on_oob=True) for i in (0, 1))
    quick = frame.select(
        pl.when(pl.col("limit").is_not_null() & agree(first, second, pl.col("limit"))).then(pl.lit("settled"))
    ).to_series()
    # Most pairs agree; only the others need a loop.
    slow = quick.is_null() & frame["limit"].is_not_null()
    rest = [_word(list(some), settle(some, limit)) for some, limit in frame.filter(slow).iter_rows()]
    return quick.scatter(slow.arg_true(), pl.Series(rest, dtype=pl.String)) if rest else quick


def _word(values: list[float], settled: Settled) -> str:
    if settled.needs_more:
        return str(len(values) + 1)
    return "rejected" if settled.rejected else "settled"


@dataclass(frozen=True, slots=True)
class Pairs:
    """How close the pairs of one item are, compared with the precision of the method.

    Attributes:
        pairs: The number of pairs.
        equal_share: Share of pairs that are exactly equal.
        expected_share: Share that is equal by rounding, in a laboratory twice as good as the limit requires.
        sd_ratio: Spread of the differences divided by the expected one, T / 2.77 * sqrt(2).
        too_equal: Whether pairs are equal far more often than by chance (four standard errors).
        too_close: Whether the spread is less than a quarter of the expected one.
    """

    pairs: int
    equal_share: float
    expected_share: float
    sd_ratio: float
    too_equal: bool
    too_close: bool


def judge_pairs(
    first: NDArray[np.float64], second: NDArray[np.float64], limits: NDArray[np.float64], *, least: int = 20
) -> Pairs:
    """Look for second determinations that were written down but not made; it needs at least `least` pairs.

    The factors (twice as good, four standard errors, a quarter) are proposals: a finding is a reason to ask.

    Args:
        first: First determinations of one item.
        second: Second determinations.
        limits: The repeatability T of each pair.
        least: The number of pairs below which there is no verdict.
    """
    count = len(first)
    if count == 0:
        return Pairs(0, 0.0, 0.0, 0.0, too_equal=False, too_close=False)
    step = resolution(np.concatenate([first, second]))
    differences = np.abs(first - second)
    sigma = limits / 2.77 * math.sqrt(2)
    equal = float(np.mean(differences < step / 2))
    expected = float(np.mean([_equal_by_rounding(step, s / 2) for s in sigma]))
    ratio = float(np.sqrt(np.mean((differences / sigma) ** 2)))
    error = math.sqrt(expected * (1 - expected) / count)
    enough = count >= least
    return Pairs(
        count,
        equal,
        expected,
        ratio,
        too_equal=enough and equal > expected + 4 * error,
        too_close=enough and ratio < 0.25,
    )


def resolution(values: NDArray[np.float64]) -> float:
    """The last decimal place in use: 10, 1, 0.1, ... 0.0001."""
    for step in (10.0, 1.0, 0.1, 0.01, 0.001):
        scaled = values / step
        if np.all(np.abs(scaled - np.round(scaled)) < 1e-6):
            return step
    return 0.0001


def _equal_by_rounding(step: float, sigma: float) -> float:
    """Chance that two values, whose difference is normal with `sigma`, are equal after rounding to `step`."""
    h = step / sigma
    density = (1 - math.exp(-h * h / 2)) / math.sqrt(2 * math.pi)
    return math.erf(h / math.sqrt(2)) - 2 / h * density
