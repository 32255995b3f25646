"""Hits offered again, under the numbers they had: see the stamp of protocol.BufferStore.accept."""

from __future__ import annotations

import pytest

from hailwhale.errors import StoreMismatch
from hailwhale.store.redis.buffers import SENDER_REMEMBERED_S
from hailwhale.store.redis.keys import shard_of
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import AcceptStatus, EncodedHit, ProducerSequence
from tests.conftest import NOW_S, MakeStore
from tests.store.samples import SHARD, hits, one_hit


def held(store: RedisStore) -> list[bytes]:
    return list(store.buffers.window(SHARD, 10_000).hits)


def test_what_is_offered_again_under_its_stamp_is_not_added_again(store: RedisStore) -> None:
    for _ in range(3):
        receipts = store.buffers.accept(hits("a", "b"), NOW_S, ProducerSequence("x", 0))
        assert receipts == [AcceptStatus.ACCEPTED, AcceptStatus.ACCEPTED]
    assert held(store) == [b"a", b"b"]
    assert store.stats.counts()["accepted"] == 2


def test_what_comes_late_after_what_followed_it_is_not_added_again(store: RedisStore) -> None:
    store.buffers.accept(hits("a", "b"), NOW_S, ProducerSequence("x", 0))
    store.buffers.accept(hits("c"), NOW_S, ProducerSequence("x", 2))
    store.buffers.accept(hits("a", "b"), NOW_S, ProducerSequence("x", 0))
    assert held(store) == [b"a", b"b", b"c"]


def test_hits_offered_again_in_other_groups_are_still_not_added_again(store: RedisStore) -> None:
    names = [f"h{number}" for number in range(2_500)]  # more than go into one call of the script
    store.buffers.accept(hits(*names), NOW_S, ProducerSequence("x", 0))
    store.buffers.accept(hits(*names[:7]), NOW_S, ProducerSequence("x", 0))
    store.buffers.accept(hits(*names[7:], "new"), NOW_S, ProducerSequence("x", 7))
    assert held(store) == [name.encode() for name in (*names, "new")]


def test_sequence_numbers_are_optional_and_per_sender(store: RedisStore) -> None:
    store.buffers.accept(hits("a"), NOW_S, ProducerSequence("x", 1_000_000_000_000))
    store.buffers.accept(hits("b"), NOW_S, ProducerSequence("x", 2_000_000_000_000_000))
    store.buffers.accept(hits("b"), NOW_S, ProducerSequence("x", 2_000_000_000_000_000))
    store.buffers.accept(hits("c"), NOW_S, ProducerSequence("y", 0))
    assert held(store) == [b"a", b"b", b"c"]


def test_hits_resent_after_a_full_buffer_are_added_once(
    make_store: MakeStore,
) -> None:
    store = make_store(buffer_limit=2)
    blog = EncodedHit("Blog", b"d")
    offered = [*hits("a", "b", "c"), blog]
    accepted, full = AcceptStatus.ACCEPTED, AcceptStatus.FULL
    assert store.buffers.accept(offered, NOW_S, ProducerSequence("x", 0)) == [
        accepted,
        accepted,
        full,
        accepted,
    ]
    assert store.buffers.accept(offered, NOW_S, ProducerSequence("x", 0)) == [
        accepted,
        accepted,
        full,
        accepted,
    ]
    window = store.buffers.window(SHARD, 10)
    store.commits.commit(one_hit(position=window.position, taken=2), NOW_S)
    assert store.buffers.accept(offered, NOW_S, ProducerSequence("x", 0)) == [accepted] * 4
    assert held(store) == [b"c"]
    assert list(store.buffers.window(shard_of("Blog"), 10).hits) == [b"d"]


def test_after_a_full_buffer_no_later_hit_is_accepted_even_in_the_next_slice(
    make_store: MakeStore,
) -> None:
    store = make_store(buffer_limit=1)
    store.buffers.accept(hits("a", id="order-1"), NOW_S)
    offered = [*hits("b"), *hits("a", id="order-1"), *hits(*["c"] * 1_500)]
    assert set(store.buffers.accept(offered, NOW_S, ProducerSequence("x", 0))) == {
        AcceptStatus.FULL
    }
    roomy = make_store()
    receipts = roomy.buffers.accept(offered, NOW_S, ProducerSequence("x", 0))
    assert receipts[:3] == [AcceptStatus.ACCEPTED, AcceptStatus.DUPLICATE, AcceptStatus.ACCEPTED]
    assert held(roomy) == [b"a", b"b", *[b"c"] * 1_500]


def test_an_id_counts_once_however_it_is_offered_again(store: RedisStore) -> None:
    assert store.buffers.accept(hits("a", id="order-1"), NOW_S) == [AcceptStatus.ACCEPTED]
    for receipt in (
        AcceptStatus.DUPLICATE,
        AcceptStatus.ACCEPTED,
    ):  # the second time it is accepted
        assert (
            store.buffers.accept(hits("a", "b", id="order-1"), NOW_S, ProducerSequence("x", 0))[0]
            is receipt
        )
    assert held(store) == [b"a"]


def test_a_sender_is_forgotten_a_week_after_its_last_call(store: RedisStore) -> None:
    store.buffers.accept(hits("a"), NOW_S, ProducerSequence("x", 0))
    key, command = store.keys.sender(SHARD, "x"), store.client.execute_command
    assert SENDER_REMEMBERED_S - 10 <= command("TTL", key) <= SENDER_REMEMBERED_S == 604_800
    command("EXPIRE", key, 5)
    store.buffers.accept(
        hits("a"), NOW_S, ProducerSequence("x", 0)
    )  # so it is not while it is being offered again
    assert command("TTL", key) > 5


def test_without_a_stamp_no_sender_is_remembered(store: RedisStore) -> None:
    store.buffers.accept(hits("a"), NOW_S)
    store.buffers.accept(hits("a"), NOW_S)
    assert held(store) == [b"a", b"a"]
    assert store.client.execute_command("EXISTS", store.keys.sender(SHARD, "")) == 0


def test_a_store_that_came_back_empty_takes_new_hits_and_gets_its_schema(
    store: RedisStore,
) -> None:
    store.schema.declare("UTC", ["1h:35d", "all"], NOW_S)
    store.buffers.accept(hits("a", "b"), NOW_S, ProducerSequence("x", 0))
    keys = store.keys
    for key in (keys.meta(), keys.buffer(SHARD), keys.sender(SHARD, "x")):
        store.client.execute_command("DEL", key)
    assert store.stats.loads() == []
    with pytest.raises(StoreMismatch):
        store.schema.declare("Europe/Berlin", ["1h:35d", "all"], NOW_S)
    store.buffers.accept(hits("c"), NOW_S, ProducerSequence("x", 2))
    assert held(store) == [b"c"]
