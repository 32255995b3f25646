"""The calendar grid: clock changes, odd midnights, skipped dates, leap days and far ends."""

from __future__ import annotations

from datetime import date

import pytest

from hailwhale.core.time.calendar_grid import MAX_S, MIN_S, UTC, Interval, parse_zone
from hailwhale.errors import BadInput
from tests.core.instants import ZONES, at, utc


@pytest.mark.parametrize(
    ("text", "count", "unit", "nominal_s"),
    [
        ("1s", 1, "s", 1),
        ("5m", 5, "m", 300),
        ("24h", 24, "h", 86_400),
        ("35d", 35, "d", 3_024_000),
        ("1w", 1, "w", 604_800),
        ("1mo", 1, "mo", 2_592_000),
        (" 3y ", 3, "y", 94_608_000),
        ("100000y", 100_000, "y", 3_153_600_000_000),
    ],
)
def test_an_interval_is_a_count_and_a_unit(
    text: str, count: int, unit: str, nominal_s: int
) -> None:
    interval = Interval.parse(text)
    assert interval == Interval(count, unit)
    assert interval.nominal_s == nominal_s
    assert str(interval) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        *("", "5", "m", "0m", "-5m", "+5m", "05m", "1.5h", "5 m", "5M", "5min", "1mon", "5m\0"),
        *("٥m", "100001s", "999999y", "9" * 5_000 + "d", None, 5, b"5m"),
    ],
)
def test_anything_else_is_not_an_interval(text: str) -> None:
    with pytest.raises(BadInput, match=r"^span: got "):
        Interval.parse(text, "span")


@pytest.mark.parametrize(("count", "unit"), [(0, "m"), (-1, "d"), (100_001, "s"), (1, "x")])
def test_an_interval_out_of_bounds_cannot_be_made(count: int, unit: str) -> None:
    with pytest.raises(BadInput, match=r"^interval: got "):
        Interval(count, unit)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        *[("60s", "1m"), ("90s", "90s"), ("3600s", "1h"), ("86400s", "1d"), ("60m", "1h")],
        *[("1440m", "1d"), ("24h", "1d"), ("48h", "2d"), ("36h", "36h"), ("7d", "7d")],
        *[("12mo", "1y"), ("18mo", "18mo"), ("30d", "30d"), ("52w", "52w")],
    ],
)
def test_intervals_of_the_same_buckets_have_one_canonical_form(text: str, same: str) -> None:
    assert str(Interval.parse(text).canonical) == same


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("36h", "of at most 24h"),
        ("1441m", "of at most 24h"),
        ("90000s", "of at most 24h"),
        ("101y", "up to 100 years"),
        ("1212mo", "up to 100 years"),
        ("100000d", "up to 100 years"),
    ],
)
def test_an_interval_that_cannot_cut_time_into_buckets_is_refused(text: str, expected: str) -> None:
    with pytest.raises(BadInput, match=expected):
        Interval.parse(text).bucket()
    with pytest.raises(BadInput, match=expected):
        UTC.floor(0, Interval.parse(text))


@pytest.mark.parametrize(
    ("zone", "interval", "moment", "start", "end"),
    [
        ("UTC", "5m", "2026-01-01T12:34", "2026-01-01T12:30", "2026-01-01T12:35"),
        ("UTC", "7h", "2026-01-01T23:00", "2026-01-01T21:00", "2026-01-02T00:00"),
        ("UTC", "24h", "2026-01-01T23:00", "2026-01-01T00:00", "2026-01-02T00:00"),
        ("UTC", "1d", "1969-12-31T23:59", "1969-12-31T00:00", "1970-01-01T00:00"),
        ("UTC", "7d", "1970-01-03T00:00", "1970-01-01T00:00", "1970-01-08T00:00"),
        ("UTC", "7d", "1969-12-31T00:00", "1969-12-25T00:00", "1970-01-01T00:00"),
        # weeks begin on Monday, also before 1970-01-05
        ("UTC", "1w", "2026-01-01T00:00", "2025-12-29T00:00", "2026-01-05T00:00"),
        ("UTC", "1w", "2026-01-04T23:59", "2025-12-29T00:00", "2026-01-05T00:00"),
        ("UTC", "1w", "1970-01-01T00:00", "1969-12-29T00:00", "1970-01-05T00:00"),
        ("UTC", "2w", "1970-01-04T00:00", "1969-12-22T00:00", "1970-01-05T00:00"),
        ("UTC", "2w", "1970-01-18T00:00", "1970-01-05T00:00", "1970-01-19T00:00"),
        # leap days
        ("UTC", "1d", "2024-02-29T12:00", "2024-02-29T00:00", "2024-03-01T00:00"),
        ("UTC", "1mo", "2024-02-29T12:00", "2024-02-01T00:00", "2024-03-01T00:00"),
        ("UTC", "1mo", "2100-02-28T12:00", "2100-02-01T00:00", "2100-03-01T00:00"),
        ("UTC", "3mo", "2026-05-31T12:00", "2026-04-01T00:00", "2026-07-01T00:00"),
        ("UTC", "1y", "2024-12-31T23:59", "2024-01-01T00:00", "2025-01-01T00:00"),
        ("UTC", "10y", "2026-01-01T00:00", "2020-01-01T00:00", "2030-01-01T00:00"),
        # days, weeks, months and years are the zone's
        ("America/New_York", "1d", "2026-01-01T04:59", "2025-12-31T05:00", "2026-01-01T05:00"),
        ("America/New_York", "1w", "2026-03-08T12:00", "2026-03-02T05:00", "2026-03-09T04:00"),
        ("America/New_York", "1mo", "2026-03-31T12:00", "2026-03-01T05:00", "2026-04-01T04:00"),
        ("Europe/Berlin", "1y", "2025-12-31T23:30", "2025-12-31T23:00", "2026-12-31T23:00"),
        ("Asia/Kolkata", "1h", "2026-01-01T12:15", "2026-01-01T11:30", "2026-01-01T12:30"),
        ("Asia/Kolkata", "1d", "2026-01-01T18:30", "2026-01-01T18:30", "2026-01-02T18:30"),
        ("Asia/Kathmandu", "1h", "2026-01-01T12:14", "2026-01-01T11:15", "2026-01-01T12:15"),
        ("Asia/Kathmandu", "1d", "2026-01-01T18:14", "2025-12-31T18:15", "2026-01-01T18:15"),
        # days of 23 and 25 hours
        ("America/New_York", "1d", "2026-03-08T12:00", "2026-03-08T05:00", "2026-03-09T04:00"),
        ("America/New_York", "1d", "2026-11-01T12:00", "2026-11-01T04:00", "2026-11-02T05:00"),
        ("America/New_York", "6h", "2026-11-02T04:30", "2026-11-02T04:00", "2026-11-02T05:00"),
        ("America/New_York", "24h", "2026-11-02T04:30", "2026-11-01T04:00", "2026-11-02T05:00"),
        ("America/New_York", "23h", "2026-11-02T04:30", "2026-11-02T03:00", "2026-11-02T05:00"),
        ("Europe/Berlin", "1d", "2026-03-29T12:00", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("Europe/Berlin", "1d", "2026-10-25T12:00", "2026-10-24T22:00", "2026-10-25T23:00"),
        # half an hour of daylight saving
        ("Australia/Lord_Howe", "1d", "2026-04-05T00:00", "2026-04-04T13:00", "2026-04-05T13:30"),
        ("Australia/Lord_Howe", "1h", "2026-04-05T13:10", "2026-04-05T13:00", "2026-04-05T13:30"),
        ("Australia/Lord_Howe", "1d", "2026-10-04T00:00", "2026-10-03T13:30", "2026-10-04T13:00"),
        # midnight did not exist
        ("America/Sao_Paulo", "1d", "2017-10-15T03:00", "2017-10-15T03:00", "2017-10-16T02:00"),
        ("America/Sao_Paulo", "1d", "2017-10-15T02:59", "2017-10-14T03:00", "2017-10-15T03:00"),
        # the clock went back from midnight to 23:00, which makes the day before longer
        ("America/Sao_Paulo", "1d", "2018-02-18T02:30", "2018-02-17T02:00", "2018-02-18T03:00"),
        # midnight came twice: the first begins the day
        ("America/Havana", "1d", "2026-11-01T05:30", "2026-11-01T04:00", "2026-11-02T05:00"),
        ("America/Havana", "1d", "2026-11-01T03:59", "2026-10-31T04:00", "2026-11-01T04:00"),
        # midnight came, and a minute later it was 23:01 again: the day had begun all the same
        ("America/St_Johns", "1d", "2010-11-07T02:30", "2010-11-07T02:30", "2010-11-08T03:30"),
        ("America/St_Johns", "1d", "2010-11-07T03:00", "2010-11-07T02:30", "2010-11-08T03:30"),
        ("America/St_Johns", "1d", "2010-11-07T02:29", "2010-11-06T02:30", "2010-11-07T02:30"),
        # a date was skipped whole
        ("Pacific/Apia", "1d", "2011-12-30T09:59", "2011-12-29T10:00", "2011-12-30T10:00"),
        ("Pacific/Apia", "1d", "2011-12-30T10:00", "2011-12-30T10:00", "2011-12-31T10:00"),
        ("Pacific/Apia", "2d", "2011-12-30T10:00", "2011-12-30T10:00", "2011-12-31T10:00"),
        ("Pacific/Apia", "1w", "2011-12-30T10:00", "2011-12-26T10:00", "2012-01-01T10:00"),
        ("Pacific/Apia", "1h", "2011-12-30T09:59", "2011-12-30T09:00", "2011-12-30T10:00"),
    ],
)
def test_a_bucket_begins_and_ends_where_the_calendar_says(
    zone: str, interval: str, moment: str, start: str, end: str
) -> None:
    grid, width = parse_zone(zone), Interval.parse(interval)
    start_s = grid.floor(at(moment), width)
    assert utc(start_s) == start
    assert utc(grid.next(start_s, width)) == end


@pytest.mark.parametrize(
    ("zone", "edge", "length", "found"),
    [
        # elapsed time
        ("America/New_York", "2026-03-08T08:00", "2h", "2026-03-08T06:00"),
        ("America/New_York", "2026-11-02T05:00", "24h", "2026-11-01T05:00"),
        # calendar days across a clock change
        ("America/New_York", "2026-11-02T05:00", "1d", "2026-11-01T04:00"),
        ("America/New_York", "2026-03-09T16:00", "1d", "2026-03-08T16:00"),
        ("America/New_York", "2026-03-08T16:00", "1d", "2026-03-07T17:00"),
        ("Europe/Berlin", "2026-03-31T22:00", "1w", "2026-03-24T23:00"),
        # 02:30 did not exist: the end of the gap
        ("America/New_York", "2026-03-09T06:30", "1d", "2026-03-08T07:00"),
        # 01:30 came twice: the first
        ("America/New_York", "2026-11-02T06:30", "1d", "2026-11-01T05:30"),
        # an edge at the clock change is the end of what was before it
        ("America/New_York", "2026-03-08T07:00", "1d", "2026-03-07T07:00"),
        ("Pacific/Apia", "2011-12-30T10:00", "1d", "2011-12-29T10:00"),
        ("Pacific/Apia", "2011-12-31T10:00", "2d", "2011-12-30T10:00"),
        # months clamp to their end
        ("UTC", "2026-03-31T00:00", "1mo", "2026-02-28T00:00"),
        ("UTC", "2024-03-31T00:00", "1mo", "2024-02-29T00:00"),
        ("UTC", "2026-05-31T12:00", "6mo", "2025-11-30T12:00"),
        ("UTC", "2026-01-15T00:00", "1mo", "2025-12-15T00:00"),
        ("UTC", "2026-01-15T00:00", "13mo", "2024-12-15T00:00"),
        ("UTC", "2024-02-29T00:00", "1y", "2023-02-28T00:00"),
        ("UTC", "2024-02-29T00:00", "4y", "2020-02-29T00:00"),
        ("America/New_York", "2026-04-01T04:00", "1mo", "2026-03-01T05:00"),
        # a midnight that did not exist
        ("America/Sao_Paulo", "2017-10-16T02:00", "1d", "2017-10-15T03:00"),
    ],
)
def test_a_length_is_stepped_back_on_the_calendar(
    zone: str, edge: str, length: str, found: str
) -> None:
    assert utc(parse_zone(zone).back(at(edge), Interval.parse(length))) == found


@pytest.mark.parametrize("length", ["100000d", "100000w", "100000mo", "100000y", "24312mo"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
def test_a_step_back_past_the_calendar_ends_before_the_supported_years(
    zone: str, length: str
) -> None:
    assert parse_zone(zone).back(at("2026-01-01T00:00"), Interval.parse(length)) < MIN_S


@pytest.mark.parametrize("at_s", [MIN_S - 1, MAX_S, -(10**18), 10**18, 10**400])
def test_an_instant_outside_the_supported_years_is_bad_input(at_s: int) -> None:
    with pytest.raises(BadInput, match=r"^at: .* between the years 1900 and 2200"):
        UTC.floor(at_s, Interval(1, "h"))
    with pytest.raises(BadInput, match=r"^when: "):
        UTC.floor(at_s, Interval(1, "mo"), "when")
    with pytest.raises(BadInput, match=r"^when: "):
        UTC.back(at_s, Interval(1, "d"), "when")


@pytest.mark.parametrize("at_s", [-(10**18), 10**18, 10**400])
def test_an_edge_far_outside_the_supported_years_is_bad_input(at_s: int) -> None:
    with pytest.raises(BadInput, match=r"^when: "):
        UTC.next(at_s, Interval(1, "d"), "when")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("interval", ["1s", "1h", "1d", "1w", "1mo", "1y", "99y", "100y"])
def test_both_ends_of_the_supported_years_lie_in_a_bucket(zone: str, interval: str) -> None:
    grid, width = parse_zone(zone), Interval.parse(interval)
    for at_s in (MIN_S, MAX_S - 1):
        start_s = grid.floor(at_s, width)
        assert start_s <= at_s < grid.next(start_s, width)


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("UTC", date(2026, 1, 1), "2026-01-01T00:00"),
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00"),
        ("America/Sao_Paulo", date(2017, 10, 15), "2017-10-15T03:00"),
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00"),
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00"),
    ],
)
def test_a_date_begins_at_its_first_instant(zone: str, day: date, start: str) -> None:
    assert utc(parse_zone(zone).day_start(day)) == start


def test_starts_lists_a_cut_first_bucket_and_then_each_start_before_the_end() -> None:
    found = UTC.starts(at("2026-01-15T00:00"), at("2026-04-01T00:00"), Interval(1, "mo"))
    assert [utc(at_s) for at_s in found] == [
        "2026-01-15T00:00",
        "2026-02-01T00:00",
        "2026-03-01T00:00",
    ]


def test_a_sub_day_bucket_has_no_number_on_the_calendar() -> None:
    with pytest.raises(BadInput, match="a day or longer"):
        UTC.serial(0, Interval(1, "h"))


@pytest.mark.parametrize(
    ("zone", "moment", "days"),
    [
        ("UTC", "2026-02-28T23:59", 28),
        ("UTC", "2024-02-01T00:00", 29),
        ("UTC", "2100-02-01T00:00", 28),
        ("UTC", "2026-03-01T00:00", 31),
        ("America/New_York", "2026-03-01T04:59", 28),
        ("America/New_York", "2026-03-01T05:00", 31),
    ],
)
def test_a_month_has_the_days_of_the_zones_calendar(zone: str, moment: str, days: int) -> None:
    assert parse_zone(zone).days_in_month(at(moment)) == days
