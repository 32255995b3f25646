"""What a client writes down is read by a service as the library would have read it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from hailwhale.client.encoding import event_text
from hailwhale.core.events.event import parse_event
from hailwhale.core.events.literals import parse_relaxed_json
from tests.conftest import NOW_S


@pytest.mark.parametrize(
    "fields",
    [
        {"pk": "Shop"},
        {"pk": ("Product", 7)},
        {"pk": ["Product", 1.5, Decimal("1.50"), True]},
        {"pk": 'Z\u00fcrich "\U0001f433" \\'},
        {"dimensions": {"country": "US", "tag": ["x", "y"], "b": {"x": 1, "y": 2}}},
        {"dimensions": MappingProxyType({"country": MappingProxyType({"US": "NY"})})},
        {"dimension": (("a", "b"), ("c",)), "uid": 17},
        {"metrics": {"dollars": 19.99, "cents": Decimal("0.10"), "n": "1e3", "m": -3}},
        {"metrics": {"a": 10**29, "b": Decimal("1E-30"), "c": Decimal("12345678901234567.25")}},
        {"metric": ("sales", "signups")},
        {"at": 1_773_478_800_123},
        {"at": "2026-03-14T09:00+01:00"},
        {"at": datetime(2026, 3, 14, 9, 30, 59, 999_999, UTC)},
        {"at": datetime(2026, 3, 14, 9, 30)},
        {"at": date(2026, 3, 14)},
        {"at": None, "uid": None, "dimensions": None},
    ],
)
def test_an_event_says_the_same(fields: dict[str, Any]) -> None:
    given = {"id": "order-17", **fields}
    sent = parse_relaxed_json(event_text(given, NOW_S), "event")
    assert isinstance(sent, dict)
    assert parse_event(sent, NOW_S + 999) == parse_event(given, NOW_S)


def test_each_event_has_an_id_of_its_own_and_the_time_it_happened_at() -> None:
    events = [
        parse_relaxed_json(event_text({"pk": "Shop"}, NOW_S + 0.9), "event") for _ in range(100)
    ]
    assert len({event["id"] for event in events if isinstance(event, dict)}) == 100
    assert {event["at"] for event in events if isinstance(event, dict)} == {NOW_S}


@pytest.mark.parametrize(
    "fields",
    [{"pk": object()}, {"metrics": {"a": float("nan")}}, {"pk": b"Shop"}, {"dimensions": {"a"}}],
)
def test_what_no_service_would_take_is_not_written_down(fields: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError)):
        event_text(fields, NOW_S)
