"""A store that refuses commands for any reason: hits are spooled, the rest is 503, said once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest

from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services, open_services
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis.client import connect, faults_named
from hailwhale.web.apps import hail_app, whale_app
from tests.faults.answering import AnsweringProxy
from tests.faults.processes import wait_for
from tests.web.client import Client
from tests.web.queries import total

SAID = [
    "NOPERM User app has no permissions to run the 'evalsha' command",
    "ERR max requests limit exceeded. Limit: 500000, Usage: 500000.",
    "READONLY You can't write against a read only replica.",
    "LOADING Valkey is loading the dataset in memory",
    "MISCONF Errors writing to the AOF file: No space left on device",
    "ERR DB index is out of range",
    "ERR unknown command 'EVALSHA', with args beginning with: ",
    "ERR this database is suspended",
    "WHATEVER a word that no client knows",
]
REFUSED = ("EVALSHA", "EVAL", "LLEN", "HGETALL", "HMGET", "LRANGE", "SMEMBERS", "HSETNX", "EXISTS")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("refusing"), fsync="no") as server:
        yield server


@pytest.fixture
def proxy(server: EmbeddedValkey) -> Iterator[AnsweringProxy]:
    client = connect(server.url, timeout_s=10)
    client.flushall()
    client.close()
    with AnsweringProxy(server.url.removeprefix("unix://")) as proxy:
        yield proxy


Open = Callable[..., Services]


@pytest.fixture
def opened(proxy: AnsweringProxy, tmp_path: Path) -> Iterator[Open]:
    made: list[Services] = []

    def services(*, spooled: bool = True) -> Services:
        settings = Settings.from_env({}, redis_url=proxy.url, spool_dir=str(tmp_path / "spool"))
        made.append(open_services(settings, spooled=spooled))
        return made[-1]

    yield services
    for each in made:
        each.close()


def refuse(proxy: AnsweringProxy, said: str) -> None:
    proxy.answers = {name: f"-{said}\r\n".encode() for name in REFUSED}


@pytest.mark.parametrize("said", SAID)
def test_hits_are_spooled_and_counted_once_whatever_the_store_says(
    proxy: AnsweringProxy, opened: Open, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    services = opened()
    hail, whale = Client(hail_app(services)), Client(whale_app(services, buffered=True))
    assert hail.get("/count", "pk=Shop").text == "OK"
    refuse(proxy, said)
    for app in (hail, whale):
        for query in ("pk=Shop", "pk=Other&id=7", "pk=Shop&uid=ann"):
            found = app.get("/count", query)
            assert (found.status, found.errors) == (200, "")
    for path in ("/totals", "/count_now", "/rank", "/subdimensions"):
        assert whale.get(path, "pk=Shop").status == 503
    for app in (hail, whale):
        assert (app.get("/healthz").status, app.get("/healthz").json["store"]) == (200, "away")
        assert app.get("/readyz").status == 503
    logged = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert len([line for line in logged if "hits are written to the spool" in line]) == 1
    proxy.answers = {}
    assert services.spool is not None
    wait_for(lambda: not services.spool or not services.spool.size_bytes(), "an empty spool")
    services.drain.flush()
    assert (total(whale, "Shop"), total(whale, "Other")) == (5, 1)


@pytest.mark.parametrize("said", SAID)
def test_a_hail_starts_on_a_store_that_refuses_everything(
    proxy: AnsweringProxy, opened: Open, said: str
) -> None:
    refuse(proxy, said)
    services = opened()
    assert Client(hail_app(services)).get("/count", "pk=Shop").text == "OK"
    proxy.answers = {}
    wait_for(lambda: not services.spool or not services.spool.size_bytes(), "an empty spool")
    assert services.drain.flush() == 1


@pytest.mark.parametrize("said", SAID)
def test_a_drain_waits_and_logs_the_reason_once(
    proxy: AnsweringProxy, opened: Open, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    services = opened(spooled=False)
    services.hail.count({"pk": "Shop"})
    refuse(proxy, said)
    stop = Flag()
    thread = Thread(target=services.drain.run, args=(stop, 0.01))
    thread.start()
    refusals: list[str] = []
    wait_for(lambda: _lines(caplog) != refusals, "a line in the log")
    proxy.answers = {}
    wait_for(lambda: not services.store.stats.loads(), "the drain to count")
    stop.set()
    thread.join()
    assert len([line for line in _lines(caplog) if "retrying" in line]) == 1
    assert total(Client(whale_app(services)), "Shop") == 1


def _lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "hailwhale.drain"]


def test_a_drain_outlives_an_error_of_its_own(
    opened: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    services = opened(spooled=False)
    services.hail.count({"pk": "Shop"})
    loads = services.store.stats.loads
    calls = iter([ValueError("a mistake"), ValueError("a mistake")])

    def failing() -> Any:
        for error in calls:
            raise error
        return loads()

    monkeypatch.setattr("hailwhale.services.ingest.retries.FIRST_WAIT_S", 0.01)
    monkeypatch.setattr(services.store.stats, "loads", failing)
    stop = Flag()
    thread = Thread(target=services.drain.run, args=(stop, 0.01))
    thread.start()
    wait_for(lambda: next(calls, None) is None and not loads(), "the drain to count")
    stop.set()
    thread.join()
    assert len([line for line in _lines(caplog) if "unexpected error" in line]) == 1


@pytest.mark.parametrize(
    ("script", "is_ours"),
    [
        ("return nil + 1", True),
        ("return )", True),
        ("redis.call('SET', 'x')", True),
        ("redis.call('SET', 'x', 1) redis.call('LPUSH', 'x', 1)", True),
        ("redis.call('SET', 'x', 'y') redis.call('INCR', 'x')", True),
        ("return redis.error_reply('SOMETHING else')", False),
    ],
)
def test_an_error_of_ours_is_no_outage(server: EmbeddedValkey, script: str, is_ours: bool) -> None:
    client = connect(server.url, timeout_s=10)
    expected: type[Exception] = Exception if is_ours else StoreUnavailable
    with pytest.raises(expected) as raised, faults_named():
        client.eval(script, 0)
    assert isinstance(raised.value, StoreUnavailable) is not is_ours
    client.close()
