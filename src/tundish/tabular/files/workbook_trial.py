"""Try in a separate process whether an .xls can be read.

The reader allocates all cells between the first and the last. A damaged .xls may name a cell so far out that
there is not enough memory, and then the reader ends its process: no exception could be caught.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["survives"]

_MEMORY = 4 << 30
"""Bytes: several sheets of 65,536 rows and 256 columns, the most that an .xls can have."""

_SECONDS = 60

_TRIAL = f"""
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, ({_MEMORY}, {_MEMORY}))
except (ImportError, ValueError):  # not on Windows, or the limit is lower already
    pass
import python_calamine
python_calamine.CalamineWorkbook.from_path(sys.argv[1])
"""

_SAID = (0, 1)
"""The exit codes of a trial that ended by itself: 1 where the reader raised, as it will again."""


def survives(path: Path) -> bool:
    """Whether reading the workbook neither ends its process nor takes more than 4 GiB or a minute."""
    command = [sys.executable, "-P", "-c", _TRIAL, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603  (ours)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode in _SAID
