"""The store on Redis (7 or newer) or Valkey: each atomic step is one Lua script on one shard."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

import redis

from hailwhale.core.dimensions import Path
from hailwhale.core.increments import Node, Target
from hailwhale.core.metrics import decimal_text
from hailwhale.errors import StoreMismatch
from hailwhale.store.base import (
    Ask,
    Block,
    ChunkAddress,
    Committed,
    DeadLetter,
    Guard,
    Incoming,
    Load,
    Outcome,
    Receipt,
    Step,
    Window,
)
from hailwhale.store.connection import Script, faults_named
from hailwhale.store.keys import SHARDS, Keys, cell_field, shard_of

ID_REMEMBERED_S = 24 * 3600
_ALL_FIELD = 0  # the one bucket of the `all` rollup
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
        key_list = [keys.buffer(shard), keys.position(shard), keys.stats(shard)]
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
        pipeline = self._client.pipeline(transaction=False)
        # The position first: hits read after it can only be those it stands for, or newer ones,
        # in which case the position has moved and the commit is refused.
        pipeline.get(self._keys.position(shard))
        pipeline.lrange(self._keys.buffer(shard), 0, most - 1)
        with faults_named():
            position, hits = pipeline.execute()
        if hits and position is None:  # pushed by another hand than accept.lua
            with faults_named():
                self._client.set(self._keys.position(shard), secrets.randbits(48), nx=True)
            return self.window(shard, most)
        return Window((position or b"").decode(), hits)

    # Hits to increments, increments to cells

    def commit(self, step: Step, now_s: int) -> Committed:
        keys, shard = self._keys, step.shard
        key_list = [
            keys.buffer(shard),
            keys.position(shard),
            keys.plan(shard),
            keys.dead(shard),
            keys.stats(shard),
            keys.imports(shard),
        ]
        sets: list[list[object]] = []
        owners: list[Node | Path] = []
        for pk, labels in step.increments.sublabels.items():
            key_list.append(keys.subpks(shard, pk))
            sets.append([self._max_children if pk else 0, *labels])
            owners.append(pk)
        for node, labels in step.increments.labels.items():
            key_list.append(keys.children(*node))
            sets.append([self._max_children, *labels])
            owners.append(node)
        order: dict[str, object] = {
            "position": "" if step.position is None else step.position,
            "taken": step.taken,
            "dead": [_letter_text(letter) for letter in step.dead],
            "children": sets,
            "folded": step.folded,
        }
        if step.block is not None:
            order["block"] = [step.block.name, step.block.number]
        if step.id is not None:
            key_list.append(keys.ids(_root(step)))
            order["id"] = [step.id, now_s, ID_REMEMBERED_S]
        chunks = list(_chunked(step.increments.targets, self._chunk_cells))
        inline = chunks.pop() if len(chunks) == 1 else []
        if inline:
            key_list += [self._address(row) for row in inline]
            order["inline"] = [_row_list(row) for row in inline]
        if step.guard:
            key_list.append(
                self._address(ChunkAddress(step.guard.pk, step.guard.dimension, "all", 0))
            )
            order["guard"] = _guard_list(step.guard, len(key_list))
        with faults_named():
            answer = self._commit(
                key_list, [_compact(order), *(self._chunk_text(chunk) for chunk in chunks)]
            )
        return _committed([_text(part) for part in answer], owners)

    def apply_next(self, shard: int) -> bool:
        plan = self._keys.plan(shard)
        with faults_named():
            chunk = self._client.lindex(plan, 0)
            if chunk is None:
                return False
            name, keys, _rows = chunk.split(b"\n", 2)
            self._apply([plan, *json.loads(keys)], [name])
        return True

    def _chunk_text(self, rows: Sequence[Target]) -> str:
        keys = [self._address(row) for row in rows]
        name = secrets.token_hex(8)
        return f"{name}\n{_compact(keys)}\n{_compact([_row_list(row) for row in rows])}"

    def _address(self, chunk: ChunkAddress | Target) -> str:
        return self._keys.cells(chunk.pk, chunk.dimension, chunk.rollup, chunk.chunk_start_s)

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
                pipeline.hmget(self._address(ask.chunk), [cell_field(*cell) for cell in ask.cells])
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
        return self._unlink(self._address(chunk) for chunk in chunks)

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
        return [_letter(letter) for letter in letters]

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


def _root(step: Step) -> str:
    return step.increments.targets[0].pk[0]


def _row_list(row: Target) -> list[object]:
    """A row as rows.lua takes it: [ttl, field, amount, field, amount, …]."""
    out: list[object] = [row.ttl_s or 0]
    for cell, amount in row.amounts.items():
        out += [cell_field(*cell), decimal_text(amount)]
    return out


def _chunked(rows: Sequence[Target], cells: int) -> Iterator[list[Target]]:
    """Rows in runs of about `cells` cells: a row is never cut, for it lies in one hash."""
    chunk: list[Target] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += len(row.amounts)
        if size >= cells:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _guard_list(guard: Guard, place: int) -> list[object]:
    return [place, cell_field(_ALL_FIELD, guard.metric), decimal_text(guard.expected)]


def _committed(answer: list[str], owners: Sequence[Node | Path]) -> Committed:
    outcome = Outcome(answer[0])
    labels: dict[Node, list[str]] = {}
    sublabels: dict[Path, list[str]] = {}
    for index, label in zip(answer[1::2], answer[2::2], strict=True):
        owner = owners[int(index) - 1]
        # A pk is a path of labels, a node is a pair of paths.
        if owner and isinstance(owner[0], tuple):
            labels.setdefault(owner, []).append(label)
        else:
            sublabels.setdefault(owner, []).append(label)
    return Committed(outcome, labels, sublabels)


def _letter_text(letter: DeadLetter) -> str:
    return json.dumps({"reason": letter.reason, "hit": letter.hit.decode("latin-1")})


def _letter(stored: bytes) -> DeadLetter:
    fields = json.loads(stored)
    return DeadLetter(fields["hit"].encode("latin-1"), fields["reason"])


def _decimal(value: bytes | None) -> Decimal | None:
    return None if value is None else Decimal(value.decode())


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _text(part: bytes | int) -> str:
    return part.decode() if isinstance(part, bytes) else str(part)


def _sliced(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some
