"""How `hailwhale serve` ends: in order, with everything answered and counted, or killed."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

from tests.deploy.running import (
    DEADLINE_S,
    DRAIN,
    KILL,
    VALKEY,
    WEB,
    Server,
    alive,
    completed,
    pids_below,
    started,
    until,
)

# The drain has one look, when it starts; what comes later stays buffered.
SLEEPY = {"HAILWHALE_DRAIN_IDLE": "3600"}


def total(data: Path, pk: str) -> str:
    """The hits of a pk as a command prints them when nothing runs on the data."""
    found = completed("totals", pk, "--period", "1d:1mo", "--data-dir", str(data))
    assert found.stderr == ""
    return found.stdout.split()[-1]


def buffered(server: Server, pk: str, hits: int) -> None:
    """Have hits in the buffer, not counted."""
    until(lambda: '"buffered":0' in server.get("/healthz"), "an empty buffer")
    assert server.post("/count", [{"pk": pk}] * hits) == {"accepted": hits, "rejected": []}


def test_a_stop_counts_what_is_buffered_and_a_start_finds_it_all(data_dir: Path) -> None:
    arguments = ("serve", "--port", "0", "--data-dir", str(data_dir))
    with started(*arguments, variables=SLEEPY) as server:
        buffered(server, "Shop", 1000)
        server.signal(signal.SIGTERM)
        assert server.ended() == 0
    assert total(data_dir, "Shop") == "1,000"
    with started(*arguments) as again:
        assert again.hits("Shop") == 1000


def test_ctrl_c_reaches_the_whole_group_and_still_ends_in_order(data_dir: Path) -> None:
    with started("serve", "--port", "0", "--data-dir", str(data_dir), variables=SLEEPY) as server:
        buffered(server, "Shop", 10)
        os.killpg(server.process.pid, signal.SIGINT)
        assert server.ended() == 0
    assert total(data_dir, "Shop") == "10"


def test_a_request_in_flight_is_answered_before_the_end(data_dir: Path) -> None:
    body = b'{"pk": "Flight"}'
    head = (
        "POST /count HTTP/1.1\r\nHost: hw\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with (
        started("serve", "--port", "0", "--data-dir", str(data_dir)) as server,
        socket.create_connection(server.address, timeout=DEADLINE_S) as client,
    ):
        client.sendall(head.encode() + body[:5])
        server.get("/healthz")  # by now the connection before this one is accepted
        server.signal(signal.SIGTERM)
        until(lambda: silent(server.address), "new connections to be left waiting")
        client.sendall(body[5:])
        assert client.recv(65536).startswith(b"HTTP/1.1 200 OK")
        client.close()
        assert server.ended() == 0
    assert total(data_dir, "Flight") == "1"


def silent(address: tuple[str, int]) -> bool:
    """Whether a new connection gets no answer, or soon none."""
    try:
        with socket.create_connection(address, timeout=0.5) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: hw\r\nConnection: close\r\n\r\n")
            return not client.recv(1)
    except OSError:
        return True


def refused(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError:
        return True
    return False


def test_killed_it_leaves_no_process_behind_and_loses_nothing(data_dir: Path) -> None:
    arguments = ("serve", "--data-dir", str(data_dir))
    with started(*arguments, "--port", "0", variables=SLEEPY) as server:
        buffered(server, "Shop", 100)
        children = [server.child(words) for words in (WEB, DRAIN, VALKEY)]
        workers = pids_below(children[0], WEB)
        server.signal(KILL)
        assert server.ended() == -KILL
        until(lambda: not any(alive(pid) for pid in (*children, *workers)), "the rest to end")
        assert len(workers) == 1
        until(lambda: refused(server.address), "the port to close")
    with started(*arguments, "--port", str(server.address[1])) as again:
        until(lambda: again.hits("Shop") == 100, "the drain to count what was buffered")
