"""An asker: a thread that puts questions to a whale all the while, and notes how each ended."""

from __future__ import annotations

from collections import Counter
from http.client import HTTPConnection, HTTPException
from threading import Event as Flag
from threading import Thread

_TIMEOUT_S = 10.0
_PAUSE_S = 0.02
_QUESTIONS = ("/totals?pk=Product&period=all", "/subdimensions?pk=Mail", "/healthz")


class Asker(Thread):
    """Asks a port of this machine for as long as its `with` lasts.

    `statuses` counts the answers, None for those that never came.
    """

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.statuses: Counter[int | None] = Counter()
        self._port = port
        self._over = Flag()

    def __enter__(self) -> Asker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        asked = 0
        while not self._over.wait(_PAUSE_S):
            self.statuses[self._ask(_QUESTIONS[asked % len(_QUESTIONS)])] += 1
            asked += 1

    def _ask(self, question: str) -> int | None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_S)
        try:
            connection.request("GET", question)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()
