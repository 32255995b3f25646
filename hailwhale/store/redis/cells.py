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
        key, fields = self._keys.of_chunk, _FieldsByCells()
        commands = (("HMGET", key(ask.chunk), *fields.of(ask.cells)) for ask in asks)
        found = ask_in_slices(self._client, commands)
        return [
            [None if value is None else Decimal(value.decode()) for value in values]
            for values in found
        ]

    def erase(self, chunks: Iterable[ChunkAddress]) -> int:
        commands = (("UNLINK", self._keys.of_chunk(chunk)) for chunk in chunks)
        return sum(ask_in_slices(self._client, commands))


class _FieldsByCells:
    """The encoded fields of lists of cells; many queries of one call share a list."""

    def __init__(self) -> None:
        self._known: dict[int, list[bytes]] = {}

    def of(self, cells: Sequence[tuple[int, str]]) -> list[bytes]:
        """Return the fields of a list that lives as long as this object."""
        known = self._known.get(id(cells))
        if known is None:
            known = self._known[id(cells)] = [cell_field(*cell).encode() for cell in cells]
        return known
