"""A port in front of the store that can cut its connections at any byte, either way.

Half a request is one that the store never carries out; half an answer is one that it has.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random
from threading import Lock, Thread

_CHUNK = 65_536
_MOST_BYTES = 3_000  # that a connection passes one way before it is cut


class Proxy:
    """Hands on connections to the Unix socket of a store; `url` is for those who use it.

    `cuts` is how many it has cut so far.
    """

    def __init__(self, unix_path: str, seed: int = 1) -> None:
        self.cuts = 0
        self.is_cutting = False
        self._unix_path = unix_path
        self._random = Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self._thread = Thread(target=self._accept, daemon=True)
        self._thread.start()

    @contextmanager
    def cutting(self) -> Iterator[None]:
        """While this lasts every connection is cut, after some bytes of requests or of answers."""
        self.is_cutting = True
        try:
            yield
        finally:
            self.is_cutting = False

    def close(self) -> None:
        """Take no more connections; those there are end with either of their ends."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, far = self._listener.accept()[0], socket.socket(socket.AF_UNIX)
                try:
                    far.connect(self._unix_path)
                except OSError:  # the store is down
                    near.close()
                    far.close()
                else:
                    of_answers, left = self._random.random() < 0.7, self._random.randrange
                    _Link(self, near, far, of_answers, left(1, _MOST_BYTES)).start()


class _Link:
    """Two connections made one; `left` bytes pass in its direction to cut, once that has begun."""

    def __init__(
        self, proxy: Proxy, near: socket.socket, far: socket.socket, of_answers: bool, left: int
    ) -> None:
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._proxy = proxy
        self._ends = near, far
        self._cut = (far, near) if of_answers else (near, far)
        self._left = left
        self._pumps = 2
        self._lock = Lock()

    def start(self) -> None:
        for way in (self._ends, self._ends[::-1]):
            Thread(target=self._pump, args=way, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if self._proxy.is_cutting and (source, sink) == self._cut:
                    data = data[: self._left]
                    self._left -= len(data)
                sink.sendall(data)
                if not self._left:
                    self._proxy.cuts += 1
                    break
        with self._lock:
            self._pumps -= 1
            for each in self._ends:
                if self._pumps:
                    with suppress(OSError):
                        each.shutdown(socket.SHUT_RDWR)  # which ends the other pump
                else:
                    each.close()
