"""What is said of a file that may be labels and is not read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Suspect", "UnreadLabels"]


class Suspect(NamedTuple):
    """A file that may be labels.

    Attributes:
        kind: What kind of file it is, for people, such as 'JSON'.
        why: Why it may be labels and is not read, as the end of a sentence.
        beside: True where that is only so for a file that has the name of a picture.
    """

    kind: str
    why: str
    beside: bool = False


@dataclass(frozen=True)
class UnreadLabels:
    """Files that may be labels and are not read, for the same reason.

    Attributes:
        kind: What kind of file they are.
        count: How many there are.
        why: Why they are not read.
        example: The path of the first, relative to its source.
    """

    kind: str
    count: int
    why: str
    example: str

    def __str__(self) -> str:
        if self.count == 1:
            return f"1 {self.kind} file that may be labels is not read: {self.why} ({self.example})"
        return (
            f"{self.count:,} {self.kind} files that may be labels are not read: {self.why}"
            f" (such as {self.example})"
        )
