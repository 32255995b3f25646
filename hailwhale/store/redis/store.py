"""The store on Redis (7 or newer) or Valkey: each atomic step is one Lua script on one shard."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from hailwhale.core.events.aggregate import SeriesKey
from hailwhale.core.events.paths import Path
from hailwhale.errors import StoreMismatch
from hailwhale.store.redis.access import AccessStore
from hailwhale.store.redis.alert_state import AlertState
from hailwhale.store.redis.buffer_stats import BufferStats
from hailwhale.store.redis.buffers import Buffers
from hailwhale.store.redis.cardinality import CardinalityCounters
from hailwhale.store.redis.chunk_codec import WriteBatch, compact, read_chunk
from hailwhale.store.redis.client import Client, Script, ask, close_client, faults_named
from hailwhale.store.redis.cluster import Command
from hailwhale.store.redis.commit_args import chunk_key, commit_call
from hailwhale.store.redis.decisions import DecisionStore
from hailwhale.store.redis.keys import SHARDS, Keys, cell_field, shard_of
from hailwhale.store.redis.label_sets import (
    LabelPreloader,
    LabelRemover,
    LabelSets,
    RemainingQuota,
    label_sets,
)
from hailwhale.store.redis.replica_ack import ReplicaAck
from hailwhale.store.redis.spy_log import SpyLog
from hailwhale.store.redis.views import Views
from hailwhale.store.redis.visitor_counts import VisitorCounts
from hailwhale.store.types import (
    AcceptStatus,
    Assignment,
    BufferWindow,
    CellQuery,
    ChildrenView,
    ChunkAddress,
    CommitOutcome,
    CommitResult,
    CommitStep,
    DeadLetter,
    EncodedHit,
    ImportBlock,
    ProducerSequence,
    ShardLoad,
    SpiedHits,
    StoreStats,
    ViewData,
)

T = TypeVar("T")
_AT_ONCE = 2  # chunks applied in one round trip


class RedisStore:
    """`hailwhale.store.protocol.Store` over a redis-py client.

    `buffer_limit` hits are the most that one shard buffers, `max_children` the most labels known
    below one path (root pks excepted), `max_series` about the most of all, `chunk_cells` the cells
    that one script may touch: what bounds the time for which a step holds up the server. With
    `copies`, what is acknowledged (hits accepted, and increments that were not in the buffer) is on
    so many replicas as well.
    """

    def __init__(
        self,
        client: Client,
        keys: Keys,
        *,
        buffer_limit: int = 250_000,
        max_children: int = 10_000,
        max_series: int = 2_000_000,
        chunk_cells: int = 1_500,
        copies: ReplicaAck | None = None,
    ) -> None:
        self._client = client
        self._copies = copies
        self._keys = keys
        self._max_children = max_children
        self._chunk_cells = chunk_cells
        self._buffers = Buffers(client, keys, buffer_limit, copies)
        self._ahead = LabelPreloader(client, keys)
        self._room = RemainingQuota(client, keys, max_series)
        self._forgetting = LabelRemover(client, keys)
        self._admitting = CardinalityCounters(client, keys)
        self._commit = Script(client, "commit")
        self._apply = Script(client, "apply")
        self._views = Views(client, keys)
        self._decisions = DecisionStore(client, keys)
        self._access = AccessStore(client, keys)
        self._observing = BufferStats(client, keys)
        self._visitors = VisitorCounts(client, keys)
        self._notices = AlertState(client, keys)
        self._spy_log = SpyLog(client, keys)
        # What this store committed and nobody has applied yet, as far as it knows: it need not be
        # read back. Threads may share it, for the plan itself decides what is next.
        self._planned: defaultdict[int, deque[WriteBatch]] = defaultdict(deque)
        self._made_of: tuple[str, Sequence[str], int] | None = None  # as it was declared here

    # What the store is made of

    def declare(self, zone: str, rollups: Sequence[str], now_s: int) -> Mapping[str, int]:
        key = self._keys.meta()
        first = {"zone": zone, "rollups": json.dumps(dict.fromkeys(rollups, None))}
        with faults_named():
            for name, value in first.items():
                self._one("HSETNX", key, name, value)
            made_of = self._one("HMGET", key, "zone", "rollups")
            made_zone, known = made_of[0].decode(), json.loads(made_of[1])
            _refuse_mismatch(made_zone, zone, list(known), rollups)
            added = {spec: now_s for spec in rollups if spec not in known}
            if added:
                known |= added
                self._one("HSET", key, "rollups", json.dumps(known))
        self._made_of = (zone, rollups, now_s)
        return {spec.split(":")[0]: since for spec, since in known.items() if since is not None}

    # Hits in

    def accept(
        self, hits: Sequence[EncodedHit], now_s: int, stamp: ProducerSequence | None = None
    ) -> list[AcceptStatus]:
        return self._buffers.accept(hits, now_s, stamp)

    def window(self, shard: int, most: int) -> BufferWindow:
        return self._buffers.window(shard, most)

    def admit_root(self, root: str, most: int) -> bool:
        return self._admitting.root(root, most)

    def admit_names(self, root: str, names: Sequence[str], most: int) -> set[str]:
        return self._admitting.names(root, names, most)

    # Hits to increments, increments to cells

    def commit(self, step: CommitStep, now_s: int) -> CommitResult:
        labels = label_sets(self._keys, step.shard, step.increments, self._max_children)
        room, keys = self._room.of(labels, now_s), self._keys
        if labels.is_large:
            refused = self._ahead.know(step, labels, room)
            if refused is not None:
                return refused
            labels = LabelSets()
        # What comes from the buffer was acknowledged before: should a failover undo this step,
        # its hits are in the buffer again.
        copies = self._copies if step.position is None else None
        while True:
            call = commit_call(step, labels, room, now_s, keys, self._views, self._chunk_cells)
            with faults_named():
                answer = self._commit(call.keys, call.args, copies)
            if answer[0] != b"views":
                break
            self._views.look(step.shard)
        outcome = CommitOutcome(answer[0].decode())
        if outcome is CommitOutcome.COMMITTED:
            self._planned[step.shard] += call.plan
            return CommitResult(outcome, planned=len(call.plan))
        return (
            labels.refused(answer) if outcome is CommitOutcome.OVERFLOW else CommitResult(outcome)
        )

    def apply_next(self, shard: int) -> int:
        known = self._planned[shard]
        some = [known.popleft() for _ in range(min(len(known), _AT_ONCE))]
        if some and self._applied(shard, some):
            return len(some)
        known.clear()  # somebody else is at this plan, or views were made: look what it holds
        while True:
            with faults_named():
                chunk = self._one("LINDEX", self._keys.plan(shard), 0)
            if chunk is None:
                return 0
            if self._applied(shard, [read_chunk(chunk)]):
                return 1

    def _applied(self, shard: int, chunks: Sequence[WriteBatch]) -> bool:
        """Whether chunks were the first of a plan, and were applied."""
        keys, registry = self._keys, self._views.registry(shard)
        calls: list[tuple[list[str], list[Any]]] = []
        for chunk in chunks:
            names = [keys.plan(shard), keys.views(shard), *chunk.keys()]
            touched, updates = registry.updates(chunk, len(names) + 1)
            names += self._views.keys(shard, touched)
            calls.append((names, [chunk.name, registry.generation, compact(updates)]))
        with faults_named():
            answers = self._apply.many(calls)
        if -1 in answers:
            self._views.look(shard)
        return all(answer == 1 for answer in answers)

    # Questions

    def loads(self) -> list[ShardLoad]:
        keys = self._keys
        waiting = [key(shard) for shard in range(SHARDS) for key in (keys.buffer, keys.plan)]
        *sizes, made = self._many([*(("LLEN", key) for key in waiting), ("EXISTS", keys.meta())])
        if self._made_of is not None and not made:  # the server came back empty
            self.declare(*self._made_of)
        pairs = zip(range(SHARDS), sizes[::2], sizes[1::2], strict=True)
        return [ShardLoad(*pair) for pair in pairs if pair[1] or pair[2]]

    def read(self, asks: Sequence[CellQuery]) -> list[list[Decimal | None]]:
        found = self._many(
            ("HMGET", chunk_key(self._keys, ask.chunk), *(cell_field(*cell) for cell in ask.cells))
            for ask in asks
        )
        return [[_decimal(value) for value in values] for values in found]

    def sheets(self, views: Sequence[ChildrenView], now_s: float) -> list[ViewData | None]:
        return self._views.sheets(views, now_s)

    def drop_views(self, shard: int) -> None:
        self._views.drop(shard)

    def uniques(self, unions: Sequence[Sequence[ChunkAddress]]) -> list[int]:
        return self._visitors.uniques(unions)

    def seen(self, root: str, visitor: str | None, most: int) -> SpiedHits:
        return self._spy_log.seen(root, visitor, most)

    def erase_seen(self, root: str, hits: Iterable[bytes]) -> None:
        self._spy_log.erase(root, hits)

    def secrets(self, kind: str, names: Sequence[str]) -> list[bytes]:
        return self._visitors.secrets(kind, names)

    def children(self, nodes: Sequence[SeriesKey]) -> list[set[str]]:
        found = self._many(("SMEMBERS", self._keys.children(*node)) for node in nodes)
        return [{label.decode() for label in labels} for labels in found]

    def subpks(self, pk: Path) -> set[str]:
        shards = [shard_of(pk[0])] if pk else range(SHARDS)
        found = self._many(("SMEMBERS", self._keys.subpks(shard, pk)) for shard in shards)
        return {label.decode() for labels in found for label in labels}

    def metrics(self, pk: Path) -> set[str]:
        with faults_named():
            cells = self._one("HKEYS", self._keys.cells(pk, (), "all", 0))
        return {field.decode().partition(":")[2] for field in cells}

    # Decisions

    def keep(
        self,
        pk: Path,
        visitor: str,
        given: Sequence[Assignment],
        options: Sequence[str],
        now_s: int,
        term_s: int,
    ) -> list[Assignment]:
        return self._decisions.keep(pk, visitor, given, options, now_s, term_s)

    def forget_kept(self, pk: Path, visitor: str) -> None:
        self._decisions.forget_visitor(pk, visitor)

    def write_journal(self, pk: Path, entries: Sequence[bytes], most: int) -> None:
        self._decisions.write(pk, entries, most)

    def journal(self, pk: Path) -> Iterator[bytes]:
        return self._decisions.read(pk)

    # Erasure

    def erase_cells(self, chunks: Iterable[ChunkAddress]) -> int:
        return self._unlink(chunk_key(self._keys, chunk) for chunk in chunks)

    def erase_children(self, nodes: Iterable[SeriesKey]) -> None:
        sets: dict[int, list[str]] = {}
        for pk, dimension in nodes:
            sets.setdefault(shard_of(pk[0]), []).append(self._keys.children(pk, dimension))
        self._forgetting.sets(sets)

    def _unlink(self, keys: Iterable[str]) -> int:
        return sum(self._many(("UNLINK", key) for key in keys))

    def forget_label(self, pk: Path, dimension: Path) -> None:
        if dimension:
            key, label = self._keys.children(pk, dimension[:-1]), dimension[-1]
        else:
            key, label = self._keys.subpks(shard_of(pk[0]), pk[:-1]), pk[-1]
        self._forgetting.label(shard_of(pk[0]), key, label)

    def forget_pk(self, pk: Path) -> None:
        ids: list[str] = []
        if len(pk) == 1:
            self._spy_log.forget(pk[0])
            self._admitting.forget(pk[0])
            ids = [self._keys.ids(pk[0])]
        shard = shard_of(pk[0])
        self._forgetting.sets({shard: [self._keys.subpks(shard, pk)]})
        self._unlink([*self._decisions.keys_of(pk), *ids])

    # Imports

    def last_block(self, name: str) -> int:
        with faults_named():
            return int(self._one("HGET", self._keys.imports_done(), name) or 0)

    def note_block(self, block: ImportBlock) -> None:
        with faults_named():
            self._one("HSET", self._keys.imports_done(), block.name, block.number)

    # Who may ask, and how often

    def tokens(self) -> dict[str, bytes]:
        return self._access.tokens()

    def put_token(self, id: str, record: bytes) -> None:
        self._access.put_token(id, record)

    def drop_token(self, id: str) -> bool:
        return self._access.drop_token(id)

    def notice(self, name: str) -> bytes:
        return self._notices.notice(name)

    def swap_notice(self, name: str, before: bytes, after: bytes) -> bool:
        return self._notices.swap_notice(name, before, after)

    def rate(self, name: str, amount: int, window_s: int) -> tuple[int, int]:
        return self._access.rate(name, amount, window_s)

    def note_refused(self, counts: Mapping[str, int]) -> None:
        self._access.note_refused(counts)

    def refused(self) -> dict[str, int]:
        return self._access.refused()

    # For the operator

    def dead_letters(self, shard: int) -> list[DeadLetter]:
        return self._observing.dead_letters(shard)

    def retry_letters(self, shard: int, letters: Sequence[DeadLetter]) -> int:
        return self._observing.move_letters(shard, letters, retry=True)

    def drop_letters(self, shard: int, letters: Sequence[DeadLetter]) -> int:
        return self._observing.move_letters(shard, letters, retry=False)

    def stats(self) -> dict[str, int]:
        return self._observing.stats()

    def vitals(self, now_s: float) -> StoreStats:
        return self._observing.vitals(now_s)

    def note_requests(self, counts: Mapping[str, int]) -> None:
        self._observing.note_requests(counts)

    def requests(self) -> dict[str, int]:
        return self._observing.requests()

    def ping(self) -> None:
        with faults_named():
            self._client.ping()

    def close(self) -> None:
        close_client(self._client)

    def _one(self, *command: Any) -> Any:
        return self._client.execute_command(*command)

    def _many(self, commands: Iterable[Command]) -> list[Any]:
        """The answers to commands on any shards, in order."""
        answers: list[Any] = []
        for some in _sliced(commands, 1_000):
            with faults_named():
                answers += ask(self._client, some)
        return answers


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
