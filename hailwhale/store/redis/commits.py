"""The write path: commits steps, and applies the plans that large ones leave.

Calls commit.lua and apply.lua, which define what is atomic. `commit_args` serializes a step.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import Any

from hailwhale.store.redis.chunk_codec import WriteBatch, compact, read_chunk
from hailwhale.store.redis.client import RedisClient, Script, ask, faults_named
from hailwhale.store.redis.commit_args import commit_call
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.label_sets import LabelPreloader, LabelSets, RemainingQuota, label_sets
from hailwhale.store.redis.replica_ack import ReplicaAck
from hailwhale.store.redis.schema import RedisSchema
from hailwhale.store.redis.views import RedisViews
from hailwhale.store.types import CommitOutcome, CommitResult, CommitStep

_AT_ONCE = 2  # chunks applied in one round trip


class RedisCommits:
    """`hailwhale.store.protocol.CommitStore`, each step one script on one shard.

    `max_children` bounds the labels known below one path, except root pks. `max_series` bounds
    those of all paths together, approximately. `chunk_cells` bounds the cells that one script
    changes, and so how long a step blocks the server. With `copies`, increments that were not in
    the buffer are acknowledged once so many replicas have them as well.
    """

    def __init__(
        self,
        client: RedisClient,
        keys: Keys,
        schema: RedisSchema,
        views: RedisViews,
        *,
        max_children: int,
        max_series: int,
        chunk_cells: int,
        copies: ReplicaAck | None,
    ) -> None:
        self._client = client
        self._keys = keys
        self._schema = schema
        self._views = views
        self._max_children = max_children
        self._chunk_cells = chunk_cells
        self._copies = copies
        self._quota = RemainingQuota(client, keys, max_series)
        self._ahead = LabelPreloader(client, keys)
        self._commit = Script(client, "commit")
        self._apply = Script(client, "apply")
        # Chunks that this process committed and has not applied yet, so they need not be
        # read again. Threads may share it, because the plan itself decides what is next.
        self._planned: defaultdict[int, deque[WriteBatch]] = defaultdict(deque)

    def commit(self, step: CommitStep, now_s: int) -> CommitResult:
        labels = label_sets(self._keys, step.shard, step.increments, self._max_children)
        room, keys = self._quota.of(labels, now_s), self._keys
        if labels.is_large:
            refused = self._ahead.know(step, labels, room)
            if refused is not None:
                return refused
            labels = LabelSets()
        # Hits from the buffer were acknowledged before: if a failover undoes this step,
        # they are in the buffer again.
        copies = self._copies if step.position is None else None
        while True:
            call = commit_call(
                step,
                labels,
                room,
                keys,
                self._views,
                self._chunk_cells,
                self._schema.generation,
            )
            with faults_named():
                answer = self._commit(call.keys, call.args, copies)
            if answer[0] == b"outdated":
                self._schema.refuse_outdated()
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
        known.clear()  # another process applies this plan, or views were built: read it
        while True:
            with faults_named():
                [chunk] = ask(self._client, [("LINDEX", self._keys.plan(shard), 0)])
            if chunk is None:
                return 0
            if self._applied(shard, [read_chunk(chunk)]):
                return 1

    def _applied(self, shard: int, chunks: Sequence[WriteBatch]) -> bool:
        """Return whether chunks were the first of a plan, and were applied."""
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
