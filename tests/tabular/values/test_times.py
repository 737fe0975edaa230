"""Times of plants, in UTC."""
# ruff: noqa: RUF001, DTZ001  (full-width signs are what is tested; times without zone too)

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tundish.tabular.plan import ReadOptions
from tundish.tabular.values.clock import fill_times, guess_format, local_times, to_utc
from tundish.tabular.values.marks import Fault
from tundish.tabular.values.times import from_serial, parse_time

SHANGHAI = "Asia/Shanghai"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(SHANGHAI)).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("2023/3/5", "2023-03-05"),
        ("2023.3.5", "2023-03-05"),
        ("20230305", "2023-03-05"),
        ("2023年3月5日", "2023-03-05"),
        ("2023年3月5日 上午8:05", "2023-03-05 08:05"),
        ("2023年3月5日下午8时5分", "2023-03-05 20:05"),
        ("2023-03-05 8:05 PM", "2023-03-05 20:05"),
        ("2023-03-05 12:30 AM", "2023-03-05 00:30"),
        ("2023-03-05 08:05:01.5", "2023-03-05 08:05:01.500000"),
        ("２０２３-03-05 08:05", "2023-03-05 08:05"),
        ("20230305080501", "2023-03-05 08:05:01"),
        ("2023-03-05 24:00", "2023-03-06"),
        ("2023-12-31 24:00:00", "2024-01-01"),
        ("45000", "2023-03-15"),
        ("45000.5", "2023-03-15 12:00"),
    ],
)
def test_a_time_without_zone_is_the_plant_s(text: str, local: str) -> None:
    assert parse_time(text, SHANGHAI) == at(local)


@pytest.mark.parametrize(
    "text", ["2023-03-05T08:05:01+08:00", "2023-03-05T00:05:01Z", "2023-03-04 19:05:01-0500"]
)
def test_a_zone_in_the_text_counts(text: str) -> None:
    assert parse_time(text, "America/New_York") == datetime(2023, 3, 5, 0, 5, 1, tzinfo=UTC)


def test_excel_counts_from_1900_or_1904() -> None:
    assert from_serial(45000) == datetime(2023, 3, 15)
    assert from_serial(45000 - 1462, date1904=True) == datetime(2023, 3, 15)
    assert from_serial(59) == datetime(1900, 2, 28)
    assert from_serial(61) == datetime(1900, 3, 1)


def test_excel_s_29_february_1900_did_not_exist() -> None:
    found = from_serial(60)
    assert isinstance(found, Fault)
    assert "29 February 1900" in found.message


def test_the_summers_of_1986_to_1991_were_an_hour_ahead_in_shanghai() -> None:
    assert parse_time("1988-07-01 12:00", SHANGHAI) == datetime(1988, 7, 1, 3, tzinfo=UTC)
    assert parse_time("1992-07-01 12:00", SHANGHAI) == datetime(1992, 7, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("03/04/2023", "ambiguous_date"),
        ("13/04/2023", "ambiguous_date"),
        ("23-3-5", "ambiguous_date"),
        ("1986-05-04 02:30", "no_such_time"),
        ("1991-09-15 01:30", "ambiguous_time"),
        ("2023-02-30", "not_a_time"),
        ("2023-03-05 25:00", "not_a_time"),
        ("0023-03-05", "not_a_time"),
        ("2023", "not_a_time"),
        ("60", "not_a_time"),
        ("08:05", "not_a_time"),
        ("昨天", "not_a_time"),
    ],
)
def test_an_unclear_time_is_a_fault(text: str, check: str) -> None:
    found = parse_time(text, SHANGHAI)
    assert isinstance(found, Fault)
    assert found.check == check


@pytest.mark.parametrize("zone", [SHANGHAI, "Europe/Berlin", "UTC"])
def test_a_column_is_read_as_its_cells_are(zone: str) -> None:
    texts = [
        *(f"2023-03-26 0{hour}:30:00" for hour in range(5)),
        *("2023-10-29 02:30:00", "1986-05-04 02:30:00", "1991-09-15 01:30:00", "2023/3/5", "2023/3/5 8:05"),
        *("20230305", "45000", "45000.25", " 2023-03-05 08:05 ", "2023-03-05T08:05:01Z", "2023-03-05 24:00"),
        *("0023-03-05 08:05:00", "2023-03-05T08:05:01.25+08:00", "2023年3月5日", "x"),
    ]
    written = pl.Series("t", texts)
    form = guess_format(written)
    assert form == "%Y-%m-%d %H:%M:%S"
    fast = written.to_frame().select(local_times(pl.col("t"), form)).to_series()
    for text, value in zip(texts, fill_times(written, fast, ReadOptions(zone=zone)), strict=True):
        told = parse_time(text, zone)
        # What the fast way does not know is null, and Python's turn.
        assert value == told or (
            value is None and (isinstance(told, Fault) or text in {"2023-03-05 24:00", "2023年3月5日"})
        )


@given(st.datetimes(datetime(1950, 1, 1), datetime(2050, 1, 1)), st.sampled_from([SHANGHAI, "Europe/Berlin"]))
def test_local_to_utc_to_local(local: datetime, zone: str) -> None:
    found = parse_time(local.isoformat(sep=" "), zone)
    if isinstance(found, Fault):
        assert found.check in {"ambiguous_time", "no_such_time"}
    else:
        assert found.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local


@given(st.lists(st.datetimes(datetime(1980, 1, 1), datetime(1995, 1, 1)), min_size=1, max_size=9))
def test_columns_and_cells_agree_on_the_zone(local: list[datetime]) -> None:
    column = to_utc(pl.Series(local, dtype=pl.Datetime("us")), SHANGHAI)
    cells = [parse_time(one.isoformat(sep=" "), SHANGHAI) for one in local]
    assert column.to_list() == [None if isinstance(one, Fault) else one for one in cells]


def test_a_constant_zone_and_one_that_changes_give_the_same() -> None:
    days = [datetime(1991, 9, 1) + timedelta(hours=7 * n) for n in range(200)]
    whole = to_utc(pl.Series(days), SHANGHAI)
    parts = pl.concat([to_utc(pl.Series([day]), SHANGHAI) for day in days])
    assert whole.equals(parts)
