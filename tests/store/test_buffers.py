"""The buffers of a store, on each engine: see protocol.BufferStore."""

from __future__ import annotations

import pytest

from hailwhale.store.protocol import Store
from hailwhale.store.redis.commit_args import ID_REMEMBERED_S
from hailwhale.store.redis.keys import shard_of
from hailwhale.store.types import AcceptStatus, CommitOutcome, EncodedHit
from tests.conftest import NOW_S, MakeStore
from tests.store.samples import ROOT, SHARD, hits, one_hit


def test_hits_wait_in_the_order_they_were_accepted(store: Store) -> None:
    assert store.buffers.accept(hits("a", "b"), NOW_S) == [
        AcceptStatus.ACCEPTED,
        AcceptStatus.ACCEPTED,
    ]
    assert store.buffers.accept(hits("c"), NOW_S) == [AcceptStatus.ACCEPTED]
    assert list(store.buffers.window(SHARD, 10).hits) == [b"a", b"b", b"c"]
    assert list(store.buffers.window(SHARD, 2).hits) == [b"a", b"b"]


def test_equal_hits_are_all_kept(store: Store) -> None:
    store.buffers.accept(hits(*["same"] * 1_500), NOW_S)
    assert len(store.buffers.window(SHARD, 5_000).hits) == 1_500


def test_hits_of_different_roots_wait_in_their_own_shards(store: Store) -> None:
    roots = ["Shop", "Blog", "Mail"]
    store.buffers.accept([EncodedHit(root, root.encode()) for root in roots], NOW_S)
    waiting = {load.shard: load.buffered for load in store.stats.loads()}
    assert waiting == {shard_of(root): 1 for root in roots}
    for root in roots:
        assert list(store.buffers.window(shard_of(root), 10).hits) == [root.encode()]


def test_a_full_buffer_refuses_and_keeps_what_it_has(make_store: MakeStore) -> None:
    store = make_store(buffer_limit=2)
    receipts = store.buffers.accept(hits("a", "b", "c"), NOW_S)
    assert receipts == [AcceptStatus.ACCEPTED, AcceptStatus.ACCEPTED, AcceptStatus.FULL]
    assert list(store.buffers.window(SHARD, 10).hits) == [b"a", b"b"]


def test_a_refused_hit_may_come_again_with_its_id(make_store: MakeStore) -> None:
    store = make_store(buffer_limit=1)
    store.buffers.accept(hits("a"), NOW_S)
    assert store.buffers.accept(hits("b", id="order-1"), NOW_S) == [AcceptStatus.FULL]
    window = store.buffers.window(SHARD, 10)
    store.commits.commit(one_hit(position=window.position, taken=1), NOW_S)
    assert store.buffers.accept(hits("b", id="order-1"), NOW_S) == [AcceptStatus.ACCEPTED]


@pytest.mark.parametrize(
    ("later_s", "receipt"),
    [
        (0, AcceptStatus.DUPLICATE),
        (ID_REMEMBERED_S - 1, AcceptStatus.DUPLICATE),
        (ID_REMEMBERED_S, AcceptStatus.ACCEPTED),
    ],
)
def test_an_id_is_accepted_once_in_24_hours(
    store: Store, later_s: int, receipt: AcceptStatus
) -> None:
    assert store.buffers.accept(hits("a", id="order-1"), NOW_S) == [AcceptStatus.ACCEPTED]
    assert store.buffers.accept(hits("a", id="order-1"), NOW_S + later_s) == [receipt]


def test_an_id_repeated_within_one_call_is_accepted_once(store: Store) -> None:
    receipts = store.buffers.accept(hits("a", "a", id="order-1"), NOW_S)
    assert receipts == [AcceptStatus.ACCEPTED, AcceptStatus.DUPLICATE]


def test_the_same_id_under_another_root_is_another_id(store: Store) -> None:
    store.buffers.accept(hits("a", id="order-1"), NOW_S)
    assert store.buffers.accept([EncodedHit("Blog", b"a", "order-1")], NOW_S) == [
        AcceptStatus.ACCEPTED
    ]


def test_ids_of_a_root_that_are_forgotten_may_come_again(store: Store) -> None:
    store.commits.commit(one_hit(id="order-1"), NOW_S)
    store.buffers.forget_ids(ROOT)
    assert store.commits.commit(one_hit(id="order-1"), NOW_S).outcome is CommitOutcome.COMMITTED
