"""Dead letters: stores hits that could not be parsed, and moves them for an operator.

Defines their stored format and calls letters.lua. commit.lua adds them, within a step.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hailwhale.store.redis.client import RedisClient, Script, ask, faults_named
from hailwhale.store.redis.keys import Keys
from hailwhale.store.types import DeadLetter

_MOVED_AT_ONCE = 500  # bounds the time that one call blocks the server


def letter_text(letter: DeadLetter) -> str:
    r"""Encode a dead letter in its stored format.

    >>> read_letter(letter_text(DeadLetter(b"\xff", "no text")).encode())
    DeadLetter(hit=b'\xff', reason='no text')
    """
    return json.dumps({"reason": letter.reason, "hit": letter.hit.decode("latin-1")})


def read_letter(stored: bytes) -> DeadLetter:
    """Decode the stored format of a dead letter."""
    fields = json.loads(stored)
    return DeadLetter(fields["hit"].encode("latin-1"), fields["reason"])


class RedisDeadLetters:
    """`hailwhale.store.protocol.DeadLetterStore` on a list per shard."""

    def __init__(self, client: RedisClient, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._script = Script(client, "letters")

    def read(self, shard: int) -> list[DeadLetter]:
        with faults_named():
            [letters] = ask(self._client, [("LRANGE", self._keys.dead(shard), 0, -1)])
        return [read_letter(letter) for letter in letters]

    def retry(self, shard: int, letters: Sequence[DeadLetter]) -> int:
        return self._move("retry", shard, letters)

    def drop(self, shard: int, letters: Sequence[DeadLetter]) -> int:
        return self._move("drop", shard, letters)

    def _move(self, order: str, shard: int, letters: Sequence[DeadLetter]) -> int:
        keys = [self._keys.dead(shard), self._keys.buffer(shard), self._keys.stats(shard)]
        moved = 0
        for first in range(0, len(letters), _MOVED_AT_ONCE):
            args: list[Any] = [order]
            for letter in letters[first : first + _MOVED_AT_ONCE]:
                args += [letter_text(letter), letter.hit]
            with faults_named():
                moved += int(self._script(keys, args))
        return moved
