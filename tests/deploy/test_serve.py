"""`hailwhale serve`: it answers, keeps its children running, and shares its data directory."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hailwhale.settings import Settings
from hailwhale.whale import Whale
from tests.deploy.running import (
    DEADLINE_S,
    DRAIN,
    KILL,
    ROOT,
    VALKEY,
    WEB,
    Server,
    alive,
    completed,
    pids_below,
    started,
    until,
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve") / "data"


@pytest.fixture(scope="module")
def serve(data: Path) -> Iterator[Server]:
    with started("serve", "--port", "0", "--data-dir", str(data)) as server:
        yield server


def test_it_says_where_it_serves_and_where_the_data_is(serve: Server, data: Path) -> None:
    assert serve.said == f"HailWhale on {serve.url} (data in {data})"
    assert '"status":"ok"' in serve.get("/healthz")


def test_count_is_buffered_and_then_drained_into_the_totals(serve: Server) -> None:
    assert serve.get("/count", pk="Drained", metrics='{"revenue": 19.99}') == "OK"
    until(lambda: serve.hits("Drained") == 1, "the drain to count")
    answer = serve.get("/totals", pk="Drained", metrics="revenue", period="1d:1mo")
    assert answer == '{"1d:1mo":{"_":{"revenue":19.99}}}'


def test_the_library_on_the_same_data_directory_counts_and_sees_the_same(
    serve: Server, data: Path
) -> None:
    whale = Whale(settings=Settings.from_env({}, data_dir=data))
    try:
        assert whale.count_now("Shared", metrics={"sales": 2})
        assert serve.hits("Shared") == 1
        serve.get("/count_now", pk="Shared", metrics='{"sales": 3}')
        assert whale.total("Shared", "sales") == 5
    finally:
        whale.close()
    assert serve.hits("Shared") == 2, "closing the library's door left the server running"


def test_commands_count_and_query_while_it_runs(serve: Server, data: Path) -> None:
    there = ("--data-dir", str(data))
    assert completed("count", "Beside", "--url", serve.url).stdout == "accepted\n"
    assert completed("count", "Beside", *there).stdout == "counted\n"
    until(lambda: serve.hits("Beside") == 2, "the drain to count")
    found = completed("totals", "Beside", "--period", "1d:1mo", *there).stdout
    assert found == "period  dimension  hits\n1d:1mo  _             2\n"
    assert completed("drain", "--once", *there).stdout == "counted 0 buffered hits\n"


def test_the_doctor_finds_it_healthy_while_it_runs(serve: Server, data: Path) -> None:
    found = completed("doctor", "--data-dir", str(data))
    assert found.returncode == 0
    assert f"ok    store: {data}, shared with the running service" in found.stdout
    assert "FAIL" not in found.stdout


@pytest.mark.parametrize("child", [WEB, DRAIN, VALKEY])
def test_a_killed_child_comes_back_and_nothing_is_lost(serve: Server, child: str) -> None:
    pk = f"Killed {child}"
    serve.get("/count", pk=pk)
    until(lambda: serve.hits(pk) == 1, "the drain to count")
    killed = serve.child(child)
    os.kill(killed, KILL)
    until(
        lambda: [pid for pid in pids_below(serve.process.pid, child) if pid != killed],
        f"another {child}",
    )
    # While the web process or the store comes back, a hit may be the client's to send again, with
    # its id; and a question is.
    until(lambda: _sound(lambda: serve.get("/count", pk=pk, id="again") == "OK"), "an OK")
    until(lambda: _sound(lambda: serve.hits(pk) == 2), "the drain to count")


def _sound(asked: Callable[[], bool]) -> bool:
    try:
        return asked()
    except OSError:
        return False


def test_connections_made_while_the_web_process_is_down_wait_and_are_answered(
    serve: Server,
) -> None:
    web = serve.child(WEB)
    workers = until(lambda: pids_below(web, WEB), "a worker")
    os.kill(web, KILL)
    until(lambda: not any(alive(pid) for pid in workers), "the workers to end with it")
    assert serve.get("/count", pk="Waited") == "OK"


def test_a_second_serve_on_the_data_directory_is_refused_by_name(serve: Server, data: Path) -> None:
    found = completed("serve", "--port", "0", "--data-dir", str(data))
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        f"hailwhale: {data} is in use by process {serve.process.pid}: stop it, or choose another "
        "directory with --data-dir or HAILWHALE_DATA_DIR\n"
    )


def test_a_port_in_use_is_refused_by_name(serve: Server, tmp_path: Path) -> None:
    host, port = serve.address
    found = completed("serve", "--port", str(port), "--data-dir", str(tmp_path / "other"))
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr == (
        f"hailwhale: HAILWHALE_PORT: another program listens on {host}:{port}: stop it, or "
        "choose another port with --port or HAILWHALE_PORT\n"
    )


def test_wsgi_run_as_a_file_serves_from_anywhere(tmp_path: Path) -> None:
    program = [sys.executable, str(ROOT / "hailwhale" / "wsgi.py")]
    # Nothing but the file itself says where the package is.
    with started(
        "--port", "0", command=program, cwd=tmp_path, variables={"PYTHONPATH": ""}
    ) as server:
        assert server.said.endswith(f"(data in {tmp_path / 'hailwhale-data'})")
        assert server.get("/count", pk="File") == "OK"
        until(lambda: server.hits("File") == 1, "the drain to count")


def test_a_url_as_people_write_it_is_counted(serve: Server) -> None:
    with socket.create_connection(serve.address, timeout=DEADLINE_S) as client:
        client.sendall(
            b'GET /count?pk=Raw&dimensions={"a<b>":"c"}&metrics={"dollars":200} HTTP/1.1\r\n'
            b"Host: hw\r\nConnection: close\r\n\r\n"
        )
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    until(lambda: serve.hits("Raw") == 1, "the drain to count")
