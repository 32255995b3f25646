"""What the examples in docstrings run on: a store, a service and a clock of their own.

`Whale` and `Hail` use a fresh fakeredis in place of the store that the environment names, and
`client` talks to a service over it. Each docstring gets its own; it is 2026-03-15 12:10:30 UTC.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace

import fakeredis
import pytest

from hailwhale.client import AsyncClient, Client
from hailwhale.core.events.histogram import bucket_metric
from hailwhale.hail import Hail
from hailwhale.services.container import Services, assemble
from hailwhale.settings import Settings
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.store import RedisStore
from hailwhale.web.apps import whale_app
from hailwhale.whale import Whale
from tests.browser.serving import serving
from tests.conftest import Clock
from tests.loops import no_loop_running

_LIBRARY = ("hailwhale.whale", "hailwhale.hail", "hailwhale.sealed", "hailwhale.default_instance")


@pytest.fixture(autouse=True)
def _example_services(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Give the examples of the public classes their store, and those of clients a service."""
    module = request.node.name if isinstance(request.node, pytest.DoctestItem) else ""
    if not module.startswith((*_LIBRARY, "hailwhale.client")):
        yield
        return
    services = _services()
    for kind in (Whale, Hail):
        default = kind(settings=services.settings)
        default._services = services
        monkeypatch.setattr(kind, "_default", default)
    yield from _client(request, monkeypatch, services)
    services.close()


def _services() -> Services:
    settings = Settings.from_env(
        {}, seal_keys=("A" * 43,), public_url="https://hw.example.com", namespace="examples"
    )
    store = RedisStore(
        fakeredis.FakeRedis(server=fakeredis.FakeServer(version=(7,))), Keys(settings.namespace)
    )
    services = assemble(settings, store, Clock())
    timing = {"pk": "Api", "metrics": {bucket_metric("latency", 20.5): 1}}
    services.counting.count_now(timing)
    return services


def _client(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, services: Services
) -> Iterator[None]:
    """Put `client` and `asyncio` into the namespace of a client's example."""
    node = request.node
    if not node.name.startswith("hailwhale.client"):
        yield
        return
    awaited = "async" in node.name.lower()
    monkeypatch.setattr("hailwhale.client.base.time", SimpleNamespace(time=Clock()))
    with no_loop_running(), serving(whale_app(services)) as url:
        client = (AsyncClient if awaited else Client)(url, linger_s=0, close_timeout_s=5)
        node.dtest.globs |= {"client": client, "asyncio": asyncio}
        yield
        client._outbox.close()
