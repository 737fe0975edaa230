"""How far the clocks of images and records are apart: what the recipe says against what the data say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from tundish.domain.clocks import offset_of_pairs, offset_of_times

if TYPE_CHECKING:
    from tundish.domain.clocks import Estimate, Times
    from tundish.stages.link.match import Records
    from tundish.stages.link.plan import Plan

__all__ = ["clock_offset"]

_COARSE_S = 300.0
"""Lots lie about for minutes between two machines; that clocks differ by hours is told all the same."""

_UNTOLD = "the data do not tell how far the clocks are apart"


def clock_offset(plan: Plan, records: Records, candidates: pl.DataFrame) -> tuple[float, list[str]]:
    """How far the image's clock is taken to be ahead, in seconds, and what to tell of it.

    Candidates and records have their times in `value` (us), as `read_records` takes and gives them.
    """
    near = plan.near
    if near is None or not near.in_time:
        return 0.0, []
    moments = candidates.join(records.keys, on="piece").select("code", "value").drop_nulls()
    said, tolerance_s = near.clock_offset_s, near.tolerance
    if plan.image_key is None:
        times, others = (frame["value"].to_numpy() / 1e6 for frame in (moments, records.rows))
        found = offset_of_times(times, others, tolerance_s)
    else:
        tolerance_s = tolerance_s if said is None else max(tolerance_s, _COARSE_S)
        found = offset_of_pairs(*_differences(moments, records.rows), tolerance_s)
    if said is not None:
        return said, [f"{plan.name}: {_held_against(said, found, tolerance_s)}"]
    if found.certain:
        return found.offset_s, [f"{plan.name}: {_ahead(found.offset_s)}, as the data say ({_why(found)})"]
    return 0.0, [f"{plan.name}: {_UNTOLD}; clock_offset 0s is taken"]


def _differences(moments: pl.DataFrame, rows: pl.DataFrame) -> tuple[Times, Times]:
    """Seconds, for each key, between the first times of both sides and between their last, in order."""
    ends = [pl.col("value").min().alias("first"), pl.col("value").max().alias("last")]
    images, records = (frame.group_by("code").agg(ends) for frame in (moments, rows))
    both = images.join(records, on="code", suffix="_there").sort("code")
    sides = [(both[end] - both[f"{end}_there"]).to_numpy() / 1e6 for end in ("first", "last")]
    return np.minimum(*sides), np.maximum(*sides)


def _held_against(said_s: float, found: Estimate, tolerance_s: float) -> str:
    said = f"clock_offset {_duration(said_s, 0.0)}"
    if not found.certain:
        return f"{_UNTOLD}; {said} is taken"
    if abs(found.offset_s - said_s) <= tolerance_s + found.spread_s:
        return f"{_ahead(found.offset_s)} by the data ({_why(found)}); {said} agrees"
    return (
        f"the clocks look {_spoken(abs(found.offset_s))} apart ({_why(found)}), and {said} was taken:"
        f" say clock_offset: {_duration(found.offset_s, tolerance_s)}, or auto"
    )


def _why(found: Estimate) -> str:
    return f"support {found.share:.0%}, by chance {found.background:.0%}, spread {_spoken(found.spread_s)}"


def _ahead(offset_s: float) -> str:
    where = "ahead of" if offset_s >= 0 else "behind"
    return f"the image's clock is {_spoken(abs(offset_s))} {where} the records'"


def _spoken(seconds: float) -> str:
    if seconds < 59.5:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _duration(seconds: float, slack_s: float) -> str:
    """As a recipe writes it, in the largest unit that hits it within the slack."""
    for unit, length in (("h", 3600), ("min", 60)):
        whole = round(seconds / length)
        if whole and abs(seconds - whole * length) <= slack_s:
            return f"{whole}{unit}"
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
