"""Retention: until when buckets are kept, and which chunks hold them."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hailwhale.core.time.calendar_grid import UTC, Grid, Interval
from hailwhale.core.time.retention import chunks_kept, retained, ttl_s
from hailwhale.core.time.rollups import ALL, Chunk, Rollup, chunk_of
from tests.core.instants import at, buckets, instants, utc, zones

HOUR_S, DAY_S = 3_600, 86_400


def test_everything_ever_is_kept_for_ever() -> None:
    assert ttl_s(ALL, Chunk(0, None, 0), now_s=1_767_225_600) is None
    assert retained(UTC, ALL, -(10**12), now_s=1_767_225_600)
    assert list(chunks_kept(UTC, ALL, now_s=1_767_225_600)) == [0]


@pytest.mark.parametrize(
    ("rollup", "now", "kept"),
    [
        ("1m:2h", "2026-01-01T14:34", True),
        ("1m:2h", "2026-01-01T14:35", False),
        ("1h:35d", "2026-02-05T14:59", True),
        ("1h:35d", "2026-02-05T15:00", False),
        ("1d:3y", "2029-01-04T01:59", True),
        ("1d:3y", "2029-01-04T02:00", False),
        ("1d:3y", "2020-01-01T00:00", True),
    ],
)
def test_a_bucket_is_kept_until_its_end_and_the_retention_are_past(
    rollup: str, now: str, kept: bool
) -> None:
    stored = Rollup.parse(rollup)
    start_s = UTC.floor(at("2026-01-01T12:34"), stored.interval or Interval(1, "s"))
    assert retained(UTC, stored, start_s, at(now)) is kept


@pytest.mark.parametrize(
    ("now", "left_s"),
    [
        ("2026-01-01T12:00", 3 * HOUR_S),
        ("2026-01-01T14:59", 60),
        ("2026-01-01T15:00", 1),
        ("2030-01-01T00:00", 1),
    ],
)
def test_a_chunk_lives_until_its_last_bucket_is_no_longer_kept(now: str, left_s: int) -> None:
    rollup = Rollup.parse("1m:2h")
    chunk = chunk_of(UTC, rollup, at("2026-01-01T12:00"))
    assert ttl_s(rollup, chunk, at(now)) == left_s


@given(
    zones,
    buckets,
    st.sampled_from(("1d", "3d", "1w", "1mo", "1y", "3y")).map(Interval.parse),
    instants,
)
@settings(max_examples=200, deadline=None)
def test_a_retention_is_never_shorter_than_the_calendar(
    grid: Grid, interval: Interval, retention: Interval, now_s: int
) -> None:
    skipping = ("Pacific/Apia", "Pacific/Kiritimati")
    assume(grid.name not in skipping)
    rollup = Rollup(interval.bucket(), retention)
    end_s = grid.next(grid.floor(now_s, interval), interval)
    first_s = grid.floor(grid.back(end_s, retention), interval)
    assert retained(grid, rollup, first_s, now_s)


@given(
    zones,
    st.sampled_from(("1m:2h", "7m:3h", "1h:3d", "1d:1mo", "1w:3mo", "5mo:3y")).map(Rollup.parse),
    instants,
    st.floats(0, 1),
)
@settings(max_examples=200, deadline=None)
def test_the_chunks_kept_are_those_of_every_bucket_that_is_kept(
    grid: Grid, rollup: Rollup, now_s: int, share: float
) -> None:
    assert rollup.interval is not None
    assert rollup.retention_s is not None
    event_s = round(now_s - rollup.retention_s + share * (rollup.retention_s + DAY_S))
    start_s = grid.floor(event_s, rollup.interval)
    assert retained(grid, rollup, start_s, now_s)
    assert chunk_of(grid, rollup, start_s).start_s in list(chunks_kept(grid, rollup, now_s))


@pytest.mark.parametrize(
    ("rollup", "starts"),
    [
        ("1d:1mo", ["2025-12-01T00:00", "2026-01-01T00:00"]),
        ("1h:1d", ["2026-01-14T00:00", "2026-01-15T00:00", "2026-01-16T00:00"]),
        ("1w:3mo", ["2025-01-01T00:00", "2026-01-01T00:00"]),
    ],
)
def test_the_chunks_kept_reach_from_the_oldest_kept_to_a_day_ahead(
    rollup: str, starts: list[str]
) -> None:
    found = chunks_kept(UTC, Rollup.parse(rollup), at("2026-01-15T12:00"))
    assert [utc(start_s) for start_s in found] == starts
