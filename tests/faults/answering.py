"""A port in front of a store that answers some commands itself, as a provider or an old one would.

Knows the protocol as far as to tell one command and one answer from the next.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Thread
from typing import BinaryIO


class AnsweringProxy:
    """Hands on commands to the Unix socket of a store, except those in `answers`.

    `answers` maps the name of a command to the raw answer it gets, such as b"-ERR no\\r\\n".
    """

    def __init__(self, unix_path: str) -> None:
        self.answers: dict[str, bytes] = {}
        self._unix_path = unix_path
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self._thread = Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> AnsweringProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._listener.accept()[0]
                Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with (
            suppress(OSError),
            near,
            socket.socket(socket.AF_UNIX) as far,
            near.makefile("rb") as asked,
            far.makefile("rb") as answered,
        ):
            far.connect(self._unix_path)
            while command := _frame(asked):
                name = command.split(b"\r\n")[2].decode().upper()
                answer = self.answers.get(name)
                if answer is None:
                    far.sendall(command)
                    answer = _frame(answered)
                near.sendall(answer)


def _frame(stream: BinaryIO) -> bytes:
    """One command or answer, with all that it contains; b"" at the end."""
    line = stream.readline()
    if line[:1] == b"$" and line != b"$-1\r\n":
        return line + stream.read(int(line[1:]) + 2)
    if line[:1] == b"*":
        return line + b"".join(_frame(stream) for _ in range(int(line[1:])))
    return line


def text_answer(text: str) -> bytes:
    """A text, as INFO answers."""
    return b"$%d\r\n%s\r\n" % (len(text.encode()), text.encode())
