"""The store gone, killed or hung: every route says 503 and when to come again, never OK."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import redis

from hailwhale.services.container import Services, open_services
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.web.apps import hail_app, whale_app
from tests.web.client import LINES, Client
from tests.web.queries import total

TIMEOUT_S = 0.05
REQUESTS = [
    ("GET", "/count", "", "pk=Shop"),
    ("GET", "/count", "", "pk=Shop&id=order-1"),
    ("GET", "/count.gif", "", "pk=Shop"),
    ("POST", "/count", '{"pk": "Shop"}', ""),
    ("POST", "/count", '[{"pk": "Shop"}, {"pk": "Blog"}]', ""),
    ("POST", "/count", '{"pk": "Shop"}\n{"pk": "Blog"}', ""),
    ("GET", "/count_now", "", "pk=Shop"),
    ("GET", "/count_now.gif", "", "pk=Shop"),
    ("POST", "/count_now", '[{"pk": "Shop"}, {"pk": "Shop", "id": "order-1"}]', ""),
    ("GET", "/update_count_to", "", "pk=Shop&metrics={%22hits%22:5}"),
    ("GET", "/totals", "", "pk=Shop"),
    ("GET", "/totals", "", "pk=Shop&period=all&format=csv"),
    ("GET", "/plotpoints", "", "pk=Shop"),
    ("GET", "/plotpoints", "", "pk=Shop&depth=2&other=1"),
    ("GET", "/rank", "", "pk=Shop"),
    ("GET", "/rank", "", "pk=Shop&of=pks&depth=2"),
    ("GET", "/subdimensions", "", "pk=Shop"),
    ("GET", "/flush_hail", "", ""),
    ("GET", "/reset", "", "pk=Shop"),
    ("GET", "/reset", "", "pk=Shop&dimension=country"),
]
Asked = tuple[str, str, str, str]


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Services whose store was killed."""
    with EmbeddedValkey(tmp_path_factory.mktemp("killed"), fsync="no") as server:
        services = open_services(Settings.from_env({}, redis_url=server.url))
        os.kill(server.pid, signal.SIGKILL)
        os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
        yield services
        services.close()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Services whose store takes connections and never answers."""
    with EmbeddedValkey(tmp_path_factory.mktemp("stopped"), fsync="no") as server:
        environ = {"HAILWHALE_REDIS_URL": server.url, "HAILWHALE_STORE_TIMEOUT": str(TIMEOUT_S)}
        services = open_services(Settings.from_env(environ))
        os.kill(server.pid, signal.SIGSTOP)
        yield services
        os.kill(server.pid, signal.SIGCONT)
        services.close()


def ask(app: Client, asked: Asked) -> tuple[int, bool, object, str]:
    method, path, body, query = asked
    answer = app.request(
        method, path, query, body.encode() or None, "application/json" if body else ""
    )
    retry_after_s = int(answer.headers.get("retry-after", "0"))
    return answer.status, retry_after_s > 0, answer.error["parameter"], answer.errors


@pytest.mark.parametrize("asked", REQUESTS, ids=" ".join)
def test_a_store_that_was_killed_is_503_on_every_route(away: Services, asked: Asked) -> None:
    assert ask(Client(whale_app(away)), asked) == (503, True, None, "")


@pytest.mark.parametrize("asked", REQUESTS, ids=" ".join)
def test_a_store_that_hangs_is_503_on_every_route(stopped: Services, asked: Asked) -> None:
    assert ask(Client(whale_app(stopped)), asked) == (503, True, None, "")


@pytest.mark.parametrize("asked", [each for each in REQUESTS if each[1].startswith("/count")])
def test_hail_and_a_buffering_whale_say_503_too(
    away: Services, stopped: Services, asked: Asked
) -> None:
    for services in (away, stopped):
        apps = [whale_app(services, buffered=True)]
        apps += [hail_app(services)] if "now" not in asked[1] else []
        for app in apps:
            assert ask(Client(app), asked) == (503, True, None, "")


@pytest.mark.parametrize(
    ("name", "value", "back"),
    [
        ("maxmemory", "1", "0"),
        ("min-replicas-to-write", "1", "0"),
        ("replicaof", "127.0.0.1 1", "no one"),  # a primary that became a replica, as in a failover
    ],
)
def test_a_store_that_takes_no_writes_is_503_and_still_answers(
    tmp_path: Path, name: str, value: str, back: str
) -> None:
    with EmbeddedValkey(tmp_path, fsync="no") as server:
        services = open_services(Settings.from_env({}, redis_url=server.url))
        whale, hail = Client(whale_app(services)), Client(hail_app(services))
        assert whale.get("/count", "pk=Shop").status == 200
        administer(server, name, value)
        for app, path in ((whale, "/count"), (whale, "/count_now"), (hail, "/count")):
            assert ask(app, ("GET", path, "", "pk=Shop")) == (503, True, None, "")
        assert total(whale, "Shop") == 1
        administer(server, name, back)
        assert whale.get("/count", "pk=Shop").status == 200
        assert total(whale, "Shop") == 2
        services.close()


def administer(server: EmbeddedValkey, name: str, value: str) -> None:
    """Set one thing of a server, so that it holds when this returns."""
    admin: Any = redis.Redis.from_url(server.url)
    if name == "replicaof":
        admin.execute_command("REPLICAOF", *value.split())
    else:
        admin.config_set(name, value)
    admin.close()


def test_a_store_busy_with_a_script_is_503(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path, fsync="no") as server:
        services = open_services(Settings.from_env({}, redis_url=server.url))
        administer(server, "busy-reply-threshold", "1")
        admin, hog = (redis.Redis.from_url(server.url) for _ in range(2))
        endless = Thread(target=lambda: suppressed(lambda: hog.eval("while true do end", 0)))
        endless.start()
        deadline_s = time.monotonic() + 10
        while suppressed(admin.ping):
            assert time.monotonic() < deadline_s
        for path in ("/count", "/totals", "/healthz"):
            answer = Client(whale_app(services)).get(path, "pk=Shop" if path != "/healthz" else "")
            assert (answer.status, answer.errors) == (200 if path == "/healthz" else 503, "")
        admin.script_kill()
        endless.join(10)
        assert Client(whale_app(services)).get("/count", "pk=Shop").status == 200
        for each in (services, admin, hog):
            each.close()


def suppressed(call: Callable[[], object]) -> object:
    """What a call returns, or None when the server refuses it."""
    with suppress(redis.ResponseError):
        return call()
    return None


def test_healthz_is_alive_and_reports_an_unavailable_store(
    away: Services, stopped: Services
) -> None:
    for services in (away, stopped):
        for app in (hail_app(services), whale_app(services)):
            answer = Client(app).get("/healthz")
            assert answer.status == 200
            assert answer.json["store"] == "away"
            assert "the store does not answer" in answer.json["reason"]


def test_a_wrong_event_is_400_though_the_store_is_unavailable(away: Services) -> None:
    answer = Client(hail_app(away)).get("/count", "metrics={")
    assert (answer.status, answer.error["parameter"]) == (400, "metrics")


def test_counting_goes_on_when_the_store_is_back(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path, fsync="always") as server:
        services = open_services(Settings.from_env({}, redis_url=server.url))
        hail, whale = Client(hail_app(services)), Client(whale_app(services))
        assert hail.get("/count", "pk=Shop").status == 200
        assert whale.get("/count_now", "pk=Shop").status == 200
        server.stop()
        assert hail.get("/count", "pk=Shop").status == 503
        assert whale.get("/count_now", "pk=Shop").status == 503
        assert whale.post("/count_now", '{"pk": "Shop"}\n{"pk": "Shop"}', LINES).status == 503
        server.start()
        assert hail.get("/count", "pk=Shop").status == 200
        assert services.drain.flush() == 2
        assert total(whale, "Shop") == 3
        services.close()


def test_counting_goes_on_when_the_store_no_longer_hangs(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path, fsync="no") as server:
        settings = Settings.from_env({}, redis_url=server.url, store_timeout_s=TIMEOUT_S)
        services = open_services(settings)
        whale = Client(whale_app(services))
        os.kill(server.pid, signal.SIGSTOP)
        assert whale.get("/count", "pk=Shop&id=order-1").status == 503
        os.kill(server.pid, signal.SIGCONT)
        # Whether the first try counted nobody can know: its id makes trying again right.
        patient = open_services(Settings.from_env({}, redis_url=server.url))
        whale = Client(whale_app(patient))
        assert whale.get("/count", "pk=Shop&id=order-1").status == 200
        assert total(whale, "Shop") == 1
        for each in (services, patient):
            each.close()
