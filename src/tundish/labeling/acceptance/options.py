"""How a batch is to be inspected: the options of the user and of the recipe, and whether they go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from tundish.errors import UsageError
from tundish.labeling.acceptance.plans import SEVERITIES, look_up_plan
from tundish.labeling.acceptance.verdict import ALL_CLASSES

if TYPE_CHECKING:
    from tundish.recipe.labelling import Nonconformity

__all__ = ["AUTO", "STANDARD", "BatchOptions", "check_options"]

AUTO = "auto"
"""The severity that the switching rules require."""


class BatchOptions(NamedTuple):
    """How a batch is to be inspected.

    Attributes:
        title: Title of the dataset's project, with which that of the review begins.
        aql: Percent of nonconforming images of all classes, or by class of nonconformity. None: that of the
            producer's batch before, because the switching rules apply to one series.
        level: Inspection level; None as for `aql`.
        severity: 'auto' for the one that the switching rules require; else one of `SEVERITIES`.
        seed: Seed of the sample.
        reduced: Whether the person responsible for the labels approved reduced inspection.
        corrected: What was done about the cause after inspection was discontinued; '' for nothing.
        per_annotator: Whether a batch holds one annotator's work; else it holds everybody's.
        annotator: The annotator; '' for the next who has images.
        miss_rate: Share of nonconforming images that reviewers overlook, 0 to 1.
        misplaced: IoU below which a label is in another place than the reviewer's.
        loose: IoU below which a label is not tight.
        lq: Limiting quality in percent, for an isolated batch, which has no AQL, level or severity.
        ac: Acceptance number of an isolated batch.
        class_of: The recipe's classes by normalised spelling: some may have been renamed since a batch.
    """

    title: str
    aql: float | Mapping[Nonconformity, float] | None = None
    level: str | None = None
    severity: str = AUTO
    seed: int = 0
    reduced: bool = False
    corrected: str = ""
    per_annotator: bool = False
    annotator: str = ""
    miss_rate: float = 0.0
    misplaced: float = 0.5
    loose: float = 0.75
    lq: float | None = None
    ac: int = 0
    class_of: Mapping[str, str] = {}

    @property
    def aqls(self) -> dict[str, float]:
        """The AQLs by name, as in `CLASSES_BY_AQL`, the worst class first; empty where none is given."""
        if self.aql is None:
            return {}
        if not isinstance(self.aql, Mapping):
            return {ALL_CLASSES: self.aql}
        # The alphabetical order is that of severity.
        return {name: self.aql[name] for name in sorted(self.aql)}


STANDARD = BatchOptions("", aql=1.0, level="II")
"""How the first batch of a producer is inspected by default."""


def check_options(options: BatchOptions) -> None:
    """Check that a batch can be inspected by these options.

    Args:
        options: The options.

    Raises:
        UsageError: An AQL, level or severity is not in the tables, or is given for an isolated batch; reduced
            inspection is options for without approval; an annotator is named where a batch holds everybody's
            work.
    """
    if options.severity not in (AUTO, *SEVERITIES):
        raise UsageError(
            f"unknown severity '{options.severity}'",
            where="severity",
            fix=f"use one of {', '.join((AUTO, *SEVERITIES))}",
        )
    if options.lq is not None:
        _check_isolated(options, options.lq)
    if options.severity == "reduced" and not options.reduced:
        raise UsageError(
            "reduced inspection has not been approved",
            where="severity",
            fix="write 'acceptance: {reduced: true}' into the recipe, or use normal",
        )
    for aql in (options.aqls or STANDARD.aqls).values():
        look_up_plan(2, "II" if options.level is None else options.level, aql)
    if options.annotator and not options.per_annotator:
        raise UsageError(
            "a batch holds the work of all annotators here",
            where="annotator",
            fix="write 'acceptance: {per: annotator}' into the recipe to have a batch for each",
        )


def _check_isolated(options: BatchOptions, lq: float) -> None:
    if options.level is not None or options.severity != AUTO:
        raise UsageError(
            f"an isolated batch has no {'severity' if options.level is None else 'level'}",
            where="lq",
            fix="omit it, or give an AQL instead of the LQ",
        )
    if not 0 < lq <= 100:
        raise UsageError(
            f"an LQ of {lq:g} % is out of range", where="lq", fix="give more than 0 %, and 100 % at most"
        )
