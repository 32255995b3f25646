"""Both servers do the same: they serve, refuse what is too large, and end with all answered."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hailwhale.store.embedded import EmbeddedValkey
from tests.deploy.running import DEADLINE_S, KILL, WEB, Server, alive, pids_below, started, until

SERVERS = ["gunicorn", "granian"]
CLOSE = b"Host: hw\r\nConnection: close\r\n"
EVENT = b'{"pk": "Flight"}'


@pytest.fixture(scope="module", params=SERVERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def whale(name: str, valkey: EmbeddedValkey) -> Iterator[Server]:
    """Whale alone, with two workers: /count counts at once."""
    shared = {"HAILWHALE_REDIS_URL": valkey.url, "HAILWHALE_NAMESPACE": f"servers-{name}"}
    arguments = ("whale", "--port", "0", "--server", name, "--workers", "2")
    with started(*arguments, variables=shared) as server:
        yield server


@pytest.fixture
def own(name: str, valkey: EmbeddedValkey, namespace: str) -> Iterator[Server]:
    """Whale alone with one worker, for a test to end."""
    shared = {"HAILWHALE_REDIS_URL": valkey.url, "HAILWHALE_NAMESPACE": namespace}
    with started("whale", "--port", "0", "--server", name, variables=shared) as server:
        yield server


def sent(server: Server, *pieces: bytes) -> tuple[int, bytes]:
    """The status and the body of the answer to a request sent as it is, piece by piece."""
    with socket.create_connection(server.address, timeout=DEADLINE_S) as client:
        for piece in pieces:
            client.sendall(piece)
        answer = client.recv(65536)
        if b"Upgrade:" in b"".join(pieces):  # gunicorn then keeps the connection open for a while
            client.shutdown(socket.SHUT_WR)
        answer += b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def begun(server: Server) -> socket.socket:
    """A connection with a request on its way that the server has accepted."""
    client = socket.create_connection(server.address, timeout=DEADLINE_S)
    head = b"POST /count HTTP/1.1\r\nHost: hw\r\nContent-Type: application/json\r\n"
    client.sendall(head + b"Content-Length: %d\r\n\r\n" % len(EVENT) + EVENT[:5])
    server.get("/healthz")  # by now the connection before this one is accepted
    return client


def test_it_says_its_one_line_and_serves(whale: Server) -> None:
    assert whale.said == f"whale on {whale.url}"
    assert whale.get("/count", pk="Shop", metrics='{"revenue": 19.99}') == "OK"
    assert whale.hits() == 1
    totals = whale.get("/totals", pk="Shop", metrics="revenue", period="1d:1mo")
    assert totals == '{"1d:1mo":{"_":{"revenue":19.99}}}'


def test_it_is_the_server_that_was_named(whale: Server, name: str) -> None:
    with socket.create_connection(whale.address, timeout=DEADLINE_S) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\n" + CLOSE + b"\r\n")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert f"server: {name}".encode() in answer.lower()


@pytest.mark.parametrize("value", ["Zürich", "東京", "a&b=c+d %41", "🐳"])
def test_any_text_arrives_as_it_was_sent(whale: Server, value: str) -> None:
    assert whale.get("/count", pk="Texts", dimensions=json.dumps(["text", value])) == "OK"
    answer = json.loads(whale.get("/subdimensions", pk="Texts", dimensions="text"))
    assert json.dumps(["text", value], ensure_ascii=False) in answer["text"]


def test_a_wrong_value_is_a_400_that_says_why(whale: Server) -> None:
    status, body = sent(whale, b"GET /count?metrcis=sales HTTP/1.1\r\n" + CLOSE + b"\r\n")
    assert (status, json.loads(body)["error"]["parameter"]) == (400, "metrcis")


@pytest.mark.parametrize("query_bytes", [66_000, 500_000])
def test_a_url_too_long_is_refused(whale: Server, query_bytes: int) -> None:
    query = b"GET /count?pk=Long&_=" + b"x" * query_bytes
    status, _ = sent(whale, query + b" HTTP/1.1\r\n" + CLOSE + b"\r\n")
    assert status in (413, 414, 431)
    assert whale.hits("Long") == 0


def test_a_head_without_end_is_refused(whale: Server) -> None:
    status, _ = sent(
        whale, b"GET /count?pk=Long HTTP/1.1\r\nX: " + b"x" * 500_000 + b"\r\n" + CLOSE + b"\r\n"
    )
    assert status == 431
    assert whale.hits("Long") == 0


def test_a_body_may_come_in_chunks_slowly_and_be_large(whale: Server) -> None:
    events = json.dumps([{"pk": "Chunks", "_": "x" * 1000}] * 1000).encode()
    pieces = [events[start : start + 300_000] for start in range(0, len(events), 300_000)]
    head = b"POST /count HTTP/1.1\r\nContent-Type: application/json\r\n" + CLOSE
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    answers = [
        sent(whale, head + b"Transfer-Encoding: chunked\r\n\r\n", *chunks, b"0\r\n\r\n"),
        sent(whale, head + b"Content-Length: %d\r\n\r\n" % len(events), *pieces),
    ]
    assert [status for status, _ in answers] == [200, 200]
    assert [json.loads(body)["accepted"] for _, body in answers] == [1000, 1000]
    assert whale.hits("Chunks") == 2000


def test_a_body_over_the_limit_is_refused_when_it_says_so(whale: Server) -> None:
    head = b"POST /count HTTP/1.1\r\nContent-Type: application/json\r\n" + CLOSE
    status, body = sent(whale, head + b"Content-Length: 99999999\r\n\r\n")
    assert (status, json.loads(body)["error"]["parameter"]) == (413, "body")


def heads(*lines: str) -> bytes:
    """Lines of a head, with those that a program sends."""
    return "".join(f"{line}\r\n" for line in (*lines, "Connection: close", "")).encode()


@pytest.mark.parametrize(
    "lines",
    [
        ("Host: 127.0.0.1",),
        ("Host: LOCALHOST.:8085", "User-Agent: curl/8", "Accept: */*"),
        ("Host: [::1]:8085",),
        ("Host: [::ffff:127.0.0.1]",),
        ("Host: 127.1",),
    ],
    ids=str,
)
def test_a_program_changes_things_at_a_loopback_host(whale: Server, lines: tuple[str, ...]) -> None:
    for method, body in (("GET", ""), ("POST", "Content-Length: 0")):
        head = heads(*lines, *([body] if body else []))
        status, answer = sent(whale, f"{method} /flush_hail HTTP/1.1\r\n".encode() + head)
        assert (status, json.loads(answer)) == (200, {"counted": 0})


@pytest.mark.parametrize(
    "lines",
    [
        ("Host: evil.example:8085",),
        ("Host: 0.0.0.0:8085",),
        ("Host: x.localhost",),
        ("Host: localhost, evil.example",),
        ("Host: localhost", "Host: evil.example"),
        ("Host: evil.example", "Host: localhost"),
        ("X-Forwarded-Host: localhost", "Host: evil.example"),
        ("Host: localhost", "Origin: http://evil.example"),
        ("Host: localhost", "Origin: null"),
        ("Host: localhost", "Referer: http://evil.example/"),
        ("Host: localhost", "Sec-Fetch-Site: cross-site"),
        ("Host: localhost", "Upgrade: websocket", "Connection: Upgrade"),
        ("Host: localhost", "Accept-Language: en"),
        ("Host: localhost", "User-Agent: Mozilla/5.0"),
    ],
    ids=str,
)
def test_what_a_browser_sends_from_another_site_counts_and_changes_nothing(
    whale: Server, lines: tuple[str, ...]
) -> None:
    before, head = whale.hits("Kept"), heads(*lines)
    status, _ = sent(whale, b"GET /count?pk=Kept HTTP/1.1\r\n" + head)
    counted = status == 200
    assert counted or [line[:5] for line in lines].count("Host:") == 2, "a server may refuse two"
    for path in (b"/reset?pk=Kept", b"/flush_hail"):
        assert sent(whale, b"GET " + path + b" HTTP/1.1\r\n" + head)[0] in (400, 403)
    assert whale.hits("Kept") == before + counted


def test_without_a_host_it_counts_and_neither_reads_nor_changes(whale: Server) -> None:
    assert sent(whale, b"GET /count?pk=Old HTTP/1.0\r\n\r\n") == (200, b"OK")
    for path in (b"/reset?pk=Old", b"/totals?pk=Old"):
        status, body = sent(whale, b"GET " + path + b" HTTP/1.0\r\n\r\n")
        assert status == 403
        assert "HAILWHALE_HOSTS" in json.loads(body)["error"]["message"]
    assert whale.hits("Old") == 1


def test_head_counts_nothing(whale: Server) -> None:
    assert sent(whale, b"HEAD /count?pk=Head HTTP/1.1\r\n" + CLOSE + b"\r\n") == (405, b"")
    assert whale.hits("Head") == 0


def test_a_killed_worker_comes_back(whale: Server) -> None:
    workers = until(lambda: pids_below(whale.child(WEB), WEB), "workers")
    os.kill(workers[0], KILL)
    until(lambda: len({*pids_below(whale.child(WEB), WEB)} - {workers[0]}) == 2, "another worker")
    for _ in range(20):
        assert whale.get("/count", pk="Killed") == "OK"
    assert whale.hits("Killed") == 20


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_answers_requests_in_flight_and_is_not_an_error(own: Server, number: int) -> None:
    idle = socket.create_connection(own.address, timeout=DEADLINE_S)
    idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: hw\r\n\r\n")
    assert idle.recv(65536).startswith(b"HTTP/1.1 200 OK")
    client = begun(own)
    # Ctrl-C in a terminal reaches the whole group, a service manager's SIGTERM the process.
    kill = os.killpg if number == signal.SIGINT else os.kill
    kill(own.process.pid, number)
    client.sendall(EVENT[5:])
    assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")
    client.close()
    assert own.ended() == 0
    idle.close()


def test_killed_it_takes_its_workers_along(own: Server) -> None:
    workers = until(lambda: pids_below(own.child(WEB), WEB), "a worker")
    own.signal(KILL)
    assert own.ended() == -KILL
    until(lambda: not any(alive(pid) for pid in workers), "the workers to end with it")


def test_below_the_supervisor_connections_wait_while_the_web_process_is_down(
    name: str, tmp_path: Path
) -> None:
    where = ("--data-dir", str(tmp_path / "data"))
    with started("serve", "--port", "0", "--server", name, *where) as serve:
        web = serve.child(WEB)
        workers = until(lambda: pids_below(web, WEB), "a worker")
        os.kill(web, KILL)
        until(lambda: not any(alive(pid) for pid in workers), "the workers to end with it")
        assert serve.get("/count", pk="Waited") == "OK"
        serve.signal(signal.SIGTERM)
        assert serve.ended() == 0
