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
from tundish.errors import GateError, OutsideError, TundishError, UsageError

__all__ = [
    "GateError",
    "LabelAcceptance",
    "LabelAdjudication",
    "LabelAgreement",
    "LabelPull",
    "LabelPush",
    "LabelServer",
    "OutsideError",
    "PictureServer",
    "TundishError",
    "UsageError",
    "label_accept",
    "label_adjudicate",
    "label_agree",
    "label_images",
    "label_pull",
    "label_push",
    "label_start",
    "read_table",
    "run",
    "status",
]
