"""What the tests share: a real Valkey of their own, and stores on it and on fakeredis."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fakeredis
import hypothesis
import pytest
import redis

from hailwhale.services.container import Services, assemble
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis.client import RedisClient, close_client, connect, open_client
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.store import RedisStore
from hailwhale.web.apps import hail_app, whale_app
from tests.cluster.clusters import Cluster
from tests.web.client import Client as WebClient

# The deadline and this health check measure the clock: on a busy machine they fail any test.
hypothesis.settings.register_profile(
    "steady", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("steady")

NOW_S = 1_773_576_630  # Sunday 2026-03-15 12:10:30 UTC

_namespaces = (f"t{number}" for number in itertools.count())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """With REQUIRE_ALL=1 a skipped test is a failure: nothing may go untested in silence."""
    skipped = terminalreporter.stats.get("skipped", [])
    if os.environ.get("REQUIRE_ALL") and skipped:
        pytest.exit(f"{len(skipped)} tests were skipped though all are required", returncode=1)


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    now_s: float = NOW_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """One real Valkey for the whole run; each test has a namespace of its own on it."""
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey"), fsync="no") as server:
        yield server


@pytest.fixture
def namespace() -> str:
    return next(_namespaces)


@pytest.fixture
def client(valkey: EmbeddedValkey) -> Iterator[redis.Redis]:
    client = connect(valkey.url, timeout_s=10)
    yield client
    client.close()
    client.connection_pool.disconnect()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One real cluster for the whole run, at which no test may kill or freeze a node."""
    with Cluster(tmp_path_factory.mktemp("cluster"), node_timeout_ms=15_000) as nodes:
        yield nodes


@pytest.fixture(scope="session")
def cluster_client(cluster: Cluster) -> Iterator[RedisClient]:
    client = open_client(cluster.url, timeout_s=10)
    yield client
    close_client(client)


MakeStore = Callable[..., RedisStore]


@pytest.fixture(params=["fakeredis", "valkey", "cluster"])
def make_store(request: pytest.FixtureRequest, namespace: str) -> Iterator[MakeStore]:
    """Makes stores on each engine, all on the same data, with the options given."""
    if request.param == "fakeredis":
        client: RedisClient = fakeredis.FakeRedis(version=(7,))
    elif request.param == "cluster":
        client = request.getfixturevalue("cluster_client")
    else:
        client = request.getfixturevalue("client")

    def make(**options: Any) -> RedisStore:
        return RedisStore(client, Keys(namespace), **options)

    yield make
    if request.param == "fakeredis":
        client.close()


@pytest.fixture
def store(make_store: MakeStore) -> RedisStore:
    return make_store()


@pytest.fixture
def make_services(
    valkey: EmbeddedValkey, namespace: str, clock: Clock
) -> Iterator[Callable[..., Services]]:
    """Makes services on the real server at the test's clock, with the settings given."""
    made: list[Services] = []

    def make(**settings: object) -> Services:
        values = {"redis_url": valkey.url, "namespace": namespace, **settings}
        chosen = Settings.from_env({}, **values)
        store = RedisStore(
            connect(chosen.redis_url, 10),
            Keys(chosen.namespace),
            buffer_limit=chosen.buffer_limit,
            buffer_bytes=chosen.buffer_bytes,
            max_children=chosen.max_children,
            max_series=chosen.max_series,
        )
        made.append(assemble(chosen, store, clock))
        return made[-1]

    yield make
    for services in made:
        services.close()


@pytest.fixture
def services(make_services: Callable[..., Services]) -> Services:
    return make_services()


@pytest.fixture
def whale(services: Services) -> WebClient:
    """Whale alone: /count counts at once."""
    return WebClient(whale_app(services))


@pytest.fixture
def hail(services: Services) -> WebClient:
    """Hail on the same store: /count waits for a drain."""
    return WebClient(hail_app(services))


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"
