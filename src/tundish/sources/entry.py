"""One file of a source, and why its bytes cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["UNKNOWN_SIZE", "Entry", "EntryFault", "EntryUnavailable"]

UNKNOWN_SIZE = -1
"""Size of an entry that is known only when it is read."""


class EntryFault(Exception):  # noqa: N818  (a fault of the data, not an error of the program)
    """An entry whose bytes cannot be read."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        self.message = message
        super().__init__(reason, message)


class EntryUnavailable(Exception):  # noqa: N818  (as EntryFault)
    """An entry whose bytes cannot be read now: a busy file, a share that is offline, access that is denied.

    This says nothing about the data: the run fails, and the next one reads the entry.
    """

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a source.

    `path` is POSIX and relative; `size` is in bytes, or `UNKNOWN_SIZE`; `stamp` changes when the file does;
    `fault` is set where the entry must not be read, with `skipped` true where nothing is lost (a system file,
    a link). `read` raises `EntryFault`, or `EntryUnavailable` where the bytes may be readable later.
    """

    path: str
    size: int
    stamp: str
    read: Callable[[], bytes]
    fault: EntryFault | None = None
    skipped: bool = False
