"""Access of callers: the records of bearer tokens, and the windows of rate limits.

Stores records as bytes and windows by name. Knows nothing of what a token permits or a limit is.
"""

from __future__ import annotations

from hailwhale.store.redis.client import RedisClient, ask, faults_named
from hailwhale.store.redis.cluster import RedisCommand
from hailwhale.store.redis.keys import Keys
from hailwhale.store.types import RateWindow


class RedisTokens:
    """`hailwhale.store.protocol.TokenStore` on one hash."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._key = keys.tokens()

    def all(self) -> dict[str, bytes]:
        with faults_named():
            [found] = ask(self._client, [("HGETALL", self._key)])
        return {id.decode(): record for id, record in found.items()}

    def put(self, id: str, record: bytes) -> None:
        with faults_named():
            ask(self._client, [("HSET", self._key, id, record)])

    def drop(self, id: str) -> bool:
        with faults_named():
            return ask(self._client, [("HDEL", self._key, id)]) == [1]


class RedisRates:
    """`hailwhale.store.protocol.RateStore` on keys that expire with their windows."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def add(self, name: str, amount: int, window_s: int) -> RateWindow:
        key = self._keys.rate(name)
        commands: list[RedisCommand] = [
            ("INCRBY", key, amount),
            ("EXPIRE", key, window_s, "NX"),
            ("PTTL", key),
        ]
        with faults_named():
            count, _, left_ms = ask(self._client, commands)
        return RateWindow(int(count), max(0, int(left_ms)))
