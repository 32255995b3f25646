"""/spy: the last events, as JSON and live."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import bottle
import pytest

from hailwhale.services.container import Services
from hailwhale.web.apps import whale_app
from hailwhale.web.request import SizeLimits
from hailwhale.web.routes.spy import LOOKS, MAX_VIEWERS, add_spy, max_viewers
from tests.conftest import NOW_S
from tests.web.client import Client

LIVE = "text/event-stream"


def test_the_newest_events_are_shown(whale: Client) -> None:
    for n in range(3):
        whale.get("/count", {"pk": ["Shop", n], "uid": f"u{n % 2}", "metric": {"dollars": "1.50"}})
    answer = whale.get("/spy", {"pk": "Shop", "uid": "u0", "limit": 1})
    [event] = answer.json["events"]
    assert len(event.pop("visitor")) == 12
    metrics = {"dollars": pytest.approx(1.5), "hits": 1}
    assert event == {"at": NOW_S, "pk": ["Shop", "2"], "dimensions": [], "metrics": metrics}
    assert len(whale.get("/spy", "pk=Shop").json["events"]) == 3
    assert whale.get("/spy").json == {"events": []}
    assert answer.headers["cache-control"].startswith("no-store")


def test_invalid_input_is_a_400(whale: Client) -> None:
    assert whale.get("/spy", "limit=x").error["parameter"] == "limit"
    assert whale.get("/spy", "pks=x").status == 400


def test_hail_has_no_spy_log(hail: Client) -> None:
    assert hail.get("/spy").status == 404


# Live


class Pause:
    """In place of waiting: does the next thing, and then nothing any more."""

    def __init__(self, *doings: Callable[[], object]) -> None:
        self._doings = iter(doings)

    def __call__(self, _seconds: float) -> None:
        next(self._doings, lambda: None)()


def viewed(services: Services, *doings: Callable[[], object]) -> Client:
    app = bottle.Bottle()
    add_spy(app, services, SizeLimits(65_536, 65_536, 10), Pause(*doings))
    return Client(app)


def told(text: str) -> list[tuple[str, Any]]:
    """The events of a stream with their ids; comments are left out."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["id"], json.loads(lines["data"])["metrics"]["n"]))
    return found


def counting(services: Services, *numbers: int) -> Callable[[], None]:
    def count() -> None:
        for n in numbers:
            services.counting.count_now({"pk": "Shop", "metrics": {"n": n}})

    return count


def test_events_are_shown_as_they_arrive_the_oldest_first(services: Services) -> None:
    counting(services, 1, 2)()
    client = viewed(services, counting(services, 3), lambda: None, counting(services, 4, 5))
    answer = client.get("/spy", "pk=Shop&live=1")
    assert answer.headers["content-type"].startswith(LIVE)
    assert told(answer.text) == [("2", 1), ("2", 2), ("3", 3), ("5", 4), ("5", 5)]
    assert answer.text.count(": no new events") > LOOKS / 20


def test_a_reconnecting_viewer_gets_the_events_it_missed(services: Services) -> None:
    counting(services, 1, 2, 3)()
    client = viewed(services)
    answer = client.get("/spy", "pk=Shop", accept=LIVE, last_event_id="2")
    assert told(answer.text) == [("3", 3)]


@pytest.mark.parametrize("last", ["", "x", "-1", "1e9", "²"])
def test_an_invalid_last_event_id_counts_as_none(services: Services, last: str) -> None:
    counting(services, 1)()
    client = viewed(services)
    environ = {"HTTP_ACCEPT": LIVE, "HTTP_LAST_EVENT_ID": last}
    answer = client.request("GET", "/spy", "pk=Shop", environ=environ)
    assert told(answer.text) == [("1", 1)]


def test_there_are_few_viewers_at_once_and_one_who_goes_makes_room(services: Services) -> None:
    app = whale_app(services)
    environ = {
        "REQUEST_METHOD": "GET",
        "HTTP_HOST": "localhost",
        "PATH_INFO": "/spy",
        "QUERY_STRING": "pk=Shop&live=1",
        "wsgi.errors": None,
    }
    statuses: list[str] = []

    def look() -> Iterator[bytes]:
        answer: Iterator[bytes] = app(dict(environ), lambda status, *_: statuses.append(status))
        return answer

    viewers = [look() for _ in range(MAX_VIEWERS)]
    assert [next(iter(viewer))[:1] for viewer in viewers] == [b":"] * MAX_VIEWERS
    refused = look()
    viewers[0].close()  # type: ignore[attr-defined]
    viewers.append(look())
    assert statuses == ["200 OK"] * MAX_VIEWERS + ["503 Service Unavailable", "200 OK"]
    for viewer in itertools.chain(viewers, [refused]):
        getattr(viewer, "close", lambda: None)()


@pytest.mark.parametrize("threads", [1, 2, 3, 4, 16])
def test_viewers_leave_threads_for_everybody_else(
    make_services: Callable[..., Services], threads: int
) -> None:
    whale = whale_app(make_services(threads=threads))
    told: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/spy",
        "QUERY_STRING": "pk=Shop&live=1",
        "HTTP_HOST": "localhost",
    }
    streams = [whale(dict(environ), lambda status, *_: told.append(status)) for _ in range(threads)]
    served = [status for status in told if status.startswith("200")]
    assert len(served) == max_viewers(threads) < threads
    assert {status[:3] for status in told} - {"200"} == {"503"}
    reason = Client(whale).get("/spy", "pk=Shop&live=1").error["message"]
    assert "HAILWHALE_THREADS" in reason
    for stream in streams[: len(served)]:
        stream.close()
