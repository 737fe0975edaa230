"""The error tree.

Every error says in one sentence what is wrong, where, and how to fix it, and has a stable code::

    TundishError
    ├── UsageError            exit 2: the command, the recipe or its source must change
    │   ├── RecipeError       a recipe that cannot be read or does not make sense
    │   ├── SourceError       a source that is missing, empty, or not what the recipe says
    │   ├── SchemaError       a Pandera model that is missing or does not fit its table
    │   └── MissingStepError  an earlier stage has not run yet
    ├── GateError             exit 1: the data failed a gate
    └── OutsideError          exit 3: something outside Tundish failed (disk, server, cluster)

A fault *of the data* is not an error: it becomes a quarantine row and the run continues.
"""

from __future__ import annotations

from typing import ClassVar

from tundish.neutral import for_terminal

__all__ = [
    "GateError",
    "MissingStepError",
    "OutsideError",
    "RecipeError",
    "SchemaError",
    "SourceError",
    "TundishError",
    "UsageError",
]


class TundishError(Exception):
    """Base of all errors.

    Args:
        what: What is wrong, as a clause without a full stop.
        where: The file, line, stage or option concerned.
        fix: What the reader can do.
    """

    exit_code: ClassVar[int] = 2
    code: ClassVar[str] = "error"

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what = what
        self.where = where
        self.fix = fix
        super().__init__(what, where, fix)

    def __str__(self) -> str:
        sentence = f"{self.where}: {self.what}" if self.where else self.what
        end = "" if self.fix.endswith("?") else "."
        return for_terminal(f"{sentence}; {self.fix}{end}" if self.fix else f"{sentence}.")


class UsageError(TundishError):
    """The command line, the recipe or the source must change."""

    code = "usage"


class RecipeError(UsageError):
    """A recipe that cannot be read or does not make sense."""

    code = "recipe"


class SourceError(UsageError):
    """A source that is missing, empty, or not what the recipe says."""

    code = "source"


class SchemaError(UsageError):
    """A Pandera model that is missing or does not fit its table."""

    code = "schema"


class MissingStepError(UsageError):
    """An earlier stage has not run yet."""

    code = "missing-step"


class GateError(TundishError):
    """The data failed a gate."""

    exit_code = 1
    code = "gate"


class OutsideError(TundishError):
    """Something outside Tundish failed: a disk, a server, a cluster."""

    exit_code = 3
    code = "outside"
