"""Read whole columns of times as UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal, overload
from zoneinfo import ZoneInfo

import polars as pl

from tundish.tabular.values.reading import unread
from tundish.tabular.values.times import FORMATS, ORDERS, SERIALS, YEARS, from_serial

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from tundish.tabular.plan import DateOrder, ReadOptions

__all__ = ["SAMPLE", "TIME", "fill_times", "guess_format", "in_order", "local_times", "to_utc"]

TIME = pl.Datetime("us", "UTC")
SAMPLE = 200
"""Texts that suffice to see how a column writes times."""

_DAYS = 20_000


def guess_format(texts: pl.Series, but: Collection[str] = ()) -> str | None:
    """Guess the format of most of the first texts, leaving some aside; None where it is not a common one."""
    sample = texts.drop_nulls().head(SAMPLE)
    found = [(int(sample.str.contains(form).sum()), name) for form, name in FORMATS if name not in but]
    count, name = max(found, key=lambda one: one[0], default=(0, ""))
    return name if count else None


def local_times(texts: pl.Expr, form: str) -> pl.Expr:
    """Read texts of one format as times without zone, or in UTC if the format has one; null otherwise."""
    # Without the cache: times of records rarely repeat, and a lookup costs more than reading them.
    return texts.str.to_datetime(form, time_unit="us", strict=False, cache=False)


@overload
def in_order(texts: pl.Series, order: DateOrder | None) -> pl.Series: ...


@overload
def in_order(texts: pl.Expr, order: DateOrder | None) -> pl.Expr: ...


def in_order(texts: pl.Series | pl.Expr, order: DateOrder | None) -> pl.Series | pl.Expr:
    """Write days of a known order with the year first; other texts stay as they are."""
    for pattern, form in ORDERS.get(order or "", ()):
        texts = texts.str.replace(pattern, form)
    return texts


def fill_times(written: pl.Series, values: pl.Series, options: ReadOptions) -> pl.Series:
    """Read a column of times in UTC, format after format; null where none fits.

    Args:
        written: The column as written in the file.
        values: The values that one format could read, without zone or in UTC.
        options: The zone of times that name none, the order of day and month, where day numbers begin.
    """
    values = to_utc(values, options.zone, options.ambiguous_hour)
    values = _fill(written, values, partial(_serials, zone=options.zone, date1904=options.date1904))
    tried: set[str] = set()
    while (form := guess_format(in_order(_left(written, values), options.dates), tried)) is not None:
        tried.add(form)
        values = _fill(written, values, partial(_read_format, form=form, options=options))
    return values


def _read_format(texts: pl.Series, form: str, options: ReadOptions) -> pl.Series:
    ordered = in_order(texts, options.dates)
    times = ordered.to_frame("t").select(local_times(pl.col("t"), form)).to_series()
    return to_utc(times, options.zone, options.ambiguous_hour)


def _left(written: pl.Series, values: pl.Series) -> pl.Series:
    """The texts that are not read yet."""
    return written.gather(unread(written, values)).cast(pl.String).str.strip_chars()


def _fill(written: pl.Series, values: pl.Series, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """The values, completed by what `read` makes of the remaining texts."""
    at = unread(written, values)
    if at.is_empty():
        return values
    more = read(_left(written, values))
    found = more.is_not_null()
    return values.clone().scatter(at.filter(found), more.filter(found)) if found.any() else values


def to_utc(times: pl.Series, zone: str, hour: Literal["first", "second"] | None = None) -> pl.Series:
    """Convert local times to UTC; null in hours that summer time skips or repeats, and outside YEARS."""
    if isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone is not None:
        return times.dt.convert_time_zone("UTC").cast(TIME)
    low, high = times.min(), times.max()
    if not isinstance(low, datetime) or not isinstance(high, datetime):
        return pl.Series(times.name, [None] * len(times), TIME)
    if low.year not in YEARS or high.year not in YEARS:
        inside = times.dt.year().is_between(YEARS.start, YEARS.stop - 1)
        times = times.set(~inside, None)
        return to_utc(times, zone, hour)
    shift = _constant_shift(low, high, zone)
    if shift is not None:
        return (times - shift).dt.replace_time_zone("UTC")
    which: Literal["earliest", "latest", "null"] = (
        "null" if hour is None else "earliest" if hour == "first" else "latest"
    )
    zoned = times.dt.replace_time_zone(zone, ambiguous=which, non_existent="null")
    return zoned.dt.convert_time_zone("UTC")


def _constant_shift(low: datetime, high: datetime, zone: str) -> timedelta | None:
    """The zone's offset from UTC where it does not change in between: subtracting it is 50 times faster."""
    tz = ZoneInfo(zone)
    days = (high - low).days + 4
    if days > _DAYS:
        return None
    first = low.replace(tzinfo=UTC) - timedelta(days=2)
    # No zone changes its clock twice within a day.
    shifts = {(first + timedelta(days=day)).astimezone(tz).utcoffset() for day in range(days + 1)}
    return shifts.pop() if len(shifts) == 1 else None


def _serials(texts: pl.Series, zone: str, *, date1904: bool) -> pl.Series:
    """Excel's day numbers among the texts; null for the others."""
    days = texts.cast(pl.Float64, strict=False)
    days = days.set(~days.is_between(*SERIALS, closed="left"), None)
    if days.null_count() == len(days):
        return pl.Series(texts.name, [None] * len(texts), TIME)
    origin = from_serial(100, date1904=date1904)
    assert isinstance(origin, datetime)
    local = pl.lit(origin) + pl.duration(milliseconds=((pl.col("d") - 100) * 86_400_000).round())
    return to_utc(days.to_frame("d").select(local.cast(pl.Datetime("us"))).to_series(), zone)
