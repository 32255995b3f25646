"""Visitor counts: HyperLogLogs, filled by the same plan as the cells and read by union.

Serializes visits for visits.lua, reads unions, and stores the secrets that visitors are hashed
with. Never sees who a visitor is.

A HyperLogLog counts distinct visitors in at most 12 KB, with a standard error of 0.81 %. Small ones
take a few bytes per visitor and have a smaller error. Those of one shard can be merged, so a period
may consist of any days.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence

from hailwhale.core.events.aggregate import VisitorIncrement
from hailwhale.store.redis.chunk_codec import WriteBatch, compact
from hailwhale.store.redis.client import RedisClient, ask, ask_in_slices, faults_named
from hailwhale.store.redis.cluster import RedisCommand
from hailwhale.store.redis.keys import Keys, shard_of
from hailwhale.store.types import ChunkAddress

MARK = "V"  # the first character of the rows of a chunk of visits
_SECRET_BYTES = 32


def visit_chunks(keys: Keys, visits: Sequence[VisitorIncrement], adds: int) -> Iterator[WriteBatch]:
    """Yield the visits of one shard as chunks of a plan, of about `adds` additions each."""
    run: list[tuple[VisitorIncrement, list[str]]] = []
    size = 0
    for visit in visits:
        weight = len(visit.frame.chunks)
        visitors = list(visit.visitors)
        per_row = max(1, adds // weight)
        for first in range(0, len(visitors), per_row):
            some = visitors[first : first + per_row]
            run.append((visit, some))
            size += len(some) * weight
            if size >= adds:
                yield _pack(keys, run)
                run, size = [], 0
    if run:
        yield _pack(keys, run)


def _pack(keys: Keys, run: Sequence[tuple[VisitorIncrement, Sequence[str]]]) -> WriteBatch:
    shard = shard_of(run[0][0].pk[0])
    frames = list(dict.fromkeys(visit.frame for visit, _ in run))
    everybody = dict.fromkeys(visitor for _, visitors in run for visitor in visitors)
    numbers = {visitor: number for number, visitor in enumerate(everybody, 1)}
    nodes: list[int | str] = []
    rows: list[list[int]] = []
    for visit, visitors in run:
        frame = frames.index(visit.frame)
        nodes += (frame, keys.node(visit.pk, visit.dimension))
        rows.append([frame + 1, *map(numbers.__getitem__, visitors)])
    prefixes = [[keys.chunk(shard, c.rollup, c.start_s) for c in f.chunks] for f in frames]
    ttls = [[chunk.ttl_s or 0 for chunk in frame.chunks] for frame in frames]
    series = [(visit.pk, visit.dimension) for visit, _ in run]
    text = MARK + compact([ttls, list(numbers), rows])
    return WriteBatch(secrets.token_hex(8), prefixes, nodes, series, text)


class RedisVisitors:
    """`hailwhale.store.protocol.VisitorStore` on a HyperLogLog per chunk."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def uniques(self, unions: Sequence[Sequence[ChunkAddress]]) -> list[int]:
        key = self._keys.of_chunk
        commands = (("PFCOUNT", *(key(chunk) for chunk in chunks)) for chunks in unions)
        return ask_in_slices(self._client, commands)


class RedisSecrets:
    """`hailwhale.store.protocol.SecretStore` on a hash per kind."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    def get(self, kind: str, names: Sequence[str]) -> list[bytes]:
        key = self._keys.secrets(kind)
        fresh: list[RedisCommand] = [
            ("HSETNX", key, name, secrets.token_bytes(_SECRET_BYTES)) for name in names
        ]
        with faults_named():
            found = ask(self._client, [*fresh, ("HGETALL", key)])[-1]
            if old := [name for name in found if name.decode() not in names]:
                ask(self._client, [("HDEL", key, *old)])
        return [found[name.encode()] for name in names]
