"""A primary of a cluster is killed under load: its replica takes over and counting goes on."""

from __future__ import annotations

from contextlib import closing

from hailwhale.store.redis.keys import shard_of
from tests.cluster.clusters import Cluster, slot_of
from tests.cluster.load import under_load
from tests.cluster.nodes import Node, wait_for
from tests.faults.traffic import ROOTS

SLOT = slot_of(shard_of(ROOTS[0]))


def kill_and_await_heir(cluster: Cluster) -> tuple[Node, Node]:
    """Kill the primary of a slot under load; it and the replica that took over."""
    victim = cluster.home_of(SLOT)
    heir = cluster.replica_of(victim)
    victim.kill()
    wait_for(lambda: heir.role() == "master", "the replica to take over")
    return victim, heir


def come_back(cluster: Cluster, victim: Node) -> None:
    """Start a node that was killed, which becomes a replica."""
    victim.start()
    wait_for(victim.linked, "the killed node to follow the new primary")
    cluster.await_health()


def test_counting_goes_on_by_itself_and_nothing_is_doubled(
    frail_cluster: Cluster, namespace: str
) -> None:
    with under_load(frail_cluster.url, namespace) as load:
        victim, _ = kill_and_await_heir(frail_cluster)
    come_back(frail_cluster, victim)
    with closing(frail_cluster.raw_client()) as client:
        verdict = load.verdict(client, trusted=False)
    assert load.failures > 0
    assert (verdict.doubled, verdict.unrefused, verdict.wrong) == (0, 0, 0), verdict


def test_with_a_replica_waited_for_every_acknowledged_hit_is_counted_once(
    frail_cluster: Cluster, namespace: str
) -> None:
    with under_load(frail_cluster.url, namespace, replicas=1) as load:
        victim, _ = kill_and_await_heir(frail_cluster)
        come_back(frail_cluster, victim)
    with closing(frail_cluster.raw_client()) as client:
        verdict = load.verdict(client)
    assert load.failures > 0
    assert verdict.exact, verdict
