"""A local proxy that passes only counting: nothing a client sends leads past it to other routes.

The servers are looked at alone first: what a header can change of a request. Then with the real
HAProxy and the real nginx in front, which pass `/count` and what is below `/pixel/`, and no more.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hailwhale.store.embedded import EmbeddedValkey
from tests.attacks.test_slow_clients import served
from tests.deploy.running import DEADLINE_S, Server, started, until
from tests.ports import free_port

SERVERS = ["gunicorn", "granian"]
CLOSE = b"Host: hw\r\nConnection: close\r\n"
_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"

# Headers by which servers, frameworks or proxies are told another path, scheme, method or address.
HEADERS = {
    "SCRIPT_NAME": b"SCRIPT_NAME: /pixel",
    "Script-Name": b"Script-Name: /pixel",
    "PATH_INFO": b"PATH_INFO: /reset",
    "Path-Info": b"Path-Info: /reset",
    "REQUEST_METHOD": b"REQUEST_METHOD: POST",
    "QUERY_STRING": b"QUERY_STRING: pk=Other",
    "REMOTE_ADDR": b"REMOTE_ADDR: 6.6.6.6",
    "Remote-Addr": b"Remote-Addr: 6.6.6.6",
    "wsgi.url_scheme": b"wsgi.url_scheme: https",
    "X-Forwarded-Prefix": b"X-Forwarded-Prefix: /pixel",
    "X-Script-Name": b"X-Script-Name: /pixel",
    "X-Original-URL": b"X-Original-URL: /reset",
    "X-Rewrite-URL": b"X-Rewrite-URL: /reset",
    "X-HTTP-Method-Override": b"X-HTTP-Method-Override: POST",
    "X-Forwarded-For": b"X-Forwarded-For: 6.6.6.6",
    "X-Forwarded-Host": b"X-Forwarded-Host: evil.example",
    "X-Forwarded-Proto": b"X-Forwarded-Proto: https",
    "X-Forwarded-Protocol": b"X-Forwarded-Protocol: ssl",
    "X-Forwarded-Ssl": b"X-Forwarded-Ssl: on",
    "Forwarded": b"Forwarded: for=6.6.6.6;proto=https;host=evil.example",
    "X-Real-IP": b"X-Real-IP: 6.6.6.6",
    "Front-End-Https": b"Front-End-Https: on",
}
# One header in two spellings, of which CGI's naming makes one.
SPELLED_TWICE = {
    "X_Forwarded_For": (b"X-Forwarded-For: 198.51.100.7", b"X_Forwarded_For: 6.6.6.6"),
    "X_Forwarded_Proto": (b"X-Forwarded-Proto: http", b"X_Forwarded_Proto: https"),
    "Sec_Fetch_Site": (b"Sec-Fetch-Site: cross-site", b"Sec_Fetch_Site: none"),
    "X_Request_ID": (b"X-Request-ID: proxy", b"X_Request_ID: client"),
}
TARGETS = {
    "the headers' path": b"/pixel/reset?pk=Victim",
    "a step back": b"/pixel/../reset?pk=Victim",
    "a step back, encoded": b"/pixel/%2e%2e/reset?pk=Victim",
    "a step back, all encoded": b"/pixel/%2e%2e%2freset?pk=Victim",
    "a step back by a backslash": b"/pixel/..%5creset?pk=Victim",
    "two slashes": b"/pixel//reset?pk=Victim",
    "a parameter of a segment": b"/pixel/..;/reset?pk=Victim",
    "a URL": b"http://hw/pixel/../reset?pk=Victim",
    "a URL in the path": b"/pixel/http://hw/reset?pk=Victim",
    "a line break": b"/pixel/x.gif%0d%0aGET%20/reset?pk=Victim",
}
_HAPROXY = """
global
    maxconn 100
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend public
    bind 127.0.0.1:{port}
    acl counting path /count
    acl counting path_beg /pixel/
    http-request deny unless counting
    default_backend whale
backend whale
    server whale {host}:{whale_port}
"""
_NGINX = """
daemon off;
worker_processes 1;
pid {here}/nginx.pid;
error_log {here}/nginx.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    underscores_in_headers on;  # off by default, which hides the headers this is about
    client_body_temp_path {here}/body;
    proxy_temp_path {here}/proxy;
    fastcgi_temp_path {here}/fastcgi;
    uwsgi_temp_path {here}/uwsgi;
    scgi_temp_path {here}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location = /count {{ proxy_pass http://{host}:{whale_port}; }}
        location /pixel/ {{ proxy_pass http://{host}:{whale_port}; }}
        location / {{ return 403; }}
    }}
}}
"""


@pytest.fixture(scope="module", params=SERVERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def exchanged(address: tuple[str, int], *lines: bytes, first: bytes = b"") -> tuple[int, bytes]:
    """The status and the body of the answer to a request of these lines, sent as they are."""
    request = first + b"\r\n".join(lines) + b"\r\n" + CLOSE + b"\r\n"
    with socket.create_connection(address, timeout=DEADLINE_S) as client:
        client.sendall(request)
        answer = b"".join(iter(lambda: client.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


# The servers alone


@pytest.fixture(scope="module")
def echo(name: str) -> Iterator[Server]:
    """A server run as ours are, which says what it made of a request."""
    # What gunicorn would take its list of trusted proxies from.
    variables = {"FORWARDED_ALLOW_IPS": "*"}
    command = [sys.executable, "-m", "tests.attacks.environ_echo"]
    with started(name, command=command, variables=variables) as server:
        yield server


def made_of(echo: Server, *headers: bytes) -> Any:
    status, body = exchanged(echo.address, b"GET /pixel/reset?pk=Shop HTTP/1.1", *headers)
    assert status == 200
    environ = json.loads(body)
    names = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REMOTE_ADDR")
    return {name: environ[name] for name in (*names, "wsgi.url_scheme")}, environ


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_no_header_changes_what_a_request_is(echo: Server, header: bytes) -> None:
    assert made_of(echo, header)[0] == {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/pixel/reset",
        "QUERY_STRING": "pk=Shop",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
    }


# Granian cannot tell the two spellings apart: docs/security.rst has what that means for proxies.
@pytest.mark.parametrize("name", ["gunicorn"], indirect=True)
@pytest.mark.parametrize("headers", SPELLED_TWICE.values(), ids=SPELLED_TWICE)
@pytest.mark.parametrize("order", [1, -1], ids=["behind", "in front"])
def test_a_header_with_underscores_is_not_the_one_with_hyphens(
    echo: Server, headers: tuple[bytes, bytes], order: int
) -> None:
    spelled, value = headers[0].split(b": ")
    name = f"HTTP_{spelled.decode().upper().replace('-', '_')}"
    assert made_of(echo, *headers[::order])[1][name] == value.decode()
    assert name not in made_of(echo, headers[1])[1]


@pytest.mark.parametrize(
    "line",
    [
        b"PROXY TCP4 6.6.6.6 127.0.0.1 1234 80\r\n",
        b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x06\x06\x06\x06\x7f\x00\x00\x01\x04\xd2\x00\x50",
    ],
    ids=["v1", "v2"],
)
def test_no_peer_may_name_another_by_the_proxy_protocol(echo: Server, line: bytes) -> None:
    status, _ = exchanged(echo.address, b"GET /pixel/reset HTTP/1.1", first=line)
    assert status == 400


# Behind proxies


@contextmanager
def _running(port: int, *command: str) -> Iterator[tuple[str, int]]:
    program = shutil.which(command[0], path=_PATH)
    if program is None:
        pytest.skip(f"{command[0]} is not installed; .ci/run installs it")
    address = ("127.0.0.1", port)
    with subprocess.Popen([program, *command[1:]], env={"PATH": _PATH}) as process:
        try:
            until(
                lambda: process.poll() is not None or _listens(address), f"{command[0]} to listen"
            )
            assert process.poll() is None, f"{command[0]} ended"
            yield address
        finally:
            process.terminate()
            process.wait(DEADLINE_S)


def _listens(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=DEADLINE_S).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def whale(name: str, valkey: EmbeddedValkey) -> Iterator[Server]:
    yield from served(name, valkey)


@pytest.fixture(scope="module", params=["haproxy", "nginx"])
def proxy(
    request: pytest.FixtureRequest, whale: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int]]:
    """The address of a proxy that passes counting alone."""
    here: Path = tmp_path_factory.mktemp(request.param)
    host, whale_port = whale.address
    port, config = free_port(), here / "proxy.conf"
    text = _HAPROXY if request.param == "haproxy" else _NGINX
    config.write_text(text.format(here=here, host=host, port=port, whale_port=whale_port))
    options = ("-db", "-f") if request.param == "haproxy" else ("-c",)
    with _running(port, request.param, *options, str(config)) as address:
        yield address


def test_a_proxy_passes_counting_and_nothing_else(proxy: tuple[str, int], whale: Server) -> None:
    before = whale.hits("Passed")
    assert exchanged(proxy, b"GET /count?pk=Passed HTTP/1.1") == (200, b"OK")
    assert whale.hits("Passed") == before + 1
    assert exchanged(proxy, b"GET /totals?pk=Passed HTTP/1.1")[0] == 403
    assert exchanged(proxy, b"GET /reset?pk=Passed HTTP/1.1")[0] == 403
    assert whale.hits("Passed") == before + 1


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_nothing_that_a_proxy_passes_reaches_another_route(
    proxy: tuple[str, int], whale: Server, target: bytes
) -> None:
    whale.get("/count", pk="Victim")
    counted = whale.hits("Victim")
    for header in (b"X-None: none", *HEADERS.values()):
        for method in (b"GET", b"POST"):
            line = method + b" " + target + b" HTTP/1.1"
            extra = (b"Content-Length: 0",) if method == b"POST" else ()
            assert exchanged(proxy, line, header, *extra)[0] in (400, 403, 404, 405)
    assert whale.hits("Victim") == counted
