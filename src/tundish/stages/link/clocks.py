"""The offset between the clocks of images and records: that of the recipe, checked by the data."""

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
"""A piece may wait for minutes between two machines; clocks that differ by hours are reported anyway."""

_UNKNOWN = "the data do not show how far the clocks differ"


def clock_offset(plan: Plan, records: Records, candidates: pl.DataFrame) -> tuple[float, list[str]]:
    """Determine how far the clock of the images is ahead, in seconds, with notes on it.

    Candidates and records have their times in `value` (us), as in `read_records`.
    """
    near = plan.near
    if near is None or not near.in_time:
        return 0.0, []
    moments = candidates.join(records.keys, on="piece").select("code", "value").drop_nulls()
    stated, tolerance_s = near.clock_offset_s, near.tolerance
    if plan.image_key is None:
        times, others = (frame["value"].to_numpy() / 1e6 for frame in (moments, records.rows))
        found = offset_of_times(times, others, tolerance_s)
    else:
        tolerance_s = tolerance_s if stated is None else max(tolerance_s, _COARSE_S)
        found = offset_of_pairs(*_differences(moments, records.rows), tolerance_s)
    if stated is not None:
        return stated, [f"{plan.name}: {_compare(stated, found, tolerance_s)}"]
    if found.certain:
        return found.offset_s, [f"{plan.name}: {_ahead(found.offset_s)}  by the data ({_why(found)})"]
    return 0.0, [f"{plan.name}: {_UNKNOWN}; clock_offset 0s is used"]


def _differences(moments: pl.DataFrame, rows: pl.DataFrame) -> tuple[Times, Times]:
    """Seconds, for each key, between the first times of both sides and between their last, in order."""
    ends = [pl.col("value").min().alias("first"), pl.col("value").max().alias("last")]
    images, records = (frame.group_by("code").agg(ends) for frame in (moments, rows))
    both = images.join(records, on="code", suffix="_there").sort("code")
    sides = [(both[end] - both[f"{end}_there"]).to_numpy() / 1e6 for end in ("first", "last")]
    return np.minimum(*sides), np.maximum(*sides)


def _compare(stated_s: float, found: Estimate, tolerance_s: float) -> str:
    stated = f"clock_offset {_duration(stated_s, 0.0)}"
    if not found.certain:
        return f"{_UNKNOWN}; {stated} is used"
    if abs(found.offset_s - stated_s) <= tolerance_s + found.spread_s:
        return f"{_ahead(found.offset_s)} by the data ({_why(found)}); {stated} agrees"
    return (
        f"the clocks seem {_in_words(abs(found.offset_s))} apart ({_why(found)}), but {stated} was used:"
        f" set clock_offset: {_duration(found.offset_s, tolerance_s)}, or auto"
    )


def _why(found: Estimate) -> str:
    return f"support {found.share:.0%}, by chance {found.background:.0%}, spread {_in_words(found.spread_s)}"


def _ahead(offset_s: float) -> str:
    where = "ahead of" if offset_s >= 0 else "behind"
    return f"the image's clock is {_in_words(abs(offset_s))} {where} the records'"


def _in_words(seconds: float) -> str:
    if seconds < 59.5:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _duration(seconds: float, slack_s: float) -> str:
    """A duration as in a recipe, in the largest unit that is exact within the slack."""
    for unit, length in (("h", 3600), ("min", 60)):
        whole = round(seconds / length)
        if whole and abs(seconds - whole * length) <= slack_s:
            return f"{whole}{unit}"
    return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
