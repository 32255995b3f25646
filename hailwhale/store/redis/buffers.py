"""The buffers: accepts hits, each at most once, and reads the window that a drain processes.

Calls accept.lua and position.lua. Knows nothing of what happens to a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from hailwhale.store.redis.client import RedisClient, Script, ask, faults_named
from hailwhale.store.redis.commit_args import ID_REMEMBERED_S
from hailwhale.store.redis.keys import Keys, shard_of
from hailwhale.store.redis.replica_ack import ReplicaAck
from hailwhale.store.types import AcceptStatus, BufferWindow, EncodedHit, ProducerSequence

SENDER_REMEMBERED_S = 7 * 24 * 3600

_ACCEPTED_AT_ONCE = 1_000  # hits of one shard; bounds the time that a call blocks the server
_FULL = AcceptStatus.FULL.value
_READ_AT_ONCE = 5_000  # hits of a window that one command reads


class RedisBuffers:
    """`hailwhale.store.protocol.BufferStore` on a list per shard.

    It has at most `limit` hits, of at most `limit_bytes` bytes together.
    """

    def __init__(
        self,
        client: RedisClient,
        keys: Keys,
        limit: int,
        limit_bytes: int,
        copies: ReplicaAck | None,
    ) -> None:
        self._client = client
        self._keys = keys
        self._limits = (limit, limit_bytes)
        self._copies = copies
        self._accept = Script(client, "accept")
        self._position = Script(client, "position")

    def accept(
        self, hits: Sequence[EncodedHit], now_s: int, stamp: ProducerSequence | None = None
    ) -> list[AcceptStatus]:
        receipts = [AcceptStatus.FULL] * len(hits)
        waiting: dict[int, list[int]] = {}
        for place, hit in enumerate(hits):
            waiting.setdefault(shard_of(hit.root), []).append(place)
        while waiting:
            some = {shard: places[:_ACCEPTED_AT_ONCE] for shard, places in waiting.items()}
            with faults_named():
                answers = self._accept.many(
                    [
                        self._accept_call(shard, hits, places, stamp)
                        for shard, places in some.items()
                    ],
                    self._copies,
                )
            for (shard, places), statuses in zip(some.items(), answers, strict=True):
                for place, status in zip(places, statuses, strict=True):
                    receipts[place] = AcceptStatus(status)
                waiting[shard] = [] if _FULL in statuses else waiting[shard][len(places) :]
            waiting = {shard: places for shard, places in waiting.items() if places}
        return receipts

    def _accept_call(
        self,
        shard: int,
        hits: Sequence[EncodedHit],
        places: Sequence[int],
        stamp: ProducerSequence | None,
    ) -> tuple[list[str], list[Any]]:
        keys = self._keys
        sender, number, remembered_s = ("", 0, 0)
        if stamp is not None:
            sender, number, remembered_s = stamp.sender, stamp.number, SENDER_REMEMBERED_S
        key_list = [keys.buffer(shard), keys.stats(shard), keys.sender(shard, sender)]
        id_keys: dict[str, int] = {}
        args: list[Any] = [*self._limits, ID_REMEMBERED_S, remembered_s]
        for place in places:
            hit = hits[place]
            args += [hit.hit, number + place]
            if hit.id is None:
                args += ["", 0]
            else:
                index = id_keys.setdefault(hit.root, len(key_list) + 1)
                if index > len(key_list):
                    key_list.append(keys.ids(hit.root))
                args += [hit.id, index]
        return key_list, args

    def window(self, shard: int, most: int) -> BufferWindow:
        with faults_named():
            # Reads the position first: hits read after it can only be those it refers to, or newer
            # ones, in which case the position has moved and the commit is refused.
            position = self._position([self._keys.position(shard)], [])
            buffer, step = self._keys.buffer(shard), _READ_AT_ONCE
            slices = ask(
                self._client,
                [
                    ("LRANGE", buffer, first, min(first + step, most) - 1)
                    for first in range(0, most, step)
                ],
            )
        return BufferWindow(position.decode(), list(chain.from_iterable(slices)))

    def forget_ids(self, root: str) -> None:
        with faults_named():
            ask(self._client, [("UNLINK", self._keys.ids(root))])
