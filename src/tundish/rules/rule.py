"""A rule: the name of a limit, what a breach means in English and Chinese, and its severity.

A limit is written in a Pandera field as usual; `rules` attaches a name to each side of it::

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
    """The name of a limit, what a breach means in English or Chinese, its severity, and its standard."""

    name: str
    sentence: str
    severity: Severity
    chinese: str = ""
    standard: str = ""

    @property
    def words(self) -> str:
        """The sentence, in both languages where it has them; one is enough."""
        return " / ".join(filter(None, (self.sentence, self.chinese)))


def error(name: str, sentence: str = "", chinese: str = "", *, standard: str = "") -> Rule:
    """A rule whose breach quarantines the row; `standard` names the source of its limit, with the edition."""
    return Rule(name, sentence, "error", chinese, standard)


def warning(name: str, sentence: str = "", chinese: str = "", *, standard: str = "") -> Rule:
    """A rule whose breach is reported while the row is kept; `standard` as for `error`."""
    return Rule(name, sentence, "warning", chinese, standard)


def rules(
    *,
    below: Rule | None = None,
    above: Rule | None = None,
    other: Rule | None = None,
    missing: Rule | None = None,
) -> dict[str, Rule]:
    """Make the metadata of a Pandera field: the rules of its limits.

    Args:
        below: The rule of the lower limit (`ge`, `gt`, the lower end of `in_range`).
        above: The rule of the upper limit.
        other: The rule of a limit that is neither: `eq`, `isin`, `unique`, and the limits of text.
        missing: The rule of an empty value.
    """
    sides = {"below": below, "above": above, "other": other, "missing": missing}
    return {side: rule for side, rule in sides.items() if rule is not None}
