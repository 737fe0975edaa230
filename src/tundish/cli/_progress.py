"""How far a command is: a bar on a terminal, a plain line now and then elsewhere, nothing with --quiet."""

from __future__ import annotations

import re
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from tundish.neutral import for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tundish.api.results import Progress

__all__ = ["VERBOSITY", "answer", "echo", "verbosity", "warn", "watching"]

VERBOSITY = "tundish.verbosity"
"""Where Click's context keeps it: below 0 with --quiet, above 0 with --verbose."""

_COLOURS = re.compile(r"(\x1b\[[0-9;]*m)")

_FIRST_LINE = 2.0
"""Seconds after which a step that is still busy says so, off a terminal."""
_EVERY = 10.0
"""Seconds between such lines; a quarter of it with --verbose."""


def verbosity() -> int:
    """Below 0 with --quiet, above 0 with --verbose, else 0."""
    context = click.get_current_context(silent=True)
    return 0 if context is None else int(context.meta.get(VERBOSITY, 0))


def echo(text: str = "") -> None:
    """Print a line for people; nothing with --quiet. A bar is hidden first."""
    if verbosity() >= 0:
        answer(text)


def answer(text: str) -> None:
    """Print what was asked for, also with --quiet."""
    if _watch is not None:
        _watch.pause()
    click.echo(_harmless(text))


def warn(text: str) -> None:
    """Print a line to standard error, also with --quiet."""
    if _watch is not None:
        _watch.pause()
    click.echo(_harmless(text), err=True)


def _harmless(text: str) -> str:
    """Control characters in what others named are written out; colours stay."""
    parts = _COLOURS.split(text)
    parts[::2] = [for_terminal(part) for part in parts[::2]]
    return "".join(parts)


class _Quiet:
    def __call__(self, step: str, done: int, total: int) -> None:
        """Nobody wants to know."""

    def pause(self) -> None:
        """There is nothing to hide."""


class _Lines:
    """Off a terminal: a line for a step that takes long, and another one now and then."""

    def __init__(self) -> None:
        self._step = ""
        self._next = 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if step != self._step:
            self._step, self._next = step, now + _FIRST_LINE
        elif now >= self._next:
            self._next = now + (_EVERY / 4 if verbosity() > 0 else _EVERY)
            warn(f"{step}: {done:,}" + (f" of {total:,}" if total else ""))

    def pause(self) -> None:
        """Lines are in nobody's way."""


class _Bar:
    """On a terminal: a bar for the step at work, from its first moment."""

    def __init__(self) -> None:
        self._step = ""
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, step: str, done: int, total: int) -> None:
        if step != self._step or self._bar is None:
            self.pause()
            self._start(step)
        count = f"{done:,}/{total:,}" if total else f"{done:,}" if done else ""
        self._bar.update(
            self._task, completed=done, total=total or None, count=count, left="left" if total else ""
        )

    def _start(self, step: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description:>9}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(step, total=None, count="", left="")
        self._step = step
        self._bar.start()

    def pause(self) -> None:
        """Take the bar away until the next call."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


_watch: _Quiet | _Lines | _Bar | None = None


@contextmanager
def watching() -> Iterator[Progress]:
    """A function that is called as (step, done, total) and shows it, as the API's `progress`."""
    global _watch  # noqa: PLW0603  (there is one terminal)
    before = _watch
    mine = _Quiet() if verbosity() < 0 else _Bar() if sys.stderr.isatty() else _Lines()
    _watch = mine
    try:
        yield mine
    finally:
        mine.pause()
        _watch = before
