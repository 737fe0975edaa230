"""Sampling plans for inspection by attributes: ISO 2859-1:1999 (GB/T 2828.1-2012), and one for isolated lots.

The master tables stand here as the standard prints them: an arrow sends the reader to the first plan below or
above it, *and to that plan's sample size*. They are those of the edition of 1999, whose reduced plans have
Re = Ac + 1; MIL-STD-105E and ANSI Z1.4 leave a gap there and must not be mixed with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from tundish.errors import UsageError
from tundish.labeling.acceptance.characteristic import acceptance_probability_in_batch
from tundish.recipe.labelling import AQLS

__all__ = [
    "AQLS",
    "LETTERS",
    "LEVELS",
    "SAMPLE_SIZES",
    "SEVERITIES",
    "SamplingPlan",
    "Severity",
    "ac_one_step_tighter",
    "code_letter",
    "compute_isolated_plan",
    "look_up_plan",
]

Severity = Literal["normal", "tightened", "reduced"]
SEVERITIES: tuple[Severity, ...] = ("normal", "tightened", "reduced")

LEVELS = ("S-1", "S-2", "S-3", "S-4", "I", "II", "III")
LETTERS = "ABCDEFGHJKLMNPQR"

_CODES = (
    (8, "AAAAAAB"),
    (15, "AAAAABC"),
    (25, "AABBBCD"),
    (50, "ABBCCDE"),
    (90, "BBCCCEF"),
    (150, "BBCDDFG"),
    (280, "BCDEEGH"),
    (500, "BCDEFHJ"),
    (1_200, "CCEFGJK"),
    (3_200, "CDEGHKL"),
    (10_000, "CDFGJLM"),
    (35_000, "CDFHKMN"),
    (150_000, "DEGJLNP"),
    (500_000, "DEGJMPQ"),
    (math.inf, "DEHKNQR"),
)
"""Table 1: largest lot size of the row, and its code letters in the order of `LEVELS`."""

_NORMAL_SIZES = (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000)
SAMPLE_SIZES: dict[Severity, tuple[int, ...]] = {
    "normal": _NORMAL_SIZES,
    "tightened": _NORMAL_SIZES,
    "reduced": (2, 2, 2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800),
}
"""Images in the sample of each letter of `LETTERS`."""

_COLUMNS = (0.040, *AQLS)
# 0.040 is not on offer: it only tells whether a lot under 0.065 would pass one step tighter (`switching`).

_TABLES: dict[Severity, tuple[str, ...]] = {
    "normal": (
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  0  ↓",
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  0  ↑  ↓",
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  0  ↑  ↓  1",
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  0  ↑  ↓  1  2",
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  0  ↑  ↓  1  2  3",
        "↓  ↓  ↓  ↓  ↓  ↓  0  ↑  ↓  1  2  3  5",
        "↓  ↓  ↓  ↓  ↓  0  ↑  ↓  1  2  3  5  7",
        "↓  ↓  ↓  ↓  0  ↑  ↓  1  2  3  5  7 10",
        "↓  ↓  ↓  0  ↑  ↓  1  2  3  5  7 10 14",
        "↓  ↓  0  ↑  ↓  1  2  3  5  7 10 14 21",
        "↓  0  ↑  ↓  1  2  3  5  7 10 14 21  ↑",
        "0  ↑  ↓  1  2  3  5  7 10 14 21  ↑  ↑",
        "↑  ↓  1  2  3  5  7 10 14 21  ↑  ↑  ↑",
        "↓  1  2  3  5  7 10 14 21  ↑  ↑  ↑  ↑",
        "1  2  3  5  7 10 14 21  ↑  ↑  ↑  ↑  ↑",
        "2  3  5  7 10 14 21  ↑  ↑  ↑  ↑  ↑  ↑",
    ),
    "tightened": (
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  0",
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  0  ↓",
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  0  ↓  ↓",
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  0  ↓  ↓  1",
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  0  ↓  ↓  1  2",
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  0  ↓  ↓  1  2  3",
        "↓  ↓  ↓  ↓  ↓  ↓  0  ↓  ↓  1  2  3  5",
        "↓  ↓  ↓  ↓  ↓  0  ↓  ↓  1  2  3  5  8",
        "↓  ↓  ↓  ↓  0  ↓  ↓  1  2  3  5  8 12",
        "↓  ↓  ↓  0  ↓  ↓  1  2  3  5  8 12 18",
        "↓  ↓  0  ↓  ↓  1  2  3  5  8 12 18  ↑",
        "↓  0  ↓  ↓  1  2  3  5  8 12 18  ↑  ↑",
        "0  ↓  ↓  1  2  3  5  8 12 18  ↑  ↑  ↑",
        "↓  ↓  1  2  3  5  8 12 18  ↑  ↑  ↑  ↑",
        "↓  1  2  3  5  8 12 18  ↑  ↑  ↑  ↑  ↑",
        "1  2  3  5  8 12 18  ↑  ↑  ↑  ↑  ↑  ↑",
    ),
    "reduced": (
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  0  ↓",
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  0  ↑  ↓",
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  0  ↑  ↓  ↓",
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  ↓  0  ↑  ↓  ↓  1",
        "↓  ↓  ↓  ↓  ↓  ↓  ↓  0  ↑  ↓  ↓  1  2",
        "↓  ↓  ↓  ↓  ↓  ↓  0  ↑  ↓  ↓  1  2  3",
        "↓  ↓  ↓  ↓  ↓  0  ↑  ↓  ↓  1  2  3  5",
        "↓  ↓  ↓  ↓  0  ↑  ↓  ↓  1  2  3  5  6",
        "↓  ↓  ↓  0  ↑  ↓  ↓  1  2  3  5  6  8",
        "↓  ↓  0  ↑  ↓  ↓  1  2  3  5  6  8 10",
        "↓  0  ↑  ↓  ↓  1  2  3  5  6  8 10  ↑",
        "0  ↑  ↓  ↓  1  2  3  5  6  8 10  ↑  ↑",
        "↑  ↓  ↓  1  2  3  5  6  8 10  ↑  ↑  ↑",
        "↓  ↓  1  2  3  5  6  8 10  ↑  ↑  ↑  ↑",
        "↓  1  2  3  5  6  8 10  ↑  ↑  ↑  ↑  ↑",
        "1  2  3  5  6  8 10  ↑  ↑  ↑  ↑  ↑  ↑",
    ),
}
"""Tables 2-A, 2-B, 2-C: a row a letter, a column an AQL of `_COLUMNS`, in it the acceptance number Ac."""

_STEPS = {"↓": 1, "↑": -1}
_CONSUMERS_RISK = 0.10


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """How many items of a lot are looked at, and how many nonconforming ones it may show.

    Attributes:
        lot_size: Items in the lot.
        n: Items in the sample; the whole lot where the table's sample is not smaller.
        ac: Acceptance number: the lot is accepted with so many nonconforming items or fewer.
        re: Rejection number, Ac + 1.
        aql: Acceptance quality limit in percent nonconforming; None for an isolated lot.
        lq: Limiting quality in percent nonconforming, of an isolated lot alone.
        level: Inspection level; '' for an isolated lot.
        severity: Which master table; None for an isolated lot.
        code: Code letter of Table 1; '' for an isolated lot and for a lot of one item.
        letter: Code letter of the plan the arrows lead to.
    """

    lot_size: int
    n: int
    ac: int
    re: int
    aql: float | None = None
    lq: float | None = None
    level: str = ""
    severity: Severity | None = None
    code: str = ""
    letter: str = ""

    @property
    def limit(self) -> str:
        """The quality agreed on, in words."""
        return f"LQ {self.lq:g} %" if self.aql is None else f"AQL {self.aql:g} %"

    @property
    def terms(self) -> str:
        """The limit, and how a lot of a series is inspected, in words."""
        return self.limit if self.aql is None else f"{self.limit}, level {self.level}, {self.severity}"

    @property
    def inspect_all(self) -> bool:
        """The sample is the lot."""
        return self.n >= self.lot_size


def code_letter(lot_size: int, level: str) -> str:
    """The code letter of Table 1 for a lot of two items or more.

    Raises:
        UsageError: A level that is not in the table, or a lot too small for it.
    """
    if level not in LEVELS:
        raise UsageError(
            f"there is no inspection level '{level}'",
            where="level",
            fix=f"take one of {', '.join(LEVELS)}",
        )
    if lot_size < 2:
        raise UsageError(f"a lot of {lot_size} has no code letter", where="lot size", fix="it starts at 2")
    row = next(letters for largest, letters in _CODES if lot_size <= largest)
    return row[LEVELS.index(level)]


def look_up_plan(
    lot_size: int, level: str = "II", aql: float = 1.0, severity: str = "normal"
) -> SamplingPlan:
    """The single sampling plan of a lot.

    Where the table's sample is not smaller than the lot, all of the lot is inspected, with the same Ac. A lot
    of one item is inspected, and accepted when that one conforms.

    Args:
        lot_size: Items in the lot, 1 or more.
        level: Inspection level, one of `LEVELS`; it stays the same when the severity switches.
        aql: Percent nonconforming, one of `AQLS`.
        severity: One of `SEVERITIES` (`switching` says which).

    Raises:
        UsageError: A level, AQL or severity that is not in the tables, or a lot without items.
    """
    table = _known_severity(severity)
    column = _column(aql)
    if lot_size < 1:
        raise UsageError(
            f"a lot of {lot_size} items cannot be sampled", where="lot size", fix="name a batch with images"
        )
    code = code_letter(max(lot_size, 2), level)
    if lot_size == 1:
        return SamplingPlan(1, 1, 0, 1, aql=aql, level=level, severity=table)
    letter, ac = _follow(table, code, column)
    n = min(SAMPLE_SIZES[table][LETTERS.index(letter)], lot_size)
    return SamplingPlan(lot_size, n, ac, ac + 1, aql, None, level, table, code, letter)


def _known_severity(severity: str) -> Severity:
    for known in SEVERITIES:
        if known == severity:
            return known
    raise UsageError(
        f"there is no severity '{severity}'", where="severity", fix=f"take one of {', '.join(SEVERITIES)}"
    )


def _column(aql: float) -> int:
    if aql in AQLS:
        return _COLUMNS.index(aql)
    why = "; above 10 it counts nonconformities, not nonconforming images" if aql > AQLS[-1] else ""
    raise UsageError(
        f"AQL {aql:g} is not in the tables{why}",
        where="aql",
        fix=f"take one of {', '.join(f'{value:g}' for value in AQLS)} (percent)",
    )


def _follow(severity: Severity, letter: str, column: int) -> tuple[str, int]:
    """The letter and Ac that a cell means: its own, or those its arrow leads to."""
    row = LETTERS.index(letter)
    while (cell := _TABLES[severity][row].split()[column]) in _STEPS:
        row += _STEPS[cell]
    return LETTERS[row], int(cell)


def ac_one_step_tighter(plan: SamplingPlan) -> int:
    """Ac of the same sample under normal inspection at the next smaller AQL, for the switching score.

    Args:
        plan: A plan of normal inspection with Ac of 2 or more: only those have such a cell beside them.
    """
    assert plan.aql is not None
    assert plan.ac >= 2
    letter, ac = _follow("normal", plan.letter, _column(plan.aql) - 1)
    assert letter == plan.letter
    return ac


def compute_isolated_plan(lot_size: int, lq: float, ac: int) -> SamplingPlan:
    """A plan for a lot that stands alone: the smallest sample that protects against the limiting quality.

    It is computed, and is not the one ISO 2859-2 prints: a lot with LQ nonconforming (rounded up to whole
    items) is accepted with a probability of at most 10 %, the consumer's risk.

    Args:
        lot_size: Items in the lot.
        lq: Limiting quality, percent nonconforming.
        ac: Nonconforming items the sample may show.

    Raises:
        UsageError: No sample can do that, because a lot at LQ holds no more than `ac` nonconforming items.
    """
    # 7 % of 100 is 7.000000000000001 in binary, and is 7 items.
    defective = math.ceil(round(lq * lot_size / 100, 9))
    if not ac < defective <= lot_size or ac < 0:
        raise UsageError(
            f"a lot of {lot_size} at LQ {lq:g} % holds {defective} nonconforming items,"
            f" which Ac {ac} cannot tell",
            where="lq",
            fix="take a smaller Ac, a larger LQ (at most 100 %) or a larger lot",
        )
    low, high = ac, lot_size  # at `low` every lot passes, at `high` none does
    while high - low > 1:
        middle = (low + high) // 2
        if acceptance_probability_in_batch(defective, lot_size, middle, ac) <= _CONSUMERS_RISK:
            high = middle
        else:
            low = middle
    return SamplingPlan(lot_size, high, ac, ac + 1, lq=lq)
