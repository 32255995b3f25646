"""Stands in for `wrk` and `redis-benchmark` where they are not installed; a program of its own.

`python -m benchmarks.stand_in http PORT FILE SECONDS` and `… redis URL INCREMENTS` keep each of
their connections busy from one loop over raw sockets. Requests are bytes made beforehand and
answers are only counted, so the loop is much faster than the servers it loads. Prints how many
requests were made, and in how many seconds.
"""

from __future__ import annotations

import random
import selectors
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path

from benchmarks.load import CONNECTIONS, HASHES, PIPELINED

_BATCHES = 1_000  # of increments, sent round and round


class _Connection:
    """A socket with one request (or one pipeline of them) in flight."""

    def __init__(self, connected: socket.socket, requests: Iterator[bytes]) -> None:
        self.socket = connected
        self._requests = requests
        self._got = b""

    def send(self) -> None:
        self._got = b""
        self.socket.sendall(next(self._requests))

    def receive(self, is_whole: Callable[[bytes], bool]) -> bool:
        """Take what is there; True when with it the answer is whole."""
        part = self.socket.recv(1 << 16)
        if not part:
            raise ConnectionError("the server hung up")
        self._got += part
        return is_whole(self._got)


def main(args: Sequence[str]) -> None:
    """See the module's docstring."""
    start_s = time.perf_counter()
    if args[0] == "http":
        paths = Path(args[2]).read_text().splitlines()
        until_s = start_s + float(args[3])
        done = _get(int(args[1]), paths, lambda _done: time.perf_counter() < until_s)
    else:
        most = int(args[2])
        done = _increment(args[1], lambda done: done < most)
    print(done, time.perf_counter() - start_s)


def _get(port: int, paths: Sequence[str], more: Callable[[int], bool]) -> int:
    head = "HTTP/1.1\r\nHost: localhost\r\nAccept: image/*\r\n\r\n"
    requests = cycle([f"GET {path} {head}".encode() for path in paths])
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    return _loop(sockets, requests, _is_whole_answer, more)


def _is_whole_answer(got: bytes) -> bool:
    head, end, body = got.partition(b"\r\n\r\n")
    if not end:
        return False
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"not 200: {got[:200]!r}")
    length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
    return len(body) == int(length)


def _increment(url: str, more: Callable[[int], bool]) -> int:
    batches = cycle([_batch() for _ in range(_BATCHES)])
    sockets = [_redis_socket(url) for _ in range(CONNECTIONS)]
    # An answer is two lines: the length of the sum, and the sum.
    return PIPELINED * _loop(
        sockets,
        batches,
        lambda got: got.count(b"\n") == 2 * PIPELINED,
        lambda done: more(done * PIPELINED),
    )


def _batch() -> bytes:
    commands: list[str] = []
    for _ in range(PIPELINED):
        words = ("HINCRBYFLOAT", f"b:{random.randrange(HASHES):012}", "13:usd", "19.99")
        commands += [f"*{len(words)}\r\n", *(f"${len(word)}\r\n{word}\r\n" for word in words)]
    return "".join(commands).encode()


def _redis_socket(url: str) -> socket.socket:
    if url.startswith("unix://"):
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(url.removeprefix("unix://"))
        return connected
    host, port = url.removeprefix("redis://").partition("/")[0].rsplit(":", 1)
    return socket.create_connection((host, int(port)))


def _loop(
    sockets: Sequence[socket.socket],
    requests: Iterator[bytes],
    is_whole: Callable[[bytes], bool],
    more: Callable[[int], bool],
) -> int:
    """Keep every socket busy while there is to be `more`; how many answers came whole."""
    done = 0
    with selectors.DefaultSelector() as selector:
        for connected in sockets:
            connection = _Connection(connected, requests)
            selector.register(connected, selectors.EVENT_READ, connection)
            connection.send()
        while more(done):
            for key, _ in selector.select(timeout=1):
                if key.data.receive(is_whole):
                    done += 1
                    key.data.send()
    for connected in sockets:
        connected.close()
    return done


if __name__ == "__main__":
    main(sys.argv[1:])
