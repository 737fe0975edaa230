"""A rule: the name behind a limit, what a breach means in English and Chinese, how bad it is.

A limit stands in a Pandera field as anywhere else; `rules` hangs the name of each side onto it::

    brightness: float = pa.Field(ge=0.04, metadata=rules(below=warning("too_dark", "the image is too dark")))

A plant subclasses the model and sets the field again with another limit; the rules' names are inherited.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Rule", "error", "rules", "warning"]

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Rule:
    """The name of a limit, what a breach means in English and Chinese, how bad it is, who set the limit."""

    name: str
    sentence: str
    severity: Severity
    chinese: str = ""
    standard: str = ""

    @property
    def words(self) -> str:
        """The sentence, in both languages where it has them."""
        return f"{self.sentence} / {self.chinese}" if self.chinese else self.sentence


def error(name: str, sentence: str, chinese: str = "", *, standard: str = "") -> Rule:
    """A rule whose breach takes the row out; `standard` names where its limit stands, with the edition."""
    return Rule(name, sentence, "error", chinese, standard)


def warning(name: str, sentence: str, chinese: str = "", *, standard: str = "") -> Rule:
    """A rule whose breach is told and the row kept; `standard` as for `error`."""
    return Rule(name, sentence, "warning", chinese, standard)


def rules(
    *,
    below: Rule | None = None,
    above: Rule | None = None,
    other: Rule | None = None,
    missing: Rule | None = None,
) -> dict[str, Rule]:
    """Metadata for a Pandera field: the rules behind its limits.

    Args:
        below: Behind its lower limit (`ge`, `gt`, the lower end of `in_range`).
        above: Behind its upper limit.
        other: Behind what is neither: `eq`, `isin`, `unique`, and the limits of text.
        missing: Behind its not being nullable.
    """
    sides = {"below": below, "above": above, "other": other, "missing": missing}
    return {side: rule for side, rule in sides.items() if rule is not None}
