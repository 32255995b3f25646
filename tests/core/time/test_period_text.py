"""Python objects as periods, lengths and zones: each has one text, which reads back as meant."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hailwhale.core.time.calendar_grid import Interval
from hailwhale.core.time.date_ranges import DateRange
from hailwhale.core.time.period import Period, Trailing
from hailwhale.core.time.period_text import (
    length_text,
    period_text,
    period_texts,
    plain_arguments,
    zone_text,
)
from hailwhale.errors import BadInput

MIDNIGHT = datetime(2026, 3, 15)
DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1d:1mo", "1d:1mo"),
        ("", ""),
        (Period.parse(" mtd "), "mtd"),
        (Period.parse("1h:2d|-500"), "1h:2d|-500"),
        (timedelta(seconds=59), "1s:59s"),
        (timedelta(minutes=1), "1m:1m"),
        (timedelta(hours=2), "1m:2h"),
        (timedelta(hours=2, seconds=1), "1h:7201s"),
        (timedelta(days=2), "1h:2d"),
        (timedelta(days=2, hours=1), "1d:49h"),
        (timedelta(days=400), "1d:400d"),
        (timedelta(days=401), "1mo:401d"),
        (date(2026, 3, 15), "2026-03-15..2026-03-15"),
        (MIDNIGHT, "2026-03-15..2026-03-15"),
        (MIDNIGHT.replace(tzinfo=ZoneInfo("Asia/Tokyo")), "2026-03-15..2026-03-15"),
        ((date(2026, 3, 1), MIDNIGHT), "2026-03-01..2026-03-15"),
        (
            (MIDNIGHT, MIDNIGHT.replace(hour=12)),
            "2026-03-15T00:00:00..2026-03-15T12:00:00",
        ),
        ((MIDNIGHT.replace(hour=12), date(2026, 3, 16)), "2026-03-15T12:00:00..2026-03-16"),
        (
            (
                datetime(2026, 3, 15, 10, tzinfo=ZoneInfo("Europe/Berlin")),
                datetime(2026, 3, 15, 12, 0, 30, tzinfo=UTC),
            ),
            "2026-03-15T10:00:00+01:00..2026-03-15T12:00:30+00:00",
        ),
    ],
)
def test_what_stands_for_a_period_has_one_text(value: object, text: str) -> None:
    assert period_text(value) == text
    assert period_texts(value) == text
    if text:
        Period.parse(text)


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ([], []),
        (["1d:1w", timedelta(days=7)], ["1d:1w", "1d:7d"]),
        (("1d:1w", "1d:1mo"), ["1d:1w", "1d:1mo"]),
        (
            [date(2026, 3, 1), date(2026, 3, 2)],
            ["2026-03-01..2026-03-01", "2026-03-02..2026-03-02"],
        ),
        ([(date(2026, 3, 1), date(2026, 3, 2))], ["2026-03-01..2026-03-02"]),
    ],
)
def test_a_list_has_a_period_in_each_place_and_a_tuple_of_two_dates_is_one(
    value: object, texts: list[str]
) -> None:
    assert period_texts(value) == texts


@pytest.mark.parametrize(
    "value",
    [
        7,
        1.5,
        True,
        object(),
        {"1d": "1mo"},
        timedelta(0),
        timedelta(days=-1),
        timedelta(microseconds=1),
        MIDNIGHT.replace(hour=12),
        (date(2026, 3, 1), MIDNIGHT.replace(microsecond=1)),
        Period("today", None, None),
        Period.parse("1d:1mo").interval,
    ],
)
def test_an_invalid_period_is_refused_by_name(value: object) -> None:
    for write in (period_text, period_texts):
        with pytest.raises(BadInput) as refused:
            write(value, "when")
        assert refused.value.parameter == "when"


@given(st.timedeltas(timedelta(seconds=1), timedelta(days=1_000)))
def test_a_timedelta_is_a_period_of_its_length(length: timedelta) -> None:
    length -= timedelta(microseconds=length.microseconds)
    try:
        period = Period.parse(period_text(length))
    except BadInput:
        assert length.total_seconds() % 60 or length.days > 60  # more seconds than a period takes
        return
    assert isinstance(period.reach, Trailing)
    assert period.reach.length.nominal_s == length.total_seconds()
    assert period.interval is not None
    assert period.interval.nominal_s <= length.total_seconds()


@given(DAYS, DAYS)
def test_two_dates_are_the_days_between_them(one: date, other: date) -> None:
    first, last = sorted([one, other])
    midnights = [datetime.combine(day, time()) for day in (first, last + timedelta(days=1))]
    assert Period.parse(period_text((first, last))).reach == DateRange(*midnights)


TIMES = st.datetimes(datetime(1900, 1, 2), datetime(2200, 12, 30)).map(
    lambda time: time.replace(microsecond=0)
)


@given(TIMES, TIMES)
def test_two_times_are_the_time_between_them(one: datetime, other: datetime) -> None:
    first, last = sorted([one, max(other, other.replace(second=1))])
    assume(first < last)
    assert Period.parse(period_text((first, last))).reach == DateRange(first, last)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(days=30), "30d"),
        (timedelta(hours=36), "36h"),
        (timedelta(minutes=90), "90m"),
        (timedelta(0), 0),
        ("7d", "7d"),
        (5, 5),
    ],
)
def test_a_timedelta_is_a_length_and_all_else_is_left_to_the_parser(
    value: object, text: object
) -> None:
    assert length_text(value, "expires") == text
    if isinstance(value, timedelta) and value:
        assert Interval.parse(str(text)).nominal_s == value.total_seconds()


@pytest.mark.parametrize("value", [timedelta(seconds=-1), timedelta(milliseconds=1)])
def test_an_invalid_length_is_refused_by_name(value: timedelta) -> None:
    with pytest.raises(BadInput) as refused:
        length_text(value, "half_life")
    assert refused.value.parameter == "half_life"


@pytest.mark.parametrize("value", [timezone(timedelta(hours=1)), 5, object(), MIDNIGHT])
def test_an_invalid_zone_is_refused_by_name(value: Any) -> None:
    with pytest.raises(BadInput) as refused:
        zone_text(value)
    assert refused.value.parameter == "tz"


def test_arguments_are_plain_and_those_that_are_none_are_left_out() -> None:
    assert plain_arguments(
        pk=None,
        at=MIDNIGHT,
        period=timedelta(days=7),
        expires=timedelta(days=30),
        compare=date(2026, 3, 1),
        tz=UTC,
        limit=0,
    ) == {
        "at": MIDNIGHT,
        "period": "1d:7d",
        "expires": "30d",
        "compare": "2026-03-01..2026-03-01",
        "tz": "UTC",
        "limit": 0,
    }
