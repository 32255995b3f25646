"""What the client's tests share: services over HTTP, and a relay that loses answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import pytest

from hailwhale.client import Client
from hailwhale.core.query.parameters import parse_totals
from hailwhale.services.container import Services
from hailwhale.services.json_shapes import totals_json
from hailwhale.types import PathLike
from hailwhale.web.apps import whale_app
from tests.browser.serving import serving
from tests.conftest import NOW_S

MakeClient = Callable[..., Client]
Serve = Callable[[Any], str]
Total = Callable[..., object]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves WSGI apps over HTTP until the test's end; where each is."""
    with ExitStack() as servers:
        yield lambda app: servers.enter_context(serving(app))


@pytest.fixture
def url(services: Services, serve: Serve) -> str:
    """Whale alone, at the tests' clock."""
    return serve(whale_app(services))


@pytest.fixture
def make_client(url: str) -> Iterator[MakeClient]:
    """Makes clients that send at once and are closed at the end."""
    made: list[Client] = []

    def make(at: str | None = None, token: str | None = None, **options: Any) -> Client:
        client = Client(at or url, token, **{"linger_s": 0, "close_timeout_s": 0, **options})
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    return make_client()


@pytest.fixture
def total(services: Services) -> Total:
    """What the store has of a metric, ever."""

    def total(pk: object, metric: str = "hits", dimensions: object = "") -> object:
        question = {"pk": pk, "dimensions": dimensions, "metrics": metric, "period": "all"}
        [found] = totals_json(services.reporting.totals(parse_totals(question)))["all"].values()
        return found[metric]

    return total


def count(client: Client, number: int, pk: PathLike = "Shop") -> None:
    """Count events at the tests' clock, each for as many dollars as it has places before it."""
    for dollars in range(number):
        assert client.count(pk, metrics={"dollars": dollars}, at=NOW_S)


class Relay(ThreadingHTTPServer):
    """Hands requests on to a service, and keeps the first answers to itself.

    `batches` has the events of every request.
    """

    daemon_threads = True

    def __init__(self, service: str, swallows: int) -> None:
        self.service = service
        self.swallows = swallows
        self.batches: list[list[dict[str, Any]]] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Relay

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.batches.append(json.loads(body))
        request = Request(  # noqa: S310
            self.server.service + self.path, body, {"Content-Type": "application/json"}
        )
        with urlopen(request) as answer:  # noqa: S310
            answered = answer.read()
        self.close_connection = True
        if self.server.swallows:
            self.server.swallows -= 1
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(answered)))
        self.end_headers()
        self.wfile.write(answered)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def relay(url: str) -> Iterator[Relay]:
    """A relay to `url` that keeps the first three answers to itself."""
    with Relay(url, swallows=3) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)
