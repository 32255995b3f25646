"""Line breaks in whatever comes in: no header, cookie or line of the log is anybody else's."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from hailwhale.commands.serve.log_setup import JsonLines, TextLines
from hailwhale.services.container import Services
from hailwhale.web.apps import hail_app, whale_app
from tests.attacks.hostile import ASKED, LINE_BREAKS, around, names_of
from tests.web.client import JSON, Answer, Client

REQUEST_HEADERS = [
    *("HTTP_ORIGIN", "HTTP_X_REQUEST_ID", "HTTP_COOKIE", "HTTP_ACCEPT", "HTTP_AUTHORIZATION"),
    *("HTTP_HOST", "HTTP_REFERER", "HTTP_USER_AGENT", "HTTP_X_FORWARDED_FOR", "REMOTE_ADDR"),
    *("HTTP_IF_NONE_MATCH", "HTTP_ACCEPT_ENCODING", "HTTP_LAST_EVENT_ID", "HTTP_SEC_FETCH_SITE"),
    *("HTTP_SEC_FETCH_DEST", "HTTP_RANGE", "HTTP_X_FORWARDED_PROTO", "CONTENT_TYPE", "HTTP_DNT"),
]


def assert_no_line_of_theirs(answer: Answer) -> None:
    """The client of the tests holds each header to the rules of WSGI; their names are ours, too."""
    assert answer.errors == ""
    assert answer.status < 500, answer.text
    assert "x-injected" not in answer.headers
    for name, value in answer.headers.items():
        assert (name + value).isprintable()
        assert "injected" not in value.lower()


@pytest.mark.parametrize("path", ASKED)
def test_no_parameter_reaches_a_header(whale: Client, path: str) -> None:
    for name in names_of(path):
        for value in LINE_BREAKS[:4]:
            query = f"{around(path, name)}&{name}={quote(value)}&{quote(value)}=1"
            assert_no_line_of_theirs(whale.get(path, query))
            assert_no_line_of_theirs(whale.get(path, f"{around(path, name)}&{name}={quote(value)}"))


@pytest.mark.parametrize("value", LINE_BREAKS)
@pytest.mark.parametrize("origins", [("*",), ("https://a.example",)])
def test_no_header_comes_back_with_a_line_of_its_own(
    make_services: Callable[..., Services], origins: tuple[str, ...], value: str
) -> None:
    client = Client(whale_app(make_services(cors_origins=origins, log_requests="all")))
    for path in ("/count", "/totals", "/graph.js", "/tracker", "/", "/spy"):
        for name in REQUEST_HEADERS:
            answer = client.request("GET", path, environ={name: value})
            assert_no_line_of_theirs(answer)
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("value", LINE_BREAKS)
def test_a_path_reaches_no_header(whale: Client, value: str) -> None:
    for path in (f"/{value}", f"/static/{value}", f"/pixel/{value}.gif", f"/static/vendor/{value}"):
        as_servers_do = path.encode().decode("latin-1")
        assert_no_line_of_theirs(whale.request("GET", "/", environ={"PATH_INFO": as_servers_do}))


@pytest.mark.parametrize("value", [*LINE_BREAKS, "a; Domain=evil.example", 'a"; Path=/x', "a,b"])
def test_the_cookie_is_of_our_own_making(whale: Client, services: Services, value: str) -> None:
    given = whale.get("/tracker", {"pk": "Shop", "uid": value})
    assert "set-cookie" not in given.headers
    stolen = f"hwuid={quote(value)}.{services.cookies.sign('a').rpartition('.')[2]}"
    for cookie in (f"hwuid={value}", stolen, f"hwuid={services.cookies.sign('a')}x"):
        answer = whale.request("GET", "/tracker", "pk=Shop", environ={"HTTP_COOKIE": cookie})
        assert answer.text != value
        assert answer.headers["set-cookie"].startswith(f"hwuid={answer.text}.")
        assert answer.headers["set-cookie"].count("=") == 4


def lines_of(formatter: logging.Formatter, ask: Callable[[], Any]) -> list[str]:
    """What is logged meanwhile, line by line."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        ask()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    return written.getvalue().split("\n")[:-1]


@pytest.mark.parametrize("value", [*LINE_BREAKS, "fe80::1%\r\nX-Injected: 1"])
@pytest.mark.parametrize("formatter", [TextLines(), JsonLines()], ids=["text", "json"])
@pytest.mark.parametrize("make_app", [whale_app, hail_app])
def test_a_request_is_one_line_of_the_log_whatever_it_says(
    make_services: Callable[..., Services],
    make_app: Callable[[Services], Any],
    formatter: logging.Formatter,
    value: str,
) -> None:
    client = Client(make_app(make_services(log_requests="all")))
    environ = dict.fromkeys(REQUEST_HEADERS, value) | {"CONTENT_TYPE": JSON}
    body = json.dumps({"pk": value, "metrics": {value: value}, value: value}).encode()

    def ask() -> None:
        client.request("POST", "/count", body=body, environ=environ)

    [line] = lines_of(formatter, ask)
    assert line.isprintable()
    assert "/count" in line
    if isinstance(formatter, JsonLines):
        assert set(json.loads(line)) >= {"time", "level", "message", "client", "status"}


def test_the_log_never_has_a_token_a_seal_or_a_query(
    make_services: Callable[..., Services],
) -> None:
    services = make_services(log_requests="all", admin_token="correct-horse", seal_keys=("A" * 43,))  # noqa: S106
    client = Client(whale_app(services))
    seal = services.sealing.pixel({"pk": "Shop"})

    def ask() -> None:
        client.get("/totals", "pk=secret-pk", authorization="Bearer correct-horse")
        client.get("/totals", "pk=secret-pk", authorization="Bearer correct-house")
        client.get(f"/pixel/{seal}.gif")
        client.get(f"/pixel/{seal}x.gif", "uid=secret-uid", cookie="hwuid=secret-uid.x")

    lines = lines_of(JsonLines(), ask)
    assert len(lines) == 4
    for secret in ("correct", seal[:40], "secret"):
        assert not [line for line in lines if secret in line]


@pytest.mark.parametrize("number", ["9" * 5_000, "²", "٣", "-1", "1e9", "", "9" * 18, "\x00"])
def test_the_number_of_an_event_may_be_anything(whale: Client, number: str) -> None:
    headers = {"HTTP_LAST_EVENT_ID": number, "HTTP_ACCEPT": "text/event-stream"}
    headers["HTTP_HOST"] = "localhost"
    told: list[str] = []  # the stream has no end: its status is looked at
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/spy", "QUERY_STRING": "pk=Shop", **headers}
    stream = whale.app(
        {**environ, "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO()},
        lambda status, *_: told.append(status),
    )
    stream.close()
    assert told == ["200 OK"]
