"""Fixtures of the web tests: a whale with a separate drain, and one with visitors."""

from __future__ import annotations

import pytest

from hailwhale.services.container import Services
from hailwhale.web.apps import whale_app
from tests.web.client import Client


@pytest.fixture
def buffering_whale(services: Services) -> Client:
    """A whale with a separate drain: /count waits there, too."""
    return Client(whale_app(services, buffered=True))


VISITS = [
    ("2026-03-15T12:10Z", ["US", "NY"], "10"),
    ("2026-03-15T12:10Z", ["US", "NY"], "10"),
    ("2026-03-15T12:10Z", ["CA"], "5"),
    ("2026-03-15T12:05Z", ["US", "LA"], "10"),
    ("2026-03-15T12:05Z", ["US"], "0.50"),
    ("2026-03-15T11:30Z", ["DE"], "1"),
    ("2026-03-15T03:00Z", ["US", "NY"], "4"),
    ("2026-03-12T00:00Z", ["US", "NY"], "5"),
    ("2026-02-20T23:59Z", ["US"], "5"),
    ("2025-06-01T12:00Z", ["US"], "3"),
    ("2024-01-01T00:00Z", ["CA"], "2"),
]


@pytest.fixture
def visited(whale: Client) -> Client:
    """Whale with the VISITS counted under Shop; it is 2026-03-15 12:10:30."""
    visits = [
        {"pk": "Shop", "dimensions": ["country", *place], "metrics": {"revenue": revenue}, "at": at}
        for at, place, revenue in VISITS
    ]
    assert whale.post("/count", visits).json == {"accepted": len(visits), "rejected": []}
    return whale
