"""Floods: of labels, events, bytes and requests; each ends at a bound, and the rest is served.

The bounds one by one are in tests/services/ingest/test_count_now.py,
tests/services/security/test_rate_limit.py and
tests/web/test_too_large.py; here they stand against somebody who tries.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
import redis

from hailwhale.services.container import Services
from hailwhale.services.ingest import bots
from hailwhale.web import request
from hailwhale.web.apps import hail_app, whale_app
from tests.conftest import Clock
from tests.deploy.running import until
from tests.web.client import LINES, Client
from tests.web.queries import total

MakeServices = Callable[..., Services]


def keys_of(client: redis.Redis, namespace: str) -> int:
    return sum(1 for _ in client.scan_iter(f"{namespace}:*", count=1_000))


@pytest.mark.parametrize("where", ["pk", "dimension", "below"])
def test_labels_without_end_end_in_other(
    make_services: MakeServices, client: redis.Redis, namespace: str, where: str
) -> None:
    whale = Client(whale_app(make_services(max_children=20, spy_entries=0)))

    def event(number: int) -> dict[str, object]:
        if where == "pk":
            return {"pk": ["Shop", f"p{number}"]}
        path = [f"d{number}"] if where == "dimension" else ["ip", f"d{number}"]
        return {"pk": "Shop", "dimensions": path}

    sizes = []
    for start in range(0, 2_000, 500):
        whale.post("/count", [event(number) for number in range(start, start + 500)])
        sizes.append(keys_of(client, namespace + ":{*}"))
    assert sizes[1:] == [sizes[1]] * 3
    assert total(whale, "Shop") == 2_000
    if where == "pk":
        assert total(whale, ["Shop", "_other"]) == 1_980
    else:
        other = ["_other"] if where == "dimension" else ["ip", "_other"]
        assert total(whale, "Shop", dimension=other) == 1_980


def test_paths_without_end_are_bounded_all_together(
    make_services: MakeServices, client: redis.Redis, namespace: str, clock: Clock
) -> None:
    """Each label may have as many below it as any: so there could be millions of millions."""
    services = make_services(max_series=300, spy_entries=0)
    whale = Client(whale_app(services))
    sizes = []
    for start in range(0, 2_000, 100):
        clock.now_s += 1
        events = [
            {"pk": ["Shop", f"p{n % 7}"], "dimensions": [[f"a{n % 20}", f"b{n % 100}", f"c{n}"]]}
            for n in range(start, start + 100)
        ]
        whale.post("/count", events)
        sizes.append(services.store.stats.vitals().series)
    assert sizes[0] > 300  # one step may bring more than there is room for
    assert max(sizes) <= 2 * sizes[0]  # and each that is there may get an _other below it
    assert sizes[-10:] == [sizes[-1]] * 10
    assert keys_of(client, namespace) < 5 * sizes[-1]
    assert total(whale, "Shop") == 2_000
    children = sum(total(whale, "Shop", dimension=[f"a{n}"]) for n in range(20))
    assert children + total(whale, "Shop", dimension=["_other"]) == 2_000
    # What is known goes on as before.
    whale.get("/count", {"pk": '["Shop", "p0"]', "dimensions": '["a0"]'})
    assert total(whale, ["Shop", "p0"], dimension=["a0"]) > 0


@pytest.mark.parametrize("app", [hail_app, whale_app])
def test_root_pks_without_end_end_in_other(
    make_services: MakeServices,
    client: redis.Redis,
    namespace: str,
    app: Callable[[Services], Any],
) -> None:
    services = make_services(max_roots=20, spy_entries=0)
    door = Client(app(services))
    door.get("/count", "pk=Shop")
    sizes = []
    for start in range(0, 800, 200):
        door.post("/count", [{"pk": [f"r{n}", "below"]} for n in range(start, start + 200)])
        services.drain.flush()
        sizes.append(keys_of(client, namespace + ":{*}"))
    assert sizes[1:] == [sizes[0]] * 3
    door.get("/count", "pk=Shop")
    door.get("/count", "pk=Late&id=1")
    assert door.get("/count", "pk=Late&id=1").status == 200
    services.drain.flush()
    whale = Client(whale_app(services))
    assert len(services.store.labels.subpks(())) == 21
    assert total(whale, "Shop") == 2
    assert total(whale, "r0") == 1
    assert total(whale, "_other") == 800 - 19 + 1
    assert total(whale, ["_other", "below"]) == 800 - 19


def test_metrics_without_end_are_summed_up_as_other(
    make_services: MakeServices, client: redis.Redis, namespace: str
) -> None:
    services = make_services(max_names=10, spy_entries=0)
    hail, whale = Client(hail_app(services)), Client(whale_app(services))
    for start in range(0, 400, 8):
        metrics = {f"m{n}": 2 for n in range(start, start + 8)}
        hail.post("/count", {"pk": "Shop", "metrics": metrics})
    services.drain.flush()
    assert services.store.labels.metrics(("Shop",)) == {
        "hits",
        *(f"m{n}" for n in range(9)),
        "_other",
    }
    assert total(whale, "Shop", metric="m0") == 2
    assert total(whale, "Shop", metric="_other") == 2 * (400 - 9)
    # Other root pks have names of their own.
    hail.post("/count", {"pk": "Elsewhere", "metrics": {"m399": 1}})
    services.drain.flush()
    assert services.store.labels.metrics(("Elsewhere",)) == {"hits", "m399"}


def test_a_noisy_root_pk_delays_itself_and_no_other(services: Services) -> None:
    """A drain takes turns: a window of each shard, each of bounded cells."""
    noisy = {"dimensions": [[f"d{n}", "a", "b", "c"] for n in range(32)], "metrics": ["m", "n"]}
    events = 60
    for number in range(events):
        services.hail.count({"pk": ["Noisy", f"p{number}", "a", "b", "c"], **noisy})
    services.hail.count({"pk": "Quiet"})
    whale, stop = Client(whale_app(services)), Event()
    drain = Thread(target=services.drain.run, args=(stop, 0.01))
    drain.start()
    try:
        until(lambda: total(whale, "Quiet") == 1, "the quiet root pk")
        assert total(whale, "Noisy") < events
        until(lambda: total(whale, "Noisy") == events, "the noisy one")
    finally:
        stop.set()
        drain.join()


def test_a_buffer_that_is_full_takes_no_more_and_loses_nothing(make_services: MakeServices) -> None:
    services = make_services(buffer_limit=50)
    hail = Client(hail_app(services))
    answers = [hail.get("/count", "pk=Shop") for _ in range(80)]
    assert [answer.status for answer in answers] == [200] * 50 + [503] * 30
    assert int(answers[-1].headers["retry-after"]) > 0
    batch = hail.post("/count", [{"pk": "Shop"}] * 100)
    assert (batch.status, batch.json["accepted"]) == (503, 0)
    assert services.drain.flush() == 50
    assert hail.get("/count", "pk=Shop").status == 200


@pytest.mark.parametrize("kind", ["array", "lines", "bytes", "chunks", "query", "fields"])
def test_more_than_fits_is_refused_before_it_is_read(services: Services, kind: str) -> None:
    hail = Client(hail_app(services))
    sizes = services.settings
    answer = {
        "array": lambda: hail.post("/count", [{}] * (sizes.max_batch_events + 1)),
        "lines": lambda: hail.post("/count", "{}\n" * (sizes.max_batch_events + 1), LINES),
        "bytes": lambda: hail.post("/count", b"x" * (sizes.max_batch_bytes + 1)),
        "chunks": lambda: hail.post("/count", b"x" * (sizes.max_batch_bytes + 1), chunked=True),
        "query": lambda: hail.get("/count", "pk=" + "x" * sizes.max_event_bytes),
        "fields": lambda: hail.get("/count", "&".join(f"_{n}=1" for n in range(10_000))),
    }[kind]()
    assert answer.status in (400, 413)
    assert services.drain.flush() == 0


def test_a_body_is_read_only_up_to_the_limit(services: Services) -> None:
    class Endless:
        """A body without end, of which is noted how much was read."""

        asked = 0

        def read(self, size: int = -1) -> bytes:
            assert size >= 0
            self.asked += size
            return b" " * size

    endless = Endless()
    environ = {"wsgi.input": endless, "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = Client(hail_app(services)).request("POST", "/count", environ=environ)
    assert answer.status == 413
    assert endless.asked == services.settings.max_batch_bytes + 1


@pytest.mark.parametrize("path", ["/count", "/totals", "/graph.js?token=x", "/tracker", "/reset"])
def test_a_client_over_its_limit_gets_429_and_others_are_answered(
    make_services: MakeServices, path: str
) -> None:
    services = make_services(rate_limit="20/hour", reading="open")
    whale = Client(whale_app(services))
    path, _, query = path.partition("?")

    def ask(address: str, **headers: str) -> int:
        environ = {"REMOTE_ADDR": address, **headers}
        return whale.request("GET", path, query or "pk=Shop", environ=environ).status

    found = [ask("192.0.2.1") for _ in range(40)]
    assert found[20:] == [429] * 20
    assert 429 not in found[:20]
    # No header of its own makes it somebody else: no proxy is trusted.
    for name in ("X_FORWARDED_FOR", "X_REAL_IP", "FORWARDED", "CLIENT_IP", "TRUE_CLIENT_IP"):
        assert ask("192.0.2.1", **{f"HTTP_{name}": "198.51.100.7"}) == 429
    assert ask("192.0.2.2") != 429
    # Nor does an address of IPv6 out of the many that everybody has.
    many = [ask(f"2001:db8:0:1::{number:x}") for number in range(40)]
    assert many[20:] == [429] * 20


def test_what_is_remembered_of_requests_is_bounded(
    make_services: MakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = make_services(skip_bots=True)
    whale = Client(whale_app(services))
    for number in range(300):
        agent = f"{'x' * 8_000}{number}"
        assert whale.get("/count", {"pk": "Shop", "_": "y" * 2_000}, user_agent=agent).status == 200
    assert bots._is_known.cache_info().currsize < 300  # one, of what they begin with
    parameters = request._remembered.cache_info()
    assert parameters.maxsize is not None
    assert parameters.maxsize * request._REMEMBERED_CHARS <= 4 * 2**20


def test_a_question_is_of_so_many_points_periods_and_formulas(whale: Client) -> None:
    for query in (
        "period=1m:100y",
        "period=1h:3y",
        f"periods={json.dumps(['1d:1w'] * 33)}",
        f"metrics={json.dumps([f'm{n}' for n in range(65)])}",
        f"metrics={'(' * 21}hits{')' * 21}",
        f"metrics={'hits+' * 200}hits",
        f"dimensions={json.dumps([[str(n)] for n in range(33)])}",
        "depth=9",
        "limit=1000001",
    ):
        assert whale.get("/plotpoints", query).status == 400


def test_viewers_of_the_spy_log_are_limited(whale: Client) -> None:
    """Each takes a thread for ten minutes; the fifth gets a 503."""
    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "PATH_INFO": "/spy"}
    environ["HTTP_HOST"] = "localhost"
    told: list[str] = []
    streams = [
        whale.app(
            {**environ, "QUERY_STRING": "pk=Shop&live=1"}, lambda status, *_: told.append(status)
        )
        for _ in range(5)
    ]
    assert [status[:3] for status in told] == ["200"] * 4 + ["503"]
    assert whale.get("/totals", "pk=Shop").status == 200
    for stream in streams[:4]:
        stream.close()
