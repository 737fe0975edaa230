"""Commands that are printed for people to paste."""

from __future__ import annotations

import os
import shlex
import subprocess

__all__ = ["pasteable"]


def pasteable(*words: str) -> str:
    """A command as the shell of this system takes it: words with blanks and the like in quotes."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
