"""Tundish: curate, label, split and export steel and coal quality datasets.

The Python twin of the command line::

    import tundish

    outcomes = tundish.run("steel-surface", project="plant")
    splits = tundish.read_table("splits", "steel-surface", project="plant")
"""

from __future__ import annotations

from tundish.api.pipeline import read_table, run, status
from tundish.errors import GateError, OutsideError, TundishError, UsageError

__all__ = ["GateError", "OutsideError", "TundishError", "UsageError", "read_table", "run", "status"]
