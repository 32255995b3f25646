"""Another site's page in Chromium and in Firefox: it counts, and neither reads nor changes.

The page is on a name that resolves to this machine, as after DNS rebinding: for the browser the
service is of the same origin there. The browsers are started on the page, which does the rest.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from hailwhale.services.container import Services
from hailwhale.web.apps import whale_app
from tests.browser.serving import WSGIApp, serving
from tests.deploy.running import until
from tests.web.client import Client
from tests.web.queries import total

PAGE = Path(__file__).with_name("attack_page.html")
REBOUND = "rebound.example"  # resolves to 127.0.0.1 in the browsers of these tests
HOSTS = [REBOUND, "127.0.0.1", "localhost", "x.localhost", "[::ffff:7f00:1]"]
CHANGING = ["/reset", "/update_count_to"]
PATHS = [
    "/reset?pk=Kept",
    '/update_count_to?pk=Kept&metrics={"hits":99}',
    "/count?pk=Reached",
]
FIREFOX_PREFERENCES = {
    "network.dns.localDomains": REBOUND,
    "browser.send_pings": True,
    "browser.send_pings.require_same_host": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "browser.shell.checkDefaultBrowser": False,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A request of the page, and the status of its answer."""

    host: str
    path: str
    how: str
    status: int


@dataclass(slots=True)
class AttackedService:
    """A service that also serves the attack page, and keeps what the browser asks of it."""

    app: WSGIApp
    seen: list[Seen] = field(default_factory=list)
    report: dict[str, Any] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        path = environ["PATH_INFO"]
        if path == "/attack":
            start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
            return [PAGE.read_bytes()]
        if path == "/attack/report":
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            self.report = json.loads(body)
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"thanks"]
        how = parse_qs(environ["QUERY_STRING"]).get("_how", [""])[0]
        host = urlsplit(f"//{environ['HTTP_HOST']}").netloc.rpartition(":")[0]

        def started(status: str, *more: Any) -> Any:
            self.seen.append(Seen(host, path, how, int(status[:3])))
            return start_response(status, *more)

        return self.app(environ, started)

    def ways(self, path: str, host: str) -> set[str]:
        """The ways in which the page reached a path at a host."""
        return {each.how for each in self.seen if (each.path, each.host) == (path, host)}


def chromium(url: str, profile: Path) -> list[str]:
    return [
        *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--no-first-run", "--remote-debugging-port=0", f"--user-data-dir={profile}"),
        *(f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1", url),
    ]


def firefox(url: str, profile: Path) -> list[str]:
    lines = [
        f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in FIREFOX_PREFERENCES.items()
    ]
    (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")
    return ["firefox-esr", "--headless", "--no-remote", "--profile", str(profile), url]


@contextmanager
def opened(command: list[str]) -> Iterator[None]:
    """A browser on a page, ended with all its processes."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"needs {command[0]}: apt-get install {command[0]}")
    null = subprocess.DEVNULL
    with subprocess.Popen(command, start_new_session=True, stdout=null, stderr=null) as process:
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("browser", [chromium, firefox], ids=lambda made: made.__name__)
def test_another_sites_page_counts_and_neither_reads_nor_changes_anything(
    services: Services, tmp_path: Path, browser: Callable[[str, Path], list[str]]
) -> None:
    client = Client(whale_app(services))
    assert client.get("/count", "pk=Kept").status == 200
    service = AttackedService(whale_app(services))
    with serving(service) as origin:
        asked = urlencode({"hosts": " ".join(HOSTS), "path": PATHS}, doseq=True)
        page = f"http://{REBOUND}:{urlsplit(origin).port}/attack?{asked}"
        with opened(browser(page, tmp_path)):
            report = until(lambda: service.report, "the page to have tried everything")
            until(lambda: "navigation" in service.ways("/reset", "localhost"), "its last request")
    refused = [each for each in service.seen if each.path in CHANGING]
    assert {each.status for each in refused} == {403}
    counts = {each.how: each.status for each in service.seen if each.path == "/count"}
    assert {how for how, status in counts.items() if status != 200} == {"ping"}  # its body: PING
    assert total(client, "Kept") == 1
    # Each way reached the service, so it is the service that refused it.
    for host in HOSTS:
        for path in (*CHANGING, "/count"):
            assert set(report["ways"]) <= service.ways(path, host), (host, path)
    status, text = report["read"][REBOUND]
    assert (status, "HAILWHALE_HOSTS" in text) == (403, True)
    assert [report["read"][host] for host in HOSTS[1:]] == [[0, ""]] * 4
