"""Switching: each rule at and beside its limit, and what holds for any history."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.errors import UsageError
from tundish.labeling.acceptance.plans import Severity, compute_isolated_plan, look_up_plan
from tundish.labeling.acceptance.switching import (
    CorrectiveAction,
    Inspection,
    SwitchingState,
    next_score,
    next_state,
)


def good(severity: Severity = "normal", **more: bool) -> Inspection:
    return Inspection(look_up_plan(1000, "II", 1.0, severity), 0, **more)


def bad(severity: Severity = "normal", **more: bool) -> Inspection:
    made = look_up_plan(1000, "II", 1.0, severity)
    return Inspection(made, made.re, **more)


def run(marks: str, start: SwitchingState | None = None, **more: bool) -> SwitchingState:
    """A history in letters, each lot under the severity that is due.

    g: accepted, b: not, r: not, and resubmitted, !: corrective action.
    """
    state = start or SwitchingState()
    for mark in marks:
        if mark == "!":
            state = next_state(state, CorrectiveAction())
        else:
            inspection = bad(state.severity, **more) if mark in "br" else good(state.severity, **more)
            state = next_state(state, replace(inspection, resubmitted=mark == "r"))
    return state


@pytest.mark.parametrize(
    ("history", "severity"),
    [
        ("", "normal"),
        ("b", "normal"),
        ("bb", "tightened"),
        ("bgggb", "tightened"),  # second of five
        ("bggggb", "normal"),  # second of six
        ("bggggbb", "tightened"),
        ("brb", "tightened"),  # resubmitted lots are not counted, nor do they stand between
        ("brrrr", "normal"),
        ("bgrggb", "tightened"),
        ("bbgggg", "tightened"),
        ("bbggggg", "normal"),  # five accepted in a row
        ("bbggggbgggg", "tightened"),  # the row is broken
        ("bbggggbggggg", "normal"),
        ("bbgggggb", "normal"),  # lots under another severity do not count into the five
        ("bbgggggbb", "tightened"),
    ],
)
def test_normal_and_tightened(history: str, severity: str) -> None:
    state = run(history)
    assert state.severity == severity
    assert not state.discontinued


def test_five_batches_refused_under_tightened_end_inspection() -> None:
    assert not run("bb" + "bbbb").discontinued
    assert run("bb" + "bbbbb").discontinued
    # They need not follow each other, as long as tightened inspection lasts.
    assert run("bb" + "bgbggbgggbggggb").discontinued
    assert run("bb" + "bbbb" + "rrr").refused == 4
    # Back under normal inspection, the count is over.
    again = run("bb" + "bbbb" + "ggggg" + "bb" + "bbbb")
    assert (again.severity, again.refused, again.discontinued) == ("tightened", 4, False)


def test_only_a_corrective_action_leads_on() -> None:
    ended = run("bb" + "bbbbb")
    with pytest.raises(UsageError, match="record the corrective action"):
        next_state(ended, good("tightened"))
    assert next_state(ended, good("tightened", resubmitted=True)) == ended
    assert next_state(ended, CorrectiveAction()) == SwitchingState("tightened")
    assert run("bb" + "bbbbb" + "!" + "ggggg").severity == "normal"
    assert run("bb" + "bbbbb" + "!" + "bbbb").discontinued is False
    assert run("bb" + "bbbbb" + "!" + "bbbbb").discontinued is True
    # Without need it changes nothing.
    assert run("gb!") == run("gb")


@pytest.mark.parametrize(
    ("aql", "defects", "accepted", "score"),
    [
        (1.0, 0, True, 13),
        (1.0, 1, True, 13),
        (1.0, 2, True, 0),  # accepted, and not so one step tighter
        (1.0, 3, False, 0),
        (0.40, 0, True, 12),
        (0.40, 1, True, 12),
        (0.40, 2, False, 0),
        (0.25, 0, True, 12),
        (0.25, 1, False, 0),
    ],
)
def test_score_of_a_batch(aql: float, defects: int, accepted: bool, score: int) -> None:
    inspection = Inspection(look_up_plan(1000, "II", aql), defects)
    assert inspection.accepted == accepted
    assert next_score(10, inspection) == score


@pytest.mark.parametrize(("aql", "batches"), [(1.0, 10), (0.40, 15), (0.25, 15)])
def test_batches_until_reduced_inspection(aql: float, batches: int) -> None:
    made = look_up_plan(1000, "II", aql)
    inspection = Inspection(made, min(1, made.ac), agreed=True)
    before = SwitchingState()
    for i in range(batches - 1):
        before = next_state(before, inspection if i % 2 else replace(inspection, defects=0))
    assert (before.severity, before.may_be_reduced) == ("normal", False)
    assert next_state(before, inspection) == SwitchingState("reduced")


def test_reduced_inspection_must_be_agreed_to() -> None:
    assert run("g" * 10).may_be_reduced
    assert run("g" * 10).severity == "normal"
    assert run("g" * 10, agreed=True).severity == "reduced"
    # The score stays, and the agreement may come later.
    assert run("g" * 12).score == 36
    assert run("g", run("g" * 12), agreed=True).severity == "reduced"
    # One lot that is only just accepted sets the score back, and so does one that is not.
    just = Inspection(look_up_plan(1000, "II", 1.0), 2, agreed=True)
    assert next_state(run("g" * 9, agreed=True), just).score == 0
    assert run("gggggggggb", agreed=True).score == 0
    assert run("g" * 10 + "r").score == 30


@pytest.mark.parametrize("inspection", [bad("reduced", agreed=True), good("reduced")])
def test_reduced_inspection_ends(inspection: Inspection) -> None:
    """A lot not accepted, or what was agreed to no longer is."""
    reduced = run("g" * 15, agreed=True)
    assert reduced.severity == "reduced"
    assert next_state(reduced, inspection) == SwitchingState("normal")
    # A lot refused under reduced inspection is none of the two that lead to tightened inspection.
    assert run("b", next_state(reduced, inspection)).severity == "normal"
    assert run("bb", next_state(reduced, inspection)).severity == "tightened"


def test_a_batch_under_the_wrong_severity() -> None:
    with pytest.raises(UsageError, match="make its plan with severity 'normal'"):
        next_state(SwitchingState(), good("tightened"))
    with pytest.raises(UsageError, match="no severity"):
        next_state(SwitchingState(), Inspection(compute_isolated_plan(1000, 5, 1), 0))
    assert next_state(SwitchingState("tightened"), good("tightened")).severity == "tightened"


histories = st.lists(
    st.tuples(st.sampled_from("gggggggbr!"), st.booleans()),
    max_size=120,
)


def states(history: list[tuple[str, bool]]) -> list[SwitchingState]:
    """All states of a history; lots that may not be inspected are left out."""
    found = [SwitchingState()]
    for mark, agreed in history:
        if not found[-1].discontinued or mark == "!":
            found.append(run(mark, found[-1], agreed=agreed))
    return found


@given(histories)
def test_any_history(history: list[tuple[str, bool]]) -> None:
    path = states(history)
    for before, now in pairwise(path):
        step = (before.severity, now.severity)
        assert step not in {("tightened", "reduced"), ("reduced", "tightened")}
        assert now.severity == "normal" or now.score == 0
        assert now.severity == "tightened" or not (now.refused or now.discontinued)
        assert len(now.recent) <= 5
        if step == ("normal", "reduced"):
            assert before.score >= 27
        if before.severity != now.severity:
            assert now == SwitchingState(now.severity)


@given(histories)
def test_resubmitted_batches_change_nothing(history: list[tuple[str, bool]]) -> None:
    without = [event for event in history if event[0] != "r"]
    assert states(history)[-1] == states(without)[-1]


@given(st.text("gb", max_size=40))
def test_normal_inspection_lasts_while_no_five_batches_include_two_bad_ones(history: str) -> None:
    windows = [history[max(0, i - 4) : i + 1] for i in range(len(history))]
    if all(window.count("b") < 2 for window in windows):
        assert run(history).severity == "normal"
    else:
        first = next(i for i, window in enumerate(windows) if window.count("b") >= 2)
        assert run(history[:first]).severity == "normal"
        assert run(history[: first + 1]).severity == "tightened"
