"""Rules for records, images and labels: what a plant's schemas import.

Public: `from tundish.rules import across, error, number` keeps working between releases. Knows Pandera
and Polars; knows neither files of data nor stages.
"""

from __future__ import annotations

from tundish.rules.across import across, over_table
from tundish.rules.columns import (
    BITS,
    adds_up,
    agrees,
    at_least,
    between,
    choice,
    expected,
    keeps,
    later,
    name_of,
    near,
    number,
    optional,
    percent,
    positive,
    usual,
    within,
)
from tundish.rules.rule import Rule, error, rules, warning

__all__ = [
    "BITS",
    "Rule",
    "across",
    "adds_up",
    "agrees",
    "at_least",
    "between",
    "choice",
    "error",
    "expected",
    "keeps",
    "later",
    "name_of",
    "near",
    "number",
    "optional",
    "over_table",
    "percent",
    "positive",
    "rules",
    "usual",
    "warning",
    "within",
]
