"""Statistics of the write path: what waits in each shard, for how long, and what was counted.

The scripts keep the counts. This module reads them, and writes nothing but a schema that was lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hailwhale.store.redis.client import RedisClient, Script, ask, faults_named
from hailwhale.store.redis.cluster import RedisCommand
from hailwhale.store.redis.keys import SHARDS, Keys
from hailwhale.store.redis.schema import RedisSchema
from hailwhale.store.types import ShardLoad, StoreStats

COUNTED = ("accepted", "duplicate", "drained", "dead", "folded")


class RedisStats:
    """`hailwhale.store.protocol.StatsStore` on the lists and counts of all shards."""

    def __init__(self, client: RedisClient, keys: Keys, schema: RedisSchema) -> None:
        self._client = client
        self._keys = keys
        self._schema = schema
        self._waited = Script(client, "waited")

    def vitals(self) -> StoreStats:
        keys = self._keys
        commands: list[RedisCommand] = []
        for shard in range(SHARDS):
            commands += [
                ("LLEN", keys.buffer(shard)),
                ("LLEN", keys.plan(shard)),
                ("LLEN", keys.dead(shard)),
                ("HGETALL", keys.stats(shard)),
            ]
        answers = self._ask(commands)
        buffered, planned, dead, stats = (answers[place::4] for place in range(4))
        waiting = [keys.stats(shard) for shard in range(SHARDS) if buffered[shard]]
        with faults_named():
            lags_s = self._waited.many([([key], []) for key in waiting])
        return StoreStats(
            buffered=sum(buffered),
            deepest=max(buffered),
            planned=sum(planned),
            dead_letters=sum(dead),
            series=sum(int(found.get(b"series", 0)) for found in stats),
            lag_s=float(max(lags_s, default=0)),
            counts=_summed(stats),
        )

    def counts(self) -> dict[str, int]:
        return _summed(self._ask([("HGETALL", self._keys.stats(shard)) for shard in range(SHARDS)]))

    def loads(self) -> list[ShardLoad]:
        keys = self._keys
        waiting = [key(shard) for shard in range(SHARDS) for key in (keys.buffer, keys.plan)]
        commands: list[RedisCommand] = [("LLEN", key) for key in waiting]
        *sizes, made = self._ask([*commands, ("EXISTS", keys.meta())])
        if not made:
            self._schema.restore()
        pairs = zip(range(SHARDS), sizes[::2], sizes[1::2], strict=True)
        return [ShardLoad(*pair) for pair in pairs if pair[1] or pair[2]]

    def _ask(self, commands: Sequence[RedisCommand]) -> list[Any]:
        with faults_named():
            return ask(self._client, commands)


def _summed(stats: Sequence[Mapping[bytes, bytes]]) -> dict[str, int]:
    return {name: sum(int(found.get(name.encode(), 0)) for found in stats) for name in COUNTED}
