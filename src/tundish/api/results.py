"""What the functions of the API take and return: one type of progress, and results that a notebook shows."""

from __future__ import annotations

from collections.abc import Callable

from tundish.results import Result, Results

__all__ = ["Progress", "Result", "Results"]

Progress = Callable[[str, int, int], None]
"""Called as (step, done, total) while a function works; `total` is 0 where it is not known yet."""
