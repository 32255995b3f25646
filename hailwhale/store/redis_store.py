"""The store on Redis (7 or newer) or Valkey: each atomic step is one Lua script on one shard."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

import redis

from hailwhale.core.dimensions import Path
from hailwhale.core.increments import Node
from hailwhale.errors import StoreMismatch
from hailwhale.store.base import (
    Ask,
    Block,
    ChunkAddress,
    Committed,
    DeadLetter,
    Incoming,
    Load,
    Receipt,
    Step,
    Window,
)
from hailwhale.store.connection import Script, faults_named
from hailwhale.store.keys import SHARDS, Keys, cell_field, shard_of
from hailwhale.store.steps import ID_REMEMBERED_S, chunk_key, commit_call, read_chunk, read_letter

T = TypeVar("T")


class RedisStore:
    """`hailwhale.store.base.Store` over a redis-py client.

    `buffer_limit` hits are the most that one shard buffers, `max_children` the most labels known
    below one path (roots of a shard excepted), `chunk_cells` the cells that one script may touch:
    what bounds the time for which a step holds up the server.
    """

    def __init__(
        self,
        client: redis.Redis,
        keys: Keys,
        *,
        buffer_limit: int = 250_000,
        max_children: int = 10_000,
        chunk_cells: int = 2_000,
    ) -> None:
        # redis-py types an answer as whatever any way of decoding could make it; ours are bytes.
        self._client: Any = client
        self._keys = keys
        self._buffer_limit = buffer_limit
        self._max_children = max_children
        self._chunk_cells = chunk_cells
        self._accept = Script(client, "accept")
        self._position = Script(client, "position")
        self._commit = Script(client, "commit")
        self._apply = Script(client, "apply")

    # What the store is made of

    def declare(self, zone: str, rollups: Sequence[str], now_s: int) -> Mapping[str, int]:
        key = self._keys.meta()
        first = {"zone": zone, "rollups": json.dumps(dict.fromkeys(rollups, None))}
        with faults_named():
            self._client.hsetnx(key, "zone", first["zone"])
            self._client.hsetnx(key, "rollups", first["rollups"])
            made_of = self._client.hmget(key, ["zone", "rollups"])
            made_zone, known = made_of[0].decode(), json.loads(made_of[1])
            _refuse_mismatch(made_zone, zone, list(known), rollups)
            added = {spec: now_s for spec in rollups if spec not in known}
            if added:
                known |= added
                self._client.hset(key, "rollups", json.dumps(known))
        return {spec.split(":")[0]: since for spec, since in known.items() if since is not None}

    # Hits in

    def accept(self, hits: Sequence[Incoming], now_s: int) -> list[Receipt]:
        by_shard: dict[int, list[int]] = {}
        for place, hit in enumerate(hits):
            by_shard.setdefault(shard_of(hit.root), []).append(place)
        slices = [
            (shard, some) for shard, places in by_shard.items() for some in _sliced(places, 1_000)
        ]
        if not slices:
            return []
        with faults_named():
            answers = self._accept.many(
                [
                    self._accept_call(shard, [hits[place] for place in some], now_s)
                    for shard, some in slices
                ]
            )
        receipts = [Receipt.FULL] * len(hits)
        for (_, some), statuses in zip(slices, answers, strict=True):
            for place, status in zip(some, statuses, strict=True):
                receipts[place] = Receipt(status)
        return receipts

    def _accept_call(
        self, shard: int, hits: list[Incoming], now_s: int
    ) -> tuple[list[str], list[Any]]:
        keys = self._keys
        key_list = [keys.buffer(shard), keys.stats(shard)]
        id_keys: dict[str, int] = {}
        args: list[Any] = [self._buffer_limit, now_s, ID_REMEMBERED_S]
        for hit in hits:
            if hit.id is None:
                args += [hit.hit, "", 0]
            else:
                index = id_keys.setdefault(hit.root, len(key_list) + 1)
                if index > len(key_list):
                    key_list.append(keys.ids(hit.root))
                args += [hit.hit, hit.id, index]
        return key_list, args

    def window(self, shard: int, most: int) -> Window:
        with faults_named():
            # The position first: hits read after it can only be those it stands for, or newer
            # ones, in which case the position has moved and the commit is refused.
            position = self._position([self._keys.position(shard)], [])
            hits = self._client.lrange(self._keys.buffer(shard), 0, most - 1)
        return Window(position.decode(), hits)

    # Hits to increments, increments to cells

    def commit(self, step: Step, now_s: int) -> Committed:
        call = commit_call(step, now_s, self._keys, self._max_children, self._chunk_cells)
        with faults_named():
            answer = self._commit(call.keys, call.args)
        return call.committed(answer)

    def apply_next(self, shard: int) -> bool:
        plan = self._keys.plan(shard)
        with faults_named():
            chunk = self._client.lindex(plan, 0)
            if chunk is None:
                return False
            name, keys = read_chunk(chunk)
            self._apply([plan, *keys], [name])
        return True

    # Questions

    def loads(self) -> list[Load]:
        pipeline = self._client.pipeline(transaction=False)
        for shard in range(SHARDS):
            pipeline.llen(self._keys.buffer(shard))
            pipeline.llen(self._keys.plan(shard))
        with faults_named():
            sizes = pipeline.execute()
        pairs = zip(range(SHARDS), sizes[::2], sizes[1::2], strict=True)
        return [Load(*pair) for pair in pairs if pair[1] or pair[2]]

    def read(self, asks: Sequence[Ask]) -> list[list[Decimal | None]]:
        answers: list[list[Decimal | None]] = []
        for some in _sliced(asks, 1_000):
            pipeline = self._client.pipeline(transaction=False)
            for ask in some:
                key = chunk_key(self._keys, ask.chunk)
                pipeline.hmget(key, [cell_field(*cell) for cell in ask.cells])
            with faults_named():
                found = pipeline.execute()
            answers += [[_decimal(value) for value in values] for values in found]
        return answers

    def children(self, nodes: Sequence[Node]) -> list[set[str]]:
        answers: list[set[str]] = []
        for some in _sliced(nodes, 1_000):
            pipeline = self._client.pipeline(transaction=False)
            for node in some:
                pipeline.smembers(self._keys.children(*node))
            with faults_named():
                answers += [{label.decode() for label in found} for found in pipeline.execute()]
        return answers

    def subpks(self, pk: Path) -> set[str]:
        shards = [shard_of(pk[0])] if pk else range(SHARDS)
        pipeline = self._client.pipeline(transaction=False)
        for shard in shards:
            pipeline.smembers(self._keys.subpks(shard, pk))
        with faults_named():
            return {label.decode() for found in pipeline.execute() for label in found}

    # Erasure

    def erase_cells(self, chunks: Iterable[ChunkAddress]) -> int:
        return self._unlink(chunk_key(self._keys, chunk) for chunk in chunks)

    def erase_children(self, nodes: Iterable[Node]) -> None:
        self._unlink(self._keys.children(*node) for node in nodes)

    def _unlink(self, keys: Iterable[str]) -> int:
        count = 0
        for some in _sliced(keys, 1_000):
            pipeline = self._client.pipeline(transaction=False)
            for key in some:
                pipeline.unlink(key)
            with faults_named():
                count += sum(pipeline.execute())
        return count

    def forget_label(self, pk: Path, dimension: Path) -> None:
        with faults_named():
            if dimension:
                self._client.srem(self._keys.children(pk, dimension[:-1]), dimension[-1])
            else:
                self._client.srem(self._keys.subpks(shard_of(pk[0]), pk[:-1]), pk[-1])

    def forget_pk(self, pk: Path) -> None:
        with faults_named():
            self._client.unlink(self._keys.subpks(shard_of(pk[0]), pk))
            if len(pk) == 1:
                self._client.unlink(self._keys.ids(pk[0]))

    # Imports

    def last_block(self, name: str) -> int:
        with faults_named():
            return int(self._client.hget(self._keys.imports_done(), name) or 0)

    def note_block(self, block: Block) -> None:
        with faults_named():
            self._client.hset(self._keys.imports_done(), block.name, block.number)

    # For the operator

    def dead_letters(self, shard: int) -> list[DeadLetter]:
        with faults_named():
            letters = self._client.lrange(self._keys.dead(shard), 0, -1)
        return [read_letter(letter) for letter in letters]

    def stats(self) -> dict[str, int]:
        pipeline = self._client.pipeline(transaction=False)
        for shard in range(SHARDS):
            pipeline.hgetall(self._keys.stats(shard))
        counts = dict.fromkeys(("accepted", "duplicate", "drained", "dead", "folded"), 0)
        with faults_named():
            for found in pipeline.execute():
                for name, count in found.items():
                    counts[name.decode()] += int(count)
        return counts

    def ping(self) -> None:
        with faults_named():
            self._client.ping()

    def close(self) -> None:
        self._client.close()
        self._client.connection_pool.disconnect()


def _refuse_mismatch(
    made_zone: str, zone: str, known: Sequence[str], rollups: Sequence[str]
) -> None:
    if made_zone != zone:
        raise StoreMismatch(
            f"this store counts its days in {made_zone}, the settings say {zone}: set "
            f"HAILWHALE_TIMEZONE={made_zone}, or start an empty store in another data directory"
        )
    missing = [spec for spec in known if spec not in rollups]
    if missing:
        raise StoreMismatch(
            f"this store keeps {', '.join(known)}, the settings leave out {', '.join(missing)}: "
            f"set HAILWHALE_ROLLUPS={','.join(known)} (rollups may be added, not taken away)"
        )


def _decimal(value: bytes | None) -> Decimal | None:
    return None if value is None else Decimal(value.decode())


def _sliced(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some
