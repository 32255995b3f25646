"""The cells: reads and deletes chunks, each a hash with one field per bucket and metric.

Only steps write cells; see `commits`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from hailwhale.store.redis.client import RedisClient, ask_in_slices
from hailwhale.store.redis.keys import Keys, cell_field
from hailwhale.store.types import CellQuery, ChunkAddress


class RedisCells:
    """`hailwhale.store.protocol.CellStore` on a hash for each chunk."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def read(self, asks: Sequence[CellQuery]) -> list[list[Decimal | None]]:
        key = self._keys.of_chunk
        found = ask_in_slices(
            self._client,
            (("HMGET", key(ask.chunk), *(cell_field(*cell) for cell in ask.cells)) for ask in asks),
        )
        return [[_decimal(value) for value in values] for values in found]

    def erase(self, chunks: Iterable[ChunkAddress]) -> int:
        commands = (("UNLINK", self._keys.of_chunk(chunk)) for chunk in chunks)
        return sum(ask_in_slices(self._client, commands))


def _decimal(value: bytes | None) -> Decimal | None:
    return None if value is None else Decimal(value.decode())
