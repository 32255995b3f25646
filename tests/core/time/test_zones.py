"""Time zones: how they are named, and what holds for buckets in every one of them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.time.calendar_grid import Grid, Interval, parse_tzoffset, parse_zone
from hailwhale.errors import BadInput
from tests.core.instants import buckets, instants, zones


@given(zones, buckets, instants)
@settings(max_examples=400, deadline=None)
def test_every_instant_lies_in_its_bucket(grid: Grid, interval: Interval, at_s: int) -> None:
    start_s = grid.floor(at_s, interval)
    end_s = grid.next(start_s, interval)
    assert start_s <= at_s < end_s
    assert grid.floor(start_s, interval) == start_s
    assert grid.floor(end_s - 1, interval) == start_s
    assert grid.floor(end_s, interval) == end_s


@given(zones, st.sampled_from(("7m", "1h", "5h")).map(Interval.parse), instants)
@settings(max_examples=50, deadline=None)
def test_sub_day_buckets_fill_their_day_exactly(grid: Grid, interval: Interval, at_s: int) -> None:
    day_s = grid.floor(at_s, Interval(1, "d"))
    end_s = grid.next(day_s, Interval(1, "d"))
    edges = [*grid.starts(day_s, end_s, interval), end_s]
    widths = {end - start for start, end in pairwise(edges[:-1])}
    assert edges[0] == day_s
    assert widths <= {interval.nominal_s}
    assert 0 < edges[-1] - edges[-2] <= interval.nominal_s


@given(zones, buckets.filter(lambda interval: interval.canonical.unit not in "smh"), instants)
@settings(max_examples=100, deadline=None)
def test_later_buckets_have_larger_numbers(grid: Grid, interval: Interval, at_s: int) -> None:
    start_s = grid.floor(at_s, interval)
    end_s = grid.next(start_s, interval)
    assert grid.serial(start_s, interval) == grid.serial(at_s, interval)
    assert grid.serial(end_s - 1, interval) < grid.serial(end_s, interval)


@given(zones, buckets, instants)
@settings(max_examples=200, deadline=None)
def test_a_step_back_is_never_a_step_forward(grid: Grid, length: Interval, edge_s: int) -> None:
    assert grid.back(edge_s, length) < edge_s


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("UTC", "UTC"),
        ("Etc/UTC", "UTC"),
        ("Zulu", "UTC"),
        (" Europe/Berlin ", "Europe/Berlin"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("EST5EDT", "EST5EDT"),
    ],
)
def test_a_zone_is_known_by_its_name(text: str, name: str) -> None:
    assert parse_zone(text).name == name
    assert parse_zone(text) == parse_zone(name)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ".", "..", "../etc/passwd", "/etc/localtime", "Europe/../UTC", "Europe//Berlin"),
        *("Europe/", "America", "Nowhere/City", "europe\\berlin", "Europe/Berlin\0", "UTC\nUTC"),
        *("posix/UTC", "right/UTC", "localtime", "posixrules", "Factory", "leapseconds"),
        *("__init__", "tzdata.zi", "A" * 5_000, "A/" * 30 + "B", "+05:30", "\ud800"),
        *("Ünter/Wasser", None, 5),
    ],
)
def test_anything_else_is_not_a_zone(text: str) -> None:
    with pytest.raises(BadInput, match=r"^zone: got "):
        parse_zone(text, "zone")


@given(st.text(max_size=80), st.sampled_from((parse_zone, parse_tzoffset, Interval.parse)))
@settings(max_examples=100, deadline=None)
def test_any_text_is_read_or_is_bad_input(
    text: str, parse: Callable[[str], Grid | Interval]
) -> None:
    found: object
    try:
        found = parse(text)
    except BadInput as error:
        found = error
    assert isinstance(found, Grid | Interval | BadInput)


@pytest.mark.parametrize(
    ("text", "name", "offset_s"),
    [
        ("-0800", "-08:00", -28_800),
        ("-800", "-08:00", -28_800),
        ("+0530", "+05:30", 19_800),
        ("0530", "+05:30", 19_800),
        (" 0530", "+05:30", 19_800),
        ("+05:30", "+05:30", 19_800),
        ("-8:00", "-08:00", -28_800),
        ("330min", "+05:30", 19_800),
        ("-90min", "-01:30", -5_400),
        ("-500", "-05:00", -18_000),
        ("-2359", "-23:59", -86_340),
        ("0", "UTC", 0),
        ("-0000", "UTC", 0),
    ],
)
def test_an_offset_is_in_hours_and_minutes_or_in_minutes(
    text: str, name: str, offset_s: int
) -> None:
    grid = parse_tzoffset(text)
    assert grid.name == name
    assert grid.floor(0, Interval(1, "d")) == (-offset_s if offset_s >= 0 else -offset_s - 86_400)


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "--800", "2400", "-2400", "24:00", "0860", "08:60", "99999", "1.5", "٥٣٠"),
        *("530", "550", "-350", "501", "5", "-8", "30", "05", "330", "8:0", "1440min", "5h", "min"),
        *("UTC", "9" * 5_000, "-8 00", "+-5", None, 530),
    ],
)
def test_anything_else_or_with_two_readings_is_not_an_offset(text: str) -> None:
    with pytest.raises(BadInput, match=r"^tzoffset: got "):
        parse_tzoffset(text)
