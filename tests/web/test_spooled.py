"""The apps of a deployment without its store: hits are spooled, everything else is 503."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis

from hailwhale.services.container import Services, open_services
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.redis.client import open_client
from hailwhale.store.redis.store import RedisStore
from hailwhale.web.apps import hail_app, whale_app
from hailwhale.web.lazy_app import LazyApp
from tests.web.client import JSON, Client
from tests.web.queries import total


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A store that a test may stop and start."""
    with EmbeddedValkey(tmp_path / "data", fsync="no") as server:
        yield server


def settings_of(server: EmbeddedValkey, **variables: str) -> Settings:
    url, folder = f"unix://{server.data_dir}/valkey.sock", str(server.data_dir / "spool")
    given = {"HAILWHALE_REDIS_URL": url, "HAILWHALE_SPOOL_DIR": folder, **variables}
    return Settings.from_env(given)


Open = Callable[..., Services]


@pytest.fixture
def opened(server: EmbeddedValkey) -> Iterator[Open]:
    """Opens services with a spool, as a serving process does."""
    made: list[Services] = []

    def services(**variables: str) -> Services:
        made.append(open_services(settings_of(server, **variables), spooled=True))
        return made[-1]

    yield services
    for each in made:
        each.close()


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def replayed(services: Services) -> bool:
    assert services.spool is not None
    return not services.spool.size_bytes()


COUNTED: list[tuple[str, str, int, str]] = [
    ("GET", "", 1, "OK"),
    ("POST", '{"pk": "Shop"}', 1, '{"accepted":1,"rejected":[]}'),
    (
        "POST",
        '[{"pk": "Shop"}, {"pk": "Shop", "id": "order-1"}]',
        2,
        '{"accepted":2,"rejected":[]}',
    ),
]


@pytest.mark.parametrize(
    "make_app", [hail_app, lambda services: whale_app(services, buffered=True)]
)
@pytest.mark.parametrize(("method", "body", "hits", "answer"), COUNTED)
def test_hits_accepted_while_the_store_is_unavailable_count_once(
    server: EmbeddedValkey,
    opened: Open,
    make_app: Callable[[Services], Any],
    method: str,
    body: str,
    hits: int,
    answer: str,
) -> None:
    services = opened()
    app, whale = Client(make_app(services)), Client(whale_app(services))
    server.stop()
    for _ in range(2):
        query = "" if body else "pk=Shop"
        found = app.request(method, "/count", query, body.encode() or None, JSON)
        assert (found.status, found.text, found.errors) == (200, answer, "")
    health = app.get("/healthz").json
    assert health["store"] == "away"
    assert health["spooled_bytes"] > 0
    server.start()
    until(lambda: replayed(services))
    services.drain.flush()
    assert total(whale, "Shop") == 2 * hits - (hits == 2)  # of an id one
    assert app.get("/healthz").json["spooled_bytes"] == 0


@pytest.mark.parametrize(
    "path", ["/count_now", "/totals", "/plotpoints", "/subdimensions", "/flush_hail", "/reset"]
)
def test_all_else_is_503(server: EmbeddedValkey, opened: Open, path: str) -> None:
    app = Client(whale_app(opened(), buffered=True))
    server.stop()
    assert app.get(path, "" if path == "/flush_hail" else "pk=Shop").status == 503


def test_a_wrong_event_is_refused_though_others_are_spooled(
    server: EmbeddedValkey, opened: Open
) -> None:
    app = Client(hail_app(opened()))
    server.stop()
    assert app.get("/count", "metrics={").status == 400
    report = app.post("/count", '[{"pk": "Shop"}, {"at": "never"}]').json
    assert (report["accepted"], report["rejected"][0]["index"]) == (1, 1)


UID = "ann.smith@example.com"


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/count", f"pk=Shop&uid={UID}", ""),
        ("POST", "/count", "", f'{{"pk": "Shop", "uid": "{UID}"}}'),
        ("POST", "/count", "", f'[{{"pk": "Shop"}}, {{"pk": "Shop", "uid": "{UID}"}}]'),
        ("GET", "/count_decision", f"pk=Shop&option=a&uid={UID}", ""),
        ("GET", "/tracker", f"pk=Shop&uid={UID}", ""),
        ("GET", "/tracker", "pk=Shop", ""),
    ],
)
def test_a_process_that_never_saw_the_store_takes_hits_of_visitors(
    server: EmbeddedValkey, opened: Open, method: str, path: str, query: str, body: str
) -> None:
    opened().close()
    server.stop()
    services = opened()
    app, whale = Client(hail_app(services)), Client(whale_app(services))
    for _ in range(2):
        found = app.request(method, path, query, body.encode() or None, JSON)
        assert (found.status, found.errors) == (200, "")
    spool = server.data_dir / "spool"
    assert not any(UID.encode() in file.read_bytes() for file in spool.iterdir())
    server.start()
    until(lambda: replayed(services))
    services.drain.flush()
    hits = 2 * (body.count("pk") or 1)
    assert total(whale, "Shop") == hits
    assert total(whale, "Shop", metric="uniques") == (UID in query + body)
    app.request(method, path, query, body.encode() or None, JSON)  # hashed in the process
    services.drain.flush()
    assert total(whale, "Shop") == hits * 1.5
    if UID in query + body:
        assert total(whale, "Shop", metric="uniques") == 1


def test_a_visitor_with_a_cookie_is_the_same_one_in_an_outage(
    server: EmbeddedValkey, opened: Open
) -> None:
    before = Client(hail_app(opened()))
    found = before.get("/tracker", "pk=Shop")
    cookie = found.headers["set-cookie"].partition(";")[0]
    server.stop()
    services = opened()
    hail = hail_app(services)
    during = Client(hail).request("GET", "/tracker", "pk=Shop", headers={"Cookie": cookie})
    assert (during.status, during.text) == (200, found.text)
    assert "set-cookie" not in during.headers
    forged = {"Cookie": "hwuid=someone.else"}
    assert Client(hail).request("GET", "/tracker", "pk=Shop", headers=forged).text == ""
    server.start()
    until(lambda: replayed(services))
    services.drain.flush()
    whale = Client(whale_app(services))
    assert (total(whale, "Shop"), total(whale, "Shop", metric="uniques")) == (3, 1)


def test_a_process_that_met_no_visitor_before_the_outage_hashes_them_in_it(
    server: EmbeddedValkey, opened: Open
) -> None:
    services = opened()
    app = Client(hail_app(services))
    server.stop()
    assert app.get("/count", "pk=Shop&uid=ann").status == 200
    answer = app.get("/tracker", "pk=Shop")
    assert answer.status == 200
    assert answer.text in answer.headers["set-cookie"]
    assert not list((server.data_dir / "spool").glob("*.key"))


def test_with_no_room_for_a_spool_it_is_503(server: EmbeddedValkey, opened: Open) -> None:
    app = Client(hail_app(opened(HAILWHALE_SPOOL_BYTES="0")))
    assert "spooled_bytes" not in app.get("/healthz").json
    server.stop()
    assert app.get("/count", "pk=Shop").status == 503


def test_it_starts_without_a_store_and_whale_answers_once_it_is_available(
    server: EmbeddedValkey, opened: Open
) -> None:
    server.stop()
    services = opened()
    app = Client(whale_app(services, buffered=True))
    assert app.get("/count", "pk=Shop").text == "OK"
    assert app.get("/totals", "pk=Shop").status == 503
    server.start()
    until(lambda: replayed(services))
    services.drain.flush()
    assert total(app, "Shop") == 1


def test_a_store_with_another_schema_is_refused_once_it_answers(
    server: EmbeddedValkey, opened: Open
) -> None:
    opened()  # in UTC
    server.stop()
    services = opened(HAILWHALE_TIMEZONE="Europe/Berlin")
    app = Client(hail_app(services))
    assert app.get("/count", "pk=Shop").status == 200
    server.start()
    until(lambda: app.get("/count", "pk=Shop").status == 503)
    assert "created with the time zone UTC" in app.get("/count", "pk=Shop").error["message"]
    assert not replayed(services)
    services.close()
    right = opened()  # the settings were put right
    until(lambda: replayed(right))


def test_a_late_app_with_a_spool_takes_hits_before_its_store_is_there(
    server: EmbeddedValkey,
) -> None:
    server.stop()
    made: list[Services] = []

    def make_app(services: Services) -> Any:
        made.append(services)
        return hail_app(services)

    app = Client(LazyApp(make_app, settings_of(server), spooled=True))
    assert app.get("/count", "pk=Shop").text == "OK"
    server.start()
    until(lambda: replayed(made[0]))
    assert made[0].drain.flush() == 1
    made[0].close()


def test_a_full_memory_spools_hits_and_names_the_setting_to_raise(tmp_path: Path) -> None:
    data = tmp_path / "small"
    with EmbeddedValkey(data, fsync="no", memory_bytes=1_000) as server:
        settings = settings_of(server)
        with closing(open_client(settings.redis_url, 10)) as admin:
            assert isinstance(admin, redis.Redis)
            admin.config_set("maxmemory", "1gb")
            with closing(open_services(settings, spooled=True)) as services:
                hail, whale = Client(hail_app(services)), Client(whale_app(services))
                assert whale.get("/count_now", "pk=Shop").status == 200
                admin.config_set("maxmemory", "1000")  # as the server was started
                assert hail.get("/count", "pk=Shop").status == 200
                answer = whale.get("/update_count_to", 'pk=Shop&metrics={"queued":12}')
                assert answer.status == 503
                assert "HAILWHALE_STORE_MEMORY" in answer.error["message"]
                assert total(whale, "Shop") == 1
                admin.config_set("maxmemory", "1gb")
                until(lambda: replayed(services))
                services.drain.flush()
                assert total(whale, "Shop") == 2


def test_the_limit_of_the_settings_is_that_of_the_embedded_server(tmp_path: Path) -> None:
    variables = {"HAILWHALE_DATA_DIR": str(tmp_path / "data"), "HAILWHALE_STORE_MEMORY": "64mb"}
    with closing(open_services(Settings.from_env(variables))) as services:
        store = services.store
        assert isinstance(store, RedisStore)
        assert isinstance(store.client, redis.Redis)
        found = store.client.config_get("maxmemory*")
        assert found["maxmemory"] == str(64 * 1024**2)
        assert found["maxmemory-policy"] == "noeviction"
