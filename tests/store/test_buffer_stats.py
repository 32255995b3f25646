"""What an operator is told of a store: how long hits wait, dead letters, tallies of requests."""

from __future__ import annotations

import pytest

from hailwhale.core.events.aggregate import Increments
from hailwhale.store.redis.keys import shard_of
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import CommitStep, DeadLetter, EncodedHit
from tests.conftest import NOW_S

SHARD = shard_of("Shop")
LETTERS = [
    DeadLetter(b"junk", "no hit"),
    DeadLetter(b"junk", "no hit"),
    DeadLetter(b"\xff", "no text"),
]


def accept(store: RedisStore, hits: int, now_s: int) -> None:
    store.buffers.accept([EncodedHit("Shop", b"hit")] * hits, now_s)


def take(store: RedisStore, hits: int, now_s: int, dead: tuple[DeadLetter, ...] = ()) -> None:
    window = store.buffers.window(SHARD, 100)
    store.commits.commit(
        CommitStep(SHARD, Increments(), position=window.position, taken=hits, dead=dead), now_s
    )


def test_an_empty_store_has_no_lag(store: RedisStore) -> None:
    vitals = store.stats.vitals(NOW_S)
    assert (vitals.buffered, vitals.deepest, vitals.planned, vitals.dead_letters) == (0, 0, 0, 0)
    assert vitals.lag_s == 0
    assert set(vitals.counts.values()) == {0}


def test_the_lag_is_how_long_the_first_hit_waits(store: RedisStore) -> None:
    accept(store, 2, NOW_S)
    accept(store, 3, NOW_S + 5)
    vitals = store.stats.vitals(NOW_S + 8)
    assert (vitals.buffered, vitals.deepest, vitals.lag_s) == (5, 5, 8)


def test_with_hits_coming_all_the_time_the_lag_is_that_of_the_last_one_looked_at(
    store: RedisStore,
) -> None:
    accept(store, 2, NOW_S)
    accept(store, 2, NOW_S + 4)
    take(store, 2, NOW_S + 6)
    assert store.stats.vitals(NOW_S + 6).lag_s == 6
    accept(store, 2, NOW_S + 6)
    take(store, 2, NOW_S + 10)
    assert store.stats.vitals(NOW_S + 20).lag_s == 14


def test_when_all_is_taken_nothing_waits(store: RedisStore) -> None:
    accept(store, 2, NOW_S)
    take(store, 2, NOW_S + 6)
    assert store.stats.vitals(NOW_S + 60).lag_s == 0
    accept(store, 1, NOW_S + 60)
    assert store.stats.vitals(NOW_S + 70).lag_s == 10


def test_a_clock_that_was_set_back_makes_no_lag_below_zero(store: RedisStore) -> None:
    accept(store, 2, NOW_S)
    take(store, 1, NOW_S)
    take(store, 1, NOW_S - 60)
    accept(store, 1, NOW_S)
    assert store.stats.vitals(NOW_S - 60).lag_s >= 0


@pytest.mark.parametrize(("retry", "buffered"), [(True, [b"junk", b"junk"]), (False, [])])
def test_dead_letters_are_retried_or_dropped_each_once(
    store: RedisStore, retry: bool, buffered: list[bytes]
) -> None:
    accept(store, 3, NOW_S)
    take(store, 3, NOW_S, dead=tuple(LETTERS))
    assert store.stats.vitals(NOW_S).dead_letters == 3
    move = store.dead_letters.retry if retry else store.dead_letters.drop
    assert move(SHARD, LETTERS[:2]) == 2
    assert move(SHARD, LETTERS[:2]) == 0
    assert store.dead_letters.read(SHARD) == LETTERS[2:]
    assert store.buffers.window(SHARD, 10).hits == buffered
    assert store.stats.counts()["accepted"] == 3 + len(buffered)


def test_tallies_of_requests_add_up(store: RedisStore) -> None:
    store.request_stats.add_answered({"/count\t200\t1": 2, "decisions": 1})
    store.request_stats.add_answered({"/count\t200\t1": 3})
    assert store.request_stats.answered() == {"/count\t200\t1": 5, "decisions": 1}
