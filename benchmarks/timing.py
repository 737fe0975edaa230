"""What the benchmarks share: sides in turns, ratios of rounds, the peak of memory.

The standard library alone: peers run it in environments of their own.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def options(about: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the benchmark's own docstring, as it is written."""
    return argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(sides: Sequence[str], turn: int) -> list[str]:
    """The sides with another one first each turn: none always follows the same."""
    first = turn % len(sides)
    return [*sides[first:], *sides[:first]]


def ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """The median of the ratios of rounds."""
    return statistics.median(one / other for one, other in zip(over, under, strict=True))


def peak() -> float:
    """The most memory that this process held so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def load() -> str:
    """What else the machine does: its load of the last minute."""
    return f"load {os.getloadavg()[0]:.1f}"
