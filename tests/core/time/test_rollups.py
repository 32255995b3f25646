"""Rollups: how they are written, and where their buckets are filed."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice

import pytest
from hypothesis import given, settings

from hailwhale.core.time.calendar_grid import UTC, Grid, Interval, parse_zone
from hailwhale.core.time.rollups import (
    ALL,
    DEFAULT_ROLLUPS,
    Chunk,
    Rollup,
    chunk_of,
    parse_rollups,
)
from hailwhale.errors import BadInput
from tests.core.instants import at, buckets, instants, utc, zones

HOUR_S, DAY_S = 3_600, 86_400


@pytest.mark.parametrize(
    ("text", "name", "spec", "retention_s"),
    [
        ("1m:2h", "1m", "1m:2h", 2 * HOUR_S),
        (" 1h : 35d ", "1h", "1h:35d", 35 * DAY_S + 2 * HOUR_S),
        ("1d:1w", "1d", "1d:1w", 7 * DAY_S + 2 * HOUR_S),
        ("1d:1mo", "1d", "1d:1mo", 31 * DAY_S + 2 * HOUR_S),
        ("1d:3y", "1d", "1d:3y", 3 * 366 * DAY_S + 2 * HOUR_S),
        ("60m:48h", "1h", "1h:48h", 48 * HOUR_S),
        ("24h:1y", "1d", "1d:1y", 366 * DAY_S + 2 * HOUR_S),
        ("1y:12mo", "1y", "1y:12mo", 12 * 31 * DAY_S + 2 * HOUR_S),
        (" all ", "all", "all", None),
    ],
)
def test_a_rollup_has_a_name_a_text_and_a_retention(
    text: str, name: str, spec: str, retention_s: int | None
) -> None:
    rollup = Rollup.parse(text)
    assert (rollup.name, rollup.spec, rollup.retention_s) == (name, spec, retention_s)
    assert Rollup.parse(rollup.spec) == rollup


@pytest.mark.parametrize(
    "text",
    [
        *("", "1m", ":", "1m:", ":2h", "1m:2h:3d", "all:1d", "1m:all", "ALL", "0m:1h", "1x:1h"),
        *(
            "1h:1m",
            "1d:23h",
            "1mo:29d",
            "36h:1mo",
            "100y:100y",
            "1200mo:100y",
            "1m:100001d",
            None,
            5,
            b"1m:2h",
        ),
    ],
)
def test_anything_else_is_not_a_rollup(text: str) -> None:
    with pytest.raises(BadInput, match=r"^HAILWHALE_ROLLUPS: got "):
        Rollup.parse(text, "HAILWHALE_ROLLUPS")


@pytest.mark.parametrize(
    ("given_as", "specs"),
    [
        ("1m:2h,1h:35d,1d:3y,all", ["1m:2h", "1h:35d", "1d:3y", "all"]),
        ("all 1d:3y 1m:2h", ["1m:2h", "1d:3y", "all"]),
        ("1d:3y,\n 60m:35d", ["1h:35d", "1d:3y", "all"]),
        (["1h:35d", "1m:2h"], ["1m:2h", "1h:35d", "all"]),
        (("7d:1y", "1w:1y"), ["1w:1y", "7d:1y", "all"]),
        ("all", ["all"]),
    ],
)
def test_a_set_of_rollups_is_finest_first_and_always_ends_with_all(
    given_as: str | list[str], specs: list[str]
) -> None:
    assert [rollup.spec for rollup in parse_rollups(given_as)] == specs


def test_the_default_rollups_read_back_as_themselves() -> None:
    assert parse_rollups("1m:2h, 1h:35d, 1d:3y, all") == DEFAULT_ROLLUPS


@pytest.mark.parametrize(
    "given_as",
    [
        *("", " , ", "1m:2h,1m:3h", "1h:2d 60m:2d", "24h:1y 1d:1y", "1y:3y 12mo:3y", "all all"),
        *("1m:2h;1h:35d", [], [1], [None], {"1m": "2h"}, None, 5),
        " ".join(f"{count}m:1d" for count in range(1, 18)),
    ],
)
def test_a_set_that_cannot_be_is_bad_input(given_as: str) -> None:
    with pytest.raises(BadInput, match=r"^rollups: got "):
        parse_rollups(given_as)


@pytest.mark.parametrize(
    ("zone", "rollup", "bucket", "start", "end", "index"),
    [
        ("UTC", "10s:1h", "2026-01-01T12:34", "2026-01-01T12:34", "2026-01-01T12:35", 0),
        ("UTC", "1m:2h", "2026-01-01T12:34", "2026-01-01T12:00", "2026-01-01T13:00", 34),
        ("UTC", "90s:2h", "2026-01-01T12:33", "2026-01-01T12:00", "2026-01-01T13:00", 22),
        ("UTC", "1h:35d", "2026-01-01T12:00", "2026-01-01T00:00", "2026-01-02T00:00", 12),
        ("UTC", "90m:35d", "2026-01-01T12:00", "2026-01-01T00:00", "2026-01-02T00:00", 8),
        ("UTC", "1d:3y", "2026-01-31T00:00", "2026-01-01T00:00", "2026-02-01T00:00", 30),
        ("UTC", "1mo:3y", "2026-12-01T00:00", "2026-01-01T00:00", "2027-01-01T00:00", 11),
        ("UTC", "2mo:3y", "2026-11-01T00:00", "2026-01-01T00:00", "2027-01-01T00:00", 5),
        ("UTC", "1y:9y", "2026-01-01T00:00", "2000-01-01T00:00", "2100-01-01T00:00", 26),
        ("UTC", "7y:9y", "2023-01-01T00:00", "2000-01-01T00:00", "2100-01-01T00:00", 4),
        ("UTC", "18mo:9y", "2026-07-01T00:00", "2000-01-01T00:00", "2100-01-01T00:00", 18),
        # a bucket is filed where it begins, and its chunk lasts until its last bucket ends
        ("UTC", "7m:2h", "2026-01-01T11:54", "2026-01-01T11:00", "2026-01-01T12:01", 7),
        ("UTC", "1w:1y", "2025-12-29T00:00", "2025-01-01T00:00", "2026-01-05T00:00", 52),
        ("UTC", "1w:1y", "2026-01-05T00:00", "2026-01-01T00:00", "2027-01-04T00:00", 1),
        ("UTC", "7d:1y", "2026-01-29T00:00", "2026-01-01T00:00", "2026-02-05T00:00", 4),
        # days of 25 and 23 hours
        ("Europe/Berlin", "1h:35d", "2026-10-25T22:00", "2026-10-24T22:00", "2026-10-25T23:00", 24),
        ("Europe/Berlin", "1h:35d", "2026-03-29T21:00", "2026-03-28T23:00", "2026-03-29T22:00", 22),
        ("Europe/Berlin", "1d:3y", "2026-03-30T22:00", "2026-02-28T23:00", "2026-03-31T22:00", 30),
        ("Asia/Kathmandu", "1m:2h", "2026-01-01T12:15", "2026-01-01T12:15", "2026-01-01T13:15", 0),
        # the 30th was skipped: its number stays free
        ("Pacific/Apia", "1d:3y", "2011-12-29T10:00", "2011-12-01T10:00", "2011-12-31T10:00", 28),
        ("Pacific/Apia", "1d:3y", "2011-12-30T10:00", "2011-12-01T10:00", "2011-12-31T10:00", 30),
    ],
)
def test_a_bucket_is_filed_in_the_chunk_that_holds_its_start(
    zone: str, rollup: str, bucket: str, start: str, end: str, index: int
) -> None:
    grid, kept = parse_zone(zone), Rollup.parse(rollup)
    start_s = grid.floor(at(bucket), kept.interval or Interval(1, "s"))
    chunk = chunk_of(grid, kept, start_s)
    assert utc(start_s) == bucket
    assert (utc(chunk.start_s), utc(chunk.end_s or 0), chunk.index) == (start, end, index)


def test_everything_ever_is_filed_in_one_chunk_without_an_end() -> None:
    assert chunk_of(UTC, ALL, 1_767_225_600) == Chunk(0, None, 0)


@given(zones, buckets, instants)
@settings(max_examples=150, deadline=None)
def test_every_bucket_has_a_place_of_its_own_in_its_chunk(
    grid: Grid, interval: Interval, at_s: int
) -> None:
    rollup = Rollup(interval.bucket(), Interval(100, "y"))
    taken = defaultdict[int, set[int]](set)
    first_s = grid.floor(at_s, interval)
    for start_s in islice(grid.starts(first_s, at("2190-01-01T00:00"), interval), 80):
        chunk = chunk_of(grid, rollup, start_s)
        assert chunk.end_s is not None
        assert chunk.start_s <= start_s < grid.next(start_s, interval) <= chunk.end_s
        assert 0 <= chunk.index < 256
        assert chunk.index not in taken[chunk.start_s]
        taken[chunk.start_s].add(chunk.index)
