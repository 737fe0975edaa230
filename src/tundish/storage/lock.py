"""One writer at a time: a lock on a folder that names its holder, and ends with the holding process."""

from __future__ import annotations

import os
import socket
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import orjson

from tundish.errors import OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["hold", "holder", "sign", "take"]

_POLL_S = 0.2


def take(path: Path, what: str = "") -> IO[bytes] | None:
    """Take the lock at `path`; None where another process has it.

    The operating system releases it when the file is closed or the process ends in any way, so that a crash
    leaves no lock behind.

    Args:
        path: The file of the lock; it is created, with its folder, and not removed.
        what: The purpose of the lock, for those who wait for it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    if not _locked(stream):
        stream.close()
        return None
    sign(stream, what, os.getpid())
    return stream


def sign(stream: IO[bytes], what: str, process: int) -> None:
    """Write the holder into a lock: this process, or a child that inherited the lock."""
    facts = {"process": process, "host": socket.gethostname(), "what": what, "since": int(time.time())}
    stream.seek(0)
    stream.truncate()
    stream.write(orjson.dumps(facts))
    stream.flush()


def holder(path: Path) -> dict[str, Any] | None:
    """The holder of the lock at `path`: process, host, what, since (s, Unix time); None where it is free."""
    if not path.exists():
        return None
    with os.fdopen(os.open(path, os.O_RDWR), "r+b") as stream:
        if _locked(stream):
            return None
        try:
            facts = orjson.loads(stream.read())
        except orjson.JSONDecodeError:  # the lock is taken, but its holder is not written yet
            facts = {}
    return facts if isinstance(facts, dict) else {}


@contextmanager
def hold(path: Path, what: str, *, subject: str, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the lock at `path` while the block runs.

    Args:
        path: The file of the lock.
        what: The purpose of the lock, such as ``tundish run line1``.
        subject: What is locked, for the error: ``the dataset 'line1'``.
        wait_s: How long to wait for another process, s.

    Raises:
        OutsideError: Another process has it.
    """
    until = time.monotonic() + wait_s
    while (stream := take(path, what)) is None:
        if time.monotonic() >= until:
            raise OutsideError(
                f"{subject} is being changed by {_named(holder(path) or {})}",
                where=str(path.parent),
                fix="wait until it has ended, and run again",
            )
        time.sleep(_POLL_S)
    with stream:
        yield


def _named(facts: dict[str, Any]) -> str:
    process, host = facts.get("process"), facts.get("host")
    if process is None:
        return "another process"
    place = "" if host == socket.gethostname() else f" on {host}"
    since = time.strftime("%H:%M", time.localtime(facts.get("since", 0)))
    return f"'{facts.get('what')}' (process {process}{place}, since {since})"


if os.name == "nt":
    import msvcrt

    def _locked(stream: IO[bytes]) -> bool:
        """Lock one byte far beyond the text, so that others can read the holder."""
        try:
            stream.seek(1 << 30)
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        finally:
            stream.seek(0)
        return True

else:
    import fcntl

    def _locked(stream: IO[bytes]) -> bool:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
