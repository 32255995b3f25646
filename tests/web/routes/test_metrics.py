"""The operator's view: /metrics, /readyz, the request's id and its line in the log."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.services.ops.request_stats import RequestStats
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import EncodedHit
from hailwhale.web.apps import hail_app, whale_app
from tests.conftest import NOW_S
from tests.parts import let_hits_wait, with_parts
from tests.web.client import Client


def read(client: Client) -> dict[str, float]:
    """Every sample of /metrics by its name and labels, read by a parser that is not ours."""
    answer = client.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    return {
        f"{sample.name}{sample.labels or ''}": sample.value
        for family in text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


def durations(found: dict[str, float], part: str) -> dict[str, float]:
    return {name: value for name, value in found.items() if f"duration_seconds_{part}" in name}


def test_counted_events_are_reported(hail: Client, whale: Client, services: Services) -> None:
    hail.post("/count", [{"pk": "Shop"}, {"pk": "Shop", "id": "x"}, {"pk": "Shop", "id": "x"}])
    services.drain.flush()
    hail.get("/count", "pk=Shop")
    found = read(whale)
    assert found["hailwhale_accepted_total"] == 3
    assert found["hailwhale_duplicate_total"] == 1
    assert found["hailwhale_drained_total"] == 2
    assert found["hailwhale_buffered_hits"] == found["hailwhale_deepest_buffer_hits"] == 1
    assert found["hailwhale_store_up"] == 1


def test_hits_that_wait_are_the_lag(hail: Client, services: Services) -> None:
    hail.get("/count", "pk=Shop")
    wait(services, 3_000)
    assert read(hail)["hailwhale_drain_lag_seconds"] == pytest.approx(3_000, abs=100)


def wait(services: Services, by_s: int) -> None:
    """Let the hits of Shop have waited longer."""
    assert isinstance(services.store, RedisStore)
    let_hits_wait(services.store, "Shop", by_s)


def test_dead_letters_are_reported(whale: Client, services: Services) -> None:
    services.store.buffers.accept([EncodedHit("Shop", b"junk")], NOW_S)
    services.drain.flush()
    found = read(whale)
    assert found["hailwhale_dead_letters"] == found["hailwhale_dead_total"] == 1


@pytest.mark.parametrize(
    ("path", "query", "reason"),
    [
        ("/count", "metrcis=1", "wrong"),
        ("/totals", "period=x", "wrong"),
        ("/count", f"pk={'x' * 70_000}", "large"),
    ],
)
def test_refusals_are_counted_by_reason(whale: Client, path: str, query: str, reason: str) -> None:
    assert whale.get(path, query).status in (400, 413)
    assert read(whale)[f"hailwhale_refused_total{{'reason': '{reason}'}}"] == 1


def test_a_full_buffer_is_a_reason(make_services: Callable[..., Services]) -> None:
    hail = Client(hail_app(make_services(buffer_limit=1)))
    hail.get("/count", "pk=Shop")
    assert hail.get("/count", "pk=Shop").status == 503
    assert hail.post("/count", [{"pk": "Shop"}] * 3).status == 503
    assert read(hail)["hailwhale_refused_total{'reason': 'full'}"] == 4


def test_each_refused_event_of_a_batch_is_reported(whale: Client) -> None:
    whale.post("/count", [{"pk": "Shop"}, {"metrcis": 1}, {"metrcis": 2}])
    assert read(whale)["hailwhale_refused_total{'reason': 'wrong'}"] == 2


def test_a_decision_is_described(whale: Client) -> None:
    whale.get("/decide", {"pk": "Page", "options": ["a", "b"], "by_metric": "earned/hits"})
    assert read(whale)["hailwhale_decisions_total"] == 1


def test_requests_are_counted_by_route_and_status_with_durations(whale: Client) -> None:
    whale.get("/count", "pk=Shop")
    whale.get("/count", "metrcis=1")
    whale.get("/totals", "pk=Shop")
    found = read(whale)
    assert durations(found, "count") == {
        "hailwhale_request_duration_seconds_count{'route': '/count', 'status': '200'}": 1,
        "hailwhale_request_duration_seconds_count{'route': '/count', 'status': '400'}": 1,
        "hailwhale_request_duration_seconds_count{'route': '/totals', 'status': '200'}": 1,
    }
    assert all(seconds > 0 for seconds in durations(found, "sum").values())


def test_several_processes_are_one_sum(make_services: Callable[..., Services]) -> None:
    one, other = (Client(whale_app(make_services())) for _ in range(2))
    for client in (one, other, other):
        client.get("/count", "pk=Shop")
        read(client)
    name = "hailwhale_request_duration_seconds_count{'route': '/count', 'status': '200'}"
    assert read(one)[name] == 3


def test_while_the_store_is_unavailable_only_that_is_reported(services: Services) -> None:
    away = _Away()
    tallies = RequestStats(away)
    store = with_parts(services.store, stats=away, request_stats=away)
    told = replace(services, store=store, tallies=tallies)
    assert read(Client(whale_app(told))) == {"hailwhale_store_up": 0}
    tallies.close()


class _Away:
    """A part of a store that does not answer."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(*_: object, **__: object) -> None:
            raise StoreUnavailable("the store does not answer")

        return refuse


# Ready


def test_a_service_is_ready_while_its_store_answers(whale: Client, hail: Client) -> None:
    for client in (whale, hail):
        answer = client.get("/readyz")
        assert (answer.status, answer.json) == (200, {"status": "ready", "lag_s": 0})


def test_a_drain_that_is_far_behind_makes_it_not_ready(
    make_services: Callable[..., Services],
) -> None:
    services = make_services(ready_lag_s=6_000)
    hail = Client(hail_app(services))
    hail.get("/count", "pk=Shop")
    wait(services, 5_000)
    assert hail.get("/readyz").status == 200
    wait(services, 2_000)
    answer = hail.get("/readyz")
    assert answer.status == 503
    assert answer.json["status"] == "not ready"
    assert re.fullmatch(
        r"hits have waited 7\d{3} s for the drain; the limit is 6000 s", answer.json["reason"]
    )
    assert answer.headers["retry-after"] == "2"


def test_any_lag_may_be_where_the_settings_say_so(
    make_services: Callable[..., Services],
) -> None:
    services = make_services(ready_lag_s=0)
    hail = Client(hail_app(services))
    hail.get("/count", "pk=Shop")
    wait(services, 5_000)
    assert hail.get("/readyz").status == 200


def test_without_its_store_it_is_alive_and_not_ready(services: Services) -> None:
    store = with_parts(services.store, stats=_Away())
    client = Client(whale_app(replace(services, store=store)))
    assert client.get("/healthz").json["store"] == "away"
    assert client.get("/readyz").status == 503


# The request's id, and the log


def test_every_answer_has_an_id_of_its_own(whale: Client) -> None:
    answers = [whale.get("/count"), whale.get("/count"), whale.get("/totals", "period=x")]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


def test_an_id_that_a_proxy_gave_is_kept(whale: Client) -> None:
    assert whale.get("/count", x_request_id="a1-b2_c3.d4").headers["x-request-id"] == "a1-b2_c3.d4"


@pytest.mark.parametrize("given", ["", "a b", "a\x1b[31m", "<script>", "x" * 65, "é", '"'])
def test_an_invalid_request_id_is_replaced(whale: Client, given: str) -> None:
    headers = {"HTTP_X_REQUEST_ID": given}
    answer = whale.request("GET", "/count", environ=headers)
    assert answer.headers["x-request-id"] != given


@pytest.mark.parametrize(
    ("lines", "logged"),
    [
        ("none", []),
        ("errors", []),
        ("refused", ["GET /totals 400"]),
        ("all", ["GET /count 200", "GET /totals 400"]),
    ],
)
def test_the_log_has_the_requests_it_is_to_have_and_no_query(
    make_services: Callable[..., Services],
    caplog: pytest.LogCaptureFixture,
    lines: str,
    logged: list[str],
) -> None:
    whale = Client(whale_app(make_services(log_requests=lines)))
    with caplog.at_level(logging.INFO, "hailwhale.request"):
        whale.get("/count", "pk=secret")
        whale.get("/totals", "pk=secret&period=x")
    assert [record.getMessage() for record in caplog.records] == logged
    assert "secret" not in caplog.text
