"""Client of the demo: sends events and waits for the service while it is unavailable.

Retries every request. Events carry the ids that the client assigns, so a batch that is sent again
counts once. Knows nothing of what is sent or why.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from hailwhale.client import Client
from hailwhale.errors import HailWhaleError, StoreUnavailable, TooMany

T = TypeVar("T")

_TIMEOUT_S = 30
_AWAY_S = 2.0
_TRIES = 30


def open_client(url: str, token: str) -> Client:
    """Return a client that sends when flushed; raise `BadInput` for a bad address or token."""
    return Client(url, token or None, linger_s=3_600, timeout_s=_TIMEOUT_S)


class PatientService:
    """Sends events and asks questions through a client, retrying when no service answers.

    It tries `tries` times, `away_s` apart. `tell` gets progress messages for the user.
    """

    def __init__(
        self,
        client: Client,
        *,
        tries: int = _TRIES,
        away_s: float = _AWAY_S,
        pause: Callable[[float], None] = time.sleep,
        tell: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.client = client
        self.pause = pause
        self._tries = tries
        self._away_s = away_s
        self._tell = tell

    def count(self, events: Iterable[Mapping[str, Any]]) -> int:
        """Count events; return how many were accepted. Raises `HailWhaleError` as `_send` does."""
        return self._send(events, self.client.count)

    def count_decisions(self, events: Iterable[Mapping[str, Any]]) -> int:
        """Count exposures of options, as `count` does."""
        return self._send(events, self.client.count_decision)

    def ask(self, question: Callable[[], T]) -> T:
        """Ask until there is an answer: a service may start a moment after its demo."""
        for left in range(self._tries - 1, 0, -1):
            try:
                return question()
            except (StoreUnavailable, TooMany) as fault:
                if left == self._tries - 1:
                    seconds = self._tries * self._away_s
                    self._tell(f"{fault}; retrying for up to {seconds:g} seconds")
                self.pause(self._away_s)
        return question()

    def _send(self, events: Iterable[Mapping[str, Any]], put: Callable[..., bool]) -> int:
        """Pass events to the client and wait until each has an answer.

        Raises `HailWhaleError` for events that are refused, `StoreUnavailable` when the last try
        leaves events without an answer.
        """
        before = self.client.stats
        for event in events:
            put(**event)
        if not any(self.client.flush(self._away_s) for _ in range(self._tries)):
            after = self.client.stats
            raise StoreUnavailable(f"no answer for {after.queued} events: {after.last_fault}")
        after = self.client.stats
        if after.refused + after.dropped > before.refused + before.dropped:
            raise HailWhaleError(f"the service rejected events: {after.last_fault}")
        return after.counted - before.counted
