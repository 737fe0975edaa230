"""Tundish: curate, label, split and export steel and coal quality datasets.

The Python twin of the command line::

    import tundish

    outcomes = tundish.run("steel-surface", project="plant")
    splits = tundish.read_table("splits", "steel-surface", project="plant")
"""

from __future__ import annotations

from tundish.api.pipeline import read_table, run, status
from tundish.api.projects import (
    Added,
    AddedImages,
    AddedRecords,
    Project,
    RecordColumn,
    SampleMade,
    add,
    init,
    sample,
)
from tundish.errors import GateError, OutsideError, TundishError, UsageError

__all__ = [
    "Added",
    "AddedImages",
    "AddedRecords",
    "GateError",
    "OutsideError",
    "Project",
    "RecordColumn",
    "SampleMade",
    "TundishError",
    "UsageError",
    "add",
    "init",
    "read_table",
    "run",
    "sample",
    "status",
]
