"""How an alert stands from check to check, who tells of it, and when it is time to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from hailwhale.core.alerts.due import is_quiet, last_due_s
from hailwhale.core.alerts.rules import parse_rules
from hailwhale.core.alerts.watch import (
    LEASE_S,
    AlertStatus,
    AlertTerms,
    checked,
    claimed,
    decoded,
    sent,
)
from hailwhale.core.alerts.wording import MeasuredChange, body, holds, sentence
from hailwhale.core.time.calendar_grid import UTC, parse_zone
from hailwhale.core.time.fixed_range import before, last_whole, week_before
from hailwhale.core.time.period import Period

TERMS = AlertTerms("a", checks=1, repeat_s=0, targets=("hook", "mail"))
HOOK = "http://example.com/hook"


def history(checks: str, terms: AlertTerms = TERMS) -> list[str]:
    """Return the notices for checks a minute apart that hold (+) or not (-); all are sent."""
    watch, told = AlertStatus(), []
    for slot, sign in enumerate(checks):
        now_s = 60 * slot
        watch = checked(watch, terms, holds=sign == "+", slot=slot, now_s=now_s)
        claim = claimed(watch, now_s)
        told.append(claim.pending.kind if claim and claim.pending else "")
        watch = sent(claim, (), 0, now_s) if claim else watch
        assert decoded(watch.encoded()) == watch
    return told


@pytest.mark.parametrize(
    ("checks", "count", "repeat_s", "told"),
    [
        ("--", 1, 0, ["", ""]),
        ("-++-", 1, 0, ["", "firing", "", "resolved"]),
        ("+-+-", 1, 0, ["firing", "resolved", "firing", "resolved"]),
        ("++-+++-", 3, 0, ["", "", "", "", "", "firing", "resolved"]),
        ("++++++", 1, 120, ["firing", "", "firing", "", "firing", ""]),
        ("+++---", 2, 120, ["", "firing", "", "resolved", "", ""]),
    ],
)
def test_notices_depend_on_consecutive_checks(
    checks: str, count: int, repeat_s: int, told: list[str]
) -> None:
    assert history(checks, replace(TERMS, checks=count, repeat_s=repeat_s)) == told


def fires() -> AlertStatus:
    return checked(AlertStatus(), TERMS, holds=True, slot=1, now_s=60)


def test_only_the_lease_holder_sends_until_it_ends() -> None:
    claim = claimed(fires(), 60)
    assert claim is not None
    assert claimed(claim, 60 + LEASE_S - 1) is None
    again = claimed(claim, 60 + LEASE_S)
    assert again is not None
    assert again.pending is not None
    assert claim.pending is not None
    assert again.pending.id == claim.pending.id  # of a sender that died: the same notice


def test_where_it_failed_it_is_tried_again_and_nowhere_else() -> None:
    claim = claimed(fires(), 60)
    assert claim is not None
    half = sent(claim, ("hook",), 120, 61)
    assert half.told
    assert claimed(half, 119) is None
    again = claimed(half, 120)
    assert again is not None
    assert again.pending is not None
    assert again.pending.targets == ("hook",)
    assert sent(again, (), 0, 121).pending is None


def test_an_unsent_alert_sends_no_resolution() -> None:
    over = checked(fires(), TERMS, holds=False, slot=2, now_s=120)
    assert over.pending is None
    assert not over.firing


def test_a_possibly_sent_alert_sends_its_resolution() -> None:
    claim = claimed(fires(), 60)
    assert claim is not None
    over = checked(claim, TERMS, holds=False, slot=2, now_s=120)
    assert over.pending is not None
    assert over.pending.kind == "resolved"
    assert sent(over, ("hook", "mail"), 180, 121).told is False


# The judgement and the words


def alert(**keys: Any) -> Any:
    return parse_rules({"alert": [{"name": "a", "pk": "Shop", "webhook": HOOK, **keys}]}).alerts[0]


@pytest.mark.parametrize(
    ("keys", "value", "reference", "weight", "held"),
    [
        ({"above": 10}, "10", None, None, False),
        ({"above": 10}, "10.01", None, None, True),
        ({"below": 0}, "-0.5", None, None, True),
        ({"below": 0}, "0", None, None, False),
        ({"rises_by": 50}, "150", "100", "100", True),
        ({"rises_by": 50}, "149.9", "100", "100", False),
        ({"rises_by": 50}, "1", "0", "0", False),  # a change from nothing is none in per cent
        ({"falls_by": 30}, "70", "100", "100", True),
        ({"falls_by": 30}, "71", "100", "100", False),
        ({"falls_by": 30}, "0", "100", "100", True),
        ({"falls_by": 50}, "-150", "-100", "100", True),
        ({"falls_by": 30, "minimum": 101}, "0", "100", "100", False),
        ({"falls_by": 30, "minimum": 100}, "0", "100", "100", True),
    ],
)
def test_a_condition_holds_or_not(
    keys: dict[str, Any], value: str, reference: str | None, weight: str | None, held: bool
) -> None:
    numbers = [None if each is None else Decimal(each) for each in (reference, weight)]
    assert holds(alert(**keys), MeasuredChange(Decimal(value), *numbers)) is held


@pytest.mark.parametrize(
    ("keys", "kind", "measured", "line"),
    [
        ({"above": 3}, "firing", (4,), "a: hits of Shop is 4, above 3 (1m:1h)"),
        (
            {"below": 3, "dimension": ["country", "US"]},
            "resolved",
            (4,),
            "a: resolved: hits of Shop > country > US is 4, no longer below 3 (1m:1h)",
        ),
        (
            {"falls_by": 30, "against": "last_week", "metric": "revenue/hits"},
            "firing",
            (Decimal("1234.5"), 2000),
            "a: revenue/hits of Shop is 1,234.50, -38.3 % compared with the same time last "
            "week (2,000); 1m:1h",
        ),
    ],
)
def test_a_notice_is_a_sentence(
    keys: dict[str, Any], kind: str, measured: tuple[Any, ...], line: str
) -> None:
    found = MeasuredChange(*(Decimal(each) for each in measured))
    assert sentence(alert(**keys), kind, found) == line
    at = datetime.fromisoformat("2026-03-15T12:10:30+00:00")
    told = body(alert(**keys), kind, "id-1", found, at, at)
    assert (told["text"], told["id"], told["kind"]) == (line, "id-1", kind)


# Times


@pytest.mark.parametrize(
    ("quiet", "at", "is_so"),
    [
        ("22:00-07:00", "2026-03-15T21:00Z", True),  # 22:00 in Berlin
        ("22:00-07:00", "2026-03-15T20:59Z", False),
        ("22:00-07:00", "2026-03-15T05:59Z", True),
        ("22:00-07:00", "2026-03-15T06:00Z", False),
        ("22:00-07:00", "2026-07-15T20:00Z", True),  # in summer it is so an hour earlier
        ([], "2026-03-15T21:00Z", False),
    ],
)
def test_quiet_hours_are_those_of_the_zone(quiet: Any, at: str, is_so: bool) -> None:
    rule = alert(above=1, quiet=quiet, tz="Europe/Berlin")
    assert is_quiet(rule, int(datetime.fromisoformat(at).timestamp())) is is_so


@pytest.mark.parametrize(
    ("keys", "now", "due"),
    [
        ({}, "2026-03-15T12:00Z", "2026-03-15T06:00Z"),  # 07:00 in Berlin
        ({}, "2026-03-15T05:59Z", "2026-03-14T06:00Z"),
        ({}, "2026-03-15T06:00Z", "2026-03-15T06:00Z"),
        ({}, "2026-03-30T12:00Z", "2026-03-30T05:00Z"),  # clocks have gone forward
        ({"at": "02:30"}, "2026-03-29T12:00Z", "2026-03-29T01:30Z"),  # skipped that night
        ({"every": "week"}, "2026-03-15T12:00Z", "2026-03-09T06:00Z"),
        ({"every": "week", "on": "sunday"}, "2026-03-15T05:00Z", "2026-03-08T06:00Z"),
        ({"every": "week", "on": "sunday"}, "2026-03-15T07:00Z", "2026-03-15T06:00Z"),
    ],
)
def test_a_report_is_due_at_a_time_of_day_in_its_zone(
    keys: dict[str, Any], now: str, due: str
) -> None:
    file = {"mail": {"from": "a@b"}, "report": [{"name": "r", "email": "c@d", **keys}]}
    [report] = parse_rules({**file, "tz": "Europe/Berlin"}).reports
    found = last_due_s(report, int(datetime.fromisoformat(now).timestamp()))
    assert datetime.fromtimestamp(found, UTC.zone) == datetime.fromisoformat(due)


def test_whole_periods_are_compared_with_whole_ones() -> None:
    berlin = parse_zone("Europe/Berlin")
    now_s = int(datetime.fromisoformat("2026-03-31T12:10:30+02:00").timestamp())
    day = Period.parse("1d:1d")
    whole = last_whole(day, berlin, now_s)
    spans = [whole, before(day, whole, berlin), week_before(day, whole, berlin)]
    edges = [period.edges(berlin, now_s) for period in spans]
    assert [datetime.fromtimestamp(each[0], berlin.zone).isoformat() for each in edges] == [
        "2026-03-30T00:00:00+02:00",
        "2026-03-29T00:00:00+01:00",  # a day of 23 hours
        "2026-03-23T00:00:00+01:00",
    ]
    assert [each[-1] - each[0] for each in edges] == [86_400, 82_800, 86_400]
