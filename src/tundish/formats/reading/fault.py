"""How readers report what is wrong with a label file: a Fault is raised or noted, and becomes a Problem."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.formats.base import Problem

if TYPE_CHECKING:
    from tundish.formats.base import Reading

__all__ = ["Fault", "Notes", "shown"]


class Fault(Exception):  # noqa: N818  (a fault of the data, caught by the reader and reported as a Problem)
    """What is wrong with something in a label file: as in `Problem`, without its place."""

    def __init__(self, check: str, message: str, column: str = "", value: object = "") -> None:
        super().__init__(message)
        self.check, self.message, self.column = check, message, column
        self.value = shown(value)


def shown(value: object) -> str:
    """A value of a label file for people: short, however long or deeply nested it is."""
    if value is None:
        return ""
    return (str(value) if isinstance(value, (str, int, float)) else reprlib.repr(value))[:200]


@dataclass(frozen=True, slots=True)
class Notes:
    """The problems of one label file."""

    path: str
    reading: Reading

    def refuse(self, fault: Fault, row: int | None = None, *, labels: int = 0) -> None:
        """Something was not taken, and with it so many labels."""
        self.reading.problems.append(
            Problem(self.path, row, fault.check, fault.column, fault.value, fault.message, labels=labels)
        )

    def warn(self, fault: Fault, row: int | None = None) -> None:
        """Something was corrected, or is only worth knowing."""
        self.reading.problems.append(
            Problem(self.path, row, fault.check, fault.column, fault.value, fault.message, "warning")
        )
