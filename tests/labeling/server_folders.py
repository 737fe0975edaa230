"""A ready data folder for the Label Studios of the tests: made once, copied for each server."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tundish.labeling.label_studio.server import prepare_template

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory."""

ENOUGH = 64 << 20
"""Bytes free; a server writes two or three megabytes."""


def ready_folder(executable: Path) -> Path:
    """The folder of a server that has migrated its database; workers that run side by side make it once."""
    installed = f"{executable.resolve()}:{executable.stat().st_mtime_ns}"
    template = ROOT / ".cache" / "label-studio" / hashlib.sha256(installed.encode()).hexdigest()[:12]
    template.parent.mkdir(parents=True, exist_ok=True)
    with (template.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        prepare_template(executable, template)
    return template


@contextmanager
def copied(template: Path, otherwise: Path) -> Iterator[Path]:
    """A copy for one server: in memory where there is room, for every answer makes it wait for the disk.

    Args:
        template: The ready folder.
        otherwise: Where the copy lies if memory has no room.
    """
    if not (MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH):
        yield Path(shutil.copytree(template, otherwise))
        return
    with tempfile.TemporaryDirectory(prefix="tundish-tests-", dir=MEMORY, ignore_cleanup_errors=True) as base:
        yield Path(shutil.copytree(template, Path(base) / "server"))


if __name__ == "__main__":
    ready_folder(Path(sys.argv[1]))
