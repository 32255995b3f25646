"""Fixtures of attacks: services that require tokens."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hailwhale.services.container import Services
from hailwhale.web.apps import whale_app
from tests.attacks.hostile import KEY
from tests.web.client import Client

MakeServices = Callable[..., Services]


@pytest.fixture
def closed(make_services: MakeServices) -> Services:
    """Services that count sealed pixels alone and let nobody read."""
    return make_services(counting="sealed", reading="token", seal_keys=(KEY,))


@pytest.fixture
def owner(make_services: MakeServices) -> Client:
    """Whoever owns the store of `closed`, and may look at what was counted."""
    return Client(whale_app(make_services(reading="open")))
