"""What an image is called that several have judged, or one of them twice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tundish.labeling.agreement.severities import agreed_severities
from tundish.labeling.tables import ANSWERS


def reported(*answers: tuple[str, str | None, dict[str, Any]]) -> str | None:
    rows = [
        {"image_id": "a", "answer_id": number, "updated_at": datetime(2026, 11, number, tzinfo=UTC)}
        | {"answer": "empty", "role": "annotator", "author": author, "severity": severity}
        | more
        for number, (author, severity, more) in enumerate(answers, 1)
    ]
    found = agreed_severities(ANSWERS.frame(rows))
    return found["severity"][0] if found.height else None


RULED: dict[str, Any] = {"role": "adjudicator"}
SKIPPED: dict[str, Any] = {"answer": "cancelled"}


@pytest.mark.parametrize(
    ("answers", "severity"),
    [
        ([("li", "minor", {}), ("wu", "minor", {})], "minor"),
        ([("li", "minor", {}), ("wu", "major", {})], None),
        ([("li", "minor", {}), ("wu", None, {})], "minor"),
        ([("li", "minor", {}), ("wu", "major", SKIPPED)], "minor"),
        ([("li", "minor", {}), ("wu", "major", {}), ("li", "major", {})], "major"),
        ([("li", "minor", {}), ("qi", "major", RULED)], "major"),
        ([("qi", "minor", RULED), ("xu", "major", RULED), ("li", "minor", {})], "major"),
        ([("qi", None, RULED), ("li", "minor", {})], None),
        ([("li", "minor", SKIPPED)], None),
    ],
)
def test_each_author_s_last_severity_counts_and_the_last_adjudicator_alone(
    answers: list[tuple[str, str | None, dict[str, Any]]], severity: str | None
) -> None:
    assert reported(*answers) == severity
