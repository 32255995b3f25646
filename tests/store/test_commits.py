"""The steps and plans of a store, on each engine: see protocol.CommitStore."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hailwhale.store.redis import label_sets as labels_module
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import (
    AcceptStatus,
    CommitCondition,
    CommitOutcome,
    CommitStep,
    ImportBlock,
    ShardLoad,
)
from tests.conftest import NOW_S, MakeStore
from tests.store.samples import PK, SHARD, US, hit_count, hits, increments, one_hit


def test_a_commit_takes_hits_off_and_counts(store: RedisStore) -> None:
    store.buffers.accept(hits("a", "b", "c"), NOW_S)
    position = store.buffers.window(SHARD, 2).position
    step = CommitStep(
        shard=SHARD, increments=increments({(0, "hits"): 2}), position=position, taken=2
    )
    assert store.commits.commit(step, NOW_S).outcome is CommitOutcome.COMMITTED
    assert list(store.buffers.window(SHARD, 10).hits) == [b"c"]
    assert hit_count(store) == 2


def test_one_of_two_drains_that_read_the_same_hits_wins(store: RedisStore) -> None:
    store.buffers.accept(hits("a", "b"), NOW_S)
    first, second = store.buffers.window(SHARD, 10), store.buffers.window(SHARD, 10)
    assert (
        store.commits.commit(one_hit(position=first.position, taken=2), NOW_S).outcome
        is CommitOutcome.COMMITTED
    )
    assert (
        store.commits.commit(one_hit(position=second.position, taken=2), NOW_S).outcome
        is CommitOutcome.STALE
    )
    assert hit_count(store) == 1


def test_hits_pushed_by_another_hand_can_be_taken_off(store: RedisStore) -> None:
    store.client.execute_command("RPUSH", store.keys.buffer(SHARD), b"foreign")
    window = store.buffers.window(SHARD, 10)
    step = one_hit(position=window.position, taken=1)
    assert store.commits.commit(step, NOW_S).outcome is CommitOutcome.COMMITTED
    assert store.stats.loads() == []


def test_a_position_never_comes_back_when_the_data_was_lost(store: RedisStore) -> None:
    keys = store.keys
    store.buffers.accept(hits("a"), NOW_S)
    stale = store.buffers.window(SHARD, 10).position
    for key in (keys.buffer(SHARD), keys.position(SHARD), keys.stats(SHARD)):
        store.client.execute_command("DEL", key)
    store.buffers.accept(hits("b"), NOW_S)
    assert (
        store.commits.commit(one_hit(position=stale, taken=1), NOW_S).outcome is CommitOutcome.STALE
    )
    assert list(store.buffers.window(SHARD, 10).hits) == [b"b"]


def test_an_id_commits_once_and_is_shared_with_the_buffer(store: RedisStore) -> None:
    assert store.commits.commit(one_hit(id="order-1"), NOW_S).outcome is CommitOutcome.COMMITTED
    assert store.commits.commit(one_hit(id="order-1"), NOW_S).outcome is CommitOutcome.DUPLICATE
    assert store.buffers.accept(hits("a", id="order-1"), NOW_S) == [AcceptStatus.DUPLICATE]
    assert hit_count(store) == 1


def test_a_block_of_an_import_commits_once_and_in_order(store: RedisStore) -> None:
    outcomes = [
        store.commits.commit(one_hit(block=ImportBlock(name, number)), NOW_S).outcome.value
        for name, number in [("a", 1), ("a", 1), ("b", 1), ("a", 3), ("a", 2), ("a", 4)]
    ]
    assert outcomes == [
        "committed", "duplicate", "committed", "committed", "duplicate", "committed"
    ]  # fmt: skip
    assert hit_count(store) == 4


def test_a_guarded_commit_needs_the_total_it_expects(store: RedisStore) -> None:
    guard = CommitCondition(PK, (), "hits", Decimal(0))
    assert store.commits.commit(one_hit(guard=guard), NOW_S).outcome is CommitOutcome.COMMITTED
    assert store.commits.commit(one_hit(guard=guard), NOW_S).outcome is CommitOutcome.CHANGED
    assert hit_count(store) == 1


def test_a_large_step_becomes_a_plan_that_is_applied_chunk_by_chunk(
    make_store: MakeStore,
) -> None:
    store = make_store(chunk_cells=2)
    many = increments({(0, "hits"): 1})
    many.rows += increments({(0, "hits"): 5}, US).rows
    many.rows += increments({(0, "hits"): 7}, ("device",)).rows
    store.commits.commit(CommitStep(shard=SHARD, increments=many), NOW_S)
    assert store.stats.loads() == [ShardLoad(SHARD, 0, 2)]
    another = make_store()
    assert another.commits.apply_next(SHARD)
    assert store.stats.loads() == [ShardLoad(SHARD, 0, 1)]
    while store.commits.apply_next(SHARD):
        pass
    found = [hit_count(store), hit_count(store, US), hit_count(store, ("device",))]
    assert found == [Decimal(1), Decimal(5), Decimal(7)]
    assert store.stats.loads() == []


def test_labels_over_the_limit_are_refused_by_name_and_nothing_is_counted(
    make_store: MakeStore,
) -> None:
    store = make_store(max_children=2)
    country = (PK, ("country",))
    first = {country: ["US"]}
    store.commits.commit(
        CommitStep(shard=SHARD, increments=increments({(0, "hits"): 1}, labels=first)), NOW_S
    )
    more = {country: ["US", "CA", "DE", "FR", "_other"]}
    answer = store.commits.commit(
        CommitStep(shard=SHARD, increments=increments({(0, "hits"): 1}, labels=more)), NOW_S
    )
    assert answer.outcome is CommitOutcome.OVERFLOW
    assert answer.labels == {country: ["DE", "FR"]}
    assert hit_count(store) == 1
    fitting = {country: ["US", "CA", "_other"]}
    answer = store.commits.commit(
        CommitStep(shard=SHARD, increments=increments({(0, "hits"): 1}, labels=fitting)), NOW_S
    )
    assert answer.outcome is CommitOutcome.COMMITTED


def test_labels_of_a_large_step_keep_to_the_limit_as_well(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels_module, "AT_ONCE", 2)
    store = make_store(max_children=2)
    country = (PK, ("country",))
    wanted = {"US", "CA", "DE", "FR"}
    while True:
        labels = {country: [*sorted(wanted), "_other"]}
        answer = store.commits.commit(
            CommitStep(shard=SHARD, increments=increments({(0, "hits"): 1}, labels=labels)), NOW_S
        )
        if answer.outcome is CommitOutcome.COMMITTED:
            break
        assert hit_count(store) is None
        assert set(answer.labels[country]) <= wanted
        wanted -= set(answer.labels[country])
    assert store.labels.children([country]) == [{*wanted, "_other"}]
    assert len(wanted) == 2
    assert hit_count(store) == 1


def test_a_large_step_that_is_stale_makes_nothing_known(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels_module, "AT_ONCE", 2)
    store.buffers.accept(hits("a"), NOW_S)
    stale = store.buffers.window(SHARD, 10)
    assert store.commits.commit(one_hit(position=stale.position, taken=1), NOW_S).outcome.value == (
        "committed"
    )
    late = increments({(0, "hits"): 1}, labels={(PK, ()): ["a", "b", "c"]})
    step = CommitStep(shard=SHARD, increments=late, position=stale.position, taken=1)
    assert store.commits.commit(step, NOW_S).outcome is CommitOutcome.STALE
    assert store.labels.children([(PK, ())]) == [set()]
