"""Files of a source that may be labels and are not read, by kind and count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tundish.formats.unread.suspect import Suspect

__all__ = ["UnreadLabels", "by_kind"]


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


def by_kind(suspects: Mapping[str, Suspect]) -> list[UnreadLabels]:
    """One entry for each kind and reason, the most frequent first.

    Args:
        suspects: Files that may be labels, by their path.
    """
    named: dict[tuple[str, str], list[str]] = {}
    for path, suspect in suspects.items():
        named.setdefault((suspect.kind, suspect.why), []).append(path)
    entries = [UnreadLabels(kind, len(paths), why, min(paths)) for (kind, why), paths in named.items()]
    return sorted(entries, key=lambda entry: (-entry.count, entry.kind, entry.example))
