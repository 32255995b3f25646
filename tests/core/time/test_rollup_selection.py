"""Which stored rollup answers a period, from which of its buckets, and what is said if none can."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.time.calendar_grid import DAY_S, UTC, Grid, Interval, parse_zone
from hailwhale.core.time.period import Period
from hailwhale.core.time.rollup_selection import select_rollup, stored_buckets
from hailwhale.core.time.rollups import ALL, DEFAULT_ROLLUPS, Rollup, parse_rollups
from hailwhale.errors import BadInput
from tests.core.instants import at, instants, utc, zones

NOW_S = at("2026-01-21T12:34")
NEW_YORK, BERLIN = parse_zone("America/New_York"), parse_zone("Europe/Berlin")
KOLKATA, KATHMANDU = parse_zone("Asia/Kolkata"), parse_zone("Asia/Kathmandu")


def serve(
    text: str, zone: Grid = UTC, store: Grid = UTC, rollups: str = "1m:2h 1h:35d 1d:3y"
) -> Rollup:
    edges = Period.parse(text).edges(zone, NOW_S)
    return select_rollup(edges, parse_rollups(rollups), store, NOW_S, asked=text)


@pytest.mark.parametrize(
    ("period", "name"),
    [
        *[("1m:1h", "1m"), ("5m:1h", "1m"), ("1m:2h", "1m"), ("hour", "1m"), ("1h:1h", "1h")],
        *[("1h:1d", "1h"), ("6h:1w", "1h"), ("1h:35d", "1h"), ("day", "1h"), ("today", "1h")],
        *[("yesterday", "1h"), ("1d:1w", "1d"), ("1d:1mo", "1d"), ("1d:1y", "1d"), ("ytd", "1d")],
        *[("1d:3y", "1d"), ("1w:1y", "1d"), ("1mo:1y", "1d"), ("1y:3y", "1d"), ("mtd", "1d")],
        *[("2025-06-01..2025-06-30", "1d"), ("1mo:2025-01-15..2025-12-24", "1d")],
        *[("2027-01-01..2027-01-31", "1d"), ("1h:2026-01-01..2026-01-07", "1h")],
    ],
)
def test_the_coarsest_rollup_that_has_every_edge_and_keeps_the_first_bucket_answers(
    period: str, name: str
) -> None:
    assert serve(period).name == name


@pytest.mark.parametrize(
    ("period", "asked_in", "stored_in", "rollups", "name"),
    [
        ("1d:1w", NEW_YORK, UTC, "1m:2h 1h:35d 1d:3y", "1h"),
        ("1d:1mo", UTC, BERLIN, "1m:2h 1h:35d 1d:3y", "1h"),
        ("1d:1mo", BERLIN, BERLIN, "1m:2h 1h:35d 1d:3y", "1d"),
        ("1h:1d", KOLKATA, KOLKATA, "1m:2h 1h:35d 1d:3y", "1h"),
        ("1d:1w", KOLKATA, UTC, "1m:8d 1h:35d 1d:3y", "1m"),
        ("1d:1w", KOLKATA, UTC, "1m:8d 30m:35d 1h:35d", "30m"),
        ("1d:1w", KATHMANDU, KOLKATA, "15m:8d 30m:35d 1h:35d", "15m"),
        ("1mo:6mo", NEW_YORK, UTC, "1h:1y 1d:3y 1mo:9y", "1h"),
        ("1y:3y", UTC, UTC, "1d:3y 1w:3y 1mo:9y 1y:9y", "1y"),
        ("1mo:1y", UTC, UTC, "1d:3y 1w:3y 1y:9y", "1d"),
        ("1w:6mo", UTC, UTC, "1d:3y 1w:3y 1mo:9y", "1w"),
        ("1mo:10y", UTC, UTC, "1d:3y 1mo:15y", "1mo"),
        # a fixed offset, as the original's suffix gives
        ("mtd|-500", parse_zone("Etc/GMT+5"), UTC, "1h:35d 1d:3y", "1h"),
    ],
)
def test_another_zone_is_answered_from_buckets_fine_enough_for_its_days(
    period: str, asked_in: Grid, stored_in: Grid, rollups: str, name: str
) -> None:
    assert serve(period, asked_in, stored_in, rollups).name == name


@pytest.mark.parametrize(
    ("period", "asked_in", "rollups", "said"),
    [
        (
            "5m:1w",
            UTC,
            "1m:2h 1h:35d 1d:3y",
            "it needs a rollup of 5m kept for 7d (HAILWHALE_ROLLUPS); "
            "the 1m buckets are kept for only 2h",
        ),
        (
            "1d:1y",
            NEW_YORK,
            "1m:2h 1h:35d 1d:3y",
            "it needs a rollup of 30m kept for 365d (HAILWHALE_ROLLUPS); "
            "the 1h buckets are kept for only 35d",
        ),
        (
            "1d:1w",
            KATHMANDU,
            "1h:35d 1d:3y",
            "it needs a rollup of 15m kept for 7d (HAILWHALE_ROLLUPS)",
        ),
        (
            "1m:1h",
            UTC,
            "1h:35d 1d:3y",
            "it needs a rollup of 1m kept for 1h (HAILWHALE_ROLLUPS)",
        ),
        (
            "1mo:10y",
            UTC,
            "1d:3y",
            "it needs a rollup of 1mo kept for 10y (HAILWHALE_ROLLUPS); "
            "the 1d buckets are kept for only 3y",
        ),
        (
            "1999-01-01..1999-01-31",
            UTC,
            "1m:2h 1d:3y",
            "it needs a rollup of 12h kept for 28y (HAILWHALE_ROLLUPS); "
            "the 1d buckets are kept for only 3y",
        ),
        ("1d:1mo", UTC, "all", "it needs a rollup of 1d kept for 31d (HAILWHALE_ROLLUPS)"),
        (
            "7m:3h",
            UTC,
            "1m:2h 1h:35d",
            "it needs a rollup of 7m kept for 3h (HAILWHALE_ROLLUPS); "
            "the 1m buckets are kept for only 2h",
        ),
        (
            "1h:2026-01-20T10:20..2026-01-20T11:00",
            UTC,
            "1m:2h 1h:35d",
            "it needs a rollup of 20m kept for 27h (HAILWHALE_ROLLUPS); "
            "the 1m buckets are kept for only 2h",
        ),
        ("3d:9d", UTC, "all", "it needs a rollup of 3d kept for 9d (HAILWHALE_ROLLUPS)"),
    ],
)
def test_a_period_that_no_rollup_answers_is_refused_with_the_rollup_to_add(
    period: str, asked_in: Grid, rollups: str, said: str
) -> None:
    with pytest.raises(BadInput) as refused:
        serve(period, asked_in, UTC, rollups)
    expected = f"a period that the stored rollups can serve: {said}"
    assert str(refused.value) == f"period: got {period!r}; expected {expected}"


WIDTHS = [
    Interval(count, unit)
    for unit, most in (("s", 59), ("m", 59), ("h", 23), ("d", 40), ("w", 9), ("mo", 30), ("y", 12))
    for count in range(1, most + 1)
]


@given(
    st.sampled_from(
        [
            *("7m:3h", "1h:1d", "5h:3d", "90s:1h", "2d:1mo", "3w:1y", "5mo:3y", "2y:20y", "wtd"),
            *("2026-01-20T10:20..2026-01-20T11:00", "7h:2026-01-20..2026-01-21", "mtd", "today"),
        ]
    ),
    zones,
    zones,
)
@settings(deadline=None)
def test_the_rollup_to_add_has_the_widest_buckets_that_would_do(
    text: str, asked_in: Grid, stored_in: Grid
) -> None:
    try:
        edges = Period.parse(text).edges(asked_in, NOW_S)
        with pytest.raises(BadInput) as refused:
            serve(text, asked_in, stored_in, "all")
    except BadInput:
        return  # a date that the zone skipped
    found = re.search(r"it needs a rollup of (\w+) kept for (\w+)", str(refused.value))
    assert found, refused.value
    advised = Interval.parse(found[1])
    assert serve(text, asked_in, stored_in, f"{found[1]}:{found[2]} all").name == found[1]
    for width in WIDTHS:
        if width.nominal_s > advised.nominal_s and 0 in (
            width.nominal_s % DAY_S,
            DAY_S % width.nominal_s,
        ):
            assert any(stored_in.floor(edge_s, width) != edge_s for edge_s in edges), width


def test_seconds_that_are_not_kept_are_refused_even_when_nothing_finer_could_be_added() -> None:
    with pytest.raises(BadInput, match="a rollup of 1s kept for 2h"):
        serve("1s:2h", rollups="1s:1h")


@pytest.mark.parametrize(
    ("since", "name"),
    [
        ({}, "1d"),
        ({"1d": at("2026-01-14T00:00")}, "1d"),
        ({"1d": at("2026-01-15T00:00")}, "1d"),
        ({"1d": at("2026-01-15T00:01")}, "1h"),
        ({"1h": NOW_S, "1m": NOW_S}, "1d"),
    ],
)
def test_a_rollup_that_was_added_later_answers_only_what_it_has_seen_whole(
    since: dict[str, int], name: str
) -> None:
    edges = Period.parse("1d:1w").edges(UTC, NOW_S)
    assert select_rollup(edges, DEFAULT_ROLLUPS, UTC, NOW_S, since).name == name


def test_a_period_before_its_rollup_was_added_is_refused_with_the_date() -> None:
    edges = Period.parse("1h:1w").edges(UTC, NOW_S)
    since = {"1h": at("2026-01-20T00:00"), "1d": NOW_S}
    with pytest.raises(BadInput) as refused:
        select_rollup(edges, DEFAULT_ROLLUPS, UTC, NOW_S, since, parameter="when")
    assert str(refused.value) == (
        "when: got '2026-01-14T13:00Z..2026-01-21T13:00Z'; expected "
        "a period that begins after 2026-01-20T00:00Z, when its 1h buckets began"
    )


@given(
    zones,
    zones,
    st.sampled_from(["5m:1h", "1h:1d", "1h:1w", "7h:3d", "1d:1mo", "mtd", "1w:6mo", "1mo:3y"]),
    instants,
)
@settings(max_examples=150, deadline=None)
def test_a_period_is_composed_exactly_or_the_rollup_named_would_compose_it(
    asked_in: Grid, stored_in: Grid, text: str, now_s: int
) -> None:
    edges = Period.parse(text).edges(asked_in, now_s)
    rollups = DEFAULT_ROLLUPS
    try:
        rollup = select_rollup(edges, rollups, stored_in, now_s)
    except BadInput as error:
        [named] = re.findall(r"a rollup of (\w+) kept for (\w+) ", error.message)
        advised = Rollup.parse(":".join(named))
        rollup = select_rollup(edges, (*rollups, advised), stored_in, now_s)
        assert rollup == advised
    assert rollup.interval is not None
    if (edges[-1] - edges[0]) // rollup.interval.nominal_s < 50_000:
        starts = stored_buckets(edges, rollup, stored_in)
        ends = [stored_in.next(start_s, rollup.interval) for start_s in starts]
        assert set(edges) <= {*starts, ends[-1]}
        assert starts[0] == edges[0]
        assert ends == [*starts[1:], edges[-1]]


@pytest.mark.parametrize(
    ("period", "rollup", "count", "second"),
    [
        ("1d:1mo", "1d:3y", 31, "2025-12-23T00:00"),
        ("1d:1mo", "1h:35d", 744, "2025-12-22T01:00"),
        ("5m:1h", "1m:2h", 60, "2026-01-21T11:36"),
        ("1mo:3y", "1d:3y", 1_096, "2023-02-02T00:00"),
    ],
)
def test_the_stored_buckets_of_a_period_are_those_between_its_edges(
    period: str, rollup: str, count: int, second: str
) -> None:
    edges = Period.parse(period).edges(UTC, NOW_S)
    found = stored_buckets(edges, Rollup.parse(rollup), UTC)
    assert (len(found), found[0], utc(found[1])) == (count, edges[0], second)
    assert all(early < late for early, late in pairwise(found))
    assert found[-1] < edges[-1]


def test_more_stored_buckets_than_can_be_read_are_refused() -> None:
    edges = (at("2026-01-01T00:00"), at("2026-02-11T16:00"))
    assert len(stored_buckets(edges, Rollup.parse("1m:3mo"), UTC)) == 60_000
    with pytest.raises(BadInput, match="at most 60000 stored buckets"):
        stored_buckets((edges[0], edges[1] + 60), Rollup.parse("1m:3mo"), UTC)


def test_everything_ever_has_no_buckets_to_fold() -> None:
    with pytest.raises(ValueError, match="no buckets to fold"):
        stored_buckets((0, 86_400), ALL, UTC)


def test_a_rollup_of_the_stores_own_days_answers_only_that_zones_days() -> None:
    days = (Rollup(Interval(1, "d"), Interval(3, "y")), ALL)
    edges = Period.parse("1d:1w").edges(BERLIN, NOW_S)
    assert select_rollup(edges, days, BERLIN, NOW_S).name == "1d"
    with pytest.raises(BadInput, match="a rollup of 1h kept for 7d"):
        select_rollup(edges, days, UTC, NOW_S)
