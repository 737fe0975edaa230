"""Tundish: curate, label, split and export steel and coal quality datasets.

The Python twin of the command line::

    import tundish

    outcomes = tundish.run("steel-surface", project="plant")
    splits = tundish.read_table("splits", "steel-surface", project="plant")
"""

from __future__ import annotations

from tundish.api.label_results import (
    LabelAcceptance,
    LabelAdjudication,
    LabelAgreement,
    LabelPull,
    LabelPush,
    LabelServer,
    PictureServer,
)
from tundish.api.labels import (
    label_accept,
    label_adjudicate,
    label_agree,
    label_images,
    label_pull,
    label_push,
    label_start,
)
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
    "LabelAcceptance",
    "LabelAdjudication",
    "LabelAgreement",
    "LabelPull",
    "LabelPush",
    "LabelServer",
    "OutsideError",
    "PictureServer",
    "Project",
    "RecordColumn",
    "SampleMade",
    "TundishError",
    "UsageError",
    "add",
    "init",
    "label_accept",
    "label_adjudicate",
    "label_agree",
    "label_images",
    "label_pull",
    "label_push",
    "label_start",
    "read_table",
    "run",
    "sample",
    "status",
]
