"""The statistics of the write path, on each engine: see protocol.StatsStore."""

from __future__ import annotations

from hailwhale.core.events.aggregate import Increments
from hailwhale.store.protocol import Store
from hailwhale.store.types import CommitStep, DeadLetter, EncodedHit
from tests.conftest import NOW_S
from tests.store.samples import SHARD, hits, one_hit


def accept(store: Store, number: int, now_s: int) -> None:
    store.buffers.accept([EncodedHit("Shop", b"hit")] * number, now_s)


def take(store: Store, hits: int, now_s: int) -> None:
    window = store.buffers.window(SHARD, 100)
    step = CommitStep(shard=SHARD, increments=Increments(), position=window.position, taken=hits)
    store.commits.commit(step, now_s)


def test_an_empty_store_has_no_lag(store: Store) -> None:
    vitals = store.stats.vitals(NOW_S)
    assert (vitals.buffered, vitals.deepest, vitals.planned, vitals.dead_letters) == (0, 0, 0, 0)
    assert vitals.lag_s == 0
    assert set(vitals.counts.values()) == {0}


def test_the_lag_is_how_long_the_first_hit_waits(store: Store) -> None:
    accept(store, 2, NOW_S)
    accept(store, 3, NOW_S + 5)
    vitals = store.stats.vitals(NOW_S + 8)
    assert (vitals.buffered, vitals.deepest, vitals.lag_s) == (5, 5, 8)


def test_with_hits_coming_all_the_time_the_lag_is_that_of_the_last_one_looked_at(
    store: Store,
) -> None:
    accept(store, 2, NOW_S)
    accept(store, 2, NOW_S + 4)
    take(store, 2, NOW_S + 6)
    assert store.stats.vitals(NOW_S + 6).lag_s == 6
    accept(store, 2, NOW_S + 6)
    take(store, 2, NOW_S + 10)
    assert store.stats.vitals(NOW_S + 20).lag_s == 14


def test_when_all_is_taken_nothing_waits(store: Store) -> None:
    accept(store, 2, NOW_S)
    take(store, 2, NOW_S + 6)
    assert store.stats.vitals(NOW_S + 60).lag_s == 0
    accept(store, 1, NOW_S + 60)
    assert store.stats.vitals(NOW_S + 70).lag_s == 10


def test_a_lag_of_an_earlier_backlog_is_not_that_of_the_next_hit(store: Store) -> None:
    accept(store, 3, NOW_S)
    take(store, 1, NOW_S + 90)
    accept(store, 1, NOW_S + 90)
    assert store.stats.vitals(NOW_S + 90).lag_s == 90
    take(store, 3, NOW_S + 91)
    accept(store, 1, NOW_S + 200)
    assert store.stats.vitals(NOW_S + 201).lag_s == 1


def test_a_clock_that_was_set_back_makes_no_lag_below_zero(store: Store) -> None:
    accept(store, 2, NOW_S)
    take(store, 1, NOW_S)
    take(store, 1, NOW_S - 60)
    accept(store, 1, NOW_S)
    assert store.stats.vitals(NOW_S - 60).lag_s >= 0


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
