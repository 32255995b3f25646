"""The dead letters, on each engine: see protocol.DeadLetterStore."""

from __future__ import annotations

import pytest

from hailwhale.core.events.aggregate import Increments
from hailwhale.store.protocol import Store
from hailwhale.store.types import CommitStep, DeadLetter
from tests.conftest import NOW_S
from tests.store.samples import SHARD, hits

LETTERS = [
    DeadLetter(b"junk", "no hit"),
    DeadLetter(b"junk", "no hit"),
    DeadLetter(b"\xff", "no text"),
]


def test_dead_letters_are_kept_with_their_reason(store: Store) -> None:
    store.buffers.accept(hits("\x00broken"), NOW_S)
    letter = DeadLetter(b"\x00broken\xff", "hit: got '\\x00broken'; expected three parts")
    position = store.buffers.window(SHARD, 10).position
    store.commits.commit(
        CommitStep(shard=SHARD, increments=Increments(), position=position, taken=1, dead=[letter]),
        NOW_S,
    )
    assert store.dead_letters.read(SHARD) == [letter]
    assert store.stats.loads() == []


@pytest.mark.parametrize(("retry", "buffered"), [(True, [b"junk", b"junk"]), (False, [])])
def test_dead_letters_are_retried_or_dropped_each_once(
    store: Store, retry: bool, buffered: list[bytes]
) -> None:
    store.buffers.accept(hits("a", "b", "c"), NOW_S)
    position = store.buffers.window(SHARD, 10).position
    step = CommitStep(
        shard=SHARD, increments=Increments(), position=position, taken=3, dead=LETTERS
    )
    store.commits.commit(step, NOW_S)
    assert store.stats.vitals().dead_letters == 3
    move = store.dead_letters.retry if retry else store.dead_letters.drop
    assert move(SHARD, LETTERS[:2]) == 2
    assert move(SHARD, LETTERS[:2]) == 0
    assert store.dead_letters.read(SHARD) == LETTERS[2:]
    assert store.buffers.window(SHARD, 10).hits == buffered
    assert store.stats.counts()["accepted"] == 3 + len(buffered)
