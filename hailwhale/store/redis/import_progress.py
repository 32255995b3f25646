"""The progress of imports: the last block that is counted in every shard.

The shards keep their own last blocks, which commit.lua compares; see `keys`.
"""

from __future__ import annotations

from hailwhale.store.redis.client import RedisClient, ask, faults_named
from hailwhale.store.redis.keys import Keys
from hailwhale.store.types import ImportBlock


class RedisImports:
    """`hailwhale.store.protocol.ImportStore` on one hash."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._key = keys.imports_done()

    def last_block(self, name: str) -> int:
        with faults_named():
            [found] = ask(self._client, [("HGET", self._key, name)])
        return int(found or 0)

    def note_block(self, block: ImportBlock) -> None:
        with faults_named():
            ask(self._client, [("HSET", self._key, block.name, block.number)])
