"""Periods: every form, the edges they mean, and the faults of the original."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.time.calendar_grid import UTC, Grid, parse_zone
from hailwhale.core.time.period import DEFAULT, DEFAULT_TOTALS, NICKNAMES, Period
from hailwhale.errors import BadInput
from tests.core.instants import at, instants, utc, zones

NOW_S = at("2026-01-21T12:34")
NEW_YORK, BERLIN = parse_zone("America/New_York"), parse_zone("Europe/Berlin")
APIA, KATHMANDU = parse_zone("Pacific/Apia"), parse_zone("Asia/Kathmandu")


def edges_of(text: str, grid: Grid = UTC, now_s: int = NOW_S) -> tuple[int, ...]:
    return Period.parse(text).edges(grid, now_s)


@pytest.mark.parametrize(
    ("period", "first", "last", "points"),
    [
        ("1m:1h", "2026-01-21T11:35", "2026-01-21T12:35", 60),
        ("5m:1h", "2026-01-21T11:35", "2026-01-21T12:35", 12),
        ("5m:1w", "2026-01-14T12:35", "2026-01-21T12:35", 2_016),
        ("1h:1d", "2026-01-20T13:00", "2026-01-21T13:00", 24),
        ("1h:24h", "2026-01-20T13:00", "2026-01-21T13:00", 24),
        ("7h:1d", "2026-01-20T14:00", "2026-01-21T14:00", 4),
        ("1d:1d", "2026-01-21T00:00", "2026-01-22T00:00", 1),
        ("1d:36h", "2026-01-20T00:00", "2026-01-22T00:00", 2),
        ("1d:1w", "2026-01-15T00:00", "2026-01-22T00:00", 7),
        ("24h:168h", "2026-01-15T00:00", "2026-01-22T00:00", 7),
        ("1d:1mo", "2025-12-22T00:00", "2026-01-22T00:00", 31),
        ("1d:1y", "2025-01-22T00:00", "2026-01-22T00:00", 365),
        ("1w:1mo", "2025-12-22T00:00", "2026-01-26T00:00", 5),
        ("1mo:1y", "2025-02-01T00:00", "2026-02-01T00:00", 12),
        ("12mo:1y", "2026-01-01T00:00", "2027-01-01T00:00", 1),
        ("1y:12mo", "2026-01-01T00:00", "2027-01-01T00:00", 1),
        ("1y:100y", "1927-01-01T00:00", "2027-01-01T00:00", 100),
        # nicknames
        ("hour", "2026-01-21T11:35", "2026-01-21T12:35", 60),
        ("day", "2026-01-20T13:00", "2026-01-21T13:00", 24),
        ("seven", "2026-01-15T00:00", "2026-01-22T00:00", 7),
        ("thirty", "2025-12-23T00:00", "2026-01-22T00:00", 30),
        ("year", "2025-01-22T00:00", "2026-01-22T00:00", 365),
        ("today", "2026-01-21T00:00", "2026-01-21T13:00", 13),
        ("yesterday", "2026-01-20T00:00", "2026-01-21T00:00", 24),
        ("wtd", "2026-01-19T00:00", "2026-01-22T00:00", 3),
        ("mtd", "2026-01-01T00:00", "2026-01-22T00:00", 21),
        ("ytd", "2026-01-01T00:00", "2026-01-22T00:00", 21),
        # dates, both ends included
        ("2026-01-05..2026-01-05", "2026-01-05T00:00", "2026-01-06T00:00", 24),
        ("2026-01-05..2026-01-06", "2026-01-05T00:00", "2026-01-07T00:00", 48),
        ("2026-01-01..2026-01-31", "2026-01-01T00:00", "2026-02-01T00:00", 31),
        ("01/01/2026-01/31/2026", "2026-01-01T00:00", "2026-02-01T00:00", 31),
        ("1/1/2026 - 1/31/2026", "2026-01-01T00:00", "2026-02-01T00:00", 31),
        ("2024-02-28..2024-03-01", "2024-02-28T00:00", "2024-03-02T00:00", 3),
        ("2025-01-01..2026-02-04", "2025-01-01T00:00", "2026-02-05T00:00", 400),
        ("2025-01-01..2026-02-05", "2025-01-01T00:00", "2026-02-06T00:00", 14),
        ("1900-01-01..2200-12-31", "1900-01-01T00:00", "2201-01-01T00:00", 3_612),
        ("1h:2026-01-01..2026-01-07", "2026-01-01T00:00", "2026-01-08T00:00", 168),
        ("1w:01/01/2026-01/31/2026", "2026-01-01T00:00", "2026-02-01T00:00", 5),
        # times, the last one excluded
        ("2026-01-05T10:00..2026-01-05T12:00", "2026-01-05T10:00", "2026-01-05T12:00", 2),
        ("2026-01-05 10:00..2026-01-05 10:30", "2026-01-05T10:00", "2026-01-05T10:30", 30),
        ("1h:2026-01-05T10:30..2026-01-05T12:00", "2026-01-05T10:30", "2026-01-05T12:00", 2),
        ("5m : 2026-01-05T10:00 .. 2026-01-05T10:30", "2026-01-05T10:00", "2026-01-05T10:30", 6),
        ("2026-01-05T10:00:00.000Z..2026-01-05T12:00Z", "2026-01-05T10:00", "2026-01-05T12:00", 2),
        (
            "2026-01-05T10:00+05:30..2026-01-05T12:00+05:30",
            "2026-01-05T04:30",
            "2026-01-05T06:30",
            3,
        ),
        ("2026-01-05T10:00 0530..2026-01-05T11:00-0030", "2026-01-05T04:30", "2026-01-05T11:30", 8),
        ("2026-01-05T12:00..2026-01-06", "2026-01-05T12:00", "2026-01-07T00:00", 36),
        ("2026-01-05..2026-01-05T12:00", "2026-01-05T00:00", "2026-01-05T12:00", 12),
        ("2026-01-01T00:00..2026-01-11T00:00", "2026-01-01T00:00", "2026-01-11T00:00", 10),
    ],
)
def test_a_period_has_the_edges_its_text_says(
    period: str, first: str, last: str, points: int
) -> None:
    edges = edges_of(period)
    assert (utc(edges[0]), utc(edges[-1]), len(edges) - 1) == (first, last, points)


@pytest.mark.parametrize(
    ("zone", "now", "period", "first", "last", "points"),
    [
        # days of 23 and 25 hours
        (NEW_YORK, "2026-03-08T20:00", "today", "2026-03-08T05:00", "2026-03-08T21:00", 16),
        (NEW_YORK, "2026-03-09T20:00", "yesterday", "2026-03-08T05:00", "2026-03-09T04:00", 23),
        (NEW_YORK, "2026-11-02T20:00", "yesterday", "2026-11-01T04:00", "2026-11-02T05:00", 25),
        (BERLIN, "2026-03-30T08:00", "yesterday", "2026-03-28T23:00", "2026-03-29T22:00", 23),
        (BERLIN, "2026-10-26T08:00", "yesterday", "2026-10-24T22:00", "2026-10-25T23:00", 25),
        (BERLIN, "2026-10-25T23:30", "1h:1d", "2026-10-24T23:00", "2026-10-26T00:00", 25),
        (BERLIN, "2026-10-25T23:30", "1h:24h", "2026-10-25T00:00", "2026-10-26T00:00", 24),
        (BERLIN, "2026-10-25T12:00", "1d:24h", "2026-10-24T22:00", "2026-10-25T23:00", 1),
        (BERLIN, "2026-03-29T12:00", "1d:24h", "2026-03-28T23:00", "2026-03-29T22:00", 1),
        (BERLIN, "2026-03-31T12:00", "1d:1w", "2026-03-24T23:00", "2026-03-31T22:00", 7),
        (BERLIN, "2026-10-31T12:00", "mtd", "2026-09-30T22:00", "2026-10-31T23:00", 31),
        (BERLIN, NOW_S, "2026-03-01..2026-03-31", "2026-02-28T23:00", "2026-03-31T22:00", 31),
        (NEW_YORK, "2026-03-09T12:00", "wtd", "2026-03-09T04:00", "2026-03-10T04:00", 1),
        (NEW_YORK, "2026-03-09T03:00", "wtd", "2026-03-02T05:00", "2026-03-09T04:00", 7),
        (KATHMANDU, "2026-01-21T12:34", "1d:1w", "2026-01-14T18:15", "2026-01-21T18:15", 7),
        # months clamp to their end
        (UTC, "2026-03-31T09:00", "1d:1mo", "2026-03-01T00:00", "2026-04-01T00:00", 31),
        (UTC, "2026-03-30T09:00", "1d:1mo", "2026-02-28T00:00", "2026-03-31T00:00", 31),
        (UTC, "2024-02-29T09:00", "1d:1y", "2023-03-01T00:00", "2024-03-01T00:00", 366),
        # times of the zone's clock, one of them skipped and one shown twice
        (
            BERLIN,
            NOW_S,
            "2026-03-29T01:00..2026-03-29T03:00",
            *("2026-03-29T00:00", "2026-03-29T01:00"),
            1,
        ),
        (
            BERLIN,
            NOW_S,
            "2026-10-25T02:00..2026-10-25T03:00",
            *("2026-10-25T00:00", "2026-10-25T02:00"),
            2,
        ),
        (
            BERLIN,
            NOW_S,
            "2026-10-25T00:00Z..2026-10-25T01:00Z",
            *("2026-10-25T00:00", "2026-10-25T01:00"),
            1,
        ),
        # a date that was skipped is no bucket
        (APIA, "2011-12-31T12:00", "1d:1w", "2011-12-26T10:00", "2012-01-01T10:00", 6),
        (APIA, "2011-12-30T12:00", "yesterday", "2011-12-29T10:00", "2011-12-30T10:00", 24),
        (APIA, "2011-12-30T09:30", "1h:1d", "2011-12-29T10:00", "2011-12-30T10:00", 24),
        (APIA, NOW_S, "1d:2011-12-29..2011-12-31", "2011-12-29T10:00", "2011-12-31T10:00", 2),
    ],
)
def test_edges_are_those_of_the_zones_calendar(
    zone: Grid, now: str | int, period: str, first: str, last: str, points: int
) -> None:
    edges = edges_of(period, zone, now if isinstance(now, int) else at(now))
    assert (utc(edges[0]), utc(edges[-1]), len(edges) - 1) == (first, last, points)


def test_buckets_that_stick_out_of_the_dates_asked_are_cut_there() -> None:
    assert [utc(edge_s) for edge_s in edges_of("1mo:2026-01-15..2026-03-10")] == [
        "2026-01-15T00:00",
        "2026-02-01T00:00",
        "2026-03-01T00:00",
        "2026-03-11T00:00",
    ]


@given(
    zones,
    st.sampled_from(
        [
            *("5m:1h", "1h:1d", "7h:3d", "1h:24h", "1d:1mo", "2d:1mo", "1w:1y", "1mo:1y", "1y:9y"),
            *("hour", "day", "seven", "thirty", "year", "today", "wtd", "mtd", "ytd"),
        ]
    ),
    instants,
    st.floats(0, 1, exclude_max=True),
)
@settings(max_examples=300, deadline=None)
def test_edges_rise_hold_now_last_and_stay_the_same_within_a_bucket(
    grid: Grid, text: str, now_s: int, share: float
) -> None:
    edges = edges_of(text, grid, now_s)
    assert all(early < late for early, late in pairwise(edges))
    assert edges[-2] <= now_s < edges[-1]
    another_s = edges[-2] + int(share * (edges[-1] - edges[-2]))
    assert edges_of(text, grid, another_s) == edges


def test_everything_ever_has_no_edges() -> None:
    assert Period.parse("all").is_all
    assert not Period.parse("1d:1mo").is_all
    with pytest.raises(ValueError, match="is_all"):
        Period.parse("all").edges(UTC, NOW_S)


@pytest.mark.parametrize("text", [DEFAULT, *DEFAULT_TOTALS, *NICKNAMES])
def test_the_tables_hold_periods_that_can_be_read(text: str) -> None:
    assert Period.parse(text).text == text


@pytest.mark.parametrize(
    ("text", "kept", "zone"),
    [
        (" 1d:1mo ", "1d:1mo", None),
        ("mtd|-500", "mtd|-500", "-05:00"),
        ("1h:1d|+0530", "1h:1d|+0530", "+05:30"),
        ("01/01/2026-01/31/2026|0", "01/01/2026-01/31/2026|0", "UTC"),
    ],
)
def test_a_period_keeps_its_text_and_the_zone_that_it_ends_with(
    text: str, kept: str, zone: str | None
) -> None:
    period = Period.parse(text)
    assert period.text == kept
    assert (period.zone_suffix.name if period.zone_suffix else None) == zone


@pytest.mark.parametrize("text", ["24h", "monthly", "hourly", "daily", "weekly", "yearly", "1mo"])
def test_a_length_or_a_word_alone_is_an_error_that_lists_the_forms_and_not_zero(text: str) -> None:
    with pytest.raises(BadInput, match=r"^period: got .*1d:1mo.*today yesterday.*2026-01-31"):
        Period.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "interval:length"),
        (None, "interval:length"),
        (7, "interval:length"),
        ("x" * 10_000, "interval:length"),
        ("1d", "interval:length"),
        ("Today", "interval:length"),
        ("1d:1h", "a length of at least the interval"),
        ("1mo:4w", "a length of at least the interval"),
        ("1d:", "a number and a unit"),
        (":1d", "a number and a unit"),
        ("1h:1d:1w", "a number and a unit"),
        ("5x:1h", "a number and a unit"),
        ("0m:1h", "a number and a unit"),
        ("1d:all", "a number and a unit"),
        ("1h:today", "a number and a unit"),
        ("36h:1mo", "of at most 24h"),
        ("101y:200y", "up to 100 years"),
        ("mtd|", "an offset from UTC"),
        ("mtd|Europe/Berlin", "an offset from UTC"),
        ("mtd|-500|-500", "an offset from UTC"),
        # dates
        ("02/30/2026-03/01/2026", "dates that exist"),
        ("13/01/2026-12/31/2026", "dates that exist"),
        ("2026-02-29..2026-03-01", "dates that exist"),
        ("0000-01-01..2026-01-01", "dates that exist"),
        ("01/31/2026-01/01/2026", "dates in order"),
        ("2026-01-02..2026-01-01", "dates in order"),
        ("1899-12-31..2026-01-01", "between the years 1900 and 2200"),
        ("2026-01-01..2201-01-01", "between the years 1900 and 2200"),
        ("01/01/0001-12/30/9999", "between the years 1900 and 2200"),
        ("1/1/0001-12/30/9999", "between the years 1900 and 2200"),
        ("2026-01-01-2026-01-31", "interval:length"),
        ("2026-01-01..", "interval:length"),
        ("2026-1-1..2026-1-31", "interval:length"),
        ("5m:2026-1-1..2026-1-31", "interval:length"),
        ("2026-01-05T10..2026-01-05T12", "2026-01-01T10:00"),
        ("2026-01-05T25:00..2026-01-06T12:00", "times, such as"),
        ("2026-01-05T10:00..2026-01-05T10:00", "later than the first"),
        ("2026-01-05T10:00..2026-01-05T09:00", "in order"),
        ("2026-01-05T10:00Z..2026-01-05T12:00", "at both ends, or at neither"),
        ("2026-01-05Z..2026-01-06Z", "times, such as"),
        ("2026-01-05T10:00:00.5..2026-01-05T12:00", "interval:length"),
        ("1week", "1d:1w for example"),
        ("7 days", "1h:7d for example"),
        ("24h", "1m:24h for example"),
        ("month", "1d:1mo for example"),
    ],
)
def test_anything_else_is_not_a_period(text: str, expected: str) -> None:
    with pytest.raises(BadInput, match=rf"^when: got .*{expected}"):
        Period.parse(text, "when")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1s:1d", "at most 10000 points"),
        ("1m:100000m", "at most 10000 points"),
        ("1s:1900-01-01..2200-12-31", "at most 10000 points"),
        ("1m:100000y", "between the years 1900 and 2200"),
        ("1y:100000w", "between the years 1900 and 2200"),
        ("1y:140y", "between the years 1900 and 2200"),
        ("7y:130y", "between the years 1900 and 2200"),
    ],
)
def test_a_period_too_long_to_draw_is_refused_quickly(text: str, expected: str) -> None:
    with pytest.raises(BadInput, match=rf"^when: got '{re.escape(text)}'; .*{expected}"):
        Period.parse(text).edges(UTC, NOW_S, parameter="when")


def test_as_many_points_as_are_allowed_are_given() -> None:
    period = Period.parse("1mo:6y")
    assert len(period.edges(UTC, NOW_S, max_points=72)) == 73
    with pytest.raises(BadInput, match="at most 71 points"):
        period.edges(UTC, NOW_S, max_points=71)


def test_a_range_of_a_skipped_date_alone_is_bad_input() -> None:
    with pytest.raises(BadInput, match="dates that exist in Pacific/Apia"):
        edges_of("2011-12-30..2011-12-30", APIA)


@given(
    st.one_of(
        st.text(max_size=70),
        st.from_regex(r"[0-9]{0,7}(s|m|h|d|w|mo|y):[0-9]{0,7}(s|m|h|d|w|mo|y)", fullmatch=True),
        st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\.\.[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True),
    ),
    zones,
)
@settings(max_examples=200, deadline=None)
def test_any_text_has_edges_or_is_bad_input(text: str, grid: Grid) -> None:
    found: object
    try:
        found = edges_of(text, grid) if text != "all" else ()
    except BadInput as error:
        found = error
    assert isinstance(found, tuple | BadInput)
