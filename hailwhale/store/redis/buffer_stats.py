"""What an operator is told of a store: what waits, since when, what was counted, what was refused.

Owns the commands for it. It moves dead letters, and otherwise changes nothing but the tallies of
requests, which are kept for whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hailwhale.store.redis.client import Client, Script, ask, faults_named
from hailwhale.store.redis.cluster import Command
from hailwhale.store.redis.commit_args import letter_text, read_letter
from hailwhale.store.redis.keys import SHARDS, Keys
from hailwhale.store.types import DeadLetter, StoreStats

COUNTED = ("accepted", "duplicate", "drained", "dead", "folded")

_LETTERS_AT_ONCE = 500  # bounds the time for which moving some holds up the server


class BufferStats:
    """Reads what all shards know of themselves."""

    def __init__(self, client: Client, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._letters = Script(client, "letters")

    def vitals(self, now_s: float) -> StoreStats:
        """See `Store.vitals`."""
        keys = self._keys
        commands: list[Command] = []
        for shard in range(SHARDS):
            commands += [
                ("LLEN", keys.buffer(shard)),
                ("LLEN", keys.plan(shard)),
                ("LLEN", keys.dead(shard)),
                ("HGETALL", keys.stats(shard)),
            ]
        answers = self._ask(commands)
        buffered, planned, dead, stats = (answers[place::4] for place in range(4))
        lags = [
            _lag_s(found, now_s) for found, waiting in zip(stats, buffered, strict=True) if waiting
        ]
        return StoreStats(
            buffered=sum(buffered),
            deepest=max(buffered),
            planned=sum(planned),
            dead_letters=sum(dead),
            series=sum(int(found.get(b"series", 0)) for found in stats),
            lag_s=max(lags, default=0.0),
            counts=_summed(stats),
        )

    def stats(self) -> dict[str, int]:
        """See `Store.stats`."""
        return _summed(self._ask([("HGETALL", self._keys.stats(shard)) for shard in range(SHARDS)]))

    def dead_letters(self, shard: int) -> list[DeadLetter]:
        """See `Store.dead_letters`."""
        [letters] = self._ask([("LRANGE", self._keys.dead(shard), 0, -1)])
        return [read_letter(letter) for letter in letters]

    def move_letters(self, shard: int, letters: Sequence[DeadLetter], *, retry: bool) -> int:
        """See `Store.retry_letters` and `Store.drop_letters`."""
        keys = [self._keys.dead(shard), self._keys.buffer(shard), self._keys.stats(shard)]
        moved = 0
        for first in range(0, len(letters), _LETTERS_AT_ONCE):
            args: list[Any] = ["retry" if retry else "drop"]
            for letter in letters[first : first + _LETTERS_AT_ONCE]:
                args += [letter_text(letter), letter.hit]
            with faults_named():
                moved += int(self._letters(keys, args))
        return moved

    def note_requests(self, counts: Mapping[str, int]) -> None:
        """See `Store.note_requests`."""
        key = self._keys.requests()
        self._ask([("HINCRBY", key, name, count) for name, count in counts.items()])

    def requests(self) -> dict[str, int]:
        """See `Store.requests`."""
        [found] = self._ask([("HGETALL", self._keys.requests())])
        return {name.decode(): int(count) for name, count in found.items()}

    def _ask(self, commands: Sequence[Command]) -> list[Any]:
        with faults_named():
            return ask(self._client, commands)


def _summed(stats: Sequence[Mapping[bytes, bytes]]) -> dict[str, int]:
    return {name: sum(int(found.get(name.encode(), 0)) for found in stats) for name in COUNTED}


def _lag_s(stats: Mapping[bytes, bytes], now_s: float) -> float:
    """How long the hit that is marked has waited, or the last one did: whichever is longer."""
    last_s = float(stats.get(b"lag", 0))
    _, colon, at = stats.get(b"mark", b"").partition(b":")
    return max(last_s, now_s - int(at)) if colon else last_s
