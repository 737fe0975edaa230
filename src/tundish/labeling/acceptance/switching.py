"""Switching rules of ISO 2859-1:1999, 9.3 and 9.4: the severity of the next lot, from the lots before it.

A history is of one producer of labels (annotator or model, one guideline) and one class of nonconformity.
Only the first inspection of a lot counts; a lot that comes again after rejection changes nothing.
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
    """What the inspection of a lot came to.

    Attributes:
        plan: The plan it was inspected by.
        defects: Nonconforming items in its sample.
        resubmitted: It was inspected before and came again: it counts for nothing.
        agreed: Production (annotators, guideline, material) is steady, and the responsible authority agrees
            to reduced inspection.
    """

    plan: SamplingPlan
    defects: int
    resubmitted: bool = False
    agreed: bool = False

    @property
    def accepted(self) -> bool:
        """Its sample showed no more than Ac."""
        return self.defects <= self.plan.ac


@dataclass(frozen=True, slots=True)
class CorrectiveAction:
    """The producer has mended the cause, and the responsible authority takes the remedy for good."""


@dataclass(frozen=True, slots=True)
class SwitchingState:
    """Where a history stands.

    Attributes:
        severity: Of the next lot.
        score: The switching score; counts under normal inspection alone.
        recent: Whether each of the last lots, five at most, was accepted, since this severity began.
        refused: Lots not accepted since tightened inspection began.
        discontinued: No lot is to be inspected before a corrective action.
    """

    severity: Severity = "normal"
    score: int = 0
    recent: tuple[bool, ...] = ()
    refused: int = 0
    discontinued: bool = False

    @property
    def may_be_reduced(self) -> bool:
        """The score is there; reduced inspection must be agreed to, too."""
        return self.score >= _SCORE_FOR_REDUCED


def next_state(state: SwitchingState, event: Inspection | CorrectiveAction) -> SwitchingState:
    """The state after one more lot, or after a corrective action, which leads back to tightened inspection.

    Raises:
        UsageError: The lot was inspected under another severity than the lots before it ask for, or while
            inspection was discontinued.
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


def _check(state: SwitchingState, lot: Inspection) -> None:
    if state.discontinued:
        raise UsageError(
            f"inspection is discontinued: {_REFUSED_ON_TIGHTENED} lots were not accepted under tightened"
            " inspection",
            where="switching",
            fix="mend the cause and record the corrective action before the next lot",
        )
    if lot.plan.severity != state.severity:
        raise UsageError(
            f"a lot of {lot.plan.lot_size} was inspected under {lot.plan.severity or 'no'} severity, where"
            f" the lots before it ask for {state.severity}",
            where="switching",
            fix=f"make its plan with severity '{state.severity}'",
        )


def _after_normal(state: SwitchingState, lot: Inspection) -> SwitchingState:
    if state.recent.count(False) >= _REFUSED_IN_WINDOW:
        return SwitchingState("tightened")
    state = replace(state, score=next_score(state.score, lot))
    return SwitchingState("reduced") if state.may_be_reduced and lot.agreed else state


def _after_tightened(state: SwitchingState, *, accepted: bool) -> SwitchingState:
    refused = state.refused + (not accepted)
    if refused >= _REFUSED_ON_TIGHTENED:
        return replace(state, refused=refused, discontinued=True)
    if state.recent.count(True) == _WINDOW:
        return SwitchingState("normal")
    return replace(state, refused=refused)


def next_score(score: int, lot: Inspection) -> int:
    """The switching score after a lot under normal inspection.

    Ac 0 or 1: 2 more for a lot that is accepted. Ac 2 and above: 3 more for a lot that would also be accepted
    at the AQL one step tighter. Any other lot sets it back to 0.
    """
    if lot.plan.ac < 2:
        return score + 2 if lot.accepted else 0
    return score + 3 if lot.defects <= ac_one_step_tighter(lot.plan) else 0
