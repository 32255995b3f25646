"""Where a request may lead: to our files and our store, and nowhere else."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import pytest

from hailwhale.services.container import Services
from hailwhale.web.apps import whale_app
from hailwhale.web.assets import VENDOR, static_folder
from tests.attacks.hostile import ASKED, around, names_of
from tests.web.client import Client

UP = [
    "../" * 12 + "etc/passwd",
    "..%2f" * 12 + "etc%2fpasswd",
    "%2e%2e/" * 12 + "etc/passwd",
    "%252e%252e%252f" * 12 + "etc/passwd",
    "....//" * 12 + "etc/passwd",
    "..;/" * 12 + "etc/passwd",
    "..\\" * 12 + "etc\\passwd",
    "..%5c" * 12 + "etc%5cpasswd",
    "%c0%ae%c0%ae/" * 12 + "etc/passwd",
    "..%c0%af" * 12 + "etc/passwd",
    "dashboard/" + "../" * 12 + "etc/passwd",
    "/etc/passwd",
    "//etc/passwd",
    "/" * 40 + "etc/passwd",
    "file:///etc/passwd",
    "dashboard.html\x00/../../etc/passwd",
    "/proc/self/environ",
    "/dev/zero",
    "../setup.py",
    "../hailwhale/settings.py",
    "dashboard.html/../../setup.py",
    "./.././setup.py",
    "~/.ssh/id_rsa",
    "con",
    "dashboard.html::$DATA",
]
HOSTS = [
    "http://127.0.0.1:6379/",
    "http://localhost/",
    "http://[::1]/",
    "http://0.0.0.0/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://metadata.google.internal/",
    "http://user:pass@127.0.0.1/",
    "//127.0.0.1/",
]
NO_HOSTS = [
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "dict://127.0.0.1:6379/info",
    "ftp://127.0.0.1/",
    "http://a b/",
    "http://a\r\nX-Injected: 1",
    'http://a"><script>',
    "http://\\evil.example",
    "http://127.0.0.1\x00.example",
]


@pytest.mark.parametrize("path", UP)
def test_no_path_leads_out_of_the_static_files(whale: Client, path: str) -> None:
    """Decoded once, as a server hands it over, and not at all, as one might."""
    decoded = unquote_to_bytes(path).decode("latin-1")
    for folder in ("/static/", "/static/vendor/", "/static/dashboard/", "/"):
        for given in (decoded, path):
            answer = whale.request("GET", "/", environ={"PATH_INFO": folder + given})
            assert answer.status in (403, 404)
            assert answer.errors == ""
            assert b"root:" not in answer.body
            assert b"PATH=" not in answer.body


def test_only_files_used_by_pages_are_served_from_the_static_folder() -> None:
    """A file that is put there is public: so no program and no link to elsewhere may be."""
    for file in static_folder().rglob("*"):
        assert not file.is_symlink()
        assert file.is_dir() or file.name.endswith((".js", ".d.ts", ".css", ".html", ".svg"))
    assert set(VENDOR) == {"jquery.js", "uplot.js", "uplot.css"}


@pytest.fixture
def lonely(services: Services, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Whale that can reach its store, and fails the test when it looks for anything else."""
    client = Client(whale_app(services))
    assert client.get("/totals").status == 200
    connect = socket.socket.connect
    reached: list[object] = []

    def noted(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            reached.append(address)
            raise AssertionError(f"{address} was connected to")
        connect(self, address)

    def refused(*address: object, **_: object) -> None:
        reached.append(address)
        raise AssertionError(f"{address} was looked up")

    monkeypatch.setattr(socket.socket, "connect", noted)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    monkeypatch.setattr(os, "system", refused)
    return client


@pytest.mark.parametrize("host", HOSTS)
def test_the_host_of_a_graph_is_asked_by_the_browser_and_never_by_the_service(
    lonely: Client, host: str
) -> None:
    for path in ("/graph.js", "/graph.svg"):
        answer = lonely.get(path, {"hwurl": host, "pk": "Shop"})
        assert answer.status == 200
        assert answer.errors == ""
    assert quote(host) not in lonely.get("/graph.svg", {"hwurl": host}).text


@pytest.mark.parametrize("host", NO_HOSTS)
def test_the_host_of_a_graph_is_an_http_address(lonely: Client, host: str) -> None:
    for path in ("/graph.js", "/graph.svg"):
        assert lonely.get(path, {"hwurl": host}).status == 400


@pytest.mark.parametrize("path", ASKED)
def test_no_parameter_has_the_service_connect_to_anything(lonely: Client, path: str) -> None:
    for name in names_of(path):
        for value in ("http://169.254.169.254/", "//evil.example", "file:///etc/passwd"):
            answer = lonely.get(path, f"{around(path, name)}&{name}={quote(value)}")
            assert answer.status in (200, 400, 403)
            assert answer.errors == ""


@pytest.mark.parametrize("value", ["https://evil.example", "//evil.example", "/\\evil.example"])
@pytest.mark.parametrize("origin", ["https://evil.example", ""])
def test_nothing_redirects_anywhere(
    make_services: Callable[..., Services], value: str, origin: str
) -> None:
    client = Client(whale_app(make_services(cors_origins=("*",))))
    rules = client.get("/", accept="application/json").json["routes"]
    for rule in [rule for rule in rules if "<" not in rule]:
        for name in ("url", "next", "redirect", "return", "hwurl", "target", "host", "pk"):
            headers = {"origin": origin, "host": "evil.example", "x_forwarded_host": "evil.example"}
            answer = client.get(rule, {name: value}, referer=value, **headers)
            assert not 300 <= answer.status < 400
            assert not {"location", "refresh", "link"} & set(answer.headers)
    for path in (f"/{value}", f"/static/{value}", f"//{value}/..", "/static", "/count/"):
        assert client.request("GET", "/", environ={"PATH_INFO": path}).status in (403, 404)
