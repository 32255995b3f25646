"""How commands find their nodes, and what becomes of them when a node does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest

from hailwhale.errors import StoreUnavailable
from hailwhale.store.redis.client import close_client, exchange, faults_named, open_client
from hailwhale.store.redis.cluster import ClusterClient
from hailwhale.store.redis.keys import Keys, shard_of
from hailwhale.store.redis.store import RedisStore
from hailwhale.store.types import AcceptStatus, EncodedHit
from tests.cluster.clusters import Cluster, slot_of
from tests.cluster.nodes import Node, wait_for
from tests.ports import free_port

NOW_S = 1_773_576_630
ROOTS = [f"root{number}" for number in range(40)]  # on every node there are some
ONE_OF_EACH = [EncodedHit(root, b"hit") for root in ROOTS]


@pytest.fixture
def store(cluster: Cluster, namespace: str) -> Iterator[RedisStore]:
    client = open_client(cluster.url, timeout_s=0.4)
    yield RedisStore(client, Keys(namespace))
    close_client(client)


@pytest.fixture
def lone_node(tmp_path: Path) -> Iterator[Node]:
    """A node that has met no other and serves no slot."""
    node = Node(
        tmp_path / "node",
        cluster_enabled="yes",
        cluster_port=free_port(),  # else it is one that an outgoing connection may have
        cluster_require_full_coverage="no",
    )
    try:
        node.start()
        node.await_answer()
        yield node
    finally:
        node.kill()


def buffered(store: RedisStore) -> int:
    try:
        return sum(load.buffered for load in store.stats.loads())
    except StoreUnavailable:
        return -1


def test_answers_come_in_the_order_of_the_commands_wherever_they_were_carried_out(
    store: RedisStore, namespace: str
) -> None:
    keys = [f"{namespace}:{number}" for number in range(100)]
    assert set(exchange(store.client, [("SET", key, key) for key in keys])) == {True}
    found = exchange(store.client, [("GET", key) for key in keys])
    assert [value.decode() for value in found] == keys


def test_an_error_of_one_command_does_not_fail_the_others(
    store: RedisStore, namespace: str
) -> None:
    keys = [f"{namespace}:{number}" for number in range(4)]
    commands = [("SET", keys[0], "text"), ("INCR", keys[0]), ("INCR", keys[1]), ("INCR", keys[2])]
    first, second, *others = exchange(store.client, commands)
    assert (first, others) == (True, [1, 1])
    assert "not an integer" in str(second)


def test_what_was_sent_is_not_sent_again_when_its_answer_got_lost(
    cluster: Cluster, store: RedisStore
) -> None:
    store.buffers.accept(ONE_OF_EACH, NOW_S)
    node = cluster.home_of(slot_of(shard_of(ROOTS[0])))
    node.freeze()
    thaw = Timer(1.0, node.thaw)  # soon enough for whoever tries again
    thaw.start()
    with pytest.raises(StoreUnavailable, match="does not answer"):
        store.buffers.accept(ONE_OF_EACH, NOW_S)
    thaw.join()
    wait_for(lambda: buffered(store) == 2 * len(ROOTS), "what was sent to be carried out")
    store.buffers.accept(ONE_OF_EACH, NOW_S)
    assert buffered(store) == 3 * len(ROOTS)


def test_a_node_without_a_script_is_sent_it(cluster: Cluster, store: RedisStore) -> None:
    store.buffers.accept(ONE_OF_EACH, NOW_S)
    cluster.home_of(slot_of(shard_of(ROOTS[0]))).client.script_flush()
    assert store.buffers.accept(ONE_OF_EACH, NOW_S) == [AcceptStatus.ACCEPTED] * len(ROOTS)
    assert buffered(store) == 2 * len(ROOTS)


def test_a_client_that_was_closed_opens_again(store: RedisStore) -> None:
    store.ping()
    store.close()
    assert store.buffers.accept(ONE_OF_EACH, NOW_S) == [AcceptStatus.ACCEPTED] * len(ROOTS)


def test_a_cluster_without_answers_is_unavailable_at_the_first_command() -> None:
    store = RedisStore(open_client("redis+cluster://127.0.0.1:1", timeout_s=1), Keys())
    with pytest.raises(StoreUnavailable, match="cannot read the state of the cluster"):
        store.ping()
    store.close()


def test_a_server_that_is_not_a_cluster_is_reported(tmp_path: Path) -> None:
    node = Node(tmp_path / "node")
    node.start()
    node.await_answer()
    store = RedisStore(open_client(f"redis+cluster://{node.name}", timeout_s=5), Keys())
    with pytest.raises(StoreUnavailable, match="Cluster mode is not enabled"):
        store.stats.loads()
    node.kill()


def test_a_cluster_without_slots_is_unavailable_until_it_has_them(lone_node: Node) -> None:
    client = ClusterClient([("127.0.0.1", lone_node.port)], {"protocol": 2})
    with pytest.raises(StoreUnavailable), faults_named():
        client.execute_command("GET", "a")
    lone_node.client.cluster("ADDSLOTSRANGE", 0, 10_000)
    wait_for(lone_node.is_well, "the node to be well")
    assert client.execute_command("GET", "b") is None  # slot 3300
    with pytest.raises(StoreUnavailable), faults_named():
        client.execute_command("GET", "a")  # slot 15495
    lone_node.client.cluster("ADDSLOTSRANGE", 10_001, 16_383)
    assert client.execute_command("SET", "a", "1") is True
    client.close()


def test_a_cluster_that_was_down_as_a_whole_is_found_again(lone_node: Node) -> None:
    lone_node.client.cluster("ADDSLOTSRANGE", 0, 16_383)
    client = ClusterClient([("127.0.0.1", lone_node.port)], {"protocol": 2})
    wait_for(lone_node.is_well, "the node to be well")
    client.execute_command("SET", "a", "1")
    lone_node.kill()
    for _ in range(3):
        with pytest.raises(StoreUnavailable), faults_named():
            client.execute_command("SET", "a", "2")
    lone_node.start()
    lone_node.await_answer()
    wait_for(lone_node.is_well, "the node to be well")
    assert client.execute_command("SET", "a", "3") is True
    client.close()
