"""How readers tell what is wrong with a label file: a Fault is raised or noted, and becomes a Problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tundish.formats.base import Problem

if TYPE_CHECKING:
    from tundish.formats.base import Reading

__all__ = ["Fault", "Notes"]


class Fault(Exception):  # noqa: N818  (a fault of the data, caught by the reader and told as a Problem)
    """What is wrong with something in a label file: as in `Problem`, without its place."""

    def __init__(self, check: str, message: str, column: str = "", value: object = "") -> None:
        super().__init__(message)
        self.check, self.message, self.column = check, message, column
        self.value = "" if value is None else str(value)[:200]


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
        """Something was mended, or is only worth knowing."""
        self.reading.problems.append(
            Problem(self.path, row, fault.check, fault.column, fault.value, fault.message, "warning")
        )
