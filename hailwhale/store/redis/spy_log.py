"""The spy log: the newest hits of each root pk, and of its visitors by the start of their hash.

Manages the lists, and serializes a step's hits for commit.lua. Visitors whose hashes begin alike
share a list, so a root pk has at most 65 lists, however many visitors it has. Knows nothing of what
a hit says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from hailwhale.core.events.hit_codec import visitor_of
from hailwhale.store.redis.client import RedisClient, Script, ask, faults_named
from hailwhale.store.redis.cluster import RedisCommand
from hailwhale.store.redis.keys import Keys, shard_of
from hailwhale.store.types import SpiedHits, SpyEntries

SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class SpyOrder(NamedTuple):
    """The keys of a step's hits, and the hits."""

    keys: list[str]
    order: list[object]


def spied_order(spied: SpyEntries, shard: int, keys: Keys, first: int) -> SpyOrder:
    """Return a step's hits as commit.lua takes them; `first` is the index of their keys."""
    names, lists = [keys.spied(shard)], []
    for root, hits in spied.hits.items():
        names.append(keys.spy(root))
        lists.append([root, *(hit.decode() for hit in hits)])
        by_sign: dict[str, list[str]] = {}
        for hit in hits:
            if visitor := visitor_of(hit):
                by_sign.setdefault(visitor[0], []).append(hit.decode())
        for sign, found in by_sign.items():
            names.append(keys.spy(root, sign))
            lists.append(["", *found])
    return SpyOrder(names, [first, spied.most, spied.kept_s, lists])


class RedisSpyLog:
    """`hailwhale.store.protocol.SpyStore` on lists per root pk."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._spied = Script(client, "spied")

    def read(self, root: str, visitor: str | None, most: int) -> SpiedHits:
        names = [self._keys.spied(shard_of(root)), self._keys.spy(root, visitor or "")]
        with faults_named():
            number, hits = self._spied(names, [root, most])
        return SpiedHits(int(number), hits)

    def erase(self, root: str, hits: Iterable[bytes]) -> None:
        commands: list[RedisCommand] = []
        for hit in hits:
            commands.append(("LREM", self._keys.spy(root), 0, hit))
            if visitor := visitor_of(hit):
                commands.append(("LREM", self._keys.spy(root, visitor), 0, hit))
        self._ask(commands)

    def forget(self, root: str) -> None:
        lists: list[RedisCommand] = [
            ("UNLINK", self._keys.spy(root, sign)) for sign in ("", *SIGNS)
        ]
        self._ask([*lists, ("HDEL", self._keys.spied(shard_of(root)), root)])

    def _ask(self, commands: Sequence[RedisCommand]) -> list[Any]:
        with faults_named():
            return ask(self._client, commands)
