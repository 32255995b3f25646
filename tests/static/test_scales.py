"""Round numbers up the value axis, turns of the calendar along the time axis; as in the picture."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hailwhale.core.graph import axes
from hailwhale.core.time.calendar_grid import Grid, parse_zone
from hailwhale.core.time.period import Period
from tests.static.conftest import Js

NOW_S = 1_773_576_630  # Sunday 2026-03-15 12:10:30 UTC

RANGES = [
    (0, 87, 4, [0, 25, 50, 75, 100]),
    (0, 0, 4, [0, 0.25, 0.5, 0.75, 1]),
    (3, 9, 3, [0, 5, 10]),
    (-30, 40, 4, [-40, -20, 0, 20, 40]),
    (-5, -1, 2, [-5, -2.5, 0]),
    (0, 0.3, 3, [0, 0.1, 0.2, 0.3]),
    (0, 1_234_567, 5, [0, 250_000, 500_000, 750_000, 1_000_000, 1_250_000]),
    (0, 1e-7, 2, [0, 5e-8, 1e-7]),
]


@pytest.mark.parametrize(("least", "most", "count", "ticks"), RANGES)
def test_a_value_axis_has_round_ticks_that_cover_the_values_and_zero(
    js: Js, least: float, most: float, count: int, ticks: list[float]
) -> None:
    assert js("scales.nice", least, most, count)["ticks"] == pytest.approx(ticks)


@pytest.mark.parametrize(("least", "most", "count", "ticks"), RANGES)
def test_the_picture_has_the_same_ticks(
    least: float, most: float, count: int, ticks: list[float]
) -> None:
    assert axes.nice(least, most, count).ticks == pytest.approx(tuple(ticks))


PERIODS = [
    ("1m:1h", "UTC", 6, ["11:20", "11:30", "11:40", "11:50", "12:00", "12:10"]),
    ("1h:1d", "UTC", 5, ["18:00", "03-15", "06:00", "12:00"]),
    ("1d:1w", "UTC", 8, [f"03-{day:02}" for day in range(9, 16)]),
    ("1d:1mo", "UTC", 5, ["02-16", "02-23", "03-02", "03-09"]),
    ("1d:3mo", "UTC", 5, ["2026-01", "2026-02", "2026-03"]),
    ("1mo:1y", "UTC", 4, ["2025-04", "2025-07", "2025-10", "2026-01"]),
    ("1w:1y", "UTC", 5, ["2025-04", "2025-07", "2025-10", "2026-01"]),
    ("1d:1w", "America/New_York", 3, ["03-09", "03-11", "03-13", "03-15"]),
]


@pytest.mark.parametrize(("period", "zone", "most", "_texts"), PERIODS)
def test_the_ticks_in_the_browser_are_those_of_the_picture(
    js: Js, period: str, zone: str, most: int, _texts: list[str]
) -> None:
    starts_s, interval, calendar = cut(period, zone)
    drawn = axes.time_ticks(starts_s, interval, calendar, most)
    found = js("scales.ticks", [start_s * 1000 for start_s in starts_s], interval, zone, most)
    assert [tick["at_ms"] for tick in found] == [starts_s[tick.place] * 1000 for tick in drawn]


@pytest.mark.parametrize(("period", "zone", "most", "texts"), PERIODS[:7])
def test_time_ticks_stand_at_turns_of_the_calendar(
    period: str, zone: str, most: int, texts: list[str]
) -> None:
    assert [tick.text for tick in axes.time_ticks(*cut(period, zone), most)] == texts


def test_ticks_of_days_keep_to_midnight_when_the_clocks_change(js: Js) -> None:
    starts_s, interval, _ = cut("1d:1w", "America/New_York")  # on the 8th clocks went forward
    found = js(
        "scales.ticks", [start_s * 1000 for start_s in starts_s], interval, "America/New_York", 9
    )
    assert [(tick["time"]["day"], tick["time"]["hour"]) for tick in found] == [
        (day, 0) for day in range(9, 16)
    ]


def test_buckets_of_odd_widths_still_get_ticks(js: Js) -> None:
    begin_ms = int(datetime(2026, 3, 15, 0, 7, tzinfo=UTC).timestamp()) * 1000
    found = js("scales.ticks", [begin_ms + n * 7 * 60_000 for n in range(40)], "7m", "UTC", 5)
    assert 2 <= len(found) <= 5


@pytest.mark.parametrize(
    ("sizes", "named", "second"),
    [
        ({"dollars": [100, 900], "hits": [1, 9]}, [], ["hits"]),
        ({"dollars": [100, 900], "sales": [300, 800]}, [], []),
        ({"dollars": [100, 900], "sales": [300, 800]}, ["sales"], ["sales"]),
        ({"dollars": [-900, 0], "rate": [0.1, 0.2]}, [], ["rate"]),
        ({"dollars": [0, 0], "rate": [0.1, 0.2]}, [], []),
        ({"dollars": [1, 2]}, ["dollars"], []),
    ],
)
def test_a_metric_of_quite_another_size_gets_the_second_axis(
    js: Js, sizes: dict[str, list[float]], named: list[str], second: list[str]
) -> None:
    layers = [{"metric": metric, "lo": None, "hi": values} for metric, values in sizes.items()]
    assert js("scales.secondAxis", layers, named) == second


@pytest.mark.parametrize(("value", "place"), [(-5, 0), (0, 0), (4, 0), (6, 1), (14, 1), (99, 3)])
def test_the_nearest_bucket_is_found(js: Js, value: float, place: int) -> None:
    assert js("scales.nearest", [0, 10, 20, 30], value) == place


def cut(period: str, zone: str) -> tuple[list[int], str, Grid]:
    """The starts of a period's buckets at NOW_S, their width, and the calendar."""
    calendar, parsed = parse_zone(zone), Period.parse(period)
    return list(parsed.edges(calendar, NOW_S)[:-1]), str(parsed.interval), calendar
