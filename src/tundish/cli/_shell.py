"""Commands that are printed for people to paste."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

__all__ = ["pasteable", "repro"]


def pasteable(*words: str) -> str:
    """A command as the shell of this system takes it: words with blanks and the like in quotes."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def repro(project: Path) -> str:
    """The command that runs what changed in a project, from the current folder."""
    here = project.resolve() == Path.cwd()
    return "dvc repro" if here else pasteable("dvc", "--cd", str(project), "repro")
