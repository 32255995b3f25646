"""The grammar of targets, and Graphite's forms of from and until."""

from __future__ import annotations

from datetime import UTC as _UTC
from datetime import datetime
from decimal import Decimal

import pytest

from hailwhale.core.graphite.paths import Pattern
from hailwhale.core.graphite.target import Call, Text, parse_target
from hailwhale.core.graphite.times import parse_interval, parse_time
from hailwhale.core.time.calendar_grid import UTC, parse_zone
from hailwhale.errors import BadInput
from tests.conftest import NOW_S

DAY_S = 86_400
MIDNIGHT_S = NOW_S - (NOW_S % DAY_S)


def test_a_path_is_a_target() -> None:
    found = parse_target(" Shop.by.country.{US,CA}.hits ")
    assert isinstance(found, Pattern)
    assert found.text == "Shop.by.country.{US,CA}.hits"


def test_functions_are_read_with_all_kinds_of_arguments() -> None:
    found = parse_target("f( g(Shop.hits, Shop.d/h), -1.5,'a,(b', \"c'd\", true, 3 )")
    assert isinstance(found, Call)
    inner, number, text, quoted, yes, three = found.arguments
    assert isinstance(inner, Call)
    assert [each.text for each in inner.arguments if isinstance(each, Pattern)] == [
        "Shop.hits",
        "Shop.d/h",
    ]
    assert (number, text, quoted, yes) == (Decimal("-1.5"), Text("a,(b"), Text("c'd"), True)
    assert three == 3
    assert found.text == "f(g(Shop.hits,Shop.d/h),-1.5,'a,(b',\"c'd\",true,3)"


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "f(", "f(a.b", "f(a.b,", "f(a.b c.d)", "f(a.b))", "a.b,c.d", ")", ",", "(a.b)"),
        *("'a'", "17", "true", "f(,)", "f('a)", 'f("a)', "f(a.b){", "f" * 9_000),
        "f(" * 20 + "a.b" + ")" * 20,
        f"f({','.join(['a.b'] * 65)})",
    ],
)
def test_an_invalid_target_is_refused_as_target(text: str) -> None:
    with pytest.raises(BadInput) as fault:
        parse_target(text)
    assert fault.value.parameter == "target"


@pytest.mark.parametrize(
    ("text", "at_s"),
    [
        ("now", NOW_S),
        ("-1h", NOW_S - 3_600),
        ("-30s", NOW_S - 30),
        ("-5min", NOW_S - 300),
        ("-5m", NOW_S - 300),
        ("-90minutes", NOW_S - 5_400),
        ("-2d", NOW_S - 2 * DAY_S),
        ("-1w", NOW_S - 7 * DAY_S),
        ("-0second", NOW_S),
        ("now-1d", NOW_S - DAY_S),
        ("now+1h", NOW_S + 3_600),
        ("today", MIDNIGHT_S),
        ("midnight", MIDNIGHT_S),
        ("noon", MIDNIGHT_S + 12 * 3_600),
        ("yesterday", MIDNIGHT_S - DAY_S),
        ("midnight-1d", MIDNIGHT_S - DAY_S),
        ("1773576630", NOW_S),
        ("20260315", MIDNIGHT_S),
        ("00:00_20260315", MIDNIGHT_S),
        ("12:10_20260315", NOW_S - 30),
        ("6pm_20260314", None),
        ("6:00pm_20260314", MIDNIGHT_S - 6 * 3_600),
        ("12:00am_20260315", MIDNIGHT_S),
        ("03/15/26", MIDNIGHT_S),
        ("3/15/2026", MIDNIGHT_S),
        ("04:00_today", MIDNIGHT_S + 4 * 3_600),
        ("04:00_yesterday", MIDNIGHT_S - 20 * 3_600),
        ("-1mon", int(datetime(2026, 2, 15, 12, 10, 30, tzinfo=_UTC).timestamp())),
        ("-1y", int(datetime(2025, 3, 15, 12, 10, 30, tzinfo=_UTC).timestamp())),
        *((text, None) for text in ("", "1h", "-", "-1x", "soon", "20261301", "25:00_20260315")),
        *((text, None) for text in ("10:99_20260315", "13:00pm_20260315", "-999999999y")),
        *((text, None) for text in ("-9999999d", "99/99/99", "tomorrow-ish", "999999999999")),
    ],
)
def test_times_are_read_as_graphite_reads_them(text: str, at_s: int | None) -> None:
    if at_s is None:
        with pytest.raises(BadInput) as fault:
            parse_time(text, NOW_S, UTC, "from")
        assert fault.value.parameter == "from"
    else:
        assert parse_time(text, NOW_S, UTC, "from") == at_s


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("midnight", "2026-03-15T05:00"),
        ("00:00_20260315", "2026-03-15T05:00"),
        ("04:00_today", "2026-03-15T09:00"),
        ("20260301", "2026-03-01T05:00"),
        ("noon", "2026-03-15T17:00"),
    ],
)
def test_days_are_those_of_the_time_zone(text: str, at: str) -> None:
    expected = datetime.fromisoformat(f"{at}+00:00").timestamp()
    assert parse_time(text, NOW_S, parse_zone("America/Lima"), "from") == expected


@pytest.mark.parametrize(
    ("text", "interval"),
    [("1h", "1h"), ("15min", "15m"), ("1d", "1d"), ("1mon", "1mo"), ("60min", "1h")],
)
def test_intervals_are_read(text: str, interval: str) -> None:
    assert str(parse_interval(text, "target")) == interval


@pytest.mark.parametrize("text", ["", "1", "h", "0h", "1x", "-1h", "36h"])
def test_an_invalid_interval_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_interval(text, "target")
