"""Counts of requests answered and refused, summed over all processes."""

from __future__ import annotations

from collections.abc import Mapping

from hailwhale.store.redis.client import RedisClient, ask, faults_named
from hailwhale.store.redis.keys import Keys


class RedisRequestStats:
    """`hailwhale.store.protocol.RequestStatsStore` on two hashes."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._answered = keys.requests()
        self._refused = keys.refused()

    def add_answered(self, counts: Mapping[str, int]) -> None:
        self._add(self._answered, counts)

    def answered(self) -> dict[str, int]:
        return self._read(self._answered)

    def add_refused(self, counts: Mapping[str, int]) -> None:
        self._add(self._refused, counts)

    def refused(self) -> dict[str, int]:
        return self._read(self._refused)

    def _add(self, key: str, counts: Mapping[str, int]) -> None:
        with faults_named():
            ask(self._client, [("HINCRBY", key, name, count) for name, count in counts.items()])

    def _read(self, key: str) -> dict[str, int]:
        with faults_named():
            [found] = ask(self._client, [("HGETALL", key)])
        return {name.decode(): int(count) for name, count in found.items()}
