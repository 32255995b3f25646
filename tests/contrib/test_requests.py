"""Requests of real Flask, FastAPI and Starlette apps are counted, and the apps never notice."""

from __future__ import annotations

import asyncio
import io
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from threading import Thread
from typing import Any
from wsgiref.util import FileWrapper

import flask
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI, HTTPException
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client as Visitor

from examples.flask_counted import make_app
from hailwhale.client import Client
from hailwhale.contrib import asgi, wsgi
from hailwhale.contrib.request_events import EventCounter, templates
from hailwhale.core.query.parameters import parse_totals
from hailwhale.hail import Hail
from hailwhale.services.container import Services
from hailwhale.services.json_shapes import totals_json
from hailwhale.web.apps import whale_app
from tests.browser.serving import serving
from tests.conftest import Clock
from tests.deploy.running import DEADLINE_S
from tests.loops import run_async

Counted = list[tuple[str, str, Any, int]]


class Notes:
    """A counter that writes down what it is given."""

    def __init__(self) -> None:
        self.events: list[tuple[object, Any, Any]] = []

    def count(self, pk: object = None, dimensions: object = None, metrics: object = None) -> None:
        self.events.append((pk, dimensions, metrics))

    @property
    def counted(self) -> Counted:
        """Route, method, status and errors of each request."""
        return [
            (said["route"], said["method"], *said["status"].values(), metrics["errors"])
            for _, said, metrics in self.events
        ]


@pytest.fixture
def notes() -> Notes:
    return Notes()


def flask_app(counter: EventCounter) -> flask.Flask:
    app = make_app(counter)
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.post("/pay")
    def pay() -> str:
        raise ZeroDivisionError("no shares")

    @app.get("/stream/<path:name>")
    def stream(name: str) -> flask.Response:
        return flask.Response(iter([name, "!"]), 206)

    return app


def test_a_flask_app_is_counted_by_its_rules(notes: Notes) -> None:
    visitor = flask_app(notes).test_client()
    assert visitor.get("/products/7", buffered=True).text == "Product 7"
    assert visitor.head("/products/8", buffered=True).status_code == 200
    assert visitor.get("/products/9/stock", buffered=True).status_code == 404
    assert visitor.get("/wp-login.php", buffered=True).status_code == 404
    assert visitor.post("/pay", buffered=True).status_code == 500
    assert visitor.get("/stream/a/b", buffered=True).text == "a/b!"
    assert visitor.open("/products/7", method="BREW", buffered=True).status_code == 405
    assert notes.counted == [
        ("/products/<int:number>", "GET", "200", 0),
        ("/products/<int:number>", "HEAD", "200", 0),
        ("/products/<int:number>/stock", "GET", "404", 0),
        ("_unrouted", "GET", "404", 0),
        ("/pay", "POST", "500", 1),
        ("/stream/<path:name>", "GET", "206", 0),
        ("_unrouted", "_other", "405", 0),
    ]
    assert {pk for pk, _, _ in notes.events} == {"Requests"}
    assert all(metrics["requests"] == 1 for _, _, metrics in notes.events)
    assert all(metrics["duration_s"] >= 0 for _, _, metrics in notes.events)


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"Hello {request.path_params['name']}")


async def breaks(request: Request) -> PlainTextResponse:
    raise ZeroDivisionError("no shares")


async def stream(request: Request) -> StreamingResponse:
    return StreamingResponse(iter(["a", "b"]), 206)


def starlette_app() -> Starlette:
    deep = Mount("/deep", routes=[Route("/{name}", hello)])
    routes = [Route("/hello/{name}", hello), Route("/breaks", breaks), Route("/stream", stream)]
    return Starlette(routes=[*routes, deep])


def fastapi_app() -> FastAPI:
    app, router = FastAPI(), APIRouter()

    @app.get("/users/{number}")
    def user(number: int) -> int:
        if number == 404:
            raise HTTPException(404)
        return number

    @router.post("/orders/{number}")
    async def order(number: int) -> int:
        return number

    app.include_router(router)
    return app


@contextmanager
def served(app: Any) -> Iterator[Callable[..., tuple[int, str]]]:
    """Serves an ASGI app with uvicorn; asks it: what it answers, its status and its text."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="on"))
        thread = Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()

        port = listener.getsockname()[1]

        def ask(path: str, method: str = "GET") -> tuple[int, str]:
            with closing(HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)) as connection:
                connection.request(method, path)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()

        yield ask
        server.should_exit = True
        thread.join(DEADLINE_S)


def test_a_starlette_app_is_counted_by_its_templates(notes: Notes) -> None:
    with served(asgi.CountRequests(starlette_app(), notes)) as ask:
        assert ask("/hello/ann") == (200, "Hello ann")
        assert ask("/deep/bob") == (200, "Hello bob")
        assert ask("/breaks")[0] == 500
        assert ask("/stream") == (206, "ab")
        assert ask("/wp-login.php")[0] == 404
    assert notes.counted == [
        ("/hello/{name}", "GET", "200", 0),
        ("/{name}", "GET", "200", 0),
        ("/breaks", "GET", "500", 1),
        ("/stream", "GET", "206", 0),
        ("_unrouted", "GET", "404", 0),
    ]


def test_a_fastapi_app_is_counted_by_its_templates(notes: Notes) -> None:
    app = fastapi_app()
    app.add_middleware(asgi.CountRequests, counter=notes)
    with served(app) as ask:
        assert ask("/users/7") == (200, "7")
        assert ask("/users/404")[0] == 404
        assert ask("/users/seven")[0] == 422
        assert ask("/orders/8", "POST") == (200, "8")
    assert notes.counted == [
        ("/users/{number}", "GET", "200", 0),
        ("/users/{number}", "GET", "404", 0),
        ("/users/{number}", "GET", "422", 0),
        ("/orders/{number}", "POST", "200", 0),
    ]


async def sent(message: Any) -> None:
    """What an app sends goes nowhere."""


def run(app: Any, kind: str = "http", **scope: Any) -> None:
    """Call an ASGI app once."""
    said = {"type": kind, "method": "GET", "path": "/", "headers": [], "query_string": b""}
    run_async(app({**said, **scope}, None, sent))


def test_other_asgi_scopes_are_passed_on_and_not_counted(notes: Notes) -> None:
    kinds = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        kinds.append(scope["type"])

    counted = asgi.CountRequests(app, notes)
    for kind in ("lifespan", "websocket"):
        run(counted, kind)
    assert kinds == ["lifespan", "websocket"]
    assert notes.events == []


class Broken:
    """A counter that fails."""

    def __init__(self) -> None:
        self.asked = 0

    def count(self, pk: object = None, dimensions: object = None, metrics: object = None) -> None:
        self.asked += 1
        raise OSError("the store is unavailable")


def test_a_counter_that_fails_is_left_alone_and_the_app_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = Broken()
    visitor = flask_app(broken).test_client()
    app = asgi.CountRequests(starlette_app(), broken)
    for _ in range(3):
        assert visitor.get("/products/7", buffered=True).text == "Product 7"
        run(app, path="/hello/ann")
    assert broken.asked == 2  # each of the two once, and then not for half a minute
    ours = [each.message for each in caplog.records if each.name.startswith("hailwhale")]
    assert ours == ["cannot count requests; trying again in 30 s"] * 2


def test_routes_past_the_bound_are_counted_together(notes: Notes) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b""]

    counted = wsgi.CountRequests(
        app, notes, route_of=lambda environ: environ["PATH_INFO"], pk=["Web", "a"], max_routes=2
    )
    for path in ("/1", "/2", "/3", "/2", "/4"):
        assert Visitor(counted).get(path, buffered=True).status_code == 200
    assert [route for route, *_ in notes.counted] == ["/1", "/2", "_other", "/2", "_other"]
    assert {tuple(pk) for pk, _, _ in notes.events} == {("Web", "a")}  # type: ignore[arg-type]


def test_templates_name_the_routes_of_any_app(notes: Notes) -> None:
    find = templates("/hello/{name}", "/hello/<name>/again")
    app = asgi.CountRequests(starlette_app(), notes, route_of=lambda scope: find(scope["path"]))
    for path in ("/hello/ann", "/hello/ann/again", "/hello/", "/nope"):
        run(app, path=path)
    routes = ["/hello/{name}", "/hello/<name>/again", "_unrouted", "_unrouted"]
    assert [route for route, *_ in notes.counted] == routes


def test_an_unknown_route_has_no_name(notes: Notes) -> None:
    def route_of(environ: Any) -> str:
        raise LookupError("no such thing")

    app = flask.Flask(__name__)
    counted = wsgi.CountRequests(app.wsgi_app, notes, route_of=route_of)
    assert Visitor(counted).get("/", buffered=True).status_code == 404
    assert [route for route, *_ in notes.counted] == ["_unrouted"]


def called(app: Any, **environ: Any) -> Any:
    return app({"REQUEST_METHOD": "GET", **environ}, lambda *_: None)


def test_bodies_stay_what_servers_look_at(notes: Notes) -> None:
    """A length, a file that the server itself sends, a close that the app relies on."""
    closed = []

    class Closing:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"a"])

        def close(self) -> None:
            closed.append(len(notes.events))

    bodies: dict[str, Any] = {
        "list": [b"a", b"b"],
        "file": FileWrapper(io.BytesIO(b"a")),
        "closing": Closing(),
    }

    def app(environ: Any, start_response: Callable[..., Any]) -> Any:
        start_response("200 OK", [])
        return bodies[environ["which"]]

    counted = wsgi.CountRequests(app, notes)
    assert len(called(counted, which="list")) == 2
    file = called(counted, which="file", **{"wsgi.file_wrapper": FileWrapper})
    assert file is bodies["file"]
    assert len(notes.events) == 1
    body = called(counted, which="closing")
    assert not hasattr(body, "__len__")
    assert list(body) == [b"a"]
    body.close()
    assert closed == [1]  # the app's close comes first
    assert len(notes.events) == 2


def test_a_server_whose_file_wrapper_is_a_function_is_served_as_any_other(notes: Notes) -> None:
    def app(environ: Any, start_response: Callable[..., Any]) -> Any:
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](io.BytesIO(b"a"))

    def send_file(file: io.BytesIO, _size: int = 0) -> io.BytesIO:  # as uWSGI's
        return file

    body = called(wsgi.CountRequests(app, notes), **{"wsgi.file_wrapper": send_file})
    assert list(body) == [b"a"]
    body.close()
    assert len(notes.events) == 1


def test_an_exception_of_the_app_reaches_the_server_and_counts_as_an_error(notes: Notes) -> None:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        raise ZeroDivisionError("too late")

    with pytest.raises(ZeroDivisionError):
        called(wsgi.CountRequests(app, notes))
    with pytest.raises(ZeroDivisionError):
        run(asgi.CountRequests(starlette_app(), notes), path="/breaks")
    assert [counted[2:] for counted in notes.counted] == [("500", 1), ("500", 1)]


def test_a_request_that_is_given_up_counts_as_an_error(notes: Notes) -> None:
    async def hangs(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    async def given_up() -> None:
        app = asgi.CountRequests(hangs, notes)
        task = asyncio.create_task(app({"type": "http", "method": "GET"}, None, None))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_async(given_up())
    assert notes.counted == [("_unrouted", "GET", "500", 1)]


# At real services


@pytest.fixture
def clock() -> Clock:
    """Requests happen now."""
    return Clock(time.time())


def totals(services: Services, dimensions: object, metrics: str) -> Any:
    question = {"pk": "Requests", "dimensions": dimensions, "metrics": metrics, "period": "all"}
    return totals_json(services.reporting.totals(parse_totals(question)))["all"]


def test_requests_can_be_asked_about_at_the_service(services: Services) -> None:
    with serving(whale_app(services)) as url, Client(url) as client:
        visitor = flask_app(client).test_client()
        for path in ("/products/7", "/products/8", "/products/9/stock"):
            visitor.get(path, buffered=True)
        visitor.post("/pay", buffered=True)
    routes = totals(services, [["route", "/products/<int:number>"], ["route", "/pay"]], "requests")
    assert [found["requests"] for found in routes.values()] == [2, 1]
    statuses = totals(services, [["status", "4xx"], ["status", "5xx", "500"]], "requests")
    assert [found["requests"] for found in statuses.values()] == [1, 1]
    overall = totals(services, "", "errors/requests,duration_s/requests")["_"]
    assert overall["errors/requests"] == 0.25
    assert overall["duration_s/requests"] > 0


def test_hail_counts_requests_as_well(services: Services) -> None:
    hail = Hail(settings=services.settings)
    hail._services = services
    flask_app(hail).test_client().get("/products/7", buffered=True)
    assert services.drain.flush() == 1
    assert totals(services, [["method", "GET"]], "requests") == {
        '["method", "GET"]': {"requests": 1}
    }


def by_hand(app: Any, whale: Any) -> Any:
    """As docs/middleware.rst has it."""

    def both(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"].startswith("/hailwhale/"):
            environ["SCRIPT_NAME"] += "/hailwhale"
            environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/hailwhale")
            return whale(environ, start_response)
        return app(environ, start_response)

    return both


def by_werkzeug(app: Any, whale: Any) -> Any:
    return DispatcherMiddleware(app, {"/hailwhale": whale})


@pytest.mark.parametrize("mount", [by_hand, by_werkzeug])
def test_whale_is_mounted_in_another_app(
    services: Services, notes: Notes, mount: Callable[[Any, Any], Any]
) -> None:
    both = mount(flask_app(notes).wsgi_app, whale_app(services))
    visitor = Visitor(both)
    assert visitor.get("/products/7", buffered=True).text == "Product 7"
    assert visitor.get("/hailwhale/count?pk=Shop", buffered=True).text == "OK"
    answer = visitor.get("/hailwhale/totals?pk=Shop&period=all", buffered=True)
    assert answer.json == {"all": {"_": {"hits": 1}}}
    assert visitor.get("/hailwhale/totals?period=5x", buffered=True).status_code == 400
    assert visitor.get("/hailwhale/hailwhale.beacon.js", buffered=True).status_code == 200
    assert len(notes.events) == 1
    with serving(both) as origin:
        client = Client(f"{origin}/hailwhale")
        assert client.totals("Shop", period="all") == {"all": {"_": {"hits": 1}}}
