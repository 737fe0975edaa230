"""Switching rules of ISO 2859-1:1999, 9.3 and 9.4: the severity of the next batch from the batches before it.

A series has one producer of labels (annotator or model, one guideline) and one class of nonconformity. Only
the first inspection of a batch counts; a batch that is resubmitted after rejection changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tundish.errors import UsageError
from tundish.labeling.acceptance.plans import SamplingPlan, Severity, ac_one_step_tighter

__all__ = ["CorrectiveAction", "Inspection", "SwitchingState", "next_score", "next_state"]

_WINDOW = 5
_REFUSED_IN_WINDOW = 2
_REFUSED_ON_TIGHTENED = 5
_SCORE_FOR_REDUCED = 30


@dataclass(frozen=True, slots=True)
class Inspection:
    """The result of the inspection of a batch.

    Attributes:
        plan: The plan of the inspection.
        defects: Number of nonconforming items in the sample.
        resubmitted: Whether the batch was inspected before; the switching rules then ignore it.
        agreed: Whether production (annotators, guideline, material) is steady and the responsible authority
            approved reduced inspection (9.3.3.1).
    """

    plan: SamplingPlan
    defects: int
    resubmitted: bool = False
    agreed: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the sample showed no more than Ac nonconforming items."""
        return self.defects <= self.plan.ac


@dataclass(frozen=True, slots=True)
class CorrectiveAction:
    """The producer corrected the cause, and the responsible authority accepts the remedy (9.4)."""


@dataclass(frozen=True, slots=True)
class SwitchingState:
    """The state of a series under the switching rules.

    Attributes:
        severity: Severity of the next batch.
        score: The switching score; it counts only under normal inspection.
        recent: Whether each of the last batches, five at most, was accepted since this severity began.
        refused: Number of batches that were not accepted since tightened inspection began.
        discontinued: Whether inspection is discontinued until a corrective action.
    """

    severity: Severity = "normal"
    score: int = 0
    recent: tuple[bool, ...] = ()
    refused: int = 0
    discontinued: bool = False

    @property
    def may_be_reduced(self) -> bool:
        """Whether the score suffices for reduced inspection, which must be approved too."""
        return self.score >= _SCORE_FOR_REDUCED


def next_state(state: SwitchingState, event: Inspection | CorrectiveAction) -> SwitchingState:
    """Apply one more event to a series (ISO 2859-1, 9.3.1 to 9.3.4 and 9.4).

    Args:
        state: The state before.
        event: The inspection of the next batch, or a corrective action, which leads back to tightened
            inspection.

    Returns:
        The state after it.

    Raises:
        UsageError: The batch was inspected under another severity than the batches before it require, or
            while inspection was discontinued.
    """
    if isinstance(event, CorrectiveAction):
        return SwitchingState("tightened") if state.discontinued else state
    if event.resubmitted:
        return state
    _check(state, event)
    recent = (*state.recent, event.accepted)[-_WINDOW:]
    if state.severity == "normal":
        return _after_normal(replace(state, recent=recent), event)
    if state.severity == "tightened":
        return _after_tightened(replace(state, recent=recent), accepted=event.accepted)
    stays = event.accepted and event.agreed
    return replace(state, recent=recent) if stays else SwitchingState("normal")


def _check(state: SwitchingState, inspection: Inspection) -> None:
    if state.discontinued:
        raise UsageError(
            f"inspection is discontinued: {_REFUSED_ON_TIGHTENED} batches were not accepted under tightened"
            " inspection",
            where="switching",
            fix="correct the cause and record the corrective action before the next batch",
        )
    if inspection.plan.severity != state.severity:
        raise UsageError(
            f"a batch of {inspection.plan.lot_size} was inspected under {inspection.plan.severity or 'no'}"
            f" severity, but the batches before it require {state.severity}",
            where="switching",
            fix=f"make its plan with severity '{state.severity}'",
        )


def _after_normal(state: SwitchingState, inspection: Inspection) -> SwitchingState:
    if state.recent.count(False) >= _REFUSED_IN_WINDOW:
        return SwitchingState("tightened")
    state = replace(state, score=next_score(state.score, inspection))
    return SwitchingState("reduced") if state.may_be_reduced and inspection.agreed else state


def _after_tightened(state: SwitchingState, *, accepted: bool) -> SwitchingState:
    refused = state.refused + (not accepted)
    if refused >= _REFUSED_ON_TIGHTENED:
        return replace(state, refused=refused, discontinued=True)
    if state.recent.count(True) == _WINDOW:
        return SwitchingState("normal")
    return replace(state, refused=refused)


def next_score(score: int, inspection: Inspection) -> int:
    """Update the switching score by a batch under normal inspection (ISO 2859-1, 9.3.3.2).

    Ac 0 or 1: an accepted batch adds 2. Ac 2 and above: a batch that would also be accepted at the AQL one
    step tighter adds 3. Any other batch resets the score to 0.
    """
    if inspection.plan.ac < 2:
        return score + 2 if inspection.accepted else 0
    return score + 3 if inspection.defects <= ac_one_step_tighter(inspection.plan) else 0
