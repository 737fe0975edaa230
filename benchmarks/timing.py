"""Functions that benchmarks share: sides in turns, ratios of rounds, peak memory.

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
    """Make a parser whose help is the benchmark's own docstring, unchanged."""
    return argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)


def seconds(work: Callable[[], object]) -> float:
    """Measure how many seconds `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(sides: Sequence[str], turn: int) -> list[str]:
    """The sides, starting with another one each round, so that none always follows the same one."""
    first = turn % len(sides)
    return [*sides[first:], *sides[:first]]


def ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """The median of the ratios of rounds."""
    return statistics.median(one / other for one, other in zip(over, under, strict=True))


def peak() -> float:
    """The peak memory of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def load() -> str:
    """The machine's load average of the last minute, in words."""
    return f"load {os.getloadavg()[0]:.1f}"
