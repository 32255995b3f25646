"""Slots move to other nodes while hits come and are counted.

A slot can move in two ways. In the newer one it changes hands in one moment. In the older one its
keys move one after the other. Meanwhile a script whose keys are on two nodes, or incomplete, is
refused. Such a script must have done nothing, and must succeed when it is repeated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from hailwhale.core.events.aggregate import Increments, SeriesIncrement
from hailwhale.core.time.bucketing import ChunkSet, RollupChunk
from hailwhale.errors import StoreUnavailable
from hailwhale.store.redis.client import RedisClient, close_client, open_client
from hailwhale.store.redis.keys import Keys, shard_of
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import (
    AcceptStatus,
    CellQuery,
    ChunkAddress,
    CommitOutcome,
    CommitStep,
    EncodedHit,
    ShardLoad,
)
from tests.cluster.clusters import Cluster, slot_of
from tests.cluster.load import under_load
from tests.cluster.nodes import Node
from tests.faults.traffic import ROOTS

NOW_S = 1_773_576_630
ROOT = "Moving"
SHARD = shard_of(ROOT)
SLOT = slot_of(SHARD)
_BETWEEN_KEYS_S = 0.002

Move = Callable[[Cluster, int, Node], None]


def at_once(cluster: Cluster, slot: int, to: Node) -> None:
    cluster.move_slot_at_once(slot, to)


def key_by_key(cluster: Cluster, slot: int, to: Node) -> None:
    home = cluster.begin_move(slot, to)
    while cluster.move_keys(slot, home, to, most=20):
        time.sleep(_BETWEEN_KEYS_S)  # for the load, which is to meet every state there is
    cluster.end_move(slot, home, to)


def another(cluster: Cluster, slot: int) -> Node:
    """A primary that does not serve a slot."""
    home = cluster.home_of(slot)
    return next(node for node in cluster.primaries() if node is not home)


@pytest.fixture
def own_client(cluster: Cluster) -> Iterator[RedisClient]:
    """A client that does not know yet what has happened to the cluster."""
    client = open_client(cluster.url, timeout_s=10)
    yield client
    close_client(client)


@pytest.fixture
def store(own_client: RedisClient, namespace: str) -> RedisStore:
    return RedisStore(own_client, Keys(namespace))


def hits(*names: str) -> list[EncodedHit]:
    return [EncodedHit(ROOT, name.encode()) for name in names]


def counting(hits: int, position: str | None = None) -> CommitStep:
    frame = ChunkSet((RollupChunk("all", 0, None),))
    row = SeriesIncrement((ROOT,), (), ("hits",), frame, [((0,), [hits])])
    return CommitStep(
        shard=SHARD,
        increments=Increments([row], {}, {}),
        position=position,
        taken=hits if position else 0,
    )


def counted(store: RedisStore) -> object:
    """How many hits are in the cells; read together with a cell of each node."""
    roots = [ROOT, *(f"root{number}" for number in range(9))]
    asks = [CellQuery(ChunkAddress((root,), (), "all", 0), [(0, "hits")]) for root in roots]
    return store.cells.read(asks)[0][0]


@pytest.mark.parametrize("move", [at_once, key_by_key])
def test_nothing_is_lost_or_doubled_while_slots_move_under_load(
    cluster: Cluster, namespace: str, move: Move
) -> None:
    slots = [slot_of(shard_of(root)) for root in ROOTS[:2]]
    with under_load(cluster.url, namespace) as load:
        for slot in slots:
            move(cluster, slot, another(cluster, slot))
        load.await_work(50)
        for slot in slots:
            move(cluster, slot, another(cluster, slot))
    with closing(cluster.raw_client()) as client:
        verdict = load.verdict(client)
    assert verdict.exact, verdict


def test_a_step_whose_keys_are_in_two_places_does_nothing_and_can_be_made_again(
    cluster: Cluster, store: RedisStore
) -> None:
    store.buffers.accept(hits("a", "b"), NOW_S)
    store.commits.commit(counting(5), NOW_S)
    window = store.buffers.window(SHARD, 10)
    to = another(cluster, SLOT)
    home = cluster.begin_move(SLOT, to)
    assert cluster.move_keys(SLOT, home, to, most=1) == 1
    with pytest.raises(StoreUnavailable, match="cannot accept this now"):
        store.commits.commit(counting(2, window.position), NOW_S)
    with pytest.raises(StoreUnavailable, match="cannot accept this now"):
        store.buffers.accept(hits("c"), NOW_S)
    while cluster.move_keys(SLOT, home, to, most=10):
        pass
    assert store.stats.loads() == [ShardLoad(SHARD, 2, 0)]
    assert list(store.buffers.window(SHARD, 10).hits) == [b"a", b"b"]
    cluster.end_move(SLOT, home, to)
    assert store.commits.commit(counting(2, window.position), NOW_S).outcome is CommitOutcome.STALE
    again = store.buffers.window(SHARD, 10)
    assert (
        store.commits.commit(counting(2, again.position), NOW_S).outcome is CommitOutcome.COMMITTED
    )
    assert (counted(store), store.stats.loads()) == (7, [])


def test_what_has_gone_to_a_node_without_slots_is_found_there(
    cluster: Cluster, store: RedisStore
) -> None:
    store.buffers.accept(hits("a"), NOW_S)
    store.commits.commit(counting(5), NOW_S)
    to = cluster.add_primary()
    home = cluster.begin_move(SLOT, to)
    while cluster.move_keys(SLOT, home, to, most=10):
        pass
    assert counted(store) == 5
    assert list(store.buffers.window(SHARD, 10).hits) == [b"a"]
    assert store.stats.loads() == [ShardLoad(SHARD, 1, 0)]
    cluster.end_move(SLOT, home, to)
    assert store.buffers.accept(hits("b"), NOW_S) == [AcceptStatus.ACCEPTED]
    assert list(store.buffers.window(SHARD, 10).hits) == [b"a", b"b"]
    cluster.move_slot_at_once(SLOT, home)
    assert list(store.buffers.window(SHARD, 10).hits) == [b"a", b"b"]
