"""Alert state: a text for each alert and report, updated by compare-and-set.

Calls swap.lua. Knows nothing of what a text says.
"""

from __future__ import annotations

from hailwhale.store.redis.client import RedisClient, Script, ask, faults_named
from hailwhale.store.redis.keys import Keys


class RedisAlertState:
    """`hailwhale.store.protocol.AlertStateStore` on one hash."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._key = keys.notices()
        self._script = Script(client, "swap")

    def read(self, name: str) -> bytes:
        with faults_named():
            [found] = ask(self._client, [("HGET", self._key, name)])
        return found or b""

    def swap(self, name: str, before: bytes, after: bytes) -> bool:
        with faults_named():
            return bool(self._script([self._key], [name, before, after]))
