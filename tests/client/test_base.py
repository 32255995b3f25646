"""The client's events at a real service: each counts once, whatever happens on the way."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from hailwhale.client import Client, Stats
from hailwhale.errors import BadInput
from hailwhale.services.container import Services
from hailwhale.web.apps import hail_app, whale_app
from tests.client.conftest import MakeClient, Relay, Serve, Total, count
from tests.conftest import NOW_S
from tests.deploy.running import DEADLINE_S, until

WSGI = Callable[[dict[str, Any], Any], Any]


def test_an_event_is_counted_in_the_background(client: Client, total: Total) -> None:
    sale = {"revenue": 19.99, "sales": 1}
    assert client.count(["Product", 7], {"country": "US"}, sale, at=NOW_S)
    assert client.flush(DEADLINE_S)
    assert client.stats == Stats(counted=1)
    assert total("Product", "revenue", [["country", "US"]]) == 19.99


def test_events_go_in_batches_and_by_two_routes(client: Client, total: Total) -> None:
    for _ in range(700):
        client.count("Shop", at=NOW_S)
        client.count_decision("Page", "b", metric={"earned": 2}, at=NOW_S)
    assert client.flush(DEADLINE_S)
    assert client.stats == Stats(counted=1_400)
    assert (total("Shop"), total(["Page", "b"], "earned")) == (700, 1_400)


def test_lost_answers_double_nothing_for_events_come_again_with_their_ids(
    relay: Relay, make_client: MakeClient, total: Total
) -> None:
    client = make_client(relay.url, linger_s=100)
    count(client, 40)
    assert client.flush(DEADLINE_S)
    assert client.stats.counted == total("Shop") == 40
    assert client.stats.failures == 3
    assert len(relay.batches) == 4
    assert [relay.batches[0]] * 4 == relay.batches
    assert len({event["id"] for event in relay.batches[0]}) == 40


def test_an_id_of_ones_own_counts_once(client: Client, total: Total) -> None:
    for _ in range(3):
        client.count("Shop", id="order-17", at=NOW_S)
    assert client.flush(DEADLINE_S)
    assert client.stats.counted == 3
    assert total("Shop") == 1


def test_a_service_that_hangs_holds_up_nobody(
    services: Services, serve: Serve, make_client: MakeClient, total: Total
) -> None:
    app, asked, goes_on = whale_app(services), Event(), Event()

    def hangs(environ: dict[str, Any], start_response: Any) -> Any:
        asked.set()
        goes_on.wait(DEADLINE_S)
        return app(environ, start_response)

    client = make_client(serve(hangs))
    try:
        count(client, 1)
        assert asked.wait(DEADLINE_S)
        count(client, 1_000)
        assert not client.flush(timeout_s=0.01)
        assert client.stats == Stats(queued=1_001)
    finally:
        goes_on.set()
    assert client.flush(DEADLINE_S)
    assert total("Shop") == 1_001


@pytest.mark.parametrize("bound", [{"max_events": 3}, {"max_bytes": 1_400}])
def test_a_full_queue_drops_what_comes_and_says_so(
    make_client: MakeClient, bound: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client("http://127.0.0.1:9", linger_s=100, **bound)
    taken = [client.count("Shop", at=NOW_S) for _ in range(5)]
    assert taken == [True, True, True, False, False]
    assert (client.stats.queued, client.stats.dropped) == (3, 2)
    assert caplog.messages == ["the queue is full: 1 events dropped so far"]


def test_a_wrong_event_is_refused_alone_and_reported(
    client: Client, total: Total, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.count("Shop", at=NOW_S)
    assert client.count("Shop", metrics={"a/b": 1}, at=NOW_S)
    assert client.count("Shop\ud800", at=NOW_S)
    assert not client.count(object())  # type: ignore[arg-type]
    assert client.count("Shop", at=NOW_S)
    assert client.flush(DEADLINE_S)
    assert (client.stats.counted, client.stats.refused, total("Shop")) == (2, 3, 2)
    assert "refused" in caplog.text


def test_events_refused_by_a_full_buffer_are_sent_again(
    make_services: Callable[..., Services], serve: Serve, make_client: MakeClient, total: Total
) -> None:
    small = make_services(buffer_limit=10)
    client = make_client(serve(hail_app(small)), linger_s=100)
    count(client, 25)
    client.flush(timeout_s=0)
    until(lambda: small.drain.flush() >= 0 and client.flush(timeout_s=0.05), "all to be buffered")
    small.drain.flush()
    assert client.stats.counted == total("Shop") == 25
    assert total("Shop", "dollars") == sum(range(25))


def test_a_batch_over_the_rate_of_events_gets_through_in_time(
    make_services: Callable[..., Services], serve: Serve, make_client: MakeClient, total: Total
) -> None:
    limited = make_services(event_rate_limit="10/second")
    client = make_client(serve(whale_app(limited)), linger_s=100)
    count(client, 25)
    until(lambda: client.flush(timeout_s=1), "all to be counted")
    assert (client.stats.counted, client.stats.refused, total("Shop")) == (25, 0, 25)
    assert total("Shop", "dollars") == sum(range(25))


def test_a_batch_over_the_services_size_is_sent_in_parts(
    make_services: Callable[..., Services], serve: Serve, make_client: MakeClient, total: Total
) -> None:
    strict = make_services(max_batch_bytes=600, max_event_bytes=600)
    client = make_client(serve(whale_app(strict)), linger_s=100)
    count(client, 20)
    client.count("Shop", dimensions=["x" * 250, "y" * 250, "z" * 250], at=NOW_S)
    count(client, 20)
    assert client.flush(DEADLINE_S)
    assert (client.stats.counted, client.stats.refused, total("Shop")) == (40, 1, 40)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        ("200 OK", [("Content-Type", "text/html")], b"<h1>Log in to this hotel</h1>"),
        ("302 Found", [("Location", "/count")], b""),
        ("404 Not Found", [], b"no such path"),
        ("401 Unauthorized", [], b'{"error": {"parameter": null, "message": "a token"}}'),
        ("429 Too Many Requests", [("Retry-After", "1")], b""),
        ("502 Bad Gateway", [], b"<h1>nginx</h1>"),
        ("503 Service Unavailable", [], b'{"error": {"parameter": null, "message": "away"}}'),
        ("200 OK", [], b'{"accepted": 1, "rejected": [], "unbuffered": [7]}'),
        ("200 OK", [], b"[1]"),
    ],
)
def test_an_answer_of_another_program_confirms_nothing(
    services: Services,
    serve: Serve,
    make_client: MakeClient,
    total: Total,
    status: str,
    headers: list[tuple[str, str]],
    body: bytes,
) -> None:
    app, asked = whale_app(services), []

    def strange_at_first(environ: dict[str, Any], start_response: Any) -> Any:
        asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if len(asked) == 1:
            start_response(status, headers)
            return [body]
        return app(environ, start_response)

    client = make_client(serve(strange_at_first))
    count(client, 1)
    until(lambda: client.stats.failures, "the strange answer")
    assert client.flush(DEADLINE_S)
    assert client.stats.counted == total("Shop") == 1
    assert asked == [("POST", "/count")] * 2


@pytest.mark.parametrize("told", ["99999999999", "9" * 400])
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_wait_that_no_clock_can_hold_does_not_end_the_sending(
    serve: Serve, make_client: MakeClient, status: str, told: str
) -> None:
    asked = []

    def full_at_first(environ: dict[str, Any], start_response: Any) -> Any:
        asked.append(environ["PATH_INFO"])
        if len(asked) == 1:
            start_response(status, [("Retry-After", told)])
            return [b'{"accepted": 0, "rejected": [], "unbuffered": [0]}']
        start_response("200 OK", [])
        return [b'{"accepted": 1, "rejected": []}']

    client = make_client(serve(full_at_first))
    count(client, 1)
    until(lambda: asked, "the first request")
    assert client.flush(DEADLINE_S)
    assert client.stats.counted == 1


def test_a_batch_that_is_refused_whole_is_not_sent_for_ever(
    serve: Serve, make_client: MakeClient
) -> None:
    def refuses(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("400 Bad Request", [])
        return [b'{"error": {"parameter": "body", "message": "not today"}}']

    client = make_client(serve(refuses), linger_s=100)
    count(client, 2)
    assert client.flush(DEADLINE_S)
    assert (client.stats.refused, client.stats.last_fault) == (2, "body: not today")


def test_what_was_sent_too_long_ago_to_be_known_is_dropped(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client("http://127.0.0.1:9")
    count(client, 1)
    until(lambda: client.stats.failures, "a first try")
    monkeypatch.setattr("hailwhale.client.outbox._KNOWN_S", -1)
    assert client.flush(DEADLINE_S)
    assert (client.stats.queued, client.stats.dropped) == (0, 1)


def test_what_has_no_answer_when_the_client_closes_is_dropped_and_said(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client("http://127.0.0.1:9", linger_s=100)
    count(client, 4)
    assert not client.close()
    assert not client.count("Shop")
    assert (client.stats.queued, client.stats.dropped) == (0, 5)
    assert "client closed: dropped 4 events without an answer" in caplog.messages


def test_a_with_block_counts_what_is_in_it(url: str, total: Total) -> None:
    with Client(url) as client:
        count(client, 3)
    assert client.stats.counted == total("Shop") == 3


def test_an_internal_error_does_not_end_the_sending(
    client: Client, total: Total, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    send, faults = client._outbox._send, [ZeroDivisionError("by chance")]

    def fails_once(*given: Any) -> Any:
        if faults:
            raise faults.pop()
        return send(*given)

    monkeypatch.setattr(client._outbox, "_send", fails_once)
    count(client, 2)
    assert client.flush(DEADLINE_S)
    assert total("Shop") == 2
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    ("url", "token", "parameter"),
    [
        ("hw.example.com", None, "url"),
        ("http://a", "hw_\r\nX: y", "token"),
        ("file:///", "", "url"),
    ],
)
def test_an_invalid_address_or_token_is_refused(
    url: str, token: str | None, parameter: str
) -> None:
    with pytest.raises(BadInput) as fault:
        Client(url, token)
    assert fault.value.parameter == parameter
    assert "X: y" not in str(fault.value)
