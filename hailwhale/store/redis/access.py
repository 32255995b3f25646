"""What is kept of callers: bearer tokens, how often somebody came, and how many were refused.

Owns the commands for these. What a token may, what a limit is and why somebody is refused is not
its business: records are bytes, names are names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hailwhale.store.redis.client import Client, ask, faults_named
from hailwhale.store.redis.cluster import Command
from hailwhale.store.redis.keys import Keys


class AccessStore:
    """Keeps a hash of tokens, a hash of refusals, and windows that expire by themselves."""

    def __init__(self, client: Client, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def tokens(self) -> dict[str, bytes]:
        """See `Store.tokens`."""
        [found] = self._ask(("HGETALL", self._keys.tokens()))
        return {id.decode(): record for id, record in found.items()}

    def put_token(self, id: str, record: bytes) -> None:
        """See `Store.put_token`."""
        self._ask(("HSET", self._keys.tokens(), id, record))

    def drop_token(self, id: str) -> bool:
        """See `Store.drop_token`."""
        return self._ask(("HDEL", self._keys.tokens(), id)) == [1]

    def rate(self, name: str, amount: int, window_s: int) -> tuple[int, int]:
        """See `Store.rate`."""
        key = self._keys.rate(name)
        commands: list[Command] = [
            ("INCRBY", key, amount),
            ("EXPIRE", key, window_s, "NX"),
            ("PTTL", key),
        ]
        count, _, left_ms = self._ask(*commands)
        return int(count), max(0, int(left_ms))

    def note_refused(self, counts: Mapping[str, int]) -> None:
        """See `Store.note_refused`."""
        key = self._keys.refused()
        self._ask(*(("HINCRBY", key, reason, count) for reason, count in counts.items()))

    def refused(self) -> dict[str, int]:
        """See `Store.refused`."""
        [found] = self._ask(("HGETALL", self._keys.refused()))
        return {reason.decode(): int(count) for reason, count in found.items()}

    def _ask(self, *commands: Command) -> list[Any]:
        with faults_named():
            return ask(self._client, commands)
