"""Numbers, times and names in the reader's locale and the zone that was asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.static.conftest import Js

MARCH_ms = 1_772_323_200_000  # 2026-03-01 00:00 UTC
HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("value", "locale", "style", "text"),
    [
        (1234567, "en-US", None, "1,234,567"),
        (1234.5678, "en-US", None, "1,234.57"),
        (1234.5678, "de-DE", None, "1.234,57"),
        (0.12345678, "en-US", None, "0.1235"),
        (0.00012345, "en-US", None, "0.00012345"),
        (-3, "en-US", None, "-3"),
        (None, "en-US", None, "–"),
        (9.5, "en-US", {"style": "currency", "currency": "USD"}, "$9.50"),
    ],
)
def test_numbers_are_written_as_the_locale_does(
    js: Js, value: float | None, locale: str, style: dict[str, Any] | None, text: str
) -> None:
    assert js("formats.number", value, locale, style) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (2500, "2,500"), (25_000, "25K"), (1_500_000, "1.5M"), (0.25, "0.25")],
)
def test_numbers_on_an_axis_are_short(js: Js, value: float, text: str) -> None:
    assert js("formats.short", value, "en-US", None) == text


@pytest.mark.parametrize(
    ("hours", "interval", "locale", "zone", "text"),
    [
        (24, "1d", "en-GB", "UTC", "Sun, 1 Mar 2026"),
        (24, "1d", "de-DE", "UTC", "So., 1. März 2026"),
        (24, "1d", "en-GB", "America/New_York", "Sat, 28 Feb 2026"),
        (744, "1mo", "en-GB", "UTC", "March 2026"),
        (168, "1w", "en-GB", "UTC", "1–7 Mar 2026"),
        (1, "1h", "en-GB", "UTC", "Sun 1 Mar, 00:00 – 01:00"),
        (1, "1h", "en-GB", "Asia/Kolkata", "Sun 1 Mar, 05:30 – 06:30"),
    ],
)
def test_a_bucket_is_shown_in_the_requested_time_zone(
    js: Js, hours: int, interval: str, locale: str, zone: str, text: str
) -> None:
    end_ms = MARCH_ms + hours * HOUR_MS
    told = js("formats.bucket", MARCH_ms, end_ms, interval, locale, zone)
    assert told.replace("\u2009", "").replace("Sun, 1 Mar,", "Sun 1 Mar,") == text


@pytest.mark.parametrize(
    ("unit", "hour", "month", "text"),
    [
        ("hour", 6, 3, "06:00"),
        ("hour", 0, 3, "1 Mar"),
        ("day", 0, 3, "1 Mar"),
        ("month", 0, 3, "Mar"),
        ("year", 0, 1, "2026"),
    ],
)
def test_a_tick_says_what_turns(js: Js, unit: str, hour: int, month: int, text: str) -> None:
    time = {"month": month, "day": 1, "hour": hour, "minute": 0, "second": 0}
    tick = {"at_ms": MARCH_ms + hour * HOUR_MS, "unit": unit, "time": time}
    assert js("formats.tick", tick, "en-GB", "UTC") == text


@pytest.mark.parametrize(
    ("series", "names"),
    [
        ([([], "hits")], ["hits"]),
        ([([], "dollars"), ([], "dollars/hits")], ["dollars", "dollars/hits"]),
        ([([], "hits"), (["country"], "hits")], ["Overall", "country"]),
        ([(["c", "US"], "hits"), (["c", "_other"], "hits")], ["US", "Other"]),
        ([(["a", "x"], "hits"), (["b", "x"], "hits")], ["a › x", "b › x"]),
        ([([], "n"), ([], "m"), (["c"], "n"), (["c"], "m")],
         ["Overall · n", "Overall · m", "c · n", "c · m"]),
    ],
)  # fmt: skip
def test_series_have_the_shortest_distinct_names(
    js: Js, series: list[tuple[list[str], str]], names: list[str]
) -> None:
    given = [{"path": path, "metric": metric, "key": f"{path}{metric}"} for path, metric in series]
    assert [name for _, name in js("formats.names", given, None)] == names


def test_the_page_may_name_labels_and_metrics(js: Js) -> None:
    given = [
        {"path": ["country", label], "metric": "hits", "key": label}
        for label in ("US", "constructor")
    ]
    names = js("formats.names", given, {"US": "United States"})
    assert names == [["US", "United States"], ["constructor", "constructor"]]


@pytest.mark.parametrize(
    ("period", "text"),
    [
        ("today", "Today"),
        ("1d:1mo", "Last month by day"),
        ("5m:6h", "Last 6 hours by 5 minutes"),
        ("2026-01-01..2026-01-31", "2026-01-01 – 2026-01-31"),
        ("toString", "toString"),
    ],
)
def test_a_period_is_described_in_words(js: Js, period: str, text: str) -> None:
    assert js("formats.period", period) == text
