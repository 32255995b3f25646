"""The known labels: reads and deletes sets of them. commit.lua adds to the sets, within a step.

Each label is a series and counts towards the limit on all series; see `label_sets`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hailwhale.core.events.aggregate import SeriesKey
from hailwhale.core.events.paths import Path
from hailwhale.store.redis.client import RedisClient, Script, ask_in_slices, faults_named
from hailwhale.store.redis.keys import SHARDS, Keys, shard_of

_ERASED_AT_ONCE = 1_000  # sets in one call of the script; bounds how long it takes


class RedisLabels:
    """`hailwhale.store.protocol.LabelStore` on a set per parent."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._forget = Script(client, "forget")

    def children(self, nodes: Sequence[SeriesKey]) -> list[set[str]]:
        return self._members(self._keys.children(*node) for node in nodes)

    def sizes(self, nodes: Sequence[SeriesKey]) -> list[int]:
        keys = (self._keys.children(*node) for node in nodes)
        return ask_in_slices(self._client, (("SCARD", key) for key in keys))

    def sizes_of_subpks(self, pks: Sequence[Path]) -> list[int]:
        keys = (self._keys.subpks(shard_of(pk[0]), pk) for pk in pks)
        return ask_in_slices(self._client, (("SCARD", key) for key in keys))

    def subpks(self, pk: Path) -> set[str]:
        shards = [shard_of(pk[0])] if pk else range(SHARDS)
        return set().union(*self._members(self._keys.subpks(shard, pk) for shard in shards))

    def metrics(self, pk: Path) -> set[str]:
        [fields] = ask_in_slices(self._client, [("HKEYS", self._keys.cells(pk, (), "all", 0))])
        return {field.decode().partition(":")[2] for field in fields}

    def erase_children(self, nodes: Iterable[SeriesKey]) -> None:
        self._erase((shard_of(pk[0]), self._keys.children(pk, path)) for pk, path in nodes)

    def erase_subpks(self, pks: Iterable[Path]) -> None:
        shards = ((shard_of(pk[0]), pk) for pk in pks)
        self._erase((shard, self._keys.subpks(shard, pk)) for shard, pk in shards)

    def forget(self, pk: Path, dimension: Path) -> None:
        shard = shard_of(pk[0])
        if dimension:
            key, label = self._keys.children(pk, dimension[:-1]), dimension[-1]
        else:
            key, label = self._keys.subpks(shard, pk[:-1]), pk[-1]
        with faults_named():
            self._forget([self._keys.stats(shard), key], [label])

    def _members(self, keys: Iterable[str]) -> list[set[str]]:
        found = ask_in_slices(self._client, (("SMEMBERS", key) for key in keys))
        return [{label.decode() for label in labels} for labels in found]

    def _erase(self, sets: Iterable[tuple[int, str]]) -> None:
        """Delete sets by shard, in the given order."""
        by_shard: dict[int, list[str]] = {}
        for shard, key in sets:
            by_shard.setdefault(shard, []).append(key)
        calls: list[tuple[list[str], list[Any]]] = [
            ([self._keys.stats(shard), *keys[first : first + _ERASED_AT_ONCE]], [])
            for shard, keys in by_shard.items()
            for first in range(0, len(keys), _ERASED_AT_ONCE)
        ]
        with faults_named():
            self._forget.many(calls)
