"""Estimate how far one clock is ahead of another, from the times that both recorded.

Plants run cameras on local time and servers on UTC, and do not set clocks for years: they differ by eight
hours, or by a minute and a half. A wrong offset joins every image to the wrong record, so an estimate says
whether it is certain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SPAN_S", "Estimate", "Times", "offset_of_pairs", "offset_of_times"]

Times: TypeAlias = "NDArray[np.float64]"
"""Seconds, one-dimensional."""

SPAN_S = 14 * 3600.0
"""The largest difference between time zones, in seconds."""

_FEWEST = 5
_SAMPLE = 2000
_PAIRS = 4_000_000
_FINEST = SPAN_S / 2**17
_RIVALS = 3
_SIGMAS = 4.0


@dataclass(frozen=True)
class Estimate:
    """A clock offset and the evidence for it.

    Attributes:
        offset_s: How far the first clock is ahead, seconds.
        spread_s: Standard deviation of the single differences about it, by their median, seconds.
        share: The share of the times that have a partner at this offset, within the tolerance.
        background: The same share at the best other offset: what chance, or a regular beat, gives.
        certain: Whether the share is clearly above the background.
    """

    offset_s: float
    spread_s: float
    share: float
    background: float
    certain: bool


_UNKNOWN = Estimate(0.0, 0.0, 0.0, 0.0, certain=False)


def offset_of_pairs(lowest_s: Times, highest_s: Times, tolerance_s: float) -> Estimate:
    """The offset from times that belong together by a key.

    One time on each side gives one difference (first clock minus second) for a key. Where a key has several,
    the offset is between the difference of the first times and that of the last: the times of one side lie
    among those of the other. The offset is where most keys agree. It is certain where these are at least five
    and half of all keys, and their common range is no wider than the tolerance.

    Args:
        lowest_s: (n,) lower ends of the differences, one per key, seconds.
        highest_s: (n,) upper ends; equal to the lower ones where there is one difference.
        tolerance_s: The largest difference of partners.
    """
    if not lowest_s.size:
        return _UNKNOWN
    starts, stops = np.sort(lowest_s - tolerance_s), np.sort(highest_s + tolerance_s)
    open_there = np.arange(1, starts.size + 1) - np.searchsorted(stops, starts)
    best = int(np.argmax(open_there))
    left, right = starts[best], stops[np.searchsorted(stops, starts[best])]
    agreeing = (lowest_s - tolerance_s <= left) & (highest_s + tolerance_s >= right)
    nearest = np.clip((left + right) / 2, lowest_s[agreeing], highest_s[agreeing])
    offset = float(np.median(nearest))
    room = max(0.0, float(right - left) / 2 - tolerance_s)
    share = float(np.mean(agreeing))
    chance = (float(np.mean(highest_s - lowest_s)) + 2 * tolerance_s) / (2 * SPAN_S)
    return Estimate(
        offset,
        max(room, 1.4826 * float(np.median(np.abs(nearest - offset)))),
        share,
        min(1.0, chance),
        certain=int(agreeing.sum()) >= _FEWEST and share >= 0.5 and room <= tolerance_s,
    )


def offset_of_times(times_s: Times, others_s: Times, tolerance_s: float) -> Estimate:
    """The offset at which most times have a partner among the others, within 14 hours either way.

    Which time belongs to which is not known: the mode of all pairwise differences is compared with the best
    other offsets. A regular series agrees with another at many offsets, and is never certain. Where coils
    follow each other within the tolerance, any offset gives partners: a quarter and a sixteenth of it are
    tried too, and the clearest result counts.

    Args:
        times_s: (n,) seconds by the first clock, in any order; a sample of them is used.
        others_s: (m,) seconds by the second clock, in any order.
        tolerance_s: The largest difference of partners.
    """
    if not times_s.size or not others_s.size:
        return _UNKNOWN
    times, others = np.sort(times_s), np.sort(others_s)
    widths = sorted({max(tolerance_s / part, _FINEST) for part in (1, 4, 16)}, reverse=True)
    estimates = [_at_width(times, others, width) for width in widths]
    return max(estimates, key=lambda one: (one.certain, one.share - one.background))


def _at_width(times: Times, others: Times, width: float) -> Estimate:
    # Bursts would count one coincidence many times: they are thinned to one time per width.
    thin = _thin(others, width)
    sample = _draw_sample(_thin(times, width), thin)
    counts = _histogram(sample, thin, width)
    tried = []
    for _ in range(1 + _RIVALS):
        place = int(np.argmax(counts))
        if counts[place] == 0:
            break
        tried.append(_refine(sample, others, (place + 1) * width - SPAN_S, width))
        counts[max(0, place - 4) : place + 5] = 0
    if not tried:
        return _UNKNOWN
    # One denominator for all: near the ends of short series few times have neighbours.
    inside = max(_inside(sample, others, one.offset_s, width) for one in tried)
    shares = [one.share * sample.size / inside for one in tried]
    best = int(np.argmax(shares))
    share, background = shares[best], max([0.0, *shares[:best], *shares[best + 1 :]])
    floor = max(background, 1 / inside)
    stands_out = share - background >= max(
        0.25 * (1 - background), _SIGMAS * np.sqrt(floor * (1 - floor) / inside), 1 / inside
    )
    enough = share * inside >= _FEWEST - 0.5
    return replace(tried[best], share=share, background=background, certain=bool(stands_out and enough))


def _thin(times: Times, width: float) -> Times:
    return times[np.flatnonzero(np.diff(np.floor(times / width), prepend=-np.inf))]


def _draw_sample(times: Times, others: Times) -> Times:
    """A sample of the times, evenly spread, so that their pairs with the others stay few."""
    count = min(_SAMPLE, times.size)
    sample = times[np.linspace(0, times.size - 1, count).round().astype(np.int64)]
    pairs = int((_upto(others, sample + SPAN_S) - _upto(others, sample - SPAN_S)).sum())
    keep = max(min(50, count), min(count, count * _PAIRS // max(pairs, 1)))
    return sample[np.linspace(0, count - 1, keep).round().astype(np.int64)]


def _upto(others: Times, times: Times) -> NDArray[np.int64]:
    return np.searchsorted(others, times)


def _histogram(sample: Times, others: Times, width: float) -> NDArray[np.int64]:
    """Count pairs by difference; place k counts those between k and k + 2 widths above -14 h."""
    first = _upto(others, sample - SPAN_S)
    many = _upto(others, sample + SPAN_S) - first
    ends = np.cumsum(many)
    chosen = np.arange(ends[-1]) - np.repeat(ends - many - first, many)
    differences = np.repeat(sample, many) - others[chosen]
    bins = int(np.ceil(2 * SPAN_S / width)) + 2
    counts = np.bincount(((differences + SPAN_S) / width).astype(np.int64), minlength=bins)
    return counts[:-1] + counts[1:]


def _nearest(sample: Times, others: Times) -> Times:
    """Each time minus the nearest of the others."""
    after = np.clip(_upto(others, sample), 0, others.size - 1)
    before = np.clip(after - 1, 0, None)
    left, right = sample - others[before], sample - others[after]
    return np.where(np.abs(left) < np.abs(right), left, right)


def _refine(sample: Times, others: Times, guess: float, width: float) -> Estimate:
    """The offset near a guess: the median difference of partners, and their share of the sample."""
    for _ in range(3):
        rest = _nearest(sample - guess, others)
        near = rest[np.abs(rest) <= width]
        if near.size:
            guess += float(np.median(near))
    rest = _nearest(sample - guess, others)
    near = rest[np.abs(rest) <= width]
    spread = 1.4826 * float(np.median(np.abs(near))) if near.size else 0.0
    return Estimate(guess, spread, near.size / sample.size, 0.0, certain=False)


def _inside(sample: Times, others: Times, offset: float, width: float) -> int:
    aligned = sample - offset
    return int(((aligned >= others[0] - width) & (aligned <= others[-1] + width)).sum()) or 1
