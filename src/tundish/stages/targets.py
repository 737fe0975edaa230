"""The values of whole images that count, for the stages after validate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tundish.storage.tables import TARGETS

if TYPE_CHECKING:
    from tundish.stages.base import Context

__all__ = ["SAME_VALUE", "accepted_values", "files_with_values"]

SAME_VALUE = 1e-9
"""Relative difference up to which two values are the same number, written differently."""


def accepted_values(context: Context) -> pl.DataFrame:
    """The accepted rows of the targets table, at most one an image file and target; none without targets.

    Raises:
        MissingStepError: The recipe has targets, and validate has not read them yet.
    """
    if not context.recipe.targets:
        return TARGETS.empty()
    rows = context.dataset.read(TARGETS)
    return rows.filter(pl.col("outcome") == "accepted")


def files_with_values(context: Context) -> pl.DataFrame:
    """The image files that have a value of a target: source, path, value (true)."""
    accepted = accepted_values(context)
    return accepted.select("source", "path", value=pl.lit(value=True)).unique(["source", "path"])
