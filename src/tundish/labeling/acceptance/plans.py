"""Sampling plans for inspection by attributes: ISO 2859-1:1999 (GB/T 2828.1-2012), and for isolated batches.

The master tables are as the standard prints them: an arrow refers to the first plan below or above it, *and
to that plan's sample size*. They are those of the 1999 edition, whose reduced plans have Re = Ac + 1;
MIL-STD-105E and ANSI Z1.4 leave a gap there and must not be mixed with it. The standard's lot is called a
batch here.
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
"""ISO 2859-1, Table 1: largest lot size of the row, and its code letters in the order of `LEVELS`."""

_NORMAL_SIZES = (2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800, 1250, 2000)
SAMPLE_SIZES: dict[Severity, tuple[int, ...]] = {
    "normal": _NORMAL_SIZES,
    "tightened": _NORMAL_SIZES,
    "reduced": (2, 2, 2, 3, 5, 8, 13, 20, 32, 50, 80, 125, 200, 315, 500, 800),
}
"""Sample size of each code letter of `LETTERS`."""

_COLUMNS = (0.040, *AQLS)
# 0.040 cannot be chosen: it only decides whether a batch under 0.065 passes one step tighter (`switching`).

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
"""ISO 2859-1, Tables 2-A to 2-C: acceptance numbers, a row a code letter, a column an AQL of `_COLUMNS`."""

_STEPS = {"↓": 1, "↑": -1}
_CONSUMERS_RISK = 0.10


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    """A single sampling plan: how many items of a batch are inspected, and how many may be nonconforming.

    Attributes:
        lot_size: Number of items in the batch.
        n: Number of items in the sample; the whole batch where the table's sample is not smaller.
        ac: Acceptance number: the batch is accepted with so many nonconforming items or fewer.
        re: Rejection number, Ac + 1.
        aql: Acceptance quality limit in percent nonconforming; None for an isolated batch.
        lq: Limiting quality in percent nonconforming; only for an isolated batch.
        level: Inspection level; '' for an isolated batch.
        severity: Severity of inspection, which selects the master table; None for an isolated batch.
        code: Code letter of Table 1; '' for an isolated batch and for a batch of one item.
        letter: Code letter of the plan that the arrows lead to.
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
        """The agreed quality limit, in words."""
        return f"LQ {self.lq:g} %" if self.aql is None else f"AQL {self.aql:g} %"

    @property
    def terms(self) -> str:
        """The limit, and the level and severity of a batch in a series, in words."""
        return self.limit if self.aql is None else f"{self.limit}, level {self.level}, {self.severity}"

    @property
    def inspect_all(self) -> bool:
        """Whether the sample is the whole batch."""
        return self.n >= self.lot_size


def code_letter(lot_size: int, level: str) -> str:
    """Look up the code letter in ISO 2859-1, Table 1.

    Args:
        lot_size: Number of items in the batch, 2 or more.
        level: Inspection level, one of `LEVELS`.

    Raises:
        UsageError: The level is not in the table, or the batch is too small for it.
    """
    if level not in LEVELS:
        raise UsageError(
            f"unknown inspection level '{level}'",
            where="level",
            fix=f"use one of {', '.join(LEVELS)}",
        )
    if lot_size < 2:
        raise UsageError(
            f"a batch of {lot_size} has no code letter", where="lot size", fix="give 2 items or more"
        )
    row = next(letters for largest, letters in _CODES if lot_size <= largest)
    return row[LEVELS.index(level)]


def look_up_plan(
    lot_size: int, level: str = "II", aql: float = 1.0, severity: str = "normal"
) -> SamplingPlan:
    """Look up the single sampling plan of a batch in ISO 2859-1, Tables 1 and 2-A to 2-C.

    Where the table's sample is not smaller than the batch, the whole batch is inspected, with the same Ac. A
    batch of one item is inspected, and accepted if that item conforms.

    Args:
        lot_size: Number of items in the batch, 1 or more.
        level: Inspection level, one of `LEVELS`; it stays the same when the severity switches.
        aql: Percent nonconforming, one of `AQLS`.
        severity: One of `SEVERITIES`; `switching` decides which.

    Raises:
        UsageError: The level, AQL or severity is not in the tables, or the batch has no items.
    """
    table = _known_severity(severity)
    column = _column(aql)
    if lot_size < 1:
        raise UsageError(
            f"a batch of {lot_size} items cannot be sampled",
            where="lot size",
            fix="name a batch with images",
        )
    code = code_letter(max(lot_size, 2), level)
    if lot_size == 1:
        return SamplingPlan(1, 1, 0, 1, aql=aql, level=level, severity=table)
    letter, ac = _follow_arrows(table, code, column)
    n = min(SAMPLE_SIZES[table][LETTERS.index(letter)], lot_size)
    return SamplingPlan(lot_size, n, ac, ac + 1, aql, None, level, table, code, letter)


def _known_severity(severity: str) -> Severity:
    for known in SEVERITIES:
        if known == severity:
            return known
    raise UsageError(
        f"unknown severity '{severity}'", where="severity", fix=f"use one of {', '.join(SEVERITIES)}"
    )


def _column(aql: float) -> int:
    if aql in AQLS:
        return _COLUMNS.index(aql)
    why = "; above 10 an AQL counts nonconformities, not nonconforming images" if aql > AQLS[-1] else ""
    raise UsageError(
        f"AQL {aql:g} is not in the tables{why}",
        where="aql",
        fix=f"use one of {', '.join(f'{value:g}' for value in AQLS)} (percent)",
    )


def _follow_arrows(severity: Severity, letter: str, column: int) -> tuple[str, int]:
    """The letter and Ac of a cell: its own, or those that its arrow leads to."""
    row = LETTERS.index(letter)
    while (cell := _TABLES[severity][row].split()[column]) in _STEPS:
        row += _STEPS[cell]
    return LETTERS[row], int(cell)


def ac_one_step_tighter(plan: SamplingPlan) -> int:
    """Look up Ac of the same sample under normal inspection at the next smaller AQL, for the switching score.

    Args:
        plan: A plan of normal inspection with Ac of 2 or more: only these have such a cell beside them.
    """
    assert plan.aql is not None
    assert plan.ac >= 2
    letter, ac = _follow_arrows("normal", plan.letter, _column(plan.aql) - 1)
    assert letter == plan.letter
    return ac


def compute_isolated_plan(lot_size: int, lq: float, ac: int) -> SamplingPlan:
    """Compute the plan of an isolated batch: the smallest sample that protects against the limiting quality.

    It is computed instead of taken from the tables of ISO 2859-2: a batch with LQ nonconforming (rounded up
    to whole items) is accepted with a probability of at most 10 %, the consumer's risk.

    Args:
        lot_size: Number of items in the batch.
        lq: Limiting quality, percent nonconforming.
        ac: Number of nonconforming items that the sample may show.

    Raises:
        UsageError: No sample protects, because a batch at LQ holds no more than `ac` nonconforming items.
    """
    # 7 % of 100 is 7.000000000000001 in binary, and is 7 items.
    defective = math.ceil(round(lq * lot_size / 100, 9))
    if not ac < defective <= lot_size or ac < 0:
        raise UsageError(
            f"a batch of {lot_size} at LQ {lq:g} % holds {defective} nonconforming items,"
            f" which a plan with Ac {ac} cannot reject",
            where="lq",
            fix="use a smaller Ac, a larger LQ (at most 100 %) or a larger batch",
        )
    low, high = ac, lot_size  # a sample of `low` accepts every batch at LQ, one of `high` accepts none
    while high - low > 1:
        middle = (low + high) // 2
        if acceptance_probability_in_batch(defective, lot_size, middle, ac) <= _CONSUMERS_RISK:
            high = middle
        else:
            low = middle
    return SamplingPlan(lot_size, high, ac, ac + 1, lq=lq)
