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
    ("age_s", "receipt"),
    [
        (0, AcceptStatus.DUPLICATE),
        (ID_REMEMBERED_S - 60, AcceptStatus.DUPLICATE),
        (ID_REMEMBERED_S + 1, AcceptStatus.ACCEPTED),
    ],
)
def test_an_id_is_accepted_once_in_24_hours_of_the_server(
    make_store: MakeStore, age_s: int, receipt: AcceptStatus
) -> None:
    store = make_store()
    assert store.buffers.accept(hits("a", id="order-1"), NOW_S) == [AcceptStatus.ACCEPTED]
    store.client.execute_command("ZINCRBY", store.keys.ids(ROOT), -age_s, "order-1")
    assert store.buffers.accept(hits("a", id="order-1"), NOW_S) == [receipt]


@pytest.mark.parametrize("other_s", [25 * 3600, -25 * 3600, 10**8, -(10**8)])
@pytest.mark.parametrize("id", ["order-1", "order-2"])
def test_a_sender_with_a_wrong_clock_makes_no_id_forgotten(
    store: Store, other_s: int, id: str
) -> None:
    accept = store.buffers.accept
    assert accept(hits("a", id="order-1"), NOW_S) == [AcceptStatus.ACCEPTED]
    accept(hits("b", id=id), NOW_S + other_s)
    for now_s in (NOW_S, NOW_S + other_s):
        for each in ("order-1", id):
            assert accept(hits("a", id=each), now_s) == [AcceptStatus.DUPLICATE]


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


def test_a_buffer_is_full_by_its_bytes_and_has_room_again_once_they_are_drained(
    make_store: MakeStore,
) -> None:
    store = make_store(buffer_bytes=25)
    long, short = "x" * 10, "y" * 5
    assert store.buffers.accept(hits(long, long), NOW_S) == [AcceptStatus.ACCEPTED] * 2
    assert store.buffers.accept(hits(short, short), NOW_S) == [
        AcceptStatus.ACCEPTED,
        AcceptStatus.FULL,
    ]
    window = store.buffers.window(SHARD, 1)
    step = one_hit(position=window.position, taken=1, taken_bytes=10)
    assert store.commits.commit(step, NOW_S).outcome is CommitOutcome.COMMITTED
    assert store.buffers.accept(hits(long), NOW_S) == [AcceptStatus.ACCEPTED]
    assert store.buffers.accept(hits("z"), NOW_S) == [AcceptStatus.FULL]


def test_what_an_earlier_version_left_uncounted_is_forgotten_when_the_buffer_is_empty(
    make_store: MakeStore,
) -> None:
    store = make_store(buffer_bytes=25)
    for _ in range(3):  # its drain does not tell how many bytes it took
        assert store.buffers.accept(hits("x" * 20), NOW_S) == [AcceptStatus.ACCEPTED]
        window = store.buffers.window(SHARD, 1)
        assert store.buffers.accept(hits("x" * 20), NOW_S) == [AcceptStatus.FULL]
        step = one_hit(position=window.position, taken=1)
        assert store.commits.commit(step, NOW_S).outcome is CommitOutcome.COMMITTED
