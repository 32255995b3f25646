"""The statistics of the write path, on each engine: see protocol.StatsStore."""

from __future__ import annotations

import pytest

from hailwhale.core.events.aggregate import Increments
from hailwhale.store.protocol import Store
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import CommitStep, DeadLetter, EncodedHit
from tests.conftest import NOW_S
from tests.parts import let_hits_wait
from tests.store.samples import SHARD, hits, one_hit


def accept(store: RedisStore, number: int, now_s: int = NOW_S) -> None:
    store.buffers.accept([EncodedHit("Shop", b"hit")] * number, now_s)


def take(store: RedisStore, hits: int, now_s: int = NOW_S) -> None:
    window = store.buffers.window(SHARD, 100)
    step = CommitStep(shard=SHARD, increments=Increments(), position=window.position, taken=hits)
    store.commits.commit(step, now_s)


def age(store: RedisStore, by_s: int) -> None:
    let_hits_wait(store, "Shop", by_s)


def lag_s(store: RedisStore) -> float:
    """The lag without the seconds that a busy machine takes for a test."""
    return store.stats.vitals().lag_s // 100 * 100


def test_an_empty_store_has_no_lag(store: RedisStore) -> None:
    vitals = store.stats.vitals()
    assert (vitals.buffered, vitals.deepest, vitals.planned, vitals.dead_letters) == (0, 0, 0, 0)
    assert vitals.lag_s == 0
    assert set(vitals.counts.values()) == {0}


def test_the_lag_is_how_long_the_first_hit_waits(store: RedisStore) -> None:
    accept(store, 2)
    age(store, 800)
    accept(store, 3)
    vitals = store.stats.vitals()
    assert (vitals.buffered, vitals.deepest, lag_s(store)) == (5, 5, 800)


def test_with_hits_coming_all_the_time_the_lag_is_that_of_the_last_one_looked_at(
    store: RedisStore,
) -> None:
    accept(store, 2)
    age(store, 600)
    accept(store, 2)
    take(store, 2)
    assert lag_s(store) == 600
    accept(store, 2)
    age(store, 1_400)
    take(store, 2)
    assert lag_s(store) == 1_400


def test_when_all_is_taken_nothing_waits(store: RedisStore) -> None:
    accept(store, 2)
    age(store, 600)
    take(store, 2)
    assert lag_s(store) == 0
    accept(store, 1)
    age(store, 1_000)
    assert lag_s(store) == 1_000


def test_a_lag_of_an_earlier_backlog_is_not_that_of_the_next_hit(store: RedisStore) -> None:
    accept(store, 3)
    age(store, 900)
    take(store, 1)
    accept(store, 1)
    assert lag_s(store) == 900
    take(store, 3)
    accept(store, 1)
    assert lag_s(store) == 0


@pytest.mark.parametrize("wrong_s", [-100_000, -100, 100, 100_000])
def test_clocks_of_senders_and_drains_change_no_lag(store: RedisStore, wrong_s: int) -> None:
    accept(store, 2, NOW_S + wrong_s)
    assert lag_s(store) == 0
    take(store, 1, NOW_S - wrong_s)
    accept(store, 1, NOW_S + wrong_s)
    assert lag_s(store) == 0


def test_a_server_clock_that_was_set_back_makes_no_lag_below_zero(store: RedisStore) -> None:
    accept(store, 2)
    age(store, -600)
    assert store.stats.vitals().lag_s == 0
    take(store, 1)
    accept(store, 1)
    age(store, -600)
    assert store.stats.vitals().lag_s == 0


def test_the_statistics_report_what_happened(store: Store) -> None:
    store.buffers.accept(hits("a", "b"), NOW_S)
    store.buffers.accept(hits("c", "c", id="order-1"), NOW_S)
    position = store.buffers.window(SHARD, 10).position
    letter = DeadLetter(b"b", "not a hit")
    store.commits.commit(one_hit(position=position, taken=3, dead=[letter], folded=4), NOW_S)
    assert store.stats.counts() == {
        "accepted": 3,
        "duplicate": 1,
        "drained": 3,
        "dead": 1,
        "folded": 4,
    }
