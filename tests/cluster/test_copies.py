"""What a primary takes with it when it dies, and what HAILWHALE_REPLICAS saves.

The replica is cut off (frozen, and its link closed, so that nothing is even on the way) and the
primary killed. Whoever then looks at the replica sees what a failover would have left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from hailwhale.core.events.aggregate import Increments, SeriesIncrement
from hailwhale.core.time.bucketing import ChunkSet, RollupChunk
from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services, open_services
from hailwhale.settings import Settings
from hailwhale.store.redis.client import connect, open_client
from hailwhale.store.redis.keys import Keys, shard_of
from hailwhale.store.redis.replica_ack import ReplicaAck
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import (
    AcceptStatus,
    CellQuery,
    ChunkAddress,
    CommitStep,
    EncodedHit,
    ImportBlock,
    ProducerSequence,
)
from tests.cluster.clusters import Cluster, slot_of
from tests.cluster.nodes import Node, wait_for

NOW_S = 1_773_576_630
SHARD = shard_of("Shop")
ROW = SeriesIncrement(
    ("Shop",), (), ("hits",), ChunkSet((RollupChunk("all", 0, None),)), [((0,), [1])]
)
HITS = 8
ONE_COPY = ReplicaAck(replicas=1, within_ms=100)


class Pair:
    """A primary and its replica."""

    def __init__(self, folder: Path) -> None:
        self.primary, self.replica = Node(folder / "primary"), Node(folder / "replica")
        for node in (self.primary, self.replica):
            node.start()
            node.await_answer()
        self.replica.replicate(self.primary)

    def cut_off(self) -> None:
        """From now on the replica gets nothing."""
        self.replica.freeze()
        self.primary.client.client_kill_filter(_type="replica")

    def fail_over(self) -> None:
        """Kill the primary, and let the replica take over with what it has."""
        self.primary.kill()
        self.replica.thaw()
        self.replica.client.replicaof("NO", "ONE")

    def stop(self) -> None:
        self.primary.kill()
        self.replica.kill()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    pair = Pair(tmp_path)
    yield pair
    pair.stop()


@pytest.fixture(scope="module")
def lasting_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A pair at which no test kills or cuts off a node."""
    pair = Pair(tmp_path_factory.mktemp("pair"))
    yield pair
    pair.stop()


def services_at(node: Node, replicas: int = 0) -> Services:
    url = f"redis://{node.name}"
    return open_services(
        Settings.from_env({}, redis_url=url, replicas=replicas, store_timeout_s=0.2)
    )


def acknowledged(services: Services, first: int) -> int:
    """How many of some events are acknowledged, each sent once."""
    number = 0
    for event in range(first, first + HITS):
        with suppress(StoreUnavailable):
            services.hail.count({"pk": "Shop", "id": str(event)})
            number += 1
    return number


def counted(services: Services) -> object:
    services.drain.flush()
    return services.store.cells.read(
        [CellQuery(ChunkAddress(("Shop",), (), "all", 0), [(0, "hits")])]
    )[0][0]


@pytest.mark.parametrize(
    ("replicas", "promised"),
    [(0, 2 * HITS), (1, HITS)],
    ids=["without it what was acknowledged is lost", "with it all that was acknowledged is there"],
)
def test_what_is_acknowledged_while_the_replica_is_cut_off(
    pair: Pair, replicas: int, promised: int
) -> None:
    with closing(services_at(pair.primary, replicas)) as services:
        told = acknowledged(services, first=0)
        wait_for(lambda: pair.replica.has_all_of(pair.primary), "the replica to have it")
        pair.cut_off()
        told += acknowledged(services, first=HITS)
    assert told == promised
    pair.fail_over()
    with closing(services_at(pair.replica)) as services:
        assert counted(services) == HITS


def test_what_was_acknowledged_is_counted_without_waiting_for_a_replica(pair: Pair) -> None:
    with closing(services_at(pair.primary, replicas=1)) as services:
        services.hail.count({"pk": "Shop"})
        pair.cut_off()
        assert counted(services) == 1


def accept(store: RedisStore) -> None:
    store.buffers.accept([EncodedHit("Shop", b"hit", "order-1")], NOW_S)


def accept_stamped(store: RedisStore) -> None:
    store.buffers.accept([EncodedHit("Shop", b"hit")], NOW_S, ProducerSequence("sender", 7))


def commit(store: RedisStore) -> None:
    store.commits.commit(
        CommitStep(shard=SHARD, increments=Increments([ROW], {}, {}), id="order-1"), NOW_S
    )


def commit_block(store: RedisStore) -> None:
    store.commits.commit(
        CommitStep(
            shard=SHARD, increments=Increments([ROW], {}, {}), block=ImportBlock("sales", 1)
        ),
        NOW_S,
    )


@pytest.mark.parametrize("write", [accept, accept_stamped, commit, commit_block])
def test_what_no_replica_has_is_not_acknowledged_when_it_is_sent_again_either(
    lasting_pair: Pair, namespace: str, write: Callable[[RedisStore], None]
) -> None:
    primary, replica = lasting_pair.primary, lasting_pair.replica
    stores = [
        RedisStore(connect(f"redis://{primary.name}", 5), Keys(namespace), copies=ONE_COPY)
        for _ in range(3)  # each over a connection of its own, that has written nothing before
    ]
    with replica.frozen():
        for store in stores[:2]:
            with pytest.raises(StoreUnavailable, match="0 of 1 replicas"):
                write(store)
    wait_for(lambda: replica.has_all_of(primary), "the replica to have it")
    write(stores[2])
    for store in stores:
        store.close()


def test_in_a_cluster_each_node_that_was_written_to_waits_for_its_own_replica(
    cluster: Cluster, namespace: str
) -> None:
    store = RedisStore(open_client(cluster.url, 5), Keys(namespace), copies=ONE_COPY)
    roots = [f"root{number}" for number in range(20)]
    homes = {root: cluster.home_of(slot_of(shard_of(root))) for root in roots}
    assert len(set(homes.values())) > 1
    assert store.buffers.accept([EncodedHit(root, b"hit") for root in roots], NOW_S) == (
        [AcceptStatus.ACCEPTED] * len(roots)
    )
    cut = homes[roots[0]]
    with cluster.replica_of(cut).frozen():
        well = [EncodedHit(root, b"hit") for root in roots if homes[root] is not cut]
        assert store.buffers.accept(well, NOW_S) == [AcceptStatus.ACCEPTED] * len(well)
        with pytest.raises(StoreUnavailable, match="0 of 1 replicas"):
            store.buffers.accept([EncodedHit(root, b"hit") for root in roots], NOW_S)
    store.close()
