"""What tests of time share: instants written in UTC, zones with odd clocks, and draws of both."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from hailwhale.core.time.calendar_grid import Interval, parse_zone

ZONES = (
    "UTC",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "America/Sao_Paulo",
    "Europe/Berlin",
    "Europe/London",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Africa/Casablanca",
    "Antarctica/Troll",
)
BUCKETS = (
    *("1s", "7s", "1m", "7m", "15m", "1h", "5h", "6h", "23h", "24h"),
    *("1d", "2d", "7d", "30d", "1w", "2w", "1mo", "5mo", "1y", "7y"),
)
# Near these, clocks were set in ways that buckets trip over.
CHANGES = (
    "2010-11-07T02:31",
    "2011-12-30T10:00",
    "1994-12-31T10:00",
    "2017-10-15T03:00",
    "2018-02-18T02:00",
    "2026-03-08T07:00",
    "2026-03-29T01:00",
    "2026-04-04T15:00",
    "2026-10-03T15:30",
    "2026-10-25T01:00",
    "2026-11-01T05:00",
    "2026-11-01T06:00",
)


def at(text: str) -> int:
    """The epoch second of an instant written in UTC."""
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp())


def utc(at_s: int) -> str:
    """An epoch second as the minute of UTC it lies in."""
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M}"


zones = st.sampled_from(ZONES).map(parse_zone)
buckets = st.sampled_from(BUCKETS).map(Interval.parse)
instants = st.one_of(
    st.integers(at("1910-01-01T00:00"), at("2190-01-01T00:00")),
    st.builds(
        lambda change, off_s: at(change) + off_s,
        st.sampled_from(CHANGES),
        st.integers(-100_000, 100_000),
    ),
)
