"""Tundish: curate, label, split and export steel and coal quality datasets.

The Python twin of the command line::

    import tundish

    tundish.run("steel-surface", project="plant")
    data = tundish.open("steel-surface", project="plant")
    for sample in data.images("train"):
        print(sample.path, sample.array.shape, [label.name for label in sample.labels])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tundish.api.dataset import Dataset, open, read_table  # noqa: A004  (tundish.open, as gzip.open)
from tundish.api.demo import SampleMade, sample
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
from tundish.api.pipeline import Run, datasets, dedup, export, run, run_stage, status
from tundish.api.projects import (
    Added,
    AddedImages,
    AddedRecords,
    Project,
    RecordColumn,
    UnreadLabels,
    add,
    init,
)
from tundish.api.query import query
from tundish.api.results import Progress, Result, Results
from tundish.api.samples import Images, Label, Sample
from tundish.api.schemas import (
    SchemaDiff,
    SchemaInferred,
    SchemaState,
    schema_check,
    schema_diff,
    schema_infer,
)
from tundish.api.verify import verify
from tundish.errors import GateError, OutsideError, TundishError, UsageError
from tundish.stages.base import Outcome

if TYPE_CHECKING:
    from tundish.audit.status import Status
    from tundish.audit.verify.result import Verification

__all__ = [
    "Added",
    "AddedImages",
    "AddedRecords",
    "Dataset",
    "GateError",
    "Images",
    "Label",
    "LabelAcceptance",
    "LabelAdjudication",
    "LabelAgreement",
    "LabelPull",
    "LabelPush",
    "LabelServer",
    "Outcome",
    "OutsideError",
    "PictureServer",
    "Progress",
    "Project",
    "RecordColumn",
    "Result",
    "Results",
    "Run",
    "Sample",
    "SampleMade",
    "SchemaDiff",
    "SchemaInferred",
    "SchemaState",
    "Status",
    "TundishError",
    "UnreadLabels",
    "UsageError",
    "Verification",
    "add",
    "datasets",
    "dedup",
    "export",
    "init",
    "label_accept",
    "label_adjudicate",
    "label_agree",
    "label_images",
    "label_pull",
    "label_push",
    "label_start",
    "open",
    "query",
    "read_table",
    "run",
    "run_stage",
    "sample",
    "schema_check",
    "schema_diff",
    "schema_infer",
    "status",
    "verify",
]

_LATER = {"Status": "tundish.audit.status", "Verification": "tundish.audit.verify.result"}
"""Modules of names whose import would make `import tundish` slow."""


def __getattr__(name: str) -> Any:
    """A name that is imported when it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module 'tundish' has no attribute '{name}'")
    return getattr(importlib.import_module(_LATER[name]), name)
