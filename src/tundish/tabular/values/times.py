"""Read times as plants write them, as UTC."""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from tundish.tabular.text import clean
from tundish.tabular.values.marks import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tundish.tabular.plan import DateOrder

__all__ = ["FORMATS", "ORDERS", "SERIALS", "YEARS", "from_serial", "local_to_utc", "parse_time"]

FORMATS: Sequence[tuple[str, str]] = (
    (r"^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d\d:\d\d$", "%Y-%m-%d %H:%M:%S"),
    (r"^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d\d:\d\d\.\d{1,9}$", "%Y-%m-%d %H:%M:%S%.f"),
    (r"^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d\d$", "%Y-%m-%d %H:%M"),
    (r"^\d{4}-\d{1,2}-\d{1,2}$", "%Y-%m-%d"),
    (r"^\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d\d:\d\d$", "%Y/%m/%d %H:%M:%S"),
    (r"^\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d\d$", "%Y/%m/%d %H:%M"),
    (r"^\d{4}/\d{1,2}/\d{1,2}$", "%Y/%m/%d"),
    (r"^\d{4}\.\d{1,2}\.\d{1,2}$", "%Y.%m.%d"),
    (r"^\d{4}\.\d{1,2}\.\d{1,2} \d{1,2}:\d\d:\d\d$", "%Y.%m.%d %H:%M:%S"),
    (r"^\d{8}$", "%Y%m%d"),
    (r"^\d{12}$", "%Y%m%d%H%M"),
    (r"^\d{14}$", "%Y%m%d%H%M%S"),
    (r"^\d{1,2}-[A-Za-z]{3}-\d{4}$", "%d-%b-%Y"),
    (r"^\d{1,2}-[A-Za-z]{3}-\d{4} \d{1,2}:\d\d$", "%d-%b-%Y %H:%M"),
    (r"^\d{1,2}-[A-Za-z]{3}-\d{4} \d{1,2}:\d\d:\d\d$", "%d-%b-%Y %H:%M:%S"),
    (r"^\d{1,2}-[A-Za-z]{3}-\d\d \d{1,2}:\d\d:\d\d$", "%d-%b-%y %H:%M:%S"),
    (r"^\d{1,2}-[A-Za-z]{3}-\d\d \d{1,2}:\d\d:\d\d\.\d{1,9}$", "%d-%b-%y %H:%M:%S%.f"),
    (r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$", "%Y-%m-%dT%H:%M:%S"),
    (r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}$", "%Y-%m-%dT%H:%M:%S%.f"),
    (r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$", "%Y-%m-%dT%H:%M:%S%.f%#z"),
)
"""Patterns of times, and the format that reads a whole column of each; the last one names its zone."""

_D, _M, _Y = r"(\d{1,2})", r"[-/.](\d{1,2})[-/.]", r"(\d{4})(\D|$)"
_SHORT = r"(\d\d)(\s|T|$)"
_DAY_FIRST, _MONTH_FIRST = (rf"^\s*{_D}{_M}{_Y}", "$3-$2-$1$4"), (rf"^\s*{_D}{_M}{_Y}", "$3-$1-$2$4")
ORDERS: Mapping[str, Sequence[tuple[str, str]]] = {
    "dmy4": (_DAY_FIRST,),
    "mdy4": (_MONTH_FIRST,),
    "dmy": (_DAY_FIRST, (rf"^\s*{_D}{_M}{_SHORT}", "20$3-$2-$1$4")),
    "mdy": (_MONTH_FIRST, (rf"^\s*{_D}{_M}{_SHORT}", "20$3-$1-$2$4")),
    "ymd": ((rf"^\s*(\d\d){_M}{_D}(\s|T|$)", "20$1-$2-$3$4"),),
}
"""By the order of day, month and year: patterns, and the same date with the year first."""

YEARS = range(1900, 2200)
"""Years that a record may have."""

SERIALS = (10_000, 73_051)
"""Excel's day numbers from 1927 to 2099; a smaller one may be a year, a larger one a date without points."""

_HALF = r"(?P<{}>上午|下午|凌晨|早上|中午|晚上|[AaPp]\.?[Mm]\.?)"
_CLOCK = (
    rf"(?:{_HALF.format('before')}\s*)?(?P<hour>\d{{1,2}})\s*[:时点]\s*(?P<minute>\d{{1,2}})?"
    r"(?:\s*[:分]\s*(?:(?P<second>\d{1,2})(?:[.,](?P<part>\d{1,9}))?)?)?秒?"
    rf"(?:\s*{_HALF.format('after')})?"
)
_ZONE = r"(?:\s*(?P<zone>Z|UTC|[+-]\d\d:?\d\d))?"
_FORM = re.compile(
    r"(?:(?P<year>\d{4})(?:-(?P<m1>\d{1,2})-(?P<d1>\d{1,2})|/(?P<m2>\d{1,2})/(?P<d2>\d{1,2})"
    r"|\.(?P<m3>\d{1,2})\.(?P<d3>\d{1,2})|\s*年\s*(?P<m4>\d{1,2})\s*月\s*(?P<d4>\d{1,2})\s*[日号]?"
    rf"|(?P<m5>\d\d)(?P<d5>\d\d)))(?:[\sT]*{_CLOCK}{_ZONE})?",
    re.ASCII,
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_DAY_MONTH = re.compile(
    r"(?P<day>\d{1,2})[-/. ](?P<month>[A-Za-z]{3,9})[-/., ]+(?P<year>\d{4}|\d\d)(?!\d)", re.ASCII
)
_MONTH_DAY = re.compile(
    r"(?P<month>[A-Za-z]{3,9})[-/. ](?P<day>\d{1,2})(?:,\s*|[-/ ])(?P<year>\d{4})(?!\d)", re.ASCII
)
_PACKED = re.compile(r"(\d{4})(\d\d)(\d\d)[\sT_-]?(\d\d)(\d\d)(\d\d)?", re.ASCII)
_UNCLEAR = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{1,2})(?:\s.*)?", re.ASCII)
_SERIAL = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


def parse_time(
    text: str,
    zone: str,
    *,
    date1904: bool = False,
    order: DateOrder | None = None,
    ambiguous_hour: Literal["first", "second"] | None = None,
) -> datetime | Fault:
    """Read one time, in UTC.

    A day before month and year ('03/04/2023', and '13/04/2023' as well, which occurs in the same column) and
    a year of two digits are never guessed: the whole file settles their order, or the recipe.

    Args:
        text: The cell as written: '2023/3/5', '2023年3月5日 下午8:05', '20230305', Excel's 45000, ISO 8601.
        zone: IANA name of the time zone of the clock, for a time that names none.
        date1904: Whether numbers count from 1904, as in workbooks of old Macs.
        order: The order of day, month and year, where they are numbers and the year is not first.
        ambiguous_hour: Which of the two is meant where summer time repeats an hour.
    """
    written = _with_month_number(clean(text))
    for pattern, year_first in ORDERS.get(order or "", ()):
        written = re.sub(pattern, re.sub(r"\$(\d)", r"\\g<\1>", year_first), written, flags=re.ASCII)
    if _SERIAL.fullmatch(written) and SERIALS[0] <= float(written) < SERIALS[1]:
        written = str(from_serial(float(written), date1904=date1904))
    packed = _PACKED.fullmatch(written)
    if packed:
        written = "{}-{}-{} {}:{}:{}".format(*packed.groups("00"))
    form = _FORM.fullmatch(written)
    if form is None:
        return _unclear(text, written)
    try:
        local = _local(form)
    except ValueError:
        return Fault("not_a_time", f"'{text}' is not an existing day or hour")
    if local.year not in YEARS:
        return Fault("not_a_time", f"the year of '{text}' is not plausible")
    if form["zone"] is not None:
        return (local - _shift(form["zone"])).replace(tzinfo=UTC)
    return local_to_utc(local, zone, ambiguous_hour)


def _with_month_number(text: str) -> str:
    """A time with the English name of its month as numbers: '01-May-23 08:00' is '2023-05-01 08:00'."""
    for pattern in (_DAY_MONTH, _MONTH_DAY):
        named = pattern.match(text)
        month = _MONTHS.get(named["month"][:3].lower()) if named else None
        if named and month:
            year = named["year"] if len(named["year"]) == 4 else f"20{named['year']}"
            return f"{year}-{month}-{named['day']}{text[named.end() :]}"
    return text


def _unclear(text: str, written: str) -> Fault:
    if _UNCLEAR.fullmatch(written):
        return Fault(
            "ambiguous_date",
            f"'{text}' is ambiguous in day, month and year; write 2023-04-13,"
            " or say which order it is in the recipe: dates: dmy, mdy or ymd",
        )
    return Fault("not_a_time", f"'{text}' is not a time; write it as 2023-04-13 08:05:00")


def _local(form: re.Match[str]) -> datetime:
    month = next(form[f"m{n}"] for n in range(1, 6) if form[f"m{n}"])
    day = next(form[f"d{n}"] for n in range(1, 6) if form[f"d{n}"])
    date = datetime(int(form["year"]), int(month), int(day))  # noqa: DTZ001  (the caller gives it its zone)
    if form["hour"] is None:
        return date
    hour, minute, second = int(form["hour"]), int(form["minute"] or 0), int(form["second"] or 0)
    part = int((form["part"] or "0").ljust(6, "0")[:6])
    if (hour, minute, second, part) == (24, 0, 0, 0):
        return date + timedelta(days=1)
    hour = _in_day(hour, form["before"] or form["after"])
    return date.replace(hour=hour, minute=minute, second=second, microsecond=part)


def _in_day(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    word = half.lower().replace(".", "")
    if word in {"下午", "晚上", "pm"} or (word == "中午" and hour < 11):
        return hour + 12 if hour < 12 else hour
    return 0 if hour == 12 and word in {"上午", "凌晨", "am"} else hour


def _shift(zone: str) -> timedelta:
    if zone in {"Z", "UTC"}:
        return timedelta(0)
    digits = zone[1:].replace(":", "")
    shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -shift if zone[0] == "-" else shift


def from_serial(serial: float, *, date1904: bool = False) -> datetime | Fault:
    """Convert Excel's day number to local time, to the millisecond: 45000 is 2023-03-15.

    The 1900 system counts a 29 February 1900 that did not exist (60); the 1904 system is 1462 days later.
    """
    if date1904:
        serial += 1462
    if 60 <= serial < 61:
        return Fault("not_a_time", f"Excel's day {serial:g} is 29 February 1900, which did not exist")
    first = datetime(1899, 12, 31) if serial < 60 else datetime(1899, 12, 30)  # noqa: DTZ001  (local)
    return first + timedelta(milliseconds=round(serial * 86_400_000))


def local_to_utc(
    local: datetime, zone: str, ambiguous_hour: Literal["first", "second"] | None = None
) -> datetime | Fault:
    """Convert a local time to UTC; an hour that does not exist, or two, is a fault."""
    tz = _zone(zone)
    early, late = (local.replace(tzinfo=tz, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early == late:
        return early
    if early.astimezone(tz).replace(tzinfo=None) == local:
        if ambiguous_hour is not None:
            return early if ambiguous_hour == "first" else late
        return Fault(
            "ambiguous_time",
            f"{local} occurred twice in {zone}, when summer time ended; name the zone (+08:00), or say"
            " which one it is in the recipe: ambiguous_hour: first or second",
        )
    return Fault("no_such_time", f"{local} did not exist in {zone}: summer time began")


@lru_cache(maxsize=8)
def _zone(name: str) -> timezone | zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(name)
