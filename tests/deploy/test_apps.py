"""The apps one by one over a shared store: hail, whale, drain, and the WSGI applications."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from hailwhale.services.container import Services
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.web.apps import hail_app, whale_app
from hailwhale.web.lazy_app import LazyApp
from tests.deploy.running import ROOT, completed, started, until


@pytest.fixture
def shared(valkey: EmbeddedValkey, namespace: str) -> dict[str, str]:
    return {"HAILWHALE_REDIS_URL": valkey.url, "HAILWHALE_NAMESPACE": namespace}


def asked(app: Any, path: str, query: str = "") -> tuple[str, str]:
    """Status and body of a GET; the app is checked against the WSGI standard."""
    environ: dict[str, Any] = {"SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query}
    setup_testing_defaults(environ)
    statuses: list[str] = []

    def start_response(status: str, _headers: object, _fault: object = None) -> Any:
        statuses.append(status)
        return io.BytesIO().write

    answer: Iterable[bytes] = validator(app)(environ, start_response)
    body = b"".join(answer).decode()
    answer.close()  # type: ignore[attr-defined]
    return statuses[0], body


def test_hail_buffers_the_drain_counts_and_whale_answers(shared: dict[str, str]) -> None:
    with (
        started("hail", "--port", "0", variables=shared) as hail,
        started("whale", "--port", "0", variables=shared) as whale,
    ):
        assert (hail.said, whale.said) == (f"hail on {hail.url}", f"whale on {whale.url}")
        assert hail.get("/count", pk="Shop") == "OK"
        assert whale.hits() == 0
        assert completed("drain", "--once", **shared).stdout == "counted 1 buffered hits\n"
        assert whale.hits() == 1
        assert whale.get("/count", pk="Shop") == "OK"
        assert whale.hits() == 2, "whale alone counts at once"


def test_whale_may_buffer_and_a_drain_ends_with_its_step(shared: dict[str, str]) -> None:
    with started("whale", "--buffered", "--port", "0", variables=shared) as whale:
        assert whale.get("/count", pk="Shop") == "OK"
        assert whale.hits() == 0
        # A drain says nothing while it works: its line is the shell's.
        drain = ["sh", "-c", f"echo begun; exec {sys.executable} -m hailwhale.cli drain"]
        with started(command=drain, variables=shared) as draining:
            until(lambda: whale.hits() == 1, "the drain to count")
            draining.process.terminate()
            assert draining.ended() == 0


def test_a_drain_waits_for_an_unavailable_store(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "data", fsync="no")
    there = {"HAILWHALE_REDIS_URL": f"unix://{tmp_path / 'data' / 'valkey.sock'}"}
    drain = ["sh", "-c", f"echo begun; exec {sys.executable} -m hailwhale.cli drain 2>&1"]
    with started(command=drain, variables=there) as draining:
        assert draining.process.stdout is not None
        assert "retrying in 0.5 s" in draining.process.stdout.readline()
        with server, started("whale", "--buffered", "--port", "0", variables=there) as whale:
            assert whale.get("/count", pk="Shop") == "OK"
            until(lambda: whale.hits() == 1, "the drain to count")
        draining.process.terminate()
        assert draining.ended() == 0


def test_the_application_counts_at_once_under_another_server(
    shared: dict[str, str], tmp_path: Path
) -> None:
    script = tmp_path / "server.py"
    script.write_text(
        "from wsgiref.simple_server import make_server\n"
        "from hailwhale.wsgi import application\n"
        "server = make_server('127.0.0.1', 0, application)\n"
        "print(f'http://127.0.0.1:{server.server_port}', flush=True)\n"
        "server.serve_forever()\n"
    )
    with started(command=[sys.executable, str(script)], variables=shared) as server:
        assert server.get("/count", pk="Shop") == "OK"
        assert server.hits() == 1


def test_the_application_counts_at_once_under_gunicorn(
    shared: dict[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "conf.py"
    config.write_text(
        "def when_ready(server):\n"
        "    print('http://%s:%d' % server.LISTENERS[0].getsockname(), flush=True)\n"
    )
    program = [sys.executable, "-m", "gunicorn", "-c", str(config), "-b", "127.0.0.1:0"]
    quiet = ["--log-level", "error", "--no-control-socket", "hailwhale.wsgi:application"]
    with started(*quiet, command=program, cwd=ROOT, variables=shared) as server:
        assert server.get("/count", pk="Shop") == "OK"
        assert server.hits() == 1


def test_the_store_is_opened_at_the_first_request(valkey: EmbeddedValkey, namespace: str) -> None:
    made: list[Services] = []

    def make_app(services: Services) -> Any:
        made.append(services)
        return whale_app(services)

    settings = Settings.from_env({}, redis_url=valkey.url, namespace=namespace)
    app = LazyApp(make_app, settings)
    assert made == []
    assert asked(app, "/count", "pk=Shop") == ("200 OK", "OK")
    assert asked(app, "/totals", "pk=Shop&period=1d:1mo") == (
        "200 OK",
        '{"1d:1mo":{"_":{"hits":1}}}',
    )
    assert len(made) == 1
    made[0].close()


def test_an_unavailable_store_is_a_503_until_it_answers(tmp_path: Path, namespace: str) -> None:
    server = EmbeddedValkey(tmp_path / "data", fsync="no")
    url = f"unix://{tmp_path / 'data' / 'valkey.sock'}"
    app = LazyApp(hail_app, Settings.from_env({}, redis_url=url, namespace=namespace))
    status, body = asked(app, "/count", "pk=Shop")
    assert status == "503 Service Unavailable"
    assert body == '{"error":{"parameter":null,"message":"the store does not answer"}}'
    with server:
        assert asked(app, "/count", "pk=Shop") == ("200 OK", "OK")
