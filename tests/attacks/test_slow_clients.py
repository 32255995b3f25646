"""Slow clients on real servers: however many say nothing, or not all, others are answered.

nginx of nginx.conf.example takes requests in whole before it passes them on, heads and bodies;
Granian does so with heads. gunicorn alone gives a thread to each request that has begun: that it
needs nginx in front of it is said in docs/security.rst.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from hailwhale.store.embedded import EmbeddedValkey
from tests.deploy.running import DEADLINE_S, Server, started
from tests.deploy.stack import Stack, deployed

MANY = 60
POST = b"POST /count HTTP/1.1\r\nHost: hw\r\nContent-Type: application/json\r\n"
EVENT = b'{"pk": "Slow"}'
SLOW = {
    "nothing": b"",
    "a letter": b"G",
    "a line": b"GET /count?pk=Slow HTTP/1.1\r\n",
    "half a header": b"GET /count?pk=Slow HTTP/1.1\r\nHost: hw\r\nX-Slow: aaa",
    "a head without end": b"GET /count?pk=Slow HTTP/1.1\r\n" + b"X: y\r\n" * 60,
}
SLOW_BODIES = {
    "no body": POST + b"Content-Length: 100\r\n\r\n",
    "half a body": POST + b"Content-Length: 14\r\n\r\n" + EVENT[:7],
    "a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + EVENT[:5],
    "no last chunk": POST + b"Transfer-Encoding: chunked\r\n\r\ne\r\n" + EVENT + b"\r\n",
    "an end that is none": POST + b"Transfer-Encoding: chunked\r\n\r\nff\r\n0\r\n\r\n",
    "a body after a word": POST + b"Expect: 100-continue\r\nContent-Length: 14\r\n\r\n",
    "a body too large": POST + b"Content-Length: 99999999999\r\n\r\n{",
    "a body of a question": b"GET /totals HTTP/1.1\r\nHost: hw\r\nContent-Length: 1000\r\n\r\n",
    "a path that is not": b"POST /no HTTP/1.1\r\nHost: hw\r\nContent-Length: 1000\r\n\r\n",
    "a second request": b"GET /healthz HTTP/1.1\r\nHost: hw\r\n\r\n"
    + POST
    + b"Content-Length: 9\r\n",
    "an answer unread": b"GET /healthz HTTP/1.1\r\nHost: hw\r\nConnection: close\r\n\r\nGET",
}


def served(name: str, valkey: EmbeddedValkey) -> Iterator[Server]:
    shared = {"HAILWHALE_REDIS_URL": valkey.url, "HAILWHALE_NAMESPACE": f"slow-{name}"}
    arguments = ("whale", "--port", "0", "--server", name, "--threads", "2")
    with started(*arguments, variables=shared) as server:
        yield server


@pytest.fixture(scope="module")
def gunicorn(valkey: EmbeddedValkey) -> Iterator[Server]:
    yield from served("gunicorn", valkey)


@pytest.fixture(scope="module")
def granian(valkey: EmbeddedValkey) -> Iterator[Server]:
    yield from served("granian", valkey)


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with deployed(tmp_path_factory.mktemp("slow")) as found:
        yield found


def assert_answered(address: tuple[str, int], held: bytes, ask: Callable[[], object]) -> None:
    """Others are answered while many connections have sent just this and wait."""
    with ExitStack() as stack:
        for _ in range(MANY):
            client = stack.enter_context(socket.create_connection(address, timeout=DEADLINE_S))
            client.sendall(held)
        for _ in range(5):
            assert ask() in ("OK", (200, "OK"))


@pytest.mark.parametrize("held", [*SLOW.values(), *SLOW_BODIES.values()], ids=[*SLOW, *SLOW_BODIES])
def test_behind_nginx_many_slow_requests_keep_nobody_from_being_answered(
    nginx: Stack, held: bytes
) -> None:
    """Sixty are held, and hail has 32 threads."""
    address = ("127.0.0.1", nginx.http_port)
    assert_answered(address, held, lambda: nginx.get("/count?pk=Fast"))


@pytest.mark.parametrize("held", SLOW.values(), ids=SLOW)
def test_many_slow_heads_keep_nobody_from_being_answered_by_granian(
    granian: Server, held: bytes
) -> None:
    """Sixty are held, and it has two threads."""
    assert_answered(granian.address, held, lambda: granian.get("/count", pk="Fast"))
    assert granian.hits("Slow") == 0


@pytest.mark.parametrize(
    "smuggled",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"Content-Length: 0\r\nContent-Length: 60\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n",
        b" Content-Length: 60\r\n\r\n",
        b"Content-Length: +60\r\n\r\n",
    ],
)
def test_a_request_whose_end_is_in_doubt_is_not_two(gunicorn: Server, smuggled: bytes) -> None:
    """What one program takes for a body and another for a request is refused, and ends there."""
    inner = b"GET /count?pk=Smuggled HTTP/1.1\r\nHost: hw\r\nConnection: close\r\n\r\n"
    with socket.create_connection(gunicorn.address, timeout=DEADLINE_S) as client:
        client.sendall(POST + smuggled + b"0\r\n\r\n" + inner)
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(65_536), b""))
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501"))
    assert gunicorn.hits("Smuggled") == 0
